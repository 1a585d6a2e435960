//! The estate's types: databases, environments, objectives.
//!
//! **Invariant:** plain data, complete defaults, no behaviour besides look-ups.

use super::accounts::Account;
use super::alarm::{Alarm, AlarmChanges};
use super::beside::Beside;
use super::bucket::{Bucket, BucketChanges};
use super::export::Export;
use super::log_group::{LogGroup, LogGroupChanges};
use super::security_group::{SecurityGroup, SecurityGroupChanges};
use super::service::{Service, ServiceChanges};
use super::zones::{HealthChanges, HealthCheck, Zone, ZoneChanges};
use crate::base::digest::Digest;
use std::collections::BTreeMap;
use std::time::Duration;

/// An estate file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    /// Its name, as runs and reports show it.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// What was promised for everything in it that promises nothing of its own.
    pub objectives: Objectives,
    /// Databases by their name in the estate (not their instance identifier).
    pub databases: BTreeMap<String, Database>,
    /// Security groups by their name in the estate.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// Exports of snapshots by their name in the estate.
    pub exports: BTreeMap<String, Export>,
    /// Hosted zones of Route 53 by their name in the estate.
    pub zones: BTreeMap<String, Zone>,
    /// Health checks of Route 53 by their name in the estate.
    pub health_checks: BTreeMap<String, HealthCheck>,
    /// ECS services by their name in the estate.
    pub services: BTreeMap<String, Service>,
    /// Log groups by their name in the estate.
    pub log_groups: BTreeMap<String, LogGroup>,
    /// CloudWatch alarms by their name in the estate.
    pub alarms: BTreeMap<String, Alarm>,
    /// S3 buckets by their name in the estate.
    pub buckets: BTreeMap<String, Bucket>,
    /// Environments by name.
    pub environments: BTreeMap<String, Environment>,
    /// File name and text it was read from, so that a plan and a journal can embed it.
    pub file: String,
    /// The text of the file.
    pub text: String,
}

impl Estate {
    /// Digest of the file's bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// The database as it is in one environment: the environment's changes laid over the estate's.
    pub fn database_in(&self, database: &str, environment: &Environment) -> Option<Database> {
        let mut found = self.databases.get(database)?.clone();
        if let Some(changes) = environment.databases.get(database) {
            changes.apply(&mut found);
        }
        Some(found)
    }

    /// The zone as it is in one environment.
    pub fn zone_in(&self, zone: &str, environment: &Environment) -> Option<Zone> {
        let mut found = self.zones.get(zone)?.clone();
        if let Some(changes) = environment.zones.get(zone) {
            changes.apply(&mut found);
        }
        Some(found)
    }

    /// The health check as it is in one environment.
    pub fn health_check_in(&self, check: &str, environment: &Environment) -> Option<HealthCheck> {
        let mut found = self.health_checks.get(check)?.clone();
        if let Some(changes) = environment.health_checks.get(check) {
            changes.apply(&mut found);
        }
        Some(found)
    }
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Objectives {
    /// Longest time from disaster (or declaration, or start) to recovered.
    pub recovery_time: Option<Duration>,
    /// Most data that may be lost, as time.
    pub recovery_point: Option<Duration>,
}

impl Objectives {
    /// These, with gaps filled from `fallback`.
    pub fn or(self, fallback: Self) -> Self {
        Self {
            recovery_time: self.recovery_time.or(fallback.recovery_time),
            recovery_point: self.recovery_point.or(fallback.recovery_point),
        }
    }
}

/// An RDS database instance of the estate, as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// `DBInstanceIdentifier`.
    pub instance: String,
    /// Region it lives in; `None` is the environment's region.
    pub region: Option<String>,
    /// Regions that its data may be in besides its own; empty leaves that to the environment.
    pub allowed_regions: Vec<String>,
    /// `postgres`.
    pub engine: String,
    /// `15.4`.
    pub engine_version: String,
    /// `db.r6g.2xlarge`.
    pub class: String,
    /// Allocated storage, GiB.
    pub storage_gib: u32,
    /// `gp3`.
    pub storage_type: String,
    /// Whether it has a standby in a second zone.
    pub multi_az: bool,
    /// KMS key ARN or alias; `None` means not encrypted.
    pub kms_key: Option<String>,
    /// `BackupRetentionPeriod`, days; 0 turns point-in-time restore off.
    pub backup_retention_days: u32,
    /// `PreferredBackupWindow`, `03:00-03:30`.
    pub backup_window: String,
    /// `DeletionProtection`.
    pub deletion_protection: bool,
    /// DB subnet group.
    pub subnet_group: String,
    /// VPC security group ids.
    pub security_groups: Vec<String>,
    /// DB parameter group.
    pub parameter_group: String,
    /// CloudWatch log exports.
    pub log_exports: Vec<String>,
    /// TCP port.
    pub port: u16,
    /// Database name inside the instance.
    pub database: String,
    /// Master user name.
    pub user: String,
    /// Secrets Manager secret with `username` and `password`.
    pub secret: Option<String>,
    /// Instance identifier of the source, when this is a read replica.
    pub replica_of: Option<String>,
    /// What was promised for this database.
    pub objectives: Objectives,
    /// Tags it carries.
    pub tags: BTreeMap<String, String>,
    /// What the simulator keeps in it.
    pub dataset: Dataset,
}

