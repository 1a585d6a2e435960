//! Warnings: what a runbook may do and probably should not.
//!
//! **Invariant:** a warning never keeps a runbook from running, and the shipped ones have none.

use crate::action::spec::{ActionKind, ActionSpec, Reversibility, Role};
use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::Node;
use crate::runbook::codes;
use crate::runbook::expression::Expression;
use crate::runbook::measured::Measured;
use crate::runbook::model::{Parameter, Phase};
use crate::runbook::references::World;
use crate::runbook::steps::Draft;
use crate::runbook::syntax::AstKind;
use crate::runbook::template::Template;
use std::collections::BTreeSet;

/// What a runbook declares beside its steps.
pub(crate) struct Declared<'a> {
    pub(crate) parameters: &'a [Parameter],
    pub(crate) measured: &'a Measured,
    /// The node of `objectives`.
    pub(crate) promised: Option<&'a Node>,
    /// `assumes_lost`.
    pub(crate) assumed: Option<&'a Template>,
}

/// Adds all warnings.
pub(crate) fn lint(declared: &Declared<'_>, world: &World<'_>, p: &mut Problems) {
    parameters(declared, world.drafts, p);
    steps(declared.measured, world, p);
    gates(declared.measured, world, p);
    heartbeats(declared.measured, world, p);
    restores(declared.measured, world, p);
    for (objective, measure) in
        [("recovery_time", "recovered"), ("recovery_point", "recovery_point")]
    {
        let promised = declared.promised.and_then(|node| node.field(objective));
        if let (Some((key, _)), None) = (promised, declared.measured.get(measure)) {
            unmeasured(objective, measure, "`measure`", key.span, p);
        }
    }
}

/// Warns of an objective that `what` has no `measure` for.
pub(crate) fn unmeasured(objective: &str, measure: &str, what: &str, span: Span, p: &mut Problems) {
    let message = format!("no step measures `{objective}`: {what} does not name `{measure}`");
    let help = match measure {
        "recovered" => "name the check that proves the service back, as in `recovered: verify`",
        _ => "name a step that uses `sql.heartbeat`, as in `recovery_point: heartbeat`",
    };
    p.warning(codes::UNMEASURED, span, message).help(help);
}

fn expressions(draft: &Draft) -> impl Iterator<Item = &Expression> {
    let step = &draft.step;
    let lists = step.for_each.as_ref().map(|list| &list.items);
    let templates = step.with.values().chain(&step.region).chain(lists);
    templates.flat_map(|template| template.expressions()).chain(&step.when)
}

fn parameters(declared: &Declared<'_>, drafts: &[Draft], p: &mut Problems) {
    let mut used = BTreeSet::new();
    let assumed = declared.assumed.map(Template::expressions).unwrap_or_default();
    for expression in drafts.iter().flat_map(expressions).chain(assumed) {
        if uses_all(expression) {
            return;
        }
        used.extend(expression.members("params"));
    }
    for parameter in declared.parameters {
        if !used.contains(parameter.name.as_str()) {
            let message = format!("parameter `{}` is never used", parameter.name);
            p.warning(codes::UNUSED_PARAMETER, parameter.span, message);
        }
    }
}

/// Whether `params` stands in it without a name after it, so that any of them may be meant.
fn uses_all(expression: &Expression) -> bool {
    let mut roots = 0;
    expression.tree().walk(&mut |node| {
        roots += usize::from(matches!(&node.kind, AstKind::Name(name) if name == "params"));
    });
    roots > expression.members("params").len()
}

fn ids<'a>(steps: impl Iterator<Item = &'a (String, Span)>) -> BTreeSet<&'a str> {
    steps.map(|(id, _)| id.as_str()).collect()
}

fn steps(measured: &Measured, world: &World<'_>, p: &mut Problems) {
    let needed = world.graph.needed();
    let measured = ids(measured.values().flatten());
    for (index, draft) in world.drafts.iter().enumerate() {
        let step = &draft.step;
        // A wait for a fixed while says itself how long it takes.
        let ends = step.uses == "gate.wait_until" && step.with.contains_key("for");
        if step.uses.starts_with("gate.") && step.timeout.is_none() && !ends {
            let message = format!("gate `{}` has no time-out", step.id);
            p.warning(codes::ENDLESS_GATE, draft.uses_span, message)
                .help("say how long it may wait, as in `timeout: 30m`");
        }
        let Some(spec) = world.specs[index] else { continue };
        match spec.kind {
            ActionKind::Check | ActionKind::Gate(_) | ActionKind::Notice => continue,
            ActionKind::Mutation | ActionKind::Command => {}
        }
        // The phase has to be said: `always` alone may be a mistake about what a rejection stops.
        let cleans = draft.phase == Some(Phase::Cleanup) || takes_back(draft, world);
        if let Some(gate) = gate_before(index, world).filter(|_| !cleans) {
            let message = format!("a rejection at `{gate}` does not stop step `{}`", step.id);
            p.warning(codes::PAST_GATE, draft.id_span, message)
                .help("leave `always` out, or say `phase: cleanup` when it only cleans up");
        }
        let leaf = !needed.contains(&index) && !measured.contains(step.id.as_str());
        // A fence ends with what it has seen, in several looks.
        let proves_itself = spec.role == Role::Fence;
        if leaf && !step.always && step.phase != Phase::Cleanup && !proves_itself {
            let message = format!("nothing checks what step `{}` does: no step needs it", step.id);
            p.warning(codes::UNUSED_STEP, draft.id_span, message).help("add a check that needs it");
        }
        let final_act = matches!(spec.reversibility, Reversibility::Irreversible);
        if final_act && !step.irreversible && !takes_back(draft, world) {
            let message = format!("what step `{}` does cannot be undone", step.id);
            p.warning(codes::IRREVERSIBLE, draft.uses_span, message)
                .help("say that it is meant, with `irreversible: true`");
        }
    }
}

