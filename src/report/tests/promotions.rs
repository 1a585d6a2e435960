//! What a promotion gave up is counted from when the old writer could be written to no more.

use super::*;
use crate::base::clock::format_instant;
use crate::base::few::Few;
use crate::base::form::Form;
use crate::journal::command::Person;
use crate::journal::event::SkipReason;
use crate::journal::figure::FigureRecord;
use crate::journal::question::{APPROVE, AnswerWay, Consequence};
use crate::journal::testing::gate_asked;
use crate::plan::model::{GateKind, Plan, PlannedStep, Role};

fn needing(step: PlannedStep, needs: &[&str]) -> PlannedStep {
    PlannedStep { needs: needs.iter().map(|key| StepKey::new(key)).collect(), ..step }
}

/// Two fences, an attestation in the ungraceful form, the gate, the promotion, its heartbeat.
fn failover() -> Plan {
    let mut plan = plan();
    let fence = |key: &str, needs: &[&str]| {
        let step = step(key, "fence.ecs", Phase::Provision);
        needing(PlannedStep { role: Role::Fence, by_form: true, ..step }, needs)
    };
    let gate = |key: &str, needs: &[&str]| {
        let step = step(key, "gate.approve", Phase::Decide);
        needing(PlannedStep { gate: Some(GateKind::Person), ..step }, needs)
    };
    let attest = PlannedStep { attests: true, by_form: true, ..gate("attest", &[]) };
    let go = gate("go", &["fence_writers", "fence_database", "attest"]);
    let go = PlannedStep { before: vec![StepKey::new("promote")], ..go };
    let promote = step("promote", "rds.promote_replica", Phase::Provision);
    let promote = PlannedStep { role: Role::Promotion, irreversible: true, ..promote };
    plan.steps = vec![
        fence("fence_writers", &[]),
        fence("fence_database", &["fence_writers"]),
        attest,
        go,
        needing(promote, &["go"]),
        needing(step("heartbeat", "sql.heartbeat", Phase::Verify), &["promote"]),
    ];
    plan.measure.recovered = [StepKey::new("promote")].into();
    plan.measure.restored = Few::default();
    plan
}

/// Skipped because the run has the other form.
fn out(journal: JournalBuilder, at: u64, step: &str) -> JournalBuilder {
    journal.skip(at, step, SkipReason::Condition { when: "run.form".to_owned() })
}

/// Fenced after 60 s and 340 s of a graceful run.
fn fenced(plan: &Plan) -> JournalBuilder {
    let journal = journal(plan).ran(0, 60_000, "fence_writers", json!({}));
    out(journal.ran(60_000, 340_000, "fence_database", json!({})), 340_000, "attest")
}

fn switched(journal: JournalBuilder, at: u64) -> JournalBuilder {
    let (from, to, by) = (Form::Graceful, Form::Ungraceful, Person::declared("dan"));
    journal.event(at, Event::FormSwitched { from, to, by, reason: None })
}

/// Carol approves after 400 s, seeing a lag of 604 s; promoted after 900 s, asked for at 800 s.
fn promoted(journal: JournalBuilder, lag: serde_json::Value) -> JournalBuilder {
    let figures = vec![FigureRecord {
        step: Some(StepKey::new("promote")),
        name: "replica_lag".to_owned(),
        text: "`west` lacks the last 10m04s of writes".to_owned(),
        known: true,
        time_ms: Some(604_000),
    }];
    let (step, by) = (StepKey::new("go"), Person::declared("carol"));
    let (way, comment, acknowledged) = (AnswerWay::Terminal, None, None);
    journal
        .start(380_000, "go")
        .event(380_000, gate_asked("go", 9_000_000, Consequence::Fail))
        .event(400_000, Event::ApprovalGiven { step, by, way, comment, figures, acknowledged })
        .event(400_000, crate::journal::testing::gate_answered("go", APPROVE, None))
        .succeed(400_000, "go", json!({}))
        .start(400_000, "promote")
        .intent(800_000, "promote", "rds:PromoteReadReplica")
        .accepted(801_000, "promote")
        .succeed(
            900_000,
            "promote",
            json!({ "lag_at_promotion": lag, "promoted_at": format_instant(at(880)) }),
        )
}

