//! Signals to whole process groups.
//!
//! **Invariant:** a signal goes to a group that drctl made, and to no other process.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// Sends a signal to the process group `id`; a group that is gone already is no error.
///
/// # Errors
/// Why the group did not get it.
pub(in crate::cloud) fn signal(id: u32, signal: Signal) -> Result<(), String> {
    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    // Groups 0 and 1 are not ours: our own, and everybody.
    let group = group.filter(|group| group.as_raw_nonzero().get() > 1);
    let group = group.ok_or_else(|| format!("{id} is no process group"))?;
    match kill_process_group(group, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
