//! Lists of buckets over the wire: our reader against the SDK's, addresses, throttling, damage.
//!
//! **Invariant:** a page that is not whole, not in order or not of the prefix is never a page.

use crate::cloud::listing::{ListPlace, ObjectPage, read_objects, read_versions};
use crate::cloud::tests::bucket_answers::{element, s3_error};
use crate::cloud::tests::scripted::{REGION, Reply, Script};
use crate::cloud::{CloudError, ErrorClass, GuardPolicy, Overlay};
use chrono::TimeDelta;

fn place(bucket: &str, prefix: &str) -> ListPlace {
    let (region, bucket, prefix) = (REGION.to_owned(), bucket.to_owned(), prefix.to_owned());
    ListPlace { region, bucket, prefix }
}

async fn listed(
    script: &Script,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<ObjectPage>, CloudError> {
    let view = script.open(GuardPolicy::DryRun).await.view(Overlay::new());
    let (mut stream, mut pages) = (view.objects(place(bucket, prefix)), Vec::new());
    while let Some(page) = stream.next().await? {
        pages.push(page);
    }
    Ok(pages)
}

fn contents(key: &str, number: u64) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-03-01T10:00:{number:02}.000Z</LastModified>\
         <ETag>&quot;{number:032x}&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
         <Size>{number}</Size><Owner><ID>o</ID><DisplayName>Key</DisplayName></Owner>\
         <StorageClass>STANDARD</StorageClass></Contents>"
    )
}

fn list(items: &str) -> Reply {
    element(
        "ListBucketResult",
        &format!("<Name>documents</Name><IsTruncated>false</IsTruncated>{items}"),
    )
}

/// Keys that XML can carry, in the order of their bytes, with what it writes for them.
const HOSTILE: [(&str, &str); 12] = [
    (" lead and trail ", " lead and trail "),
    ("\"q\"", "&quot;q&quot;"),
    ("%2B", "%2B"),
    ("&amp;", "&amp;amp;"),
    ("a\tb", "a&#9;b"),
    ("a\nb", "a&#xA;b"),
    ("a+b", "a+b"),
    ("a//b/../c", "a//b/../c"),
    ("a<b>c", "a&lt;b&gt;c"),
    ("it's", "it&apos;s"),
    ("ä漢", "ä漢"),
    ("\u{1F600}", "&#x1F600;"),
];

