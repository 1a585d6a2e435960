//! Reads zones and health checks of an estate file.
//!
//! **Invariant:** a record that is read has exactly one source of its values, lies in its zone and
//! refers to nothing that the file does not have.

use super::shape::{
    ALIAS, CHECKS, FAILOVERS, HEALTH_CHANGES, HEALTH_CHECK, KINDS, RECORD, RECORD_CHANGES, ZONE,
    ZONE_CHANGES,
};
use super::{
    AliasTarget, HealthChanges, HealthCheck, RecordChanges, Zone, ZoneChanges, ZoneRecord,
};
use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::{Fields, Node};
use crate::estate::model::Estate;
use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Time to live of a record that says none, seconds: what AWS recommends where health checks decide.
const DEFAULT_TTL: u32 = 60;

/// A DNS name in the one form that it is compared in.
fn plain(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix('.').unwrap_or(&name).to_owned()
}

/// A zone.
pub(in crate::estate) fn zone(node: &Node, p: &mut Problems) -> Zone {
    let mut f = Fields::of(node, "a zone", p).shaped(&ZONE);
    let id = f.required_text("id", p).unwrap_or_default();
    let id = id.strip_prefix("/hostedzone/").unwrap_or(&id).to_owned();
    let name = plain(&f.required_text("name", p).unwrap_or_default());
    let private = f.boolean("private", p).unwrap_or(false);
    let records = f.entries("records", p).into_iter();
    let records = records.map(|(key, node)| (key.name.clone(), record(node, &name, p))).collect();
    f.finish(p);
    Zone { id, name, private, records }
}

fn record(node: &Node, zone: &str, p: &mut Problems) -> ZoneRecord {
    let mut f = Fields::of(node, "a record", p).shaped(&RECORD);
    let span = f.span();
    let name = plain(&f.required_text("name", p).unwrap_or_default());
    let inside = name == zone || name.ends_with(&format!(".{zone}"));
    if !name.is_empty() && !zone.is_empty() && !inside {
        p.error("DR004", span, format!("record `{name}` does not lie in zone `{zone}`"));
    }
    let kind = f.required("type", p).is_some();
    let kind = kind.then(|| f.word("type", KINDS, p)).flatten().unwrap_or_default();
    let alias = f.node("alias").map(|node| alias(node, p));
    let mut values = f.texts("values", p);
    for value in &values {
        fits(&kind, value, span, p);
    }
    let database = f.text("database", p);
    let sources = [alias.is_some(), !values.is_empty(), database.is_some()];
    if sources.into_iter().filter(|given| *given).count() != 1 {
        let message = "a record needs one of `values`, `alias` and `database`";
        p.error("DR003", span, message);
    }
    values.extend(alias);
    let record = ZoneRecord {
        name,
        kind,
        ttl: number(&mut f, "ttl", 0..=2_147_483_647, p).unwrap_or(DEFAULT_TTL),
        values,
        database,
        set_identifier: f.text("set_identifier", p),
        weight: number(&mut f, "weight", 0..=255, p),
        failover: f.word("failover", FAILOVERS, p),
        health_check: f.text("health_check", p),
    };
    let routed = usize::from(record.weight.is_some()) + usize::from(record.failover.is_some());
    if routed > 1 || (routed == 1) != record.set_identifier.is_some() {
        let message = "a weighted or failover record has a `set_identifier` and one of `weight` and \
                       `failover`; any other has none of them";
        p.error("DR004", span, message);
    }
    f.finish(p);
    record
}

fn alias(node: &Node, p: &mut Problems) -> String {
    let mut f = Fields::of(node, "an alias", p).shaped(&ALIAS);
    let target = AliasTarget {
        zone: f.required_text("zone", p).unwrap_or_default(),
        name: plain(&f.required_text("name", p).unwrap_or_default()),
        evaluate_health: f.boolean("evaluate_health", p).unwrap_or(false),
    };
    f.finish(p);
    target.text()
}

fn fits(kind: &str, value: &str, span: Span, p: &mut Problems) {
    let quoted = || value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    let (good, help) = match kind {
        "A" => (value.parse::<Ipv4Addr>().is_ok(), "write an IPv4 address"),
        "AAAA" => (value.parse::<Ipv6Addr>().is_ok(), "write an IPv6 address"),
        "TXT" | "SPF" => (quoted(), "Route 53 keeps texts in double quotes: '\"text\"'"),
        _ => (!value.trim().is_empty(), "write a value"),
    };
    if !good {
        let message = format!("`{value}` is no value of a record of type {kind}");
        p.error("DR004", span, message).help(help);
    }
}

