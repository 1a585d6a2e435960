//! What drctl knows of AWS resources: small structs of our own, so that no SDK type leaves `cloud`.
//!
//! **Invariant:** an absent field means that AWS did not say, never a default.

mod alarm;

pub use alarm::{AlarmFacts, AlarmState};

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

mod buckets;
mod canary;
mod changes;
mod ecs;
mod exports;
mod logs;
mod objects;
mod replicas;
mod security_groups;
pub use buckets::{
    BucketEncryption, BucketSettings, InventorySettings, LifecycleRule, MeasuredFigure, ObjectLock,
    PublicAccess, ReplicationFigures, ReplicationRule, ReplicationSettings, Setting, Versioning,
};
pub use canary::{
    CANARIES, CANARY_PUT_AT, CANARY_RUN, Canary, CanaryEntry, CanaryPut, canaries_of,
};
pub use changes::{CopyRequest, InstanceChanges};
pub use ecs::{
    EcsDeployment, EcsEvent, EcsService, EcsTask, Rollout, TaskDefinition, definition_name,
    family_and_revision,
};
pub use exports::SnapshotExport;
pub use logs::{ExportRequest, ExportTask, LogGroupFound};
pub use objects::{
    BucketKeeping, NULL_VERSION, ObjectHead, Over, PageMark, VersionCopy, VersionEntry,
    VersionFacts, VersionPage, is_archive,
};
pub use replicas::{MeasuredLag, PromotionRequest, ReplicaRequest, Replication};
pub use security_groups::{IngressRule, RuleSource, SecurityGroup};

/// Who the credentials belong to (STS `GetCallerIdentity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// Twelve-digit account id.
    pub account: String,
    /// ARN of the user or role session.
    pub arn: String,
}

/// A database instance (RDS `DescribeDBInstances`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DbInstance {
    /// `DBInstanceIdentifier`, lower case.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// `DbiResourceId`: stays with the instance for its life, also through renames.
    pub resource_id: String,
    /// Status as AWS says it; an open set.
    pub status: String,
    /// Instance class.
    pub class: String,
    /// Engine.
    pub engine: String,
    /// Engine version.
    pub engine_version: String,
    /// Allocated storage, GiB.
    pub storage_gib: i32,
    /// Storage type.
    pub storage_type: Option<String>,
    /// Whether the storage is encrypted.
    pub storage_encrypted: bool,
    /// ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// Whether it has a standby in a second zone.
    pub multi_az: bool,
    /// Whether it has a public address; `None` when the answer does not say.
    pub publicly_accessible: Option<bool>,
    /// Whether it is protected from deletion.
    pub deletion_protection: bool,
    /// Days of automated backups; 0 means that there are none.
    pub backup_retention_days: i32,
    /// Newest instant that a point-in-time restore can reach.
    pub latest_restorable_time: Option<DateTime<Utc>>,
    /// When it was created; set late by a restore.
    pub created_at: Option<DateTime<Utc>>,
    /// Host name and port; absent while it is being created.
    pub endpoint: Option<Endpoint>,
    /// Availability zone.
    pub availability_zone: Option<String>,
    /// DB subnet group.
    pub subnet_group: Option<String>,
    /// VPC security group ids.
    pub security_groups: Vec<String>,
    /// Parameter groups with their apply status.
    pub parameter_groups: Vec<(String, String)>,
    /// Option groups.
    pub option_groups: Vec<String>,
    /// Exported logs.
    pub log_exports: Vec<String>,
    /// Source instance, when this is a read replica.
    pub replica_source: Option<String>,
    /// Read replicas of this instance.
    pub replicas: Vec<String>,
    /// How its replication stands, when AWS says so of a read replica.
    pub replication: Option<Replication>,
    /// What the storage is doing, for example loading blocks after a restore.
    pub storage_operation: Option<StorageOperation>,
    /// IAM database authentication.
    pub iam_authentication: bool,
    /// Copy tags to snapshots.
    pub copy_tags_to_snapshot: bool,
    /// Master user name.
    pub master_user: Option<String>,
    /// Initial database name.
    pub database: Option<String>,
    /// Whether RDS manages the master password in Secrets Manager.
    pub managed_master_secret: bool,
    /// Enhanced monitoring interval, seconds; 0 is off.
    pub monitoring_interval: i32,
    /// Performance Insights.
    pub performance_insights: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl DbInstance {
    /// Whether queries can be served in this status (storage optimisation and backups included).
    pub fn is_usable(&self) -> bool {
        matches!(self.status.as_str(), "available" | "backing-up" | "storage-optimization")
            || self.status.starts_with("configuring-")
    }

    /// Whether this status never becomes usable by waiting.
    pub fn is_broken(&self) -> bool {
        self.status.starts_with("incompatible-")
            || matches!(
                self.status.as_str(),
                "failed"
                    | "restore-error"
                    | "insufficient-capacity"
                    | "inaccessible-encryption-credentials"
                    | "storage-full"
            )
    }
}

/// Where an instance listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// `StorageOperationStatus` and its percentage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageOperation {
    /// `Initializing` while blocks are loaded from backup storage.
    pub status: String,
    /// Progress, percent.
    pub percent: Option<i32>,
}

