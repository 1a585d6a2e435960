//! What must hold of every run, judged from its journal alone.

use super::*;
use crate::journal::fold::APPROVE;

/// Everything that is wrong with a run that ended.
pub(super) fn judge(plan: &Plan, records: &[Record], end: &RunState) -> Vec<String> {
    let mut found = Vec::new();
    let mut state = RunState::default();
    let mut used = BTreeSet::new();
    for record in records {
        let event = &record.event;
        if let Some(step) = event.step() {
            found.extend(
                forbidden(plan, &state, event, step).map(|it| format!("{}: {it}", record.seq)),
            );
        }
        if let Event::CommandTaken { id, .. } | Event::CommandRefused { id, .. } = event
            && !used.insert(id.clone())
        {
            found.push(format!("{}: command {id} was used twice", record.seq));
        }
        if let Err(problem) = state.apply(record) {
            found.push(problem.to_string());
        }
    }
    if state != *end {
        found.push("the journal adds up to something else than the machine's state".to_owned());
    }
    found.extend(at_the_end(plan, end));
    found
}

/// What may not follow in `state`.
fn forbidden(plan: &Plan, state: &RunState, event: &Event, step: &StepKey) -> Option<String> {
    let kind = event.kind();
    let planned = plan.steps.iter().find(|it| it.key == *step)?;
    let stands = &state.steps[step];
    let begins = matches!(kind, "step_started" | "intent_recorded" | "undo_started");
    if begins && state.paused.is_some() {
        return Some(format!("{kind} of {step} in a pause"));
    }
    let forward = stands.status != StepStatus::Undoing && kind != "undo_started";
    if begins && forward && state.aborting.is_some() && !planned.always {
        return Some(format!("{kind} of {step} after the abort"));
    }
    if kind == "undo_started" {
        let above = plan.steps.iter().filter(|it| it.needs.contains(step) && !it.always);
        let stays = |it: &&PlannedStep| {
            let status = state.steps[&it.key].status;
            it.undo.is_some() && (status.is_success() || status == StepStatus::Undoing)
        };
        if let Some(above) = above.into_iter().find(stays) {
            return Some(format!("{step} is undone before {}", above.key));
        }
        let for_good = |it: &&PlannedStep| {
            let stands_on_it = it.needs.contains(step) && !it.always;
            stands_on_it && it.irreversible && state.steps[&it.key].status.is_success()
        };
        if let Some(above) = plan.steps.iter().find(for_good) {
            return Some(format!("{step} is undone, and {} stands on it for good", above.key));
        }
    }
    if let Event::QuestionAnswered { answer, .. } = event
        && let Some(gate) = stands.question.as_ref().and_then(|it| it.gate.as_ref())
        && answer == APPROVE
        && gate.approvals > 1
    {
        let people: BTreeSet<&str> = stands.approvals.iter().map(|one| one.by.key()).collect();
        if people.len() < gate.approvals as usize {
            return Some(format!("{step} opened by {people:?}"));
        }
    }
    None
}

/// What must hold when the run has ended.
fn at_the_end(plan: &Plan, end: &RunState) -> Vec<String> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let stands = &end.steps[&step.key];
        if step.always && stands.started_at.is_none() {
            found.push(format!("{} always runs and did not: {}", step.key, stands.status.name()));
        }
        if stands.question.is_some() {
            found.push(format!("{} still asks", step.key));
        }
    }
    let undo_asked = |step: &PlannedStep| {
        let answer = end.steps[&step.key].answer.as_deref();
        let wanted = step.on_failure == OnFailure::Undo
            || (step.on_failure == OnFailure::Ask && answer == Some("undo"));
        wanted && end.steps[&step.key].error.is_some()
    };
    let failed = end.steps.values().any(|step| step.error.is_some());
    if failed && matches!(end.finished, Some(RunOutcome::Succeeded | RunOutcome::Warned)) {
        found.push(format!("a step failed, and the run ended {:?}", end.finished));
    }
    let undo =
        end.aborting.as_ref().is_some_and(|abort| abort.undo) || plan.steps.iter().any(undo_asked);
    let left = crate::engine::undo_plan(plan, end);
    if undo && !left.undo.is_empty() {
        found.push(format!("the run left what it could have undone: {:?}", left.undo));
    }
    if end.aborting.is_some() && end.finished != Some(RunOutcome::Aborted) {
        found.push(format!("aborted, and it ended {:?}", end.finished));
    }
    found
}
