//! `ecs.deploy`, `ecs.rollback` and `ecs.redeploy`.
//!
//! **Invariant:** stable is not enough: what was asked for has to be what runs, and a redeployment has to
//! have begun after it was asked for.

use super::{Api, Bench, api, bench, broken, done, json, json_error, values, waiting};
use crate::action::ecs::{Deploy, Redeploy, RollBack};
use crate::action::spec::Reversibility;
use crate::action::{Action as _, Observation};
use crate::base::value::Value;
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};

const FAILED: &str =
    "(service api) (deployment ecs-svc/7) deployment failed: tasks failed to start.";
const BACK: &str = "(service api) rolling back to deployment ecs-svc/6.";

fn definition(name: &str, status: &str) -> Reply {
    let arn = format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{name}");
    let shown = serde_json::json!({ "taskDefinitionArn": arn, "status": status });
    json(&serde_json::json!({ "taskDefinition": shown }).to_string())
}

fn revisions(numbers: &[u32]) -> Reply {
    let arn =
        |number: &u32| format!("arn:aws:ecs:us-east-1:123456789012:task-definition/api:{number}");
    let arns: Vec<String> = numbers.iter().map(arn).collect();
    json(&serde_json::json!({ "taskDefinitionArns": arns }).to_string())
}

fn deploy(to: &str, replies: impl IntoIterator<Item = Reply>) -> Bench {
    bench(&[("task_definition", Value::text(to))], replies)
}

/// A rollback that the plan fixed to `api:41`, from `api:42`.
fn back(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let plan = [("task_definition", Value::text("api:41")), ("was", Value::text("api:42"))];
    bench(&[], replies).planned(&plan)
}

/// `api:41` is being rolled out since a minute.
fn rolling() -> Api {
    api(4, 6, 2).deployments(&[
        ("PRIMARY", "api:41", -60, "IN_PROGRESS"),
        ("ACTIVE", "api:42", -9000, "COMPLETED"),
    ])
}

