//! Measurements against promises: recovery time, recovery point, hydration.
//!
//! **Invariant:** what was not measured is `unknown` with its reason; nothing is derived from a claim.

use crate::base::clock::{format_instant, parse_instant};
use crate::base::duration::human;
use crate::journal::fold::{RunState, StepState};
use crate::plan::model::Plan;
use crate::report::model::{
    Hydration, Objective, ObjectiveStatus, RecoveryPoint, Waterfall, WaterfallEnd,
};
use crate::report::waterfall::millis;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::time::Duration;

/// Name of the objective for recovery time.
pub const RECOVERY_TIME: &str = "recovery_time";

/// Name of the objective for the recovery point.
pub const RECOVERY_POINT: &str = "recovery_point";

/// Milliseconds for people.
pub fn human_ms(ms: u64) -> String {
    human(Duration::from_millis(ms))
}

fn instant_of(values: &Json, name: &str) -> Option<DateTime<Utc>> {
    values.get(name)?.as_str().and_then(parse_instant)
}

/// What was lost, proven and claimed.
pub fn recovery_point(plan: &Plan, state: &RunState) -> RecoveryPoint {
    let step = |key: &Option<_>| key.as_ref().and_then(|key| state.steps.get(key));
    let restored = step(&plan.measure.restored);
    let (target_at, target) = target(plan, state, restored);
    let restore_time = restored.filter(|step| step.status.is_success()).and_then(|step| {
        instant_of(&step.outputs, "restore_time").or(instant_of(&step.inputs, "restore_time"))
    });
    let probe = step(&plan.measure.recovery_point);
    let newest_at = probe.and_then(|step| instant_of(&step.outputs, "newest_at"));
    let proven_ms = newest_at.map(|newest| millis(newest, target_at));
    let mut note = match (newest_at, probe) {
        (Some(newest), _) if newest >= target_at => {
            format!("data up to {} was read back: nothing was lost", format_instant(newest))
        }
        (Some(newest), _) => {
            format!("the newest heartbeat read back is of {}", format_instant(newest))
        }
        (None, None) => "unknown: the runbook names no step that reads a heartbeat".to_owned(),
        (None, Some(step)) => no_heartbeat(step),
    };
    if restore_time.zip(newest_at).is_some_and(|(restored, newest)| newest > restored) {
        note.push_str("; that is younger than the restore time: check the clocks and the instance");
    }
    RecoveryPoint {
        target_at,
        target: target.to_owned(),
        restore_time,
        claimed_ms: restore_time.map(|restored| millis(restored, target_at)),
        newest_at,
        proven_ms,
        note,
    }
}

/// The instant that loss is counted from: the disaster, else the restore time that was asked for,
/// else the run's start.
fn target(
    plan: &Plan,
    state: &RunState,
    restored: Option<&StepState>,
) -> (DateTime<Utc>, &'static str) {
    if let Some(disaster) = plan.disaster_at {
        return (disaster, "disaster_at");
    }
    let predicted = &plan.prediction.recovery_point;
    let asked = match (predicted.target.as_str(), predicted.target_at) {
        ("run_start", _) => None,
        ("restore_time", Some(asked)) => Some(asked),
        _ => restored.and_then(|step| instant_of(&step.inputs, "restore_time")),
    };
    let started = state.started_at.unwrap_or_default();
    asked.map_or((started, "run_start"), |asked| (asked, "restore_time"))
}

fn no_heartbeat(step: &StepState) -> String {
    if step.outputs.get("newest_at").is_some() {
        "unknown: no heartbeat was found in the restored data".to_owned()
    } else if step.status.is_over() {
        format!("unknown: the step that reads the heartbeat {}", ended(step))
    } else {
        "unknown: the heartbeat was not read yet".to_owned()
    }
}

fn ended(step: &StepState) -> &'static str {
    use crate::journal::fold::StepStatus as S;
    match step.status {
        S::Failed => "failed",
        S::Skipped => "was skipped",
        S::Succeeded | S::Warned => "reported no time",
        S::Pending | S::Running | S::Undoing | S::Undone | S::UndoFailed => "was undone",
    }
}

