//! The recovery point: what each restored or promoted database lost, and the worst of it.
//!
//! **Invariant:** what one database lost is never said of another; with one unknown the whole is
//! unknown, and the note says of which.

use crate::base::clock::{format_instant, parse_instant};
use crate::base::ids::StepKey;
use crate::journal::event::Record;
use crate::journal::fold::{RunState, StepState};
use crate::plan::model::Plan;
use crate::report::cutoff::{ATTESTATION, Cutoff, claimed_until, cutoff, upstream};
use crate::report::measured::measured;
use crate::report::model::{PointRow, RecoveryPoint};
use crate::report::waterfall::millis;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeSet;

pub(super) fn instant_of(values: &Json, name: &str) -> Option<DateTime<Utc>> {
    values.get(name)?.as_str().and_then(parse_instant)
}

/// What was lost, proven and claimed: of the database of each heartbeat, and of each restored one that
/// no heartbeat belongs to.
pub fn recovery_point(plan: &Plan, state: &RunState, records: &[Record]) -> RecoveryPoint {
    let point_of = |probe: Option<&StepKey>, restored: Option<&StepKey>| {
        let promoted = if restored.is_some() { None } else { cutoff(plan, state, probe) };
        match promoted {
            None => point_of(plan, state, probe, restored),
            Some(cutoff) => of_promotion(plan, state, records, probe, cutoff),
        }
    };
    let mut rows = Vec::new();
    let mut covered: BTreeSet<&StepKey> = BTreeSet::new();
    for probe in plan.measure.recovery_point.iter() {
        if let Some(point) = measured(plan, state, probe) {
            rows.push(PointRow { step: probe.as_str().to_owned(), point });
            continue;
        }
        let restored = restores_of(plan, probe);
        // Data of several restores is as old as the worst of them can make it: the latest target.
        let points = restored.iter().map(|key| point_of(Some(probe), Some(key)));
        let point = points.max_by_key(|point| point.target_at);
        let point = point.unwrap_or_else(|| point_of(Some(probe), None));
        rows.push(PointRow { step: probe.as_str().to_owned(), point });
        covered.extend(restored);
    }
    for key in plan.measure.restored.iter().filter(|key| !covered.contains(key)) {
        let point = point_of(None, Some(key));
        rows.push(PointRow { step: key.as_str().to_owned(), point });
    }
    match rows.len() {
        0 => point_of(None, None),
        1 => rows.remove(0).point,
        _ => worst(rows),
    }
}

/// The restoring steps whose data `probe` reads: those upstream whose outputs it names, else those
/// upstream, else all.
fn restores_of<'a>(plan: &'a Plan, probe: &StepKey) -> Vec<&'a StepKey> {
    let all: Vec<&StepKey> = plan.measure.restored.iter().collect();
    if all.len() < 2 {
        return all;
    }
    let step = |key: &StepKey| plan.steps.iter().find(|step| step.key == *key);
    let upstream = upstream(plan, probe);
    let inputs = step(probe).map(|step| step.with.to_string()).unwrap_or_default();
    let above: Vec<&StepKey> = all.iter().copied().filter(|key| upstream.contains(key)).collect();
    let named = |key: &&StepKey| {
        let beside = key.frame() == probe.frame();
        beside && inputs.contains(&format!("steps.{}.", key.local()))
    };
    let named: Vec<&StepKey> = above.iter().copied().filter(named).collect();
    [named, above].into_iter().find(|keys| !keys.is_empty()).unwrap_or(all)
}

/// The worst of several: one that is unknown, else the one that lost most.
fn worst(rows: Vec<PointRow>) -> RecoveryPoint {
    let unknown = |row: &&PointRow| row.point.proven_ms.is_none();
    let badness = |row: &&PointRow| {
        let (proven, claimed) = (row.point.proven_ms, row.point.claimed_ms);
        (proven.is_none(), proven, claimed.is_none(), claimed)
    };
    let Some(worst) = rows.iter().max_by_key(badness) else { return RecoveryPoint::default() };
    let reasons: Vec<String> = rows
        .iter()
        .filter(unknown)
        .map(|row| {
            let why = row.point.note.strip_prefix(UNKNOWN).unwrap_or(&row.point.note);
            format!("`{}`: {why}", row.step)
        })
        .collect();
    let note = if reasons.is_empty() {
        format!("of {} the worst, `{}`: {}", rows.len(), worst.step, worst.point.note)
    } else {
        format!("{UNKNOWN}{}", reasons.join("; "))
    };
    RecoveryPoint { note, each: rows.clone(), ..worst.point.clone() }
}

