//! `fence.ecs`.
//!
//! **Invariant:** nothing but an empty service that stays empty counts as fenced.

use super::{api, bench, broken, done, json, json_error, missing, throttled, waiting};
use crate::action::ecs::Fence;
use crate::action::spec::Reversibility;
use crate::action::{Action as _, Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};
use chrono::TimeDelta;

fn listed(tasks: &[&str]) -> Reply {
    json(&serde_json::json!({ "taskArns": tasks }).to_string())
}

fn described(status: &str) -> Reply {
    let task = serde_json::json!({ "taskArn": "t1", "lastStatus": status });
    json(&serde_json::json!({ "tasks": [task], "failures": [] }).to_string())
}

/// The service without any task, and no task in either list.
fn empty() -> [Reply; 3] {
    [api(0, 0, 0).reply(), listed(&[]), listed(&[])]
}

#[tokio::test(start_paused = true)]
async fn it_is_done_when_two_looks_find_nothing() {
    let action = Fence::default();
    let plan = [("was", Value::Int(12))];
    let replies = [empty(), empty(), empty()].concat();
    let mut bench = bench(&[], replies).planned(&plan).asked(40, true);
    assert!(waiting(bench.observe(&action).await).contains("looking again"));
    bench.now += TimeDelta::seconds(9);
    assert!(waiting(bench.observe(&action).await).contains("looking again"), "too soon");
    bench.now += TimeDelta::seconds(1);
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!((&outputs["was"], verdict), (&Value::Int(12), Verdict::Pass));
    assert_eq!(outputs["fenced_at"], Value::Time(bench.now));
    let proof = outputs["proof"].to_string();
    for part in ["shop/api", "desired 0", "running 0", "pending 0", "no task left", "10 s"] {
        assert!(proof.contains(part), "{part} in {proof}");
    }
    let lists: Vec<_> = [1, 2].map(|index| bench.body(index)["desiredStatus"].clone()).into();
    assert_eq!(lists, ["RUNNING", "STOPPED"], "tasks that are stopping are among the stopped");
    let Reversibility::UndoneBy { action: by, inputs } = action.spec().reversibility else {
        panic!()
    };
    let undo = inputs(&bench.inputs, &outputs);
    assert_eq!(
        (by, &undo["to"], &undo["service"]),
        ("ecs.scale", &Value::Int(12), &Value::text("api"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_left_keeps_it_waiting_and_begins_the_time_anew() {
    let action = Fence::default();
    for status in ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", ""] {
        let replies = [api(0, 0, 0).reply(), listed(&[]), listed(&["t1"]), described(status)];
        let mut bench = bench(&[], [&empty()[..], &replies, &empty()].concat()).asked(40, true);
        assert!(waiting(bench.observe(&action).await).contains("looking again"));
        bench.now += TimeDelta::seconds(30);
        let state = waiting(bench.observe(&action).await);
        assert!(state.contains("1 tasks are still stopping"), "{status}: {state}");
        bench.now += TimeDelta::seconds(30);
        assert!(waiting(bench.observe(&action).await).contains("looking again"), "anew");
    }
    let stopped = [api(0, 0, 0).reply(), listed(&[]), listed(&["t1"]), described("STOPPED")];
    let seen = bench(&[], stopped).asked(40, true).observe(&action).await;
    assert!(waiting(seen).contains("looking again"));
    for (counts, words) in [((0, 3, 0), "3 tasks still run"), ((0, 0, 2), "2 are pending")] {
        let reply = api(counts.0, counts.1, counts.2).reply();
        let state = waiting(bench(&[], [reply]).asked(40, true).observe(&action).await);
        assert!(state.contains(words), "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_raised_again_is_fenced_again_and_told() {
    let action = Fence::default();
    let raised = api(2, 0, 2).reply();
    let bench = bench(&[], [&empty()[..], &[raised]].concat()).asked(40, true);
    assert!(waiting(bench.observe(&action).await).contains("looking again"));
    assert_eq!(bench.observe(&action).await, Ok(Observation::Absent), "it is asked for again");
    let event = [(-20, "(service api) has started 2 tasks: (task 1) (task 2).")];
    let quiet = [api(0, 0, 0).events(&event).reply(), listed(&[]), listed(&[])];
    let mut bench = super::bench(&[], [quiet.clone(), quiet].concat()).asked(40, true);
    waiting(bench.observe(&action).await);
    bench.now += TimeDelta::seconds(10);
    let (_, verdict) = done(bench.observe(&action).await);
    let Verdict::Warn(lines) = verdict else { panic!("{verdict:?}") };
    assert!(lines[0].contains("auto scaling"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_nobody_sees_is_not_fenced() {
    let action = Fence::default();
    let why = broken(bench(&[], [missing()]).observe(&action).await);
    assert!(why.contains("no service `api`"), "{why}");
    let preview = bench(&[], [missing()]).preview(&action).await;
    assert!(preview.wont.is_some());
    // What cannot be listed is no empty list.
    let replies = [vec![api(0, 0, 0).reply()], throttled()].concat();
    let failed = bench(&[], replies).asked(9, true).observe(&action).await.expect_err("no list");
    assert_eq!(failed.class(), ErrorClass::Temporary);
    let odd = json("{\"services\":[],\"failures\":[{\"arn\":\"a\",\"reason\":\"BUSY\"}]}");
    let failed = bench(&[], [odd]).observe(&action).await.expect_err("not understood");
    assert_eq!(failed.class(), ErrorClass::Temporary, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_preview_fences_for_the_steps_after_it() {
    let action = Fence::default();
    let preview = bench(&[], [api(12, 12, 0).reply()]).preview(&action).await;
    assert_eq!((preview.wont, &preview.outputs["was"]), (None, &Value::Int(12)));
    assert!(preview.outputs["proof"].unknown_reason().is_some(), "only a run can prove it");
    let [PredictedEffect::ServiceChanged(after, region)] = &preview.effects[..] else { panic!() };
    assert_eq!((after.desired, after.running, region.as_str()), (0, 0, "us-east-1"));
    assert!(preview.details.iter().any(|line| line.contains("Auto Scaling")));
}

#[tokio::test(start_paused = true)]
async fn what_asking_may_end_with() {
    let action = Fence::default();
    let well = bench(&[], [api(0, 12, 0).updated()]);
    well.act(&action).await.expect("accepted");
    assert_eq!(well.body(0)["desiredCount"], 0);
    for (reply, class) in [
        (json_error("ServiceNotFoundException", "gone"), ErrorClass::Permanent),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let failed = bench(&[], [reply]).act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_no_longer_holds_is_told_and_one_that_nobody_sees_is_unknown() {
    let action = Fence::default();
    assert_eq!(bench(&[], empty()).breach(&action).await, None);
    for (counts, words) in [
        ((2, 0, 0), "shop/api is no longer at 0: 0 of 2 tasks run"),
        ((0, 1, 0), "1 of 0 tasks run"),
        ((0, 0, 3), "3 are pending"),
    ] {
        let reply = api(counts.0, counts.1, counts.2).reply();
        let lost = bench(&[], [reply]).breach(&action).await.expect("it is lost");
        assert_eq!((lost.name, lost.known), ("fence_lost", true));
        assert!(lost.text.contains(words), "{}", lost.text);
    }
    let left = [api(0, 0, 0).reply(), listed(&[]), listed(&["t1"]), described("STOPPING")];
    let lost = bench(&[], left).breach(&action).await.expect("it is lost");
    assert!(lost.text.contains("1 tasks of service shop/api are at work"), "{}", lost.text);
    for replies in [vec![missing()], throttled()] {
        let unseen = bench(&[], replies).breach(&action).await.expect("nobody knows");
        assert_eq!((unseen.name, unseen.known), ("fence_unseen", false));
        assert!(unseen.text.starts_with("unknown whether it still holds: "), "{}", unseen.text);
    }
}
