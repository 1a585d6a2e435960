//! The three verdicts: was it restored, was it validated, was it cleaned up.
//!
//! **Invariant:** a part succeeded only if a step of it did and none of it failed, was taken back, was
//! left out for want of something, or is still to come.

use crate::journal::event::SkipReason;
use crate::journal::fold::{RunState, StepState, StepStatus};
use crate::plan::model::{Phase, Plan, PlannedStep, Trace};
use crate::report::audit::{Part, PartStatus};
use crate::report::steps::{pairs, skip_reason, skipped_for_want};

/// The action that provides a backup: nothing is restored by it.
const BACKUP: &str = "rds.create_snapshot";

/// Restore, validation and clean-up, in this order.
pub fn parts(plan: &Plan, state: &RunState) -> Vec<Part> {
    let pairs = pairs(plan, state);
    let of = |name: &str, phases: &[Phase]| {
        let belongs = |step: &PlannedStep| {
            phases.contains(&step.phase) && step.uses != BACKUP && is_work(step)
        };
        let steps: Vec<_> = pairs.iter().filter(|(step, _)| belongs(step)).copied().collect();
        let (mut status, mut why) = judge(&steps, state.finished.is_some());
        // That a command ended well says nothing of a database, unless its author calls it a check.
        let unseen = !phases.contains(&Phase::Verify)
            && steps.iter().all(|(step, _)| step.trace == Trace::Answered);
        if unseen && status == PartStatus::Succeeded {
            status = PartStatus::NotPlanned;
            why = "only commands ran, and what they did was not looked at".to_owned();
        }
        Part { name: name.to_owned(), status, steps: steps.len() as u64, why }
    };
    let mut parts = vec![
        // Replaying logs belongs to restoring: before it the data is not there.
        of("restore", &[Phase::Provision, Phase::Replay]),
        of("validation", &[Phase::Verify]),
        of("clean_up", &[Phase::Cleanup]),
    ];
    // What could not be taken back is left behind, whichever phase made it.
    if let Some((step, found)) =
        pairs.iter().find(|(_, found)| found.status == StepStatus::UndoFailed)
        && let Some(cleanup) = parts.last_mut()
    {
        cleanup.status = PartStatus::Failed;
        cleanup.why = format!("undo of {}: {}", step.key, message(found));
    }
    parts
}

/// Whether the step does or checks something: a notice and a gate do neither.
fn is_work(step: &PlannedStep) -> bool {
    step.trace != Trace::BestEffort && step.gate.is_none()
}

fn message(step: &StepState) -> &str {
    let error = step.undo_error.as_ref().or(step.error.as_ref());
    error.map_or("no reason recorded", |error| &error.message)
}

type Pair<'a> = (&'a PlannedStep, &'a StepState);

fn judge(steps: &[Pair<'_>], ended: bool) -> (PartStatus, String) {
    let find = |wanted: &dyn Fn(&StepState) -> bool| {
        steps
            .iter()
            .find(|(_, found)| wanted(found))
            .map(|(step, found)| (step.key.as_str(), *found))
    };
    if steps.is_empty() {
        return (PartStatus::NotPlanned, "the runbook has no step for it".to_owned());
    }
    if let Some((key, found)) = find(&|found| found.error.is_some()) {
        return (PartStatus::Failed, format!("{key}: {}", message(found)));
    }
    if let Some((key, found)) = find(&|found| found.status == StepStatus::UndoFailed) {
        return (PartStatus::Failed, format!("undo of {key}: {}", message(found)));
    }
    if let Some((key, _)) = find(&|found| found.status == StepStatus::Undoing) {
        return (PartStatus::NotReached, format!("{key}: its undo has not ended"));
    }
    if let Some((key, _)) = find(&|found| found.status == StepStatus::Undone) {
        return (PartStatus::Undone, format!("{key} was taken back"));
    }
    if let Some((key, found)) = find(&|found| !found.status.is_over()) {
        let stands = if ended { "never ran" } else { found.status.name() };
        return (PartStatus::NotReached, format!("{key}: {stands}"));
    }
    let reason = |found: &StepState| found.skip.as_ref().map(skip_reason).unwrap_or_default();
    let cut_off = |found: &StepState| match found.skip {
        Some(
            SkipReason::Upstream { .. } | SkipReason::Stopped { .. } | SkipReason::Aborted { .. },
        ) => true,
        None
        | Some(
            SkipReason::Condition { .. } | SkipReason::Nothing { .. } | SkipReason::Operator { .. },
        ) => false,
    };
    if let Some((key, found)) = find(&cut_off) {
        return (PartStatus::NotReached, format!("{key}: {}", reason(found)));
    }
    if let Some((key, found)) = find(&skipped_for_want) {
        return (PartStatus::Skipped, format!("{key}: {}", reason(found)));
    }
    let done = steps.iter().filter(|(_, found)| found.status.is_success()).count();
    if done == 0 {
        let why = find(&|found| found.skip.is_some());
        let why = why.map(|(key, found)| format!("{key}: {}", reason(found)));
        return (PartStatus::Skipped, why.unwrap_or_default());
    }
    let warned = steps.iter().filter(|(_, found)| found.status == StepStatus::Warned).count();
    let mut why = format!("{done} of {} steps succeeded", steps.len());
    if warned > 0 {
        why.push_str(&format!(", {warned} with a warning"));
    }
    if done < steps.len() {
        why.push_str(", the others were left out by their conditions");
    }
    (PartStatus::Succeeded, why)
}