/// A health check.
pub(in crate::estate) fn health_check(node: &Node, p: &mut Problems) -> HealthCheck {
    let mut f = Fields::of(node, "a health check", p).shaped(&HEALTH_CHECK);
    let span = f.span();
    let interval = f.duration("interval", p).unwrap_or(Duration::from_secs(30));
    if ![10, 30].map(Duration::from_secs).contains(&interval) {
        p.error("DR023", span, "`interval` must be 10s or 30s: Route 53 has no other");
    }
    let check = HealthCheck {
        id: f.required_text("id", p).unwrap_or_default(),
        kind: f.word("type", CHECKS, p).unwrap_or_else(|| "HTTPS".to_owned()),
        host: f.text("host", p),
        port: number(&mut f, "port", 1..=65_535, p),
        path: f.text("path", p),
        interval,
        failure_threshold: number(&mut f, "failure_threshold", 1..=10, p).unwrap_or(3),
        inverted: f.boolean("inverted", p).unwrap_or(false),
        disabled: f.boolean("disabled", p).unwrap_or(false),
        follows: f.text("follows", p),
    };
    f.finish(p);
    check
}

/// What an environment changes in a zone.
pub(in crate::estate) fn zone_changes(node: &Node, p: &mut Problems) -> ZoneChanges {
    let mut f = Fields::of(node, "a zone's changes", p).shaped(&ZONE_CHANGES);
    let changes = ZoneChanges {
        id: f.text("id", p),
        name: f.text("name", p).map(|name| plain(&name)),
        private: f.boolean("private", p),
        records: f
            .entries("records", p)
            .into_iter()
            .map(|(key, node)| (key.name.clone(), record_changes(node, p)))
            .collect(),
    };
    f.finish(p);
    changes
}

fn record_changes(node: &Node, p: &mut Problems) -> RecordChanges {
    let mut f = Fields::of(node, "a record's changes", p).shaped(&RECORD_CHANGES);
    let given = f.node("values").is_some();
    let changes = RecordChanges {
        name: f.text("name", p).map(|name| plain(&name)),
        ttl: number(&mut f, "ttl", 0..=2_147_483_647, p),
        values: Some(f.texts("values", p)).filter(|_| given),
        weight: number(&mut f, "weight", 0..=255, p),
    };
    f.finish(p);
    changes
}

/// What an environment changes in a health check.
pub(in crate::estate) fn health_changes(node: &Node, p: &mut Problems) -> HealthChanges {
    let mut f = Fields::of(node, "a health check's changes", p).shaped(&HEALTH_CHANGES);
    let changes = HealthChanges {
        id: f.text("id", p),
        host: f.text("host", p),
        path: f.text("path", p),
        follows: f.text("follows", p),
    };
    f.finish(p);
    changes
}

fn number<N: TryFrom<i64>>(
    f: &mut Fields<'_>,
    name: &'static str,
    range: RangeInclusive<i64>,
    p: &mut Problems,
) -> Option<N> {
    let span = f.node(name)?.span;
    let given = f.int(name, p)?;
    let found = N::try_from(given).ok().filter(|_| range.contains(&given));
    if found.is_none() {
        let (low, high) = (range.start(), range.end());
        p.error("DR023", span, format!("`{name}` must be {low} to {high}, found {given}"));
    }
    found
}

