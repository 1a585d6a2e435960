//! Configuration of buckets: as the estate says it, as it is put, and what is refused.
//!
//! **Invariant:** what the estate describes is read as if somebody had put it.

use super::{Store, client};
use crate::sim::tests::support::code;
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination,
    PublicAccessBlockConfiguration, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleFilter, ReplicationRuleStatus, ServerSideEncryption,
};

const BUCKET: &str = "shop-documents";

#[tokio::test(start_paused = true)]
async fn the_estates_facts_are_read_back() {
    let store = Store::new(&[]);
    let found = store.east.get_bucket_replication().bucket(BUCKET).send().await.expect("rules");
    let rules = found.replication_configuration().expect("a configuration").rules();
    let ids: Vec<_> = rules.iter().map(|rule| (rule.id(), rule.priority())).collect();
    assert_eq!(ids, [(Some("all"), Some(1)), (Some("logs"), Some(7))]);
    let all = rules[0].destination().expect("a destination");
    assert_eq!(all.bucket(), "arn:aws:s3:::shop-documents-west");
    assert_eq!(
        all.replication_time().and_then(|it| it.time()).and_then(|it| it.minutes()),
        Some(15)
    );
    let key = all.encryption_configuration().and_then(|it| it.replica_kms_key_id());
    assert_eq!(key, Some("alias/west"));
    assert_eq!(rules[1].filter().and_then(ReplicationRuleFilter::prefix), Some("logs/"));
    let found = store.east.get_bucket_encryption().bucket(BUCKET).send().await.expect("encrypted");
    let rule = &found.server_side_encryption_configuration().expect("one").rules()[0];
    let by = rule.apply_server_side_encryption_by_default().expect("a default").sse_algorithm();
    assert_eq!(by, &ServerSideEncryption::Aes256);
    let key = store.lab.kms.describe_key().key_id("alias/documents").send().await.expect("a key");
    assert!(key.key_metadata().is_some_and(|key| key.enabled()));
    let vault = store.east.get_bucket_encryption().bucket("shop-vault").send().await.expect("told");
    let rule = &vault.server_side_encryption_configuration().expect("one").rules()[0];
    let by = rule.apply_server_side_encryption_by_default().expect("a default");
    assert_eq!(by.kms_master_key_id(), Some("alias/documents"));
    let block = store.east.get_public_access_block().bucket(BUCKET).send().await.expect("blocked");
    let block = block.public_access_block_configuration().expect("one");
    assert_eq!(
        (block.block_public_acls(), block.restrict_public_buckets()),
        (Some(true), Some(true))
    );
    let lock = store.east.get_object_lock_configuration().bucket("shop-vault").send().await;
    let lock = lock.expect("locked").object_lock_configuration().cloned().expect("one");
    let days = lock.rule().and_then(|rule| rule.default_retention()).and_then(|it| it.days());
    assert_eq!(days, Some(10));
    let rules = store.east.get_bucket_lifecycle_configuration().bucket("shop-aged").send().await;
    assert_eq!(rules.expect("rules").rules()[0].expiration().and_then(|it| it.days()), Some(20));
    let found = store.east.list_bucket_inventory_configurations().bucket(BUCKET).send().await;
    assert_eq!(found.expect("told").inventory_configuration_list().len(), 1);
    let owner = store.east.get_bucket_ownership_controls().bucket(BUCKET).send().await;
    owner.expect("owned by the bucket's owner");
    let place = client(&store.lab, "us-west-2").head_bucket().bucket("shop-documents-west").send();
    assert_eq!(place.await.expect("there").bucket_region(), Some("us-west-2"));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_put_is_told_by_its_own_code() {
    let store = Store::new(&[]);
    let bucket = "shop-plain";
    let east = &store.east;
    assert_eq!(
        code(east.get_bucket_replication().bucket(bucket).send().await),
        "ReplicationConfigurationNotFoundError"
    );
    assert_eq!(
        code(east.get_object_lock_configuration().bucket(bucket).send().await),
        "ObjectLockConfigurationNotFoundError"
    );
    assert_eq!(
        code(east.get_bucket_lifecycle_configuration().bucket(bucket).send().await),
        "NoSuchLifecycleConfiguration"
    );
    assert_eq!(
        code(east.get_bucket_policy_status().bucket(bucket).send().await),
        "NoSuchBucketPolicy"
    );
    assert_eq!(code(east.get_bucket_replication().bucket("nobody").send().await), "NoSuchBucket");
    let versioning = east.get_bucket_versioning().bucket(bucket).send().await.expect("told");
    assert_eq!(versioning.status(), None);
    east.delete_public_access_block().bucket(bucket).send().await.expect("open");
    assert_eq!(
        code(east.get_public_access_block().bucket(bucket).send().await),
        "NoSuchPublicAccessBlockConfiguration"
    );
    let there = client(&store.lab, "us-west-2");
    assert_eq!(
        code(there.get_bucket_versioning().bucket(bucket).send().await),
        "PermanentRedirect"
    );
}

#[tokio::test(start_paused = true)]
async fn policies_are_public_or_not() {
    let store = Store::new(&[]);
    let put =
        |policy: &str| store.east.put_bucket_policy().bucket("shop-plain").policy(policy).send();
    let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#;
    assert_eq!(code(put("{").await), "MalformedPolicy");
    assert_eq!(code(put(open).await), "AccessDenied", "public policies are blocked");
    let block = PublicAccessBlockConfiguration::builder().block_public_policy(false).build();
    let set = store.east.put_public_access_block().bucket("shop-plain");
    set.public_access_block_configuration(block).send().await.expect("unblocked");
    put(open).await.expect("put");
    let status = store.east.get_bucket_policy_status().bucket("shop-plain").send().await;
    assert_eq!(status.expect("told").policy_status().and_then(|it| it.is_public()), Some(true));
    put(&open.replace("\"*\",\"Action", "{\"AWS\":\"arn:aws:iam::1:root\"},\"Action"))
        .await
        .expect("put");
    let status = store.east.get_bucket_policy_status().bucket("shop-plain").send().await;
    assert_eq!(status.expect("told").policy_status().and_then(|it| it.is_public()), Some(false));
}

fn rule(id: &str, to: &str, priority: i32) -> ReplicationRule {
    let to = Destination::builder().bucket(format!("arn:aws:s3:::{to}")).build().expect("a bucket");
    let off =
        DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Disabled).build();
    ReplicationRule::builder()
        .id(id)
        .priority(priority)
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .delete_marker_replication(off)
        .status(ReplicationRuleStatus::Enabled)
        .destination(to)
        .build()
        .expect("a rule")
}

