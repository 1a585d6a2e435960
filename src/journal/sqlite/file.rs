//! The file of a journal and its directory.
//!
//! **Invariant:** a new file's name is as durable as what it holds.

use crate::journal::error::JournalError;
use std::path::Path;

pub(super) fn has_pending_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// A path in an SQLite URI: `?`, `#` and `%` have a meaning there.
pub(super) fn percent_encoded(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Makes the new file's name durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), JournalError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    std::fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| JournalError::Io { place: directory.display().to_string(), source })
}
