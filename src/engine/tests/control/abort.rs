//! Aborts at every instant, and undoing as a graph.

use super::*;
use std::collections::BTreeSet;

#[test]
fn an_abort_ends_what_is_under_way_and_cleans_up() {
    let steps = ["first", "a", "b", "c", "e", "d"];
    for undo in [false, true] {
        let run = with(&policy(OnFailure::Stop), making(&steps), &[(27, "ann", abort(undo))]);
        assert_eq!(run.state.finished, Some(RunOutcome::Aborted), "{undo}");
        let aborted = run.seqs("abort_requested")[0];
        let later: BTreeSet<String> = run
            .records
            .iter()
            .filter(|it| it.seq > aborted && it.event.kind() == "step_started")
            .filter_map(|it| Some(it.event.step()?.to_string()))
            .collect();
        assert_eq!(later, BTreeSet::from(["d".to_owned()]), "only clean-up begins");
        assert_eq!(run.skip("b"), Some(SkipReason::Aborted { operator: "ann".to_owned() }));
        assert_eq!(run.failure("a"), ErrorKind::Rejected);
        let error = run.state.steps[&key("a")].error.clone().expect("ended");
        assert!(error.message.contains("while `creating`: wrong database"), "{error:?}");
        assert_eq!(run.status("d"), StepStatus::Succeeded);
        let first = if undo { StepStatus::Undone } else { StepStatus::Succeeded };
        assert_eq!(run.status("first"), first);
        let undone = run.order("undo_started");
        assert_eq!(undone, if undo { vec!["c", "a", "first"] } else { vec![] }, "{undo}");
        let d = run.seqs("step_started").into_iter().max();
        assert!(run.seqs("undo_succeeded").iter().all(|seq| Some(*seq) < d), "clean-up comes last");
    }
}

#[test]
fn an_abort_waits_until_what_was_asked_for_can_be_seen() {
    // The create was accepted, and reads stay stale for two minutes.
    let stale = vec![Ok(Seen::Absent); 14];
    let world = World::default()
        .look("a", [stale, vec![progress("creating")]].concat())
        .undo("a", vec![Ok(Seen::Absent), progress("deleting"), done()]);
    let run = with(&plan(vec![mutation("a", &[])]), world, &[(3, "ann", abort(true))]);
    assert_eq!(
        (run.status("a"), run.state.finished),
        (StepStatus::Undone, Some(RunOutcome::Aborted))
    );
    let ended = run.state.steps[&key("a")].error.clone().expect("ended");
    assert!(ended.message.contains("while `creating`"), "{ended:?}");
    // In doubt, and nobody can look: its undo does not believe at once that there is nothing.
    let doubt = Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)));
    let blind = Err(error(ErrorKind::Unreachable));
    let world = World::default()
        .look("a", vec![Ok(Seen::Absent), blind])
        .act("a", vec![doubt])
        .undo("a", vec![done()]);
    let run = with(&plan(vec![mutation("a", &[])]), world, &[(1, "ann", abort(true))]);
    assert_eq!(run.status("a"), StepStatus::Undone);
    let intent = run.at("intent_recorded", "a");
    assert!((run.at("undo_succeeded", "a") - intent).num_seconds() >= 150);
}

#[test]
fn an_abort_while_a_gate_asks_while_a_step_acts_and_before_anything() {
    let at_gate = with(&gated(true), gate_of(&["bob"], 2), &[(20, "ann", abort(true))]);
    assert_eq!(at_gate.state.finished, Some(RunOutcome::Aborted));
    assert_eq!(
        (at_gate.kinds("question_closed"), at_gate.status("first")),
        (1, StepStatus::Undone)
    );
    assert_eq!(at_gate.status("clean"), StepStatus::Succeeded);
    // In the very turn in which `first` was about to begin.
    let before = with(&gated(true), gate_of(&[], 1), &[(0, "ann", abort(true))]);
    assert_eq!(before.state.finished, Some(RunOutcome::Aborted));
    // While a step acts.
    let plan = plan(vec![mutation("a", &[])]);
    let (mut machine, turn) = begin(&plan);
    let mut world = World::default().look("a", vec![Ok(Seen::Absent), done()]);
    let begun = machine.handle(world.answer(turn.effects[0].clone()).1, simulated_epoch());
    let acting = machine.handle(world.answer(begun.effects[0].clone()).1, simulated_epoch());
    assert!(matches!(acting.effects.as_slice(), [Effect::Act { .. }]));
    let command = posted(&[(0, "ann", abort(true))]).remove(0).1;
    let aborting = machine.handle(Input::Command(command.clone()), simulated_epoch());
    assert!(aborting.effects.is_empty(), "the answer is waited for: {aborting:?}");
    let again = machine.handle(Input::Command(command), simulated_epoch());
    assert_eq!(again, Turn::default(), "one command is used once");
    let acted = machine.handle(world.answer(acting.effects[0].clone()).1, simulated_epoch());
    assert!(matches!(acted.effects.as_slice(), [Effect::Observe { .. }]), "{acted:?}");
    let run = drive(machine, acted, &mut world, simulated_epoch());
    assert_eq!(
        (run.status("a"), run.state.finished),
        (StepStatus::Undone, Some(RunOutcome::Aborted))
    );
}