/// What an environment changes in a database of the estate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatabaseChanges {
    /// Another instance identifier.
    pub instance: Option<String>,
    /// Another region.
    pub region: Option<String>,
    /// Another instance class.
    pub class: Option<String>,
    /// Another secret.
    pub secret: Option<String>,
    /// Another retention, days.
    pub backup_retention_days: Option<u32>,
    /// With or without a standby.
    pub multi_az: Option<bool>,
    /// With or without deletion protection.
    pub deletion_protection: Option<bool>,
}

impl DatabaseChanges {
    fn apply(&self, database: &mut Database) {
        let Self { instance, region, class, secret, .. } = self.clone();
        database.instance = instance.unwrap_or_else(|| database.instance.clone());
        database.class = class.unwrap_or_else(|| database.class.clone());
        database.region = region.or_else(|| database.region.clone());
        database.secret = secret.or_else(|| database.secret.clone());
        database.backup_retention_days =
            self.backup_retention_days.unwrap_or(database.backup_retention_days);
        database.multi_az = self.multi_az.unwrap_or(database.multi_az);
        database.deletion_protection =
            self.deletion_protection.unwrap_or(database.deletion_protection);
    }
}

/// The data that a simulated database holds, as a function of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// PostgreSQL extensions.
    pub extensions: Vec<String>,
    /// Tables of schema `public`.
    pub tables: Vec<Table>,
    /// How often the heartbeat is written; `None` means that nobody writes one.
    pub heartbeat_every: Option<Duration>,
}

/// A table of a simulated database: it has `rows` rows when the world begins and gets one more every
/// `row_every`. Columns: `id`, `created_at` (UTC text), `created_ms` (epoch milliseconds).
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in schema `public`.
    pub name: String,
    /// Rows when the world begins.
    pub rows: u32,
    /// Time between two new rows; `None` means that it does not grow.
    pub row_every: Option<Duration>,
}

/// Where an estate lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name: `sim`, `localstack`, `production`.
    pub name: String,
    /// What answers there.
    pub kind: EnvironmentKind,
    /// Twelve-digit account id, checked before anything else.
    pub account: String,
    /// Region of everything that names none.
    pub region: String,
    /// Regions that data may be in; empty means only `region`.
    pub allowed_regions: Vec<String>,
    /// A protected environment is never satisfied by `--yes`.
    pub protected: bool,
    /// How SQL checks reach databases.
    pub sql: SqlAccess,
    /// What differs here from the estate's databases.
    pub databases: BTreeMap<String, DatabaseChanges>,
    /// What differs here from the estate's zones.
    pub zones: BTreeMap<String, ZoneChanges>,
    /// What differs here from the estate's health checks.
    pub health_checks: BTreeMap<String, HealthChanges>,
    /// Further accounts that steps act in, by name.
    pub accounts: BTreeMap<String, Account>,
    /// What differs here from the estate's security groups.
    pub security_groups: BTreeMap<String, SecurityGroupChanges>,
    /// What differs here from the estate's services.
    pub services: BTreeMap<String, ServiceChanges>,
    /// What differs here from the estate's log groups.
    pub log_groups: BTreeMap<String, LogGroupChanges>,
    /// What differs here from the estate's alarms.
    pub alarms: BTreeMap<String, AlarmChanges>,
    /// What differs here from the estate's buckets.
    pub buckets: BTreeMap<String, BucketChanges>,
}

impl Environment {
    /// Whether data may be in `region`.
    pub fn allows_region(&self, region: &str) -> bool {
        region == self.region || self.allowed_regions.iter().any(|allowed| allowed == region)
    }

    /// Whether the embedded simulator answers.
    pub fn is_simulated(&self) -> bool {
        matches!(self.kind, EnvironmentKind::Simulated(_))
    }
}

/// What answers in an environment.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvironmentKind {
    /// The embedded simulator.
    Simulated(Simulation),
    /// AWS-compatible servers at the given addresses, by service (`rds`, `sts`, `secretsmanager`;
    /// `default` for the rest).
    Endpoints(BTreeMap<String, String>),
    /// AWS itself, with the operator's own credentials.
    Aws {
        /// Named profile; `None` is the default chain.
        profile: Option<String>,
        /// Role to assume; a dry run narrows it with a session policy.
        role: Option<String>,
        /// External id for that role.
        external_id: Option<String>,
    },
}

/// How the simulator behaves in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Seed of all its randomness.
    pub seed: u64,
    /// Faults switched on from the start: `throttled`, `wrong-restore=stale`, …
    pub faults: Vec<String>,
    /// SNS topics that the account has from the start, in the environment's region.
    pub topics: Vec<String>,
    /// Roles that other accounts have, and what their trust policies ask for; what `accounts` names and is
    /// not here has a trust policy that asks for just what `accounts` says.
    pub roles: BTreeMap<String, Trust>,
    /// S3 buckets that the account has from the start besides the estate's, in the environment's region.
    pub buckets: Vec<String>,
    /// What answers beside AWS.
    pub beside: Beside,
}

/// What a simulated role's trust policy asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The external id that has to be given.
    pub external_id: Option<String>,
    /// Keys of session tags that have to be given.
    pub session_tags: Vec<String>,
}

/// How SQL checks reach databases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SqlAccess {
    /// The way to the server.
    pub route: SqlRoute,
    /// PEM file with the authorities that may sign the server's certificate (RDS: the bundle
    /// `global-bundle.pem` from AWS). Relative to the project.
    pub sslrootcert: Option<String>,
}

/// The way to a database server.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SqlRoute {
    /// Straight to the endpoint.
    #[default]
    Direct,
    /// Through a tunnel that a command opens: `{host}`, `{port}` and `{local_port}` are replaced; the
    /// command runs for as long as the connection is needed.
    Via(Vec<String>),
}