/// The promoted database has data up to `newest` seconds after the run's start.
fn read(journal: JournalBuilder, newest: i64) -> Report {
    let newest = json!({ "newest_at": format_instant(at(newest)) });
    let journal = journal.ran(900_000, 910_000, "heartbeat", newest);
    report(&journal.finish(910_000, RunOutcome::Succeeded))
}

fn counted(report: &Report) -> (String, Option<u64>, Option<u64>) {
    let point = &report.recovery_point;
    (point.from_what(), point.proven_ms, point.claimed_ms)
}

#[test]
fn loss_is_counted_from_the_last_fence_and_says_who_accepted_it() {
    // As of P21: switched while the promotion waits; the lag at the promotion is unknown.
    let plan = failover();
    let report = read(promoted(switched(fenced(&plan), 350_000), json!(null)), 248);
    assert_eq!(
        counted(&report),
        ("the fence fence_database".to_owned(), Some(92_000), Some(544_000))
    );
    assert_eq!(objective(&report, RECOVERY_POINT).0, ObjectiveStatus::Missed, "60 s are promised");
    let lost = texts(&report, Severity::Warning).join("\n");
    for part in [
        "1m32s of writes were given up: writers could write until ",
        "the fence fence_database, and the newest that promote has is of ",
        "accepted by dan at ",
        "who switched the run to ungraceful; and by carol at ",
        "lacks the last 10m04s of writes",
    ] {
        assert!(lost.contains(part), "{part}: {lost}");
    }
    for shown in [render_summary(&report), render_markdown(&report), render_junit(&report)] {
        assert!(shown.contains("the fence fence_database"), "{shown}");
        assert!(!shown.contains("nothing was lost"), "{shown}");
    }
    let text = render_json(&report);
    assert!(
        text.contains("\"target\": \"fence\"")
            && text.contains("\"target_step\": \"fence_database\"")
    );
}

#[test]
fn what_was_written_behind_the_fence_is_no_loss() {
    let report = read(promoted(fenced(&failover()), json!("0s")), 341);
    assert_eq!(counted(&report), ("the fence fence_database".to_owned(), Some(0), Some(0)));
    assert!(texts(&report, Severity::Warning).is_empty(), "{:?}", report.findings);
}

#[test]
fn a_lost_region_is_counted_from_the_disaster_else_from_the_attestation() {
    let mut plan = failover();
    let lost = |plan: &Plan| {
        let journal = switched(journal(plan), 0);
        let journal = out(out(journal, 1, "fence_writers"), 2, "fence_database");
        read(promoted(journal.ran(10_000, 120_000, "attest", json!({})), json!(null)), -150)
    };
    let said = lost(&plan);
    assert_eq!(counted(&said), ("the attestation attest".to_owned(), Some(270_000), Some(324_000)));
    assert!(said.recovery_point.note.contains("--disaster-at"));
    plan.disaster_at = Some(at(-60));
    assert_eq!(counted(&lost(&plan)), ("disaster_at".to_owned(), Some(90_000), Some(144_000)));
    // The old region answered: whoever could write then could after the disaster.
    let fenced = read(promoted(fenced(&plan), json!(null)), 248);
    assert_eq!(counted(&fenced).0, "the fence fence_database");
}

#[test]
fn without_a_fence_that_holds_it_is_the_promotion_itself() {
    let mut plan = failover();
    let failed = journal(&plan)
        .ran(0, 60_000, "fence_writers", json!({}))
        .start(60_000, "fence_database")
        .fail(340_000, "fence_database", ErrorKind::Refused, "denied");
    let report = read(promoted(out(failed, 340_000, "attest"), json!(null)), 248);
    assert_eq!(counted(&report).0, "the promotion promote");
    assert_eq!(report.recovery_point.proven_ms, Some(632_000), "until 880 s");
    plan.steps.retain(|step| step.role != Role::Fence && !step.attests);
    let report = read(promoted(journal(&plan), json!("2s")), 700);
    assert_eq!(counted(&report), ("the promotion promote".to_owned(), Some(180_000), Some(82_000)));
}

#[test]
fn plans_of_older_versions_and_promotions_that_never_were_keep_their_meaning() {
    let mut plan = failover();
    for step in &mut plan.steps {
        step.role = Role::None;
    }
    assert_eq!(counted(&read(promoted(fenced(&plan), json!(null)), -30)).0, "run_start");
    let never = report(&fenced(&failover()));
    assert_eq!(counted(&never), ("run_start".to_owned(), None, None));
}