#[test]
fn a_second_abort_may_add_the_undoing_and_nothing_else() {
    let steps = ["first", "a", "b", "c", "e", "d"];
    let posts = [
        (45, "ann", abort(false)),
        (46, "bob", abort(false)),
        (47, "eve", abort(true)),
        (48, "bob", abort(true)),
        (49, "bob", abort(false)),
    ];
    let run = with(&policy(OnFailure::Stop), making(&steps), &posts);
    assert_eq!((run.kinds("abort_requested"), run.kinds("command_refused")), (2, 3));
    assert_eq!(run.state.aborting.as_ref().expect("aborting").by.operator, "eve");
    assert_eq!(run.status("first"), StepStatus::Undone);
    assert!(run.refusals().iter().all(|why| why.contains("aborted it already")));
}

#[test]
fn an_abort_after_everything_succeeded_undoes_before_clean_up() {
    let mut plan = gated(false);
    plan.steps[3].needs = vec![key("after"), key("aside")];
    let slow = World::default().look("aside", vec![progress("going"); 30]);
    plan.steps.insert(3, check("aside", &[]));
    let world = slow.look("gate", vec![done()]);
    let run = with(&plan, world, &[(100, "ann", abort(true))]);
    assert_eq!(run.order("undo_started"), ["after", "first"]);
    assert_eq!(run.status("clean"), StepStatus::Succeeded);
    assert_eq!(run.state.finished, Some(RunOutcome::Aborted));
    let clean = run.at("step_started", "clean");
    assert!(run.at("undo_succeeded", "first") <= clean);
}

#[test]
fn a_paused_run_can_be_aborted_and_an_abort_can_be_paused() {
    let steps = ["first", "a", "b", "c", "e", "d"];
    let posts = [
        (12, "ann", pause()),
        (60, "ann", abort(true)),
        (61, "bob", pause()),
        (900, "bob", Command::Continue),
    ];
    let run = with(&policy(OnFailure::Stop), making(&steps), &posts);
    assert_eq!(run.state.finished, Some(RunOutcome::Aborted));
    assert_eq!((run.kinds("run_paused"), run.kinds("run_continued")), (2, 1));
    let continued = run.seqs("run_continued")[0];
    let paused = run.seqs("run_paused")[1];
    let held = |kind: &str| run.seqs(kind).iter().all(|seq| !(paused..continued).contains(seq));
    assert!(held("undo_started") && held("step_started") && held("intent_recorded"));
    assert_eq!(run.status("first"), StepStatus::Undone);
}

#[test]
fn undos_without_a_common_ground_run_at_the_same_time_and_a_failed_one_stops_those_below_it() {
    // base <- left <- top, base <- right.
    let steps = vec![
        mutation("base", &[]),
        mutation("left", &["base"]),
        mutation("right", &["base"]),
        mutation("top", &["left"]),
        PlannedStep { always: true, undo: None, ..mutation("clean", &["top", "right"]) },
        check("end", &["top", "right"]),
    ];
    let plan = plan(steps);
    let keys = ["base", "left", "right", "top"];
    let slow = || making(&keys).look("end", vec![progress("going"); 99]);
    let run = with(&plan, slow(), &[(200, "ann", abort(true))]);
    assert_eq!(run.order("undo_started"), ["top", "right", "left", "base"]);
    assert_eq!(run.at("undo_started", "top"), run.at("undo_started", "right"));
    assert_eq!(run.at("undo_succeeded", "top"), run.at("undo_started", "left"));
    let failing = slow().undo("left", vec![broken()]);
    let run = with(&plan, failing, &[(200, "ann", abort(true))]);
    assert_eq!(
        (run.status("left"), run.status("base")),
        (StepStatus::UndoFailed, StepStatus::Succeeded)
    );
    assert_eq!((run.status("top"), run.status("right")), (StepStatus::Undone, StepStatus::Undone));
    assert_eq!(run.status("clean"), StepStatus::Succeeded, "clean-up runs whatever happened");
    assert_eq!(run.state.finished, Some(RunOutcome::Aborted));
    let left = crate::engine::undo_plan(&plan, &run.state);
    assert_eq!((left.undo, left.left), (vec![], vec![key("base"), key("left")]));
}

