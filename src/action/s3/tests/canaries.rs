//! `s3.canary` and `s3.remove_canary`: what is sent, and that nothing of anybody else is touched.
//!
//! **Invariant:** a version is removed by its id, after its own metadata named this run.

use super::rolling_back::{listing, partly};
use crate::action::rds::tests::{Bench, broken, done, inputs, waiting};
use crate::action::s3::{MeasureCanary, RemoveCanary};
use crate::action::spec::Reversibility;
use crate::action::{Action as _, ActionError, Verdict};
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::bucket_answers::{
    Nine, OBJECT_LOCK, REPLICATION, VERSIONING, element, head, replication, s3_error,
};
use crate::cloud::tests::scripted::{Reply, other_run, run};
use std::time::Duration;

/// Two seconds before now.
const PUT_AT: &str = "1768467598000";

const RULE: &str = "<Rule><ID>all</ID><Priority>1</Priority><Status>Enabled</Status>\
    <Filter><Prefix>docs/</Prefix></Filter><DeleteMarkerReplication><Status>Enabled</Status>\
    </DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::copies</Bucket></Destination></Rule>";

fn wish(more: &[(&str, Value)]) -> Values {
    let mut all = vec![
        ("source", Value::text("documents")),
        ("destination", Value::text("copies")),
        ("samples", Value::Int(1)),
    ];
    all.extend_from_slice(more);
    inputs(&all)
}

/// What finding the ground asks.
fn ground(source: Nine, copies: Nine) -> Vec<Reply> {
    let here = head(200, &[("x-amz-bucket-region", "us-east-1")]);
    let there = head(200, &[("x-amz-bucket-region", "us-west-2")]);
    [vec![here], source.0.into(), vec![there], copies.0.into()].concat()
}

fn good() -> Vec<Reply> {
    ground(Nine::plain().with(REPLICATION, replication(RULE)), Nine::plain())
}

fn version(id: &str) -> Reply {
    let at = "2026-01-15T08:59:58.000Z";
    listing(&[format!(
        "<Version><Key>docs/drctl-canary/{}/shot/0-0</Key><VersionId>{id}</VersionId>\
         <IsLatest>true</IsLatest><LastModified>{at}</LastModified><ETag>&quot;e&quot;</ETag>\
         <Size>1024</Size><StorageClass>STANDARD</StorageClass></Version>",
        run()
    )])
}

fn none() -> Reply {
    listing(&[])
}

fn body(text: &str, status: &'static str) -> Reply {
    let mut headers = vec![("x-amz-meta-drctl-put-at", PUT_AT), ("x-amz-version-id", "v1")];
    if !status.is_empty() {
        headers.push(("x-amz-replication-status", status));
    }
    Reply::Http(200, text.to_owned(), headers)
}

/// The answer to a look at a version whose metadata names this run.
fn named(run: &str) -> Reply {
    let run: &'static str = run.to_owned().leak();
    head(200, &[("etag", "\"e\""), ("content-length", "1024"), ("x-amz-meta-drctl-run", run)])
}

fn gone() -> Reply {
    head(204, &[])
}

