//! What a simulated world is made of.
//!
//! **Invariant:** everything here survives serialisation unchanged, and everything that happens
//! later is already written down with its instant: a status, an event or a change is a function of
//! time.

use crate::sim::faults::Fault;
use crate::sim::services::Services;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the world file.
pub(in crate::sim) const WORLD_VERSION: u64 = 1;

/// A simulated AWS account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct World {
    pub(in crate::sim) version: u64,
    pub(in crate::sim) seed: u64,
    pub(in crate::sim) estate: String,
    pub(in crate::sim) account: String,
    /// Latest instant seen.
    pub(in crate::sim) time: DateTime<Utc>,
    /// Requests answered so far; names the random streams of each.
    pub(in crate::sim) requests: u64,
    /// Mutations so far; the log has exactly as many lines.
    pub(in crate::sim) mutations: u64,
    pub(in crate::sim) regions: BTreeMap<String, Region>,
    pub(in crate::sim) faults: Vec<Fault>,
    /// Sessions of assumed roles by access key id.
    pub(in crate::sim) sessions: BTreeMap<String, Session>,
    /// Estate databases that this world already has.
    pub(in crate::sim) origins: BTreeSet<String>,
    /// What the services beside RDS keep.
    #[serde(default)]
    pub(in crate::sim) services: Services,
}

/// A session of an assumed role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Session {
    pub(in crate::sim) arn: String,
    pub(in crate::sim) expires: DateTime<Utc>,
    /// A session policy narrowed it to reading.
    pub(in crate::sim) read_only: bool,
    /// Names of actions that its inline policy denies, such as `secretsmanager:GetSecretValue`.
    pub(in crate::sim) denied: BTreeSet<String>,
}

/// One region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Region {
    /// By identifier, lower case.
    pub(in crate::sim) instances: BTreeMap<String, Slot<Instance>>,
    /// Manual snapshots by identifier.
    pub(in crate::sim) snapshots: BTreeMap<String, Slot<Snapshot>>,
    /// Deleted instances whose automated backups were kept, by resource id.
    pub(in crate::sim) retained: BTreeMap<String, Retained>,
    pub(in crate::sim) events: Vec<Event>,
    /// How often each identifier was created.
    pub(in crate::sim) generations: BTreeMap<String, u32>,
    /// Subnet groups and the VPC each is in.
    pub(in crate::sim) subnet_groups: BTreeMap<String, String>,
    /// Security groups of the estate and the VPC each is in.
    pub(in crate::sim) security_groups: BTreeMap<String, String>,
    pub(in crate::sim) parameter_groups: BTreeSet<String>,
}

/// A resource, and what reads still show of it for a moment after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Slot<T> {
    pub(in crate::sim) current: Option<T>,
    pub(in crate::sim) before: Option<T>,
    /// Reads show `before` until this instant.
    pub(in crate::sim) stale_until: DateTime<Utc>,
}

impl<T: Clone> Slot<T> {
    /// A resource that every read shows.
    pub(in crate::sim) fn settled(current: T) -> Self {
        Self { current: Some(current), before: None, stale_until: DateTime::UNIX_EPOCH }
    }

    /// A slot for something that does not exist yet.
    pub(in crate::sim) fn empty() -> Self {
        Self { current: None, before: None, stale_until: DateTime::UNIX_EPOCH }
    }

    /// What a read at `now` shows.
    pub(in crate::sim) fn seen(&self, now: DateTime<Utc>) -> Option<&T> {
        if now < self.stale_until { self.before.as_ref() } else { self.current.as_ref() }
    }

    /// Puts `next` in place; reads show the old state until `stale_until`.
    pub(in crate::sim) fn replace(
        &mut self,
        next: Option<T>,
        now: DateTime<Utc>,
        stale_until: DateTime<Utc>,
    ) {
        if now >= self.stale_until {
            self.before = self.current.clone();
        }
        self.current = next;
        self.stale_until = stale_until;
    }
}

/// `DBInstanceStatus`, and the state of no longer being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Status {
    Creating,
    BackingUp,
    Modifying,
    ResettingMasterCredentials,
    Available,
    Deleting,
    IncompatibleRestore,
    /// Deleted: no read shows it.
    Gone,
}

impl Status {
    /// As on the wire.
    pub(in crate::sim) fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::BackingUp => "backing-up",
            Self::Modifying => "modifying",
            Self::ResettingMasterCredentials => "resetting-master-credentials",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::IncompatibleRestore => "incompatible-restore",
            Self::Gone => "gone",
        }
    }

    /// Whether the database answers SQL.
    pub(in crate::sim) fn answers(self) -> bool {
        match self {
            Self::BackingUp
            | Self::Modifying
            | Self::ResettingMasterCredentials
            | Self::Available => true,
            Self::Creating | Self::Deleting | Self::IncompatibleRestore | Self::Gone => false,
        }
    }
}

/// From when an instance has a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Phase {
    pub(in crate::sim) from: DateTime<Utc>,
    pub(in crate::sim) status: Status,
}

