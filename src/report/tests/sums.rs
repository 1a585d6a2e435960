//! The three verdicts, JUnit, the one line, and big journals. **Invariant:** each has a way to fail.

use super::*;
use crate::journal::testing::error;
use crate::report::audit::PartStatus;
use crate::report::line::Worker;
use std::fmt::Write as _;

fn statuses(report: &Report) -> Vec<PartStatus> {
    report.parts.iter().map(|part| part.status).collect()
}

#[test]
fn restore_validation_and_clean_up_are_judged_by_themselves() {
    use PartStatus as P;
    assert_eq!(statuses(&report(&whole(&plan()))), [P::Succeeded; 3]);
    let running = report(&until_restored(&plan()).start(606_000, "heartbeat"));
    assert_eq!(statuses(&running), [P::Succeeded, P::NotReached, P::NotReached]);
    let failed = |step: &str| {
        journal(&plan()).ran(0, 4_000, "source", json!({})).start(4_000, step).fail(
            5_000,
            step,
            ErrorKind::TimedOut,
            "too slow",
        )
    };
    let upstream = || SkipReason::Upstream { step: StepKey::new("restore") };
    let nothing = SkipReason::Nothing { why: "there is no instance".to_owned() };
    let early = failed("restore")
        .skip(5_000, "heartbeat", upstream())
        .skip(5_000, "verify", upstream())
        .skip(5_000, "delete", nothing)
        .finish(5_000, RunOutcome::Failed);
    let early = report(&early);
    assert_eq!(statuses(&early), [P::Failed, P::NotReached, P::Skipped]);
    assert_eq!(early.parts[0].why, "restore: too slow");
    let dirty = until_verified(&plan())
        .start(640_000, "delete")
        .fail(650_000, "delete", ErrorKind::Refused, "deletion protection")
        .finish(650_000, RunOutcome::Failed);
    let dirty = report(&dirty);
    assert_eq!(statuses(&dirty), [P::Succeeded, P::Succeeded, P::Failed]);
    for text in [render_markdown(&dirty), render_summary(&dirty)] {
        assert!(text.contains("clean-up") && text.contains("FAILED"), "{text}");
    }
    let undone = until_restored(&plan())
        .event(606_000, Event::UndoStarted { step: StepKey::new("restore") })
        .event(
            607_000,
            Event::UndoFailed {
                step: StepKey::new("restore"),
                error: error(ErrorKind::Refused, "no"),
            },
        );
    assert_eq!(statuses(&report(&undone)), [P::Failed, P::NotReached, P::Failed]);
    let mut bare = plan();
    bare.steps.truncate(2);
    assert_eq!(
        statuses(&report(&until_restored(&bare).finish(605_000, RunOutcome::Succeeded))),
        [P::Succeeded, P::NotPlanned, P::NotPlanned]
    );
}

#[test]
fn junit_tells_failures_from_errors() {
    let good = render_junit(&report(&whole(&plan())));
    assert!(good.contains("tests=\"8\" failures=\"0\" errors=\"0\""), "{good}");
    assert!(good.contains("<property name=\"simulated\" value=\"true\"/>"));
    assert!(good.contains("<property name=\"verdict.restore\" value=\"succeeded\"/>"));
    let bad = |kind: ErrorKind, message: &str| {
        let upstream = SkipReason::Upstream { step: StepKey::new("heartbeat") };
        let journal = until_restored(&plan())
            .start(606_000, "heartbeat")
            .fail(607_000, "heartbeat", kind, message)
            .skip(607_000, "verify", upstream)
            .ran(607_000, 608_000, "delete", json!({}))
            .finish(608_000, RunOutcome::Failed);
        render_junit(&report(&journal))
    };
    let failed = bad(ErrorKind::CheckFailed, "too old <&\"\u{1b}\u{0} disabled=\"1\"");
    assert!(failed.contains("type=\"check_failed\""), "{failed}");
    // The run and the check failed; neither promise is proven; `verify` is skipped.
    assert!(failed.contains("tests=\"8\" skipped=\"1\" errors=\"2\" failures=\"2\""), "{failed}");
    assert!(failed.contains("it needs heartbeat, which did not succeed"), "{failed}");
    assert!(!failed.contains('\u{1b}') && !failed.contains('\u{0}'));
    let wrong = bad(ErrorKind::CheckError, "connection refused");
    assert!(
        wrong.contains("<error message=\"connection refused\" type=\"check_error\""),
        "{wrong}"
    );
    assert!(wrong.contains("skipped=\"1\" errors=\"3\" failures=\"1\""), "{wrong}");
    let open = render_junit(&report(&until_restored(&plan())));
    assert!(open.contains("errors=\"1\" failures=\"0\"") && open.contains("type=\"unfinished\""));
}

