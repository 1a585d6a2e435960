//! Switching the form of an open run.

use super::*;
use crate::base::form::Form;

fn switch(to: Form) -> Command {
    Command::Switch { to, reason: Some("the region is gone".to_owned()) }
}

/// `promote` waits for the replica to catch up, then acts; it cannot be taken back.
fn failover() -> Plan {
    let promote = PlannedStep { irreversible: true, undo: None, ..mutation("promote", &["first"]) };
    let verify = PlannedStep { undo: None, ..mutation("verify", &["promote"]) };
    plan(vec![mutation("first", &[]), promote, PlannedStep { check: true, ..verify }])
}

/// The replica never catches up by itself: an hour of looks.
fn lagging() -> World {
    World::default().look("promote", vec![progress("waiting for lag 0"); 500])
}

#[test]
fn a_switch_is_recorded_and_what_waits_looks_again_at_once() {
    let mut plan = failover();
    (plan.steps[1].poll_ms, plan.steps[1].timeout_ms) = (600_000, 7_200_000);
    // The second look is forgotten for the switch.
    let waits = || progress("waiting for lag 0");
    let looks = vec![waits(), waits(), Ok(Seen::Absent), done()];
    let world = World::default().look("promote", looks);
    let run = with(&plan, world, &[(60, "ann", switch(Form::Ungraceful))]);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!(run.state.form, Form::Ungraceful);
    let switched = run.state.switched.as_ref().expect("switched");
    assert_eq!((switched.by.operator.as_str(), switched.from), ("ann", Form::Graceful));
    // The next look was due after ten minutes.
    let acted = run.state.steps[&key("promote")].first_intent_at.expect("it acted");
    assert_eq!((acted - simulated_epoch()).num_seconds(), 60);
    assert_eq!(run.state.steps[&key("promote")].form, Form::Graceful, "it began before");
    assert_eq!(run.state.steps[&key("verify")].form, Form::Ungraceful, "it began after");
}

#[test]
fn a_switch_that_changes_nothing_or_comes_too_late_is_refused() {
    let posts = [
        (30, "ann", switch(Form::Graceful)),
        (60, "ann", switch(Form::Ungraceful)),
        (70, "bob", switch(Form::Ungraceful)),
        (80, "bob", abort(false)),
        (80, "bob", switch(Form::Graceful)),
    ];
    // `first` goes on while people type.
    let world = lagging().look("first", vec![progress("going"); 60]);
    let run = with(&failover(), world, &posts);
    assert_eq!(run.kinds("form_switched"), 1);
    let refusals = run.refusals().join("\n");
    for part in ["graceful already, from its beginning", "ann switched it to ungraceful already"] {
        assert!(refusals.contains(part), "{refusals}");
    }
    let late = refusals.contains("aborted the run") || run.state.finished.is_some();
    assert!(late, "{refusals}");
}

#[test]
fn the_way_back_is_open_until_something_was_done_for_good() {
    let back =
        |second| [(10, "ann", switch(Form::Ungraceful)), (second, "bob", switch(Form::Graceful))];
    // `promote` waits still.
    let run = with(&failover(), lagging(), &back(20));
    assert_eq!((run.kinds("form_switched"), run.state.form), (2, Form::Graceful));
    // It was asked for, and is under way.
    let (waits, goes) = (|| progress("waiting for lag 0"), || progress("promoting"));
    let looks = vec![waits(), waits(), waits(), Ok(Seen::Absent), goes(), goes(), goes(), done()];
    let run = with(&failover(), World::default().look("promote", looks), &back(25));
    assert_eq!((run.kinds("form_switched"), run.state.form), (1, Form::Ungraceful));
    assert!(
        run.refusals()[0].contains("step promote was done in the ungraceful form and cannot"),
        "{:?}",
        run.refusals()
    );
}

#[test]
fn what_belongs_to_the_other_form_stops_nobody_unless_it_is_referred_to() {
    let skip = || Begun::Skip { when: "run.form == 'graceful'".to_owned() };
    for (by_form, refers, runs) in [(true, false, true), (true, true, false), (false, false, false)]
    {
        let fence = PlannedStep { by_form, ..mutation("fence", &["first"]) };
        let mut promote = mutation("promote", &["fence"]);
        if refers {
            promote.with = json!({ "fenced": "${{ steps.fence.outputs.proof }}" });
        }
        let mut world = World::default();
        world.conditions.insert("fence", skip());
        let run = run(&plan(vec![mutation("first", &[]), fence, promote]), world);
        assert_eq!(run.status("promote") == StepStatus::Succeeded, runs, "{by_form} {refers}");
    }
}

#[test]
fn who_refers_to_what_the_form_leaves_out_is_left_out_with_it_when_the_condition_is_the_same() {
    let graceful = "run.form == 'graceful'";
    for (when, runs) in [(graceful, true), ("run.form == 'ungraceful'", false)] {
        let own = |when: &str, step: PlannedStep| PlannedStep {
            by_form: true,
            when: Some(when.to_owned()),
            ..step
        };
        let shift = own(graceful, mutation("shift", &[]));
        let with = json!({ "change": "${{ steps.shift.outputs.change }}" });
        let sync = own(when, PlannedStep { with, ..mutation("sync", &["shift"]) });
        let mut world = World::default();
        world.conditions.insert("shift", Begun::Skip { when: graceful.to_owned() });
        let run = run(&plan(vec![shift, sync, mutation("dns", &["sync"])]), world);
        assert_eq!(run.status("sync"), StepStatus::Skipped);
        assert_eq!(run.status("dns") == StepStatus::Succeeded, runs, "{when}");
    }
}

#[test]
fn every_prefix_of_a_switched_run_is_taken_up_in_the_form_that_it_has() {
    let waits = || progress("waiting for lag 0");
    let looks = vec![waits(), waits(), Ok(Seen::Absent), done()];
    let world = || World::default().look("promote", looks.clone());
    let whole = with(&failover(), world(), &[(60, "ann", switch(Form::Ungraceful))]);
    for count in 2..whole.records.len() {
        let state = RunState::fold(&whole.records[..count]).expect("every prefix folds");
        let switched = whole.records[..count].iter().any(|it| it.event.kind() == "form_switched");
        assert_eq!(state.form == Form::Ungraceful, switched, "{count}");
    }
}
