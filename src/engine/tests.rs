//! The machine against a scripted world: policies, order, time, doubt.

use crate::base::clock::simulated_epoch;
use crate::base::ids::StepKey;
use crate::engine::{
    ActFailure, Begun, Effect, Input, Machine, Part, Reply, Seen, SeenDone, Start, Turn,
};
use crate::journal::Person;
use crate::journal::event::{ErrorKind, ErrorRecord, Event, Record, RunOutcome, SkipReason};
use crate::journal::figure::FigureRecord;
use crate::journal::fold::{AnswerWay, RunState, StepStatus};
use crate::plan::model::{OnFailure, Phase, Plan, PlannedStep, Retry};
use crate::report::testing;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

mod calls;
mod control;
mod doubt;
mod gates;
mod parts;
mod property;
mod storm;
mod world;

use world::{
    Act, Look, NEVER, Run, World, about, begin, broken, check, done, drive, error, mutation, plan,
    progress, run,
};

/// `a` fails; `b` needs it, `c` does not (but is later), `d` always runs.
fn policy(on_failure: OnFailure) -> Plan {
    let mut steps = vec![
        mutation("first", &[]),
        PlannedStep { on_failure, ..mutation("a", &["first"]) },
        mutation("b", &["a"]),
        mutation("c", &["first"]),
        mutation("e", &["c"]),
        PlannedStep { always: true, ..mutation("d", &["b", "e"]) },
    ];
    steps[5].undo = None;
    plan(steps)
}

fn a_breaks() -> World {
    // `c` takes longer than `a` needs to break, so that `e` is decided after the failure.
    World::default()
        .look("a", vec![broken()])
        .look("c", vec![progress("going"), progress("going"), done()])
}

#[test]
fn stop_starts_nothing_new_but_always_steps() {
    let run = run(&policy(OnFailure::Stop), a_breaks());
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
    assert_eq!((run.status("a"), run.failure("a")), (StepStatus::Failed, ErrorKind::Broken));
    assert_eq!(run.skip("b"), Some(SkipReason::Upstream { step: StepKey::new("a") }));
    assert_eq!(run.status("c"), StepStatus::Succeeded, "what is under way goes on");
    assert_eq!(run.skip("e"), Some(SkipReason::Stopped { step: StepKey::new("a") }));
    assert_eq!(run.status("d"), StepStatus::Succeeded);
}

#[test]
fn continue_goes_on_with_what_does_not_need_the_failed_step() {
    let run = run(&policy(OnFailure::Continue), a_breaks());
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
    assert_eq!(run.skip("b"), Some(SkipReason::Upstream { step: StepKey::new("a") }));
    for step in ["c", "e", "d"] {
        assert_eq!(run.status(step), StepStatus::Succeeded, "{step}");
    }
}

#[test]
fn undo_takes_back_the_newest_first_and_then_cleans_up() {
    let run = run(&policy(OnFailure::Undo), a_breaks());
    assert_eq!(run.state.finished, Some(RunOutcome::Undone));
    let order: Vec<String> = run
        .records
        .iter()
        .filter(|record| matches!(record.event, Event::UndoStarted { .. }))
        .map(|record| record.event.step().expect("a step").to_string())
        .collect();
    assert_eq!(order, ["c", "first"], "`a` never asked for anything");
    assert_eq!(run.status("first"), StepStatus::Undone);
    assert_eq!(run.status("d"), StepStatus::Succeeded, "clean-up runs after the undos");
}

#[test]
fn an_undo_that_fails_is_told_and_stops_what_it_stands_on_only() {
    let world = a_breaks().undo("c", vec![broken()]);
    let run = run(&policy(OnFailure::Undo), world);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
    assert_eq!(run.status("c"), StepStatus::UndoFailed);
    assert_eq!(run.status("first"), StepStatus::Succeeded, "what `c` stands on stays");
    let world = a_breaks()
        .undo("e", vec![broken()])
        .look("a", [vec![progress("going"); 9], vec![broken()]].concat());
    let apart = self::run(&policy(OnFailure::Undo), world);
    assert_eq!(
        (apart.status("e"), apart.status("c")),
        (StepStatus::UndoFailed, StepStatus::Succeeded)
    );
    assert_eq!(apart.status("d"), StepStatus::Succeeded, "clean-up runs");
}

