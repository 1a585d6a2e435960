//! Gates in reports: who decided, how long it was waited for, and what it did to the run.

use super::*;
use crate::journal::question::{Consequence, REJECT};
use crate::journal::testing::{gate_answered, gate_asked};
use crate::plan::model::{GateKind, Plan, PlannedStep};
use crate::report::line::{LineState, Worker};
use crate::report::{render_html, render_json, render_junit, render_markdown, status_line};

/// The drill of all tests with a gate before the restore.
fn gated() -> Plan {
    let mut plan = plan();
    plan.steps.insert(1, step("decide", "gate.approve", Phase::Wait));
    plan.steps[1].gate = Some(GateKind::Person);
    plan.measure.recovered = [StepKey::new("restore")].into();
    plan
}

/// Asked after four seconds, open until half an hour later.
fn asked(plan: &Plan, on_timeout: Consequence) -> JournalBuilder {
    journal(plan)
        .ran(0, 4_000, "source", json!({}))
        .event(
            4_000,
            Event::StepStarted {
                step: StepKey::new("decide"),
                inputs: json!({ "message": "promote?" }),
            },
        )
        .event(4_000, gate_asked("decide", 1_804_000, on_timeout))
}

#[test]
fn an_approval_is_shown_with_who_when_how_why_and_how_long() {
    let plan = gated();
    let journal = asked(&plan, Consequence::Fail)
        .event(5_000, Event::RunInterrupted { reason: "question".to_owned() })
        .event(600_000, Event::AttemptStarted { attempt: 2, operator: "carol".to_owned() })
        .event(604_000, gate_answered("decide", "approve", Some("agreed on the call")))
        .succeed(604_000, "decide", json!({}))
        .ran(604_000, 700_000, "restore", restored());
    let report = report(&journal);
    assert_eq!(phases(&report), [("decide", 4_000), ("wait", 600_000), ("provision", 96_000)]);
    let decision = &report.approvals[1];
    assert_eq!((decision.who.as_deref(), decision.waited_ms), (Some("carol"), Some(600_000)));
    assert_eq!(decision.approvers, ["bob"]);
    let row = "| carol | decide: promote?           | approve at the terminal, after 10m00s (agreed on the call) |";
    assert!(render_markdown(&report).contains(row), "{}", render_markdown(&report));
    let page = render_html(&report);
    for part in
        ["to be decided by: ", "approve at the terminal, after 10m00s", "agreed on the call"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(render_json(&report).contains("\"waited_ms\": 600000"));
}

#[test]
fn a_gate_without_an_answer_is_a_finding() {
    for (on_timeout, kind, severity, part) in [
        (Consequence::Fail, ErrorKind::TimedOut, Severity::Problem, "gate timed out: nobody"),
        (Consequence::Reject, ErrorKind::Rejected, Severity::Warning, "the run was ended here"),
    ] {
        let plan = gated();
        let journal = asked(&plan, on_timeout)
            .event(1_804_000, Event::QuestionExpired { step: StepKey::new("decide") })
            .fail(1_804_000, "decide", kind, "nobody decided within 30m00s");
        let report = report(&journal);
        let finding = report.findings.iter().find(|one| one.step.as_deref() == Some("decide"));
        let finding = finding.expect("a finding");
        assert_eq!(finding.severity, severity);
        assert!(finding.text.starts_with(part), "{}", finding.text);
        let row = &report.approvals[1];
        assert_eq!((row.who_text(), row.waited_ms), ("nobody", Some(1_800_000)));
        assert_eq!(row.decision_text(), "no answer in time, after 30m00s");
        assert_eq!(phases(&report), [("decide", 4_000), ("wait", 1_800_000)]);
        let rejected = kind == ErrorKind::Rejected;
        assert_eq!(report.verdict.rejected_steps.is_empty(), !rejected);
        assert_eq!(report.verdict.failed_steps.is_empty(), rejected);
    }
}

#[test]
fn a_rejection_is_a_decision_and_no_breakdown() {
    let plan = gated();
    let journal = asked(&plan, Consequence::Fail)
        .event(10_000, gate_answered("decide", REJECT, None))
        .fail(10_000, "decide", ErrorKind::Rejected, "rejected by carol at the terminal")
        .skip(10_000, "restore", SkipReason::Upstream { step: StepKey::new("decide") })
        .finish(10_000, RunOutcome::Aborted);
    let report = report(&journal);
    assert!(report.verdict.headline.starts_with("ABORTED: rejected at: decide"), "{report:?}");
    let junit = render_junit(&report);
    assert!(junit.contains("type=\"rejected\"") && junit.contains("<failure"), "{junit}");
}

#[test]
fn the_line_says_whom_a_run_waits_for() {
    let plan = gated();
    let stopped = asked(&plan, Consequence::Fail)
        .event(5_000, Event::RunInterrupted { reason: "question".to_owned() });
    for journal in [asked(&plan, Consequence::Fail), stopped] {
        let line = status_line(&report(&journal), at(64), Worker::Gone);
        assert_eq!(line.state, LineState::Waiting);
        assert_eq!((line.approvers.len(), line.waiting_since), (1, Some(at(4))));
        assert_eq!(line.answer_until, Some(at(1_804)));
        let run = &line.run;
        assert_eq!(
            line.text,
            format!(
                "SIMULATED restore-db in sim: WAITS FOR bob since 2026-01-15T09:00:04Z, until \
                 2026-01-15T09:30:04Z: promote?; step 2 of 6, decide; not recovered after 1m04s of \
                 15m00s, 13m56s left; drctl status {run}"
            )
        );
        let answer = |word: &str| format!("drctl resume {run} --answer {word}");
        assert_eq!(line.command, Some(format!("drctl status {run}")));
        assert_eq!(line.commands, [answer("approve"), answer("reject")]);
    }
}

#[test]
fn commands_of_several_questions_name_their_steps_and_are_plain_words_of_a_shell() {
    let mut plan = gated();
    let other = PlannedStep { key: StepKey::item("other", "a; b|c'd"), ..plan.steps[1].clone() };
    let key = other.key.clone();
    plan.steps.insert(2, other);
    let journal = asked(&plan, Consequence::Fail)
        .event(5_000, Event::StepStarted { step: key.clone(), inputs: json!({}) })
        .event(5_000, gate_asked(key.as_str(), 1_805_000, Consequence::Fail));
    let line = status_line(&report(&journal), at(64), Worker::Present);
    let run = &line.run;
    let quoted = r"'other[a; b|c'\''d]'";
    assert_eq!(
        line.commands,
        [
            format!("drctl resume {run} --step decide --answer approve"),
            format!("drctl resume {run} --step decide --answer reject"),
            format!("drctl resume {run} --step {quoted} --answer approve"),
            format!("drctl resume {run} --step {quoted} --answer reject"),
        ]
    );
    assert_eq!(line.command, Some(format!("drctl status {run}")));
    assert!(!line.text.contains("--answer"), "{}", line.text);
}
