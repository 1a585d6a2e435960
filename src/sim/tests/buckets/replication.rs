//! Replication: what is copied, when, and what becomes of it under faults.
//!
//! **Invariant:** a replica is its source's version, with its id; what is not copied says why.

use super::{Store, client, listed, text};
use aws_sdk_cloudwatch::primitives::DateTime as MetricTime;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, ExistingObjectReplication,
    ExistingObjectReplicationStatus, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleFilter, ReplicationRuleStatus, ServerSideEncryption, Tag, Tagging,
};

const BUCKET: &str = "shop-documents";
const COPY: &str = "shop-documents-west";

#[tokio::test(start_paused = true)]
async fn a_copy_follows_within_seconds_under_the_same_id() {
    let store = Store::new(&[]);
    let id = store.put(BUCKET, "new", "hello").await;
    assert_eq!(store.status("new").await.as_deref(), Some("PENDING"));
    assert_eq!(text(&store.west, COPY, "new", None).await, Err("NoSuchKey".to_owned()));
    store.lab.sleep(180).await;
    assert_eq!(store.status("new").await.as_deref(), Some("COMPLETED"));
    let copy = store.west.head_object().bucket(COPY).key("new").send().await.expect("copied");
    assert_eq!(copy.replication_status().map(|it| it.as_str()), Some("REPLICA"));
    assert_eq!(copy.version_id(), Some(id.as_str()));
    let deleted =
        store.east.delete_object().bucket(BUCKET).key("new").send().await.expect("deleted");
    store.lab.sleep(180).await;
    let all = listed(&store.west, COPY, 1_000).await;
    let marker = all.iter().find(|(key, _, marker, _)| key == "new" && *marker).expect("a marker");
    assert_eq!(Some(marker.1.as_str()), deleted.version_id());
    // A version that is taken away stays at the destination.
    store
        .east
        .delete_object()
        .bucket(BUCKET)
        .key("new")
        .version_id(&id)
        .send()
        .await
        .expect("gone");
    store.lab.sleep(180).await;
    assert_eq!(text(&store.west, COPY, "new", Some(&id)).await.as_deref(), Ok("hello"));
}

#[tokio::test(start_paused = true)]
async fn rules_say_where_and_how() {
    let store = Store::new(&[]);
    store.put(BUCKET, "logs/1", "line").await;
    let body = ByteStream::from_static(b"secret");
    let secret = store.east.put_object().bucket(BUCKET).key("logs/2").body(body);
    secret.server_side_encryption(ServerSideEncryption::AwsKms).send().await.expect("put");
    store.lab.sleep(600).await;
    let cold = client(&store.lab, "eu-west-1");
    let one = cold.head_object().bucket("shop-cold").key("logs/1").send().await.expect("copied");
    assert_eq!(one.storage_class().map(|class| class.as_str()), Some("STANDARD_IA"));
    assert_eq!(
        text(&cold, "shop-cold", "logs/2", None).await,
        Err("NoSuchKey".to_owned()),
        "no KMS"
    );
    let two = store.west.head_object().bucket(COPY).key("logs/2").send().await.expect("copied");
    assert!(two.ssekms_key_id().is_some_and(|key| key.contains("us-west-2")));
    assert_eq!(store.status("logs/1").await.as_deref(), Some("COMPLETED"));
}

#[tokio::test(start_paused = true)]
async fn a_world_begins_with_what_became_of_replication() {
    let store = Store::new(&[]);
    for (key, wanted, there) in [
        ("a/1.txt", Some("COMPLETED"), true),
        ("a/waits.txt", Some("PENDING"), false),
        ("a/failed.txt", Some("FAILED"), false),
        ("a/before.txt", None, false),
    ] {
        assert_eq!(store.status(key).await.as_deref(), wanted, "{key}");
        assert_eq!(text(&store.west, COPY, key, None).await.is_ok(), there, "{key}");
    }
    store.lab.sleep(86_400).await;
    assert_eq!(store.status("a/waits.txt").await.as_deref(), Some("PENDING"), "for good");
    let (east, west) = (listed(&store.east, BUCKET, 7).await, listed(&store.west, COPY, 7).await);
    let both = east.iter().filter(|version| west.contains(version)).count();
    assert_eq!(both, west.len(), "ids, markers and order are the same");
}

