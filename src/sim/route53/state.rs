//! What a simulated Route 53 keeps: zones in all the versions that resolvers may still see, changes,
//! health checks and what they found.
//!
//! **Invariant:** the last version of a zone is what the API shows; what is answered at an instant is the
//! last version that was in sync by then.

use super::names::sort_key;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long replaced versions of a zone are remembered: above any time to live that matters.
const REMEMBERED: TimeDelta = TimeDelta::days(2);

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {
    /// By id.
    pub(in crate::sim) zones: BTreeMap<String, Zone>,
    /// By id.
    pub(in crate::sim) changes: BTreeMap<String, Change>,
    /// By id.
    pub(in crate::sim) health_checks: BTreeMap<String, HealthCheck>,
    /// When the calls of the last second arrived.
    pub(in crate::sim) recent: Vec<DateTime<Utc>>,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Zone {
    pub(in crate::sim) id: String,
    /// Canonical.
    pub(in crate::sim) name: String,
    pub(in crate::sim) private: bool,
    /// In order of time; never empty.
    pub(in crate::sim) versions: Vec<Version>,
    /// Until when a change of it is being processed.
    pub(in crate::sim) busy_until: DateTime<Utc>,
}

/// All records of a zone after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Version {
    /// When every name server answers it.
    pub(in crate::sim) in_sync: DateTime<Utc>,
    /// In order.
    pub(in crate::sim) records: Vec<RecordSet>,
}

impl Zone {
    /// What the API shows.
    pub(in crate::sim) fn current(&self) -> &[RecordSet] {
        self.versions.last().map_or([].as_slice(), |version| version.records.as_slice())
    }

    /// What name servers answer at `at`.
    pub(in crate::sim) fn served(&self, at: DateTime<Utc>) -> &[RecordSet] {
        let found = self.versions.iter().rev().find(|version| version.in_sync <= at);
        let found = found.or_else(|| self.versions.first());
        found.map_or([].as_slice(), |version| version.records.as_slice())
    }

    /// Puts the records of a change in place, which is in sync not before those in front of it. Gives
    /// that instant.
    pub(in crate::sim) fn change(
        &mut self,
        mut records: Vec<RecordSet>,
        now: DateTime<Utc>,
        in_sync: DateTime<Utc>,
    ) -> DateTime<Utc> {
        records.sort_by_key(RecordSet::place);
        let before = self.versions.last().map_or(in_sync, |version| version.in_sync);
        let in_sync = in_sync.max(before);
        self.versions.push(Version { in_sync, records });
        while self.versions.len() > 1 && self.versions[1].in_sync < now - REMEMBERED {
            self.versions.remove(0);
        }
        in_sync
    }
}

/// A record set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct RecordSet {
    /// Canonical.
    pub(in crate::sim) name: String,
    /// `A`, `CNAME`, …
    pub(in crate::sim) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) set_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) weight: Option<u8>,
    /// Latency routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) region: Option<String>,
    /// `PRIMARY` or `SECONDARY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) failover: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) multi_value: Option<bool>,
    /// Seconds; an alias has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) ttl: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sim) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) alias: Option<Alias>,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) health_check: Option<String>,
}

/// Target of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Alias {
    pub(in crate::sim) zone: String,
    /// Canonical.
    pub(in crate::sim) name: String,
    pub(in crate::sim) evaluate: bool,
}

/// How the sets of one name and type share the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Policy {
    Simple,
    Weighted,
    Latency,
    Failover,
    MultiValue,
}

impl Policy {
    /// As in refusals.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Weighted => "weighted",
            Self::Latency => "latency",
            Self::Failover => "failover",
            Self::MultiValue => "multivalue answer",
        }
    }
}

impl RecordSet {
    /// What makes it this set and no other.
    pub(super) fn identity(&self) -> (&str, &str, Option<&str>) {
        (&self.name, &self.kind, self.set_identifier.as_deref())
    }

    /// Where it stands in a list.
    pub(super) fn place(&self) -> (Vec<u8>, String, Option<String>) {
        (sort_key(&self.name), self.kind.clone(), self.set_identifier.clone())
    }

    /// Its routing policy.
    pub(super) fn policy(&self) -> Policy {
        if self.weight.is_some() {
            Policy::Weighted
        } else if self.region.is_some() {
            Policy::Latency
        } else if self.failover.is_some() {
            Policy::Failover
        } else if self.multi_value.is_some() {
            Policy::MultiValue
        } else {
            Policy::Simple
        }
    }

    /// Whether it has exactly the other's content, values in any order.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let sorted = |set: &Self| {
            let mut set = set.clone();
            set.values.sort();
            set
        };
        sorted(self) == sorted(other)
    }
}

/// A change that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Change {
    pub(in crate::sim) id: String,
    pub(in crate::sim) submitted: DateTime<Utc>,
    pub(in crate::sim) in_sync: DateTime<Utc>,
    pub(in crate::sim) comment: Option<String>,
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct HealthCheck {
    pub(in crate::sim) id: String,
    /// `CallerReference`.
    pub(in crate::sim) reference: String,
    /// `HealthCheckVersion`, from 1.
    pub(in crate::sim) version: u64,
    pub(in crate::sim) config: HealthConfig,
    /// What it follows in the world.
    pub(in crate::sim) follows: Option<Follows>,
    /// What the last requests agreed on, and how many since said otherwise.
    pub(in crate::sim) observed: bool,
    pub(in crate::sim) otherwise: u32,
    /// The last request.
    pub(in crate::sim) checked: DateTime<Utc>,
    /// Its status from each instant on, in order of time.
    pub(in crate::sim) statuses: Vec<(DateTime<Utc>, bool)>,
}

/// `HealthCheckConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct HealthConfig {
    pub(in crate::sim) ip: Option<String>,
    pub(in crate::sim) port: Option<u32>,
    pub(in crate::sim) kind: String,
    pub(in crate::sim) path: Option<String>,
    pub(in crate::sim) host: Option<String>,
    pub(in crate::sim) search: Option<String>,
    /// Seconds.
    pub(in crate::sim) interval: u32,
    pub(in crate::sim) threshold: u32,
    pub(in crate::sim) latency: bool,
    pub(in crate::sim) inverted: bool,
    pub(in crate::sim) disabled: bool,
}

/// The part of the world that a health check looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Follows {
    pub(in crate::sim) region: String,
    pub(in crate::sim) cluster: String,
    pub(in crate::sim) service: String,
    /// Region and identifier of the instance that the service writes to.
    pub(in crate::sim) database: Option<(String, String)>,
}
