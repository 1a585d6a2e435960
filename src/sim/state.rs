//! What a simulated world is made of.
//!
//! **Invariant:** everything here survives serialisation unchanged, and everything that happens
//! later is already written down with its instant: a status, an event or a change is a function of
//! time.

use crate::sim::faults::Fault;
use crate::sim::lost::LostRegion;
use crate::sim::services::Services;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(in crate::sim) use crate::sim::slot::Slot;
pub(in crate::sim) use crate::sim::status::{Phase, Status};

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
    /// A fall of all replicas behind their sources.
    #[serde(default)]
    pub(in crate::sim) lag_cliff: Option<LagCliff>,
    /// Regions that were lost, in order of time; the last ones may still be, or will be.
    #[serde(default)]
    pub(in crate::sim) lost: Vec<LostRegion>,
    /// What the services beside RDS keep.
    #[serde(default)]
    pub(in crate::sim) services: Services,
}

/// From an instant on, every replica is that much further behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct LagCliff {
    pub(in crate::sim) from: DateTime<Utc>,
    pub(in crate::sim) seconds: u32,
}

/// A session of an assumed role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Session {
    pub(in crate::sim) arn: String,
    pub(in crate::sim) expires: DateTime<Utc>,
    /// A session policy narrowed it to reading.
    pub(in crate::sim) read_only: bool,
    /// The account of its role; empty in worlds of before there were several: the world's own.
    #[serde(default)]
    pub(in crate::sim) account: String,
    /// Its tags.
    #[serde(default)]
    pub(in crate::sim) tags: BTreeMap<String, String>,
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
    /// Automated backups that are copied here from another region, by the source's resource id.
    #[serde(default)]
    pub(in crate::sim) replicated: BTreeMap<String, Replicated>,
    pub(in crate::sim) events: Vec<Event>,
    /// How often each identifier was created.
    pub(in crate::sim) generations: BTreeMap<String, u32>,
    /// Subnet groups and the VPC each is in.
    pub(in crate::sim) subnet_groups: BTreeMap<String, String>,
    /// Security groups of the estate and the VPC each is in.
    pub(in crate::sim) security_groups: BTreeMap<String, String>,
    pub(in crate::sim) parameter_groups: BTreeSet<String>,
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
    /// `PreferredMaintenanceWindow`.
    #[serde(default = "maintenance_window")]
    pub(in crate::sim) maintenance_window: String,
    #[serde(default)]
    pub(in crate::sim) performance_insights: bool,
    #[serde(default)]
    pub(in crate::sim) auto_minor_upgrade: bool,
}

/// `PreferredMaintenanceWindow` of an instance that nobody gave one.
pub(in crate::sim) fn maintenance_window() -> String {
    "sun:05:00-sun:05:30".to_owned()
}

/// Changes by `ModifyDBInstance` that take effect later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Pending {
    /// When they take effect; `None` while they wait for the maintenance window.
    pub(in crate::sim) at: Option<DateTime<Utc>>,
    pub(in crate::sim) settings: Settings,
    /// The maintenance window that they wait for.
    #[serde(default)]
    pub(in crate::sim) window: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(in crate::sim) engine_version: Option<String>,
    /// The new identifier.
    #[serde(default)]
    pub(in crate::sim) rename: Option<String>,
}

/// Something that happens to an instance at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Due {
    pub(in crate::sim) at: DateTime<Utc>,
    pub(in crate::sim) change: Change,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Change {
    /// Parameters that waited for a reboot are in effect.
    Rebooted,
    /// A replica that is promoted stops following and holds the data of `point` from then on.
    Detached { point: DateTime<Utc> },
    /// A replica has become an instance of its own, with these backups.
    Promoted { retention_days: u32, backup_window: Option<String> },
    /// It has a new identifier.
    Renamed { to: String },
}

/// A master password that is no longer right, but comes back with a restore to before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct OldPassword {
    pub(in crate::sim) until: DateTime<Utc>,
    /// As [`Settings::password`].
    pub(in crate::sim) password: Option<String>,
}

