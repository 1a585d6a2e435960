//! `s3.compare`: lists both buckets, looks again at what differs, and says how far behind the copy is.
//!
//! **Invariant:** nothing but reads is sent, and what was not compared passes nothing.

use crate::action::rds::tests::{Bench, broken_check, done, inputs};
use crate::action::s3::Compare;
use crate::action::{ActionError, Verdict};
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::bucket_answers::{element, head, s3_error};
use crate::cloud::tests::scripted::Reply;
use std::time::Duration;

fn wish(more: &[(&str, Value)]) -> Values {
    let mut all =
        vec![("source", Value::text("documents")), ("destination", Value::text("copies"))];
    all.extend_from_slice(more);
    inputs(&all)
}

/// The time of tests is 2026-01-15T09:00:00Z.
fn list(keys: &[(&str, &str)]) -> Reply {
    let item = |(key, modified): &(&str, &str)| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>\
             <ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>5</Size></Contents>"
        )
    };
    element("ListBucketResult", &keys.iter().map(item).collect::<String>())
}

const EARLY: &str = "2026-01-15T08:00:00Z";

fn replicated() -> Reply {
    let rule = "<Rule><ID>all</ID><Priority>1</Priority><Status>Enabled</Status>\
        <Filter><Prefix/></Filter><DeleteMarkerReplication><Status>Enabled</Status>\
        </DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::copies</Bucket></Destination></Rule>";
    element("ReplicationConfiguration", &format!("<Role>arn:aws:iam::1:role/r</Role>{rule}"))
}

fn wire(one: Reply, other: Reply, looks: Vec<Reply>) -> Vec<Reply> {
    let versioning = element("VersioningConfiguration", "<Status>Enabled</Status>");
    let mut all = vec![head(200, &[]), head(200, &[]), versioning, replicated(), one, other];
    all.extend(looks);
    all
}

fn object(status: &'static str) -> Reply {
    head(
        200,
        &[
            ("content-length", "5"),
            ("etag", "\"9b2cf535f27731c974343645a3985328\""),
            ("last-modified", "Thu, 15 Jan 2026 08:00:00 GMT"),
            ("x-amz-replication-status", status),
        ],
    )
}

#[tokio::test(start_paused = true)]
async fn twins_pass_with_a_recovery_point_of_nothing() {
    let keys = [("a", EARLY), ("b", EARLY)];
    let bench = Bench::new(wish(&[]), wire(list(&keys), list(&keys), vec![]));
    let (outputs, verdict) = done(bench.observe(&Compare::default()).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["recovery_point"], Value::Duration(Duration::ZERO));
    assert_eq!((&outputs["equal"], &outputs["compared"]), (&Value::Int(2), &Value::Int(2)));
    assert_eq!(outputs["oldest_missing"], Value::Null);
    let preview = Bench::new(wish(&[]), wire(list(&[]), list(&[]), vec![]));
    let preview = preview.preview(&Compare::default()).await.expect("a prediction");
    assert!(preview.wont.is_none() && preview.cannot_know.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_object_that_is_not_there_is_the_recovery_point() {
    let keys = [("a", EARLY), ("b", EARLY)];
    let looks = || vec![object("PENDING"), head(404, &[])];
    let behind = || wire(list(&keys), list(&keys[..1]), looks());
    let why = broken_check(Bench::new(wish(&[]), behind()).observe(&Compare::default()).await);
    assert!(why.contains("1 pending_old"), "{why}");
    let hour = |text: u64| [("max_recovery_point", Value::Duration(Duration::from_secs(text)))];
    let why =
        broken_check(Bench::new(wish(&hour(3_000)), behind()).observe(&Compare::default()).await);
    assert!(why.contains("`b` is not in `copies` and is 1h00m old, allowed are 50m00s"), "{why}");
    let (outputs, verdict) =
        done(Bench::new(wish(&hour(4_000)), behind()).observe(&Compare::default()).await);
    assert!(matches!(verdict, Verdict::Warn(list) if list[0].contains("1 pending_old")));
    assert_eq!(outputs["recovery_point"], Value::Duration(Duration::from_secs(3_600)));
    assert_eq!((&outputs["pending"], &outputs["missing"]), (&Value::Int(1), &Value::Int(0)));
    assert_eq!(outputs["oldest_missing"], Value::text("b"));
    // It came while the lists were read.
    let looks = vec![object("COMPLETED"), object("REPLICA")];
    let late = wire(list(&keys), list(&keys[..1]), looks);
    let (outputs, verdict) = done(Bench::new(wish(&[]), late).observe(&Compare::default()).await);
    assert_eq!((verdict, &outputs["equal"]), (Verdict::Pass, &Value::Int(2)));
}

#[tokio::test(start_paused = true)]
async fn trouble_is_an_error_and_a_bucket_that_is_not_there_fails() {
    let action = Compare::default();
    let gone = [head(200, &[]), head(404, &[])];
    let why = broken_check(Bench::new(wish(&[]), gone).observe(&action).await);
    assert!(why.contains("there is no bucket `copies`"), "{why}");
    let refused = [head(403, &[]), head(403, &[])];
    let failed = Bench::new(wish(&[]), refused).observe(&action).await.expect_err("refused");
    assert_eq!(failed.class(), ErrorClass::Credentials);
    let denied = s3_error(403, "AccessDenied", "Access Denied");
    let failed = Bench::new(wish(&[]), wire(denied.clone(), denied, vec![]));
    let failed = failed.observe(&action).await.expect_err("refused");
    assert_eq!(failed.class(), ErrorClass::Credentials);
    let slow = || s3_error(503, "SlowDown", "Please reduce your request rate.");
    let mut storm = wire(slow(), slow(), vec![slow(), slow()]);
    storm.extend([list(&[]), list(&[])]);
    let (_, verdict) = done(Bench::new(wish(&[]), storm).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass, "a throttled list is only slower");
    for (name, value, words) in [
        ("destination", Value::text("documents"), "are one bucket"),
        ("source", Value::text("s3://documents"), "no name of a bucket"),
        ("sample", Value::Int(0), "no sample"),
    ] {
        let failed = Bench::new(wish(&[(name, value)]), []).observe(&action).await;
        let failed = failed.expect_err("refused");
        assert!(
            matches!(&failed, ActionError::Input { why, .. } if why.contains(words)),
            "{failed}"
        );
    }
}
