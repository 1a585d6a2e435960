//! Snapshots and their copies, in the same region and in another.

use super::support::{ESTATE, Lab, minutes, refused};
use crate::estate;
use crate::sim::{SimOptions, Simulator};
use aws_sdk_rds::types::{DbSnapshot, Filter, SourceType, Tag};

const MINE: &str = "arn:aws:rds:us-east-1:123456789012:snapshot:mine";

type Copy = aws_sdk_rds::operation::copy_db_snapshot::builders::CopyDBSnapshotFluentBuilder;

fn copy(rds: &aws_sdk_rds::Client, source: &str, target: &str) -> Copy {
    rds.copy_db_snapshot()
        .source_db_snapshot_identifier(source)
        .target_db_snapshot_identifier(target)
}

async fn snapshot(rds: &aws_sdk_rds::Client, id: &str) -> DbSnapshot {
    let found = rds.describe_db_snapshots().db_snapshot_identifier(id).send().await;
    found.expect(id).db_snapshots()[0].clone()
}

impl Lab {
    /// Takes snapshot `id` of `of` and waits for it.
    async fn take(&self, id: &str, of: &str) {
        let call = self.rds.create_db_snapshot().db_snapshot_identifier(id);
        call.db_instance_identifier(of).send().await.expect("accepted");
        self.sleep(5).await;
        self.until(of, "available").await;
    }

