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
fn a_person_s_word_begins_a_new_count_of_tries() {
    let mut plan = two(Trace::Answered);
    plan.steps[0].retry.attempts = 1;
    let repeated = run(&plan, world(vec![doubtful(), Ok(None)], &["repeat"]));
    assert_eq!(repeated.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!(repeated.kinds("intent_recorded"), 2);
    let mut seen = super::plan(vec![mutation("act", &[])]);
    seen.steps[0].retry.attempts = 1;
    seen.steps[0].on_failure = OnFailure::Ask;
    let mut world = World::default()
        .look("act", [vec![Ok(Seen::Absent); 40], vec![done()]].concat())
        .act("act", vec![Ok(None)]);
    world.answers.extend(["retry"; 9]);
    let retried = run(&seen, world);
    assert_eq!(retried.state.finished, Some(RunOutcome::Succeeded));
    let answers = retried.kinds("question_answered");
    assert!(answers >= 1, "one try was not enough");
    assert_eq!(retried.kinds("intent_recorded"), answers + 1, "each `retry` is a try");
}

#[test]
fn retry_of_a_command_that_answered_starts_it_anew_and_asks_nothing_else() {
    let mut plan = two(Trace::Answered);
    (plan.steps[0].on_failure, plan.steps[0].retry.attempts) = (OnFailure::Ask, 1);
    let failed = |message: &str| {
        let failed =
            Some(ErrorRecord { message: message.to_owned(), ..error(ErrorKind::CheckFailed) });
        Box::new(SeenDone { failed, ..SeenDone::default() })
    };
    let mut exits = VecDeque::from([failed("exit code 1"), failed("exit code 2"), Box::default()]);
    let (mut machine, mut turn) = begin(&plan);
    let mut world = world(vec![Ok(None)], &["retry", "retry"]);
    let (mut questions, mut flying) = (Vec::new(), VecDeque::new());
    while !turn.effects.contains(&Effect::Halt) {
        flying.extend(std::mem::take(&mut turn.effects));
        let effect = flying.pop_front().expect("something is in flight");
        if let Effect::Ask { question, .. } = &effect {
            questions.push(question.question.clone());
        }
        let mut input = world.answer(effect).1;
        if let Input::Acted { done, .. } = &mut input {
            *done = exits.pop_front();
        }
        turn = machine.handle(input, simulated_epoch());
    }
    assert_eq!(machine.state().finished, Some(RunOutcome::Succeeded));
    assert_eq!(questions.len(), 2, "{questions:?}");
    assert!(questions.iter().all(|text| text.contains("failed: exit code")), "{questions:?}");
    let step = &machine.state().steps[&StepKey::new("act")];
    assert_eq!((step.last_try(), step.warnings.len()), (3, 0));
}

#[test]
fn a_command_without_tries_left_has_words_of_its_own() {
    let mut plan = two(Trace::Answered);
    (plan.steps[0].idempotent, plan.steps[0].retry.attempts) = (true, 1);
    let never = run(&plan, world(vec![doubtful()], &[]));
    let error = never.state.steps[&StepKey::new("act")].error.clone().expect("it failed");
    assert_eq!(error.message, "no answer says that it was done, after 1 try");
}

#[test]
fn a_notice_that_was_not_sent_was_predicted_wrongly() {
    let score = |acts: Vec<Act>| {
        let score = run(&two(Trace::BestEffort), world(acts, &[])).state.score.expect("scored");
        (score.held, score.total, score.wrong)
    };
    assert_eq!(score(vec![Ok(None)]), (2, 2, vec![]));
    let wrong = vec!["act: predicted WILL, was not sent".to_owned()];
    assert_eq!(score(vec![refused(ErrorKind::Refused)]), (1, 2, wrong));
    assert_eq!(score(vec![doubtful()]), (1, 1, vec![]), "nobody knows, so nothing is compared");
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
