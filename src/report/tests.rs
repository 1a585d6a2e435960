//! What reports say. **Invariant:** each kind of bad news has a test that it is told.

use super::testing::{at, journal, plan, report, restored, until_restored, until_verified, whole};
use super::*;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, RunOutcome, SkipReason};
use crate::journal::testing::{JournalBuilder, every_event};
use crate::plan::model::{Phase, RunMode};
use crate::report::measure::{RECOVERY_POINT, RECOVERY_TIME};
use crate::report::model::{ObjectiveStatus, Severity, VerdictState, WaterfallEnd};
use crate::report::testing::step;
use proptest::prelude::*;
use serde_json::json;

mod gates;
mod promotions;
mod several;
mod shown;
mod sums;
mod trends;

fn objective(report: &Report, name: &str) -> (ObjectiveStatus, Option<u64>, String) {
    let found = report.objectives.iter().find(|one| one.name == name).unwrap();
    (found.status, found.measured_ms, found.why.clone())
}

fn phases(report: &Report) -> Vec<(&str, u64)> {
    report.waterfall.phases.iter().map(|one| (one.phase.as_str(), one.ms)).collect()
}

fn texts(report: &Report, severity: Severity) -> Vec<&str> {
    let found = report.findings.iter().filter(|one| one.severity == severity);
    found.map(|one| one.text.as_str()).collect()
}

#[test]
fn a_drill_that_went_well() {
    let report = report(&whole(&plan()));
    assert_eq!(report.verdict.headline, "SUCCEEDED: objectives met");
    assert_eq!(objective(&report, RECOVERY_TIME).0, ObjectiveStatus::Met);
    assert_eq!(objective(&report, RECOVERY_TIME).1, Some(640_000));
    assert_eq!(objective(&report, RECOVERY_POINT).1, Some(30_000));
    assert_eq!(
        phases(&report),
        [("decide", 4_000), ("provision", 601_000), ("verify", 34_000), ("tool", 1_000)]
    );
    assert_eq!(report.waterfall.cleanup_ms, 60_000);
    assert_eq!((report.left_behind.len(), &report.hand_over), (0, &None));
    assert_eq!(report.findings, []);
    let hydration = report.hydration.unwrap();
    assert_eq!((hydration.available_ms, hydration.hydrated_ms), (Some(596_000), None));
    assert!(hydration.note.contains("still initializing when the run ended; not measured"));
    let (claimed, proven) = (report.recovery_point.claimed_ms, report.recovery_point.proven_ms);
    assert_eq!((claimed, proven), (Some(20_000), Some(30_000)));
}

