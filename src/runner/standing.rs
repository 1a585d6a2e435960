//! How the run stands when a step begins.
//!
//! **Invariant:** a pure function of plan and run state; a step that has begun sees what had ended by
//! then, so that a resumed process tells the same.

use crate::action::{Condition, Standing};
use crate::journal::fold::{RunState, StepState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, RunMode};
use std::time::Duration;

/// The standing of the run as `step` sees it.
pub(super) fn standing(plan: &Plan, state: &RunState, step: &PlannedStep) -> Standing {
    let began = state.steps[&step.key].started_at;
    let over = |found: &StepState| match (found.finished_at, began) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(ended), Some(began)) => ended <= began,
    };
    let others = || {
        let all = plan.steps.iter().filter(|other| other.key != step.key);
        all.map(|other| (other, &state.steps[&other.key])).filter(|(_, found)| over(found))
    };
    // An undone step keeps the error that it failed with.
    let failed: Vec<(String, String)> = others()
        .filter_map(|(other, found)| {
            let error = found.error.as_ref().or(found.undo_error.as_ref())?;
            Some((other.key.to_string(), error.message.clone()))
        })
        .collect();
    let warned = others().any(|(_, found)| found.status == StepStatus::Warned);
    let condition = match (failed.is_empty(), warned) {
        (false, _) => Condition::Failed,
        (true, true) => Condition::Warned,
        (true, false) => Condition::Ok,
    };
    let started = state.started_at.unwrap_or(plan.created_at);
    Standing {
        title: plan.title.clone(),
        drill: match &plan.mode {
            RunMode::Drill { name, .. } => Some(name.clone()),
            RunMode::Run => None,
        },
        condition,
        failed,
        recovery_time: plan.objectives.recovery_time_ms.map(Duration::from_millis),
        since: plan.counted_from().unwrap_or(started),
    }
}
