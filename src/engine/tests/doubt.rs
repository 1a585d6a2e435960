//! Commands and notices in the machine: nothing can be looked at, so answers and people decide.

use super::*;
use crate::plan::model::Trace;

fn traceless(key: &str, needs: &[&str], trace: Trace) -> PlannedStep {
    let retry = Retry { attempts: 3, backoff_ms: 1_000 };
    PlannedStep { trace, undo: None, retry, ..mutation(key, needs) }
}

fn two(trace: Trace) -> Plan {
    plan(vec![traceless("act", &[], trace), check("after", &["act"])])
}

fn world(acts: Vec<Act>, answers: &[&'static str]) -> World {
    let world = World { traceless: true, ..World::default() };
    let mut world = world.look("act", vec![Ok(Seen::Absent)]).act("act", acts);
    world.answers.extend(answers);
    world
}

fn doubtful() -> Act {
    Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)))
}

fn refused(kind: ErrorKind) -> Act {
    Err(ActFailure::Refused(error(kind)))
}

#[test]
fn an_answer_ends_the_step_without_another_look() {
    for trace in [Trace::Answered, Trace::BestEffort] {
        let run = run(&two(trace), world(vec![Ok(None)], &[]));
        assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
        assert_eq!((run.kinds("intent_recorded"), run.kinds("act_accepted")), (1, 1));
        assert!(!run.state.steps[&StepKey::new("act")].adopted);
    }
}

#[test]
fn a_command_in_doubt_is_asked_about_and_not_repeated() {
    let waiting = run(&two(Trace::Answered), world(vec![doubtful()], &[]));
    assert_eq!(waiting.state.finished, None);
    assert_eq!((waiting.kinds("question_asked"), waiting.kinds("intent_recorded")), (1, 1));
    let question = waiting.state.steps[&StepKey::new("act")].question.clone().expect("asked");
    assert_eq!(question.choices, ["done", "repeat", "failed"]);
    assert!(question.question.contains("nobody knows whether do of act was done"), "{question:?}");

    let done = run(&two(Trace::Answered), world(vec![doubtful()], &["done"]));
    assert_eq!(done.state.finished, Some(RunOutcome::Warned));
    assert_eq!(done.kinds("intent_recorded"), 1);
    let warnings = &done.state.steps[&StepKey::new("act")].warnings;
    assert!(warnings[0].contains("was not seen: ann says so"), "{warnings:?}");

    let failed = run(&two(Trace::Answered), world(vec![doubtful()], &["failed"]));
    assert_eq!(failed.state.finished, Some(RunOutcome::Failed));
    assert_eq!(failed.status("after"), StepStatus::Skipped);
}

#[test]
fn each_repetition_needs_a_word_of_its_own() {
    let acts = || vec![doubtful(), doubtful(), Ok(None)];
    let run_with = |answers: &[&'static str]| run(&two(Trace::Answered), world(acts(), answers));
    let twice = run_with(&["repeat", "repeat"]);
    assert_eq!(twice.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((twice.kinds("question_asked"), twice.kinds("intent_recorded")), (2, 3));
    let once = run_with(&["repeat"]);
    assert_eq!((once.state.finished, once.kinds("question_asked")), (None, 2));
}

#[test]
fn an_idempotent_command_is_repeated_as_often_as_it_may_be_tried() {
    let mut plan = two(Trace::Answered);
    plan.steps[0].idempotent = true;
    let good = run(&plan, world(vec![doubtful(), doubtful(), Ok(None)], &[]));
    assert_eq!(good.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((good.kinds("question_asked"), good.kinds("intent_recorded")), (0, 3));
    let never = run(&plan, world(vec![doubtful()], &[]));
    assert_eq!(
        (never.state.finished, never.kinds("intent_recorded")),
        (Some(RunOutcome::Failed), 3)
    );
}

#[test]
fn nothing_that_becomes_of_a_notice_fails_the_run() {
    for acts in [
        vec![doubtful()],
        vec![refused(ErrorKind::Refused)],
        vec![refused(ErrorKind::Input)],
        vec![refused(ErrorKind::Guard)],
        vec![refused(ErrorKind::Credentials)],
        vec![refused(ErrorKind::Unreachable)],
    ] {
        let tries = if acts == [refused(ErrorKind::Unreachable)] { 3 } else { 1 };
        let told = run(&two(Trace::BestEffort), world(acts.clone(), &[]));
        assert_eq!(told.state.finished, Some(RunOutcome::Warned), "{acts:?}");
        assert_eq!(told.status("after"), StepStatus::Succeeded);
        assert_eq!((told.kinds("intent_recorded"), told.kinds("question_asked")), (tries, 0));
        let warnings = &told.state.steps[&StepKey::new("act")].warnings;
        assert!(warnings.len() == 1 && warnings[0].contains("not sent"), "{warnings:?}");
    }
    let mut late = world(vec![], &[]);
    late.conditions.insert("act", Begun::Failed(error(ErrorKind::Input)));
    assert_eq!(run(&two(Trace::BestEffort), late).state.finished, Some(RunOutcome::Warned));
}

#[test]
fn a_process_that_dies_while_acting_leaves_a_doubt() {
    for (trace, outcome, asked) in
        [(Trace::Answered, None, 1), (Trace::BestEffort, Some(RunOutcome::Warned), 0)]
    {
        let plan = two(trace);
        let whole = run(&plan, world(vec![Ok(None)], &[]));
        let at = whole.records.iter().position(|it| it.event.kind() == "intent_recorded");
        let known = &whole.records[..=at.expect("an intent")];
        let state = RunState::fold(known).expect("a legal journal");
        let start = Start { operator: "bob".to_owned(), fence: 2 };
        let (machine, turn) = Machine::resume(plan.clone(), state, start, whole.now);
        let taken_up = drive(machine, turn, &mut world(vec![Ok(None)], &[]), whole.now);
        assert_eq!(taken_up.kinds("intent_recorded"), 0, "{trace:?}");
        assert_eq!((taken_up.state.finished, taken_up.kinds("question_asked")), (outcome, asked));
    }
}