    async fn copied(&self, rds: &aws_sdk_rds::Client, id: &str) -> Vec<String> {
        let mut statuses: Vec<String> = Vec::new();
        for _ in 0..4000 {
            let seen = snapshot(rds, id).await;
            let status = seen.status().expect("a status").to_owned();
            let percent = seen.percent_progress().expect("progress");
            assert_eq!(percent == 100, status == "available", "{status} at {percent} %");
            assert_eq!(seen.snapshot_create_time().is_some(), status == "available");
            if statuses.last() != Some(&status) {
                statuses.push(status.clone());
            }
            if status == "available" {
                return statuses;
            }
            self.sleep(4).await;
        }
        panic!("{id} is never available: {statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_another_region_restores_there() {
    let lab = Lab::new(&[]);
    let west = lab.rds_in("us-west-2");
    lab.take("mine", "shop-orders").await;
    let cases: Vec<(&str, Copy)> = vec![
        ("DBSnapshotNotFound", copy(&west, "mine", "theirs").kms_key_id("alias/aws/rds")),
        ("InvalidParameterValue", copy(&west, MINE, "theirs")),
        ("KMSKeyNotAccessibleFault", copy(&west, MINE, "theirs").kms_key_id("alias/shop")),
        ("InvalidParameterValue", copy(&west, MINE, "a--b").kms_key_id("alias/aws/rds")),
        ("DBSnapshotNotFound", copy(&west, &MINE.replace("mine", "none"), "theirs")),
    ];
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    let (_, message) = refused(copy(&west, MINE, "theirs").send()).await;
    assert_eq!(message, "Must specify new KMS key for cross region encrypted snapshot copy.");
    let go = || copy(&west, MINE, "theirs").kms_key_id("alias/aws/rds");
    go().send().await.expect("accepted");
    assert_eq!(refused(go().send()).await.0, "DBSnapshotAlreadyExists");
    let early = west.restore_db_instance_from_db_snapshot().db_snapshot_identifier("theirs");
    let early = early.db_instance_identifier("back").send();
    assert_eq!(refused(early).await.0, "InvalidDBSnapshotState");
    lab.sleep(4).await;
    assert_eq!(lab.copied(&west, "theirs").await, ["pending", "creating", "available"]);
    let (original, theirs) = (snapshot(&lab.rds, "mine").await, snapshot(&west, "theirs").await);
    assert_eq!(theirs.source_region(), Some("us-east-1"));
    assert_eq!(theirs.source_db_snapshot_identifier(), Some(MINE));
    assert_eq!(theirs.original_snapshot_create_time(), original.snapshot_create_time());
    assert_ne!(theirs.snapshot_create_time(), original.snapshot_create_time());
    assert!(theirs.kms_key_id().expect("a key").starts_with("arn:aws:kms:us-west-2:"));
    assert_eq!(theirs.snapshot_type(), Some("manual"));
    assert!(theirs.tag_list().is_empty(), "tags are not copied unless asked for");
    // The first copy is whole, the next one of the same instance only what has changed.
    let whole = lab.clock.now();
    go().target_db_snapshot_identifier("later").send().await.expect("accepted");
    lab.sleep(4).await;
    lab.copied(&west, "later").await;
    assert!(lab.clock.now() - whole < minutes(12), "incremental");

    let restore = west.restore_db_instance_from_db_snapshot().db_snapshot_identifier("theirs");
    restore.db_instance_identifier("back").send().await.expect("accepted");
    lab.course(&west, "back", "available").await;
    let found = west.describe_db_instances().send().await.expect("instances");
    let back = &found.db_instances()[0];
    assert_eq!(back.kms_key_id(), theirs.kms_key_id());
    assert_eq!(back.db_parameter_groups()[0].db_parameter_group_name(), Some("default.postgres15"));
    assert_eq!((back.multi_az(), back.deletion_protection()), (Some(false), Some(false)));
    let told = lab.told(&west, SourceType::DbSnapshot, "theirs").await;
    assert_eq!(
        told,
        [
            "Started copy of snapshot theirs from region us-east-1",
            "Finished copy of snapshot theirs from region us-east-1",
            "Restored from snapshot"
        ]
    );
    west.delete_db_snapshot().db_snapshot_identifier("theirs").send().await.expect("deleted");
    lab.sleep(4).await;
    let gone = west.describe_db_snapshots().db_snapshot_identifier("theirs").send();
    assert_eq!(refused(gone).await.0, "DBSnapshotNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_the_same_region_keeps_or_gains_encryption() {
    let lab = Lab::new(&[]);
    lab.take("mine", "shop-orders").await;
    lab.take("plain", "shop-stock").await;
    let own = snapshot(&lab.rds, "mine").await;
    for (source, target, key) in [
        ("mine", "same-key", None),
        ("mine", "other-key", Some("alias/aws/rds")),
        ("plain", "still-plain", None),
        ("plain", "now-encrypted", Some("alias/shop")),
    ] {
        let call = copy(&lab.rds, source, target).set_kms_key_id(key.map(str::to_owned));
        call.send().await.unwrap_or_else(|error| panic!("{target}: {error:?}"));
    }
    lab.sleep(3600).await;
    let key = async |id: &str| snapshot(&lab.rds, id).await.kms_key_id().map(str::to_owned);
    assert_eq!(key("same-key").await.as_deref(), own.kms_key_id());
    assert!(key("other-key").await.is_some_and(|key| Some(key.as_str()) != own.kms_key_id()));
    assert_eq!(key("still-plain").await, None);
    assert_eq!(key("now-encrypted").await.as_deref(), own.kms_key_id());
    // Automated snapshots can be copied and then are manual; they cannot be deleted.
    let daily = lab.rds.describe_db_snapshots().snapshot_type("automated").send().await;
    let daily = daily.expect("snapshots").db_snapshots()[0].clone();
    let id = daily.db_snapshot_identifier().expect("an id");
    copy(&lab.rds, id, "kept").send().await.expect("accepted");
    let delete = lab.rds.delete_db_snapshot().db_snapshot_identifier(id).send();
    assert_eq!(refused(delete).await.0, "InvalidDBSnapshotState");
    lab.sleep(1800).await;
    let kept = snapshot(&lab.rds, "kept").await;
    assert_eq!(kept.snapshot_type(), Some("manual"));
    assert_eq!(kept.original_snapshot_create_time(), daily.snapshot_create_time());
}

#[tokio::test(start_paused = true)]
async fn tags_go_along_when_asked_for_and_system_tags_never() {
    let text = ESTATE.replace("tier: critical", "\"aws:cloudformation:stack-name\": shop");
    let estate = estate::load("shop.yaml", &text).expect("a valid estate");
    let world = Simulator::create(&estate, &estate.environments["sim"], SimOptions::default());
    let lab = Lab::with(world.expect("a world"), 1);
    lab.take("mine", "shop-orders").await;
    lab.take("stock", "shop-stock").await;
    let arn = "arn:aws:rds:us-east-1:123456789012:snapshot:stock";
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    lab.rds.add_tags_to_resource().resource_name(arn).tags(tag("a")).send().await.expect("ok");
    let system = copy(&lab.rds, "mine", "c1").copy_tags(true);
    assert_eq!(refused(system.send()).await.0, "InvalidParameterValue");
    let own = copy(&lab.rds, "stock", "c2").tags(tag("aws:mine"));
    assert_eq!(refused(own.send()).await.0, "InvalidParameterValue");
    copy(&lab.rds, "mine", "c1").send().await.expect("without tags");
    copy(&lab.rds, "stock", "c2").copy_tags(true).tags(tag("b")).send().await.expect("with both");
    lab.sleep(1800).await;
    assert!(snapshot(&lab.rds, "c1").await.tag_list().is_empty());
    let keys: Vec<String> = snapshot(&lab.rds, "c2")
        .await
        .tag_list()
        .iter()
        .filter_map(|tag| tag.key().map(str::to_owned))
        .collect();
    assert_eq!(keys, ["a", "b"]);
    // A restore leaves system tags behind.
    lab.restore("copy", minutes(30)).await.expect("accepted");
    lab.sleep(5).await;
    let keys: Vec<String> = lab
        .instance("copy")
        .await
        .tag_list()
        .iter()
        .filter_map(|tag| tag.key().map(str::to_owned))
        .collect();
    assert_eq!(keys, ["service"]);
}

#[tokio::test(start_paused = true)]
async fn twenty_copies_at_a_time_and_a_hundred_snapshots() {
    let lab = Lab::new(&[]);
    lab.take("mine", "shop-stock").await;
    for at in 0..20 {
        copy(&lab.rds, "mine", &format!("c{at}")).send().await.expect("accepted");
    }
    let one_more = || copy(&lab.rds, "mine", "c20");
    assert_eq!(refused(one_more().send()).await.0, "SnapshotQuotaExceeded");
    lab.sleep(1800).await;
    one_more().send().await.expect("there is room again");
    for batch in 0..4 {
        lab.sleep(1800).await;
        for at in 0..20 {
            let call = copy(&lab.rds, "mine", &format!("d{batch}-{at}"));
            if let Err(error) = call.send().await {
                let code = error.into_service_error().meta().code().map(str::to_owned);
                assert_eq!(code.as_deref(), Some("SnapshotQuotaExceeded"));
                assert_eq!((batch, at), (3, 18), "twenty-two and seventy-eight");
                let quotas = lab.rds.describe_account_attributes().send().await.expect("quotas");
                let manual = quotas
                    .account_quotas()
                    .iter()
                    .find(|quota| quota.account_quota_name() == Some("ManualSnapshots"));
                let manual = manual.expect("a quota");
                assert_eq!((manual.used(), manual.max()), (Some(100), Some(100)));
                return;
            }
        }
    }
    panic!("more than a hundred snapshots");
}

#[tokio::test(start_paused = true)]
async fn filters_and_attributes() {
    let lab = Lab::new(&[]);
    lab.take("mine", "shop-stock").await;
    let ask = async |name: &str, value: &str| {
        let filter = Filter::builder().name(name).values(value).build();
        let found = lab.rds.describe_db_snapshots().filters(filter).send().await;
        found.map(|found| found.db_snapshots().len()).map_err(|error| {
            let meta = error.into_service_error();
            meta.meta().code().map(str::to_owned).unwrap_or_default()
        })
    };
    assert_eq!(ask("db-snapshot-id", "MINE").await, Ok(1));
    assert_eq!(ask("db-instance-id", "shop-stock").await, Ok(8));
    assert_eq!(ask("snapshot-type", "manual").await, Ok(1));
    assert_eq!(ask("engine", "mysql").await, Ok(0));
    assert_eq!(ask("colour", "blue").await, Err("InvalidParameterValue".to_owned()));
    for kind in ["shared", "public", "awsbackup"] {
        let none = lab.rds.describe_db_snapshots().snapshot_type(kind).send().await;
        assert!(none.expect(kind).db_snapshots().is_empty());
    }
    let attributes = lab.rds.describe_db_snapshot_attributes().db_snapshot_identifier("mine");
    let attributes = attributes.send().await.expect("attributes");
    let result = attributes.db_snapshot_attributes_result().expect("a result");
    assert_eq!(result.db_snapshot_identifier(), Some("mine"));
    assert_eq!(result.db_snapshot_attributes()[0].attribute_name(), Some("restore"));
    assert!(result.db_snapshot_attributes()[0].attribute_values().is_empty());
}