#[test]
fn only_what_was_taken_back_is_called_so() {
    let part = |journal: &JournalBuilder| {
        let restore = report(journal).parts.remove(0);
        (restore.status, restore.why)
    };
    let undoing = until_restored(&plan())
        .event(606_000, Event::UndoStarted { step: StepKey::new("restore") });
    let told = part(&undoing);
    assert_eq!(told, (PartStatus::NotReached, "restore: its undo has not ended".to_owned()));
    let error = error(ErrorKind::Refused, "deletion protection");
    let failed =
        undoing.clone().event(607_000, Event::UndoFailed { step: StepKey::new("restore"), error });
    let told = part(&failed);
    assert_eq!(told, (PartStatus::Failed, "undo of restore: deletion protection".to_owned()));
    let undone = undoing.event(607_000, Event::UndoSucceeded { step: StepKey::new("restore") });
    assert_eq!(part(&undone), (PartStatus::Undone, "restore was taken back".to_owned()));
}

#[test]
fn notices_gates_and_lone_commands_restore_nothing() {
    use crate::plan::model::{GateKind, Trace};
    let mut plan = plan();
    plan.steps.push(step("tell", "notify.webhook", Phase::Cleanup));
    plan.steps[5].trace = Trace::BestEffort;
    plan.steps.push(step("decide", "gate.approve", Phase::Provision));
    plan.steps[6].gate = Some(GateKind::Person);
    let counts = |report: &Report| -> Vec<u64> { report.parts.iter().map(|it| it.steps).collect() };
    assert_eq!(counts(&report(&until_verified(&plan))), [1, 2, 1]);
    // Without a clean-up, a notice is none.
    plan.steps.remove(4);
    let told = report(&until_restored(&plan).ran(606_000, 607_000, "tell", json!({})));
    assert_eq!(told.parts[2].status, PartStatus::NotPlanned, "{:?}", told.parts[2]);

    let mut script = crate::report::testing::plan();
    script.steps = vec![step("switch", "shell.run", Phase::Provision)];
    script.steps[0].trace = Trace::Answered;
    let ran = report(&journal(&script).ran(0, 1_000, "switch", json!({})));
    let restore = &ran.parts[0];
    assert_eq!(restore.status, PartStatus::NotPlanned, "{restore:?}");
    assert!(restore.why.contains("only commands ran"), "{restore:?}");
    let failed = journal(&script).start(0, "switch");
    let failed = report(&failed.fail(1_000, "switch", ErrorKind::CheckFailed, "exit code 1"));
    assert_eq!(failed.parts[0].status, PartStatus::Failed);
    // Beside a step that restores it counts like any other.
    script.steps.push(step("restore", "rds.restore_to_point_in_time", Phase::Provision));
    let both = journal(&script).ran(0, 1_000, "switch", json!({}));
    let both = report(&both.ran(1_000, 2_000, "restore", restored()));
    assert_eq!((both.parts[0].status, both.parts[0].steps), (PartStatus::Succeeded, 2));
}

