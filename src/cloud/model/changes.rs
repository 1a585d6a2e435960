//! Changes of database instances and copies of snapshots.
//!
//! **Invariant:** neither public access nor encryption can be named here, so that nothing can turn the
//! one on or the other off.

use std::collections::BTreeMap;

/// What to change in an instance (RDS `ModifyDBInstance`); what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstanceChanges {
    /// The instance.
    pub instance: String,
    /// Instance class.
    pub class: Option<String>,
    /// Standby in a second zone.
    pub multi_az: Option<bool>,
    /// Days of automated backups, at least 1.
    pub backup_retention_days: Option<u32>,
    /// Deletion protection.
    pub deletion_protection: Option<bool>,
    /// Security groups, all of them.
    pub security_groups: Option<Vec<String>>,
    /// DB parameter group.
    pub parameter_group: Option<String>,
    /// At once, and not in the maintenance window.
    pub immediately: bool,
}

/// A snapshot to copy (RDS `CopyDBSnapshot`), called in the region that the copy will be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// ARN of the snapshot.
    pub source: String,
    /// Name of the copy.
    pub target: String,
    /// Key of the copy's region; needed when an encrypted one comes from another region.
    pub kms_key: Option<String>,
    /// Tags; none are copied.
    pub tags: BTreeMap<String, String>,
}
