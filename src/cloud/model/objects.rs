//! What drctl knows of objects in buckets: entries of a key's history, and all that a version carries.
//!
//! **Invariant:** an absent field means that S3 did not say; a delete marker is never a version.

use super::{LifecycleRule, ObjectLock, ReplicationSettings, Setting, Versioning};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What a bucket keeps of its objects' past, and what it does with every new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketKeeping {
    /// Whether versions are kept; absent when versioning was never turned on.
    pub versioning: Setting<Versioning>,
    /// Where its objects are copied to.
    pub replication: Setting<ReplicationSettings>,
    /// What expires or moves by itself.
    pub lifecycle: Setting<Vec<LifecycleRule>>,
    /// Whether versions can be locked.
    pub object_lock: Setting<ObjectLock>,
    /// `BucketOwnerEnforced` and the like.
    pub ownership: Setting<String>,
}

/// The version id of what was written while a bucket kept no versions: each such write replaces it.
pub const NULL_VERSION: &str = "null";

/// One entry of a key's history (S3 `ListObjectVersions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEntry {
    /// The key.
    pub key: String,
    /// Its version id, [`NULL_VERSION`] for what was written without one.
    pub version_id: String,
    /// Whether it is the current one.
    pub latest: bool,
    /// When it was written; S3 tells whole seconds.
    pub modified: DateTime<Utc>,
    /// What it holds; `None` is a delete marker.
    pub object: Option<VersionFacts>,
}

/// What a listing tells of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFacts {
    /// Entity tag, quoted as S3 sends it.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// Storage class: `STANDARD`.
    pub storage_class: String,
}

/// A page of histories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionPage {
    /// Entries: keys in the order of their bytes, each key's newest first.
    pub entries: Vec<VersionEntry>,
    /// Where the next page begins; `None` is the end.
    pub next: Option<PageMark>,
}

/// Where a page of histories begins: after this entry, or after all of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark {
    /// The key.
    pub key: String,
    /// The version; `None` is after the whole key.
    pub version_id: Option<String>,
}

/// All that a version carries but its bytes (S3 `HeadObject`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectHead {
    /// Its version id.
    pub version_id: Option<String>,
    /// Entity tag, quoted.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// `content-type` and its like, by header name; `expires` as it was set.
    pub headers: BTreeMap<&'static str, String>,
    /// What its owner wrote beside it, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// How many tags it has.
    pub tags: u32,
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub encryption: Option<String>,
    /// Its KMS key.
    pub kms_key: Option<String>,
    /// Whether a key of the bucket spares calls to KMS.
    pub bucket_key: Option<bool>,
    /// Whether it is encrypted with a key that only its owner has (SSE-C).
    pub customer_key: bool,
    /// Storage class; `None` is `STANDARD`.
    pub storage_class: Option<String>,
    /// Whether a copy of an archived object is readable now; `None` when none was asked for.
    pub restored: Option<bool>,
    /// Whether it lies in an archive tier of `INTELLIGENT_TIERING`.
    pub archived_tier: bool,
    /// Object Lock: mode and until when.
    pub retention: Option<(String, DateTime<Utc>)>,
    /// Object Lock: whether it is held.
    pub legal_hold: bool,
    /// A checksum of the whole object: algorithm and value.
    pub checksum: Option<(&'static str, String)>,
}

/// Storage classes whose objects have to be restored before they can be read.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Whether objects of a storage class have to be restored before they can be read.
pub fn is_archive(storage_class: &str) -> bool {
    ARCHIVES.contains(&storage_class)
}

impl ObjectHead {
    /// Whether it cannot be read as it is.
    pub fn is_out_of_reach(&self) -> bool {
        let archived = self.storage_class.as_deref().is_some_and(is_archive) || self.archived_tier;
        archived && self.restored != Some(true)
    }

