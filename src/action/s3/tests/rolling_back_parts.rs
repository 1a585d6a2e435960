//! `s3.restore_versions` of what is too large for one call.
//!
//! **Invariant:** nothing is put together of parts that are not all there.

use super::rolling_back::{after_nine, bench, count, enabled, entry, listing, partly};
use crate::action::Verdict;
use crate::action::rds::tests::done;
use crate::action::s3::RestoreVersions;
use crate::cloud::tests::bucket_answers::{element, head, s3_error};

#[tokio::test(start_paused = true)]
async fn what_is_too_large_for_one_call_is_copied_in_parts() {
    let action = RestoreVersions::default();
    let size = 6_u64 << 30;
    let huge = |id: &str, latest: bool, seconds: i64| {
        entry("a1", id, latest, seconds, "a").replace("<Size>1<", &format!("<Size>{size}<"))
    };
    let list = listing(&[entry("a1", "v2", true, 300, "bb"), huge("v1", false, 900)]);
    let carried = head(
        200,
        &[
            ("etag", "\"a-12\""),
            ("content-length", "6442450944"),
            ("content-type", "video/mp4"),
            ("x-amz-meta-owner", "ada"),
            ("x-amz-tagging-count", "1"),
        ],
    );
    let tags = element("Tagging", "<TagSet><Tag><Key>kind</Key><Value>a b</Value></Tag></TagSet>");
    let created = element("InitiateMultipartUploadResult", "<UploadId>u1</UploadId>");
    let part = || element("CopyPartResult", "<ETag>&quot;p&quot;</ETag>");
    let whole = element("CompleteMultipartUploadResult", "<ETag>&quot;a-12&quot;</ETag>");
    let mut replies = vec![list.clone(), enabled(), carried.clone(), tags.clone(), created.clone()];
    replies.extend((0..12).map(|_| part()));
    replies.push(whole);
    let going = bench(&[], after_nine(replies));
    partly(going.observe(&action).await);
    going.act(&action).await.expect("accepted");
    let (outputs, _) = done(going.observe(&action).await);
    assert_eq!((count(&outputs, "restored"), count(&outputs, "bytes")), (1, 6_442_450_944));
    let sent = going.script.sent();
    let create = sent.iter().find(|sent| sent.uri.contains("uploads")).expect("a beginning");
    let header = |name: &str| create.headers.get(name).map(String::as_str);
    assert_eq!(header("content-type"), Some("video/mp4"));
    assert_eq!(
        (header("x-amz-meta-owner"), header("x-amz-tagging")),
        (Some("ada"), Some("kind=a+b"))
    );
    let ranges: Vec<&str> = sent
        .iter()
        .filter_map(|sent| sent.headers.get("x-amz-copy-source-range").map(String::as_str))
        .collect();
    assert_eq!((ranges.len(), ranges[0]), (12, "bytes=0-536870911"));
    let complete = sent.last().expect("an end");
    assert_eq!(complete.headers.get("if-match").map(String::as_str), Some("\"bb\""));

    // A part that fails: nothing is put together, and no parts are left.
    let mut replies = vec![list, enabled(), carried, tags, created];
    replies.extend((0..4).map(|_| s3_error(400, "InvalidRequest", "no such range")));
    replies.push(head(204, &[]));
    let failing = bench(&[], after_nine(replies));
    partly(failing.observe(&action).await);
    failing.act(&action).await.expect("told, not failed");
    let (outputs, verdict) = done(failing.observe(&action).await);
    assert_eq!(count(&outputs, "unrestorable"), 1);
    assert!(matches!(verdict, Verdict::Warn(lines) if lines[0].contains("refused 1")));
}
