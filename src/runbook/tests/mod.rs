//! Tests of the runbook language, with actions declared like those of the catalogue.

mod documents;
mod drawing;
mod explain;
mod expressions;
mod fuzz;
mod gates;
mod lint;
mod oracle;
mod order;
mod places;
mod properties;
mod shipped;

use crate::action::spec::ActionKind::{Check, Mutation};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::Type;
use crate::runbook::Actions;
use std::time::Duration;

/// The actions of these tests.
pub(crate) struct TestActions(Vec<ActionSpec>);

impl Actions for TestActions {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.0.iter().find(|spec| spec.name == name)
    }
    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|spec| spec.name).collect()
    }
}

fn spec(
    name: &'static str,
    kind: ActionKind,
    inputs: Vec<Field>,
    outputs: Vec<Field>,
) -> ActionSpec {
    ActionSpec {
        name,
        summary: "of a test",
        kind,
        inputs,
        outputs,
        calls: &[],
        effects: &[],
        reversibility: Reversibility::ReadOnly,
        role: Role::None,
        by_hand: "# nothing",
        default_timeout: Duration::from_secs(60),
        poll_every: Duration::from_secs(1),
    }
}

fn need(name: &'static str, kind: Type) -> Field {
    Field::required(name, kind, "of a test")
}

fn may(name: &'static str, kind: Type) -> Field {
    Field::optional(name, kind, "of a test")
}

fn rows() -> Type {
    Type::List(Box::new(Type::Map(Box::new(Type::Any))))
}

const PACKS: &[&str] = &["reachable", "primary", "extensions", "indexes", "amcheck", "write_probe"];

/// Inputs that all SQL checks have, and more.
fn sql(more: Vec<Field>) -> Vec<Field> {
    let mut inputs = vec![
        need("instance", Type::String),
        may("database", Type::String),
        may("user", Type::String),
        may("secret", Type::String),
    ];
    inputs.extend(more);
    inputs
}

/// Actions as the catalogue declares them.
pub(crate) fn actions() -> TestActions {
    let mut list = rds();
    list.extend(others());
    TestActions(list)
}

fn rds() -> Vec<ActionSpec> {
    vec![
        spec(
            "rds.check_source",
            Check,
            vec![need("instance", Type::String), may("restore_time", Type::Any)],
            vec![
                need("instance", Type::String),
                need("resource_id", Type::String),
                need("engine_version", Type::String),
                need("encrypted", Type::Bool),
                need("latest_restorable_time", Type::Time),
                need("earliest_restorable_time", Type::Time),
                need("restore_time", Type::Time),
            ],
        ),
        spec(
            "rds.restore_to_point_in_time",
            Mutation,
            vec![
                need("source", Type::String),
                may("restore_time", Type::Any),
                may("class", Type::String),
                may("security_groups", Type::texts()),
                may("subnet_group", Type::String),
                may("parameter_group", Type::String),
                may("multi_az", Type::Bool),
                may("deletion_protection", Type::Bool),
                may("log_exports", Type::texts()),
                may("wait_for", Type::OneOf(&["available", "hydrated"])),
            ],
            vec![
                need("instance", Type::String),
                need("endpoint_host", Type::String),
                need("endpoint_port", Type::Int),
                need("restore_time", Type::Time),
                may("storage_percent", Type::Int),
            ],
        ),
        spec("rds.delete_instance", Mutation, vec![need("instance", Type::String)], vec![]),
    ]
}

fn others() -> Vec<ActionSpec> {
    vec![
        spec(
            "sql.check",
            Check,
            sql(vec![
                may("region", Type::String),
                may("pack", Type::List(Box::new(Type::OneOf(PACKS)))),
                may("extensions", Type::texts()),
                may("rows", rows()),
                may("queries", rows()),
            ]),
            vec![],
        ),
        spec(
            "sql.heartbeat",
            Check,
            sql(vec![may("max_age", Type::Duration)]),
            vec![may("newest_at", Type::Time), may("loss_ms", Type::Int)],
        ),
        spec(
            "test.echo",
            Mutation,
            vec![
                may("text", Type::String),
                may("number", Type::Int),
                may("ratio", Type::Float),
                may("at", Type::Time),
                may("for", Type::Duration),
                may("password", Type::Secret),
                may("any", Type::Any),
                may(
                    "record",
                    crate::runbook::scope::record_type([
                        ("name", Type::String),
                        ("size", Type::Int.or_null()),
                    ]),
                ),
            ],
            vec![need("text", Type::String), need("list", Type::texts())],
        ),
    ]
}
