//! Versions and delete markers as a list tells them.
//!
//! **Invariant:** keys come in the order of their bytes, and of one key the newest version first, over all
//! pages.

use super::xml::{NOT_IN_ORDER, Unreadable, unreadable};
use chrono::{DateTime, TimeZone as _, Utc};

/// A version or a delete marker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// The key, relative to the prefix that was listed.
    pub key: String,
    /// Its id; `null` for one from before versioning.
    pub id: String,
    /// Whether it is what a reader gets who names no version.
    pub is_latest: bool,
    /// Whether it says that there is no object.
    pub is_delete_marker: bool,
    /// When it was written, milliseconds since 1970; S3 tells it to the second.
    pub modified_ms: i64,
    /// Its ETag without quotation marks; empty for a delete marker.
    pub etag: String,
    /// Bytes; 0 for a delete marker.
    pub size: u64,
    /// `STANDARD`, `GLACIER`, …; empty for a delete marker.
    pub storage_class: String,
}

impl Version {
    /// When it was written.
    pub fn modified(&self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.modified_ms).single().unwrap_or_default()
    }
}

/// One answer of `ListObjectVersions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers, in order.
    pub versions: Vec<Version>,
    /// Whether more follow.
    pub more: bool,
    /// Key (whole, with the prefix) and version that the next page begins after.
    pub(super) next: (String, String),
}

impl VersionPage {
    pub(super) fn push(&mut self, version: Version) -> Result<(), Unreadable> {
        if self.versions.last().is_some_and(|last| last.key > version.key) {
            return unreadable(NOT_IN_ORDER);
        }
        self.versions.push(version);
        Ok(())
    }
}
