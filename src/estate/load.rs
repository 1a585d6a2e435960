//! Reads estate files, reporting all problems at once.
//!
//! **Invariant:** a file that loads is complete; nothing is looked up or filled in later.

use super::accounts;
use super::alarm;
use super::beside;
use super::bucket;
use super::export;
use super::fault::FaultSpec;
use super::log_group;
use super::model::{
    Database, DatabaseChanges, Dataset, Environment, EnvironmentKind, Estate, Objectives,
    Simulation, SqlAccess, SqlRoute, Table,
};
use super::security_group;
use super::service;
use super::shape;
use super::zones;
use crate::base::diagnostic::Problems;
use crate::base::value::Type;
use crate::base::yaml::{self, Fields, Kind, Node};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Reads the estate in `text`, which came from the file called `file`.
///
/// # Errors
/// All problems of the file, each with its place.
pub fn load(file: &str, text: &str) -> Result<Estate, Problems> {
    let node = yaml::parse(file, text)?;
    let mut problems = Problems::in_text(file, text);
    let p = &mut problems;
    let mut fields = Fields::of(&node, "an estate", p).shaped(&shape::ESTATE);
    header(&mut fields, "Estate", p);
    let name = fields.required_text("name", p).unwrap_or_default();
    let description = fields.text("description", p).unwrap_or_default();
    let objectives = objectives(fields.node("objectives"), p);
    let databases = entries(&mut fields, "databases", |_, node, p| database(node, p), p);
    let security_groups =
        entries(&mut fields, "security_groups", |_, node, p| security_group::read(node, p), p);
    let exports = entries(&mut fields, "exports", |_, node, p| export::read(node, p), p);
    let buckets = entries(&mut fields, "buckets", bucket::read, p);
    let zones = entries(&mut fields, "zones", |_, node, p| zones::zone(node, p), p);
    let checks = |_: &str, node: &Node, p: &mut Problems| zones::health_check(node, p);
    let health_checks = entries(&mut fields, "health_checks", checks, p);
    let services = entries(&mut fields, "services", service::read, p);
    let log_groups = entries(&mut fields, "log_groups", |_, node, p| log_group::read(node, p), p);
    let alarms = alarm::section(&mut fields, p);
    let environments = entries(&mut fields, "environments", environment, p);
    if environments.is_empty() && !p.has_errors() {
        p.error("DR003", node.span, "an estate needs at least one environment");
    }
    fields.finish(p);
    let (file, text) = (file.to_owned(), text.to_owned());
    let estate = Estate {
        name,
        description,
        objectives,
        databases,
        security_groups,
        exports,
        buckets,
        services,
        log_groups,
        alarms,
        zones,
        health_checks,
        environments,
        file,
        text,
    };
    export::check(&estate, &node, p);
    bucket::check(&estate, &node, p);
    service::check(&estate, &node, p);
    alarm::check(&estate, &node, p);
    zones::check(&estate, node.span, p);
    if problems.has_errors() { Err(problems) } else { Ok(estate) }
}

/// Reads a section: entries by name.
fn entries<T>(
    fields: &mut Fields<'_>,
    section: &'static str,
    read: impl Fn(&str, &Node, &mut Problems) -> T,
    p: &mut Problems,
) -> BTreeMap<String, T> {
    let found = fields.entries(section, p);
    found.into_iter().map(|(key, node)| (key.name.clone(), read(&key.name, node, p))).collect()
}

/// Checks `apiVersion` and `kind`, which begin every file.
pub fn header(fields: &mut Fields<'_>, kind: &str, problems: &mut Problems) {
    for (name, wanted) in [("apiVersion", "drctl/v1"), ("kind", kind)] {
        let Some(node) = fields.required(name, problems) else { continue };
        if node.kind != Kind::Text(wanted.to_owned()) {
            problems.error("DR006", node.span, format!("`{name}` must be `{wanted}`"));
        }
    }
}

/// Reads an `objectives` map; absent means nothing was promised.
pub fn objectives(node: Option<&Node>, problems: &mut Problems) -> Objectives {
    let Some(node) = node else { return Objectives::default() };
    let mut fields = Fields::of(node, "objectives", problems).shaped(&shape::OBJECTIVES);
    let objectives = Objectives {
        recovery_time: fields.duration("recovery_time", problems),
        recovery_point: fields.duration("recovery_point", problems),
    };
    fields.finish(problems);
    objectives
}

