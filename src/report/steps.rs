//! Rows about steps: what became of them, what they saw, what they left.
//!
//! **Invariant:** skipped is not succeeded, and what was made counts as there until its removal is
//! recorded.

use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, SkipReason};
use crate::journal::fold::{RunState, StepState, StepStatus};
use crate::journal::store::StoredRecord;
use crate::plan::model::{Phase, Plan, PlannedStep, StepAccount, Trace};
use crate::report::audit::LeftBehind;
use crate::report::control::because;
use crate::report::model::{EvidenceRow, HandOver, StepRow};
use crate::report::waterfall::millis;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The plan's steps with their states, in the plan's order.
pub fn pairs<'a>(plan: &'a Plan, state: &'a RunState) -> Vec<(&'a PlannedStep, &'a StepState)> {
    let steps = plan.steps.iter();
    steps.filter_map(|step| Some((step, state.steps.get(&step.key)?))).collect()
}

/// One row a step.
pub fn step_rows(plan: &Plan, state: &RunState) -> Vec<StepRow> {
    let row = |(step, found): (&PlannedStep, &StepState)| StepRow {
        step: step.key.as_str().to_owned(),
        title: step.title.clone(),
        uses: step.uses.clone(),
        account: step.account.as_ref().map(StepAccount::shown),
        phase: step.phase.name().to_owned(),
        outcome: found.status.name().to_owned(),
        started_at: found.started_at,
        duration_ms: found.started_at.zip(found.finished_at).map(|(from, to)| millis(from, to)),
        adopted: found.adopted,
        retries: found.retries,
        in_doubt: found.doubts,
        why: why(found),
        help: found.undo_error.as_ref().or(found.error.as_ref()).and_then(|e| e.help.clone()),
        error_kind: found.error.as_ref().and_then(|error| kind_name(error.kind)),
        milestones: found.milestones.clone(),
        undo: found.undo_started_at.map(|began| (began, found.undo_finished_at)),
    };
    pairs(plan, state).into_iter().map(row).collect()
}

fn why(step: &StepState) -> Option<String> {
    let error = step.undo_error.as_ref().or(step.error.as_ref()).map(|error| error.message.clone());
    let skip = step.skip.as_ref().map(skip_reason);
    let warned = (!step.warnings.is_empty()).then(|| step.warnings.join("; "));
    error.or(skip).or(warned)
}

/// A kind of failure as journals write it.
fn kind_name(kind: ErrorKind) -> Option<String> {
    serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
}

/// Why a step did not run.
pub fn skip_reason(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Condition { when } => format!("its condition is false: {when}"),
        SkipReason::Upstream { step } => format!("it needs {step}, which did not succeed"),
        SkipReason::Stopped { step } => format!("the run was stopped when {step} failed"),
        SkipReason::Nothing { why } => format!("nothing to do: {why}"),
        SkipReason::Operator { operator, reason } => {
            let reason = because(reason.as_deref());
            format!("{operator} decided to go on without it{reason}")
        }
        SkipReason::Aborted { operator } => format!("{operator} aborted the run before it"),
    }
}

/// Whether a person ended the run at this gate, or its time-out counts as that.
pub fn was_rejected(step: &StepState) -> bool {
    step.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Rejected)
}

/// Whether a step was skipped for another reason than its own condition.
pub fn skipped_for_want(step: &StepState) -> bool {
    match &step.skip {
        None | Some(SkipReason::Condition { .. }) => false,
        Some(
            SkipReason::Upstream { .. }
            | SkipReason::Stopped { .. }
            | SkipReason::Nothing { .. }
            | SkipReason::Operator { .. }
            | SkipReason::Aborted { .. },
        ) => true,
    }
}