/// Reports what zones and health checks refer to and the estate does not have. `span` is the file's.
pub(in crate::estate) fn check(estate: &Estate, span: Span, p: &mut Problems) {
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, zone) in &estate.zones {
        if let Some(other) = ids.insert(&zone.id, key) {
            p.error("DR004", span, format!("zones `{other}` and `{key}` have one id"));
        }
        for (name, record) in &zone.records {
            let place = format!("record `{name}` of zone `{key}`");
            if let Some(database) = &record.database
                && !estate.databases.contains_key(database)
            {
                let message = format!("{place}: there is no database `{database}` in the estate");
                p.error("DR004", span, message);
            }
            if let Some(check) = &record.health_check
                && !estate.health_checks.contains_key(check)
            {
                let message = format!("{place}: there is no health check `{check}` in the estate");
                p.error("DR004", span, message);
            }
        }
    }
    for (key, check) in &estate.health_checks {
        if let Some(service) =
            check.follows.as_ref().filter(|it| !estate.services.contains_key(*it))
        {
            let message = format!(
                "health check `{key}` follows service `{service}`, which the estate has not"
            );
            p.error("DR004", span, message);
        }
    }
    for (environment, found) in &estate.environments {
        let unknown = |what: &str, key: &str| {
            format!("environment `{environment}` changes {what} `{key}`, which the estate has not")
        };
        for (key, changes) in &found.zones {
            let Some(zone) = estate.zones.get(key) else {
                p.error("DR004", span, unknown("zone", key));
                continue;
            };
            for name in changes.records.keys().filter(|name| !zone.records.contains_key(*name)) {
                p.error("DR004", span, unknown("record", name));
            }
        }
        for key in found.health_checks.keys().filter(|key| !estate.health_checks.contains_key(*key))
        {
            p.error("DR004", span, unknown("health check", key));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::estate::{AliasTarget, load};

    fn file(rest: &str) -> String {
        format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: x\ndatabases: {{ orders: {{ instance: o }} }}\n\
             {rest}environments:\n  sim: {{ type: simulated, account: \"123456789012\", region: \
             us-east-1, zones: {{ public: {{ id: Z9, records: {{ east: {{ values: [192.0.2.9], weight: \
             7 }} }} }} }} }}\n"
        )
    }

    const GOOD: &str = r#"services: { api: { cluster: c, task_definition: "api:2", desired: 1 } }
health_checks: { east: { id: h-1, host: api.x.example, follows: api } }
zones:
  public:
    id: /hostedzone/Z1
    name: X.example.
    records:
      east: { name: api.x.example, type: A, values: [192.0.2.1], set_identifier: e, weight: 1, health_check: east }
      db: { name: db.x.example, type: CNAME, ttl: 30, database: orders }
      www: { name: x.example, type: A, alias: { zone: Z35, name: Lb.Example., evaluate_health: true } }
"#;

    #[test]
    fn zones_are_read_and_changed_by_environments() {
        let estate = load("x.yaml", &file(GOOD)).unwrap_or_else(|problems| panic!("{problems}"));
        let zone = &estate.zones["public"];
        assert_eq!((zone.id.as_str(), zone.name.as_str()), ("Z1", "x.example"));
        assert_eq!(zone.records["www"].values, ["alias:Z35:lb.example:evaluate"]);
        assert_eq!(zone.records["db"].ttl, 30);
        let here = estate.zone_in("public", &estate.environments["sim"]).expect("a zone");
        let east = &here.records["east"];
        assert_eq!((here.id.as_str(), east.weight, east.ttl), ("Z9", Some(7), 60));
        assert_eq!(east.values, ["192.0.2.9"]);
        assert_eq!(estate.health_checks["east"].failure_threshold, 3);
    }

    #[test]
    fn every_problem_is_named() {
        let bad = r#"health_checks: { h: { id: h-1, interval: 20s, failure_threshold: 11, typ: TCP } }
zones:
  public:
    id: Z1
    name: x.example
    records:
      a: { name: api.y.example, type: A, values: [no] }
      b: { name: b.x.example, type: TXT, values: [bare], weight: 256 }
      c: { name: c.x.example, type: CNAME }
      d: { name: d.x.example, type: CNAME, database: stock, health_check: none }
      e: { name: e.x.example, type: SOA, values: [x] }
  other: { id: Z1, name: y.example }
"#;
        let shown = load("x.yaml", &file(bad)).expect_err("invalid").to_string();
        for part in [
            "`interval` must be 10s or 30s",
            "`failure_threshold` must be 1 to 10, found 11",
            "did you mean `type`",
            "record `api.y.example` does not lie in zone `x.example`",
            "`no` is no value of a record of type A",
            "`bare` is no value of a record of type TXT",
            "`weight` must be 0 to 255, found 256",
            "needs one of `values`, `alias` and `database`",
            "field `type`: expected one of",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn references_are_checked_once_the_file_is_read() {
        let bad = "zones:\n  public: { id: Z1, name: x.example, records: { d: { name: d.x.example, type: \
                   CNAME, database: stock, health_check: none } } }\n  other: { id: Z1, name: y.example }\n";
        let shown = load("x.yaml", &file(bad)).expect_err("invalid").to_string();
        for part in [
            "there is no database `stock`",
            "there is no health check `none`",
            "zones `other` and `public` have one id",
            "changes record `east`, which the estate has not",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn aliases_are_one_text() {
        for text in ["alias:Z35:lb.example", "alias:Z35:lb.example:evaluate"] {
            assert_eq!(AliasTarget::parse(text).map(|target| target.text()).as_deref(), Some(text));
        }
        for text in
            ["", "192.0.2.1", "alias:", "alias:Z35", "alias:Z35:x:y", "alias:Z35:x:evaluate:"]
        {
            assert_eq!(AliasTarget::parse(text), None, "{text}");
        }
    }
}