/// Reads a list of `faults`, each checked by name and value.
pub fn faults(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<String> {
    if let Some(Kind::List(items)) = fields.node("faults").map(|node| &node.kind) {
        for item in items {
            let Kind::Text(text) = &item.kind else { continue };
            if let Err(why) = FaultSpec::parse(text) {
                let list = "`drctl sim faults` lists names, values and meanings";
                let (what, help) = why.split_once("; ").unwrap_or((&why, list));
                problems.error("DR004", item.span, format!("fault `{text}`: {what}")).help(help);
            }
        }
    }
    fields.texts("faults", problems)
}

fn database(node: &Node, p: &mut Problems) -> Database {
    let mut f = Fields::of(node, "a database", p).shaped(&shape::DATABASE);
    let database = Database {
        instance: f.required_text("instance", p).unwrap_or_default(),
        region: f.text("region", p),
        allowed_regions: f.texts("allowed_regions", p),
        engine: f.text("engine", p).unwrap_or_else(|| "postgres".to_owned()),
        engine_version: f.text("engine_version", p).unwrap_or_else(|| "15.4".to_owned()),
        class: f.text("class", p).unwrap_or_else(|| "db.t3.medium".to_owned()),
        storage_gib: whole(&mut f, "storage_gib", 20, p),
        storage_type: f.text("storage_type", p).unwrap_or_else(|| "gp3".to_owned()),
        multi_az: f.boolean("multi_az", p).unwrap_or(false),
        kms_key: f.text("kms_key", p),
        backup_retention_days: whole(&mut f, "backup_retention_days", 7, p),
        backup_window: f.text("backup_window", p).unwrap_or_else(|| "03:00-03:30".to_owned()),
        deletion_protection: f.boolean("deletion_protection", p).unwrap_or(false),
        subnet_group: f.text("subnet_group", p).unwrap_or_else(|| "default".to_owned()),
        security_groups: f.texts("security_groups", p),
        parameter_group: f
            .text("parameter_group", p)
            .unwrap_or_else(|| "default.postgres15".to_owned()),
        log_exports: f.texts("log_exports", p),
        port: u16::try_from(whole(&mut f, "port", 5432, p)).unwrap_or(5432),
        database: f.text("database", p).unwrap_or_else(|| "postgres".to_owned()),
        user: f.text("user", p).unwrap_or_else(|| "postgres".to_owned()),
        secret: f.text("secret", p),
        replica_of: f.text("replica_of", p),
        objectives: objectives(f.node("objectives"), p),
        tags: named_texts(&mut f, "tags", "tag", p),
        dataset: f.node("dataset").map(|node| dataset(node, p)).unwrap_or_default(),
    };
    f.finish(p);
    database
}

/// A whole number from 0.
pub(super) fn whole(
    fields: &mut Fields<'_>,
    name: &'static str,
    default: u32,
    p: &mut Problems,
) -> u32 {
    let Some(node) = fields.node(name) else { return default };
    let number = if let Kind::Int(number) = node.kind { u32::try_from(number).ok() } else { None };
    if number.is_none() {
        p.error("DR004", node.span, format!("field `{name}`: expected a whole number from 0"));
    }
    number.unwrap_or(default)
}

/// A map of free names to texts, one of which is called `what` in messages.
pub(super) fn named_texts(
    fields: &mut Fields<'_>,
    name: &'static str,
    what: &str,
    p: &mut Problems,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (key, node) in fields.entries(name, p) {
        match node.to_value().coerce(&Type::String) {
            Ok(value) => {
                texts.insert(key.name.clone(), value.to_string());
            }
            Err(why) => {
                p.error("DR004", node.span, format!("{what} `{}`: {why}", key.name));
            }
        }
    }
    texts
}

fn dataset(node: &Node, p: &mut Problems) -> Dataset {
    let mut f = Fields::of(node, "a dataset", p).shaped(&shape::DATASET);
    let tables = f
        .entries("tables", p)
        .into_iter()
        .map(|(key, node)| {
            let mut t = Fields::of(node, "a table", p).shaped(&shape::TABLE);
            let rows = whole(&mut t, "rows", 0, p);
            let row_every = t.duration("row_every", p);
            t.finish(p);
            Table { name: key.name.clone(), rows, row_every }
        })
        .collect();
    let extensions = f.texts("extensions", p);
    let heartbeat_every = f.duration("heartbeat_every", p);
    f.finish(p);
    Dataset { extensions, tables, heartbeat_every }
}

fn environment(name: &str, node: &Node, p: &mut Problems) -> Environment {
    let mut f = Fields::of(node, "an environment", p).shaped(&shape::ENVIRONMENT);
    let kind = environment_kind(&mut f, p);
    let account = f.required_text("account", p).unwrap_or_default();
    if !account.is_empty() && (account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()))
    {
        p.error("DR007", f.span(), format!("account `{account}` must be twelve digits"))
            .help("write it in quotes, as `\"123456789012\"`");
    }
    let simulated = matches!(kind, EnvironmentKind::Simulated(_));
    let environment = Environment {
        name: name.to_owned(),
        kind,
        account,
        region: f.required_text("region", p).unwrap_or_default(),
        allowed_regions: f.texts("allowed_regions", p),
        protected: f.boolean("protected", p).unwrap_or(false),
        sql: f.node("sql").map(|node| sql_access(node, p)).unwrap_or_default(),
        databases: f
            .entries("databases", p)
            .into_iter()
            .map(|(key, node)| (key.name.clone(), changes(node, p)))
            .collect(),
        zones: entries(&mut f, "zones", |_, node, p| zones::zone_changes(node, p), p),
        health_checks: entries(
            &mut f,
            "health_checks",
            |_, node, p| zones::health_changes(node, p),
            p,
        ),
        accounts: f
            .entries("accounts", p)
            .into_iter()
            .map(|(key, node)| (key.name.clone(), accounts::read(node, p)))
            .collect(),
        security_groups: entries(
            &mut f,
            "security_groups",
            |_, node, p| security_group::changes(node, p),
            p,
        ),
        services: entries(&mut f, "services", |_, node, p| service::changes(node, p), p),
        log_groups: entries(&mut f, "log_groups", |_, node, p| log_group::changes(node, p), p),
        alarms: alarm::changes(&mut f, p),
        buckets: bucket::changes(&mut f, simulated, p),
    };
    f.finish(p);
    environment
}

