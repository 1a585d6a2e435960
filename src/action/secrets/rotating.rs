//! `secrets.rotate` over a scripted wire.
//!
//! **Invariant:** a rotation is asked for under one id, whatever became of the answer.

use super::Rotate;
use super::tests::{asked, versions};
use crate::action::rds::tests::{Bench, broken, done, inputs, waiting};
use crate::action::{Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{json, json_error};
use crate::cloud::tests::scripted::Reply;

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(inputs(&[("secret", Value::text("shop/orders"))]), replies)
}

fn before() -> Reply {
    versions(&[("v1", "AWSCURRENT"), ("v0", "AWSPREVIOUS")])
}

fn gone() -> Reply {
    json_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// The id of the version that the step makes, as its dry run says it.
async fn made() -> String {
    let preview = bench([before()]).preview(&Rotate::default()).await;
    preview.expect("a prediction").outputs["version"].to_string()
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_versions_and_no_value() {
    let action = Rotate::default();
    let seen = bench([before()]);
    let preview = seen.preview(&action).await.expect("a prediction");
    assert_eq!(seen.script.actions(), ["secretsmanager.ListSecretVersionIds"]);
    assert!(preview.wont.is_none() && preview.details[0].contains("v1 is current"));
    let preview = bench([gone()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("there is no secret `shop/orders`")));
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_for_under_one_id() {
    let (action, ours) = (Rotate::default(), made().await);
    assert!((32..=64).contains(&ours.len()), "{ours}");
    for _ in 0..2 {
        let asked = bench([json("{\"VersionId\":\"x\"}")]);
        asked.act(&action).await.expect("accepted");
        let body: serde_json::Value =
            serde_json::from_str(&asked.script.sent()[0].body).expect("JSON");
        assert_eq!(body["ClientRequestToken"], ours.as_str());
        assert_eq!(body["RotateImmediately"], true);
    }
}

#[tokio::test(start_paused = true)]
async fn what_asking_may_end_with() {
    for (reply, class) in [
        (gone(), ErrorClass::Permanent),
        (json_error("InvalidRequestException", "no rotation function"), ErrorClass::Permanent),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (json_error("AccessDeniedException", "no"), ErrorClass::Credentials),
        (json_error("InternalServiceError", "busy"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench([reply, json("{}")]);
        let failed = bench.act(&Rotate::default()).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 1), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_done_when_its_version_is_current() {
    let (action, ours) = (Rotate::default(), made().await);
    assert_eq!(bench([before()]).observe(&action).await, Ok(Observation::Absent));
    let after = versions(&[(&ours, "AWSCURRENT"), ("v1", "AWSPREVIOUS")]);
    // The answer was lost: what is there tells.
    let (outputs, verdict) = done(asked(5, false, bench([after])).observe(&action).await);
    assert_eq!((verdict, outputs["version"].clone()), (Verdict::Pass, Value::text(&ours)));
    assert_eq!(outputs["previous_version"], Value::text("v1"));
    // A stale read shows the versions of before.
    let stale = asked(5, true, bench([before()])).observe(&action).await;
    assert!(waiting(stale).contains("no new version yet"));
    let half = versions(&[("v1", "AWSCURRENT"), (&ours, "AWSPENDING")]);
    assert!(waiting(asked(400, true, bench([half])).observe(&action).await).contains("at work"));
    let nothing = asked(400, true, bench([before()])).observe(&action).await;
    assert!(broken(nothing).contains("made no new version"));
    assert!(broken(bench([gone()]).observe(&action).await).contains("there is no secret"));
}
