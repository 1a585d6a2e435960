//! Signals to whole process groups.
//!
//! **Invariant:** a signal goes to a group that drctl made, and to no other process.

use std::process::{Command, Stdio};

/// How a group is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cloud) enum Signal {
    /// It may end in its own way.
    Terminate,
    /// It ends.
    Kill,
}

/// Sends a signal to the process group `id`; a group that is gone already is no error.
pub(in crate::cloud) fn signal(id: u32, signal: Signal) {
    let name = match signal {
        Signal::Terminate => "-TERM",
        Signal::Kill => "-KILL",
    };
    // A program of its own, because signals to groups need unsafe code otherwise.
    let _ = Command::new("kill")
        .args([name, "--", &format!("-{id}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
