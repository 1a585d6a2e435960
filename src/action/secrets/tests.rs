//! `secrets.switch_endpoint` over a scripted wire.
//!
//! **Invariant:** no password of these tests appears in anything that the action answers.

use super::SwitchEndpoint;
use crate::action::rds::tests::{Bench, broken, done, inputs, waiting};
use crate::action::spec::Reversibility;
use crate::action::{Action, Observation, PastIntent, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{json, json_error};
use crate::cloud::tests::scripted::Reply;
use chrono::TimeDelta;

const OLD: &str = "orders.cabc.us-east-1.rds.amazonaws.com";
const NEW: &str = "orders-west.cdef.us-west-2.rds.amazonaws.com";
const PASSWORD: &str = "hunter2hunter2";

fn to_new() -> Values {
    inputs(&[("secret", Value::text("shop/orders")), ("host", Value::text(NEW))])
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(to_new(), replies)
}

fn back(version: &str, instead_of: &str, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let inputs = inputs(&[
        ("secret", Value::text("shop/orders")),
        ("version", Value::text(version)),
        ("instead_of", Value::text(instead_of)),
    ]);
    Bench::new(inputs, replies)
}

pub(super) fn asked(seconds: i64, accepted: bool, bench: Bench) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench }
}

pub(super) fn versions(of: &[(&str, &str)]) -> Reply {
    let version = |(id, stage): &(&str, &str)| {
        format!("{{\"VersionId\":\"{id}\",\"VersionStages\":[\"{stage}\"]}}")
    };
    let list: Vec<String> = of.iter().map(version).collect();
    json(&format!("{{\"Name\":\"shop/orders\",\"Versions\":[{}]}}", list.join(",")))
}

fn text(host: &str) -> Reply {
    let inner = format!(
        "{{\\\"username\\\":\\\"app\\\",\\\"password\\\":\\\"{PASSWORD}\\\",\\\"host\\\":\\\"{host}\\\"}}"
    );
    json(&format!("{{\"Name\":\"shop/orders\",\"VersionId\":\"v1\",\"SecretString\":\"{inner}\"}}"))
}

