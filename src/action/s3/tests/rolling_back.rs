//! `s3.restore_versions` and its checks: what is sent, and what each answer comes to.
//!
//! **Invariant:** no answer makes a version go, and nothing is written on top of what was not seen.

use crate::action::rds::tests::{Bench, done, inputs, waiting};
use crate::action::s3::RestoreVersions;
use crate::action::{ActionError, Observation, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::bucket_answers::{Nine, element, head, s3_error};
use crate::cloud::tests::scripted::Reply;
use chrono::{DateTime, TimeDelta, Utc};

/// Seconds before now.
pub(super) fn ago(seconds: i64) -> DateTime<Utc> {
    simulated_epoch() - TimeDelta::seconds(seconds)
}

/// The plan was made a minute ago, and goes back ten.
pub(super) const PLANNED: i64 = 60;
const TO: i64 = 600;

pub(super) fn wish(more: &[(&str, Value)]) -> Values {
    let mut all = vec![
        ("bucket", Value::text("docs")),
        ("prefix", Value::text("a")),
        ("to", Value::Time(ago(TO))),
    ];
    all.extend_from_slice(more);
    inputs(&all)
}

pub(super) fn bench(more: &[(&str, Value)], replies: Vec<Reply>) -> Bench {
    let mut bench = Bench::new(wish(more), replies);
    bench.planned = Some(inputs(&[("as_of", Value::Time(ago(PLANNED)))]));
    bench
}

/// An entry as listings have it: `v…` is a version, `m…` a delete marker.
pub(super) fn entry(key: &str, id: &str, latest: bool, seconds: i64, content: &str) -> String {
    let at = ago(seconds).format("%Y-%m-%dT%H:%M:%S.000Z");
    let common = format!(
        "<Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
         <LastModified>{at}</LastModified>"
    );
    if id.starts_with('m') {
        return format!("<DeleteMarker>{common}</DeleteMarker>");
    }
    let size = content.len();
    format!(
        "<Version>{common}<ETag>&quot;{content}&quot;</ETag><Size>{size}</Size>\
         <StorageClass>STANDARD</StorageClass></Version>"
    )
}

pub(super) fn listing(entries: &[String]) -> Reply {
    let more = "<Name>docs</Name><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>";
    element("ListVersionsResult", &format!("{more}{}", entries.concat()))
}

/// One key that was overwritten since the instant.
fn overwritten() -> Reply {
    listing(&[entry("a%2F1+%25", "v2", true, 300, "bb"), entry("a%2F1+%25", "v1", false, 900, "a")])
}

pub(super) fn enabled() -> Reply {
    element("VersioningConfiguration", "<Status>Enabled</Status>")
}

fn copied() -> Reply {
    element("CopyObjectResult", "<ETag>&quot;a&quot;</ETag>")
}

fn old() -> Reply {
    head(200, &[("etag", "\"a\""), ("content-length", "1"), ("x-amz-version-id", "v1")])
}

/// Of the answers about a bucket those that a roll-back asks for.
pub(super) fn five(nine: Nine) -> Vec<Reply> {
    let [versioning, replication, _, _, _, lifecycle, lock, ownership, _] = nine.0;
    vec![versioning, replication, lifecycle, lock, ownership]
}

/// The answers about the bucket, then these.
pub(super) fn after_nine(replies: Vec<Reply>) -> Vec<Reply> {
    [five(Nine::plain()), replies].concat()
}

pub(super) fn partly(seen: Result<Observation, ActionError>) -> serde_json::Value {
    match seen {
        Ok(Observation::Partly { progress, .. }) => progress,
        other => panic!("{other:?}"),
    }
}

pub(super) fn count(outputs: &Values, name: &str) -> i64 {
    match &outputs[name] {
        Value::Int(count) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_goes_on_top_with_all_that_belongs_to_it() {
    let action = RestoreVersions::default();
    let kept = head(
        200,
        &[
            ("etag", "\"a\""),
            ("content-length", "1"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-1:1:key/k"),
            ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-website-redirect-location", "/b"),
            ("x-amz-meta-owner", "ada"),
        ],
    );
    let bench = bench(&[], after_nine(vec![overwritten(), enabled(), kept, copied()]));
    let progress = partly(bench.observe(&action).await);
    assert_eq!(progress["after"], serde_json::Value::Null, "the batch in work is not settled");
    bench.act(&action).await.expect("accepted");
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(
        (verdict, count(&outputs, "restored"), count(&outputs, "bytes")),
        (Verdict::Pass, 1, 1)
    );
    assert_eq!(outputs["as_of"], Value::Time(ago(PLANNED)));
    let sent = bench.script.sent();
    let copy = sent.last().expect("the copy");
    let header = |name: &str| copy.headers.get(name).map(String::as_str);
    assert_eq!(header("x-amz-copy-source"), Some("docs/a/1%20%25?versionId=v1"));
    assert_eq!(header("if-match"), Some("\"bb\""));
    assert_eq!(header("x-amz-tagging-directive"), Some("COPY"));
    assert_eq!(header("x-amz-metadata-directive"), None, "metadata goes along");
    assert_eq!(header("x-amz-server-side-encryption"), Some("aws:kms"));
    let key = header("x-amz-server-side-encryption-aws-kms-key-id");
    assert_eq!(key, Some("arn:aws:kms:us-east-1:1:key/k"));
    assert_eq!(header("x-amz-storage-class"), Some("STANDARD_IA"));
    assert_eq!(header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(header("x-amz-object-lock-retain-until-date"), Some("2030-01-01T00:00:00Z"));
    assert_eq!(header("x-amz-object-lock-legal-hold"), Some("ON"));
    assert_eq!(header("x-amz-website-redirect-location"), Some("/b"));
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_has_ended_is_not_asked_for_again() {
    let action = RestoreVersions::default();
    let ended = head(
        200,
        &[
            ("etag", "\"a\""),
            ("content-length", "1"),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-object-lock-retain-until-date", "2020-01-01T00:00:00Z"),
        ],
    );
    let bench = bench(&[], after_nine(vec![overwritten(), enabled(), ended, copied()]));
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("accepted");
    let sent = bench.script.sent();
    assert!(!sent.last().expect("sent").headers.contains_key("x-amz-object-lock-mode"));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_writes_meanwhile_is_kept_and_told() {
    let action = RestoreVersions::default();
    let moved =
        s3_error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold");
    let now = listing(&[
        entry("a%2F1+%25", "v3", true, 10, "new"),
        entry("a%2F1+%25", "v2", false, 300, "bb"),
        entry("a%2F1+%25", "v1", false, 900, "a"),
    ]);
    let bench = bench(&[], after_nine(vec![overwritten(), enabled(), old(), moved, now]));
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("somebody was faster: that is no failure");
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!((count(&outputs, "restored"), count(&outputs, "conflicts")), (0, 1));
    assert!(matches!(verdict, Verdict::Warn(lines) if lines[0].contains("written since the plan")));
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answer_was_lost_is_found_and_not_made_again() {
    let action = RestoreVersions::default();
    let there = listing(&[
        entry("a%2F1+%25", "v3", true, 10, "a"),
        entry("a%2F1+%25", "v2", false, 300, "bb"),
        entry("a%2F1+%25", "v1", false, 900, "a"),
    ]);
    let replies = vec![overwritten(), enabled(), old(), Reply::Lost, there, old(), old()];
    let bench = bench(&[], after_nine(replies));
    partly(bench.observe(&action).await);
    let error = bench.act(&action).await.expect_err("no answer");
    assert_eq!(error.class(), ErrorClass::InDoubt);
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!((verdict, count(&outputs, "restored")), (Verdict::Pass, 1));
    let copies = bench.script.sent();
    let copies = copies.iter().filter(|sent| sent.headers.contains_key("x-amz-copy-source"));
    assert_eq!(copies.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_s3_wants_later_is_sent_later() {
    let action = RestoreVersions::default();
    for slow in [
        s3_error(503, "SlowDown", "Please reduce your request rate."),
        // A copy may fail after it was accepted.
        element("Error", "<Code>SlowDown</Code><Message>later</Message>"),
    ] {
        let replies = vec![overwritten(), enabled(), old(), slow, overwritten()];
        let bench = bench(&[], after_nine(replies));
        let before = partly(bench.observe(&action).await);
        let error = bench.act(&action).await.expect_err("throttled");
        assert!(matches!(error.class(), ErrorClass::Temporary | ErrorClass::InDoubt), "{error}");
        assert_eq!(partly(bench.observe(&action).await), before, "nothing got on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_everything_is_for_a_person_and_of_one_object_is_told() {
    let action = RestoreVersions::default();
    let denied = || s3_error(403, "AccessDenied", "Access Denied");
    let alone = bench(&[], after_nine(vec![overwritten(), enabled(), old(), denied()]));
    partly(alone.observe(&action).await);
    let error = alone.act(&action).await.expect_err("denied");
    assert_eq!(error.class(), ErrorClass::Credentials);
    assert!(error.to_string().contains("s3:CopyObject"), "{error}");

    let two = listing(&[
        entry("a1", "v2", true, 300, "bb"),
        entry("a1", "v1", false, 900, "a"),
        entry("a2", "v4", true, 300, "bb"),
        entry("a2", "v3", false, 900, "a"),
    ]);
    let mut replies = vec![two, enabled()];
    // Both are read at the same time, and then copied.
    replies.extend([old(), old(), denied(), copied()]);
    let partial = bench(&[], after_nine(replies));
    partly(partial.observe(&action).await);
    partial.act(&action).await.expect("one was made");
    let (outputs, verdict) = done(partial.observe(&action).await);
    assert_eq!((count(&outputs, "restored"), count(&outputs, "unrestorable")), (1, 1));
    assert!(matches!(verdict, Verdict::Warn(lines) if lines[0].contains("denied 1")));
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_an_archive_or_under_a_customers_key_is_told() {
    let action = RestoreVersions::default();
    let archived = || {
        head(200, &[("etag", "\"a\""), ("content-length", "1"), ("x-amz-storage-class", "GLACIER")])
    };
    let refused =
        s3_error(403, "InvalidObjectState", "The operation is not valid for the storage class");
    let customers = head(
        200,
        &[("etag", "\"a\""), ("x-amz-server-side-encryption-customer-algorithm", "AES256")],
    );
    for (reply, word) in [
        (vec![archived()], "archived 1"),
        (vec![old(), refused], "archived 1"),
        (vec![customers], "customer_key 1"),
        (vec![head(404, &[])], "gone 1"),
        (vec![old(), s3_error(400, "KMS.DisabledException", "key is disabled")], "refused 1"),
    ] {
        let replies = [vec![overwritten(), enabled()], reply].concat();
        let bench = bench(&[], after_nine(replies));
        partly(bench.observe(&action).await);
        bench.act(&action).await.expect("told, not failed");
        let (outputs, verdict) = done(bench.observe(&action).await);
        assert_eq!(
            (count(&outputs, "restored"), count(&outputs, "unrestorable")),
            (0, 1),
            "{word}"
        );
        assert!(matches!(&verdict, Verdict::Warn(lines) if lines[0].contains(word)), "{verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_not_there_gets_a_marker_and_only_over_what_was_seen() {
    let action = RestoreVersions::default();
    let created = listing(&[entry("a1", "v1", true, 300, "bb")]);
    let marked = head(204, &[("x-amz-delete-marker", "true"), ("x-amz-version-id", "m9")]);
    let bench = bench(&[], after_nine(vec![created, enabled(), marked]));
    partly(bench.observe(&action).await);
    bench.act(&action).await.expect("accepted");
    let (outputs, _) = done(bench.observe(&action).await);
    assert_eq!(count(&outputs, "deleted"), 1);
    let sent = bench.script.sent();
    let delete = sent.last().expect("the delete");
    assert!(!delete.uri.contains("versionId"), "{}", delete.uri);
    assert_eq!(delete.headers.get("if-match").map(String::as_str), Some("\"bb\""));
}

#[tokio::test(start_paused = true)]
async fn a_marker_is_removed_by_its_id_after_two_fresh_looks() {
    let action = RestoreVersions::default();
    let deleted =
        || listing(&[entry("a1", "m2", true, 300, ""), entry("a1", "v1", false, 900, "a")]);
    let removed = head(204, &[("x-amz-delete-marker", "true"), ("x-amz-version-id", "m2")]);
    let remove = [("remove_markers", Value::Bool(true))];
    let replies = vec![deleted(), enabled(), deleted(), deleted(), removed];
    let going = bench(&remove, after_nine(replies));
    partly(going.observe(&action).await);
    going.act(&action).await.expect("accepted");
    let (outputs, _) = done(going.observe(&action).await);
    assert_eq!((count(&outputs, "undeleted"), count(&outputs, "bytes")), (1, 0));
    assert!(going.script.sent().last().expect("sent").uri.contains("versionId=m2"));

    // Somebody put a version on top between the look and the removal: nothing is removed.
    let over = listing(&[
        entry("a1", "v3", true, 10, "new"),
        entry("a1", "m2", false, 300, ""),
        entry("a1", "v1", false, 900, "a"),
    ]);
    let kept =
        bench(&remove, after_nine(vec![deleted(), enabled(), deleted(), over.clone(), over]));
    partly(kept.observe(&action).await);
    kept.act(&action).await.expect("nothing was sent");
    let (outputs, _) = done(kept.observe(&action).await);
    assert_eq!(count(&outputs, "conflicts"), 1);
    assert!(kept.script.sent().iter().all(|sent| !sent.uri.contains("versionId=m2")));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_within_the_second_of_the_plan() {
    let action = RestoreVersions::default();
    let mut soon = bench(&[], after_nine(vec![]));
    soon.planned = Some(inputs(&[("as_of", Value::Time(simulated_epoch()))]));
    let state = waiting(soon.observe(&action).await);
    assert!(state.contains("second that the plan was made in"), "{state}");
}

#[tokio::test(start_paused = true)]
async fn a_preview_counts_and_names() {
    let action = RestoreVersions::default();
    let many = || {
        listing(&[
            entry("a1", "v2", true, 300, "bb"),
            entry("a1", "v1", false, 900, "a"),
            entry("a2", "m2", true, 300, ""),
            entry("a2", "v1", false, 900, "aaa"),
            entry("a3", "v1", true, 300, "bb"),
            entry("a4", "v1", true, 900, "a"),
            entry("a5", "v2", true, TO, "a"),
            entry("a5", "v1", false, TO, "a"),
        ])
    };
    let mut bench = bench(&[], after_nine(vec![many()]));
    bench.planned = None;
    let preview = bench.preview(&action).await.expect("a prediction");
    assert_eq!(preview.wont, None);
    let number = |name: &str| preview.predictions[name].as_i64();
    let kinds = ["restored", "undeleted", "deleted", "unchanged", "bytes"].map(number);
    assert_eq!(kinds, [Some(1), Some(1), Some(1), Some(2), Some(4)]);
    let text = preview.details.join("\n");
    assert!(text.contains("restore \"a1\" from version v1 (1 bytes)"), "{text}");
    assert!(text.contains("undelete \"a2\"") && text.contains("delete \"a3\""), "{text}");
    assert!(preview.warnings.iter().any(|line| line.contains("1 keys have several entries")));
    let sent = bench.script.sent();
    assert!(sent.iter().all(|sent| !sent.headers.contains_key("x-amz-copy-source")));
}