#[test]
fn what_a_step_stands_on_that_cannot_be_undone_stays() {
    // base <- mid <- switch, base <- side; `switch` was done for good.
    let mut steps = vec![
        mutation("base", &[]),
        mutation("mid", &["base"]),
        mutation("side", &["base"]),
        PlannedStep { undo: None, irreversible: true, ..mutation("switch", &["mid"]) },
        check("end", &["switch", "side"]),
    ];
    let keys = ["base", "mid", "side", "switch"];
    let slow = || making(&keys).look("end", vec![progress("going"); 99]);
    let aborted = plan(steps.clone());
    let run = with(&aborted, slow(), &[(200, "ann", abort(true))]);
    assert_eq!(run.order("undo_started"), ["side"]);
    for step in ["base", "mid"] {
        assert_eq!(run.status(step), StepStatus::Succeeded, "{step}");
    }
    assert_eq!(run.state.finished, Some(RunOutcome::Aborted));
    let found = crate::engine::undo_plan(&aborted, &run.state);
    assert!(found.undo.is_empty(), "{found:?}");
    assert_eq!(found.left, [key("base"), key("mid")]);
    assert_eq!(found.irreversible, [key("switch")]);
    for step in ["base", "mid"] {
        assert_eq!(found.kept_by[&key(step)], key("switch"), "{step}");
    }
    // One that nobody said is for good, or that did not come about, keeps nothing.
    steps[3].irreversible = false;
    let run = with(&plan(steps.clone()), slow(), &[(200, "ann", abort(true))]);
    assert_eq!(run.status("base"), StepStatus::Undone);
    (steps[3].irreversible, steps[3].on_failure) = (true, OnFailure::Undo);
    let failing = slow().look("switch", vec![Ok(Seen::Absent), broken()]);
    let run = with(&plan(steps), failing, &[]);
    assert_eq!(run.status("switch"), StepStatus::Failed);
    assert_eq!((run.status("base"), run.status("mid")), (StepStatus::Undone, StepStatus::Undone));
}

#[test]
fn a_failed_step_that_is_undone_itself_is_still_a_failure() {
    let mut steps = vec![
        mutation("base", &[]),
        PlannedStep { on_failure: OnFailure::Undo, ..mutation("a", &["base"]) },
        check("slow", &[]),
        mutation("late", &["slow"]),
    ];
    steps[2].timeout_ms = 10_000_000;
    let looks = vec![Ok(Seen::Absent), progress("creating"), broken()];
    let world = making(&["base"])
        .look("a", looks)
        .undo("a", vec![Ok(Seen::Absent), done()])
        .look("slow", [vec![progress("going"); 30], vec![done()]].concat());
    let run = with(&plan(steps), world, &[]);
    assert_eq!((run.status("a"), run.status("base")), (StepStatus::Undone, StepStatus::Undone));
    assert_eq!(run.skip("late"), Some(SkipReason::Stopped { step: key("a") }));
    assert_eq!(run.state.finished, Some(RunOutcome::Undone));
}

#[test]
fn clean_up_does_not_believe_at_once_that_there_is_nothing() {
    // The create was lost on the way and the step gave up; its reads may only be stale.
    let doubt = Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)));
    let refused = Err(error(ErrorKind::Refused));
    let world = World::default()
        .look("a", vec![Ok(Seen::Absent), refused])
        .act("a", vec![doubt])
        .look("clean", vec![done()]);
    let steps = vec![
        mutation("a", &[]),
        PlannedStep { always: true, undo: None, ..mutation("clean", &["a"]) },
    ];
    let run = with(&plan(steps), world, &[(6, "ann", retry("clean"))]);
    let waited = run.at("step_succeeded", "clean") - run.at("intent_recorded", "a");
    assert!(waited.num_seconds() >= 150, "{waited}");
}
