//! Security groups and exports of the estate in expressions.
//!
//! **Invariant:** values and types have the same fields.

use super::{record, record_type};
use crate::base::value::{Type, Value};
use crate::estate::{Environment, Estate, Ingress};

/// `estate.security_groups`.
pub(super) fn security_groups(estate: &Estate, environment: &Environment) -> Value {
    let found = estate.security_groups.keys().filter_map(|key| {
        let group = estate.security_group_in(key, environment)?;
        let fields = [
            ("id", Value::text(&group.id)),
            ("region", Value::optional(group.region.clone())),
            ("ingress", Value::List(group.ingress.iter().flat_map(rules).collect())),
        ];
        Some((key.clone(), record(fields)))
    });
    Value::Map(found.collect())
}

/// One rule for each source, in the form of the fence's actions.
fn rules(of: &Ingress) -> impl Iterator<Item = Value> + '_ {
    let port = |port: Option<u16>| Value::optional(port.map(i64::from));
    of.sources.iter().map(move |source| {
        record([
            ("protocol", Value::text(&of.protocol)),
            ("from_port", port(of.from_port)),
            ("to_port", port(of.to_port.or(of.from_port))),
            ("source", Value::text(source)),
            ("description", Value::optional(of.description.clone())),
        ])
    })
}

/// The type of it.
pub(super) fn security_groups_type() -> Type {
    let rule = record_type([
        ("protocol", Type::String),
        ("from_port", Type::Int.or_null()),
        ("to_port", Type::Int.or_null()),
        ("source", Type::String),
        ("description", Type::String.or_null()),
    ]);
    let group = record_type([
        ("id", Type::String),
        ("region", Type::String),
        ("ingress", Type::List(Box::new(rule))),
    ]);
    Type::Map(Box::new(group))
}

/// `estate.exports`.
pub(super) fn exports(estate: &Estate, environment: &Environment) -> Value {
    let found = estate.exports.keys().filter_map(|key| {
        let export = estate.export_in(key, environment)?;
        let fields = [
            ("database", Value::text(&export.database)),
            ("bucket", Value::text(&export.bucket)),
            ("prefix", Value::text(&export.prefix)),
            ("every", Value::Duration(export.every)),
            ("region", Value::optional(export.region.clone())),
        ];
        Some((key.clone(), record(fields)))
    });
    Value::Map(found.collect())
}

/// The type of it.
pub(super) fn exports_type() -> Type {
    let export = record_type([
        ("database", Type::String),
        ("bucket", Type::String),
        ("prefix", Type::String),
        ("every", Type::Duration),
        ("region", Type::String),
    ]);
    Type::Map(Box::new(export))
}
