//! File locks between processes on this machine: one run of one drill, one user of one world.
//!
//! **Invariant:** the operating system releases a lock when its process dies, however it dies.

use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::Path;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`; `what` names what is locked, `holder` is written into the file.
    ///
    /// # Errors
    /// Another process holds it (exit code 16, with the holder's own words), or the file cannot be made.
    pub(super) fn take(path: &Path, what: &str, holder: &str) -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::new(Exit::Journal, format!("cannot lock {}: {error}", path.display()))
                .help("set DRCTL_STATE_DIR to a directory that can be written")
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).and_then(|()| writeln!(file, "{holder}")).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(path).unwrap_or_default();
                Err(CommandError::new(
                    Exit::Journal,
                    format!("{what} is in use by {}", holder.trim()),
                )
                .help("wait for it, or stop that process; a run that was stopped can be resumed"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Whether a process holds the lock at `path`; nothing is made or written.
pub(super) fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// How this process is called in lock files and leases.
pub(super) fn holder() -> String {
    format!("process {}", std::process::id())
}