#[tokio::test(start_paused = true)]
async fn faults_stop_fail_and_delay_replication() {
    let store = Store::new(&["replication-stopped"]);
    store.put(BUCKET, "k", "1").await;
    store.lab.sleep(3 * 3600).await;
    assert_eq!(store.status("k").await.as_deref(), Some("PENDING"));
    store.lab.simulator.set_faults(&[]).expect("off");
    store.lab.sleep(300).await;
    assert_eq!(store.status("k").await.as_deref(), Some("COMPLETED"));
    let on = |fault: &str| store.lab.simulator.set_faults(&[fault.to_owned()]).expect("a fault");
    on("replication-fails=1");
    for key in ["f1", "f2"] {
        store.put(BUCKET, key, "1").await;
        store.lab.sleep(300).await;
    }
    assert_eq!(store.status("f1").await.as_deref(), Some("FAILED"));
    assert_eq!(store.status("f2").await.as_deref(), Some("COMPLETED"));
    on("replication-slow=2h");
    store.put(BUCKET, "s", "1").await;
    store.lab.sleep(7_000).await;
    assert_eq!(store.status("s").await.as_deref(), Some("PENDING"));
    store.lab.sleep(600).await;
    assert_eq!(store.status("s").await.as_deref(), Some("COMPLETED"));
    on("kms-disabled");
    let own = ByteStream::from_static(b"x");
    let put = store.east.put_object().bucket(BUCKET).key("m").body(own);
    put.server_side_encryption(ServerSideEncryption::AwsKms).send().await.expect("AWS's own key");
    store.lab.sleep(600).await;
    assert_eq!(store.status("m").await.as_deref(), Some("FAILED"), "the replica's key is disabled");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_lost_region_follows_when_it_is_back() {
    let store = Store::new(&[]);
    store.lab.simulator.set_faults(&["region-lost=us-west-2/for=3h".to_owned()]).expect("lost");
    store.put(BUCKET, "k", "1").await;
    store.lab.sleep(7_200).await;
    assert_eq!(store.status("k").await.as_deref(), Some("PENDING"));
    store.lab.sleep(7_200).await;
    assert_eq!(store.status("k").await.as_deref(), Some("COMPLETED"));
    assert_eq!(text(&store.west, COPY, "k", None).await.as_deref(), Ok("1"));
    store.lab.simulator.set_faults(&["region-lost=us-west-2".to_owned()]).expect("lost");
    store.put(BUCKET, "l", "1").await;
    store.lab.sleep(7_200).await;
    assert_eq!(store.status("l").await.as_deref(), Some("PENDING"));
    store.lab.simulator.set_faults(&[]).expect("back");
    assert_eq!(store.status("l").await.as_deref(), Some("PENDING"));
    store.lab.sleep(600).await;
    assert_eq!(store.status("l").await.as_deref(), Some("COMPLETED"));
}

#[tokio::test(start_paused = true)]
async fn a_world_asked_often_and_one_asked_seldom_agree() {
    let (often, seldom) = (Store::new(&[]), Store::new(&[]));
    for store in [&often, &seldom] {
        for number in 0..20 {
            store.put(BUCKET, &format!("k{number}"), "x").await;
        }
    }
    for _ in 0..60 {
        often.lab.sleep(10).await;
        drop(often.east.list_buckets().send().await);
    }
    seldom.lab.sleep(600).await;
    drop(seldom.east.list_buckets().send().await);
    let seen = |store: &Store| store.lab.simulator.state_json()["buckets"].clone();
    assert_eq!(seen(&often), seen(&seldom));
}

/// The largest of what CloudWatch tells of the rule since the world began.
async fn metric(store: &Store, name: &str, minutes: i64) -> Option<f64> {
    let now = store.lab.clock.now().timestamp();
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let asked = store.lab.metrics.get_metric_statistics().namespace("AWS/S3").metric_name(name);
    let asked = asked
        .dimensions(dimension("SourceBucket", BUCKET))
        .dimensions(dimension("DestinationBucket", COPY))
        .dimensions(dimension("RuleId", "all"))
        .start_time(MetricTime::from_secs(now - minutes * 60))
        .end_time(MetricTime::from_secs(now))
        .period(60)
        .statistics(Statistic::Maximum);
    let found = asked.send().await.expect("a metric");
    found.datapoints().iter().filter_map(|point| point.maximum()).reduce(f64::max)
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_what_waits_and_what_failed() {
    let store = Store::new(&["replication-fails"]);
    store.lab.sleep(120).await;
    // One object has waited since five hours before the world began.
    let latency = metric(&store, "ReplicationLatency", 1).await.expect("something waits");
    assert!((18_000.0..18_300.0).contains(&latency), "{latency}");
    assert_eq!(metric(&store, "OperationsPendingReplication", 1).await, Some(1.0));
    assert_eq!(metric(&store, "BytesPendingReplication", 1).await, Some(1.0));
    for key in ["f1", "f2"] {
        store.put(BUCKET, key, "hello").await;
    }
    store.lab.sleep(200).await;
    let failed = metric(&store, "OperationsFailedReplication", 4).await.expect("some failed");
    assert!(failed >= 1.0, "{failed}");
    let listed = store.lab.metrics.list_metrics().namespace("AWS/S3").send().await.expect("listed");
    assert_eq!(listed.metrics().len(), 4, "of the rule that has metrics");
}

#[tokio::test(start_paused = true)]
async fn changes_of_tags_follow() {
    let store = Store::new(&[]);
    store.put(BUCKET, "k", "1").await;
    store.lab.sleep(300).await;
    let tag = Tag::builder().key("tier").value("gold").build().expect("a tag");
    let tags = Tagging::builder().tag_set(tag).build().expect("tags");
    let set = store.east.put_object_tagging().bucket(BUCKET).key("k").tagging(tags);
    set.send().await.expect("set");
    assert_eq!(store.status("k").await.as_deref(), Some("PENDING"));
    store.lab.sleep(300).await;
    let found = store.west.get_object_tagging().bucket(COPY).key("k").send().await.expect("tags");
    assert_eq!(found.tag_set()[0].value(), "gold");
    assert_eq!(
        listed(&store.west, COPY, 10).await.iter().filter(|(key, ..)| key == "k").count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn old_objects_follow_when_a_rule_says_so() {
    let store = Store::new(&[]);
    assert_eq!(store.status("a/before.txt").await, None);
    let on = ExistingObjectReplicationStatus::Enabled;
    let off = DeleteMarkerReplicationStatus::Disabled;
    let to =
        Destination::builder().bucket(format!("arn:aws:s3:::{COPY}")).build().expect("a bucket");
    let rule = ReplicationRule::builder()
        .id("old")
        .priority(1)
        .filter(ReplicationRuleFilter::builder().prefix("a/").build())
        .existing_object_replication(
            ExistingObjectReplication::builder().status(on).build().expect("on"),
        )
        .delete_marker_replication(DeleteMarkerReplication::builder().status(off).build())
        .status(ReplicationRuleStatus::Enabled)
        .destination(to)
        .build()
        .expect("a rule");
    let all = ReplicationConfiguration::builder().role("arn:aws:iam::123456789012:role/r");
    let all = all.rules(rule).build().expect("rules");
    let put = store.east.put_bucket_replication().bucket(BUCKET).replication_configuration(all);
    put.send().await.expect("put");
    store.lab.sleep(600).await;
    assert_eq!(store.status("a/before.txt").await.as_deref(), Some("COMPLETED"));
    assert_eq!(text(&store.west, COPY, "a/before.txt", None).await.as_deref(), Ok("w"));
    assert_eq!(store.status("old.bin").await, None, "it has another prefix");
}
