//! Buckets of an estate over the real SDK: versions, replication, rules, locks, scale.
//!
//! **Invariant:** what is found here is what S3 documents.

mod configuration;
mod locks;
mod passing;
mod replication;
mod scale;
mod versions;

use super::support::{Lab, sdk};
use crate::estate;
use crate::sim::{SimOptions, Simulator, http_client};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::region::Region;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents:
    name: shop-documents
    replication:
      - { id: all, to: west, delete_markers: true, time_control: true, kms: true, replica_kms_key: alias/west }
      - { id: logs, to: cold, prefix: logs/, storage_class: STANDARD_IA, priority: 7 }
    inventory: { id: daily, to: files, prefix: inv, all_versions: true }
    objects:
      - { key: a/1.txt, text: one, age: 30d, tags: { tier: gold }, metadata: { by: ann } }
      - { key: a/1.txt, text: two, age: 2h }
      - { key: a/gone.txt, text: x, age: 3d }
      - { key: a/gone.txt, deleted: true, age: 1d }
      - { key: a/waits.txt, text: y, age: 5h, replicated: pending }
      - { key: a/failed.txt, text: z, age: 1h, replicated: failed }
      - { key: a/before.txt, text: w, age: 40d, replicated: none }
      - { key: old.bin, size: 6MiB, age: 50d, storage_class: GLACIER, replicated: none }
  west: { name: shop-documents-west, region: us-west-2 }
  cold: { name: shop-cold, region: eu-west-1 }
  files: { name: shop-inventory, versioning: never }
  vault: { name: shop-vault, encryption: aws:kms, kms_key: alias/documents, object_lock: { mode: GOVERNANCE, days: 10 } }
  aged:
    name: shop-aged
    lifecycle:
      - { id: old, noncurrent_days: 3, glacier_after: 5d, expire_after: 20d }
  large: { name: shop-large, generated: { keys: 10000000, prefix: data/, size: 16B }, replication: [{ id: all, to: copy }] }
  copy: { name: shop-large-copy, region: us-west-2, generated: { mirror_of: large, differs: { missing: 10, changed: 5, extra: 3 } } }
  plain: { name: shop-plain, versioning: never }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3 }
"#;

/// One simulated AWS and S3 clients of it.
struct Store {
    lab: Lab,
    east: Client,
    west: Client,
}

impl Store {
    fn new(faults: &[&str]) -> Self {
        let estate = estate::load("shop.yaml", ESTATE).unwrap_or_else(|why| panic!("{why}"));
        let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        let options = SimOptions { seed: None, faults };
        let world = Simulator::create(&estate, &estate.environments["sim"], options);
        Self::of(world.expect("a world"))
    }

    fn of(simulator: Simulator) -> Self {
        let lab = Lab::with(simulator, 1);
        let (east, west) = (client(&lab, "us-east-1"), client(&lab, "us-west-2"));
        Self { lab, east, west }
    }

    async fn put(&self, bucket: &str, key: &str, body: &str) -> String {
        let body = ByteStream::from(body.as_bytes().to_vec());
        let put = self.east.put_object().bucket(bucket).key(key).body(body).send().await;
        put.expect("accepted").version_id().unwrap_or("none").to_owned()
    }

    /// Replication status of the current version.
    async fn status(&self, key: &str) -> Option<String> {
        let head = self.east.head_object().bucket("shop-documents").key(key).send().await;
        let status = head.expect("there").replication_status().cloned();
        status.map(|status| status.as_str().to_owned())
    }
}

fn client(lab: &Lab, region: &'static str) -> Client {
    let http = http_client(lab.simulator.clone(), lab.clock.clone(), None);
    let config = aws_sdk_s3::config::Builder::from(&sdk(http, &lab.clock, 1));
    Client::from_conf(config.region(Region::from_static(region)).build())
}

/// What a client reads of an object; the code when it is refused.
async fn text(
    client: &Client,
    bucket: &str,
    key: &str,
    id: Option<&str>,
) -> Result<String, String> {
    let get = client.get_object().bucket(bucket).key(key).set_version_id(id.map(str::to_owned));
    match get.send().await {
        Ok(found) => {
            let bytes = found.body.collect().await.expect("a body").into_bytes();
            Ok(String::from_utf8(bytes.to_vec()).expect("text"))
        }
        Err(error) => Err(super::support::code::<(), _>(Err(error))),
    }
}

/// All versions and delete markers of a bucket, as `key`, `id`, whether it is a marker, newest first.
async fn listed(client: &Client, bucket: &str, page: i32) -> Vec<(String, String, bool, bool)> {
    let (mut found, mut key, mut id) = (Vec::new(), None, None);
    loop {
        let list = client.list_object_versions().bucket(bucket).max_keys(page);
        let page = list.set_key_marker(key).set_version_id_marker(id).send().await.expect("a page");
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let newest = |latest: Option<bool>| latest == Some(true);
        for one in page.versions() {
            let (key, id) = (text(one.key()), text(one.version_id()));
            found.push((key, id, false, newest(one.is_latest())));
        }
        for one in page.delete_markers() {
            let (key, id) = (text(one.key()), text(one.version_id()));
            found.push((key, id, true, newest(one.is_latest())));
        }
        (key, id) = (
            page.next_key_marker().map(str::to_owned),
            page.next_version_id_marker().map(str::to_owned),
        );
        if page.is_truncated() != Some(true) {
            return found;
        }
    }
}
