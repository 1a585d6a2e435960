//! What drctl knows of read replicas: how they follow their source, and what is asked of them.
//!
//! **Invariant:** a lag that AWS did not measure is absent, never zero.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a read replica's replication stands (RDS `StatusInfos` of the type `read replication`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// `replicating`, `error`, `stopped`, `terminated`; an open set.
    pub status: String,
    /// What AWS says of an error.
    pub message: Option<String>,
}

impl Replication {
    /// Whether it follows its source.
    pub fn is_active(&self) -> bool {
        self.status == "replicating"
    }
}

/// A read replica's lag as CloudWatch has it (metric `ReplicaLag` of `AWS/RDS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredLag {
    /// The minute it was measured in.
    pub at: DateTime<Utc>,
    /// How far behind its source; `None` where AWS measured -1: replication was not active.
    pub lag: Option<Duration>,
    /// The newest instant that some figure says it has everything until: once it has it, it keeps it,
    /// whatever becomes of replication.
    pub has_until: Option<DateTime<Utc>>,
}

/// A read replica to make an instance of its own (RDS `PromoteReadReplica`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionRequest {
    /// The read replica.
    pub instance: String,
    /// Days of automated backups from then on, at least 1: without it a promoted instance keeps one, and
    /// a later change has to wait for the promotion's end.
    pub backup_retention_days: u32,
}

/// A read replica to make (RDS `CreateDBInstanceReadReplica`), called in its own region.
/// `PubliclyAccessible=false` is always sent: there is no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaRequest {
    /// Identifier of a source in the same region, ARN of one elsewhere.
    pub source: String,
    /// Its name.
    pub target: String,
    /// Instance class; `None` is the source's.
    pub class: Option<String>,
    /// Key of its own region; needed when an encrypted source is in another one.
    pub kms_key: Option<String>,
    /// DB subnet group; `None` is the source's, in another region the default.
    pub subnet_group: Option<String>,
    /// Security groups; none is the VPC's default.
    pub security_groups: Vec<String>,
    /// DB parameter group.
    pub parameter_group: Option<String>,
    /// Standby in a second zone.
    pub multi_az: bool,
    /// Deletion protection.
    pub deletion_protection: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}