    /// Whether its entity tag is the digest of its bytes: written at once, and not encrypted by KMS.
    fn tag_is_digest(&self) -> bool {
        let encryption = self.encryption.as_deref();
        let simple = encryption.is_none_or(|kind| kind == "AES256") && !self.customer_key;
        simple && !self.etag.contains('-')
    }

    /// Whether two versions hold the same; `None` where nothing that S3 tells decides it.
    pub fn same_bytes(&self, other: &Self) -> Option<bool> {
        if self.size != other.size {
            return Some(false);
        }
        if self.etag == other.etag && !self.etag.is_empty() {
            return Some(true);
        }
        if let (Some((kind, one)), Some((other_kind, two))) = (&self.checksum, &other.checksum)
            && kind == other_kind
        {
            return Some(one == two);
        }
        (self.tag_is_digest() && other.tag_is_digest()).then_some(false)
    }

    /// Whether two versions have the same headers and metadata.
    pub fn same_beside(&self, other: &Self) -> bool {
        self.headers == other.headers && self.metadata == other.metadata && self.tags == other.tags
    }
}

/// What must be on top of a key for a write to replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// The version with this entity tag.
    Version(String),
    /// A delete marker, or nothing.
    Nothing,
}

/// A copy of a version on top of its own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCopy {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version that is copied.
    pub version_id: String,
    /// What it replaces.
    pub over: Over,
    /// What the version carries, read from it.
    pub head: ObjectHead,
}

#[cfg(test)]
mod tests {
    use super::ObjectHead;

    fn head(etag: &str) -> ObjectHead {
        ObjectHead { etag: etag.to_owned(), size: 3, ..ObjectHead::default() }
    }

    fn kms(etag: &str) -> ObjectHead {
        ObjectHead { encryption: Some("aws:kms".to_owned()), ..head(etag) }
    }

    #[test]
    fn tags_say_what_is_the_same_only_where_they_are_digests() {
        assert_eq!(head("\"a\"").same_bytes(&head("\"a\"")), Some(true));
        assert_eq!(head("\"a\"").same_bytes(&head("\"b\"")), Some(false));
        assert_eq!(head("\"a-2\"").same_bytes(&head("\"b\"")), None);
        assert_eq!(kms("\"a\"").same_bytes(&kms("\"b\"")), None);
        assert_eq!(kms("\"a\"").same_bytes(&kms("\"a\"")), Some(true));
        let longer = ObjectHead { size: 4, ..kms("\"b\"") };
        assert_eq!(kms("\"a\"").same_bytes(&longer), Some(false));
        assert_eq!(head("").same_bytes(&kms("")), None, "no tag is no evidence");
    }

    #[test]
    fn checksums_decide_where_tags_cannot() {
        let summed = |etag: &str, sum: &str| ObjectHead {
            checksum: Some(("crc64nvme", sum.to_owned())),
            ..kms(etag)
        };
        assert_eq!(summed("\"a\"", "x").same_bytes(&summed("\"b\"", "x")), Some(true));
        assert_eq!(summed("\"a\"", "x").same_bytes(&summed("\"b\"", "y")), Some(false));
        assert_eq!(summed("\"a\"", "x").same_bytes(&kms("\"b\"")), None);
    }

    #[test]
    fn archives_are_out_of_reach_until_they_are_restored() {
        let of = |class: &str, restored| ObjectHead {
            storage_class: Some(class.to_owned()),
            restored,
            ..head("\"a\"")
        };
        assert!(of("GLACIER", None).is_out_of_reach());
        assert!(of("DEEP_ARCHIVE", Some(false)).is_out_of_reach());
        assert!(!of("GLACIER", Some(true)).is_out_of_reach());
        assert!(!of("GLACIER_IR", None).is_out_of_reach());
        assert!(!head("\"a\"").is_out_of_reach());
        let tiered = ObjectHead { archived_tier: true, ..of("INTELLIGENT_TIERING", None) };
        assert!(tiered.is_out_of_reach());
    }
}
