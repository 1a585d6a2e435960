//! What drctl knows of a bucket's configuration: versions, copies, encryption, lifecycle, locks.
//!
//! **Invariant:** what nobody may read is [`Setting::Denied`], which is not known; only what S3 itself said
//! is not configured is [`Setting::Absent`].

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// One part of a bucket's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// As S3 said.
    Known(T),
    /// S3 said that there is none.
    Absent,
    /// S3 did not say: these credentials may not ask, or this server does not know the question. Holds the
    /// operation and what was answered.
    Denied {
        /// `s3:GetBucketReplication`.
        operation: &'static str,
        /// The code and words of the answer.
        why: String,
    },
}

impl<T> Setting<T> {
    /// The part, when it is known and there.
    pub fn known(&self) -> Option<&T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }

    /// Why it is not known, with the operation that was refused.
    pub fn denied(&self) -> Option<(&'static str, &str)> {
        if let Self::Denied { operation, why } = self { Some((operation, why)) } else { None }
    }
}

/// All that decides what becomes of a bucket's objects and of their copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// The bucket.
    pub bucket: String,
    /// Region that it was asked in.
    pub region: String,
    /// Whether versions are kept; absent when versioning was never turned on (S3 `GetBucketVersioning`).
    pub versioning: Setting<Versioning>,
    /// Where its objects are copied to (S3 `GetBucketReplication`).
    pub replication: Setting<ReplicationSettings>,
    /// How new objects are encrypted (S3 `GetBucketEncryption`).
    pub encryption: Setting<BucketEncryption>,
    /// What keeps strangers out whatever policies and lists say (S3 `GetPublicAccessBlock`).
    pub public_access: Setting<PublicAccess>,
    /// Whether its policy lets strangers in; absent without a policy (S3 `GetBucketPolicyStatus`).
    pub policy_is_public: Setting<bool>,
    /// What expires or moves by itself (S3 `GetBucketLifecycleConfiguration`).
    pub lifecycle: Setting<Vec<LifecycleRule>>,
    /// Whether versions can be locked (S3 `GetObjectLockConfiguration`).
    pub object_lock: Setting<ObjectLock>,
    /// `BucketOwnerEnforced` and the like (S3 `GetBucketOwnershipControls`).
    pub ownership: Setting<String>,
    /// Inventories of it (S3 `ListBucketInventoryConfigurations`).
    pub inventories: Setting<Vec<InventorySettings>>,
}

/// Whether versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Each write makes a version.
    Enabled,
    /// It was on: versions of then are there, and each write overwrites the version `null`.
    Suspended,
}

impl Versioning {
    /// S3's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

/// A replication configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationSettings {
    /// ARN of the role that S3 copies with; empty when the answer names none.
    pub role: String,
    /// Its rules, in S3's order.
    pub rules: Vec<ReplicationRule>,
}

/// One rule of a replication configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicationRule {
    /// Its id.
    pub id: String,
    /// Whether it is on.
    pub enabled: bool,
    /// The higher one wins where rules to one destination overlap; absent in rules of the first kind.
    pub priority: Option<i32>,
    /// Whether it is of the first kind, without a filter: those copy delete markers always.
    pub first_kind: bool,
    /// Keys that it is for.
    pub prefix: String,
    /// Tags that an object must have, all of them.
    pub tags: BTreeMap<String, String>,
    /// Name of the destination bucket, without the ARN around it.
    pub destination: String,
    /// Account that owns the destination, when the rule names it.
    pub account: Option<String>,
    /// Storage class of the copies; absent is that of the original.
    pub storage_class: Option<String>,
    /// Whether delete markers are copied.
    pub delete_markers: bool,
    /// Whether it says that objects from before it are copied (`ExistingObjectReplication`).
    pub existing_objects: bool,
    /// Whether objects encrypted with KMS are copied (`SseKmsEncryptedObjects`).
    pub kms_objects: bool,
    /// Whether changes of metadata are copied back (`ReplicaModifications`).
    pub replica_modifications: bool,
    /// Key that copies are encrypted with.
    pub replica_key: Option<String>,
    /// Whether the owner of the destination owns the copies.
    pub owner_override: bool,
    /// Minutes that Replication Time Control promises; absent when it is off.
    pub time_control: Option<i32>,
    /// Whether CloudWatch gets the rule's figures.
    pub metrics: bool,
}

impl ReplicationRule {
    /// Whether the rule selects a key, as far as its prefix and its tags tell (an object without tags).
    pub fn selects(&self, key: &str) -> bool {
        self.enabled && self.tags.is_empty() && key.starts_with(&self.prefix)
    }
}

/// Encryption that a bucket gives to new objects that name none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub algorithm: String,
    /// KMS key; absent is AWS's own key of S3.
    pub key: Option<String>,
    /// Whether a key of the bucket spares calls to KMS.
    pub bucket_key: bool,
}

