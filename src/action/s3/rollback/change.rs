//! How a key stands, and what brings it back.
//!
//! **Invariant:** of all changes only the removal of delete markers takes an entry away.

use super::reason::Reason;
use crate::cloud::model::{Over, VersionEntry};

/// What a change counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An older version on top of a newer one.
    Restored,
    /// A key that is seen again.
    Undeleted,
    /// A delete marker on top of a key that was not there.
    Deleted,
}

impl Kind {
    /// Its word in reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Restored => "restore",
            Self::Undeleted => "undelete",
            Self::Deleted => "delete",
        }
    }
}

impl Kind {
    /// The word for what was done.
    pub(crate) fn past(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Undeleted => "undeleted",
            Self::Deleted => "deleted",
        }
    }
}

/// What brings a key back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The version on top again.
    Copy {
        /// The version.
        wanted: VersionEntry,
        /// What it replaces.
        over: Over,
    },
    /// Delete markers away, newest first, until the version is on top.
    RemoveMarkers {
        /// The version.
        wanted: VersionEntry,
        /// Version ids of the markers.
        markers: Vec<String>,
    },
    /// A delete marker on top of the version with this entity tag.
    Delete {
        /// The tag.
        etag: String,
    },
}

impl Change {
    /// What it counts as.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Copy { over: Over::Version(_), .. } => Kind::Restored,
            Self::Copy { over: Over::Nothing, .. } | Self::RemoveMarkers { .. } => Kind::Undeleted,
            Self::Delete { .. } => Kind::Deleted,
        }
    }

    /// Bytes that are copied.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Copy { wanted, .. } => wanted.object.as_ref().map_or(0, |facts| facts.size),
            Self::RemoveMarkers { .. } | Self::Delete { .. } => 0,
        }
    }

    /// The version that is to be seen.
    pub(crate) fn version(&self) -> Option<&str> {
        match self {
            Self::Copy { wanted, .. } | Self::RemoveMarkers { wanted, .. } => {
                Some(&wanted.version_id)
            }
            Self::Delete { .. } => None,
        }
    }
}

/// How a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As it was at the instant.
    AsWanted {
        /// What this run did for that, as far as the bucket shows, and bytes copied.
        by: Option<(Kind, u64)>,
    },
    /// Not so, and this brings it back.
    ToDo(Change),
    /// Somebody wrote it since the plan: it stays.
    Conflict,
    /// It cannot be brought back.
    Lost(Reason),
}
