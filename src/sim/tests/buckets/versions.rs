//! Versions, delete markers, copies of versions, conditions, parts.
//!
//! **Invariant:** nothing that was a version is lost but by its id.

use super::{Store, listed, text};
use crate::sim::tests::support::code;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete,
    MetadataDirective, ObjectAttributes, ObjectIdentifier, Tag, Tagging, TaggingDirective,
    VersioningConfiguration,
};

const BUCKET: &str = "shop-documents";

#[tokio::test(start_paused = true)]
async fn a_world_begins_with_the_estates_versions() {
    let store = Store::new(&[]);
    assert_eq!(text(&store.east, BUCKET, "a/1.txt", None).await.as_deref(), Ok("two"));
    for page in [1, 2, 3, 1_000] {
        let all = listed(&store.east, BUCKET, page).await;
        let mut keys: Vec<_> =
            all.iter().map(|(key, _, marker, newest)| (key.as_str(), *marker, *newest)).collect();
        keys.sort_unstable();
        let wanted = [
            ("a/1.txt", false, false),
            ("a/1.txt", false, true),
            ("a/before.txt", false, true),
            ("a/failed.txt", false, true),
            ("a/gone.txt", false, false),
            ("a/gone.txt", true, true),
            ("a/waits.txt", false, true),
            ("old.bin", false, true),
        ];
        assert_eq!(keys, wanted, "pages of {page}");
    }
    let head = store.east.head_object().bucket(BUCKET).key("a/1.txt").send().await.expect("there");
    assert_eq!(head.tag_count(), None);
    let old = listed(&store.east, BUCKET, 1_000).await;
    let (_, id, ..) =
        old.iter().find(|(key, .., newest)| key == "a/1.txt" && !newest).expect("old");
    assert_eq!(text(&store.east, BUCKET, "a/1.txt", Some(id)).await.as_deref(), Ok("one"));
    let get = store.east.get_object_tagging().bucket(BUCKET).key("a/1.txt").version_id(id);
    let tags = get.send().await.expect("tags");
    assert_eq!((tags.tag_set()[0].key(), tags.tag_set()[0].value()), ("tier", "gold"));
    let gone = store.east.get_object().bucket(BUCKET).key("a/gone.txt").send().await;
    let gone = gone.expect_err("a marker");
    let raw = gone.raw_response().expect("an answer");
    assert_eq!(
        (raw.status().as_u16(), raw.headers().get("x-amz-delete-marker")),
        (404, Some("true"))
    );
    let (_, marker, ..) = old.iter().find(|(.., marker, _)| *marker).expect("a marker");
    let named = store.east.get_object().bucket(BUCKET).key("a/gone.txt").version_id(marker);
    let named = named.send().await.expect_err("a marker by its id");
    let raw = named.raw_response().expect("an answer");
    assert_eq!((raw.status().as_u16(), raw.headers().get("allow")), (405, Some("DELETE")));
    let wrong = store.east.get_object().bucket(BUCKET).key("a/1.txt").version_id("nothing");
    assert_eq!(code(wrong.send().await), "NoSuchVersion");
}