fn environment_kind(f: &mut Fields<'_>, p: &mut Problems) -> EnvironmentKind {
    let wanted = Type::OneOf(shape::KINDS);
    let Some(node) = f.required("type", p) else {
        return EnvironmentKind::Endpoints(BTreeMap::new());
    };
    let text = match node.to_value().coerce(&wanted) {
        Ok(value) => value.to_string(),
        Err(why) => {
            p.error("DR004", node.span, format!("field `type`: {why}"));
            String::new()
        }
    };
    match text.as_str() {
        "simulated" => EnvironmentKind::Simulated(Simulation {
            seed: u64::from(whole(f, "seed", 1, p)),
            faults: faults(f, p),
            topics: f.texts("topics", p),
            roles: accounts::roles(f, p),
            buckets: bucket::listed(f, p),
            beside: beside::read(f, p),
        }),
        "aws" => EnvironmentKind::Aws {
            profile: f.text("profile", p),
            role: f.text("role", p),
            external_id: f.text("external_id", p),
        },
        _ => EnvironmentKind::Endpoints(endpoints(f, p)),
    }
}

fn endpoints(f: &mut Fields<'_>, p: &mut Problems) -> BTreeMap<String, String> {
    let mut endpoints = BTreeMap::new();
    for (key, node) in f.entries("endpoints", p) {
        let url = node.to_value().to_string();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            p.error(
                "DR008",
                node.span,
                format!("endpoint `{url}` must begin with http:// or https://"),
            );
        }
        endpoints.insert(key.name.clone(), url);
    }
    endpoints
}

fn sql_access(node: &Node, p: &mut Problems) -> SqlAccess {
    let mut f = Fields::of(node, "sql", p).shaped(&shape::SQL);
    let via = f.texts("via", p);
    let route = if via.is_empty() { SqlRoute::Direct } else { SqlRoute::Via(via) };
    let sslrootcert = f.text("sslrootcert", p);
    f.finish(p);
    SqlAccess { route, sslrootcert }
}

fn changes(node: &Node, p: &mut Problems) -> DatabaseChanges {
    let mut f = Fields::of(node, "a database's changes", p).shaped(&shape::CHANGES);
    let retention = f.node("backup_retention_days").is_some();
    let changes = DatabaseChanges {
        instance: f.text("instance", p),
        region: f.text("region", p),
        class: f.text("class", p),
        secret: f.text("secret", p),
        backup_retention_days: retention.then(|| whole(&mut f, "backup_retention_days", 7, p)),
        multi_az: f.boolean("multi_az", p),
        deletion_protection: f.boolean("deletion_protection", p),
    };
    f.finish(p);
    changes
}