fn rolled() -> Api {
    api(4, 4, 0).deployments(&[("PRIMARY", "api:41", -60, "COMPLETED")])
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_done_when_the_previous_revision_runs_alone() {
    let action = RollBack::default();
    let first = back([api(4, 4, 0).reply(), definition("api:41", "ACTIVE")]);
    assert_eq!(first.observe(&action).await, Ok(Observation::Absent));
    let state = waiting(back([rolling().reply()]).asked(61, true).observe(&action).await);
    assert!(state.contains("api:41: 6 of 4 run the new one"), "{state}");
    // Completed, and a task of the old one is not gone yet.
    let late = api(4, 4, 0).deployments(&[
        ("PRIMARY", "api:41", -60, "COMPLETED"),
        ("ACTIVE", "api:42", -9000, "COMPLETED"),
    ]);
    waiting(back([late.reply()]).asked(61, true).observe(&action).await);
    let bench = back([rolled().reply()]).asked(61, true);
    let (outputs, _) = done(bench.observe(&action).await);
    assert_eq!(outputs["task_definition"], Value::text("api:41"));
    assert_eq!(
        (&outputs["was"], &outputs["deployment"]),
        (&Value::text("api:42"), &Value::text("ecs-svc/0"))
    );
    let Reversibility::UndoneBy { action: by, inputs } = action.spec().reversibility else {
        panic!()
    };
    assert_eq!(
        (by, &inputs(&bench.inputs, &outputs)["to"]),
        ("ecs.rollback", &Value::text("api:42"))
    );
    // Taken up again, "the previous revision" is still the one of the plan.
    let again = back([rolled().reply()]).observe(&action).await;
    assert_eq!(done(again).0["task_definition"], Value::text("api:41"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_the_breaker_took_back_is_broken_however_stable_it_is() {
    let action = RollBack::default();
    let stable = || api(4, 4, 0).deployments(&[("PRIMARY", "api:42", -20, "COMPLETED")]);
    let told = stable().events(&[(-20, BACK), (-20, FAILED)]).reply();
    let why = broken(back([told.clone()]).asked(90, true).observe(&action).await);
    assert!(why.contains("deployment failed: tasks failed to start"), "{why}");
    let why = broken(back([told.clone()]).asked(90, false).observe(&action).await);
    assert!(why.contains("deployment failed"), "also when the answer was lost: {why}");
    // Events before the step asked say nothing about it.
    let old = api(4, 4, 0).events(&[(-120, FAILED)]).reply();
    let seen = back([old, definition("api:41", "ACTIVE")]).asked(90, false).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
    // A person says `retry` after it, and what failed since counts again.
    let retried = back([told.clone(), definition("api:41", "ACTIVE")]).asked(90, true).retried(5);
    assert_eq!(retried.observe(&action).await, Ok(Observation::Absent));
    let twice = stable().events(&[(-2, FAILED), (-20, FAILED)]).reply();
    broken(back([twice]).asked(90, true).retried(5).observe(&action).await);
    let early = back([told]).asked(90, true).retried(60);
    broken(early.observe(&action).await);
    let given_up = rolling().deployments(&[("PRIMARY", "api:41", -60, "FAILED")]).reply();
    assert!(broken(back([given_up]).asked(90, true).observe(&action).await).contains("FAILED"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_settled_by_what_runs() {
    let action = RollBack::default();
    let untouched = || api(4, 4, 0).reply();
    let lost = back([untouched(), definition("api:41", "ACTIVE")]).asked(30, false);
    assert_eq!(lost.observe(&action).await, Ok(Observation::Absent));
    let accepted = back([untouched()]).asked(30, true).observe(&action).await;
    assert!(waiting(accepted).contains("not shown yet"), "a stale read");
    done(back([rolled().reply()]).asked(61, false).observe(&action).await);
    let other = api(4, 4, 0).deployments(&[("PRIMARY", "api:43", -10, "COMPLETED")]).reply();
    let why = broken(back([other]).asked(30, true).observe(&action).await);
    assert!(why.contains("another deployment began since"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_a_rollback_is_not_made_of() {
    let action = RollBack::default();
    let preview = bench(
        &[],
        [api(4, 4, 0).reply(), revisions(&[43, 42, 40]), definition("api:40", "ACTIVE")],
    );
    let preview = preview.preview(&action).await;
    assert_eq!(preview.wont, None);
    assert_eq!(preview.outputs["task_definition"], Value::text("api:40"), "41 is not active");
    let [PredictedEffect::ServiceChanged(after, _)] = &preview.effects[..] else { panic!() };
    assert!(after.is_stable() && after.task_definition == "api:40");
    let none = bench(&[], [api(4, 4, 0).reply(), revisions(&[43, 42])]).preview(&action).await;
    assert!(none.wont.is_some_and(|why| why.contains("no revision of `api` before 42")));
    let low = Api { minimum: 50, ..api(4, 4, 0) };
    let refused = bench(&[("to", Value::text("api:41"))], [low.reply()]).preview(&action).await;
    assert!(refused.wont.is_some_and(|why| why.contains("minimumHealthyPercent 50")));
    assert!(
        broken(back([low.reply()]).observe(&action).await).contains("minimumHealthyPercent 50")
    );
    let mut allowed = back([low.reply(), definition("api:41", "ACTIVE")]);
    allowed.inputs.extend(values(&[("minimum_healthy_percent", Value::Int(50))]));
    assert_eq!(allowed.observe(&action).await, Ok(Observation::Absent));
    let ended = back([api(4, 4, 0).reply(), definition("api:41", "INACTIVE")]);
    assert!(broken(ended.observe(&action).await).contains("is INACTIVE"));
    let missing = json_error("ClientException", "Unable to describe task definition.");
    let gone = back([api(4, 4, 0).reply(), missing]);
    assert!(broken(gone.observe(&action).await).contains("no task definition `api:41`"));
    let moved = api(4, 4, 0).deployments(&[("PRIMARY", "api:43", -10, "COMPLETED")]).reply();
    let why = broken(back([moved]).observe(&action).await);
    assert!(why.contains("api:42 ran when the plan was made, and now api:43"), "{why}");
    let unplanned = bench(&[], []).observe(&action).await;
    assert!(broken(unplanned).contains("was not known when the plan was made"));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_names_its_revision() {
    let action = Deploy::default();
    let preview = deploy("api", [api(4, 4, 0).reply()]).preview(&action).await;
    assert!(preview.wont.is_some_and(|why| why.contains("names no revision")));
    let bench = deploy("api:43", [api(4, 6, 0).updated()]);
    bench.act(&action).await.expect("accepted");
    assert_eq!(bench.body(0)["taskDefinition"], "api:43");
    for (reply, class) in [
        (json_error("ClientException", "TaskDefinition is inactive"), ErrorClass::Permanent),
        (json_error("ServiceNotFoundException", "gone"), ErrorClass::Permanent),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let failed = deploy("api:43", [reply]).act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redeployment_is_one_that_began_after_it_was_asked_for() {
    let action = Redeploy::default();
    let first = bench(&[], [api(4, 4, 0).reply()]).observe(&action).await;
    assert_eq!(first, Ok(Observation::Absent), "however stable it is");
    let at = |seconds: i64, state: &'static str| {
        api(4, 4, 0).deployments(&[("PRIMARY", "api:42", seconds, state)]).reply()
    };
    let (outputs, _) =
        done(bench(&[], [at(-60, "COMPLETED")]).asked(60, false).observe(&action).await);
    assert_eq!(outputs["task_definition"], Value::text("api:42"));
    waiting(bench(&[], [at(-60, "IN_PROGRESS")]).asked(60, true).observe(&action).await);
    let older = || at(-61, "COMPLETED");
    let lost = bench(&[], [older()]).asked(60, false).observe(&action).await;
    assert_eq!(lost, Ok(Observation::Absent), "the machine waits before it asks again");
    let stale = bench(&[], [older()]).asked(60, true).observe(&action).await;
    assert!(waiting(stale).contains("not shown yet"));
    // Taken back by the breaker: the same task definition runs, stable, by a deployment of ECS's own.
    let told = api(4, 4, 0)
        .deployments(&[("PRIMARY", "api:42", -20, "COMPLETED")])
        .events(&[(-20, BACK), (-20, FAILED)]);
    let why = broken(bench(&[], [told.reply()]).asked(90, true).observe(&action).await);
    assert!(why.contains("deployment failed"), "{why}");
    let again = bench(&[], [told.reply()]).asked(90, true).retried(5).observe(&action).await;
    assert_eq!(again, Ok(Observation::Absent));
    let low = Api { minimum: 50, ..api(4, 4, 0) };
    let refused = broken(bench(&[], [low.reply()]).observe(&action).await);
    assert!(refused.contains("minimumHealthyPercent 50"), "{refused}");
    let bench = bench(&[], [api(4, 4, 0).updated()]);
    bench.act(&action).await.expect("accepted");
    assert_eq!(bench.body(0)["forceNewDeployment"], true);
    assert!(bench.body(0).get("taskDefinition").is_none());
}