/// What the note of an unknown recovery point begins with.
const UNKNOWN: &str = "unknown: ";

/// What the database was found to have lost whose heartbeat `probe` reads and which `restored` made.
fn point_of(
    plan: &Plan,
    state: &RunState,
    probe: Option<&StepKey>,
    restored: Option<&StepKey>,
) -> RecoveryPoint {
    let (target_at, target) = target(plan, state, restored);
    let restored = restored.and_then(|key| state.steps.get(key));
    let restore_time = restored.filter(|step| step.status.is_success()).and_then(|step| {
        instant_of(&step.outputs, "restore_time").or(instant_of(&step.inputs, "restore_time"))
    });
    let found = probe.and_then(|key| state.steps.get(key));
    let newest_at = found.and_then(|step| instant_of(&step.outputs, "newest_at"));
    let proven_ms = newest_at.map(|newest| millis(newest, target_at));
    let mut note = read_back(newest_at, found, probe, target_at);
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
        target_step: None,
        each: Vec::new(),
    }
}

/// What the heartbeat that was read back says of data up to `target_at`.
fn read_back(
    newest_at: Option<DateTime<Utc>>,
    found: Option<&StepState>,
    probe: Option<&StepKey>,
    target_at: DateTime<Utc>,
) -> String {
    match (newest_at, found) {
        (Some(newest), _) if newest >= target_at => {
            format!("data up to {} was read back: nothing was lost", format_instant(newest))
        }
        (Some(newest), _) => {
            format!("the newest heartbeat read back is of {}", format_instant(newest))
        }
        (None, Some(step)) => no_heartbeat(step),
        (None, None) if probe.is_some() => "unknown: the plan holds no such step".to_owned(),
        (None, None) => "unknown: the runbook names no step that reads a heartbeat".to_owned(),
    }
}

/// What a promoted database was found to have lost: what was written until `cutoff` and is not there.
fn of_promotion(
    plan: &Plan,
    state: &RunState,
    records: &[Record],
    probe: Option<&StepKey>,
    cutoff: Cutoff,
) -> RecoveryPoint {
    let found = probe.and_then(|key| state.steps.get(key));
    let newest_at = found.and_then(|step| instant_of(&step.outputs, "newest_at"));
    let claimed = claimed_until(state, records, &cutoff.promotion);
    let mut note = read_back(newest_at, found, probe, cutoff.at);
    if cutoff.what == ATTESTATION && plan.disaster_at.is_none() {
        note.push_str("; if the region was lost earlier, --disaster-at counts from then");
    }
    RecoveryPoint {
        target_at: cutoff.at,
        target: cutoff.what.to_owned(),
        target_step: cutoff.step.map(|step| step.as_str().to_owned()),
        restore_time: None,
        claimed_ms: claimed.map(|until| millis(until, cutoff.at)),
        newest_at,
        proven_ms: newest_at.map(|newest| millis(newest, cutoff.at)),
        note,
        each: Vec::new(),
    }
}

/// The instant that loss is counted from: the disaster, else the restore time that was asked for,
/// else the run's start.
fn target(
    plan: &Plan,
    state: &RunState,
    restored: Option<&StepKey>,
) -> (DateTime<Utc>, &'static str) {
    if let Some(disaster) = plan.disaster_at {
        return (disaster, "disaster_at");
    }
    let whole = &plan.prediction.recovery_point;
    let own = whole.each.iter().find(|one| Some(&one.step) == restored);
    let predicted = own.map_or(whole, |one| &one.point);
    let restored = restored.and_then(|key| state.steps.get(key));
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
