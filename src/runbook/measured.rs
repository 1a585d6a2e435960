//! Reads `measure`, and checks that the steps that it names can be measured.
//!
//! **Invariant:** a field that names no step is absent, and never an empty list.

use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::{Fields, Kind, Node};
use crate::runbook::codes;
use crate::runbook::references::World;
use crate::runbook::shape::MEASURE;
use std::collections::{BTreeMap, BTreeSet};

/// The steps that each field of `measure` names, and where.
pub(crate) type Measured = BTreeMap<&'static str, Vec<(String, Span)>>;

/// Fields of `measure`.
const MEASURES: [&str; 3] = ["recovered", "recovery_point", "restored"];

/// Reads the field `measure` of a runbook.
pub(crate) fn read(f: &mut Fields<'_>, p: &mut Problems) -> Measured {
    let Some(node) = f.node("measure") else { return Measured::new() };
    let mut f = Fields::of(node, "measure", p).shaped(&MEASURE);
    let mut measured = Measured::new();
    for name in MEASURES {
        let steps = f.node(name).map(|node| steps(name, node, p)).unwrap_or_default();
        if !steps.is_empty() {
            measured.insert(name, steps);
        }
    }
    f.finish(p);
    measured
}

/// One id, or a list of them.
fn steps(field: &str, node: &Node, p: &mut Problems) -> Vec<(String, Span)> {
    let nodes = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        p.error("DR004", node.span, format!("field `{field}`: the list names no step"))
            .help("name a step, or leave the field out");
    }
    let mut steps = Vec::new();
    for node in nodes {
        if let Kind::Text(id) = &node.kind {
            steps.push((id.clone(), node.span));
        } else {
            let found = node.kind_name();
            let message =
                format!("field `{field}`: expected a step id or a list of them, found {found}");
            p.error("DR004", node.span, message);
        }
    }
    steps
}

/// Checks that the steps are there and give what is measured.
pub(crate) fn check(measured: &Measured, world: &World<'_>, p: &mut Problems) {
    for (what, steps) in measured {
        let mut seen = BTreeSet::new();
        for (id, span) in steps {
            if seen.insert(id) {
                check_one(what, id, *span, world, p);
            } else {
                p.error(codes::MEASURE, *span, format!("`{what}` names step `{id}` twice"))
                    .help("name it once");
            }
        }
    }
}

fn check_one(what: &str, id: &str, span: Span, world: &World<'_>, p: &mut Problems) {
    // A called runbook's own checks say whether the step can be measured.
    let child = id.split_once('/').and_then(|(call, rest)| {
        let called = world.called.get(world.positions.get(call)?)?;
        called.steps.iter().find(|step| step.id == rest)
    });
    if child.is_some() {
        return;
    }
    let Some(position) = world.positions.get(id).copied() else {
        let problem = p.error(codes::MEASURE, span, format!("there is no step `{id}`"));
        if let Some(help) = world.suggest(id, world.positions.keys()) {
            problem.help(help);
        }
        return;
    };
    let Some(spec) = world.specs[position] else { return };
    let has = |name: &str| spec.output(name).is_some();
    let (missing, help) = match what {
        "recovery_point" if !has("newest_at") && !has("recovery_point") => (
            "output `newest_at` or `recovery_point`",
            "name a step that uses `sql.heartbeat` or `s3.compare`",
        ),
        "restored" if !has("restore_time") && spec.input("restore_time").is_none() => {
            ("input or output `restore_time`", "name a step that restores")
        }
        _ => return,
    };
    let message = format!("step `{id}` uses `{}`, which has no {missing}", spec.name);
    p.error(codes::MEASURE, span, message).help(help);
}
