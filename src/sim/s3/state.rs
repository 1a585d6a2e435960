//! What S3 keeps: buckets, and the versions of their objects.
//!
//! **Invariant:** an object is a list of versions, oldest first; in a bucket without versioning there is
//! one at most. An empty list stands for a generated object that is gone.

use crate::estate::Versioning;
use crate::sim::s3::generated::{Generated, Made};
use crate::sim::s3::multipart::Upload;
use crate::sim::s3::stored;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The version id of what was put while versions were not kept.
pub(super) const NULL: &str = "null";

/// The storage class of an object that says none.
pub(super) const STANDARD: &str = "STANDARD";

/// A bucket. Its name is its key in the world: names are global.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Bucket {
    pub(in crate::sim) region: String,
    pub(in crate::sim) created: DateTime<Utc>,
    /// Versions by key, oldest first.
    #[serde(default)]
    pub(in crate::sim) objects: BTreeMap<String, Vec<Version>>,
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub(in crate::sim) versioning: Versioning,
    /// Configuration as it was put: the query parameter that it goes by, and the document.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) config: BTreeMap<String, String>,
    /// Objects that are computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) generated: Option<Generated>,
    /// Multipart uploads that are under way, by their id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) uploads: BTreeMap<String, Upload>,
}

fn never() -> Versioning {
    Versioning::Never
}

fn is_never(versioning: &Versioning) -> bool {
    *versioning == Versioning::Never
}

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Version {
    pub(in crate::sim) modified: DateTime<Utc>,
    /// Quoted, as on the wire.
    pub(in crate::sim) etag: String,
    pub(in crate::sim) content_type: String,
    /// User metadata, under names without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) metadata: BTreeMap<String, String>,
    #[serde(serialize_with = "stored::write_bytes", deserialize_with = "stored::read_bytes")]
    pub(in crate::sim) body: Vec<u8>,
    /// Its id; empty for the one that is called `null`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::sim) id: String,
    /// Number of the request that made it: orders versions of one instant.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::sim) order: u64,
    /// Whether it is a delete marker.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::sim) marker: bool,
    /// Content that is computed; then there is no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) made: Option<Made>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) tags: BTreeMap<String, String>,
    /// What few versions have.
    #[serde(default, skip_serializing_if = "Extra::is_plain")]
    pub(in crate::sim) extra: Extra,
}

/// What few versions have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct Extra {
    /// Storage class; `None` is `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) class: Option<String>,
    /// `cache-control`, `content-encoding` and what else is given back as it came.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) headers: BTreeMap<String, String>,
    /// ARN of the key of `aws:kms`; `None` is `AES256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) kms_key: Option<String>,
    /// Checksum that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) checksum: Option<Checksum>,
    /// Retention of Object Lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) lock: Option<Retention>,
    /// Legal hold of Object Lock.
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::sim) hold: bool,
    /// Bytes of the parts of a multipart upload.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sim) parts: Vec<u64>,
    /// Replication by name of the destination.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) copies: BTreeMap<String, CopyState>,
    /// Whether replication put it here.
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::sim) replica: bool,
    /// A copy taken out of an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) restored: Option<Restored>,
}

/// A checksum, as the client gave it or asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Checksum {
    /// `CRC32`, `SHA256`, …
    pub(in crate::sim) algorithm: String,
    /// In base 64; of a composite one with `-` and the number of parts.
    pub(in crate::sim) value: String,
}

/// Until when a version is kept, and who may shorten that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub(in crate::sim) mode: String,
    pub(in crate::sim) until: DateTime<Utc>,
}

/// A copy taken out of an archive for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Restored {
    pub(in crate::sim) ready: DateTime<Utc>,
    pub(in crate::sim) until: DateTime<Utc>,
}

/// How the replication of a version to one destination stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::sim) enum CopyState {
    Pending,
    Completed,
    Failed,
}

impl Extra {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Bucket {
    /// An empty one that keeps no versions.
    pub(in crate::sim) fn new(region: &str, created: DateTime<Utc>) -> Self {
        let region = region.to_owned();
        Self { region, created, versioning: Versioning::Never, ..Self::default() }
    }

