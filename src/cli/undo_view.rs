//! What ending a run means, for people before they decide.
//!
//! **Invariant:** everything shown comes from the one function that the run itself follows.

use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::engine::UndoPlan;
use crate::journal::fold::RunState;
use crate::plan::model::{Plan, PlannedStep, Role};
use serde_json::{Value as Json, json};

/// Most steps that never run and are named; items of one step are one.
const MOST_NAMES: usize = 12;

/// What becomes of the run's steps when it is aborted, several lines. Without `undo` what could be undone
/// stays.
pub(super) fn ending_text(plan: &Plan, state: &RunState, found: &UndoPlan, undo: bool) -> String {
    let mut lines =
        vec![format!("aborting run {} of {} in {}:", plan.run, plan.title, plan.environment.name)];
    let irreversible: Vec<&StepKey> = found.irreversible.iter().collect();
    section("irreversible", "cannot be undone", plan, &irreversible, &mut lines);
    if let Some(step) = irreversible.iter().find(|step| has_role(plan, step, Role::Promotion)) {
        lines.push(format!(
            "  STAYS         {step} made another writer: the service stays in its new place, with whatever \
             brings users there; the way home is a runbook that fails back"
        ));
    }
    let (asking, working): (Vec<StepKey>, Vec<StepKey>) =
        under_way(plan, state).into_iter().partition(|key| state.steps[key].question.is_some());
    if !working.is_empty() {
        let what = "what is in flight ends first, and what it made is looked at";
        lines.push(format!("  under way     {}: {what}", names(&working)));
    }
    if !asking.is_empty() {
        lines.push(format!("  not asked     {}: needs no answer any more", names(&asking)));
    }
    if undo {
        waves(plan, found, &mut lines);
    } else {
        let kept: Vec<&StepKey> = found.steps().collect();
        section("stays", "could be undone", plan, &kept, &mut lines);
    }
    let (kept, left): (Vec<&StepKey>, Vec<&StepKey>) =
        found.left.iter().partition(|step| found.kept_by.contains_key(*step));
    section("left behind", "nothing undoes it", plan, &left, &mut lines);
    for step in kept {
        let above = &found.kept_by[step];
        let why = match comes_before(plan, above, step) {
            true => format!("not undone: it serves what {above} made, which stays"),
            false => format!("not undone: {above} stands on it and stays"),
        };
        section("left behind", &why, plan, &[step], &mut lines);
    }
    let always: Vec<&StepKey> = found.always.iter().collect();
    section("runs anyway", "always", plan, &always, &mut lines);
    let never = never_run(plan, state);
    if !never.is_empty() {
        lines.push(format!("  never runs    {}", listed(&never, MOST_NAMES)));
    }
    lines.join("\n")
}

/// The same for programs.
pub(super) fn ending_json(plan: &Plan, state: &RunState, found: &UndoPlan, undo: bool) -> String {
    let waves = if undo { found.undo.as_slice() } else { [].as_slice() };
    let stays: Vec<&StepKey> = if undo { Vec::new() } else { found.steps().collect() };
    let one = |step: &StepKey| -> Json {
        let planned = planned(plan, step);
        json!({ "step": step, "undo": planned.and_then(|step| step.undo.as_ref()) })
    };
    let undone: Vec<Vec<Json>> = waves.iter().map(|wave| wave.iter().map(one).collect()).collect();
    let document = json!({
        "schema_version": 1, "run": plan.run, "environment": plan.environment.name,
        "under_way": under_way(plan, state), "undo": undone, "stays": stays,
        "irreversible": found.irreversible, "left": found.left,
        "kept_by": found.kept_by, "always": found.always,
        "never_runs": never_run(plan, state),
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

/// What is undone, one line a step; those of one number at the same time.
fn waves(plan: &Plan, found: &UndoPlan, lines: &mut Vec<String>) {
    if found.undo.is_empty() {
        lines.push("  undone        nothing".to_owned());
    }
    let mut label = "undone";
    for (place, wave) in found.undo.iter().enumerate() {
        let together = if wave.len() > 1 { ", at the same time" } else { "" };
        for step in wave {
            let undo = planned(plan, step).and_then(|step| step.undo.as_deref()).unwrap_or("?");
            lines.push(format!("  {label:<13} {}. {step} by {undo}{together}", place + 1));
            label = "";
        }
    }
}

fn section(label: &str, why: &str, plan: &Plan, steps: &[&StepKey], lines: &mut Vec<String>) {
    let mut label = label;
    for step in steps {
        let title = planned(plan, step).map_or("", |step| step.title.as_str());
        let title = if title.is_empty() || title == step.as_str() {
            String::new()
        } else {
            format!(": {title}")
        };
        lines.push(format!("  {label:<13} {step} ({why}){title}"));
        label = "";
    }
}

fn has_role(plan: &Plan, key: &StepKey, role: Role) -> bool {
    planned(plan, key).is_some_and(|step| step.role == role)
}

fn comes_before(plan: &Plan, first: &StepKey, second: &StepKey) -> bool {
    let place = |key: &StepKey| plan.steps.iter().position(|step| step.key == *key);
    place(first) < place(second)
}

fn planned<'a>(plan: &'a Plan, key: &StepKey) -> Option<&'a PlannedStep> {
    plan.steps.iter().find(|step| step.key == *key)
}

/// Steps that have begun and not ended.
fn under_way(plan: &Plan, state: &RunState) -> Vec<StepKey> {
    let begun = |step: &&PlannedStep| {
        let found = &state.steps[&step.key];
        !found.status.is_over() && found.started_at.is_some()
    };
    plan.steps.iter().filter(begun).map(|step| step.key.clone()).collect()
}

/// Steps that have not begun and never will.
fn never_run(plan: &Plan, state: &RunState) -> Vec<StepKey> {
    let waits = |step: &&PlannedStep| {
        let found = &state.steps[&step.key];
        !step.always && !found.status.is_over() && found.started_at.is_none()
    };
    plan.steps.iter().filter(waits).map(|step| step.key.clone()).collect()
}

fn names(steps: &[StepKey]) -> String {
    steps.iter().map(StepKey::as_str).collect::<Vec<_>>().join(", ")
}
