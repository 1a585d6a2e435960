//! Gates in the machine: asked once, opened by an answer in time, over resumes and crashes.

use super::*;
use crate::base::clock::format_instant;
use crate::engine::SeenGate;
use crate::journal::fold::{Consequence, GateRecord};

const LIMIT_MS: u64 = 1_800_000;

fn seen_gate(on_timeout: Consequence) -> Look {
    let (message, approvers) = ("promote?".to_owned(), vec!["ann".to_owned()]);
    Ok(Seen::Gate(SeenGate { message, approvers, approvals: 1, on_timeout }))
}

/// `before`, then a gate, then `after`; `clean` always runs.
fn gated(on_failure: OnFailure) -> Plan {
    let gate = PlannedStep { timeout_ms: LIMIT_MS, on_failure, ..check("gate", &["before"]) };
    let mut steps = vec![
        mutation("before", &[]),
        gate,
        mutation("after", &["gate"]),
        mutation("aside", &["before"]),
        PlannedStep { always: true, undo: None, ..mutation("clean", &["after"]) },
    ];
    steps[2].irreversible = true;
    plan(steps)
}

fn world(on_timeout: Consequence, answers: &[&'static str]) -> World {
    let mut world = World::default().look("gate", vec![seen_gate(on_timeout)]);
    world.answers.extend(answers);
    world
}

fn resumed(plan: &Plan, state: RunState, world: &mut World, now: DateTime<Utc>) -> Run {
    let start = Start { operator: "bob".to_owned(), fence: state.fence + 1 };
    let (machine, turn) = Machine::resume(plan.clone(), state, start, now);
    drive(machine, turn, world, now)
}

fn gate(run: &Run) -> &crate::journal::fold::StepState {
    &run.state.steps[&StepKey::new("gate")]
}

#[test]
fn a_question_that_nobody_answers_interrupts_and_is_asked_again() {
    let plan = policy(OnFailure::Ask);
    let stopped = run(&plan, a_breaks());
    assert_eq!(stopped.state.finished, None);
    assert_eq!(stopped.state.interrupted.as_deref(), Some("question"));
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (machine, turn) = Machine::resume(plan, stopped.state, start, stopped.now);
    let mut world = World::default();
    world.answers.push_back("continue");
    let run = drive(machine, turn, &mut world, stopped.now);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
    assert_eq!(run.kinds("question_asked"), 0, "the question is in the journal already");
}

#[test]
fn an_approval_opens_the_gate_and_says_who_and_when() {
    let run = run(&gated(OnFailure::Stop), world(Consequence::Fail, &["approve"]));
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!(gate(&run).outputs["approved_by"], "ann");
    assert_eq!(gate(&run).outputs["comment"], serde_json::Value::Null);
    let at = gate(&run).answered_at.expect("answered");
    assert_eq!(gate(&run).outputs["approved_at"], crate::base::clock::format_instant(at));
    assert_eq!(gate(&run).evidence[0].source, "at the terminal");
    assert!(!gate(&run).adopted);
}

#[test]
fn a_rejection_stops_whatever_on_failure_says_and_asks_nobody_again() {
    for (on_failure, before) in [
        (OnFailure::Stop, StepStatus::Succeeded),
        (OnFailure::Continue, StepStatus::Succeeded),
        (OnFailure::Ask, StepStatus::Succeeded),
        (OnFailure::Undo, StepStatus::Undone),
    ] {
        let run = run(&gated(on_failure), world(Consequence::Fail, &["reject"]));
        assert_eq!(run.state.finished, Some(RunOutcome::Aborted), "{on_failure:?}");
        assert_eq!(run.failure("gate"), ErrorKind::Rejected);
        assert_eq!(run.skip("after"), Some(SkipReason::Upstream { step: StepKey::new("gate") }));
        assert_eq!(run.status("before"), before, "{on_failure:?}");
        assert_eq!(run.status("clean"), StepStatus::Succeeded, "{on_failure:?}");
        assert_eq!(run.kinds("question_asked"), 1);
        let score = run.state.score.expect("scored");
        assert!(!score.wrong.iter().any(|text| text.starts_with("after")), "{score:?}");
    }
}

#[test]
fn nobody_in_time_fails_or_rejects_as_the_gate_says() {
    for (on_timeout, kind, outcome) in [
        (Consequence::Fail, ErrorKind::TimedOut, RunOutcome::Failed),
        (Consequence::Reject, ErrorKind::Rejected, RunOutcome::Aborted),
    ] {
        let plan = gated(OnFailure::Stop);
        let stopped = run(&plan, world(on_timeout, &[]));
        assert_eq!(stopped.state.interrupted.as_deref(), Some("question"));
        assert_eq!(stopped.status("aside"), StepStatus::Succeeded, "it needs nobody");
        let asked_at = gate(&stopped).question.as_ref().expect("open").asked_at;
        let deadline = asked_at + Duration::from_millis(LIMIT_MS);
        let just = deadline - chrono::TimeDelta::milliseconds(1);
        let again = resumed(&plan, stopped.state.clone(), &mut world(on_timeout, &[]), just);
        assert_eq!(again.state.interrupted.as_deref(), Some("question"), "a millisecond is left");
        assert_eq!(again.kinds("question_asked"), 0);
        // A minute for typing is too long then: the answer is not taken.
        for (now, answers) in [(just, &["approve"][..]), (deadline, &[])] {
            let late = resumed(&plan, stopped.state.clone(), &mut world(on_timeout, answers), now);
            assert_eq!((late.failure("gate"), late.state.finished), (kind, Some(outcome)));
            assert_eq!((late.kinds("question_expired"), late.kinds("question_answered")), (1, 0));
            assert_eq!(late.status("clean"), StepStatus::Succeeded);
        }
    }
}

#[test]
fn a_question_may_end_while_other_steps_go_on() {
    let plan = gated(OnFailure::Stop);
    let world = world(Consequence::Fail, &[]);
    let world = world.look("aside", [vec![progress("going"); 200], vec![done()]].concat());
    let mut plan = plan;
    plan.steps[3].timeout_ms = 10_000_000;
    let run = run(&plan, world);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
    assert_eq!(
        (run.failure("gate"), run.status("aside")),
        (ErrorKind::TimedOut, StepStatus::Succeeded)
    );
}

#[test]
fn a_gate_that_timed_out_may_be_asked_anew_with_a_time_of_its_own() {
    let plan = gated(OnFailure::Ask);
    let stopped = run(&plan, world(Consequence::Fail, &[]));
    let late = stopped.now + Duration::from_millis(2 * LIMIT_MS);
    let mut world = world(Consequence::Fail, &["retry", "approve"]);
    let run = resumed(&plan, stopped.state, &mut world, late);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((run.kinds("question_expired"), run.kinds("question_asked")), (1, 2));
}

#[test]
fn every_prefix_of_a_run_with_gates_ends_the_same() {
    for (answer, outcome) in [("approve", RunOutcome::Succeeded), ("reject", RunOutcome::Aborted)] {
        let plan = gated(OnFailure::Stop);
        let whole = run(&plan, world(Consequence::Fail, &[answer]));
        let answered = whole.kinds("question_answered");
        for count in 2..whole.records.len() {
            let state = RunState::fold(&whole.records[..count]).expect("every prefix folds");
            let at = whole.records[count - 1].at;
            let done = state.steps[&StepKey::new("gate")].answer.is_some();
            // Once the answer is in the journal nobody is asked.
            let answers = if done { &[][..] } else { &[answer][..] };
            let mut world = world(Consequence::Fail, answers);
            let run = resumed(&plan, state, &mut world, at);
            assert_eq!(run.state.finished, Some(outcome), "{answer}, {count} records");
            assert_eq!(run.kinds("question_answered"), if done { 0 } else { answered });
        }
    }
}

#[test]
fn an_expired_question_without_its_end_ends_on_resume() {
    let plan = gated(OnFailure::Stop);
    let stopped = run(&plan, world(Consequence::Reject, &[]));
    let mut state = stopped.state;
    let late = stopped.now + Duration::from_millis(2 * LIMIT_MS);
    for event in [
        Event::AttemptStarted { attempt: 2, operator: "bob".to_owned() },
        Event::QuestionExpired { step: StepKey::new("gate") },
    ] {
        let (seq, fence) = (state.last_seq + 1, state.fence);
        let record = Record { seq, version: 1, at: late, run_ms: state.last_run_ms, fence, event };
        state.apply(&record).expect("legal");
    }
    let run = resumed(&plan, state, &mut world(Consequence::Reject, &[]), late);
    assert_eq!(run.state.finished, Some(RunOutcome::Aborted));
    assert_eq!(run.kinds("question_asked"), 0);
}

#[test]
fn an_instant_is_waited_for_in_short_pieces_and_never_beyond_the_time_out() {
    let until = simulated_epoch() + Duration::from_secs(3_600);
    let waiting = || Ok(Seen::Waiting { until });
    let mut plan = plan(vec![PlannedStep { timeout_ms: 7_200_000, ..check("a", &[]) }]);
    let world = World::default().look("a", [vec![waiting(); 60], vec![done()]].concat());
    let ended = run(&plan, world);
    assert_eq!(ended.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((ended.now, ended.kinds("step_observed")), (until, 1));
    plan.steps[0].timeout_ms = 3_599_000;
    let ended = run(&plan, World::default().look("a", vec![waiting()]));
    assert_eq!((ended.failure("a"), ended.now), (ErrorKind::TimedOut, simulated_epoch()));
}

#[test]
fn the_question_holds_what_the_gate_says() {
    let stopped = run(&gated(OnFailure::Stop), world(Consequence::Reject, &[]));
    let question = gate(&stopped).question.clone().expect("open");
    assert_eq!((question.question.as_str(), question.error), ("promote?", None));
    let deadline = question.asked_at + Duration::from_millis(LIMIT_MS);
    let (approvers, on_timeout) = (vec!["ann".to_owned()], Consequence::Reject);
    assert_eq!(question.gate, Some(GateRecord { approvers, deadline, on_timeout, approvals: 1 }));
}

#[test]
fn no_time_of_a_journal_leads_out_of_the_calendar() {
    let end = "9999-12-31T23:59:59Z";
    for limit in [u64::MAX, 8_640_000_000_000_000, i64::MAX as u64] {
        let mut plan = gated(OnFailure::Stop);
        plan.steps[1].timeout_ms = limit;
        let stopped = run(&plan, world(Consequence::Fail, &[]));
        let record = gate(&stopped).question.clone().expect("open").gate.expect("of a gate");
        assert_eq!(format_instant(record.deadline), end);
        let mut world = world(Consequence::Fail, &["approve"]);
        let ended = resumed(&plan, stopped.state, &mut world, stopped.now);
        assert_eq!(ended.state.finished, Some(RunOutcome::Succeeded));
        let until = simulated_epoch() + Duration::from_secs(60);
        let wait = PlannedStep { timeout_ms: limit, ..check("a", &[]) };
        let looks = vec![Ok(Seen::Waiting { until }), done()];
        let ended = run(&super::plan(vec![wait]), World::default().look("a", looks));
        assert_eq!((ended.state.finished, ended.now), (Some(RunOutcome::Succeeded), until));
    }
}