fn gone() -> Reply {
    json_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// The id of the version that [`to_new`] makes.
async fn made() -> String {
    let bench = bench([versions(&[("v1", "AWSCURRENT")])]);
    let preview = bench.preview(&SwitchEndpoint::default()).await;
    preview.expect("a prediction").outputs["version"].to_string()
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_no_value_and_says_what_it_cannot_know() {
    let action = SwitchEndpoint::default();
    let bench = bench([versions(&[("v0", "AWSPREVIOUS"), ("v1", "AWSCURRENT")])]);
    let preview = bench.preview(&action).await.expect("a prediction");
    assert!(preview.cannot_know.is_some_and(|why| why.contains("GetSecretValue")));
    assert_eq!(bench.script.actions(), ["secretsmanager.ListSecretVersionIds"]);
    assert_eq!(preview.outputs["previous_version"], Value::text("v1"));
    assert!(preview.outputs["was"].unknown_reason().is_some());
    let version = preview.outputs["version"].to_string();
    assert!((32..=64).contains(&version.len()) && version == made().await, "{version}");
    let preview = super::tests::bench([gone()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("there is no secret")));
}

#[tokio::test(start_paused = true)]
async fn the_new_version_has_the_host_and_is_put_once() {
    let action = SwitchEndpoint::default();
    let bench_ok = bench([text(OLD), json("{\"VersionId\":\"x\"}")]);
    let acted = bench_ok.act(&action).await.expect("accepted");
    let body: serde_json::Value =
        serde_json::from_str(&bench_ok.script.sent()[1].body).expect("JSON");
    assert_eq!(body["ClientRequestToken"], made().await.as_str());
    let put: serde_json::Value =
        serde_json::from_str(body["SecretString"].as_str().expect("a text")).expect("JSON");
    let wanted = serde_json::json!({ "username": "app", "password": PASSWORD, "host": NEW });
    assert_eq!(put, wanted);
    assert!(!format!("{acted:?}").contains(PASSWORD));
    // The same step again, after its first call took effect unnoticed, puts the same text.
    let again = bench([text(NEW), json("{\"VersionId\":\"x\"}")]);
    again.act(&action).await.expect("accepted");
    assert_eq!(again.script.sent()[1].body, bench_ok.script.sent()[1].body);
}

#[tokio::test(start_paused = true)]
async fn what_putting_may_end_with() {
    let action = SwitchEndpoint::default();
    for (reply, class) in [
        (json_error("ResourceExistsException", "other parameters"), ErrorClass::Permanent),
        (json_error("InvalidRequestException", "a replica secret"), ErrorClass::Permanent),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (json_error("AccessDeniedException", "no"), ErrorClass::Credentials),
        (json_error("InternalServiceError", "busy"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench([text(OLD), reply, json("{}")]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 2), "{shown}");
        assert!(!failed.to_string().contains(PASSWORD), "{failed}");
    }
    let plain = json("{\"VersionId\":\"v1\",\"SecretString\":\"hunter2hunter2\"}");
    let bench = bench([plain]);
    let failed = bench.act(&action).await.expect_err("no object").to_string();
    assert!(failed.contains("no JSON object") && !failed.contains(PASSWORD), "{failed}");
    assert_eq!(bench.script.sent().len(), 1, "nothing was put");
}

#[tokio::test(start_paused = true)]
async fn it_is_done_when_its_version_is_current() {
    let (action, ours) = (SwitchEndpoint::default(), made().await);
    let after = versions(&[(&ours, "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    let bench_done = asked(5, true, bench([after, text(OLD)]));
    let (outputs, verdict) = done(bench_done.observe(&action).await);
    assert_eq!((verdict, outputs["was"].clone()), (Verdict::Pass, Value::text(OLD)));
    assert_eq!(outputs["previous_version"], Value::text("v1"));
    assert!(!format!("{outputs:?}").contains(PASSWORD));
    let Reversibility::UndoneBy { inputs: undo, .. } = action.spec().reversibility else {
        panic!("it can be undone")
    };
    let undo = undo(&to_new(), &outputs);
    assert_eq!((&undo["version"], &undo["instead_of"]), (&Value::text("v1"), &Value::text(&ours)));

    let before = || versions(&[("v0", "AWSPREVIOUS"), ("v1", "AWSCURRENT")]);
    let seen = bench([before(), text(OLD)]).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
    let stale = asked(5, true, bench([before()])).observe(&action).await;
    assert!(waiting(stale).contains("not shown as current yet"));
    let lost = asked(600, true, bench([before()])).observe(&action).await;
    assert!(broken(lost).contains("gone again"));
    let doubt = asked(200, false, bench([before(), text(OLD)])).observe(&action).await;
    assert_eq!(doubt, Ok(Observation::Absent), "the same version again is harmless");
    let (outputs, verdict) = done(bench([before(), text(NEW)]).observe(&action).await);
    assert!(matches!(verdict, Verdict::Warn(_)) && outputs["version"] == Value::text("v1"));
    let replaced = versions(&[("v9", "AWSCURRENT"), (&ours, "AWSPREVIOUS")]);
    assert!(broken(bench([replaced]).observe(&action).await).contains("v9 took its place"));
    assert!(broken(bench([gone()]).observe(&action).await).contains("there is no secret"));
    let empty = versions(&[("v0", "AWSPENDING")]);
    assert!(broken(bench([empty]).observe(&action).await).contains("no current version"));
}

#[tokio::test(start_paused = true)]
async fn going_back_needs_that_nobody_changed_it_since() {
    let action = SwitchEndpoint::default();
    let now = || versions(&[("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    assert_eq!(back("v1", "v2", [now()]).observe(&action).await, Ok(Observation::Absent));
    let bench_ok = back("v1", "v2", [json("{}")]);
    bench_ok.act(&action).await.expect("accepted");
    let body: serde_json::Value =
        serde_json::from_str(&bench_ok.script.sent()[0].body).expect("JSON");
    assert_eq!(body["MoveToVersionId"], "v1");
    assert_eq!(
        (&body["RemoveFromVersionId"], &body["VersionStage"]),
        (&"v2".into(), &"AWSCURRENT".into())
    );
    let back_again = versions(&[("v1", "AWSCURRENT"), ("v2", "AWSPREVIOUS")]);
    let (outputs, _) = done(back("v1", "v2", [back_again, text(NEW)]).observe(&action).await);
    assert_eq!(outputs["was"], Value::text(NEW));
    let rotated = versions(&[("v3", "AWSCURRENT"), ("v2", "AWSPREVIOUS"), ("v1", "X")]);
    let why = broken(back("v1", "v2", [rotated]).observe(&action).await);
    assert!(why.contains("v3") && why.contains("somebody changed it since"), "{why}");
    let forgotten = versions(&[("v2", "AWSCURRENT")]);
    assert!(broken(back("v1", "v2", [forgotten]).observe(&action).await).contains("no version v1"));
    let stale = asked(5, true, back("v1", "v2", [now()])).observe(&action).await;
    assert!(waiting(stale).contains("not shown"));
}

#[tokio::test(start_paused = true)]
async fn inputs_that_contradict_each_other_are_refused() {
    let action = SwitchEndpoint::default();
    let secret = ("secret", Value::text("s"));
    for (more, words) in [
        (vec![], "`host`"),
        (vec![("version", Value::text("v"))], "`instead_of`"),
        (vec![("host", Value::text("h")), ("version", Value::text("v"))], "not both"),
        (vec![("host", Value::text("a b"))], "a host name"),
        (vec![("host", Value::text("h")), ("port", Value::Int(70_000))], "1 to 65535"),
    ] {
        let mut pairs = vec![secret.clone()];
        pairs.extend(more);
        let failed = Bench::new(inputs(&pairs), []).observe(&action).await.expect_err("refused");
        assert!(failed.to_string().contains(words), "{failed}");
    }
}