/// A gate holds up only the steps that need it.
fn gates(measured: &Measured, world: &World<'_>, p: &mut Problems) {
    let needed = world.graph.needed();
    let measured = ids(measured.values().flatten());
    for (index, draft) in world.drafts.iter().enumerate() {
        let id = draft.step.id.as_str();
        let is_gate = |spec: &ActionSpec| matches!(spec.kind, ActionKind::Gate(_));
        let gate = world.specs[index].is_some_and(is_gate);
        if gate && !needed.contains(&index) && !measured.contains(id) {
            let message = format!("no step waits for gate `{id}`");
            p.warning(codes::UNHEEDED_GATE, draft.id_span, message)
                .help(format!("add `{id}` to the `needs` of the steps that must not begin before"));
        }
    }
}

/// Where one heartbeat proves the recovery point, every other one is of a database that it leaves out.
fn heartbeats(measured: &Measured, world: &World<'_>, p: &mut Problems) {
    let Some(named) = measured.get("recovery_point") else { return };
    let named = ids(named.iter());
    for draft in world.drafts {
        let id = draft.step.id.as_str();
        if draft.step.uses == "sql.heartbeat" && !named.contains(id) {
            let message =
                format!("heartbeat `{id}` counts for nothing: `recovery_point` does not name it");
            let all: Vec<&str> = named.iter().copied().chain([id]).take(4).collect();
            p.warning(codes::UNCOUNTED_HEARTBEAT, draft.uses_span, message)
                .help(format!("name all of them, as in `recovery_point: [{}]`", all.join(", ")));
        }
    }
}

/// What is restored beside the steps that mean recovered may come after them.
fn restores(measured: &Measured, world: &World<'_>, p: &mut Problems) {
    let Some(named) = measured.get("recovered") else { return };
    let Some((_, span)) = named.first() else { return };
    let places: Option<Vec<usize>> =
        named.iter().map(|(id, _)| world.positions.get(id).copied()).collect();
    let Some(places) = places else { return };
    let before = world.graph.with_upstream(places);
    for (index, draft) in world.drafts.iter().enumerate() {
        let step = &draft.step;
        let restores = step.uses.starts_with("rds.restore_");
        let counts = !step.always && step.phase != Phase::Cleanup;
        if restores && counts && !before.contains(&index) {
            let message = format!("`recovered` does not come after restoring step `{}`", step.id);
            p.warning(codes::TOO_EARLY, *span, message).help(
                "name the check of every restored database, as in `recovered: [verify_a, verify_b]`, \
                 or a step that needs them all",
            );
        }
    }
}

/// The first gate upstream of a step that runs whatever became of it.
fn gate_before<'a>(index: usize, world: &World<'a>) -> Option<&'a str> {
    let drafts = world.drafts;
    let mut gates = (0..drafts.len()).filter(|at| drafts[*at].step.uses == "gate.approve");
    if !drafts[index].step.always || !world.graph.is_acyclic() {
        return None;
    }
    let gate = gates.find(|gate| world.graph.is_upstream(*gate, index))?;
    Some(drafts[gate].step.id.as_str())
}

/// Whether the step undoes what a step did whose outputs it names: nothing is lost then that was
/// there before the run.
fn takes_back(draft: &Draft, world: &World<'_>) -> bool {
    let named = draft.step.with.values().flat_map(|template| template.expressions());
    let mut ids = named.flat_map(|expression| expression.members("steps"));
    ids.any(|id| {
        let position = world.positions.get(id).copied();
        match position.and_then(|at| world.specs[at]).map(|spec| spec.reversibility) {
            Some(Reversibility::UndoneBy { action, .. }) => action == draft.step.uses,
            Some(Reversibility::ReadOnly | Reversibility::Irreversible) | None => false,
        }
    })
}
