//! `drctl explain ACTION`: what an action takes and gives.
//!
//! **Invariant:** everything shown is the action's own declaration.

use crate::action::spec::{ActionKind, ActionSpec, Field, Need, Reversibility};
use crate::base::duration::human;
use crate::base::value::Type;
use serde_json::{Value as Json, json};

/// What it declares, for people.
pub(super) fn as_text(spec: &ActionSpec) -> String {
    let back = match spec.reversibility {
        Reversibility::ReadOnly => "nothing to take back",
        Reversibility::UndoneBy { action, .. } => &format!("undone by {action}"),
        Reversibility::Irreversible => "cannot be taken back",
    };
    let reach: Vec<&str> = spec.calls.iter().chain(spec.effects).copied().collect();
    let reach = if reach.is_empty() { "nothing outside".to_owned() } else { reach.join(", ") };
    format!(
        "{} ({}; {back})\n\n{}\n\nInputs (`with:`)\n{}\nOutputs (`steps.ID.outputs.NAME`)\n{}\n\
         Time-out {} when the step sets none\nMay call {reach}\n\nBy hand\n{}",
        spec.name,
        kind(spec.kind),
        spec.summary,
        fields(&spec.inputs),
        fields(&spec.outputs),
        human(spec.default_timeout),
        spec.by_hand.lines().map(|line| format!("  {line}\n")).collect::<String>(),
    )
}

/// What it declares, for programs.
pub(super) fn as_json(spec: &ActionSpec) -> Json {
    let list = |fields: &[Field]| -> Vec<Json> {
        let field = |it: &Field| {
            json!({
                "name": it.name, "type": it.kind.to_string(), "summary": it.summary,
                "required": it.need == Need::Required,
            })
        };
        fields.iter().map(field).collect()
    };
    json!({
        "schema_version": 1, "action": spec.name, "kind": kind(spec.kind), "summary": spec.summary,
        "inputs": list(&spec.inputs), "outputs": list(&spec.outputs), "calls": spec.calls,
        "effects": spec.effects, "by_hand": spec.by_hand,
        "timeout_ms": u64::try_from(spec.default_timeout.as_millis()).unwrap_or(u64::MAX),
    })
}

/// What kind of action it is, in a word.
fn kind(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Check => "check",
        ActionKind::Mutation => "change",
        ActionKind::Command => "command",
        ActionKind::Notice => "notice, best effort",
        ActionKind::Gate(_) => "gate",
    }
}

fn fields(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "  none\n".to_owned();
    }
    let line = |it: &Field| {
        let must = if it.need == Need::Required { "" } else { " (optional)" };
        // That it may be absent is said once.
        let kind = if let Type::Optional(inner) = &it.kind { inner } else { &it.kind };
        format!("  {}: {kind}{must}: {}\n", it.name, it.summary)
    };
    fields.iter().map(line).collect()
}