impl BucketEncryption {
    /// Whether KMS has the key.
    pub fn is_kms(&self) -> bool {
        self.algorithm.starts_with("aws:kms")
    }
}

/// The four switches of a public access block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAccess {
    /// Public lists cannot be set.
    pub block_acls: bool,
    /// Public lists count for nothing.
    pub ignore_acls: bool,
    /// Public policies cannot be set.
    pub block_policy: bool,
    /// A public policy counts for nobody outside.
    pub restrict: bool,
}

impl PublicAccess {
    /// The switches that are off, by S3's names.
    pub fn open(&self) -> Vec<&'static str> {
        let all = [
            ("BlockPublicAcls", self.block_acls),
            ("IgnorePublicAcls", self.ignore_acls),
            ("BlockPublicPolicy", self.block_policy),
            ("RestrictPublicBuckets", self.restrict),
        ];
        all.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect()
    }
}

/// One rule of a lifecycle configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LifecycleRule {
    /// Its id.
    pub id: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Keys that it is for.
    pub prefix: String,
    /// Tags that an object must have, all of them.
    pub tags: BTreeMap<String, String>,
    /// Days after which the current version is deleted (becomes noncurrent where versions are kept).
    pub expire_days: Option<i32>,
    /// The same at a date.
    pub expire_at: Option<DateTime<Utc>>,
    /// Days after which a version that is no longer current is gone for good.
    pub noncurrent_days: Option<i32>,
    /// How many noncurrent versions are kept in spite of that.
    pub newer_noncurrent: Option<i32>,
    /// Moves to another storage class: days, class.
    pub transitions: Vec<(Option<i32>, String)>,
    /// The same for noncurrent versions.
    pub noncurrent_transitions: Vec<(Option<i32>, String)>,
}

/// Object Lock of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLock {
    /// Whether it is on.
    pub enabled: bool,
    /// `GOVERNANCE` or `COMPLIANCE`; absent when new versions are not locked by themselves.
    pub mode: Option<String>,
    /// How long, days.
    pub days: Option<i32>,
    /// How long, years.
    pub years: Option<i32>,
}

/// An inventory that S3 writes of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySettings {
    /// Its id.
    pub id: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Bucket that it is written to.
    pub bucket: String,
    /// Prefix there, without the source's name and the id that S3 adds.
    pub prefix: String,
    /// `CSV`, `ORC`, `Parquet`.
    pub format: String,
    /// `Current` or `All` versions.
    pub versions: String,
    /// `Daily` or `Weekly`.
    pub frequency: String,
    /// Columns beside bucket and key.
    pub fields: Vec<String>,
}

/// The newest figures that CloudWatch has of one rule (`AWS/S3`). An absent one is not known: S3 publishes
/// none while a rule is idle, and none without metrics.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReplicationFigures {
    /// Seconds that the destination is behind, at most (`ReplicationLatency`).
    pub latency: Option<MeasuredFigure>,
    /// Bytes that wait (`BytesPendingReplication`).
    pub pending_bytes: Option<MeasuredFigure>,
    /// Operations that wait (`OperationsPendingReplication`).
    pub pending_operations: Option<MeasuredFigure>,
    /// Operations that failed in the time looked back (`OperationsFailedReplication`, sum).
    pub failed: Option<MeasuredFigure>,
}

/// A figure and when it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredFigure {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::{PublicAccess, ReplicationRule, Setting};

    #[test]
    fn what_is_denied_is_not_absent() {
        let denied: Setting<u8> =
            Setting::Denied { operation: "s3:GetBucketVersioning", why: "AccessDenied".to_owned() };
        assert_eq!(denied.known(), None);
        assert_eq!(denied.denied(), Some(("s3:GetBucketVersioning", "AccessDenied")));
        assert_ne!(denied, Setting::Absent);
        assert_eq!(Setting::Known(1).known(), Some(&1));
    }

    #[test]
    fn open_switches_are_named() {
        let access = PublicAccess {
            block_acls: true,
            ignore_acls: false,
            block_policy: true,
            restrict: false,
        };
        assert_eq!(access.open(), ["IgnorePublicAcls", "RestrictPublicBuckets"]);
    }

    #[test]
    fn a_rule_that_is_off_or_wants_tags_selects_no_plain_key() {
        let rule = ReplicationRule {
            enabled: true,
            prefix: "a/".to_owned(),
            ..ReplicationRule::default()
        };
        assert!(rule.selects("a/1") && !rule.selects("b/1"));
        assert!(!ReplicationRule { enabled: false, ..rule.clone() }.selects("a/1"));
        let tags = [("copy".to_owned(), "yes".to_owned())].into();
        assert!(!ReplicationRule { tags, ..rule }.selects("a/1"));
    }
}
