//! `s3.check_replication`: reads both buckets and CloudWatch, and says what it found.
//!
//! **Invariant:** nothing but reads is sent.

use crate::action::rds::tests::{Bench, broken_check, done, inputs};
use crate::action::s3::CheckReplication;
use crate::action::{ActionError, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{metric_error, metrics};
use crate::cloud::tests::bucket_answers::{
    Nine, OBJECT_LOCK, REPLICATION, VERSIONING, element, head, replication, s3_error,
};
use crate::cloud::tests::scripted::Reply;
use std::time::Duration;

const ALL: &str = "<Rule><ID>all</ID><Priority>1</Priority><Status>Enabled</Status><Filter><Prefix/>\
    </Filter><ExistingObjectReplication><Status>Enabled</Status></ExistingObjectReplication>\
    <DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>\
    <Destination><Bucket>arn:aws:s3:::copies</Bucket>\
    <ReplicationTime><Status>Enabled</Status><Time><Minutes>15</Minutes></Time></ReplicationTime>\
    <Metrics><Status>Enabled</Status><EventThreshold><Minutes>15</Minutes></EventThreshold></Metrics>\
    </Destination></Rule>";

fn at(region: &'static str) -> Reply {
    match region {
        "us-west-2" => head(200, &[("x-amz-bucket-region", "us-west-2")]),
        _ => head(200, &[("x-amz-bucket-region", "us-east-1")]),
    }
}

fn waits(latency: f64, operations: f64) -> Reply {
    let now = f64::from(i32::try_from(simulated_epoch().timestamp()).expect("a time"));
    metrics(
        "Complete",
        &[
            ("latency", &[(now - 60.0, latency)]),
            ("bytes", &[(now - 60.0, 4_096.0)]),
            ("operations", &[(now - 60.0, operations)]),
        ],
    )
}

/// The answers about two buckets and their figures.
fn answers(source: Nine, copies: Nine, figures: Vec<Reply>) -> Vec<Reply> {
    let mut all = vec![at("us-east-1")];
    all.extend(source.0);
    all.push(at("us-west-2"));
    all.extend(copies.0);
    all.extend(figures);
    all
}

fn source() -> Nine {
    Nine::plain().with(REPLICATION, replication(ALL))
}

fn wish(more: &[(&str, Value)]) -> Values {
    let mut all = vec![("source", Value::text("documents"))];
    all.extend_from_slice(more);
    inputs(&all)
}

fn good() -> Vec<Reply> {
    answers(source(), Nine::plain(), vec![waits(2.0, 3.0), metrics("Complete", &[])])
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_copied_passes_with_its_figures() {
    let action = CheckReplication::default();
    let bench = Bench::new(wish(&[]), good());
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["replicating"], Value::Bool(true));
    assert_eq!((&outputs["errors"], &outputs["warnings"]), (&Value::Int(0), &Value::Int(0)));
    assert_eq!(outputs["latency"], Value::Duration(Duration::from_secs(2)));
    assert_eq!(outputs["pending_operations"], Value::Float(3.0));
    assert_eq!(outputs["failed"], Value::Null, "no figure is not zero");
    for sent in bench.script.sent() {
        assert!(!sent.uri.contains("versionId"), "{}", sent.uri);
    }
    let preview = Bench::new(wish(&[]), good()).preview(&action).await.expect("a prediction");
    assert_eq!((preview.wont, preview.cannot_know), (None, None));
    assert_eq!(preview.details, ["copied to copies"]);
}

#[tokio::test(start_paused = true)]
async fn findings_decide_by_their_severity() {
    let action = CheckReplication::default();
    let suspended = || element("VersioningConfiguration", "<Status>Suspended</Status>");
    let copies = || Nine::plain().with(VERSIONING, suspended());
    let wire = || answers(source(), copies(), vec![waits(2.0, 0.0), metrics("Complete", &[])]);
    let why = broken_check(Bench::new(wish(&[]), wire()).observe(&action).await);
    assert!(why.contains("S3-033 error: versioning of destination `copies` is suspended"), "{why}");
    let all = [("max_severity", Value::text("error"))];
    let (outputs, verdict) = done(Bench::new(wish(&all), wire()).observe(&action).await);
    assert_eq!(outputs["replicating"], Value::Bool(false));
    assert!(matches!(verdict, Verdict::Warn(list) if list.len() == 1));
    let preview = Bench::new(wish(&[]), wire()).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("put-bucket-versioning")));
    // A warning passes unless a step says otherwise.
    let late =
        || answers(source(), Nine::plain(), vec![waits(3_600.0, 9.0), metrics("Complete", &[])]);
    let (_, verdict) = done(Bench::new(wish(&[]), late()).observe(&action).await);
    assert!(matches!(verdict, Verdict::Warn(list) if list[0].contains("S3-071 warning")));
    let strict = [("max_severity", Value::text("info"))];
    let why = broken_check(Bench::new(wish(&strict), late()).observe(&action).await);
    assert!(why.contains("S3-071"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_not_there_is_told_and_one_that_may_not_be_seen_is_unknown() {
    let action = CheckReplication::default();
    let why = broken_check(Bench::new(wish(&[]), [head(404, &[])]).observe(&action).await);
    assert!(why.contains("there is no bucket `documents`"), "{why}");
    let refused = Bench::new(wish(&[]), [head(403, &[])]).observe(&action).await;
    assert!(refused.is_err_and(|error| error.class() == ErrorClass::Credentials));
    let mut wire = vec![at("us-east-1")];
    wire.extend(source().0);
    wire.push(head(403, &[]));
    let (outputs, verdict) = done(Bench::new(wish(&[]), wire).observe(&action).await);
    assert_eq!(outputs["replicating"], Value::Null);
    assert!(matches!(verdict, Verdict::Unknown { why } if why.contains("`copies`")));
    let mut gone = vec![at("us-east-1")];
    gone.extend(source().0);
    gone.push(head(404, &[]));
    let why = broken_check(Bench::new(wish(&[]), gone).observe(&action).await);
    assert!(why.contains("S3-030 error: destination `copies` does not exist"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_may_not_be_read_is_not_taken_for_missing() {
    let action = CheckReplication::default();
    let refused = || s3_error(403, "AccessDenied", "Access Denied");
    // Replication itself: nobody knows.
    let mut wire = vec![at("us-east-1")];
    wire.extend(Nine::plain().with(REPLICATION, refused()).0);
    wire.push(at("us-west-2"));
    wire.extend(Nine::plain().0);
    let to = [("destination", Value::text("copies"))];
    let bench = Bench::new(wish(&to), wire);
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(outputs["replicating"], Value::Null);
    assert_eq!(outputs["errors"], Value::Int(0));
    assert!(matches!(verdict, Verdict::Unknown { why } if why.contains("s3:GetBucketReplication")));
    // Object Lock: the rest is known, and the gap is a warning.
    let figures = vec![waits(2.0, 0.0), metrics("Complete", &[])];
    let wire = answers(source().with(OBJECT_LOCK, refused()), Nine::plain(), figures);
    let (outputs, verdict) = done(Bench::new(wish(&[]), wire).observe(&action).await);
    assert_eq!(outputs["replicating"], Value::Bool(true));
    assert!(matches!(verdict, Verdict::Warn(list) if list[0].starts_with("S3-090")));
    // CloudWatch: the configuration stands.
    let denied = metric_error(403, "AccessDenied;Sender", "AccessDenied");
    let wire = answers(source(), Nine::plain(), vec![denied]);
    let (outputs, verdict) = done(Bench::new(wish(&[]), wire).observe(&action).await);
    assert_eq!(outputs["latency"], Value::Null);
    assert!(matches!(verdict, Verdict::Warn(list) if list[0].starts_with("S3-073")));
}

#[tokio::test(start_paused = true)]
async fn trouble_on_the_way_is_an_error_and_bad_inputs_are_refused() {
    let action = CheckReplication::default();
    let slow = s3_error(503, "SlowDown", "Please reduce your request rate.");
    let mut wire = vec![at("us-east-1")];
    wire.extend(vec![slow; 4]);
    let failed = Bench::new(wish(&[]), wire).observe(&action).await.expect_err("throttled");
    assert_eq!(failed.class(), ErrorClass::Temporary);
    for (more, words) in [
        (("destination", Value::text("documents")), "are one bucket"),
        (("destination", Value::text("s3://copies")), "no name of a bucket"),
        (("destination", Value::text("")), "no name of a bucket"),
    ] {
        let failed = Bench::new(wish(&[more]), []).observe(&action).await.expect_err("refused");
        assert!(
            matches!(&failed, ActionError::Input { why, .. } if why.contains(words)),
            "{failed}"
        );
    }
}
