//! Buckets in estate files, right and wrong.
//!
//! **Invariant:** what is refused is refused at its place, with what would be right.

use super::{Differs, ObjectContent, Replicated, Versioning};
use crate::estate::{EnvironmentKind, Estate, load};
use std::time::Duration;

fn file(buckets: &str, environment: &str) -> String {
    format!(
        "apiVersion: drctl/v1\nkind: Estate\nname: x\nbuckets:\n{buckets}environments:\n  sim:\n    \
         type: simulated\n    account: \"123456789012\"\n    region: us-east-1\n{environment}"
    )
}

fn loaded(buckets: &str, environment: &str) -> Estate {
    load("x.yaml", &file(buckets, environment)).unwrap_or_else(|problems| panic!("{problems}"))
}

const WHOLE: &str = r#"  documents:
    name: techcorp-customer-data
    region: us-east-1
    encryption: aws:kms
    kms_key: alias/documents
    object_lock: { mode: GOVERNANCE, days: 30 }
    lifecycle: [{ id: old, prefix: logs/, noncurrent_days: 30, glacier_after: 90d, expire_after: 365d }]
    replication:
      - { id: all, to: documents_west, prefix: "", priority: 1, delete_markers: true, kms: true, replica_kms_key: alias/w, owner: destination, time_control: true }
      - { id: tagged, to: documents_west, tags: { tier: gold }, status: Disabled, storage_class: STANDARD_IA }
    objects:
      - { key: a/1.txt, text: one, age: 30d }
      - { key: a/1.txt, text: two, age: 1h, replicated: failed, metadata: { by: ann }, tags: { tier: gold } }
      - { key: a/1.txt, deleted: true, age: 5m, replicated: pending }
      - { key: big, size: 5MiB, storage_class: GLACIER, replicated: none }
    generated: { keys: 10000000, prefix: data/, size: 16B }
    inventory: { id: daily, to: inventory-files, prefix: inv, all_versions: true }
  documents_west:
    name: techcorp-customer-data-west
    region: us-west-2
    generated: { mirror_of: documents, differs: { missing: 10, changed: 5, extra: 2 } }
  inventory-files: { versioning: never, public_access_blocked: false }
"#;

#[test]
fn a_bucket_is_facts_and_what_its_world_begins_with() {
    let estate = loaded(WHOLE, "");
    let sim = &estate.environments["sim"];
    let documents = estate.bucket_in("documents", sim).expect("documents");
    assert_eq!(documents.arn(), "arn:aws:s3:::techcorp-customer-data");
    assert_eq!(
        (documents.versioning, documents.public_access_blocked),
        (Versioning::Enabled, true)
    );
    let lock = documents.object_lock.as_ref().expect("a lock");
    assert_eq!((lock.mode.as_str(), lock.days), ("GOVERNANCE", 30));
    let old = &documents.lifecycle[0];
    assert_eq!(
        (old.noncurrent_days, old.glacier_after, old.expire_after),
        (Some(30), Some(90), Some(365))
    );
    assert_eq!(old.transition_class, "GLACIER");
    let [all, tagged] = documents.replication.as_slice() else { panic!("two rules") };
    assert!(all.enabled && all.metrics && all.owner_override && all.kms && all.delete_markers);
    assert_eq!((tagged.enabled, tagged.priority, tagged.metrics), (false, 2, false));
    let [first, second, third, big] = documents.objects.as_slice() else { panic!("four objects") };
    assert_eq!((first.replicated, first.age), (None, Duration::from_secs(30 * 86_400)));
    assert_eq!(second.content, ObjectContent::Text("two".to_owned()));
    assert_eq!((second.metadata["by"].as_str(), second.tags["tier"].as_str()), ("ann", "gold"));
    assert_eq!(
        (&third.content, third.replicated),
        (&ObjectContent::Deleted, Some(Replicated::Pending))
    );
    assert_eq!(
        (&big.content, big.storage_class.as_str()),
        (&ObjectContent::Bytes(5 << 20), "GLACIER")
    );
    let generated = documents.generated.as_ref().expect("generated");
    assert_eq!(
        (generated.keys, generated.size, generated.prefix.as_str()),
        (10_000_000, 16, "data/")
    );
    let west = estate.bucket_in("documents_west", sim).expect("west");
    let mirror = west.generated.as_ref().expect("generated");
    assert_eq!(mirror.differs, Differs { missing: 10, changed: 5, extra: 2 });
    let files = estate.bucket_in("inventory-files", sim).expect("files");
    assert_eq!(
        (files.name.as_str(), files.region.as_deref()),
        ("inventory-files", Some("us-east-1"))
    );
    assert_eq!((files.versioning, files.public_access_blocked), (Versioning::Never, false));
    assert!(documents.inventory.is_some_and(|inventory| inventory.all_versions));
}

#[test]
fn environments_change_buckets_or_list_others() {
    let estate = loaded(
        WHOLE,
        "    buckets: { documents: { name: other-data, region: eu-west-1, encryption: AES256 } }\n",
    );
    let documents = estate.bucket_in("documents", &estate.environments["sim"]).expect("documents");
    assert_eq!(
        (documents.name.as_str(), documents.region.as_deref()),
        ("other-data", Some("eu-west-1"))
    );
    assert_eq!((documents.encryption.as_str(), documents.kms_key), ("AES256", None));
    assert!(estate.bucket_in("nothing", &estate.environments["sim"]).is_none());
    let estate = loaded(WHOLE, "    buckets: [evidence]\n");
    let EnvironmentKind::Simulated(simulation) = &estate.environments["sim"].kind else {
        panic!("simulated")
    };
    assert_eq!(simulation.buckets, ["evidence"]);
}

