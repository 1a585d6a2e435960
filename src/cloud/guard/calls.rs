//! The record of every call: made or refused, by whom, how often, with what end.
//!
//! **Invariant:** a record holds names and numbers, never a parameter, a header or a body.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Who made a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallSource {
    /// A service client.
    Service,
    /// A credential provider of the SDK.
    Credentials,
}

/// How the newest attempt of a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// It is under way, or it failed before a request could be sent (credentials, for example).
    Pending,
    /// Somebody answered with this HTTP status.
    Answered(u16),
    /// Nobody answered.
    Failed(String),
    /// The guard refused it: nothing was sent.
    Refused(String),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// `rds:DescribeDBInstances`; for credential calls `sts:AssumeRole`, or method and host.
    pub operation: String,
    /// Region it was made in; empty when unknown.
    pub region: String,
    /// Who made it.
    pub source: CallSource,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Requests that were sent for it; 0 when it was refused.
    pub attempts: u32,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// Requests by operation and region.
pub(crate) type Counts = BTreeMap<(String, String), u32>;

/// Every call of a session so far, in order; of very many the oldest as counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLog {
    records: Vec<CallRecord>,
    earlier: Counts,
}

impl CallLog {
    pub(crate) fn new(records: Vec<CallRecord>, earlier: Counts) -> Self {
        Self { records, earlier }
    }

    /// Requests of answered calls that are too old to be told one by one, by operation and region.
    pub fn earlier(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.earlier
            .iter()
            .map(|((operation, region), count)| (operation.as_str(), region.as_str(), *count))
    }

    /// Records in order.
    pub fn records(&self) -> &[CallRecord] {
        &self.records
    }

    /// Records of calls that the guard refused.
    pub fn refused(&self) -> impl Iterator<Item = &CallRecord> {
        self.records.iter().filter(|record| matches!(record.outcome, CallOutcome::Refused(_)))
    }

    /// How often each operation was sent, attempts counted one by one.
    pub fn sent(&self) -> BTreeMap<String, u32> {
        let mut sent = BTreeMap::new();
        for (operation, _, count) in self.earlier() {
            *sent.entry(operation.to_owned()).or_insert(0) += count;
        }
        for record in self.records.iter().filter(|record| record.attempts > 0) {
            *sent.entry(record.operation.clone()).or_insert(0) += record.attempts;
        }
        sent
    }
}
