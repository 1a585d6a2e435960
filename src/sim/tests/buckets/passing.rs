//! What midnight brings: lifecycle rules and inventories.
//!
//! **Invariant:** a night long ago did the same as one that was waited for.

use super::{Store, listed, text};
use flate2::read::GzDecoder;
use md5::{Digest as _, Md5};
use std::io::Read as _;

const AGED: &str = "shop-aged";

#[tokio::test(start_paused = true)]
async fn rules_expire_and_move_at_midnight() {
    let steps = [86_400_u64, 30 * 86_400];
    let mut seen = Vec::new();
    for step in steps {
        let store = Store::new(&[]);
        store.put(AGED, "k", "1").await;
        store.lab.sleep(60).await;
        let second = store.put(AGED, "k", "2").await;
        let mut passed = 0;
        while passed < 30 * 86_400 {
            store.lab.sleep(step).await;
            passed += step;
            drop(store.east.list_buckets().send().await);
            if step == 86_400 && passed == 6 * 86_400 {
                let head =
                    store.east.head_object().bucket(AGED).key("k").send().await.expect("there");
                assert_eq!(head.storage_class().map(|it| it.as_str()), Some("GLACIER"));
                let all = listed(&store.east, AGED, 10).await;
                assert_eq!(all.len(), 1, "the noncurrent one is gone: {all:?}");
                assert_eq!(all[0].1, second);
            }
        }
        assert_eq!(text(&store.east, AGED, "k", None).await, Err("NoSuchKey".to_owned()));
        seen.push(listed(&store.east, AGED, 10).await.len());
    }
    assert_eq!(seen, [1, 1], "a delete marker is left");
}

#[tokio::test(start_paused = true)]
async fn inventories_list_what_was_there_at_midnight() {
    let store = Store::new(&[]);
    store.put("shop-documents", "odd,\"key\" \n+%é", "x").await;
    store.lab.sleep(86_400).await;
    let root = "inv/shop-documents/daily/";
    let list = store.east.list_objects_v2().bucket("shop-inventory").prefix(root);
    let found = list.send().await.expect("listed");
    let keys: Vec<_> = found.contents().iter().filter_map(|one| one.key()).collect();
    let manifests: Vec<_> = keys.iter().filter(|key| key.ends_with("manifest.json")).collect();
    assert_eq!(manifests.len(), 2, "one that the world began with: {keys:?}");
    let manifest =
        text(&store.east, "shop-inventory", manifests[1], None).await.expect("a manifest");
    let sum = manifests[1].replace("manifest.json", "manifest.checksum");
    let sum = text(&store.east, "shop-inventory", &sum, None).await.expect("a checksum");
    assert_eq!(sum, crate::base::digest::hex(&Md5::digest(manifest.as_bytes())));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["fileFormat"], "CSV");
    let schema = manifest["fileSchema"].as_str().expect("columns");
    assert!(
        schema.starts_with("Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"),
        "{schema}"
    );
    let file = manifest["files"][0]["key"].as_str().expect("a file");
    let get =
        store.east.get_object().bucket("shop-inventory").key(file).send().await.expect("there");
    let bytes = get.body.collect().await.expect("bytes").into_bytes();
    assert_eq!(manifest["files"][0]["size"], bytes.len());
    let mut csv = String::new();
    GzDecoder::new(bytes.as_ref()).read_to_string(&mut csv).expect("gzip");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), listed(&store.east, "shop-documents", 1_000).await.len());
    assert!(csv.contains("\"odd%2C%22key%22+%0A%2B%25%C3%A9\""), "{csv}");
    assert!(csv.contains("\"FAILED\"") && csv.contains("\"PENDING\""), "{csv}");
}
