//! Why a journal could not be read or written.
//!
//! **Invariant:** every text says which file and what to do next; no failure of a store is silent.

use crate::base::clock::format_instant;
use crate::journal::objects::{BucketProblem, ObjectError};
use chrono::{DateTime, Utc};

/// A failure of a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no file.
    #[error("no journal at {place}; `drctl history` lists the runs that are there")]
    NotFound {
        /// The path.
        place: String,
    },
    /// A new journal was to be created over something.
    #[error("{place} exists already; a journal is created once, so resume that run or plan anew")]
    Exists {
        /// The path.
        place: String,
    },
    /// The file is something else.
    #[error("{place} is not a drctl journal: {why}; check the path")]
    Foreign {
        /// The path.
        place: String,
        /// How that is known.
        why: String,
    },
    /// The file's layout is newer than this build.
    #[error(
        "{place} has journal layout {found}, this drctl knows up to {known}; use a newer drctl"
    )]
    Newer {
        /// The path.
        place: String,
        /// Its layout version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It cannot be written.
    #[error(
        "{place} cannot be written: it, its directory or its file system is read-only; \
         make it writable and resume the run"
    )]
    ReadOnly {
        /// The path.
        place: String,
    },
    /// There is no room; nothing of the batch was kept.
    #[error(
        "no room left to write {place}; nothing was half written: free space and resume the run"
    )]
    DiskFull {
        /// The path.
        place: String,
    },
    /// Another process keeps the file locked.
    #[error("{place} is locked by another process; wait for it to end and try again")]
    Locked {
        /// The path.
        place: String,
    },
    /// Another process has the run.
    #[error(
        "{place} is held by {holder} until {}; wait, or take the run over if that process is gone",
        format_instant(*.until)
    )]
    Held {
        /// The path.
        place: String,
        /// Who has it.
        holder: String,
        /// When its lease ends.
        until: DateTime<Utc>,
    },
    /// Another process has taken the run over.
    #[error(
        "{place}: lease {ours} is no longer valid (now {current}); another process has taken the \
         run over, so this one must stop"
    )]
    Fenced {
        /// The path.
        place: String,
        /// The number that was used.
        ours: u64,
        /// The number that is valid, or `none`.
        current: String,
    },
    /// The lease has ended without being renewed: whoever wants it may have the run by now.
    #[error(
        "{place}: lease {ours} ended {}; this process was held up for too long and must stop: resume \
         the run",
        format_instant(*.since)
    )]
    Expired {
        /// The path.
        place: String,
        /// The number that was used.
        ours: u64,
        /// When it ended.
        since: DateTime<Utc>,
    },
    /// Somebody else has written, or a record was left out: a bug in drctl.
    #[error(
        "{place}: event {found} does not follow on; {expected} is next; this is a bug in drctl"
    )]
    OutOfSequence {
        /// The path.
        place: String,
        /// The number that is next.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// What is stored is not what was written.
    #[error(
        "{place} is damaged{}: {why}; keep a copy of the directory and restore it from a backup",
        .seq.map(|seq| format!(" at event {seq}")).unwrap_or_default()
    )]
    Corrupt {
        /// The path.
        place: String,
        /// The first bad event; `None` when it is the file.
        seq: Option<u64>,
        /// What is wrong.
        why: String,
    },
    /// A record that this build does not understand: it can be shown and not resumed.
    #[error(
        "event {seq} is of a kind that this drctl does not know (`{kind}`, version {version}); the \
         run can be shown but not resumed: resume it with the drctl that wrote it"
    )]
    UnknownEvent {
        /// Its position.
        seq: u64,
        /// Its type.
        kind: String,
        /// Its version.
        version: u32,
    },
    /// A copy and the shared journal have other events.
    #[error(
        "{copy} and the shared journal {place} differ at event {seq}: {why}; keep both, and compare them \
         with `drctl journal export` before you remove one"
    )]
    Diverged {
        /// The shared journal.
        place: String,
        /// The copy.
        copy: String,
        /// The first event that is not known to be the same.
        seq: u64,
        /// How they differ.
        why: String,
    },
    /// A bucket cannot be used.
    #[error("{place} cannot be used ({problem}): {why}; {}", .problem.help())]
    Bucket {
        /// Bucket and prefix.
        place: String,
        /// What is wrong.
        problem: BucketProblem,
        /// In the words of whoever answered.
        why: String,
    },
    /// The operating system refused.
    #[error("cannot use {place}: {source}")]
    Io {
        /// The path.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite failed in a way that has no name above.
    #[error("{place}: {source}; check the disk and try again")]
    Sqlite {
        /// The path.
        place: String,
        /// Why.
        source: rusqlite::Error,
    },
}

impl JournalError {
    /// Whether another process has the run, or has taken it.
    pub fn is_lease(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Fenced { .. } | Self::Expired { .. })
    }

    /// Whether what is stored is not to be trusted.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Foreign { .. })
    }

    /// Names what went wrong with an object.
    pub(crate) fn of_objects(place: &str, error: ObjectError) -> Self {
        let place = place.to_owned();
        let (problem, why) = match error {
            ObjectError::Failed(problem, why) => (problem, why),
            ObjectError::Unclear(why) => {
                let why = format!("it is not known whether a write took effect: {why}");
                (BucketProblem::Unreachable, why)
            }
            ObjectError::Taken => {
                let why = "others write the same object again and again".to_owned();
                (BucketProblem::Throttled, why)
            }
        };
        Self::Bucket { place, problem, why }
    }

    /// Names the failures of creating a file.
    pub(crate) fn of_create(place: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let place = place.to_owned();
        let kind = source.kind();
        if kind == Kind::AlreadyExists {
            Self::Exists { place }
        } else if matches!(kind, Kind::ReadOnlyFilesystem | Kind::PermissionDenied) {
            Self::ReadOnly { place }
        } else if kind == Kind::StorageFull {
            Self::DiskFull { place }
        } else {
            Self::Io { place, source }
        }
    }

    /// Names SQLite's failures that people can do something about.
    pub(crate) fn of_sqlite(place: &str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let place = place.to_owned();
        let code = source.sqlite_error_code();
        // It needs room for a file beside the journal, and says so in a way of its own.
        let extended = source.sqlite_error().map(|error| error.extended_code);
        let beside = extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        if code == Some(Code::DiskFull) || beside {
            Self::DiskFull { place }
        } else if code == Some(Code::ReadOnly) {
            Self::ReadOnly { place }
        } else if matches!(code, Some(Code::DatabaseBusy | Code::DatabaseLocked)) {
            Self::Locked { place }
        } else if code == Some(Code::NotADatabase) {
            Self::Foreign { place, why: "it is not an SQLite file".to_owned() }
        } else if code == Some(Code::DatabaseCorrupt) || is_foreign_shape(&source) {
            Self::Corrupt { place, seq: None, why: source.to_string() }
        } else {
            Self::Sqlite { place, source }
        }
    }
}

/// Whether a table or a value is not of the shape in which it was written.
fn is_foreign_shape(source: &rusqlite::Error) -> bool {
    matches!(
        source,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    ) || source.to_string().contains("no such table")
        || source.to_string().contains("no such column")
}
