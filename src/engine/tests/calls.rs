//! Calls of other runbooks: when they end, what their failures reach, what is undone.

use super::*;

/// The end of the call `key`, whose steps are `children`.
fn call(key: &str, needs: &[&str], children: &[&str]) -> PlannedStep {
    let children: Vec<StepKey> = children.iter().map(|child| StepKey::new(child)).collect();
    let mut step = check(key, needs);
    step.needs.extend(children.iter().cloned());
    PlannedStep { uses: "runbook.call".to_owned(), children, undo: None, ..step }
}

/// `first`; the call `c` of `a`, `b` and the clean-up `z`; `after` needs the call, `aside` only `first`.
fn caller(of_a: OnFailure, of_call: OnFailure) -> Plan {
    plan(vec![
        mutation("first", &[]),
        PlannedStep { on_failure: of_a, ..mutation("c/a", &["first", "c/made"]) },
        mutation("c/b", &["c/a"]),
        PlannedStep { always: true, undo: None, ..mutation("c/z", &["c/a", "c/b"]) },
        PlannedStep {
            on_failure: of_call,
            ..call("c", &["first"], &["c/made", "c/a", "c/b", "c/z"])
        },
        mutation("after", &["c"]),
        mutation("aside", &["first"]),
        mutation("last", &["aside"]),
    ])
}

/// With the step of the call that comes first.
fn with_made(mut plan: Plan) -> Plan {
    plan.steps.insert(1, mutation("c/made", &["first"]));
    plan
}

fn a_breaks() -> World {
    // `aside` takes longer than the call.
    let long = [vec![progress("going"); 30], vec![done()]].concat();
    World::default().look("c/a", vec![broken()]).look("aside", long)
}

#[test]
fn a_call_ends_with_its_steps_and_whoever_needs_it_waits_for_all_of_them() {
    let plan = with_made(caller(OnFailure::Stop, OnFailure::Stop));
    let run = run(&plan, World::default());
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let place = |kind: &str, step: &str| {
        let is = |record: &Record| {
            record.event.kind() == kind && record.event.step() == Some(&StepKey::new(step))
        };
        run.records.iter().position(is).unwrap_or_else(|| panic!("{kind} {step}"))
    };
    assert!(place("step_succeeded", "c/z") < place("step_started", "c"));
    assert!(place("step_succeeded", "c") < place("step_started", "after"));
    assert!(place("step_succeeded", "first") < place("step_started", "c/made"));
}

#[test]
fn a_failure_within_stops_the_call_and_then_the_call_has_failed() {
    let run = run(&with_made(caller(OnFailure::Stop, OnFailure::Continue)), a_breaks());
    assert_eq!(run.skip("c/b"), Some(SkipReason::Upstream { step: StepKey::new("c/a") }));
    assert_eq!((run.status("c/z"), run.status("c")), (StepStatus::Succeeded, StepStatus::Failed));
    assert_eq!(run.failure("c"), ErrorKind::Broken);
    assert_eq!(run.skip("after"), Some(SkipReason::Upstream { step: StepKey::new("c") }));
    // The caller goes on, as it says of the call.
    assert_eq!(run.status("last"), StepStatus::Succeeded);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
}

#[test]
fn a_call_that_stops_the_run_stops_it_when_it_has_failed() {
    let run = run(&with_made(caller(OnFailure::Stop, OnFailure::Stop)), a_breaks());
    assert_eq!(run.status("aside"), StepStatus::Succeeded, "it was under way");
    assert_eq!(run.skip("last"), Some(SkipReason::Stopped { step: StepKey::new("c") }));
}

#[test]
fn what_a_called_runbook_undoes_is_its_own() {
    let run = run(&with_made(caller(OnFailure::Undo, OnFailure::Continue)), a_breaks());
    assert_eq!(
        (run.status("c/made"), run.status("first")),
        (StepStatus::Undone, StepStatus::Succeeded)
    );
    assert_eq!((run.status("c/z"), run.status("c")), (StepStatus::Succeeded, StepStatus::Failed));
    assert_eq!(run.status("last"), StepStatus::Succeeded);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed), "the run was not undone");
}

#[test]
fn a_call_may_have_everything_undone() {
    let run = run(&with_made(caller(OnFailure::Stop, OnFailure::Undo)), a_breaks());
    for step in ["c/made", "first", "aside"] {
        assert_eq!(run.status(step), StepStatus::Undone, "{step}");
    }
    assert_eq!(run.state.finished, Some(RunOutcome::Undone));
}

#[test]
fn what_cleans_up_in_a_call_that_was_never_entered_does_not_run() {
    let plan = with_made(caller(OnFailure::Stop, OnFailure::Stop));
    let run = run(&plan, World::default().look("first", vec![broken()]));
    for step in ["c/made", "c/a", "c/z", "c", "after"] {
        assert_eq!(run.status(step), StepStatus::Skipped, "{step}");
    }
    assert_eq!(run.kinds("step_started"), 1);
}

#[test]
fn a_step_that_its_condition_leaves_out_does_not_spoil_the_call() {
    let mut plan = with_made(caller(OnFailure::Stop, OnFailure::Stop));
    // Nothing stands on `c/b` but the clean-up.
    plan.steps[3].needs = vec![StepKey::new("c/a")];
    let mut world = World::default();
    world.conditions.insert("c/b", Begun::Skip { when: "params.more".to_owned() });
    let run = run(&plan, world);
    assert_eq!((run.status("c/b"), run.status("c")), (StepStatus::Skipped, StepStatus::Succeeded));
    assert_eq!(run.status("after"), StepStatus::Succeeded);
}

#[test]
fn every_prefix_of_a_failed_call_ends_the_same() {
    for (of_a, of_call) in
        [(OnFailure::Undo, OnFailure::Continue), (OnFailure::Stop, OnFailure::Undo)]
    {
        let plan = with_made(caller(of_a, of_call));
        let whole = run(&plan, a_breaks());
        for count in 2..whole.records.len() - 2 {
            let state = RunState::fold(&whole.records[..count]).expect("every prefix folds");
            let start = Start { operator: "bob".to_owned(), fence: 2 };
            let now = whole.records[count - 1].at;
            let (machine, turn) = Machine::resume(plan.clone(), state, start, now);
            let run = drive(machine, turn, &mut a_breaks(), now);
            assert_eq!(run.state.finished, whole.state.finished, "{of_a:?} {of_call:?} {count}");
            for (key, step) in &whole.state.steps {
                assert_eq!(run.state.steps[key].status, step.status, "{key} {count}");
            }
        }
    }
}

#[test]
fn a_call_within_a_call_that_was_never_entered_has_not_succeeded() {
    let plan = plan(vec![
        mutation("stay", &[]),
        mutation("home/declare/decide", &["stay"]),
        call("home/declare", &[], &["home/declare/decide"]),
        call("home", &["stay"], &["home/declare"]),
    ]);
    let run = run(&plan, World::default().look("stay", vec![broken()]));
    for step in ["home/declare/decide", "home/declare", "home"] {
        assert_eq!(run.status(step), StepStatus::Skipped, "{step}");
    }
}
