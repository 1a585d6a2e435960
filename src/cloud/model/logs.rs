//! Log groups and their exports.
//!
//! **Invariant:** an export counts as completed only when CloudWatch Logs says so.

use chrono::{DateTime, Utc};

/// A log group (CloudWatch Logs `DescribeLogGroups`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroupFound {
    /// Its name.
    pub name: String,
    /// Bytes that it holds.
    pub stored_bytes: Option<i64>,
}

/// An export of a log group to S3 (CloudWatch Logs `DescribeExportTasks`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportTask {
    /// `taskId`.
    pub id: String,
    /// `taskName`, which its caller chose.
    pub name: Option<String>,
    /// The log group.
    pub group: String,
    /// Bucket that it writes to.
    pub bucket: String,
    /// What its objects' keys begin with, before its id.
    pub prefix: String,
    /// `PENDING`, `RUNNING`, `COMPLETED`, `FAILED`, …; an open set.
    pub status: String,
    /// Why, in AWS's words.
    pub message: String,
    /// When it was asked for.
    pub created_at: Option<DateTime<Utc>>,
    /// When it had completed.
    pub completed_at: Option<DateTime<Utc>>,
}

impl ExportTask {
    /// Whether it is under way: an account has one such at a time in a region.
    pub fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "PENDING_CANCEL" | "RUNNING")
    }

    /// `s3://bucket/prefix/id`.
    pub fn destination(&self) -> String {
        format!("s3://{}/{}/{}", self.bucket, self.prefix, self.id)
    }
}

/// What is to be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// `taskName`.
    pub name: String,
    /// The log group.
    pub group: String,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until before when.
    pub to: DateTime<Utc>,
    /// Bucket to write to.
    pub bucket: String,
    /// What keys begin with.
    pub prefix: String,
}
