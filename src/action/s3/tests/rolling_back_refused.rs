//! What `s3.restore_versions` refuses, and what its checks tell.
//!
//! **Invariant:** what cannot be rolled back is said before anything is written.

use super::rolling_back::{PLANNED, after_nine, ago, bench, count, entry, five, listing, partly};
use crate::action::rds::tests::{broken, broken_check, done};
use crate::action::s3::{CheckVersioning, RestoreVersions, VerifyVersions};
use crate::action::{ActionError, Verdict};
use crate::base::value::Value;
use crate::cloud::tests::bucket_answers::{
    LIFECYCLE, Nine, VERSIONING, element, lifecycle, s3_error,
};
use crate::cloud::tests::scripted::Reply;

#[tokio::test(start_paused = true)]
async fn buckets_without_a_history_are_refused() {
    let (restore, check) = (RestoreVersions::default(), CheckVersioning::default());
    let never = || five(Nine::plain().with(VERSIONING, element("VersioningConfiguration", "")));
    let suspended = || {
        let status = element("VersioningConfiguration", "<Status>Suspended</Status>");
        five(Nine::plain().with(VERSIONING, status))
    };
    let missing = || vec![s3_error(404, "NoSuchBucket", "The specified bucket does not exist")];
    let elsewhere = || vec![s3_error(301, "PermanentRedirect", "use the right endpoint")];
    let cases: [(&dyn Fn() -> Vec<Reply>, &str); 4] = [
        (&never, "never turned on"),
        (&suspended, "is suspended"),
        (&missing, "there is no bucket `docs`"),
        (&elsewhere, "is not in us-east-1"),
    ];
    for (replies, word) in cases {
        let why = broken(bench(&[], replies()).observe(&restore).await);
        assert!(why.contains(word), "{why}");
        let why = broken_check(bench(&[], replies()).observe(&check).await);
        assert!(why.contains(word), "{why}");
        let preview = bench(&[], replies()).preview(&restore).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(word)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_all_younger_is_not_emptied() {
    let action = RestoreVersions::default();
    let young = || listing(&[entry("a1", "v1", true, 300, "bb")]);
    let whole = |more: &[(&str, Value)], replies| {
        let mut bench = bench(more, replies);
        bench.inputs.remove("prefix");
        bench
    };
    let why = broken(whole(&[], after_nine(vec![young()])).observe(&action).await);
    assert!(why.contains("as old as") && why.contains("would be deleted"), "{why}");
    let told = [("delete_uncertain", Value::Bool(true))];
    partly(whole(&told, after_nine(vec![young()])).observe(&action).await);
}

#[tokio::test(start_paused = true)]
async fn instants_and_keys_that_cannot_be_are_input_errors() {
    let action = RestoreVersions::default();
    let later = [("to", Value::Time(ago(-5)))];
    let long = [("prefix", Value::text("k".repeat(1_025)))];
    let both = [("key", Value::text("a"))];
    for (more, word) in
        [(&later[..], "later than now"), (&long, "longer than"), (&both, "not both")]
    {
        let error = bench(more, vec![]).observe(&action).await.expect_err(word);
        assert!(matches!(error, ActionError::Input { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn verifying_tells_what_differs_from_what_cannot_be_and_what_came_since() {
    let action = VerifyVersions::default();
    let verify = |entries: &[String], nine: Nine| {
        let replies = [five(nine), vec![listing(entries)]].concat();
        bench(&[("as_of", Value::Time(ago(PLANNED)))], replies)
    };
    let untouched = entry("a4", "v1", true, 900, "a");
    let (outputs, verdict) =
        done(verify(std::slice::from_ref(&untouched), Nine::plain()).observe(&action).await);
    assert_eq!((verdict, count(&outputs, "same")), (Verdict::Pass, 1));
    let newer = [entry("a1", "v2", true, 300, "bb"), entry("a1", "v1", false, 900, "a")];
    let why = broken_check(verify(&newer, Nine::plain()).observe(&action).await);
    assert!(why.contains("1 keys are not as they were") && why.contains("a1"), "{why}");
    let since = [entry("a1", "v2", true, 5, "bb"), untouched];
    let (outputs, verdict) = done(verify(&since, Nine::plain()).observe(&action).await);
    assert_eq!((count(&outputs, "conflicts"), count(&outputs, "same")), (1, 1));
    assert!(matches!(verdict, Verdict::Warn(_)));
    let expiring = "<Rule><ID>e</ID><Status>Enabled</Status><Filter><Prefix/></Filter>\
        <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>";
    let nine = Nine::plain().with(LIFECYCLE, lifecycle(expiring));
    let days = 3 * 24 * 3600;
    let mut late = verify(&[entry("a1", "v2", true, 2 * 24 * 3600, "bb")], nine);
    late.inputs.insert("to".to_owned(), Value::Time(ago(days)));
    let (outputs, verdict) = done(late.observe(&action).await);
    assert_eq!((count(&outputs, "unrestorable"), count(&outputs, "differing")), (1, 0));
    assert!(matches!(verdict, Verdict::Warn(lines) if lines[0].contains("history_expired 1")));
}