    /// Whether ids of versions are told.
    pub(super) fn is_versioned(&self) -> bool {
        self.versioning != Versioning::Never
    }

    /// All versions of a key, oldest first, computed ones included.
    pub(super) fn versions(&self, key: &str) -> Cow<'_, [Version]> {
        match self.objects.get(key) {
            Some(versions) => Cow::Borrowed(versions),
            None => {
                let made = self.generated.as_ref().and_then(|generated| generated.find(key));
                Cow::Owned(made.into_iter().collect())
            }
        }
    }

    /// The version that a read without a version id gets, unless it is a delete marker.
    pub(super) fn current(&self, key: &str) -> Option<Version> {
        self.versions(key).last().filter(|version| !version.marker).cloned()
    }

    /// All versions of a key, to change them: what is computed becomes stored.
    pub(super) fn versions_mut(&mut self, key: &str) -> &mut Vec<Version> {
        if !self.objects.contains_key(key) {
            let versions = self.versions(key).into_owned();
            self.objects.insert(key.to_owned(), versions);
        }
        self.objects.entry(key.to_owned()).or_default()
    }

    /// Forgets a key without versions, unless it stands for a computed one that is gone.
    pub(super) fn tidy(&mut self, key: &str) {
        let gone = self.objects.get(key).is_some_and(Vec::is_empty);
        let made = self.generated.as_ref().is_some_and(|generated| generated.find(key).is_some());
        if gone && !made {
            self.objects.remove(key);
        }
    }

    /// Puts a version in its place: by time, and by request within one instant.
    pub(in crate::sim) fn insert(&mut self, key: &str, version: Version) {
        let versioning = self.versioning;
        let versions = self.versions_mut(key);
        match versioning {
            Versioning::Never => versions.clear(),
            Versioning::Suspended => versions.retain(|other| !other.id.is_empty()),
            Versioning::Enabled => {}
        }
        let at = (version.modified, version.order);
        let place = versions.partition_point(|other| (other.modified, other.order) <= at);
        versions.insert(place, version);
    }
}

impl Version {
    /// An object that was put in one piece.
    pub(in crate::sim) fn new(body: Vec<u8>, modified: DateTime<Utc>) -> Self {
        let content_type = "binary/octet-stream".to_owned();
        Self { modified, etag: stored::etag(&body), content_type, body, ..Self::default() }
    }

    /// Its id as it is told.
    pub(super) fn id(&self) -> &str {
        if self.id.is_empty() { NULL } else { &self.id }
    }

    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        self.made.as_ref().map_or(self.body.len() as u64, |made| made.size)
    }

    /// As much content as it has, of no meaning: for lists, which tell only its size.
    pub(super) fn measure(&self) -> Made {
        Made { salt: 0, size: self.size() }
    }

    /// Some of its bytes, which must lie within it.
    pub(super) fn bytes(&self, from: u64, to: u64) -> Vec<u8> {
        match &self.made {
            Some(made) => made.bytes(from, to),
            None => self.body.get(from as usize..to as usize).unwrap_or_default().to_vec(),
        }
    }

    /// All of it.
    pub(super) fn content(&self) -> Vec<u8> {
        self.bytes(0, self.size())
    }

    /// Its storage class.
    pub(super) fn class(&self) -> &str {
        self.extra.class.as_deref().unwrap_or(STANDARD)
    }

    /// What `x-amz-replication-status` says; `None` for what no rule is about.
    pub(super) fn replication(&self) -> Option<&'static str> {
        let states = &self.extra.copies;
        let any = |state: CopyState| states.values().any(|other| *other == state);
        if self.extra.replica {
            Some("REPLICA")
        } else if any(CopyState::Failed) {
            Some("FAILED")
        } else if any(CopyState::Pending) {
            Some("PENDING")
        } else {
            (!states.is_empty()).then_some("COMPLETED")
        }
    }
}