/// Automated backups of an instance (RDS `DescribeDBInstanceAutomatedBackups`).
#[derive(Debug, Clone, PartialEq)]
pub struct AutomatedBackup {
    /// Instance they belong to.
    pub instance: String,
    /// Its resource id.
    pub resource_id: String,
    /// `active`, `retained`, `creating`.
    pub status: String,
    /// Oldest instant that a restore can reach.
    pub earliest: Option<DateTime<Utc>>,
    /// Newest instant that a restore can reach.
    pub latest: Option<DateTime<Utc>>,
    /// Whether they are encrypted.
    pub encrypted: bool,
}

/// An event of RDS (`DescribeEvents`); AWS gives no id.
#[derive(Debug, Clone, PartialEq)]
pub struct DbEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Instance or snapshot.
    pub source: String,
    /// Text.
    pub message: String,
    /// Categories.
    pub categories: Vec<String>,
}

/// One version of a secret, without its value (Secrets Manager `ListSecretVersionIds`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// Version id.
    pub id: String,
    /// Stages such as `AWSCURRENT`.
    pub stages: Vec<String>,
}

/// A snapshot of a database instance (RDS `DescribeDBSnapshots`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DbSnapshot {
    /// `DBSnapshotIdentifier`, lower case; automated ones begin with `rds:`.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Instance it was taken of, lower case; a copy in another region keeps it.
    pub instance: String,
    /// `DbiResourceId` of that instance.
    pub resource_id: String,
    /// `automated`, `manual`, `awsbackup`, `shared`, `public`.
    pub kind: String,
    /// Status as AWS says it: `creating`, `available`, `failed`; an open set.
    pub status: String,
    /// Progress while it is being made, percent.
    pub percent: Option<i32>,
    /// When it was taken, for a copy when it was copied; absent while it is being made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the first of its line was taken: stays the same in copies.
    pub original_created_at: Option<DateTime<Utc>>,
    /// Newest transaction in it; of a read replica's snapshot this lags.
    pub database_time: Option<DateTime<Utc>>,
    /// Engine.
    pub engine: String,
    /// Engine version.
    pub engine_version: String,
    /// Allocated storage, GiB.
    pub storage_gib: i32,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// Master user name.
    pub master_user: Option<String>,
    /// Days of automated backups that its instance had.
    pub retention_days: Option<i32>,
    /// IAM database authentication.
    pub iam_authentication: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl DbSnapshot {
    /// The instant that its data is of, as far as AWS says it.
    pub fn data_at(&self) -> Option<DateTime<Utc>> {
        self.database_time.or(self.original_created_at).or(self.created_at)
    }

    /// Whether it can be restored from.
    pub fn is_available(&self) -> bool {
        self.status == "available"
    }

    /// Whether waiting never makes it available.
    pub fn is_broken(&self) -> bool {
        self.status == "failed" || self.status.starts_with("incompatible-")
    }
}

/// A snapshot to take (RDS `CreateDBSnapshot`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Instance to take it of.
    pub instance: String,
    /// Its name.
    pub snapshot: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A KMS key (KMS `DescribeKey`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    /// ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`; an open set.
    pub state: String,
    /// When it will be deleted, if that is pending.
    pub deletion_at: Option<DateTime<Utc>>,
}

impl KmsKey {
    /// Whether data can be decrypted with it. `Updating` changes only which region is primary.
    pub fn is_usable(&self) -> bool {
        matches!(self.state.as_str(), "Enabled" | "Updating")
    }
}

/// Where a restore takes its data from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreSource {
    /// The automated backups of an instance (RDS `RestoreDBInstanceToPointInTime`).
    Instant {
        /// The instance.
        instance: String,
        /// The instant; always explicit, so that an adopted instance's point is known.
        at: DateTime<Utc>,
    },
    /// A snapshot of an instance (RDS `RestoreDBInstanceFromDBSnapshot`).
    Snapshot {
        /// The instance it was taken of.
        instance: String,
        /// Identifier, or ARN of a shared one.
        snapshot: String,
    },
}

impl RestoreSource {
    /// The instance that the data is of.
    pub fn instance(&self) -> &str {
        match self {
            Self::Instant { instance, .. } | Self::Snapshot { instance, .. } => instance,
        }
    }
}

/// Everything a restore sets in the creating call, because it is silently lost otherwise.
/// `PubliclyAccessible=false` is always sent: there is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Where the data comes from.
    pub from: RestoreSource,
    /// Name of the new instance.
    pub target: String,
    /// Instance class; `None` is the source's.
    pub class: Option<String>,
    /// DB subnet group.
    pub subnet_group: Option<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// DB parameter group.
    pub parameter_group: Option<String>,
    /// Option group.
    pub option_group: Option<String>,
    /// Standby in a second zone.
    pub multi_az: bool,
    /// Deletion protection.
    pub deletion_protection: bool,
    /// Log exports.
    pub log_exports: Vec<String>,
    /// IAM database authentication.
    pub iam_authentication: bool,
    /// Copy tags to snapshots.
    pub copy_tags_to_snapshot: bool,
    /// Tags; they replace the source's.
    pub tags: BTreeMap<String, String>,
}

/// A message to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// ARN of the topic.
    pub topic: String,
    /// Subject of e-mails.
    pub subject: Option<String>,
    /// The message.
    pub message: String,
    /// Attributes for filter policies.
    pub attributes: BTreeMap<String, String>,
    /// What a repetition is known by: a FIFO topic takes it once. Others take no such token.
    pub token: String,
}