/// Wrong buckets, and what is said.
const PROBLEMS: &[(&str, &str)] = &[
    ("  Data_x: {}\n", "x.yaml:5:11: error[DR004]: `Data_x` is no name of a bucket"),
    ("  data: { name: ab }\n", "`ab` is no name of a bucket"),
    ("  data: { versoning: never }\n", "did you mean `versioning`"),
    ("  data: { versioning: sometimes }\n", "expected one of enabled, suspended, never"),
    ("  data: { kms_key: alias/x }\n", "`kms_key` goes with `encryption: aws:kms`"),
    (
        "  data: { versioning: never, object_lock: { mode: GOVERNANCE, days: 1 } }\n",
        "Object Lock needs versioning",
    ),
    ("  data: { object_lock: { mode: GOVERNANCE, days: 0 } }\n", "1 to 36500 days"),
    ("  data: { object_lock: { days: 3 } }\n", "needs the field `mode`"),
    ("  data: { lifecycle: [{ id: a }] }\n", "lifecycle rule `a` does nothing"),
    ("  data: { lifecycle: [{ id: a, expire_after: 90m }] }\n", "whole days"),
    ("  data: { lifecycle: { id: a } }\n", "expected a list"),
    ("  data: { replication: [{ id: a }] }\n", "needs the field `to`"),
    ("  data: { replication: [{ id: a, to: dta }] }\n", "did you mean `data`?"),
    ("  data: { replication: [{ id: a, to: data }] }\n", "not replicated to itself"),
    (
        "  data: { replication: [{ id: a, to: west }] }\n  west: { versioning: never }\n",
        "`west` must keep versions too",
    ),
    (
        "  data: { versioning: never, replication: [{ id: a, to: west }] }\n  west: {}\n",
        "replication needs versioning",
    ),
    (
        "  data: { replication: [{ id: a, to: west }, { id: a, to: west }] }\n  west: {}\n",
        "two replication rules have the id `a`",
    ),
    (
        "  data: { replication: [{ id: a, to: west }, { id: b, to: west, priority: 1 }] }\n  west: {}\n",
        "have the priority 1",
    ),
    (
        "  data: { replication: [{ id: a, to: west, tags: { a: b }, delete_markers: true }] }\n  west: {}\n",
        "it filters by tags",
    ),
    (
        "  data: { replication: [{ id: a, to: west, time_control: true, metrics: false }] }\n  west: {}\n",
        "needs `metrics`",
    ),
    (
        "  data: { replication: [{ id: a, to: west, replica_kms_key: k }] }\n  west: {}\n",
        "needs `kms`",
    ),
    ("  data: { objects: [{ text: x }] }\n", "an object needs the field `key`"),
    ("  data: { objects: [{ key: \"\" }] }\n", "a key has 1 to 1024 bytes, this one has 0"),
    (
        "  data: { objects: [{ key: a, text: x, size: 1B }] }\n",
        "has one of `text`, `size`, `deleted`",
    ),
    ("  data: { objects: [{ key: a, size: many }] }\n", "`many` is no size"),
    ("  data: { objects: [{ key: a, size: 99999999999GiB }] }\n", "is no size"),
    ("  data: { objects: [{ key: a, replicated: failed }] }\n", "nothing replicates this bucket"),
    ("  data: { objects: [{ key: a, age: 1h }, { key: a, age: 2h }] }\n", "oldest first"),
    (
        "  data: { versioning: never, objects: [{ key: a }, { key: a }] }\n",
        "there twice, without versions",
    ),
    (
        "  data: { versioning: never, objects: [{ key: a, deleted: true }] }\n",
        "has no delete markers",
    ),
    ("  data: { generated: {} }\n", "needs the field `keys` or `mirror_of`"),
    ("  data: { generated: { keys: 0 } }\n", "expected 1 to 1000000000"),
    ("  data: { generated: { keys: 9, differs: { missing: 1 } } }\n", "it needs `mirror_of`"),
    (
        "  data: { generated: { mirror_of: west } }\n  west: {}\n",
        "`west` has no generated objects of its own",
    ),
    (
        "  data: { generated: { mirror_of: west, keys: 4 } }\n  west: { generated: { keys: 4 } }\n",
        "a mirror has the keys of its original",
    ),
    (
        "  data: { generated: { mirror_of: west, differs: { missing: 2 } } }\n  west: { generated: { keys: 4 } }\n",
        "at most a quarter of the keys, 1",
    ),
    (
        "  data: { inventory: { id: a, to: wst } }\n  west: {}\n",
        "inventory `a`: there is no bucket `wst`",
    ),
    (
        "  data: { name: same }\n  more: { name: same }\n",
        "buckets `data` and `more` are both called `same`",
    ),
    ("  data: 5\n", "a bucket must be a map"),
];

#[test]
fn every_problem_of_a_bucket_has_its_place() {
    for (buckets, wanted) in PROBLEMS {
        let shown = load("x.yaml", &file(buckets, "")).expect_err(buckets).to_string();
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    for (environment, wanted) in [
        (
            "    buckets: { datas: { region: eu-west-1 } }\n",
            "environment `sim`: there is no bucket `datas`",
        ),
        ("    buckets: { data: { nam: x } }\n", "did you mean `name`"),
        ("    buckets: [5]\n", "expected text, found a whole number"),
        ("    buckets: 5\n", "field `buckets`: expected a map"),
        (
            "  aws: { type: aws, account: \"123456789012\", region: us-east-1, buckets: [a] }\n",
            "only a simulated environment lists buckets",
        ),
    ] {
        let shown = load("x.yaml", &file("  data: {}\n", environment)).expect_err(environment);
        let shown = shown.to_string();
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
}
