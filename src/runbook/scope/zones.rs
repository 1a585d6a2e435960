//! Zones, records and health checks as expressions see them: `estate.zones[…]`, `estate.health_checks[…]`.
//!
//! **Invariant:** a record whose value only AWS knows has unknown values, never none.

use super::{record, record_type};
use crate::base::value::{Type, Value};
use crate::estate::{Environment, Estate, HealthCheck, Zone, ZoneRecord};

/// `estate.zones`.
pub(super) fn zones(estate: &Estate, environment: &Environment) -> Value {
    let zones = estate.zones.keys();
    let found = zones.filter_map(|key| Some((key.clone(), estate.zone_in(key, environment)?)));
    Value::Map(found.map(|(key, zone)| (key, zone_value(&zone, estate, environment))).collect())
}

/// `estate.health_checks`.
pub(super) fn health_checks(estate: &Estate, environment: &Environment) -> Value {
    let found = estate.health_checks.keys().filter_map(|key| {
        let check = estate.health_check_in(key, environment)?;
        Some((key.clone(), check_value(&check)))
    });
    Value::Map(found.collect())
}

fn zone_value(zone: &Zone, estate: &Estate, environment: &Environment) -> Value {
    let records = zone.records.iter();
    let records =
        records.map(|(key, found)| (key.clone(), record_value(found, estate, environment)));
    record([
        ("id", Value::text(&zone.id)),
        ("name", Value::text(&zone.name)),
        ("private", Value::Bool(zone.private)),
        ("records", Value::Map(records.collect())),
    ])
}

fn record_value(found: &ZoneRecord, estate: &Estate, environment: &Environment) -> Value {
    let values = match &found.database {
        Some(database) => Value::Unknown(format!(
            "the value of `{}` is the endpoint of database `{database}`, which AWS gives",
            found.name
        )),
        None => found.values.clone().into(),
    };
    let check = found.health_check.as_ref();
    let check = check.and_then(|key| estate.health_check_in(key, environment));
    record([
        ("name", Value::text(&found.name)),
        ("type", Value::text(&found.kind)),
        ("ttl", Value::Int(found.ttl.into())),
        ("values", values),
        ("database", Value::optional(found.database.clone())),
        ("set_identifier", Value::optional(found.set_identifier.clone())),
        ("weight", Value::optional(found.weight.map(i64::from))),
        ("failover", Value::optional(found.failover.clone())),
        ("health_check", Value::optional(check.map(|check| check.id))),
    ])
}

fn check_value(check: &HealthCheck) -> Value {
    record([
        ("id", Value::text(&check.id)),
        ("type", Value::text(&check.kind)),
        ("host", Value::optional(check.host.clone())),
        ("port", Value::optional(check.port.map(i64::from))),
        ("path", Value::optional(check.path.clone())),
        ("interval", Value::Duration(check.interval)),
        ("failure_threshold", Value::Int(check.failure_threshold.into())),
        ("inverted", Value::Bool(check.inverted)),
        ("disabled", Value::Bool(check.disabled)),
        ("follows", Value::optional(check.follows.clone())),
    ])
}

/// Type of `estate.zones`.
pub(super) fn zones_type() -> Type {
    let text = || Type::String;
    let found = record_type([
        ("name", text()),
        ("type", text()),
        ("ttl", Type::Int),
        ("values", Type::texts()),
        ("database", text().or_null()),
        ("set_identifier", text().or_null()),
        ("weight", Type::Int.or_null()),
        ("failover", text().or_null()),
        ("health_check", text().or_null()),
    ]);
    let zone = record_type([
        ("id", text()),
        ("name", text()),
        ("private", Type::Bool),
        ("records", Type::Map(Box::new(found))),
    ]);
    Type::Map(Box::new(zone))
}

/// Type of `estate.health_checks`.
pub(super) fn health_checks_type() -> Type {
    let text = || Type::String;
    let check = record_type([
        ("id", text()),
        ("type", text()),
        ("host", text().or_null()),
        ("port", Type::Int.or_null()),
        ("path", text().or_null()),
        ("interval", Type::Duration),
        ("failure_threshold", Type::Int),
        ("inverted", Type::Bool),
        ("disabled", Type::Bool),
        ("follows", text().or_null()),
    ]);
    Type::Map(Box::new(check))
}

#[cfg(test)]
mod tests {
    use crate::base::value::Value;
    use crate::estate;
    use crate::runbook::scope::{Scope, root_type};

    #[test]
    fn values_have_the_declared_types() {
        let text = "apiVersion: drctl/v1\nkind: Estate\nname: x\ndatabases: { orders: { instance: o } }\n\
                    health_checks: { east: { id: h-1 } }\nzones:\n  public:\n    id: Z1\n    name: x.example\n    \
                    records:\n      api: { name: api.x.example, type: A, values: [192.0.2.1], set_identifier: \
                    e, weight: 1, health_check: east }\n      db: { name: db.x.example, type: CNAME, database: \
                    orders }\nenvironments:\n  sim: { type: simulated, account: \"123456789012\", region: \
                    us-east-1 }\n";
        let estate = estate::load("x.yaml", text).unwrap_or_else(|problems| panic!("{problems}"));
        let scope = Scope::of([].into()).with_estate(&estate, &estate.environments["sim"]);
        let value = scope.root("estate").expect("a root").clone();
        let kind = root_type("estate").expect("typed");
        let value = value.coerce(&kind).expect("as declared");
        let at = |path: &[&str]| {
            path.iter().fold(value.clone(), |value, key| match value {
                Value::Map(map) => map[*key].clone(),
                other => panic!("{other:?} at {key}"),
            })
        };
        let api = ["zones", "public", "records", "api"];
        assert_eq!(at(&[&api[..], &["health_check"]].concat()), Value::text("h-1"));
        assert_eq!(at(&[&api[..], &["weight"]].concat()), Value::Int(1));
        let db = at(&["zones", "public", "records", "db", "values"]);
        assert!(db.unknown_reason().is_some_and(|why| why.contains("database `orders`")));
        assert_eq!(at(&["health_checks", "east", "failure_threshold"]), Value::Int(3));
    }
}
