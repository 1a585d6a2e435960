//! What drctl knows of canaries: small objects of its own by which it measures how long a copy takes.
//!
//! **Invariant:** a canary is known by its key, which names its run, and by what is written beside it.

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What the keys of canaries have in common.
pub const CANARIES: &str = "drctl-canary/";

/// Metadata that names the run.
pub const CANARY_RUN: &str = "drctl-run";

/// Metadata with the instant of the put, milliseconds since 1970 of drctl's clock.
pub const CANARY_PUT_AT: &str = "drctl-put-at";

/// What the keys of a run's canaries begin with, behind `prefix`.
pub fn canaries_of(prefix: &str, run: &RunId) -> String {
    format!("{prefix}{CANARIES}{run}/")
}

/// One entry of the history of a canary's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryEntry {
    /// The key.
    pub key: String,
    /// Its version id.
    pub version_id: String,
    /// Whether it is a delete marker.
    pub marker: bool,
}

/// A canary to be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryPut {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Whose it is: metadata beside the instant of the put.
    pub marks: BTreeMap<String, String>,
    /// Tags that a replication rule wants.
    pub tags: BTreeMap<String, String>,
}

/// A canary as it can be read now (S3 `GetObject`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Its version.
    pub version_id: Option<String>,
    /// Digest of its bytes.
    pub digest: Digest,
    /// `x-amz-replication-status`: `PENDING`, `COMPLETED`, `FAILED` of an original, `REPLICA` of a copy.
    pub status: Option<String>,
    /// What is written beside it.
    pub metadata: BTreeMap<String, String>,
    /// When its last byte was read here.
    pub read_at: DateTime<Utc>,
}

impl Canary {
    /// When it was put, by drctl's clock.
    pub fn put_at(&self) -> Option<DateTime<Utc>> {
        let millis = self.metadata.get(CANARY_PUT_AT)?.parse().ok()?;
        DateTime::from_timestamp_millis(millis)
    }
}
