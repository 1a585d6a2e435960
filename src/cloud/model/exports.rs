//! Exports of snapshots to S3.
//!
//! **Invariant:** an absent field means that AWS did not say.

use chrono::{DateTime, Utc};

/// An export of a snapshot (RDS `DescribeExportTasks`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotExport {
    /// `ExportTaskIdentifier`.
    pub id: String,
    /// ARN of the snapshot.
    pub source: String,
    /// Bucket that it goes to.
    pub bucket: String,
    /// Prefix of its keys.
    pub prefix: Option<String>,
    /// `STARTING`, `IN_PROGRESS`, `COMPLETE`, `FAILED`, `CANCELING`, `CANCELED`; an open set.
    pub status: String,
    /// When the snapshot was taken.
    pub snapshot_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it had ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub failure: Option<String>,
}
