//! The recovery point that a step measured itself: of objects in buckets, not of rows.
//!
//! **Invariant:** a step that did not end well, or says null, leaves it unknown; steps that read a heartbeat
//! are not judged here.

use crate::base::clock::{between, format_instant};
use crate::base::duration;
use crate::base::ids::StepKey;
use crate::journal::fold::{RunState, StepState};
use crate::plan::model::Plan;
use crate::report::model::RecoveryPoint;
use crate::report::point::instant_of;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::time::Duration;

/// Output that is the loss.
const OUTPUT: &str = "recovery_point";

/// What a loss is counted from that the step measured as of its own instant.
pub(super) const MEASUREMENT: &str = "measurement";

/// What `probe` measured; `None` when it is no step that measures a loss, so that its heartbeat counts.
pub(super) fn measured(plan: &Plan, state: &RunState, probe: &StepKey) -> Option<RecoveryPoint> {
    let planned = plan.steps.iter().find(|step| step.key == *probe)?;
    planned.preview.outputs.get(OUTPUT)?;
    let found = state.steps.get(probe);
    let started = found.and_then(|step| step.started_at).or(state.started_at).unwrap_or_default();
    // What was asked for: objects as they were at an instant.
    let asked = found.and_then(|step| instant_of(&step.inputs, "to"));
    let (target_at, target) = match (plan.disaster_at, asked) {
        (_, Some(asked)) => (asked, "restore_time"),
        (Some(disaster), None) => (disaster, "disaster_at"),
        (None, None) => (started, MEASUREMENT),
    };
    let loss = found.and_then(|step| loss(&step.outputs));
    let lost = loss.map(|loss| match (target, plan.disaster_at) {
        // The oldest object that is not there was written this long before the disaster, or after it.
        ("disaster_at", Some(disaster)) => loss.saturating_sub(between(disaster, started)),
        _ => loss,
    });
    let note = match (found, lost) {
        (Some(step), Some(lost)) => told(step, probe, lost, target_at),
        (Some(step), None) => unknown(step, probe),
        (None, _) => "unknown: the plan holds no such step".to_owned(),
    };
    let measures = target == MEASUREMENT;
    Some(RecoveryPoint {
        target_at,
        target: target.to_owned(),
        target_step: measures.then(|| probe.as_str().to_owned()),
        restore_time: asked,
        claimed_ms: None,
        newest_at: None,
        proven_ms: lost.map(|lost| u64::try_from(lost.as_millis()).unwrap_or(u64::MAX)),
        note,
        each: Vec::new(),
    })
}

fn loss(outputs: &Json) -> Option<Duration> {
    outputs.get(OUTPUT)?.as_str().and_then(|text| duration::parse(text).ok())
}

fn told(step: &StepState, probe: &StepKey, lost: Duration, target_at: DateTime<Utc>) -> String {
    if lost.is_zero() {
        return format!(
            "{probe} found every object that should be there as of {}: nothing was lost",
            format_instant(target_at)
        );
    }
    let oldest = step.outputs.get("oldest_missing").and_then(Json::as_str);
    let oldest = oldest.map(|key| format!(", `{key}`")).unwrap_or_default();
    format!("the oldest object that {probe} did not find{oldest} is {} old", duration::human(lost))
}

fn unknown(step: &StepState, probe: &StepKey) -> String {
    if step.outputs.get(OUTPUT).is_some() {
        return format!("unknown: {probe} could not tell what is lost");
    }
    if step.status.is_over() {
        return format!("unknown: {probe} measured nothing");
    }
    format!("unknown: {probe} has not measured yet")
}

#[cfg(test)]
mod tests {
    use super::loss;
    use crate::base::ids::StepKey;
    use crate::plan::model::{Phase, Plan};
    use crate::report::model::{ObjectiveStatus, RecoveryPoint};
    use crate::report::testing::{at, journal, plan, report, step};
    use serde_json::{Value as Json, json};
    use std::time::Duration;

    /// A plan whose step `compare` measures the loss.
    fn measuring() -> Plan {
        let mut plan = plan();
        let mut compare = step("compare", "s3.compare", Phase::Verify);
        compare.preview.outputs = [("recovery_point".to_owned(), json!("0s"))].into();
        plan.steps = vec![compare];
        plan.measure.recovery_point = [StepKey::new("compare")].into();
        plan.measure.recovered = [StepKey::new("compare")].into();
        plan.measure.restored = [].into();
        plan
    }

    fn point(plan: &Plan, outputs: Json) -> RecoveryPoint {
        report(&journal(plan).ran(0, 4_000, "compare", outputs)).recovery_point
    }

    #[test]
    fn a_measured_loss_is_read_and_null_is_unknown() {
        assert_eq!(loss(&json!({ "recovery_point": "0s" })), Some(Duration::ZERO));
        assert_eq!(loss(&json!({ "recovery_point": "1h30m" })), Some(Duration::from_secs(5_400)));
        assert_eq!(loss(&json!({ "recovery_point": null })), None);
        assert_eq!(loss(&json!({ "recovery_point": "soon" })), None);
        assert_eq!(loss(&json!({})), None);
    }

    #[test]
    fn zero_is_measured_and_an_old_object_is_told() {
        let mut plan = measuring();
        plan.objectives.recovery_point_ms = Some(0);
        let none =
            report(&journal(&plan).ran(0, 4_000, "compare", json!({ "recovery_point": "0s" })));
        let promised = none.objectives.iter().find(|one| one.name == "recovery_point");
        assert_eq!(promised.map(|one| one.status), Some(ObjectiveStatus::Met));
        let none = none.recovery_point;
        assert_eq!((none.proven_ms, none.target.as_str()), (Some(0), "measurement"));
        assert!(none.note.contains("nothing was lost"), "{}", none.note);
        assert_eq!(none.from_what(), "the measurement compare");
        let some = json!({ "recovery_point": "20m", "oldest_missing": "clients/7.pdf" });
        let some = point(&plan, some);
        assert_eq!(some.proven_ms, Some(1_200_000));
        assert!(some.note.contains("`clients/7.pdf`"), "{}", some.note);
        let unknown = point(&plan, json!({ "recovery_point": null }));
        assert_eq!(unknown.proven_ms, None);
        assert!(unknown.note.starts_with("unknown: "), "{}", unknown.note);
    }

    #[test]
    fn of_a_disaster_only_what_was_written_before_counts() {
        let mut plan = measuring();
        plan.disaster_at = Some(at(-3_600));
        let after = point(&plan, json!({ "recovery_point": "20m" }));
        assert_eq!((after.proven_ms, after.target.as_str()), (Some(0), "disaster_at"));
        let before = point(&plan, json!({ "recovery_point": "90m" }));
        assert_eq!(before.proven_ms, Some(1_800_000));
    }

    #[test]
    fn a_step_that_reads_a_heartbeat_is_none() {
        let mut plan = measuring();
        plan.steps[0].preview.outputs = [("newest_at".to_owned(), Json::Null)].into();
        let point = point(&plan, json!({ "newest_at": "2026-01-15T08:59:30Z" }));
        assert_eq!(point.proven_ms, Some(30_000));
        assert_eq!(point.target, "run_start");
    }
}