#[test]
fn json_reads_back() {
    let report = report(&whole(&plan()));
    let text = render_json(&report);
    assert!(text.contains("\"schema_version\": 1") && text.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn time_before_the_run_is_detecting_and_deciding() {
    let mut plan = plan();
    plan.disaster_at = Some(at(-600));
    plan.declared_at = Some(at(-120));
    let both = report(&whole(&plan));
    assert_eq!(both.waterfall.from_what, "disaster_at");
    assert_eq!(phases(&both)[..2], [("detect", 480_000), ("decide", 124_000)]);
    assert_eq!(both.waterfall.total_ms, 1_240_000);
    assert_eq!(objective(&both, RECOVERY_TIME).0, ObjectiveStatus::Missed);
    assert_eq!(both.recovery_point.target, "disaster_at");
    assert_eq!(both.recovery_point.proven_ms, Some(0), "newer than the disaster: nothing lost");
    assert!(both.recovery_point.note.contains("nothing was lost"));
    plan.declared_at = None;
    let disaster = report(&whole(&plan));
    assert_eq!(phases(&disaster)[..2], [("detect", 600_000), ("decide", 4_000)]);
    assert!(disaster.waterfall.notes[0].contains("includes deciding"));
    (plan.disaster_at, plan.declared_at) = (None, Some(at(-120)));
    let declared = report(&whole(&plan));
    assert_eq!(phases(&declared)[0], ("decide", 124_000));
    assert_eq!(declared.recovery_point.target, "run_start");
}

#[test]
fn the_requested_restore_time_is_a_target() {
    let mut plan = plan();
    plan.prediction.recovery_point.target = "restore_time".to_owned();
    plan.prediction.recovery_point.target_at = Some(at(-20));
    let report = report(&whole(&plan));
    assert_eq!(report.recovery_point.target, "restore_time");
    assert_eq!(report.recovery_point.proven_ms, Some(10_000));
    assert_eq!(report.recovery_point.claimed_ms, Some(0));
}

#[test]
fn waiting_for_people_is_not_machine_time() {
    let question = |kind: &str| {
        let found = every_event("restore").into_iter().find(|event| event.kind() == kind);
        found.unwrap()
    };
    let journal = journal(&plan())
        .ran(0, 4_000, "source", json!({}))
        .start(4_000, "restore")
        .event(10_000, question("question_asked"))
        .event(70_000, question("question_answered"))
        .event(80_000, Event::RunInterrupted { reason: "signal".to_owned() })
        .event(180_000, Event::AttemptStarted { attempt: 2, operator: "bob".to_owned() })
        .succeed(200_000, "restore", restored())
        .ran(200_000, 210_000, "verify", json!({}));
    let report = report(&journal);
    assert_eq!(
        phases(&report),
        [("decide", 4_000), ("wait", 160_000), ("provision", 36_000), ("verify", 10_000)]
    );
    assert_eq!(report.run.operators, ["alice", "bob"]);
}

#[test]
fn of_steps_side_by_side_the_longest_running_counts() {
    let mut plan = plan();
    plan.steps.insert(2, step("warm", "sql.check", Phase::Warm));
    let journal = journal(&plan)
        .start(0, "source")
        .start(0, "restore")
        .start(10_000, "warm")
        .succeed(20_000, "source", json!({}))
        .succeed(30_000, "restore", restored())
        .succeed(45_000, "warm", json!({}))
        .ran(45_000, 50_000, "verify", json!({}));
    let report = report(&journal);
    assert_eq!(
        phases(&report),
        [("decide", 20_000), ("provision", 10_000), ("verify", 5_000), ("warm", 15_000)]
    );
}

proptest! {
    #[test]
    fn phases_add_up_to_the_total(
        before in 0_i64..5_000,
        declared in -1_000_i64..5_000,
        times in proptest::collection::vec(0_u64..100_000, 9),
        picks in proptest::collection::vec(0_usize..4, 9),
    ) {
        let mut plan = plan();
        plan.disaster_at = (before % 3 != 0).then(|| at(-before));
        plan.declared_at = (declared % 2 == 0).then(|| at(-declared));
        let names = ["source", "restore", "heartbeat", "delete"];
        let mut journal = journal(&plan);
        let mut begun = std::collections::BTreeMap::new();
        let mut now = 0;
        for (time, pick) in times.iter().zip(picks) {
            now += time;
            let count: &mut u32 = begun.entry(names[pick]).or_default();
            *count += 1;
            match *count {
                1 => journal = journal.start(now, names[pick]),
                2 => journal = journal.succeed(now, names[pick], json!({})),
                _ => {}
            }
        }
        journal = journal.ran(now + 5, now + 10, "verify", json!({}));
        let report = report(&journal);
        let sum: u64 = report.waterfall.phases.iter().map(|one| one.ms).sum();
        prop_assert_eq!(sum, report.waterfall.total_ms);
        prop_assert_eq!(report.waterfall.to_what, WaterfallEnd::Recovered);
        prop_assert!(report.waterfall.phases.iter().all(|one| one.phase != "cleanup"));
    }
}

/// The drill with another ending of its heartbeat step.
fn with_heartbeat(event: Event) -> JournalBuilder {
    let journal = until_restored(&plan()).start(606_000, "heartbeat").event(610_000, event);
    let journal = journal.ran(610_000, 640_000, "verify", json!({}));
    journal.ran(640_000, 700_000, "delete", json!({})).finish(700_000, RunOutcome::Succeeded)
}

#[test]
fn without_a_heartbeat_the_point_is_unknown_beside_the_claim() {
    let none = Event::StepSucceeded {
        step: StepKey::new("heartbeat"),
        outputs: json!({ "newest_at": null }),
        adopted: false,
        observed: [].into(),
        evidence: vec![],
        warnings: vec![],
    };
    let report = report(&with_heartbeat(none));
    let (status, measured, why) = objective(&report, RECOVERY_POINT);
    assert_eq!((status, measured), (ObjectiveStatus::Unknown, None));
    assert!(why.contains("no heartbeat was found"), "{why}");
    assert_eq!(report.recovery_point.claimed_ms, Some(20_000));
    assert_eq!(report.verdict.headline, "SUCCEEDED: objective not proven: recovery_point");
    assert!(texts(&report, Severity::Warning)[1].contains("claimed: 20s"));
}

#[test]
fn a_heartbeat_that_is_too_old_is_measured_although_its_check_failed() {
    let failed = Event::StepFailed {
        step: StepKey::new("heartbeat"),
        error: crate::journal::testing::error(ErrorKind::CheckFailed, "an hour old"),
        evidence: vec![],
        outputs: json!({ "newest_at": "2026-01-15T08:00:00Z" }),
    };
    let skipped = SkipReason::Upstream { step: StepKey::new("heartbeat") };
    let journal = until_restored(&plan()).start(606_000, "heartbeat").event(610_000, failed);
    let journal = journal.skip(610_000, "verify", skipped);
    let journal = journal.ran(610_000, 700_000, "delete", json!({}));
    let report = report(&journal.finish(700_000, RunOutcome::Failed));
    assert_eq!(objective(&report, RECOVERY_POINT).0, ObjectiveStatus::Missed);
    assert_eq!(report.recovery_point.proven_ms, Some(3_600_000));
    let (status, measured, why) = objective(&report, RECOVERY_TIME);
    assert_eq!((status, measured), (ObjectiveStatus::Unknown, None), "{why}");
    assert_eq!(report.waterfall.to_what, WaterfallEnd::LastEvent);
    assert_eq!(
        report.verdict.headline,
        "FAILED: step failed: heartbeat; objective missed: recovery_point; \
         objective not proven: recovery_time; skipped: verify"
    );
    assert_eq!(texts(&report, Severity::Problem), ["failed: an hour old"]);
}

#[test]
fn a_run_that_ended_too_late_without_recovery_missed_its_objective() {
    let journal = journal(&plan())
        .start(0, "restore")
        .fail(2_000_000, "restore", ErrorKind::TimedOut, "too late")
        .finish(2_000_000, RunOutcome::Aborted);
    let (status, measured, why) = objective(&report(&journal), RECOVERY_TIME);
    assert_eq!((status, measured), (ObjectiveStatus::Missed, None));
    assert_eq!(why, "not recovered 33m20s after run_start");
}

#[test]
fn a_failed_cleanup_is_a_finding_of_its_own() {
    let journal = until_verified(&plan())
        .start(640_000, "delete")
        .fail(700_000, "delete", ErrorKind::Refused, "deletion protection is on")
        .finish(700_000, RunOutcome::Failed);
    let report = report(&journal);
    assert_eq!(report.verdict.failed_cleanup, ["delete"]);
    assert!(report.verdict.failed_steps.is_empty());
    assert_eq!(report.verdict.headline, "FAILED: clean-up failed: delete");
    assert_eq!(
        texts(&report, Severity::Problem),
        [
            "clean-up failed: deletion protection is on",
            "drctl-orders-db is still there: clean-up failed"
        ]
    );
    assert_eq!(objective(&report, RECOVERY_TIME).0, ObjectiveStatus::Met);
    assert_eq!(report.hand_over, None);
}

#[test]
fn what_was_kept_is_handed_over() {
    let mut plan = plan();
    plan.mode = RunMode::Run;
    plan.steps.pop();
    let kept = report(&until_verified(&plan).finish(650_000, RunOutcome::Succeeded));
    let hand_over = kept.hand_over.clone().unwrap();
    assert_eq!(hand_over.endpoint_host.as_deref(), Some("drctl-orders-db.example"));
    assert_eq!((hand_over.endpoint_port, hand_over.expires_at), (Some(5432), None));
    assert_eq!(kept.left_behind[0].why, "kept on purpose");
    assert_eq!(texts(&kept, Severity::Problem), [""; 0]);
    assert_eq!(kept.run.drill, None);
    assert!(render_markdown(&kept).contains("- port: 5432\n- expires: no expiry recorded"));
}

#[test]
fn skipped_is_not_succeeded() {
    let plan = plan();
    let reason = SkipReason::Condition { when: "params.check".to_owned() };
    let journal = until_restored(&plan)
        .skip(606_000, "heartbeat", reason)
        .ran(610_000, 640_000, "verify", json!({}))
        .ran(640_000, 700_000, "delete", json!({}))
        .finish(700_000, RunOutcome::Succeeded);
    let report = report(&journal);
    assert!(report.verdict.skipped_steps.is_empty(), "its own condition said so");
    let row = report.steps.iter().find(|row| row.step == "heartbeat").unwrap();
    assert_eq!((row.outcome.as_str(), row.duration_ms), ("skipped", None));
    let text = render_markdown(&report);
    assert!(text.contains("## Skipped\n\n- heartbeat: its condition is false: params.check\n"));
    assert!(report.recovery_point.note.contains("was skipped"));
}

#[test]
fn an_unfinished_run_asserts_nothing() {
    let running = report(&until_restored(&plan()));
    assert_eq!(running.verdict.state, VerdictState::Unfinished);
    assert!(running.verdict.headline.starts_with("UNFINISHED"), "{}", running.verdict.headline);
    for name in [RECOVERY_TIME, RECOVERY_POINT] {
        let (status, measured, why) = objective(&running, name);
        assert_eq!((status, measured), (ObjectiveStatus::Unknown, None));
        assert_eq!(why, "the run has not ended");
    }
    assert_eq!(texts(&running, Severity::Warning), [""; 0]);
    assert_eq!(running.left_behind[0].why, "the run has not ended");
    let stopped = until_restored(&plan())
        .event(610_000, Event::RunInterrupted { reason: "credentials".to_owned() });
    let stopped = report(&stopped);
    assert_eq!(stopped.verdict.state, VerdictState::Interrupted);
    assert_eq!(
        stopped.verdict.headline,
        "INTERRUPTED (credentials): nothing is asserted; resume the run"
    );
    assert!(render_summary(&stopped).contains("NOT recovered; 10m10s so far"));
}

#[test]
fn an_unknown_event_is_shown_as_unknown() {
    let mut stored = whole(&plan()).stored();
    let last = stored.len() - 1;
    let mut strange = stored[last].clone();
    strange.record = None;
    strange.kind = "moon_phase".to_owned();
    stored.insert(3, strange);
    let report = build(&stored).unwrap();
    assert_eq!(objective(&report, RECOVERY_TIME).1, Some(640_000));
    assert!(texts(&report, Severity::Problem)[0].contains("`moon_phase`"));
    assert_eq!(report.timeline.len(), stored.len());
    assert!(report.timeline[3].text.contains("does not know: `moon_phase`"));
}

#[test]
fn journals_without_a_run_give_no_report() {
    assert!(matches!(build(&[]), Err(ReportError::NotStarted)));
    let orphan = JournalBuilder::new().start(1, "restore");
    assert!(matches!(build(&orphan.stored()), Err(ReportError::NotStarted)));
    let other_plan = JournalBuilder::started(&["restore"]);
    let error = build(&other_plan.stored()).unwrap_err().to_string();
    assert!(error.contains("use the drctl that wrote it"), "{error}");
    let torn = journal(&plan()).succeed(1, "restore", json!({}));
    assert!(matches!(build(&torn.stored()), Err(ReportError::Fold(_))));
}
