//! The values that expressions can name: the roots `params`, `steps`, `estate`, `env`, `run`, `each`.
//!
//! **Invariant:** a step that has not run yet has unknown outputs, never missing ones.

use crate::action::Condition;
use crate::base::form::Form;
use crate::base::value::{Type, Value, Values};
use crate::estate::{Alarm, Database, Environment, Estate, LogGroup, Service};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

mod buckets;
mod network;
mod zones;

/// Names that begin a reference.
pub const ROOTS: [&str; 6] = ["params", "steps", "estate", "env", "run", "each"];

/// Words of `steps.<id>.status`.
pub const STATUSES: &[&str] = &["succeeded", "warned", "failed", "skipped"];

/// Values of the roots, for evaluation.
#[derive(Debug, Clone)]
pub struct Scope {
    params: Value,
    estate: Value,
    env: Value,
    run: Value,
    each: Option<Value>,
    steps: BTreeMap<String, Value>,
}

/// What expressions can know about the run (`run.…`).
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// The run's id.
    pub id: String,
    /// The eight characters of it that stand in resource names.
    pub short_id: String,
    /// `drill` or `run`.
    pub mode: &'static str,
    /// Whether what was created stays.
    pub keep: bool,
    /// The form of the run; to a step that has begun, the one that it began in.
    pub form: Form,
    /// When the disaster happened, if it was said.
    pub disaster_at: Option<DateTime<Utc>>,
    /// When it was noticed, if that is known.
    pub detected_at: Option<DateTime<Utc>>,
    /// Name of the alarm that it started from.
    pub alarm: Option<String>,
    /// When the run started; unknown while planning.
    pub started_at: Option<DateTime<Utc>>,
    /// How it stands so far, one of [`Condition::WORDS`]; unknown while planning.
    pub status: Option<&'static str>,
    /// Steps that failed so far; unknown while planning.
    pub failed_steps: Option<Vec<String>>,
}

impl RunFacts {
    /// With how it was noticed: when, and by which alarm.
    #[must_use]
    pub fn noticed(self, by: Option<(Option<DateTime<Utc>>, Option<String>)>) -> Self {
        let (detected_at, alarm) = by.unwrap_or_default();
        Self { detected_at, alarm, ..self }
    }
}

impl Scope {
    /// A scope with parameters only; the other roots are unknown or empty.
    pub fn of(params: Values) -> Self {
        let absent = |what: &str| Value::Unknown(format!("{what} is not known here"));
        Self {
            params: Value::Map(params),
            estate: absent("the estate"),
            env: absent("the environment"),
            run: absent("the run"),
            each: None,
            steps: BTreeMap::new(),
        }
    }

    /// With other parameters: those of a called runbook.
    #[must_use]
    pub fn with_params(mut self, params: Values) -> Self {
        self.params = Value::Map(params);
        self
    }

    /// With the estate as it is in `environment`, and that environment.
    #[must_use]
    pub fn with_estate(mut self, estate: &Estate, environment: &Environment) -> Self {
        self.estate = estate_value(estate, environment);
        self.env = environment_value(environment);
        self
    }

    /// With what is known about the run.
    #[must_use]
    pub fn with_run(mut self, run: &RunFacts) -> Self {
        let started = || Value::Unknown("the run's start is known when the run starts".to_owned());
        let later = || Value::Unknown("how the run stands is known while it runs".to_owned());
        self.run = record([
            ("id", Value::text(&run.id)),
            ("short_id", Value::text(&run.short_id)),
            ("mode", Value::text(run.mode)),
            ("keep", Value::Bool(run.keep)),
            ("form", Value::text(run.form.name())),
            ("disaster_at", Value::optional(run.disaster_at)),
            ("detected_at", Value::optional(run.detected_at)),
            ("alarm", Value::optional(run.alarm.clone())),
            ("started_at", run.started_at.map_or_else(started, Value::Time)),
            ("status", run.status.map_or_else(later, Value::text)),
            ("failed_steps", run.failed_steps.clone().map_or_else(later, Value::from)),
        ]);
        self
    }

