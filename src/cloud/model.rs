//! What drctl knows of AWS resources: small structs of our own, so that no SDK type leaves `cloud`.
//!
//! **Invariant:** an absent field means that AWS did not say, never a default.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

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

/// Everything a point-in-time restore sets in the creating call, because a restore silently loses it
/// (RDS `RestoreDBInstanceToPointInTime`). `PubliclyAccessible=false` is always sent: there is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Source instance identifier.
    pub source: String,
    /// Name of the new instance.
    pub target: String,
    /// The instant to restore to; always explicit, so that an adopted instance's point is known.
    pub restore_time: DateTime<Utc>,
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