#[tokio::test(start_paused = true)]
async fn deleting_makes_markers_and_only_ids_take_away() {
    let store = Store::new(&[]);
    let first = store.put(BUCKET, "k", "1").await;
    let gone = store.east.delete_object().bucket(BUCKET).key("k").send().await.expect("deleted");
    assert_eq!(gone.delete_marker(), Some(true));
    let marker = gone.version_id().expect("an id").to_owned();
    assert_eq!(text(&store.east, BUCKET, "k", None).await, Err("NoSuchKey".to_owned()));
    assert_eq!(text(&store.east, BUCKET, "k", Some(&first)).await.as_deref(), Ok("1"));
    // The marker's own id undoes the deletion.
    let undone =
        store.east.delete_object().bucket(BUCKET).key("k").version_id(&marker).send().await;
    let undone = undone.expect("undone");
    assert_eq!((undone.delete_marker(), undone.version_id()), (Some(true), Some(marker.as_str())));
    assert_eq!(text(&store.east, BUCKET, "k", None).await.as_deref(), Ok("1"));
    let objects =
        [("k", Some(first.as_str())), ("a/1.txt", None), ("nobody", None)].map(|(key, id)| {
            let one = ObjectIdentifier::builder().key(key).set_version_id(id.map(str::to_owned));
            one.build().expect("a key")
        });
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().expect("keys");
    let done =
        store.east.delete_objects().bucket(BUCKET).delete(delete).send().await.expect("done");
    let told: Vec<_> = done.deleted().iter().map(|one| (one.key(), one.delete_marker())).collect();
    assert_eq!(
        told,
        [(Some("k"), None), (Some("a/1.txt"), Some(true)), (Some("nobody"), Some(true))]
    );
    assert_eq!(text(&store.east, BUCKET, "k", None).await, Err("NoSuchKey".to_owned()));
    let plain = store.put("shop-plain", "k", "1").await;
    assert_eq!(plain, "none");
    let gone = store.east.delete_object().bucket("shop-plain").key("k").send().await.expect("gone");
    assert_eq!((gone.delete_marker(), gone.version_id()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn suspended_versioning_keeps_what_was_kept() {
    let store = Store::new(&[]);
    let set = |status: BucketVersioningStatus| {
        let config = VersioningConfiguration::builder().status(status).build();
        store
            .east
            .put_bucket_versioning()
            .bucket("shop-plain")
            .versioning_configuration(config)
            .send()
    };
    store.put("shop-plain", "k", "0").await;
    set(BucketVersioningStatus::Enabled).await.expect("enabled");
    let kept = store.put("shop-plain", "k", "1").await;
    set(BucketVersioningStatus::Suspended).await.expect("suspended");
    store.put("shop-plain", "k", "2").await;
    store.put("shop-plain", "k", "3").await;
    let found = store.east.get_bucket_versioning().bucket("shop-plain").send().await.expect("told");
    assert_eq!(found.status(), Some(&BucketVersioningStatus::Suspended));
    let all = listed(&store.east, "shop-plain", 1_000).await;
    let ids: Vec<_> = all.iter().map(|(_, id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["null", kept.as_str()], "the first null version was replaced");
    assert_eq!(text(&store.east, "shop-plain", "k", Some("null")).await.as_deref(), Ok("3"));
    let refused = store.east.put_bucket_versioning().bucket(BUCKET);
    let config =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let refused = refused.versioning_configuration(config).send().await;
    assert_eq!(code(refused), "InvalidBucketState", "it is replicated");
}

#[tokio::test(start_paused = true)]
async fn an_old_version_is_copied_on_top_with_all_that_it_says() {
    let store = Store::new(&[]);
    let all = listed(&store.east, BUCKET, 1_000).await;
    let (_, old, ..) =
        all.iter().find(|(key, .., newest)| key == "a/1.txt" && !newest).expect("old");
    let copy = |tag: &str, source: String| {
        let copy = store.east.copy_object().bucket(BUCKET).key("a/1.txt").copy_source(source);
        copy.if_match(tag)
    };
    let source = format!("{BUCKET}/a%2F1.txt?versionId={old}");
    assert_eq!(code(copy("\"00\"", source.clone()).send().await), "PreconditionFailed");
    let head = store.east.head_object().bucket(BUCKET).key("a/1.txt").send().await.expect("there");
    let tag = head.e_tag().expect("a tag");
    let done = copy(tag, source.clone()).send().await.expect("copied");
    assert_eq!(done.copy_source_version_id(), Some(old.as_str()));
    assert_ne!(done.version_id(), Some(old.as_str()));
    assert_eq!(text(&store.east, BUCKET, "a/1.txt", None).await.as_deref(), Ok("one"));
    let head = store.east.head_object().bucket(BUCKET).key("a/1.txt").send().await.expect("there");
    assert_eq!(
        (head.tag_count(), head.metadata().and_then(|it| it.get("by")).map(String::as_str)),
        (Some(1), Some("ann"))
    );
    assert_eq!(
        code(copy(tag, source.clone()).send().await),
        "PreconditionFailed",
        "somebody wrote"
    );
    let other = store.east.copy_object().bucket(BUCKET).key("b").copy_source(source);
    let other = other.metadata_directive(MetadataDirective::Replace).metadata("by", "bob");
    let other = other.tagging_directive(TaggingDirective::Replace).if_none_match("*");
    other.clone().send().await.expect("a new key");
    assert_eq!(code(other.send().await), "PreconditionFailed");
    let head = store.east.head_object().bucket(BUCKET).key("b").send().await.expect("there");
    assert_eq!(
        (head.tag_count(), head.metadata().and_then(|it| it.get("by")).map(String::as_str)),
        (None, Some("bob"))
    );
    let plain =
        |source: &str| store.east.copy_object().bucket(BUCKET).key("c").copy_source(source).send();
    assert_eq!(code(plain("shop-documents/nobody").await), "NoSuchKey");
    assert_eq!(code(plain("nobody/k").await), "NoSuchBucket");
    assert_eq!(code(plain("nonsense").await), "InvalidArgument");
    assert_eq!(code(plain("shop-documents/old.bin").await), "ObjectNotInActiveTierError");
    let (_, marker, ..) = all.iter().find(|(.., marker, _)| *marker).expect("a marker");
    let of_marker = plain(&format!("{BUCKET}/a/gone.txt?versionId={marker}")).await;
    assert_eq!(code(of_marker), "InvalidRequest");
    let itself =
        store.east.copy_object().bucket(BUCKET).key("b").copy_source(format!("{BUCKET}/b"));
    assert_eq!(code(itself.send().await), "InvalidRequest");
}

#[tokio::test(start_paused = true)]
async fn conditions_look_past_delete_markers() {
    let store = Store::new(&[]);
    let new = |key: &str| {
        let put = store.east.put_object().bucket(BUCKET).key(key).if_none_match("*");
        put.body(ByteStream::from_static(b"new")).send()
    };
    assert_eq!(code(new("a/1.txt").await), "PreconditionFailed");
    new("a/gone.txt").await.expect("a marker is no object");
    store.east.delete_object().bucket(BUCKET).key("a/gone.txt").send().await.expect("deleted");
    let matching = store.east.put_object().bucket(BUCKET).key("a/gone.txt").if_match("\"x\"");
    assert_eq!(code(matching.send().await), "NoSuchKey");
    let range = store.east.get_object().bucket(BUCKET).key("a/1.txt").range("bytes=1-");
    let part = range.send().await.expect("a part");
    assert_eq!(part.content_range(), Some("bytes 1-2/3"));
    assert_eq!(part.body.collect().await.expect("bytes").into_bytes().as_ref(), b"wo");
}

#[tokio::test(start_paused = true)]
async fn tags_and_attributes_are_told() {
    let store = Store::new(&[]);
    let body = ByteStream::from_static(b"hello");
    let put = store.east.put_object().bucket(BUCKET).key("k").body(body).tagging("a=1&b=2");
    put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.expect("put");
    let wanted = [
        ObjectAttributes::Etag,
        ObjectAttributes::ObjectSize,
        ObjectAttributes::Checksum,
        ObjectAttributes::StorageClass,
    ];
    let get = store.east.get_object_attributes().bucket(BUCKET).key("k");
    let found = get.set_object_attributes(Some(wanted.to_vec())).send().await.expect("told");
    assert_eq!(
        (found.e_tag(), found.object_size()),
        (Some("5d41402abc4b2a76b9719d911017c592"), Some(5))
    );
    let sum = found.checksum().and_then(|sum| sum.checksum_sha256()).map(str::to_owned);
    assert_eq!(sum.as_deref(), Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="));
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().expect("a tag");
    let set = |tags: Vec<Tag>| {
        let tags = Tagging::builder().set_tag_set(Some(tags)).build().expect("tags");
        store.east.put_object_tagging().bucket(BUCKET).key("k").tagging(tags).send()
    };
    set(vec![tag("x", "y")]).await.expect("set");
    let found = store.east.get_object_tagging().bucket(BUCKET).key("k").send().await.expect("tags");
    assert_eq!((found.tag_set().len(), found.tag_set()[0].key()), (1, "x"));
    let many = (0..11).map(|number| tag(&number.to_string(), "v")).collect();
    assert_eq!(code(set(many).await), "BadRequest");
    store.east.delete_object_tagging().bucket(BUCKET).key("k").send().await.expect("removed");
    let found = store.east.get_object_tagging().bucket(BUCKET).key("k").send().await.expect("none");
    assert!(found.tag_set().is_empty());
    let twice = store.east.put_object().bucket(BUCKET).key("k").tagging("a=1&a=2");
    assert_eq!(code(twice.send().await), "InvalidArgument");
}

#[tokio::test(start_paused = true)]
async fn an_object_of_parts_appears_whole() {
    let store = Store::new(&[]);
    let begun = store.east.create_multipart_upload().bucket(BUCKET).key("big").metadata("a", "b");
    let begun = begun.send().await.expect("begun");
    let id = begun.upload_id().expect("an id");
    let put = |number: i32, size: usize| {
        let body = ByteStream::from(vec![b'x'; size]);
        let part = store.east.upload_part().bucket(BUCKET).key("big").upload_id(id);
        part.part_number(number).body(body).send()
    };
    let (first, second) = (put(1, 5 << 20).await.expect("put"), put(2, 10).await.expect("put"));
    assert_eq!(text(&store.east, BUCKET, "big", None).await, Err("NoSuchKey".to_owned()));
    let complete = |parts: &[(i32, &str)]| {
        let parts = parts
            .iter()
            .map(|(number, tag)| CompletedPart::builder().part_number(*number).e_tag(*tag).build());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let done = store.east.complete_multipart_upload().bucket(BUCKET).key("big").upload_id(id);
        done.multipart_upload(parts).send()
    };
    let (one, two) = (first.e_tag().expect("a tag"), second.e_tag().expect("a tag"));
    assert_eq!(code(complete(&[(2, two), (1, one)]).await), "InvalidPartOrder");
    assert_eq!(code(complete(&[(1, "\"00\"")]).await), "InvalidPart");
    let listed = store.east.list_parts().bucket(BUCKET).key("big").upload_id(id).send().await;
    assert_eq!(listed.expect("parts").parts().len(), 2);
    let done = complete(&[(1, one), (2, two)]).await.expect("completed");
    assert!(done.e_tag().is_some_and(|tag| tag.ends_with("-2\"")));
    let head = store.east.head_object().bucket(BUCKET).key("big").part_number(2).send().await;
    let head = head.expect("there");
    assert_eq!((head.content_length(), head.parts_count()), (Some(10), Some(2)));
    assert_eq!(code(complete(&[(1, one)]).await), "NoSuchUpload");
    let other = store.east.create_multipart_upload().bucket(BUCKET).key("never").send().await;
    let other = other.expect("begun").upload_id().expect("an id").to_owned();
    let uploads = store.east.list_multipart_uploads().bucket(BUCKET).send().await.expect("told");
    assert_eq!(uploads.uploads().len(), 1);
    let abort = store.east.abort_multipart_upload().bucket(BUCKET).key("never").upload_id(other);
    abort.send().await.expect("given up");
}
