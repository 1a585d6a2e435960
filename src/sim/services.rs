//! What the services beside RDS keep in a world.
//!
//! **Invariant:** everything here has a default, so that a world written before a service existed is
//! read as one where nobody had used it.

use crate::sim::s3::{Bucket, Rates, Replications};
use crate::sim::{cloudwatch, ec2, ecs, logs, route53};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The state of the services beside RDS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct Services {
    /// SNS topics by ARN.
    pub(in crate::sim) topics: BTreeMap<String, Topic>,
    /// What was published, oldest first.
    pub(in crate::sim) published: Vec<Published>,
    /// Keys that were created or changed, by ARN.
    pub(in crate::sim) keys: BTreeMap<String, KeyChange>,
    /// Aliases that were created: alias ARN to key ARN.
    pub(in crate::sim) aliases: BTreeMap<String, String>,
    /// Secrets that were changed, by home region and name.
    pub(in crate::sim) secrets: BTreeMap<String, SecretChanges>,
    /// Roles of other accounts by ARN, and what their trust policies ask for.
    pub(in crate::sim) trusts: BTreeMap<String, RoleTrust>,
    /// Names of roles that somebody assumed.
    pub(in crate::sim) roles: BTreeSet<String>,
    /// Metrics that were put, by region, namespace, name and dimensions.
    pub(in crate::sim) metrics: BTreeMap<String, Series>,
    /// CloudWatch's alarms.
    pub(in crate::sim) alarms: cloudwatch::Alarms,
    /// S3 buckets by name.
    pub(in crate::sim) buckets: BTreeMap<String, Bucket>,
    /// Copies between buckets that are to be made, and those that were.
    #[serde(skip_serializing_if = "Replications::is_empty")]
    pub(in crate::sim) replications: Replications,
    /// The last midnight at which rules of buckets acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) buckets_night: Option<DateTime<Utc>>,
    /// Requests of this second to buckets.
    #[serde(skip)]
    pub(in crate::sim) rates: Rates,
    /// Exports of snapshots that the estate says are made, by its name for them.
    pub(in crate::sim) exports: BTreeMap<String, ExportPlan>,
    /// ECS.
    pub(in crate::sim) ecs: ecs::State,
    /// Route 53.
    pub(in crate::sim) route53: route53::State,
    /// Security groups of EC2.
    pub(in crate::sim) ec2: ec2::State,
    /// CloudWatch Logs.
    pub(in crate::sim) logs: logs::State,
}

/// What a role's trust policy asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct RoleTrust {
    pub(in crate::sim) external_id: Option<String>,
    /// Keys of session tags that have to be given.
    pub(in crate::sim) session_tags: Vec<String>,
}

/// Snapshots of an instance that are exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct ExportPlan {
    pub(in crate::sim) region: String,
    pub(in crate::sim) instance: String,
    pub(in crate::sim) bucket: String,
    pub(in crate::sim) prefix: String,
    /// Seconds between two of them.
    pub(in crate::sim) seconds: i64,
}

/// What became of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct SecretChanges {
    /// Values that were put, oldest first.
    pub(in crate::sim) versions: Vec<PutVersion>,
    /// Regions with a replica, and since when.
    pub(in crate::sim) replicas: BTreeMap<String, DateTime<Utc>>,
    /// The versions that are current and previous, once a stage was moved; else the newest two are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) staged: Option<(String, String)>,
}

/// A value that was put. The simulated service has to keep it as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct PutVersion {
    pub(in crate::sim) id: String,
    pub(in crate::sim) at: DateTime<Utc>,
    pub(in crate::sim) text: String,
}

impl std::fmt::Debug for PutVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PutVersion({})", self.id)
    }
}

/// A metric that somebody put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Series {
    pub(in crate::sim) region: String,
    pub(in crate::sim) namespace: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) dimensions: BTreeMap<String, String>,
    /// In order of time; the newest ones.
    pub(in crate::sim) data: Vec<Datum>,
}

/// What was put for one second or minute, under one unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Datum {
    pub(in crate::sim) at: DateTime<Utc>,
    pub(in crate::sim) unit: String,
    /// Values, and how often each was put.
    pub(in crate::sim) values: Vec<(f64, f64)>,
    /// Statistic sets, put instead of values: count, sum, minimum, maximum.
    pub(in crate::sim) sets: Vec<[f64; 4]>,
}

/// An SNS topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Topic {
    /// Attributes set by its owner: `DisplayName`, `KmsMasterKeyId`, …
    pub(in crate::sim) attributes: BTreeMap<String, String>,
    /// Messages accepted so far: sequence numbers of a FIFO topic.
    pub(in crate::sim) accepted: u64,
    /// FIFO: what each deduplication id was answered with, and when it was first seen.
    pub(in crate::sim) recent: BTreeMap<String, Recent>,
}

/// A message of a FIFO topic that a repetition is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Recent {
    pub(in crate::sim) at: DateTime<Utc>,
    pub(in crate::sim) message_id: String,
    pub(in crate::sim) sequence: u64,
}

/// A message that a topic accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// `arn:aws:sns:us-east-1:123456789012:alerts`.
    pub topic: String,
    /// `MessageId` of the answer.
    pub message_id: String,
    /// `Subject`.
    pub subject: Option<String>,
    /// `Message`.
    pub message: String,
    /// Message attributes: name to value.
    pub attributes: BTreeMap<String, String>,
    /// `MessageGroupId`.
    pub group: Option<String>,
}

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion,
}

impl KeyState {
    /// As on the wire.
    pub(in crate::sim) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
        }
    }
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct KeyChange {
    /// When it was created; `None` for a key that the world began with.
    pub(in crate::sim) created: Option<DateTime<Utc>>,
    pub(in crate::sim) description: String,
    pub(in crate::sim) state: KeyState,
    /// When it will be gone.
    pub(in crate::sim) deletion: Option<DateTime<Utc>>,
}
