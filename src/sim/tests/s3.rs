//! S3 over the real SDK: objects, conditions, lists, regions, faults.

use super::support::{Lab, code, simulator};
use crate::sim::http_client;
use crate::sim::{Delivery, Simulator, WireRequest};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Delete, EncodingType, ObjectIdentifier,
};
use aws_types::region::Region;
use std::collections::BTreeMap;

const BUCKET: &str = "shop-journals";

/// A client in `region`, and one bucket in Ireland.
struct Store {
    lab: Lab,
    s3: aws_sdk_s3::Client,
}

impl Store {
    async fn new(faults: &[&str]) -> Self {
        let store = Self::empty(faults);
        store.make(BUCKET, "eu-west-1").await;
        store
    }

    fn empty(faults: &[&str]) -> Self {
        let lab = Lab::with(simulator(faults), 1);
        let s3 = client(&lab, "eu-west-1");
        Self { lab, s3 }
    }

    async fn make(&self, bucket: &str, region: &str) {
        let place = BucketLocationConstraint::from(region);
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        let made = self.s3.create_bucket().bucket(bucket).create_bucket_configuration(place);
        made.send().await.expect("a new bucket");
    }

    async fn put(&self, key: &str, body: &str) -> String {
        let body = ByteStream::from(body.as_bytes().to_vec());
        let put = self.s3.put_object().bucket(BUCKET).key(key).body(body);
        put.send().await.expect("accepted").e_tag().expect("a tag").to_owned()
    }

    async fn text(&self, key: &str) -> Option<String> {
        match self.s3.get_object().bucket(BUCKET).key(key).send().await {
            Ok(found) => {
                let bytes = found.body.collect().await.expect("a body").into_bytes();
                Some(String::from_utf8(bytes.to_vec()).expect("text"))
            }
            Err(error) => {
                assert_eq!(code::<(), _>(Err(error)), "NoSuchKey");
                None
            }
        }
    }
}

fn client(lab: &Lab, region: &'static str) -> aws_sdk_s3::Client {
    let sdk = super::support::sdk(
        http_client(lab.simulator.clone(), lab.clock.clone(), None),
        &lab.clock,
        1,
    );
    let config = aws_sdk_s3::config::Builder::from(&sdk).region(Region::from_static(region));
    aws_sdk_s3::Client::from_conf(config.build())
}

#[tokio::test(start_paused = true)]
async fn what_was_put_is_there_at_once() {
    let store = Store::new(&["stale-read"]).await;
    assert_eq!(store.text("a/b c+d").await, None);
    let tag = store.put("a/b c+d", "hello").await;
    assert_eq!(tag, "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(store.text("a/b c+d").await.as_deref(), Some("hello"));
    let head = store.s3.head_object().bucket(BUCKET).key("a/b c+d").send().await.expect("there");
    assert_eq!((head.content_length(), head.e_tag()), (Some(5), Some(tag.as_str())));
    store.put("a/b c+d", "world").await;
    assert_eq!(store.text("a/b c+d").await.as_deref(), Some("world"));
    for _ in 0..2 {
        store.s3.delete_object().bucket(BUCKET).key("a/b c+d").send().await.expect("gone");
    }
    let gone = store.s3.head_object().bucket(BUCKET).key("a/b c+d").send().await;
    assert_eq!(code(gone), "NotFound");
    let effects: Vec<_> = store.lab.simulator.mutations();
    let operations: Vec<&str> = effects.iter().map(|one| one.operation.as_str()).collect();
    assert_eq!(operations, ["CreateBucket", "PutObject", "PutObject", "DeleteObject"]);
}

#[tokio::test(start_paused = true)]
async fn conditions_let_one_writer_win() {
    let store = Store::new(&[]).await;
    let new = |body: &'static str| {
        let put = store.s3.put_object().bucket(BUCKET).key("lease").if_none_match("*");
        put.body(ByteStream::from_static(body.as_bytes())).send()
    };
    let first = new("one").await.expect("nobody was before").e_tag().expect("a tag").to_owned();
    assert_eq!(code(new("two").await), "PreconditionFailed");
    assert_eq!(store.text("lease").await.as_deref(), Some("one"));
    let follow = |tag: &str, key: &str| {
        let put = store.s3.put_object().bucket(BUCKET).key(key).if_match(tag);
        put.body(ByteStream::from_static(b"three")).send()
    };
    assert_eq!(code(follow("\"00\"", "lease").await), "PreconditionFailed");
    assert_eq!(code(follow(&first, "nothing").await), "NoSuchKey");
    follow(&first, "lease").await.expect("the tag is right");
    assert_eq!(code(follow(&first, "lease").await), "PreconditionFailed");
    let tagged = store.s3.put_object().bucket(BUCKET).key("x").if_none_match("\"00\"");
    assert_eq!(code(tagged.send().await), "NotImplemented");
    let get = store.s3.get_object().bucket(BUCKET).key("lease").if_match(&first);
    assert_eq!(code(get.send().await), "PreconditionFailed");
    let tag = store.put("lease", "four").await;
    let known = store.s3.get_object().bucket(BUCKET).key("lease").if_none_match(&tag).send().await;
    let status = known.expect_err("nothing new").raw_response().map(|raw| raw.status().as_u16());
    assert_eq!(status, Some(304));
    let delete = store.s3.delete_object().bucket(BUCKET).key("lease").if_match(&first);
    assert_eq!(code(delete.send().await), "PreconditionFailed");
    assert_eq!(store.text("lease").await.as_deref(), Some("four"));
}