/// What a planted wrong restore does to the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Wrong {
    /// An hour older than asked for.
    Stale,
    /// The first table has no rows.
    EmptyTable,
    /// The application's tables are missing.
    MissingSchema,
    /// Another database's data.
    OtherDatabase,
}

/// Which data an instance holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Data {
    /// Name of the estate's database that wrote it.
    pub(in crate::sim) origin: String,
    /// Data as of this instant; `None` is live.
    pub(in crate::sim) point: Option<DateTime<Utc>>,
    pub(in crate::sim) wrong: Option<Wrong>,
}

/// Settings that `ModifyDBInstance` changes and a restore keeps or loses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Settings {
    pub(in crate::sim) class: String,
    pub(in crate::sim) storage_gib: u32,
    pub(in crate::sim) storage_type: String,
    pub(in crate::sim) iops: Option<u32>,
    pub(in crate::sim) multi_az: bool,
    pub(in crate::sim) retention_days: u32,
    pub(in crate::sim) backup_window: String,
    pub(in crate::sim) deletion_protection: bool,
    pub(in crate::sim) publicly_accessible: bool,
    pub(in crate::sim) subnet_group: String,
    pub(in crate::sim) security_groups: Vec<String>,
    pub(in crate::sim) parameter_group: String,
    /// `in-sync`, `applying`, `pending-reboot`.
    pub(in crate::sim) parameter_status: String,
    pub(in crate::sim) log_exports: Vec<String>,
    pub(in crate::sim) copy_tags_to_snapshot: bool,
    pub(in crate::sim) iam_auth: bool,
    pub(in crate::sim) monitoring_seconds: u32,
    pub(in crate::sim) port: u16,
    /// Digest of a master password set by `ModifyDBInstance`; else that of the data's secret.
    pub(in crate::sim) password: Option<String>,
}

/// Settings that take effect later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Pending {
    /// `None`: in the next maintenance window, which a simulated world does not have.
    pub(in crate::sim) at: Option<DateTime<Utc>>,
    pub(in crate::sim) settings: Settings,
}

/// A database instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Instance {
    pub(in crate::sim) id: String,
    pub(in crate::sim) resource_id: String,
    pub(in crate::sim) engine: String,
    pub(in crate::sim) engine_version: String,
    pub(in crate::sim) db_name: String,
    pub(in crate::sim) user: String,
    /// Key ARN; `None` is not encrypted.
    pub(in crate::sim) kms_key: Option<String>,
    pub(in crate::sim) zone: char,
    /// Instance identifier or ARN of the source.
    pub(in crate::sim) replica_of: Option<String>,
    pub(in crate::sim) tags: BTreeMap<String, String>,
    pub(in crate::sim) settings: Settings,
    pub(in crate::sim) pending: Option<Pending>,
    /// In order of time; the last one lasts.
    pub(in crate::sim) phases: Vec<Phase>,
    /// When `creating` ended; `None` while nobody can say (stuck).
    pub(in crate::sim) created: Option<DateTime<Utc>>,
    /// End of the first automated backup.
    pub(in crate::sim) first_backup: Option<DateTime<Utc>>,
    /// From and until when blocks are still loaded from the backup.
    pub(in crate::sim) hydration: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(in crate::sim) data: Data,
    /// Whether the estate's world began with it (`source-gone` removes those).
    pub(in crate::sim) original: bool,
}

impl Instance {
    /// The status at `now`.
    pub(in crate::sim) fn status(&self, now: DateTime<Utc>) -> Status {
        self.phases
            .iter()
            .rev()
            .find(|phase| phase.from <= now)
            .map_or(Status::Creating, |phase| phase.status)
    }

    /// Whether reads find it at `now`.
    pub(in crate::sim) fn exists(&self, now: DateTime<Utc>) -> bool {
        self.status(now) != Status::Gone
    }

    /// Replaces everything that was to happen after `now` by `phases`.
    pub(in crate::sim) fn reschedule(
        &mut self,
        now: DateTime<Utc>,
        phases: impl IntoIterator<Item = Phase>,
    ) {
        self.phases.retain(|phase| phase.from <= now);
        self.phases.extend(phases);
    }
}

/// A snapshot; automated ones are computed, manual ones are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Snapshot {
    pub(in crate::sim) id: String,
    pub(in crate::sim) automated: bool,
    /// The instance as it was.
    pub(in crate::sim) instance: Instance,
    /// Start, which is the point of its data.
    pub(in crate::sim) started: DateTime<Utc>,
    /// When it becomes `available`.
    pub(in crate::sim) ready: DateTime<Utc>,
    pub(in crate::sim) tags: BTreeMap<String, String>,
}

/// Automated backups that outlived their instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Retained {
    pub(in crate::sim) instance: Instance,
    pub(in crate::sim) deleted: DateTime<Utc>,
}

/// `Event` of `DescribeEvents`; shown from its date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Event {
    pub(in crate::sim) date: DateTime<Utc>,
    /// `db-instance` or `db-snapshot`.
    pub(in crate::sim) source_type: String,
    pub(in crate::sim) source: String,
    pub(in crate::sim) arn: String,
    pub(in crate::sim) category: String,
    pub(in crate::sim) message: String,
}
