//! Two databases in one run: the last one back and the worst loss count.

use super::*;
use crate::base::few::Few;
use crate::plan::model::{Plan, PlannedStep, RestorePrediction};

/// The plan of one database and of a second one beside it, without clean-up.
fn two() -> Plan {
    let mut plan = plan();
    plan.steps.pop();
    for (id, uses, phase, need) in [
        ("restore_b", "rds.restore_to_point_in_time", Phase::Provision, "source"),
        ("heartbeat_b", "sql.heartbeat", Phase::Verify, "restore_b"),
        ("verify_b", "sql.check", Phase::Verify, "restore_b"),
    ] {
        let needs = vec![StepKey::new(need)];
        plan.steps.push(PlannedStep { needs, ..step(id, uses, phase) });
    }
    plan.steps[2].needs = vec![StepKey::new("restore")];
    let keys = |ids: [&str; 2]| Few::from(ids.map(StepKey::new));
    plan.measure.recovered = keys(["verify_b", "verify"]);
    plan.measure.recovery_point = keys(["heartbeat", "heartbeat_b"]);
    plan.measure.restored = keys(["restore", "restore_b"]);
    plan
}

/// The first is back after 640 s; the second restored after 900 s, to ten minutes before the run.
fn until_both_restored(plan: &Plan) -> JournalBuilder {
    let outputs = json!({
        "instance": "drctl-users-db", "endpoint_host": "drctl-users-db.example",
        "restore_time": "2026-01-15T08:50:00Z",
    });
    until_verified(plan).ran(640_000, 900_000, "restore_b", outputs)
}

fn whole(plan: &Plan) -> JournalBuilder {
    until_both_restored(plan)
        .ran(900_000, 910_000, "heartbeat_b", json!({ "newest_at": "2026-01-15T08:45:00Z" }))
        .ran(910_000, 950_000, "verify_b", json!({}))
        .finish(950_000, RunOutcome::Succeeded)
}

#[test]
fn recovered_is_when_the_last_one_is_back() {
    let plan = two();
    let open = report(&until_both_restored(&plan));
    assert_eq!(open.waterfall.to_what, WaterfallEnd::LastEvent, "one of two is not recovered");
    let done = report(&whole(&plan));
    assert_eq!(done.waterfall.to_what, WaterfallEnd::Recovered);
    assert_eq!(done.waterfall.total_ms, 950_000, "whatever the order in the list");
}

#[test]
fn the_worst_loss_counts_and_each_is_shown() {
    let mut plan = two();
    let shown = report(&whole(&plan));
    let point = &shown.recovery_point;
    assert_eq!((point.proven_ms, point.claimed_ms), (Some(900_000), Some(600_000)));
    let each: Vec<_> =
        point.each.iter().map(|one| (one.step.as_str(), one.point.proven_ms)).collect();
    assert_eq!(each, [("heartbeat", Some(30_000)), ("heartbeat_b", Some(900_000))]);
    assert!(point.note.starts_with("of 2 the worst, `heartbeat_b`: "), "{}", point.note);
    assert_eq!(objective(&shown, RECOVERY_POINT).0, ObjectiveStatus::Missed);
    let text = render_markdown(&shown);
    for line in ["heartbeat_b", "15m", "30s"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(render_html(&shown).contains("heartbeat_b"));
    assert!(render_summary(&shown).contains("\n  heartbeat: 30s\n  heartbeat_b: 15m"));
    // The instant that was asked for is that of its own restore, not of the other.
    let mut asked = plan.prediction.recovery_point.clone();
    let whole_run = asked.clone();
    (asked.target, asked.target_at) = ("restore_time".to_owned(), Some(at(-600)));
    plan.prediction.recovery_point.each = vec![
        RestorePrediction { step: StepKey::new("restore"), point: whole_run },
        RestorePrediction { step: StepKey::new("restore_b"), point: asked },
    ];
    let own = report(&whole(&plan)).recovery_point;
    let each: Vec<_> =
        own.each.iter().map(|one| (one.point.target.as_str(), one.point.proven_ms)).collect();
    assert_eq!(each, [("run_start", Some(30_000)), ("restore_time", Some(300_000))]);
    assert_eq!(own.proven_ms, Some(300_000));
}

#[test]
fn with_one_unknown_nothing_is_proven() {
    let plan = two();
    let reason = SkipReason::Condition { when: "false".to_owned() };
    let journal = until_both_restored(&plan)
        .skip(900_000, "heartbeat_b", reason)
        .ran(910_000, 950_000, "verify_b", json!({}))
        .finish(950_000, RunOutcome::Succeeded);
    let shown = report(&journal);
    assert_eq!(shown.recovery_point.proven_ms, None);
    let why = "unknown: `heartbeat_b`: the step that reads the heartbeat was skipped";
    assert_eq!(shown.recovery_point.note, why);
    assert_eq!(objective(&shown, RECOVERY_POINT), (ObjectiveStatus::Unknown, None, why.to_owned()));
    let warnings = texts(&shown, Severity::Warning);
    assert!(warnings.iter().any(|text| text.contains("`heartbeat_b`")), "{warnings:?}");
}

#[test]
fn a_restored_database_without_a_heartbeat_is_not_proven_by_another() {
    let mut plan = two();
    plan.measure.recovery_point = [StepKey::new("heartbeat")].into();
    let shown = report(&whole(&plan));
    assert_eq!(shown.recovery_point.proven_ms, None);
    assert!(shown.recovery_point.note.starts_with("unknown: `restore_b`: "));
    // A heartbeat that comes after both restores belongs to the one that its inputs name.
    plan.measure.recovery_point = [StepKey::new("heartbeat"), StepKey::new("heartbeat_b")].into();
    let heartbeat = plan.steps.iter_mut().find(|step| step.key.id() == "heartbeat_b").unwrap();
    heartbeat.needs.push(StepKey::new("restore"));
    heartbeat.with = json!({ "instance": "${{ steps.restore_b.outputs.instance }}" });
    let point = report(&whole(&plan)).recovery_point;
    assert_eq!((point.each.len(), point.proven_ms), (2, Some(900_000)));
    assert_eq!(point.claimed_ms, Some(600_000), "of its own restore");
}

#[test]
fn all_that_was_kept_is_handed_over() {
    let mut plan = two();
    plan.mode = RunMode::Run;
    let kept = report(&whole(&plan));
    let hosts = kept.hand_over.iter().chain(&kept.more_hand_overs);
    let hosts: Vec<_> = hosts.filter_map(|one| one.endpoint_host.as_deref()).collect();
    assert_eq!(hosts, ["drctl-orders-db.example", "drctl-users-db.example"]);
    assert!(render_markdown(&kept).contains("drctl-users-db.example"));
    assert!(kept.hydration.is_some_and(|one| one.step == "restore_b"), "its times are unknown");
}