#[tokio::test(start_paused = true)]
async fn our_reader_and_the_sdks_agree_on_hostile_keys() {
    let items: String =
        HOSTILE.iter().zip(1..).map(|((_, written), number)| contents(written, number)).collect();
    let script = Script::new([list(&items), list(&items)]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let client = cloud.clients().s3(REGION, crate::cloud::clients::ClientUse::Reads);
    let theirs = client.list_objects_v2().bucket("documents").send().await.expect("a list");
    let ours = listed(&script, "documents", "").await.expect("a list").remove(0);
    assert_eq!(ours.len(), HOSTILE.len());
    for (at, theirs) in theirs.contents().iter().enumerate() {
        assert_eq!(ours.key(at), HOSTILE[at].0);
        assert_eq!(Some(ours.key(at)), theirs.key());
        let object = ours.object(at);
        assert_eq!(Some(object.size as i64), theirs.size());
        assert_eq!(format!("\"{}\"", object.tag), theirs.e_tag().expect("an ETag"));
        let modified = theirs.last_modified().expect("a time").to_millis().expect("in range");
        assert_eq!(object.modified_ms, modified);
    }
    // What no XML can carry comes encoded; the SDK leaves that as it is.
    let encoded =
        "<EncodingType>url</EncodingType>".to_owned() + &contents("%01+%2B%25%C3%A4%0D%0A", 1);
    let body = format!("<ListBucketResult>{encoded}</ListBucketResult>");
    let read = read_objects(body.as_bytes(), "\u{1} ").expect("a page");
    assert_eq!(read.key(0), "+%ä\r\n", "relative to the prefix");
}

#[tokio::test(start_paused = true)]
async fn pages_follow_by_the_last_key_and_buckets_have_their_addresses() {
    let more = |items: &str| {
        element("ListBucketResult", &format!("<IsTruncated>true</IsTruncated>{items}"))
    };
    let script = Script::new([more(&contents("p/a b", 1)), list(&contents("p/c", 2))]);
    let pages = listed(&script, "documents", "p/").await.expect("a list");
    assert_eq!(pages.iter().map(|page| page.key(0)).collect::<Vec<_>>(), ["a b", "c"]);
    let sent = script.sent();
    let host = format!("https://documents.s3.{REGION}.amazonaws.com/");
    let query = "?list-type=2&encoding-type=url&max-keys=1000&prefix=p%2F";
    assert_eq!(sent[0].uri, format!("{host}{query}"));
    assert_eq!(sent[1].uri, format!("{host}{query}&start-after=p%2Fa%20b"));
    let header = |name: &str| sent[0].headers.get(name).cloned().unwrap_or_default();
    assert!(header("authorization").contains(&format!("/{REGION}/s3/aws4_request")));
    assert_eq!(header("x-amz-content-sha256").len(), 64);
    let script = Script::new([list("")]);
    listed(&script, "my.bucket", "").await.expect("a list");
    let path = format!("https://s3.{REGION}.amazonaws.com/my.bucket/?");
    assert!(script.sent()[0].uri.starts_with(&path), "{}", script.sent()[0].uri);
    // A page without keys that says more follow is gone on with as the server says.
    let token = "<IsTruncated>true</IsTruncated><NextContinuationToken>t+1</NextContinuationToken>";
    let script = Script::new([element("ListBucketResult", token), list(&contents("x", 1))]);
    assert_eq!(listed(&script, "documents", "").await.expect("a list").len(), 1);
    assert!(script.sent()[1].uri.ends_with("&continuation-token=t%2B1"));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_asked_for_again_where_that_helps() {
    let slow = || s3_error(503, "SlowDown", "Please reduce your request rate.");
    let page = || list(&contents("a", 1));
    for (replies, wanted) in [
        (vec![slow(), slow(), slow(), page()], 4),
        (vec![s3_error(500, "InternalError", "try again"), page()], 2),
        (vec![Reply::Lost, page()], 2),
        (vec![element("ListBucketResult", "<Contents><Key>a</Key>"), page()], 2),
        (vec![Reply::Http(200, "<ListBucketResult><Con".to_owned(), vec![]), page()], 2),
    ] {
        let script = Script::new(replies);
        let before = script.clock().now();
        assert_eq!(listed(&script, "documents", "").await.expect("at last").len(), 1);
        assert_eq!(script.sent().len(), wanted);
        assert!(script.clock().now() > before, "with a pause");
    }
    let script = Script::new(std::iter::repeat_n(slow(), 100));
    let error = listed(&script, "documents", "").await.expect_err("it never ends");
    assert!(error.is("SlowDown") && script.sent().len() == 61, "{error} {}", script.sent().len());
    assert!(script.clock().elapsed() > TimeDelta::minutes(5).to_std().expect("positive"));
    for (reply, class, sent) in [
        (s3_error(403, "AccessDenied", "no"), ErrorClass::Credentials, 1),
        (s3_error(404, "NoSuchBucket", "no"), ErrorClass::Permanent, 1),
        (Reply::ConnectionRefused, ErrorClass::Unreachable, 1),
        (list(&(contents("pb", 1) + &contents("pa", 2))), ErrorClass::Permanent, 1),
        (list(&contents("elsewhere", 1)), ErrorClass::Temporary, 6),
    ] {
        let script = Script::new(std::iter::repeat_n(reply, 10));
        let error = listed(&script, "documents", "p").await.expect_err("it is no list");
        assert_eq!((error.class, script.sent().len()), (class, sent), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn versions_keep_the_order_of_the_wire() {
    let version = |key: &str, id: &str, latest: bool| {
        format!(
            "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
             <LastModified>2026-03-01T10:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
             <Size>5</Size><StorageClass>GLACIER</StorageClass></Version>"
        )
    };
    let marker = |key: &str, id: &str| {
        format!(
            "<DeleteMarker><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>true</IsLatest>\
             <LastModified>2026-03-01T10:00:00.000Z</LastModified></DeleteMarker>"
        )
    };
    let url = "<EncodingType>url</EncodingType>";
    let first = format!(
        "{url}<IsTruncated>true</IsTruncated><NextKeyMarker>p+a</NextKeyMarker>\
         <NextVersionIdMarker>v1</NextVersionIdMarker>{}{}{}",
        marker("p+a", "m1"),
        version("p+a", "v2", false),
        version("p+a", "v1", false)
    );
    let second =
        format!("{url}<IsTruncated>false</IsTruncated>{}", version("p+b%0A", "null", true));
    let answer = |content: &str| element("ListVersionsResult", content);
    let script = Script::new([answer(&first), answer(&second)]);
    let view = script.open(GuardPolicy::DryRun).await.view(Overlay::new());
    let (mut stream, mut found) = (view.versions(place("documents", "p ")), Vec::new());
    while let Some(versions) = stream.next().await.expect("a list") {
        found.extend(versions);
    }
    let told: Vec<_> =
        found.iter().map(|one| (one.key.as_str(), one.id.as_str(), one.is_delete_marker)).collect();
    assert_eq!(
        told,
        [("a", "m1", true), ("a", "v2", false), ("a", "v1", false), ("b\n", "null", false)]
    );
    assert_eq!((found[1].size, found[1].storage_class.as_str()), (5, "GLACIER"));
    let uri = &script.sent()[1].uri;
    assert!(uri.ends_with("?versions&encoding-type=url&max-keys=1000&prefix=p%20&key-marker=p%20a&version-id-marker=v1"), "{uri}");
    let cut = format!("<ListVersionsResult>{}", version("a", "v", true));
    assert!(read_versions(cut.as_bytes(), "").is_err());
}