/// Keys and common prefixes of all pages.
async fn listed(
    store: &Store,
    prefix: &str,
    delimiter: Option<&str>,
    after: Option<&str>,
    page: i32,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    let mut token = None;
    loop {
        let list = store.s3.list_objects_v2().bucket(BUCKET).prefix(prefix).max_keys(page);
        let list = list.set_delimiter(delimiter.map(str::to_owned));
        let list = list.set_start_after(after.map(str::to_owned)).set_continuation_token(token);
        let found = list.encoding_type(EncodingType::Url).send().await.expect("a page");
        assert!(found.key_count() <= Some(page));
        keys.extend(found.contents().iter().filter_map(|one| one.key().map(str::to_owned)));
        let common = found.common_prefixes().iter();
        prefixes.extend(common.filter_map(|one| one.prefix().map(str::to_owned)));
        token = found.next_continuation_token().map(str::to_owned);
        assert_eq!(found.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, prefixes);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_whole_whatever_the_page() {
    let store = Store::new(&[]).await;
    let keys = ["a", "runs/1/a", "runs/1/b", "runs/2/a", "runs/3", "runs0", "z"];
    for key in keys {
        store.put(key, "x").await;
    }
    for page in [1, 2, 3, 1000] {
        let (all, none) = listed(&store, "", None, None, page).await;
        assert_eq!((all.as_slice(), none.is_empty()), (keys.map(str::to_owned).as_slice(), true));
        let (files, directories) = listed(&store, "runs/", Some("/"), None, page).await;
        assert_eq!(
            (files, directories),
            (vec!["runs/3".into()], vec!["runs/1/".into(), "runs/2/".into()])
        );
        let (late, _) = listed(&store, "runs/", None, Some("runs/1/b"), page).await;
        assert_eq!(late, ["runs/2/a", "runs/3"]);
        let (_, top) = listed(&store, "", Some("/"), None, page).await;
        assert_eq!(top, ["runs/"]);
    }
    let wrong = store.s3.list_objects_v2().bucket(BUCKET).continuation_token("?").send().await;
    assert_eq!(code(wrong), "InvalidArgument");
    let two = ["a", "z", "nothing"].map(|key| ObjectIdentifier::builder().key(key).build());
    let two = two.map(|one| one.expect("a key")).to_vec();
    let delete = Delete::builder().set_objects(Some(two)).build().expect("keys");
    let gone = store.s3.delete_objects().bucket(BUCKET).delete(delete).send().await.expect("done");
    assert_eq!((gone.deleted().len(), gone.errors().len()), (3, 0));
    assert_eq!(listed(&store, "", None, None, 10).await.0, keys[1..6]);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_belongs_to_one_region() {
    let store = Store::new(&[]).await;
    let there = client(&store.lab, "us-east-1");
    let head = there.head_bucket().bucket(BUCKET).send().await.expect_err("elsewhere");
    let raw = head.raw_response().expect("an answer");
    assert_eq!(raw.status().as_u16(), 301);
    assert_eq!(raw.headers().get("x-amz-bucket-region"), Some("eu-west-1"));
    let get = there.get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(code(get), "PermanentRedirect");
    let location = there.get_bucket_location().bucket(BUCKET).send().await.expect("anywhere");
    assert_eq!(location.location_constraint().map(|place| place.as_str()), Some("eu-west-1"));
    let here = store.s3.head_bucket().bucket(BUCKET).send().await.expect("here");
    assert_eq!(here.bucket_region(), Some("eu-west-1"));
    let nobody = store.s3.list_objects_v2().bucket("nobody").send().await;
    assert_eq!(code(nobody), "NoSuchBucket");
    let again = store.s3.create_bucket().bucket(BUCKET);
    assert_eq!(code(again.send().await), "IllegalLocationConstraintException");
    assert_eq!(code(there.create_bucket().bucket(BUCKET).send().await), "BucketAlreadyOwnedByYou");
    assert_eq!(code(there.create_bucket().bucket("No").send().await), "InvalidBucketName");
    there.create_bucket().bucket("classic").send().await.expect("made");
    there.create_bucket().bucket("classic").send().await.expect("made again");
    store.put("a", "x").await;
    assert_eq!(code(store.s3.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty");
    let plain = store.lab.simulator.clone();
    let (status, region) = head_of(&plain, "127.0.0.1:4577", "us-east-1");
    assert_eq!((status, region.as_deref()), (400, Some("eu-west-1")));
    assert_eq!(head_of(&plain, "127.0.0.1:4577", "eu-west-1").0, 200);
}

/// Status of a HEAD of the bucket at one address for all regions, and the region in the answer.
fn head_of(simulator: &Simulator, host: &str, region: &str) -> (u16, Option<String>) {
    let scope = format!("AWS4-HMAC-SHA256 Credential=A/20260115/{region}/s3/aws4_request, S=1");
    let request = WireRequest {
        method: "HEAD".to_owned(),
        host: host.to_owned(),
        path: format!("/{BUCKET}"),
        query: String::new(),
        headers: BTreeMap::from([("authorization".to_owned(), scope)]),
        body: Vec::new(),
    };
    let answer = simulator.handle(&request, simulator.time());
    assert_eq!((answer.delivery, answer.response.body.len()), (Delivery::Delivered, 0));
    (answer.response.status, answer.response.headers.get("x-amz-bucket-region").cloned())
}

#[tokio::test(start_paused = true)]
async fn faults_strike_here_too() {
    for (fault, expected, is_there) in [
        ("throttled=1", "SlowDown", false),
        ("error-before-effect=PutObject", "ServiceUnavailable", false),
        ("error-after-effect=PutObject", "InternalError", true),
        ("access-denied=PutObject", "AccessDenied", false),
        ("control-plane-down=eu-west-1", "ServiceUnavailable", false),
    ] {
        let store = Store::new(&[]).await;
        store.lab.simulator.set_faults(&[fault.to_owned()]).expect("a fault");
        let body = ByteStream::from_static(b"x");
        let put = store.s3.put_object().bucket(BUCKET).key("k").body(body).send().await;
        assert_eq!(code(put), expected, "{fault}");
        store.lab.simulator.set_faults(&[]).expect("none");
        assert_eq!(store.text("k").await.is_some(), is_there, "{fault}");
    }
    let store = Store::new(&["lost-answer=PutObject"]).await;
    let body = ByteStream::from_static(b"x");
    let put = store.s3.put_object().bucket(BUCKET).key("k").body(body).send().await;
    assert!(put.expect_err("no answer").raw_response().is_none());
    assert_eq!(store.text("k").await.as_deref(), Some("x"));
}