#[tokio::test(start_paused = true)]
async fn rules_that_cannot_work_are_refused() {
    let store = Store::new(&[]);
    let put = |bucket: &str, rules: Vec<ReplicationRule>| {
        let all = ReplicationConfiguration::builder().role("arn:aws:iam::123456789012:role/r");
        let all = all.set_rules(Some(rules)).build().expect("rules");
        store.east.put_bucket_replication().bucket(bucket).replication_configuration(all).send()
    };
    assert_eq!(
        code(put("shop-plain", vec![rule("a", "shop-cold", 1)]).await),
        "InvalidRequest",
        "no versions"
    );
    assert_eq!(
        code(put(BUCKET, vec![rule("a", "shop-plain", 1)]).await),
        "InvalidRequest",
        "none there"
    );
    assert_eq!(code(put(BUCKET, vec![rule("a", "nobody", 1)]).await), "InvalidRequest");
    let same = vec![rule("a", "shop-cold", 1), rule("b", "shop-cold", 1)];
    assert_eq!(code(put(BUCKET, same).await), "InvalidRequest", "one priority");
    let same = vec![rule("a", "shop-cold", 1), rule("a", "shop-cold", 2)];
    assert_eq!(code(put(BUCKET, same).await), "InvalidArgument", "one id");
    // Objects that KMS encrypts are replicated only when the rule says so.
    put("shop-vault", vec![rule("a", "shop-cold", 1)]).await.expect("taken");
    store.put("shop-vault", "secret", "x").await;
    let plain = store.east.put_object().bucket("shop-vault").key("k");
    let plain = plain.server_side_encryption(ServerSideEncryption::Aes256);
    plain.body(aws_sdk_s3::primitives::ByteStream::from_static(b"x")).send().await.expect("put");
    store.lab.sleep(600).await;
    let cold = client(&store.lab, "eu-west-1");
    assert_eq!(super::text(&cold, "shop-cold", "k", None).await.as_deref(), Ok("x"));
    let secret = super::text(&cold, "shop-cold", "secret", None).await;
    assert_eq!(secret, Err("NoSuchKey".to_owned()));
    store.east.delete_bucket_replication().bucket("shop-vault").send().await.expect("removed");
    store.put("shop-vault", "l", "x").await;
    store.lab.sleep(600).await;
    assert_eq!(super::text(&cold, "shop-cold", "l", None).await, Err("NoSuchKey".to_owned()));
}
