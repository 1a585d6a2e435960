//! Measurements against promises, and hydration.
//!
//! **Invariant:** what was not measured is `unknown` with its reason; nothing is derived from a claim.

use crate::base::duration::human;
use crate::base::ids::StepKey;
use crate::journal::fold::RunState;
use crate::plan::model::Plan;
use crate::report::model::{
    Hydration, Objective, ObjectiveStatus, RecoveryPoint, Waterfall, WaterfallEnd,
};
use crate::report::waterfall::millis;
use std::time::Duration;

/// Name of the objective for recovery time.
pub const RECOVERY_TIME: &str = "recovery_time";

/// Name of the objective for the recovery point.
pub const RECOVERY_POINT: &str = "recovery_point";

/// Milliseconds for people.
pub fn human_ms(ms: u64) -> String {
    human(Duration::from_millis(ms))
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
    if plan.measure.recovered.is_empty() {
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
    let mut objective = judge(RECOVERY_POINT, promised, point.proven_ms, &point.from_what());
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

/// When the restored instance was available, and when its storage was loaded; of several instances
/// the slowest one.
pub fn hydration(plan: &Plan, state: &RunState) -> Option<Hydration> {
    let restored = &plan.measure.restored;
    let each = restored.iter().filter_map(|key| hydration_of(key, state));
    let slowness = |one: &Hydration| {
        let (loaded, available) = (one.hydrated_ms, one.available_ms);
        (loaded.is_none(), available.is_none(), loaded, available)
    };
    let slowest = each.max_by_key(slowness)?;
    let note = match restored.len() {
        0 | 1 => slowest.note,
        count => format!("of {count} the slowest, `{}`: {}", slowest.step, slowest.note),
    };
    Some(Hydration { note, ..slowest })
}

fn hydration_of(key: &StepKey, state: &RunState) -> Option<Hydration> {
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