#[test]
fn ask_waits_for_a_person_and_does_what_they_say() {
    // `c` goes on for longer than the minute a person takes, so the answer decides about `e`.
    for (answer, status) in [("continue", StepStatus::Succeeded), ("stop", StepStatus::Skipped)] {
        let mut world = a_breaks().look("c", [vec![progress("going"); 9], vec![done()]].concat());
        world.answers.push_back(answer);
        let run = run(&policy(OnFailure::Ask), world);
        assert_eq!(run.state.finished, Some(RunOutcome::Failed), "{answer}");
        assert_eq!((run.status("a"), run.status("e")), (StepStatus::Failed, status), "{answer}");
    }
    let mut world = a_breaks();
    world.answers.push_back("undo");
    assert_eq!(run(&policy(OnFailure::Ask), world).state.finished, Some(RunOutcome::Undone));
    let mut world = World::default().look("a", vec![broken(), done()]);
    world.answers.push_back("retry");
    assert_eq!(run(&policy(OnFailure::Ask), world).state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn a_condition_that_is_false_skips_a_step_and_what_needs_it() {
    let mut world = World::default();
    world.conditions.insert("a", Begun::Skip { when: "false".to_owned() });
    let run = run(&policy(OnFailure::Stop), world);
    assert_eq!(run.skip("a"), Some(SkipReason::Condition { when: "false".to_owned() }));
    assert_eq!(run.skip("b"), Some(SkipReason::Upstream { step: StepKey::new("a") }));
    assert_eq!(run.status("d"), StepStatus::Succeeded);
    assert_eq!(run.state.finished, Some(RunOutcome::Warned), "skipped is not succeeded");
}

#[test]
fn time_runs_out_by_the_clock_and_not_by_the_number_of_looks() {
    let world = World::default().look("a", vec![Ok(Seen::Absent), progress("creating")]);
    let run = run(&plan(vec![mutation("a", &[])]), world);
    assert_eq!(run.failure("a"), ErrorKind::TimedOut);
    let took = run.now - simulated_epoch();
    assert!((600..=620).contains(&took.num_seconds()), "{took}");
    assert_eq!(run.kinds("step_observed"), 1, "equal looks are recorded once");
    assert_eq!(run.kinds("intent_recorded"), 1);
}

#[test]
fn refusals_that_pass_are_tried_again_and_others_are_not() {
    let refused = |kind| Err(ActFailure::Refused(error(kind)));
    for (kind, tries) in [
        (ErrorKind::Temporary, 3),
        (ErrorKind::Unreachable, 3),
        (ErrorKind::Refused, 1),
        (ErrorKind::Guard, 1),
    ] {
        let world =
            World::default().look("a", vec![Ok(Seen::Absent)]).act("a", vec![refused(kind)]);
        let run = run(&plan(vec![mutation("a", &[])]), world);
        assert_eq!((run.failure("a"), run.kinds("intent_recorded")), (kind, tries), "{kind:?}");
    }
    let world = World::default()
        .look("a", vec![Ok(Seen::Absent), Ok(Seen::Absent), done()])
        .act("a", vec![refused(ErrorKind::Temporary), Ok(None)]);
    let run = run(&plan(vec![mutation("a", &[])]), world);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn in_doubt_looks_until_the_world_has_settled_before_it_acts_again() {
    let doubt = Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)));
    let world = World::default().look("a", vec![Ok(Seen::Absent)]).act("a", vec![doubt]);
    let run = run(&plan(vec![mutation("a", &[])]), world);
    let intents: Vec<DateTime<Utc>> = run
        .records
        .iter()
        .filter(|record| matches!(record.event, Event::IntentRecorded { .. }))
        .map(|record| record.at)
        .collect();
    assert_eq!(intents.len(), 3);
    for pair in intents.windows(2) {
        assert!((pair[1] - pair[0]).num_seconds() >= 150, "{intents:?}");
    }
    assert_eq!(run.failure("a"), ErrorKind::InDoubt);
}