#[test]
fn what_a_failed_undo_leaves_is_listed_by_its_name() {
    let undone = |outcome: Event| {
        let undo = journal(&plan())
            .ran(0, 4_000, "source", json!({}))
            .start(4_000, "restore")
            .intent(5_000, "restore", "rds:RestoreDBInstanceToPointInTime")
            .accepted(6_000, "restore")
            .fail(600_000, "restore", ErrorKind::Broken, "incompatible-restore")
            .event(606_000, Event::UndoStarted { step: StepKey::new("restore") })
            .intent(607_000, "restore", "rds:DeleteDBInstance");
        let refused = error(ErrorKind::Refused, "deletion protection");
        let refused = Event::ActRefused { step: StepKey::new("restore"), error: refused };
        report(&undo.event(608_000, refused).event(608_000, outcome)).left_behind
    };
    let refused = error(ErrorKind::Refused, "deletion protection");
    let key = || StepKey::new("restore");
    let left = undone(Event::UndoFailed { step: key(), error: refused });
    let left: Vec<_> = left.iter().map(|one| (one.what.as_str(), one.why.as_str())).collect();
    assert_eq!(left, [("db", "its undo failed")]);
    assert_eq!(undone(Event::UndoSucceeded { step: key() }), []);
}

#[test]
fn one_line_says_where_it_stands() {
    let mut real = plan();
    real.environment.simulated = false;
    let running = report(&until_restored(&real).start(606_000, "heartbeat"));
    let line = status_line(&running, at(700), Worker::Present);
    assert_eq!(
        line.text,
        "restore-db in sim: step 3 of 5, heartbeat; not recovered after 11m40s of 15m00s, \
         3m20s left; waits for nobody"
    );
    assert_eq!((line.state, line.left_ms), (LineState::Running, Some(200_000)));
    let late = status_line(&running, at(1_000), Worker::Present);
    assert!(late.text.contains("1m40s TOO LATE") && late.left_ms == Some(-100_000), "{late:?}");
    let gone = status_line(&running, at(700), Worker::Gone);
    assert_eq!(gone.state, LineState::Abandoned);
    assert!(gone.text.contains("NOBODY WORKS ON IT") && gone.text.contains("drctl resume"));
    let asked = every_event("heartbeat").into_iter().find(|one| one.kind() == "question_asked");
    let asked = until_restored(&real).start(606_000, "heartbeat").event(607_000, asked.unwrap());
    let asked = status_line(&report(&asked), at(700), Worker::Present);
    let since = "WAITS FOR A PERSON since 2026-01-15T09:10:07Z: go on?";
    assert!(asked.text.contains(since), "{}", asked.text);
    assert!(asked.text.ends_with(&format!("; drctl status {}", asked.run)), "{}", asked.text);
    assert!(asked.commands[0].ends_with(" --answer retry"), "{:?}", asked.commands);
    let done = status_line(&report(&whole(&plan())), at(9_999), Worker::Gone);
    assert_eq!(
        done.text,
        "SIMULATED restore-db in sim: SUCCEEDED: objectives met; recovered in 10m40s of 15m00s, \
         4m20s to spare; ended 2026-01-15T09:11:40Z"
    );
    real.mode = RunMode::Run;
    real.title = "a\nb\u{1b}[31m".repeat(500);
    let hostile = status_line(&report(&whole(&real)), at(0), Worker::Gone);
    assert!(!hostile.text.contains(char::is_control) && hostile.text.len() < 400, "{hostile:?}");
}

/// A journal of `count` events: one step that could not look, again and again.
fn restless(count: u64, distinct: u64) -> JournalBuilder {
    let mut journal = journal(&plan()).ran(0, 4_000, "source", json!({})).start(4_000, "restore");
    for number in 0..count {
        let mut state = String::new();
        write!(state, "state {}", number % distinct).unwrap();
        let step = StepKey::new("restore");
        journal.push(
            5_000 + number,
            Event::StepObserved { step, state, milestone: None, progress: None },
        );
    }
    journal
}

#[test]
fn a_page_is_bounded_however_long_the_journal() {
    for distinct in [1, 9_000] {
        let report = report(&restless(20_000, distinct));
        assert_eq!(report.timeline.len(), 20_005);
        let (page, text) = (render_html(&report), render_markdown(&report));
        assert!(page.len() < 400_000, "{distinct}: {} bytes of HTML", page.len());
        assert!(text.len() < 200_000, "{distinct}: {} bytes of Markdown", text.len());
        let told = if distinct == 1 { "20000 times" } else { "19005 events" };
        assert!(page.contains(told) && text.contains(told), "{distinct}");
    }
}