/// How a replica hangs on its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Link {
    #[default]
    Following,
    /// The source went away at that instant.
    Terminated(DateTime<Utc>),
    /// It is being promoted.
    Detached,
}

/// What reads still say of an instance's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct OldZone {
    pub(in crate::sim) zone: char,
    pub(in crate::sim) until: DateTime<Utc>,
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
    /// In order of time.
    #[serde(default)]
    pub(in crate::sim) due: Vec<Due>,
    /// After a failover the API shows the old zone for a while.
    #[serde(default)]
    pub(in crate::sim) old_zone: Option<OldZone>,
    /// How a replica hangs on its source.
    #[serde(default)]
    pub(in crate::sim) link: Link,
    /// Whether it was a replica once, and is one no more.
    #[serde(default)]
    pub(in crate::sim) promoted: bool,
    /// Master passwords before the present one, in order of time.
    #[serde(default)]
    pub(in crate::sim) old_passwords: Vec<OldPassword>,
    /// After a rename the new endpoint resolves from this instant on.
    #[serde(default)]
    pub(in crate::sim) resolves_from: Option<DateTime<Utc>>,
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

    /// When the status that it has at `now` began.
    pub(in crate::sim) fn status_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.phases.iter().rev().find(|phase| phase.from <= now).map(|phase| phase.from)
    }

    /// The master password as of `point`.
    pub(in crate::sim) fn password_at(&self, point: DateTime<Utc>) -> Option<String> {
        let old = self.old_passwords.iter().find(|old| point < old.until);
        old.map_or_else(|| self.settings.password.clone(), |old| old.password.clone())
    }

    /// The zone that the API shows at `now`.
    pub(in crate::sim) fn shown_zone(&self, now: DateTime<Utc>) -> char {
        self.old_zone.filter(|old| now < old.until).map_or(self.zone, |old| old.zone)
    }

    /// `postgres15` and the like: the family of parameter groups, with another separator that of
    /// option groups.
    pub(in crate::sim) fn family(&self, separator: &str) -> String {
        let major = match self.engine.as_str() {
            "postgres" => self.engine_version.split('.').next().unwrap_or_default().to_owned(),
            _ => self.engine_version.splitn(3, '.').take(2).collect::<Vec<_>>().join("."),
        };
        format!("{}{separator}{major}", self.engine)
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
    #[serde(default)]
    pub(in crate::sim) copy: Option<Copied>,
}

impl Snapshot {
    /// The point of its data: a copy holds that of the snapshot it was made from.
    pub(in crate::sim) fn point(&self) -> DateTime<Utc> {
        self.copy.as_ref().map_or(self.started, |copy| copy.point)
    }
}

/// Where a copied snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Copied {
    /// ARN of the snapshot it was copied from.
    pub(in crate::sim) source: String,
    pub(in crate::sim) region: String,
    pub(in crate::sim) point: DateTime<Utc>,
    /// Until then it is `pending` in the queue of copies.
    pub(in crate::sim) queued_until: DateTime<Utc>,
}

/// Automated backups of an instance in another region, copied to this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Replicated {
    /// The source as it was when replication began, or when it was stopped.
    pub(in crate::sim) instance: Instance,
    pub(in crate::sim) source_region: String,
    pub(in crate::sim) retention_days: u32,
    /// The key here; `None` is not encrypted.
    pub(in crate::sim) kms_key: Option<String>,
    /// End of the first copy: `pending` before it, `replicating` after it.
    pub(in crate::sim) seeded: DateTime<Utc>,
    /// When it was stopped.
    pub(in crate::sim) stopped: Option<DateTime<Utc>>,
}

impl Replicated {
    /// Ends the copying; what is here stays, of the source as it is now.
    pub(in crate::sim) fn stop(&mut self, now: DateTime<Utc>, source: &Instance) {
        if self.stopped.is_none() {
            self.stopped = Some(now);
            self.instance = source.clone();
        }
    }
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