/// Promises and measurements.
pub fn objectives(
    plan: &Plan,
    state: &RunState,
    waterfall: &Waterfall,
    point: &RecoveryPoint,
) -> Vec<Objective> {
    vec![time_objective(plan, state, waterfall), point_objective(plan, state, point)]
}

fn time_objective(plan: &Plan, state: &RunState, waterfall: &Waterfall) -> Objective {
    let promised_ms = plan.objectives.recovery_time_ms;
    let recovered = waterfall.to_what == WaterfallEnd::Recovered;
    let measured_ms = recovered.then_some(waterfall.total_ms);
    let mut objective = judge(RECOVERY_TIME, promised_ms, measured_ms, &waterfall.from_what);
    if recovered || objective.status == ObjectiveStatus::NotPromised {
        return objective;
    }
    let over = promised_ms.is_some_and(|promised| waterfall.total_ms > promised);
    let text = human_ms(waterfall.total_ms);
    if plan.measure.recovered.is_none() {
        objective.why = "the runbook names no step that means recovered".to_owned();
    } else if over && state.finished.is_some() {
        objective.status = ObjectiveStatus::Missed;
        objective.why = format!("not recovered {text} after {}", waterfall.from_what);
    } else if state.finished.is_some() {
        objective.why = "the run ended without recovery".to_owned();
    } else {
        objective.why = "the run has not ended".to_owned();
    }
    objective
}

fn point_objective(plan: &Plan, state: &RunState, point: &RecoveryPoint) -> Objective {
    let promised = plan.objectives.recovery_point_ms;
    let mut objective = judge(RECOVERY_POINT, promised, point.proven_ms, &point.target);
    if objective.status == ObjectiveStatus::Unknown {
        let unfinished = state.finished.is_none();
        objective.why =
            if unfinished { "the run has not ended".to_owned() } else { point.note.clone() };
    }
    objective
}

fn judge(name: &str, promised: Option<u64>, measured: Option<u64>, from: &str) -> Objective {
    let (status, why) = match (promised, measured) {
        (None, Some(measured)) => (
            ObjectiveStatus::NotPromised,
            format!("nothing was promised; {} measured from {from}", human_ms(measured)),
        ),
        (None, None) => (ObjectiveStatus::NotPromised, "nothing was promised".to_owned()),
        (Some(_), None) => (ObjectiveStatus::Unknown, "not measured".to_owned()),
        (Some(promised), Some(measured)) if measured <= promised => {
            let left = human_ms(promised - measured);
            (ObjectiveStatus::Met, format!("{left} to spare, from {from}"))
        }
        (Some(promised), Some(measured)) => {
            let over = human_ms(measured - promised);
            (ObjectiveStatus::Missed, format!("{over} too much, from {from}"))
        }
    };
    Objective { name: name.to_owned(), promised_ms: promised, measured_ms: measured, status, why }
}

/// When the restored instance was available, and when its storage was loaded.
pub fn hydration(plan: &Plan, state: &RunState) -> Option<Hydration> {
    let key = plan.measure.restored.as_ref()?;
    let step = state.steps.get(key)?;
    let began = step.started_at?;
    let after = |name: &str| step.milestones.get(name).map(|at| millis(began, *at));
    // Storage that was loaded when it was first looked at was available by then, too.
    let hydrated_ms = after("hydrated");
    let available_ms = after("available").or(hydrated_ms);
    let note = match (available_ms, hydrated_ms) {
        (_, Some(_)) => "storage was fully loaded",
        (Some(_), None) => "storage was still initializing when the run ended; not measured",
        (None, None) => "the instance never became available",
    };
    Some(Hydration {
        step: key.as_str().to_owned(),
        available_ms,
        hydrated_ms,
        note: if state.finished.is_none() && hydrated_ms.is_none() {
            "the run has not ended; not measured".to_owned()
        } else {
            note.to_owned()
        },
    })
}
