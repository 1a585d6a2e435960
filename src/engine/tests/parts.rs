//! Steps that are done in parts: each act does one, and looking tells what is left.

use super::*;

fn part(done: u32) -> Look {
    Ok(Seen::Partly { state: format!("{done} done"), progress: json!({ "after": done }) })
}

fn throttled() -> Act {
    Err(ActFailure::Refused(error(ErrorKind::Temporary)))
}

fn doubtful() -> Act {
    Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)))
}

fn bulk() -> Plan {
    plan(vec![mutation("bulk", &[])])
}

#[test]
fn each_part_is_an_act_and_no_stale_read_is_waited_for() {
    let looks = (0..50).map(part).chain([done()]).collect();
    let run = run(&bulk(), World::default().look("bulk", looks));
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((run.kinds("intent_recorded"), run.kinds("act_accepted")), (50, 50));
    assert_eq!(run.kinds("step_observed"), 50, "how far it is goes to the journal before each act");
    let took = run.now - simulated_epoch();
    assert!(took < chrono::TimeDelta::seconds(10), "{took}");
}

#[test]
fn tries_count_only_while_nothing_gets_on() {
    // Three tries: two refusals in a row are none too many, however often that happens.
    let acts = (0..20).flat_map(|_| [throttled(), doubtful(), Ok(None)]).collect();
    let looks = (0..20).flat_map(|number| [part(number), part(number), part(number)]);
    let looks = looks.chain([done()]).collect();
    let going = run(&bulk(), World::default().look("bulk", looks).act("bulk", acts));
    assert_eq!(going.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!(going.kinds("step_observed"), 20, "an equal look is not repeated");

    let stuck = World::default().look("bulk", vec![part(7)]).act("bulk", vec![throttled()]);
    let stuck = run(&bulk(), stuck);
    assert_eq!(stuck.state.finished, Some(RunOutcome::Failed));
    assert_eq!((stuck.kinds("intent_recorded"), stuck.kinds("act_refused")), (3, 3));
}

#[test]
fn a_step_that_never_ends_is_ended_by_its_time() {
    let endless = World::default().look("bulk", vec![part(1)]);
    let mut plan = bulk();
    plan.steps[0].timeout_ms = 30_000;
    let run = run(&plan, endless);
    assert_eq!(run.failure("bulk"), ErrorKind::TimedOut);
}

#[test]
fn whoever_takes_it_up_is_told_how_far_it_is() {
    let plan = bulk();
    let (machine, turn) = begin(&plan);
    let mut world = World::default().look("bulk", vec![part(0), part(1), part(2)]);
    let mut records = turn.records.clone();
    let (mut machine, mut turn, mut now) = (machine, turn, simulated_epoch());
    for _ in 0..8 {
        let Some(effect) = turn.effects.pop() else { break };
        let (delay, input) = world.answer(effect);
        now += delay;
        turn = machine.handle(input, now);
        records.append(&mut turn.records.clone());
    }
    let state = RunState::fold(&records).expect("legal");
    let step = &state.steps[&StepKey::new("bulk")];
    assert!(step.in_parts && step.progress.is_some(), "{step:?}");
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (machine, turn) = Machine::resume(plan, state, start, now);
    let mut world = World::default().look("bulk", vec![part(3), done()]);
    let ended = drive(machine, turn, &mut world, now);
    assert_eq!(ended.state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn an_undo_begins_to_count_anew() {
    let mut steps = bulk();
    steps.steps.push(PlannedStep { on_failure: OnFailure::Undo, ..check("after", &["bulk"]) });
    let world = World::default()
        .look("bulk", vec![part(0), part(1), done()])
        .look("after", vec![broken()])
        .undo("bulk", vec![part(0), done()]);
    let run = run(&steps, world);
    assert_eq!(run.status("bulk"), StepStatus::Undone);
    let step = &run.state.steps[&StepKey::new("bulk")];
    assert_eq!(step.progress, Some(json!({ "after": 0 })), "that of the undo");
}