    /// As in a run that does not wait for anything of what is lost; everything else of the run is not known.
    #[must_use]
    pub(crate) fn ungraceful(mut self) -> Self {
        let unknown = |name: &str| Value::Unknown(format!("`run.{name}` is known when it runs"));
        let names = ["id", "short_id", "mode", "keep", "disaster_at", "started_at", "status"];
        let names = names.into_iter().chain(["failed_steps"]);
        let mut facts: Values = names.map(|name| (name.to_owned(), unknown(name))).collect();
        facts.insert("form".to_owned(), Value::text("ungraceful"));
        self.run = Value::Map(facts);
        self
    }

    /// With the item of an expanded step.
    #[must_use]
    pub fn with_each(mut self, item: Value) -> Self {
        self.each = Some(item);
        self
    }

    /// Sets status and outputs of a step. For an expanded step of the same `for_each`, the caller
    /// gives the ones of the same item under the step's id.
    pub fn set_step(&mut self, id: &str, status: Value, outputs: Values) {
        let step = record([("status", status), ("outputs", Value::Map(outputs))]);
        self.steps.insert(id.to_owned(), step);
    }

    /// The value of a root other than `steps`.
    pub(crate) fn root(&self, name: &str) -> Option<&Value> {
        match name {
            "params" => Some(&self.params),
            "estate" => Some(&self.estate),
            "env" => Some(&self.env),
            "run" => Some(&self.run),
            "each" => self.each.as_ref(),
            _ => None,
        }
    }