/// Everything that verdicts rest on, each with the event that recorded it.
pub fn evidence(plan: &Plan, state: &RunState, stored: &[StoredRecord]) -> Vec<EvidenceRow> {
    let mut recorded: BTreeMap<&StepKey, (u64, &str)> = BTreeMap::new();
    for one in stored {
        if let Some(
            Event::StepSucceeded { step, evidence, .. } | Event::StepFailed { step, evidence, .. },
        ) = one.record.as_ref().map(|record| &record.event)
            && !evidence.is_empty()
        {
            recorded.insert(step, (one.seq, one.digest.as_str()));
        }
    }
    let rows = pairs(plan, state).into_iter().flat_map(|(step, found)| {
        let (seq, digest) = recorded.get(&step.key).copied().unwrap_or_default();
        found.evidence.iter().map(move |one| EvidenceRow {
            step: step.key.as_str().to_owned(),
            name: one.name.clone(),
            value: one.value.clone(),
            source: one.source.clone(),
            seq,
            digest: digest.to_owned(),
        })
    });
    rows.collect()
}

fn text(values: &Json, name: &str) -> Option<String> {
    values.get(name)?.as_str().map(str::to_owned)
}

/// How to reach what was kept; empty when nothing usable was kept.
pub fn hand_overs(plan: &Plan, state: &RunState) -> Vec<HandOver> {
    let restored = plan.measure.restored.iter().filter_map(|key| state.steps.get(key));
    let usable = restored.filter(|step| plan.mode.keeps() && step.status.is_success());
    let hand_over = |step: &StepState| HandOver {
        instance: text(&step.outputs, "instance"),
        endpoint_host: text(&step.outputs, "endpoint_host"),
        endpoint_port: step.outputs.get("endpoint_port").and_then(Json::as_u64),
        expires_at: expiry(step),
    };
    usable.map(hand_over).collect()
}

fn endpoint(step: &StepState) -> Option<String> {
    let host = text(&step.outputs, "endpoint_host")?;
    let port = step.outputs.get("endpoint_port").and_then(Json::as_u64)?;
    Some(format!("{host}:{port}"))
}

fn expiry(step: &StepState) -> Option<String> {
    text(&step.outputs, "expires_at").or_else(|| text(&step.inputs, "expires_at"))
}

/// What the run made and what is still there, or may be.
pub fn left_behind(plan: &Plan, state: &RunState) -> Vec<LeftBehind> {
    let pairs = pairs(plan, state);
    let cleanups: Vec<&StepState> = pairs
        .iter()
        .filter(|(step, _)| step.phase == Phase::Cleanup)
        .map(|(_, found)| *found)
        .collect();
    let cleaned = !cleanups.is_empty() && cleanups.iter().all(|step| step.status.is_success());
    if cleaned {
        return Vec::new();
    }
    let why = if cleanups.iter().any(|step| step.status == StepStatus::Failed) {
        "clean-up failed"
    } else if state.finished.is_none() {
        "the run has not ended"
    } else if plan.mode.keeps() {
        "kept on purpose"
    } else {
        "no clean-up ran"
    };
    let made = pairs.iter().filter(|(step, found)| made_something(step, found));
    made.map(|(step, found)| LeftBehind {
        step: step.key.as_str().to_owned(),
        what: name_of(found),
        endpoint: endpoint(found),
        why: match (found.status, expiry(found)) {
            (StepStatus::UndoFailed, _) => "its undo failed".to_owned(),
            (_, Some(expires)) => format!("{why}; expires {expires}"),
            (_, None) => why.to_owned(),
        },
    })
    .collect()
}

/// Whether something of the step may be there: what it made is taken back by deleting it. A failover or a
/// change of records makes nothing, and is there only as what could not be undone.
fn made_something(step: &PlannedStep, found: &StepState) -> bool {
    let traced = step.trace == Trace::Seen;
    let acts = !step.check && traced && step.phase != Phase::Cleanup;
    let made = step.undo.as_deref().is_some_and(|undo| undo.starts_with("rds.delete_"));
    let stuck = found.status == StepStatus::UndoFailed;
    acts && found.may_have_made && (made || stuck)
}

fn name_of(step: &StepState) -> String {
    // An undo names what it removes as its own action does.
    let intent = step.forward_intent.as_ref().or(step.intent.as_ref());
    let target = intent.map(|intent| intent.target.clone());
    // A snapshot also says of which instance it is.
    let made = text(&step.outputs, "snapshot").or_else(|| text(&step.outputs, "instance"));
    made.or(target).unwrap_or_else(|| "unknown".to_owned())
}
