//! Ten million keys that nobody holds, odd keys, and rates of requests.
//!
//! **Invariant:** a list is the same whatever it is made of.

use super::{Store, listed, text};
use crate::sim::tests::support::code;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;

const LARGE: &str = "shop-large";
const COPY: &str = "shop-large-copy";

async fn page(client: &Client, bucket: &str, after: &str) -> Vec<(String, String)> {
    let list = client.list_objects_v2().bucket(bucket).start_after(after).send().await;
    let found = list.expect("a page");
    let both = |one: &aws_sdk_s3::types::Object| {
        (one.key().unwrap_or_default().to_owned(), one.e_tag().unwrap_or_default().to_owned())
    };
    found.contents().iter().map(both).collect()
}

#[tokio::test(start_paused = true)]
async fn ten_million_keys_are_listed_from_anywhere() {
    let store = Store::new(&[]);
    let first = page(&store.east, LARGE, "").await;
    assert_eq!(
        (first.len(), first[0].0.as_str(), first[999].0.as_str()),
        (1_000, "data/00000000", "data/00000999")
    );
    let late = page(&store.east, LARGE, "data/09999989").await;
    assert_eq!((late.len(), late[9].0.as_str()), (10, "data/09999999"));
    let key = "data/05000000";
    let body = text(&store.east, LARGE, key, None).await.expect("computed");
    let head = store.east.head_object().bucket(LARGE).key(key).send().await.expect("there");
    assert_eq!((head.content_length(), body.len()), (Some(16), 16));
    assert_eq!(head.replication_status().map(|it| it.as_str()), Some("COMPLETED"));
    let copy = store.west.head_object().bucket(COPY).key(key).send().await.expect("mirrored");
    assert_eq!((copy.e_tag(), copy.version_id()), (head.e_tag(), head.version_id()));
    assert_eq!(copy.replication_status().map(|it| it.as_str()), Some("REPLICA"));
    assert_eq!(text(&store.east, LARGE, "data/10000000", None).await, Err("NoSuchKey".to_owned()));
    let world = serde_json::to_string(&store.lab.simulator.state_json()).expect("JSON");
    assert!(world.len() < 100_000, "{} bytes", world.len());
    let group =
        store.east.list_objects_v2().bucket(LARGE).delimiter("/").send().await.expect("listed");
    assert_eq!(group.common_prefixes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_written_lies_over_what_is_computed() {
    let store = Store::new(&[]);
    let key = "data/00000005";
    let old = store.east.head_object().bucket(LARGE).key(key).send().await.expect("there");
    let old = old.version_id().expect("an id").to_owned();
    store.put(LARGE, key, "mine").await;
    store.put(LARGE, "data/00000005a", "between").await;
    store.east.delete_object().bucket(LARGE).key("data/00000006").send().await.expect("deleted");
    let keys: Vec<String> =
        page(&store.east, LARGE, "data/00000004").await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys[..3], ["data/00000005", "data/00000005a", "data/00000007"]);
    let before = store.east.get_object().bucket(LARGE).key(key).version_id(&old).send().await;
    assert_eq!(before.expect("the old one").content_length(), Some(16));
    let delete = |key: &str, id: &str| {
        store.east.delete_object().bucket(LARGE).key(key).version_id(id).send()
    };
    let seven =
        store.east.head_object().bucket(LARGE).key("data/00000007").send().await.expect("there");
    delete("data/00000007", seven.version_id().expect("an id")).await.expect("for good");
    assert_eq!(text(&store.east, LARGE, "data/00000007", None).await, Err("NoSuchKey".to_owned()));
    let keys = page(&store.east, LARGE, "data/00000006").await;
    assert_eq!(keys[0].0, "data/00000008");
    assert_eq!(store.put("shop-large", "data/00000007", "again").await.len(), 32);
    let list =
        store.east.list_object_versions().bucket(LARGE).key_marker("data/00000004").max_keys(4);
    let found = list.send().await.expect("versions");
    let sizes: Vec<_> = found.versions().iter().filter_map(|one| one.size()).collect();
    assert_eq!((sizes, found.delete_markers().len()), (vec![4, 16, 7], 1));
}

#[tokio::test(start_paused = true)]
async fn a_mirror_differs_where_it_was_planted() {
    // A small one, listed whole.
    let text = super::ESTATE.replace("keys: 10000000", "keys: 3000");
    let estate = crate::estate::load("shop.yaml", &text).expect("valid");
    let options = crate::sim::SimOptions::default();
    let world = crate::sim::Simulator::create(&estate, &estate.environments["sim"], options);
    let store = Store::of(world.expect("a world"));
    let all = |client: Client, bucket: &'static str| async move {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = page(&client, bucket, &after).await;
            let Some((last, _)) = page.last() else { return found };
            after.clone_from(last);
            found.extend(page);
        }
    };
    let left = all(store.east.clone(), LARGE).await;
    let right = all(store.west.clone(), COPY).await;
    assert_eq!((left.len(), right.len()), (3_000, 2_993));
    let there: std::collections::BTreeMap<_, _> = right.iter().cloned().collect();
    let missing: Vec<_> = left.iter().filter(|(key, _)| !there.contains_key(key)).collect();
    let changed = left.iter().filter(|(key, tag)| there.get(key).is_some_and(|other| other != tag));
    assert_eq!((missing.len(), changed.count()), (10, 5));
    for (key, _) in missing {
        let head = store.east.head_object().bucket(LARGE).key(key).send().await.expect("there");
        let status = head.replication_status().map(|it| it.as_str().to_owned());
        assert!(matches!(status.as_deref(), Some("PENDING" | "FAILED")), "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn odd_keys_survive_every_list() {
    let store = Store::new(&[]);
    let long = "k".repeat(1_024);
    let odd = [
        "a\nb",
        "a\rb",
        "plus+sign",
        "percent%20",
        "ünïcödé/日本",
        "sp ace",
        "//double",
        "\u{1}",
        &long,
    ];
    for key in odd {
        store.put("shop-plain", key, key).await;
        assert_eq!(text(&store.east, "shop-plain", key, None).await.as_deref(), Ok(key), "{key:?}");
    }
    let mut wanted: Vec<String> = odd.iter().map(|key| (*key).to_owned()).collect();
    wanted.sort();
    let list = store.east.list_objects_v2().bucket("shop-plain").encoding_type(EncodingType::Url);
    let found = list.send().await.expect("listed");
    let keys: Vec<String> = found
        .contents()
        .iter()
        .filter_map(|one| crate::sim::s3::unescaped(&one.key()?.replace('+', " ")))
        .collect();
    assert_eq!(keys, wanted);
    let versions = listed(&store.east, "shop-plain", 2).await;
    assert_eq!(versions.len(), odd.len());
    let old =
        store.east.list_objects().bucket("shop-plain").max_keys(3).send().await.expect("listed");
    assert_eq!((old.contents().len(), old.is_truncated()), (3, Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_prefix_takes_so_many_requests_a_second() {
    let store = Store::new(&["prefix-rate=5"]);
    let mut refused = 0;
    for _ in 0..300 {
        let head = store.east.get_object().bucket("shop-documents").key("a/1.txt").send();
        refused += usize::from(head.await.is_err());
    }
    assert!((100..300).contains(&refused), "{refused} of 300");
    store.lab.sleep(1).await;
    for _ in 0..20 {
        let list = store.east.list_objects_v2().bucket("shop-documents").prefix("a/").send().await;
        if list.is_err() {
            assert_eq!(code(list), "SlowDown");
            return;
        }
    }
    panic!("never too many");
}