    /// Status and outputs of a step; `None` while it has none.
    pub(crate) fn step(&self, id: &str) -> Option<&Value> {
        self.steps.get(id)
    }
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn estate_value(estate: &Estate, environment: &Environment) -> Value {
    let databases = estate
        .databases
        .keys()
        .filter_map(|key| Some((key.clone(), estate.database_in(key, environment)?)))
        .map(|(key, database)| (key, database_value(&database, environment)))
        .collect();
    let alarms = estate
        .alarms
        .keys()
        .filter_map(|key| Some((key.clone(), estate.alarm_in(key, environment)?)))
        .map(|(key, alarm)| (key, alarm_value(&alarm, environment)))
        .collect();
    let services = estate.services.keys().filter_map(|key| {
        Some((key.clone(), service_value(&estate.service_in(key, environment)?)))
    });
    let log_groups = estate.log_groups.keys().filter_map(|key| {
        Some((key.clone(), log_group_value(&estate.log_group_in(key, environment)?)))
    });
    record([
        ("name", Value::text(&estate.name)),
        ("databases", Value::Map(databases)),
        ("services", Value::Map(services.collect())),
        ("log_groups", Value::Map(log_groups.collect())),
        ("alarms", Value::Map(alarms)),
        ("buckets", buckets::buckets(estate, environment)),
        ("security_groups", network::security_groups(estate, environment)),
        ("exports", network::exports(estate, environment)),
        ("zones", zones::zones(estate, environment)),
        ("health_checks", zones::health_checks(estate, environment)),
    ])
}

fn service_value(service: &Service) -> Value {
    record([
        ("cluster", Value::text(&service.cluster)),
        ("service", Value::text(&service.service)),
        ("region", Value::optional(service.region.clone())),
        ("task_definition", Value::text(service.task_definition())),
        ("desired", Value::Int(service.desired.into())),
        ("minimum_healthy_percent", Value::Int(service.minimum_healthy_percent.into())),
        ("maximum_percent", Value::Int(service.maximum_percent.into())),
        ("database", Value::optional(service.database.clone())),
    ])
}

fn log_group_value(group: &LogGroup) -> Value {
    record([("name", Value::text(&group.name)), ("region", Value::optional(group.region.clone()))])
}

fn alarm_value(alarm: &Alarm, environment: &Environment) -> Value {
    record([
        ("name", Value::text(&alarm.name)),
        ("region", Value::text(alarm.region.as_ref().unwrap_or(&environment.region))),
        ("arn", Value::text(alarm.arn(environment))),
    ])
}

fn database_value(database: &Database, environment: &Environment) -> Value {
    let region = database.region.as_ref().unwrap_or(&environment.region);
    record([
        ("instance", Value::text(&database.instance)),
        ("region", Value::text(region)),
        ("engine", Value::text(&database.engine)),
        ("engine_version", Value::text(&database.engine_version)),
        ("class", Value::text(&database.class)),
        ("storage_gib", Value::Int(database.storage_gib.into())),
        ("multi_az", Value::Bool(database.multi_az)),
        ("encrypted", Value::Bool(database.kms_key.is_some())),
        ("kms_key", Value::optional(database.kms_key.clone())),
        ("subnet_group", Value::text(&database.subnet_group)),
        ("security_groups", database.security_groups.clone().into()),
        ("parameter_group", Value::text(&database.parameter_group)),
        ("log_exports", database.log_exports.clone().into()),
        ("port", Value::Int(database.port.into())),
        ("database", Value::text(&database.database)),
        ("user", Value::text(&database.user)),
        ("secret", Value::optional(database.secret.clone())),
        ("deletion_protection", Value::Bool(database.deletion_protection)),
        ("backup_retention_days", Value::Int(database.backup_retention_days.into())),
    ])
}

fn environment_value(environment: &Environment) -> Value {
    record([
        ("name", Value::text(&environment.name)),
        ("account", Value::text(&environment.account)),
        ("region", Value::text(&environment.region)),
        ("simulated", Value::Bool(environment.is_simulated())),
        ("protected", Value::Bool(environment.protected)),
    ])
}

/// Types of the roots that are the same for every runbook; `None` for the others.
pub(crate) fn root_type(name: &str) -> Option<Type> {
    let text = || Type::String;
    match name {
        "estate" => {
            let databases = Type::Map(Box::new(database_type()));
            let alarm = record_type([("name", text()), ("region", text()), ("arn", text())]);
            let alarms = Type::Map(Box::new(alarm));
            let services = Type::Map(Box::new(service_type()));
            let log_group = record_type([("name", text()), ("region", text())]);
            Some(record_type([
                ("name", text()),
                ("databases", databases),
                ("services", services),
                ("log_groups", Type::Map(Box::new(log_group))),
                ("alarms", alarms),
                ("buckets", buckets::buckets_type()),
                ("security_groups", network::security_groups_type()),
                ("exports", network::exports_type()),
                ("zones", zones::zones_type()),
                ("health_checks", zones::health_checks_type()),
            ]))
        }
        "env" => Some(record_type([
            ("name", text()),
            ("account", text()),
            ("region", text()),
            ("simulated", Type::Bool),
            ("protected", Type::Bool),
        ])),
        "run" => Some(record_type([
            ("id", text()),
            ("short_id", text()),
            ("mode", Type::OneOf(&["drill", "run"])),
            ("keep", Type::Bool),
            ("form", Type::OneOf(Form::WORDS)),
            ("disaster_at", Type::Time.or_null()),
            ("detected_at", Type::Time.or_null()),
            ("alarm", text().or_null()),
            ("started_at", Type::Time),
            ("status", Type::OneOf(Condition::WORDS)),
            ("failed_steps", Type::texts()),
        ])),
        _ => None,
    }
}

fn service_type() -> Type {
    let text = || Type::String;
    record_type([
        ("cluster", text()),
        ("service", text()),
        ("region", text()),
        ("task_definition", text()),
        ("desired", Type::Int),
        ("minimum_healthy_percent", Type::Int),
        ("maximum_percent", Type::Int),
        ("database", text().or_null()),
    ])
}

fn database_type() -> Type {
    let text = || Type::String;
    record_type([
        ("instance", text()),
        ("region", text()),
        ("engine", text()),
        ("engine_version", text()),
        ("class", text()),
        ("storage_gib", Type::Int),
        ("multi_az", Type::Bool),
        ("encrypted", Type::Bool),
        ("kms_key", text().or_null()),
        ("subnet_group", text()),
        ("security_groups", Type::texts()),
        ("parameter_group", text()),
        ("log_exports", Type::texts()),
        ("port", Type::Int),
        ("database", text()),
        ("user", text()),
        ("secret", text().or_null()),
        ("deletion_protection", Type::Bool),
        ("backup_retention_days", Type::Int),
    ])
}

/// A record type of the given fields.
pub(crate) fn record_type<const N: usize>(fields: [(&str, Type); N]) -> Type {
    Type::Record(fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect())
}
