//! The guards of a runbook, and the runbook without one of them.
//!
//! **Invariant:** a guard is removed from the file's own tree, and the rest is read again by the reader
//! of files: what the language refuses to do without is no guard that a rehearsal must notice.

use super::place::Places;
use crate::action::Catalogue;
use crate::action::spec::{ActionKind, WaitsFor};
use crate::base::diagnostic::Severity;
use crate::base::ids::frame_of;
use crate::base::yaml::{self, Kind, Node};
use crate::runbook::{OnFailure, Runbook, Step, load_runbook_in};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// What is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// The whole step; those that need it need what it needed.
    Step,
    /// One field of the step.
    Field(&'static str),
    /// One of the steps that it needs.
    Need(String),
}

/// Something in a runbook that keeps a run from going wrong.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// The step.
    pub step: String,
    /// In words: `the check`, `needs: verify`.
    pub words: String,
    /// Where it stands.
    pub place: String,
    /// What is removed.
    pub removal: Removal,
    /// Whether it is a wait: then the run's length tells whether it is there.
    pub waits: bool,
}

/// All guards of `runbook`, in file order.
pub(super) fn guards(runbook: &Runbook, catalogue: &Catalogue) -> Vec<Guard> {
    let places = Places::of(runbook);
    // Those of called runbooks stand in files of their own, and are rehearsed there.
    let own = |step: &&Step| frame_of(&step.id).is_empty();
    let mut steps: Vec<&Step> = runbook.steps.iter().filter(own).collect();
    steps.sort_by_key(|step| step.span.line);
    let mut guards = Vec::new();
    for step in steps {
        let mut add = |words: String, field: Option<&str>, removal: Removal, waits: bool| {
            let place = places.of_field(&step.id, field);
            guards.push(Guard { step: step.id.clone(), words, place, removal, waits });
        };
        match catalogue.spec(&step.uses).map(|spec| spec.kind) {
            Some(ActionKind::Check) => add("the check".to_owned(), None, Removal::Step, false),
            Some(ActionKind::Gate(WaitsFor::Person)) => {
                add("the gate".to_owned(), None, Removal::Step, false);
            }
            Some(ActionKind::Gate(WaitsFor::Time)) => {
                add("the wait".to_owned(), None, Removal::Step, true);
            }
            Some(ActionKind::Mutation | ActionKind::Command | ActionKind::Notice) | None => {}
        }
        if let Some(when) = &step.when {
            add(format!("when: {}", when.text()), Some("when"), Removal::Field("when"), false);
        }
        // That a call ends with its steps is no guard of this file.
        for need in step.needs.iter().filter(|need| !step.children.contains(need)) {
            let words = format!("needs: {need}");
            add(words, Some("needs"), Removal::Need(need.clone()), false);
        }
        if step.always {
            add("always".to_owned(), Some("always"), Removal::Field("always"), false);
        }
        if matches!(step.on_failure, OnFailure::Undo | OnFailure::Ask) {
            let words = format!("on_failure: {}", step.on_failure.name());
            add(words, Some("on_failure"), Removal::Field("on_failure"), false);
        }
    }
    guards
}

/// The step through which `guard`'s step waits anyway for what the guard says, when there is one.
pub(super) fn redundant<'a>(runbook: &'a Runbook, guard: &Guard) -> Option<&'a str> {
    let Removal::Need(need) = &guard.removal else { return None };
    let others = runbook.step(&guard.step)?.needs.iter().filter(|other| *other != need);
    let mut due: Vec<(&str, &str)> = others.map(|id| (id.as_str(), id.as_str())).collect();
    let mut seen = BTreeSet::new();
    while let Some((through, id)) = due.pop() {
        if id == need {
            return Some(through);
        }
        if seen.insert(id)
            && let Some(step) = runbook.step(id)
        {
            due.extend(step.needs.iter().map(|next| (through, next.as_str())));
        }
    }
    None
}

/// `runbook` without `guard`.
///
/// # Errors
/// Why it is not valid without it.
pub(super) fn without(
    runbook: &Runbook,
    guard: &Guard,
    catalogue: &Catalogue,
) -> Result<Runbook, String> {
    let tree = yaml::parse(&runbook.file, &runbook.text).map_err(|_| "unreadable".to_owned())?;
    let mut tree = json(&tree);
    if let Some(steps) = tree.get_mut("steps").and_then(Json::as_array_mut) {
        let named = |step: &Json| step["id"].as_str() == Some(&guard.step);
        if guard.removal == Removal::Step {
            let gone = steps.iter().find(|step| named(step));
            let needs = gone.and_then(|step| step["needs"].as_array());
            let bridge = needs.cloned().unwrap_or_default();
            steps.retain(|step| !named(step));
            steps.iter_mut().for_each(|step| bridge_needs(step, &guard.step, &bridge));
        } else if let Some(step) = steps.iter_mut().find(|step| named(step)) {
            remove(step, &guard.removal);
        }
    }
    if guard.removal == Removal::Step
        && let Some(measure) = tree.get_mut("measure").and_then(Json::as_object_mut)
    {
        measure.retain(|_, value| !forget(value, &guard.step));
    }
    let text = serde_json::to_string(&tree).expect("a tree of plain data");
    match load_runbook_in(&runbook.file, &text, catalogue, &runbook.called) {
        // Places are the original's: nobody sees the file that was never written.
        Ok((changed, _)) => Ok(Runbook { text: runbook.text.clone(), ..changed }),
        Err(problems) => {
            let sorted = problems.sorted();
            let error = sorted.iter().find(|it| it.severity == Severity::Error);
            let first = error.map(|it| format!("{}: {}", it.code, it.message));
            Err(first.unwrap_or_else(|| "it is not valid".to_owned()))
        }
    }
}

fn remove(step: &mut Json, removal: &Removal) {
    let Some(step) = step.as_object_mut() else { return };
    match removal {
        Removal::Step => {}
        Removal::Field(field) => drop(step.remove(*field)),
        Removal::Need(need) => {
            if let Some(needs) = step.get_mut("needs").and_then(Json::as_array_mut) {
                needs.retain(|other| other.as_str() != Some(need));
            }
        }
    }
}

/// Whoever needs `gone` needs what `gone` needed.
fn bridge_needs(step: &mut Json, gone: &str, bridge: &[Json]) {
    let Some(needs) = step.get_mut("needs").and_then(Json::as_array_mut) else { return };
    let before = needs.len();
    needs.retain(|need| need.as_str() != Some(gone));
    if needs.len() < before {
        for need in bridge {
            if !needs.contains(need) {
                needs.push(need.clone());
            }
        }
    }
}

/// Takes a step out of a measure; whether nothing of the measure is left.
fn forget(value: &mut Json, gone: &str) -> bool {
    match value {
        Json::Array(steps) => {
            steps.retain(|step| step.as_str() != Some(gone));
            steps.is_empty()
        }
        other => other.as_str() == Some(gone),
    }
}

/// The tree as JSON, which is YAML too.
fn json(node: &Node) -> Json {
    match &node.kind {
        Kind::Null => Json::Null,
        Kind::Bool(value) => Json::Bool(*value),
        Kind::Int(value) => Json::from(*value),
        Kind::Float(value) => Json::from(*value),
        Kind::Text(text) => Json::from(text.as_str()),
        Kind::List(items) => Json::Array(items.iter().map(json).collect()),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.name.clone(), json(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}