#[test]
fn another_target_is_never_asked_for_after_a_try_that_may_have_done_something() {
    let plan = plan(vec![mutation("a", &[])]);
    let (mut machine, turn) = begin(&plan);
    let mut world = World::default().look("a", vec![Ok(Seen::Absent)]);
    let (mut effects, now) = (turn.effects, simulated_epoch());
    while !matches!(effects.as_slice(), [Effect::Act { .. }]) {
        let (_, input) = world.answer(effects.remove(0));
        effects.extend(machine.handle(input, now).effects);
    }
    let other = Begun::Run { inputs: json!({}), intent: ("do".into(), "other".into()) };
    world.conditions.insert("a", other);
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (machine, turn) = Machine::resume(plan, machine.state().clone(), start, now);
    let run = drive(machine, turn, &mut world, now);
    assert_eq!((run.failure("a"), run.kinds("intent_recorded")), (ErrorKind::Internal, 0));
    let error = run.state.steps[&StepKey::new("a")].error.clone().expect("it failed");
    assert!(error.message.contains("asked for a,"), "{}", error.message);
    assert!(error.message.contains("would ask for other"), "{}", error.message);
}

#[test]
fn a_check_that_cannot_look_has_its_number_of_tries() {
    let cannot = || Err(error(ErrorKind::CheckError));
    let failed = run(&plan(vec![check("a", &[])]), World::default().look("a", vec![cannot()]));
    assert_eq!((failed.failure("a"), failed.kinds("step_retried")), (ErrorKind::CheckError, 2));
    let world = World::default().look("a", vec![cannot(), cannot(), done()]);
    let passed = run(&plan(vec![check("a", &[])]), world);
    assert_eq!(passed.state.finished, Some(RunOutcome::Succeeded));
    let wrong = SeenDone { failed: Some(error(ErrorKind::CheckFailed)), ..SeenDone::default() };
    let world = World::default().look("a", vec![Ok(Seen::Done(Box::new(wrong)))]);
    let wrong = run(&plan(vec![check("a", &[])]), world);
    assert_eq!((wrong.failure("a"), wrong.kinds("step_retried")), (ErrorKind::CheckFailed, 0));
}

#[test]
fn an_interrupt_waits_for_the_mutation_in_flight_and_lets_no_other_leave() {
    let plan = plan(vec![mutation("a", &[]), mutation("b", &[])]);
    let (mut machine, turn) = begin(&plan);
    let mut now = simulated_epoch();
    let mut world =
        World::default().look("a", vec![Ok(Seen::Absent)]).look("b", vec![Ok(Seen::Absent)]);
    let mut open = Vec::new();
    for effect in turn.effects {
        let turn = machine.handle(world.answer(effect).1, now);
        open.extend(turn.effects);
    }
    let look = |step: &str, open: &[Effect]| {
        open.iter()
            .find(
                |effect| matches!(effect, Effect::Observe { step: of, .. } if of.as_str() == step),
            )
            .cloned()
    };
    let acting = machine.handle(world.answer(look("a", &open).expect("a look")).1, now);
    assert!(matches!(acting.effects.as_slice(), [Effect::Act { .. }]), "{acting:?}");
    now += Duration::from_secs(1);
    let stopping = machine.handle(Input::Interrupt { reason: "signal".to_owned() }, now);
    assert!(stopping.effects.is_empty(), "a mutation is in flight: {stopping:?}");
    let other = machine.handle(world.answer(look("b", &open).expect("a look")).1, now);
    assert!(other.effects.is_empty() && other.records.is_empty(), "{other:?}");
    let acted = Input::Acted { step: StepKey::new("a"), result: Ok(None), done: None };
    let last = machine.handle(acted, now);
    assert!(last.effects.contains(&Effect::Halt), "{last:?}");
    assert_eq!(machine.state().interrupted.as_deref(), Some("signal"));
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (machine, turn) = Machine::resume(plan, machine.state().clone(), start, now);
    let mut world = World::default().look("b", vec![Ok(Seen::Absent), done()]);
    let run = drive(machine, turn, &mut world, now);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!(run.kinds("intent_recorded"), 1, "only `b` had not acted yet");
}

#[test]
fn the_same_inputs_give_the_same_records() {
    let bytes = || {
        let run = run(&policy(OnFailure::Undo), a_breaks());
        serde_json::to_string(&run.records).expect("plain data")
    };
    assert_eq!(bytes(), bytes());
}