#[tokio::test(start_paused = true)]
async fn a_canary_is_put_timed_and_removed_from_both_buckets() {
    let action = MeasureCanary::default();
    let put = head(200, &[("etag", "\"e\""), ("x-amz-version-id", "v1")]);
    let wire = [
        good(),
        vec![none(), none(), put],
        vec![version("v1"), none(), body("b", "PENDING")],
        vec![version("v1"), version("w1"), body("b", "COMPLETED"), body("b", "REPLICA")],
        vec![named(run().as_str()), gone(), named(run().as_str()), gone()],
        vec![none(), none()],
    ];
    let bench = Bench::new(wish(&[]), wire.concat());
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("put");
    let sent = bench.script.sent().pop().expect("a put");
    assert_eq!(sent.headers.get("if-none-match").map(String::as_str), Some("*"));
    let key = format!("docs/drctl-canary/{}/shot/0-0", run());
    assert!(sent.uri.contains(&key), "{}", sent.uri);
    assert_eq!(sent.headers.get("x-amz-meta-drctl-run").map(String::as_str), Some(run().as_str()));
    assert!(sent.headers.contains_key("x-amz-meta-drctl-put-at"));
    assert!(sent.headers.contains_key("x-amz-meta-drctl-expires"));
    assert!(waiting(bench.observe(&action).await).contains("sample 1 of 1: PENDING"));
    let progress = partly(bench.observe(&action).await);
    assert!(progress["measured"][0].as_u64().is_some_and(|ms| ms >= 2_000), "{progress}");
    bench.act(&action).await.expect("removed");
    let uris: Vec<String> = bench.script.sent().into_iter().map(|sent| sent.uri).collect();
    let removed: Vec<&String> = uris.iter().filter(|uri| uri.contains("DeleteObject")).collect();
    assert!(removed[0].contains("versionId=v1") && removed[0].contains("documents"), "{removed:?}");
    assert!(removed[1].contains("versionId=w1") && removed[1].contains("copies"), "{removed:?}");
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert!(matches!(outputs["p50"], Value::Duration(p50) if p50 >= Duration::from_secs(2)));
    assert_eq!((&outputs["samples"], &outputs["p95"]), (&Value::Int(1), &outputs["p50"]));
    assert_eq!(bench.script.sent().len(), uris.len() + 2, "nothing but a last look");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_slower_than_allowed_fails_and_is_gone() {
    let action = MeasureCanary::default();
    let put = head(200, &[("etag", "\"e\"")]);
    let wire = [
        good(),
        vec![none(), none(), put],
        vec![version("v1"), version("w1"), body("b", "COMPLETED"), body("b", "REPLICA")],
        vec![named(run().as_str()), gone(), named(run().as_str()), gone()],
        vec![none(), none()],
    ];
    let most = [("max", Value::Duration(Duration::from_secs(1)))];
    let bench = Bench::new(wish(&most), wire.concat());
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("put");
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("removed");
    let (_, verdict) = done(bench.observe(&action).await);
    assert!(matches!(verdict, Verdict::Fail { why, .. } if why.contains("are allowed")));
}

#[tokio::test(start_paused = true)]
async fn what_this_run_did_not_put_stays() {
    let action = RemoveCanary::default();
    let regions = || {
        vec![
            head(200, &[("x-amz-bucket-region", "us-east-1")]),
            head(200, &[("x-amz-bucket-region", "us-west-2")]),
        ]
    };
    let keys = format!("docs/drctl-canary/{}/", run());
    let inputs = inputs(&[
        ("source", Value::text("documents")),
        ("destination", Value::text("copies")),
        ("keys", Value::text(&keys)),
    ]);
    let other = other_run().as_str().to_owned();
    for beside in [named(&other), head(200, &[("etag", "\"e\""), ("content-length", "1")])] {
        let look = || [regions(), vec![version("v1"), none()]].concat();
        let bench = Bench::new(inputs.clone(), [look(), look(), vec![beside]].concat());
        partly(bench.observe(&action).await);
        let refused = bench.act(&action).await.expect_err("not ours");
        assert!(matches!(refused, ActionError::Refused { .. }), "{refused}");
        assert!(bench.script.sent().iter().all(|sent| !sent.uri.contains("DeleteObject")));
    }
    // Somebody removed it between look and act.
    let look = || [regions(), vec![version("v1"), none()]].concat();
    let bench = Bench::new(inputs.clone(), [look(), look(), vec![head(404, &[])]].concat());
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("nothing to do");
    // Keys of another run, or of nobody.
    for keys in [format!("drctl-canary/{other}/"), "documents/".to_owned(), String::new()] {
        let wrong = with_keys(&inputs, &keys);
        let failed = Bench::new(wrong, []).observe(&action).await.expect_err("refused");
        assert!(matches!(&failed, ActionError::Input { name, .. } if name == "keys"), "{failed}");
    }
}

/// The same inputs with other keys.
fn with_keys(inputs: &Values, keys: &str) -> Values {
    let mut inputs = inputs.clone();
    inputs.insert("keys".to_owned(), Value::text(keys));
    inputs
}

#[tokio::test(start_paused = true)]
async fn where_a_canary_would_stay_or_not_be_copied_none_is_put() {
    let action = MeasureCanary::default();
    let rule = || Nine::plain().with(REPLICATION, replication(RULE));
    let suspended = element("VersioningConfiguration", "<Status>Suspended</Status>");
    let lock = element(
        "ObjectLockConfiguration",
        "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
         <Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule>",
    );
    for (wire, more, words) in [
        (ground(rule(), Nine::plain().with(VERSIONING, suspended)), None, "S3-033"),
        (ground(Nine::plain(), Nine::plain()), None, "S3-010"),
        (ground(rule(), Nine::plain().with(OBJECT_LOCK, lock)), None, "locks every new object"),
        (good(), Some("logs/"), "no rule of `documents` copies keys of `logs/`"),
        (vec![head(404, &[])], None, "there is no bucket `documents`"),
    ] {
        let more: Vec<_> = more.map(|prefix| ("prefix", Value::text(prefix))).into_iter().collect();
        let preview = Bench::new(wish(&more), wire.clone()).preview(&action).await;
        let wont = preview.expect("a prediction").wont.expect("hopeless");
        assert!(wont.contains(words), "{wont}");
        let bench = Bench::new(wish(&more), wire);
        assert!(broken(bench.observe(&action).await).contains(words), "{words}");
        assert!(bench.script.sent().iter().all(|sent| !sent.uri.contains("PutObject")));
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_with_a_put_has_its_class() {
    let action = MeasureCanary::default();
    for (reply, class) in [
        (s3_error(403, "AccessDenied", "no"), Some(ErrorClass::Credentials)),
        (s3_error(503, "SlowDown", "slower"), Some(ErrorClass::Temporary)),
        (Reply::Lost, Some(ErrorClass::InDoubt)),
        // An earlier try whose answer was lost: the next look sees it.
        (s3_error(412, "PreconditionFailed", "it is there"), None),
    ] {
        let bench = Bench::new(wish(&[]), [good(), vec![none(), none(), reply]].concat());
        partly(bench.observe(&action).await);
        let ended = bench.act(&action).await.map_err(|error| error.class());
        assert_eq!(ended.err(), class);
    }
    // Nothing was decided: nothing is sent.
    let idle = Bench::new(wish(&[]), []);
    assert!(idle.act(&action).await.is_err_and(|error| error.class() == ErrorClass::Temporary));
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_the_keys_and_an_undo_gets_them() {
    let action = MeasureCanary::default();
    let preview = Bench::new(wish(&[]), good()).preview(&action).await.expect("a prediction");
    assert_eq!((&preview.wont, &preview.cannot_know), (&None, &None));
    let keys = format!("docs/drctl-canary/{}/shot/", run());
    assert_eq!(preview.outputs["keys"], Value::text(&keys));
    assert!(preview.outputs["p50"].unknown_reason().is_some());
    let Reversibility::UndoneBy { action: undo, inputs: of } = action.spec().reversibility else {
        panic!("it has an undo")
    };
    let undone = of(&wish(&[]), &preview.outputs);
    assert_eq!((undo, &undone["keys"]), ("s3.remove_canary", &Value::text(&keys)));
    for samples in [0, 101] {
        let many = [("samples", Value::Int(samples))];
        let failed = Bench::new(inputs(&[&wish_pairs()[..], &many[..]].concat()), []);
        assert!(failed.preview(&action).await.is_err(), "{samples}");
    }
}

fn wish_pairs() -> Vec<(&'static str, Value)> {
    vec![("source", Value::text("documents")), ("destination", Value::text("copies"))]
}
