//! `logs.preserve` over a scripted wire.
//!
//! **Invariant:** an export is found by its name whatever became of its answer, and is asked for once.

use super::Preserve;
use crate::action::Observation;
use crate::action::context::PastIntent;
use crate::action::rds::tests::{Bench, broken, done, inputs, run, waiting};
use crate::base::clock::simulated_epoch;
use crate::base::ids::{StepKey, rds_name};
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{json, json_error};
use crate::cloud::tests::scripted::Reply;
use chrono::TimeDelta;
use serde_json::json as value;

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let given = [("log_group", Value::text("/ecs/api")), ("bucket", Value::text("evidence"))];
    Bench::new(inputs(&given), replies)
}

fn name() -> String {
    rds_name("/ecs/api", &run(), &StepKey::new("shot"))
}

fn asked(seconds: i64, accepted: bool, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench(replies) }
}

/// Exports: name, status, seconds from now when it was asked for.
fn tasks(all: &[(&str, &str, i64)]) -> Reply {
    let now = simulated_epoch().timestamp_millis();
    let shown = all.iter().map(|(name, status, at)| {
        value!({
            "taskId": format!("id-{at}"), "taskName": name, "logGroupName": "/ecs/api",
            "destination": "evidence", "destinationPrefix": "drctl-evidence",
            "status": { "code": status, "message": "in AWS's words" },
            "executionInfo": { "creationTime": now + at * 1000, "completionTime": now },
        })
    });
    json(&value!({ "exportTasks": shown.collect::<Vec<_>>() }).to_string())
}

fn group() -> Reply {
    let groups = value!([
        { "logGroupName": "/ecs/api", "storedBytes": 4096 }, { "logGroupName": "/ecs/api-old" }
    ]);
    json(&value!({ "logGroups": groups }).to_string())
}

fn no_group() -> Reply {
    json("{\"logGroups\":[{\"logGroupName\":\"/ecs/api-old\"}]}")
}

#[tokio::test(start_paused = true)]
async fn an_export_is_done_when_aws_says_completed() {
    let action = Preserve::default();
    let first = bench([tasks(&[("other", "COMPLETED", -900)]), group()]).observe(&action).await;
    assert_eq!(first, Ok(Observation::Absent));
    for status in ["PENDING", "RUNNING", "PENDING_CANCEL"] {
        let seen = asked(60, true, [tasks(&[(&name(), status, -60)])]).observe(&action).await;
        assert!(waiting(seen).contains(status), "{status}");
    }
    let completed = || [tasks(&[(&name(), "COMPLETED", -60)]), group()];
    for accepted in [true, false] {
        let (outputs, _) = done(asked(60, accepted, completed()).observe(&action).await);
        assert_eq!(outputs["task_id"], Value::text("id--60"));
        assert_eq!(outputs["destination"], Value::text("s3://evidence/drctl-evidence/id--60"));
        assert_eq!(outputs["bytes"], Value::Int(4096));
    }
    for status in ["FAILED", "CANCELLED"] {
        let seen = asked(60, true, [tasks(&[(&name(), status, -60)])]).observe(&action).await;
        let why = broken(seen);
        assert!(why.contains(status) && why.contains("in AWS's words"), "{why}");
    }
    let mut retried = asked(60, true, [tasks(&[(&name(), "FAILED", -60)]), group()]);
    retried.intent.as_mut().expect("asked").retried = Some(simulated_epoch());
    assert_eq!(retried.observe(&action).await, Ok(Observation::Absent));
    let newest = [("FAILED", -60), ("COMPLETED", -10)].map(|(status, at)| (name(), status, at));
    let newest: Vec<(&str, &str, i64)> =
        newest.iter().map(|(name, status, at)| (name.as_str(), *status, *at)).collect();
    done(asked(60, true, [tasks(&newest), group()]).observe(&action).await);
}

#[tokio::test(start_paused = true)]
async fn one_export_at_a_time_and_a_lost_answer_is_found_by_name() {
    let action = Preserve::default();
    let busy = bench([tasks(&[("other", "RUNNING", -9)])]).observe(&action).await;
    assert!(waiting(busy).contains("one at a time"));
    let late = asked(60, true, [tasks(&[])]).observe(&action).await;
    assert!(waiting(late).contains("not listed yet"));
    let lost = asked(60, false, [tasks(&[]), group()]).observe(&action).await;
    assert_eq!(lost, Ok(Observation::Absent), "the machine waits before it asks again");
    let missing = bench([tasks(&[]), no_group()]).observe(&action).await;
    assert!(broken(missing).contains("no log group `/ecs/api`"), "a longer name is another group");
    let failed = bench(vec![json_error("ThrottlingException", "Rate exceeded"); 4]);
    let failed = failed.observe(&action).await.expect_err("no answer");
    assert_eq!(failed.class(), ErrorClass::Temporary);
}

#[tokio::test(start_paused = true)]
async fn what_asking_may_end_with() {
    let action = Preserve::default();
    let well = Bench { began: Some(simulated_epoch()), ..bench([json("{\"taskId\":\"t\"}")]) };
    well.act(&action).await.expect("accepted");
    let sent = &well.script.sent()[0];
    let body: serde_json::Value = serde_json::from_str(&sent.body).expect("JSON");
    assert_eq!(body["taskName"], name());
    let now = simulated_epoch().timestamp_millis();
    assert_eq!((&body["to"], &body["from"]), (&value!(now), &value!(now - 86_400_000)));
    assert_eq!(body["destinationPrefix"], "drctl-evidence");
    for (reply, class) in [
        (json_error("LimitExceededException", "Resource limit exceeded."), ErrorClass::Temporary),
        (json_error("OperationAbortedException", "again"), ErrorClass::Temporary),
        (json_error("ResourceNotFoundException", "gone"), ErrorClass::Permanent),
        (json_error("InvalidParameterException", "bucket"), ErrorClass::Permanent),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let failed = bench([reply]).act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class, "{shown}");
    }
    let mut turned = bench([]);
    let later = simulated_epoch() + TimeDelta::hours(1);
    turned.inputs.insert("from".to_owned(), Value::Time(later));
    assert!(turned.act(&action).await.expect_err("input").to_string().contains("is not before"));
}

#[tokio::test(start_paused = true)]
async fn a_preview_says_what_may_be_missing() {
    let action = Preserve::default();
    let preview = bench([group(), tasks(&[("other", "RUNNING", -9)])]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!((preview.wont, &preview.outputs["bytes"]), (None, &Value::Int(4096)));
    let warned = preview.warnings.join("\n");
    assert!(warned.contains("up to 12 hours") && warned.contains("is under way"), "{warned}");
    let preview = bench([no_group()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("no log group")));
}
