//! S3 buckets of an estate: facts about them, what the simulated world begins with, and what an environment
//! changes in them.
//!
//! **Invariant:** a bucket that loads could be made: its rules name buckets of the estate, and what S3
//! would refuse together is refused when the file is read.

mod check;
mod load;
mod objects;
mod rules;
mod shape;
#[cfg(test)]
mod tests;

pub(super) use check::check;
pub(super) use load::{changes, listed, read};
pub(super) use shape::{BUCKET, BUCKET_CHANGES};

use super::model::{Environment, Estate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Whether a bucket keeps versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// It keeps them.
    #[default]
    Enabled,
    /// It did once: what was kept stays, a new object has version id `null`.
    Suspended,
    /// It never did.
    Never,
}

impl Versioning {
    /// As files say it.
    pub const WORDS: &'static [&'static str] = &["enabled", "suspended", "never"];

    /// As files say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
            Self::Never => "never",
        }
    }
}

/// An S3 bucket of the estate, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name, unique in all of AWS.
    pub name: String,
    /// Region it lives in; `None` is the environment's region.
    pub region: Option<String>,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Default encryption: `AES256` or `aws:kms`.
    pub encryption: String,
    /// Alias or ARN of the key of `aws:kms`; `None` is AWS's own key.
    pub kms_key: Option<String>,
    /// Whether all four settings against public access are on.
    pub public_access_blocked: bool,
    /// Default retention of Object Lock; `None` is without Object Lock.
    pub object_lock: Option<ObjectLock>,
    /// Lifecycle rules.
    pub lifecycle: Vec<LifecycleRule>,
    /// Replication rules.
    pub replication: Vec<ReplicationRule>,
    /// Objects that its simulated world begins with; several of one key are versions of it.
    pub objects: Vec<BucketObject>,
    /// Objects of its simulated world that are computed and never stored.
    pub generated: Option<Generated>,
    /// S3 Inventory of it.
    pub inventory: Option<Inventory>,
}

/// Default retention of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLock {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Days that a new version is kept.
    pub days: u32,
}

/// One lifecycle rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Its id.
    pub id: String,
    /// Keys that it is about begin with this.
    pub prefix: String,
    /// Days after which a noncurrent version is removed.
    pub noncurrent_days: Option<u32>,
    /// Days after which an object moves to `transition_class`.
    pub glacier_after: Option<u32>,
    /// Days after which a current object is deleted.
    pub expire_after: Option<u32>,
    /// The class that it moves to.
    pub transition_class: String,
}

/// One replication rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationRule {
    /// Its id.
    pub id: String,
    /// The destination, by its key among the estate's buckets.
    pub to: String,
    /// Keys that it is about begin with this.
    pub prefix: String,
    /// Tags that an object must have, all of them.
    pub tags: BTreeMap<String, String>,
    /// Of two rules for one destination the higher one counts.
    pub priority: u32,
    /// Whether it is on.
    pub enabled: bool,
    /// Whether delete markers are replicated.
    pub delete_markers: bool,
    /// Whether objects from before the rule are replicated.
    pub existing_objects: bool,
    /// Storage class of replicas; `None` keeps the source's.
    pub storage_class: Option<String>,
    /// Whether objects encrypted with KMS are replicated.
    pub kms: bool,
    /// Key of the replicas.
    pub replica_kms_key: Option<String>,
    /// Whether replicas belong to the destination's owner.
    pub owner_override: bool,
    /// Replication Time Control: 15 minutes promised.
    pub time_control: bool,
    /// Whether CloudWatch gets metrics of it.
    pub metrics: bool,
}

/// What became of an object's replication when the world begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicated {
    /// It is at every destination.
    Completed,
    /// It has waited since it was put, and goes on waiting.
    Pending,
    /// It failed, for good.
    Failed,
    /// Nobody tried: it is from before the rules.
    None,
}

impl Replicated {
    /// As files say it.
    pub const WORDS: &'static [&'static str] = &["completed", "pending", "failed", "none"];
}

/// An object, or one version of it, that a simulated world begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketObject {
    /// Its key.
    pub key: String,
    /// What is in it.
    pub content: ObjectContent,
    /// How long before the world begins it was put.
    pub age: Duration,
    /// What became of its replication; `None` is what the bucket's rules would have made of it.
    pub replicated: Option<Replicated>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// `STANDARD`, `GLACIER`, …
    pub storage_class: String,
}

/// What is in an object that a world begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectContent {
    /// This text.
    Text(String),
    /// So many bytes that are computed and never stored.
    Bytes(u64),
    /// Nothing: it is a delete marker.
    Deleted,
}

/// Objects that are computed from a seed: a world with millions of them begins at once and stays small.
/// Their keys are the prefix and a number with leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// How many there are.
    pub keys: u64,
    /// What all keys begin with.
    pub prefix: String,
    /// Bytes of each.
    pub size: u64,
    /// The bucket, by its key in the estate, whose generated objects these are replicas of.
    pub mirror_of: Option<String>,
    /// How a mirror differs from its original.
    pub differs: Differs,
}

/// How many generated objects of a mirror are not as in its original; which ones, the seed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differs {
    /// Not there.
    pub missing: u64,
    /// There with other content of the same size.
    pub changed: u64,
    /// There and not in the original.
    pub extra: u64,
}

/// S3 Inventory of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Its id.
    pub id: String,
    /// Where it is written, by its key among the estate's buckets.
    pub to: String,
    /// What the keys of its files begin with.
    pub prefix: String,
    /// `CSV`, `Parquet` or `ORC`; a simulated world writes CSV only.
    pub format: String,
    /// Whether it lists all versions; else the current ones.
    pub all_versions: bool,
}

/// What an environment changes in a bucket of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another region.
    pub region: Option<String>,
    /// Another versioning.
    pub versioning: Option<Versioning>,
    /// Another default encryption.
    pub encryption: Option<String>,
    /// Another key.
    pub kms_key: Option<String>,
    /// With or without the settings against public access.
    pub public_access_blocked: Option<bool>,
}

impl BucketChanges {
    fn apply(self, bucket: &mut Bucket) {
        if let Some(name) = self.name {
            bucket.name = name;
        }
        if let Some(encryption) = self.encryption {
            // A key of the estate's own says nothing about another kind of encryption.
            bucket.kms_key = bucket.kms_key.take().filter(|_| encryption == load::KMS);
            bucket.encryption = encryption;
        }
        bucket.region = self.region.or_else(|| bucket.region.take());
        bucket.kms_key = self.kms_key.or_else(|| bucket.kms_key.take());
        bucket.versioning = self.versioning.unwrap_or(bucket.versioning);
        bucket.public_access_blocked =
            self.public_access_blocked.unwrap_or(bucket.public_access_blocked);
    }
}

impl Bucket {
    /// `arn:aws:s3:::name`.
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name)
    }
}

impl Estate {
    /// The bucket as it is in one environment, its region filled in.
    pub fn bucket_in(&self, key: &str, environment: &Environment) -> Option<Bucket> {
        let mut found = self.buckets.get(key)?.clone();
        if let Some(changes) = environment.buckets.get(key) {
            changes.clone().apply(&mut found);
        }
        found.region.get_or_insert_with(|| environment.region.clone());
        Some(found)
    }
}
