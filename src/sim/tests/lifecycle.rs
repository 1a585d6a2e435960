//! A restore from the call to `available`, and what it keeps and loses.

use super::support::{Lab, minutes, sdk_time};
use aws_sdk_rds::types::{SourceType, Tag};

#[tokio::test(start_paused = true)]
async fn a_restore_is_created_backed_up_and_available() {
    let lab = Lab::new(&[]);
    let started = lab.clock.now();
    lab.restore("copy", minutes(30)).await.expect("accepted");
    lab.sleep(5).await;
    let seen = lab.instance("copy").await;
    assert_eq!(seen.db_instance_status(), Some("creating"));
    assert!(seen.endpoint().is_none() && seen.latest_restorable_time().is_none());
    let mut statuses = vec!["creating".to_owned()];
    let done = loop {
        let seen = lab.instance("copy").await;
        let status = seen.db_instance_status().expect("a status").to_owned();
        if statuses.last() != Some(&status) {
            statuses.push(status.clone());
        }
        match status.as_str() {
            "available" => break seen,
            "creating" => assert!(seen.endpoint().is_none()),
            _ => assert!(seen.endpoint().is_some()),
        }
        lab.sleep(15).await;
    };
    assert_eq!(statuses, ["creating", "backing-up", "available"]);
    let took = (lab.clock.now() - started).num_seconds();
    assert!((500..2400).contains(&took), "{took} s");
    assert!(done.latest_restorable_time().is_some());
    assert_eq!(done.storage_operation_status(), Some("Initializing"));
    let percent = done.storage_operation_percent_progress().expect("progress");
    assert!((1..100).contains(&percent), "{percent}");
    lab.sleep(3 * 3600).await;
    assert_eq!(lab.instance("copy").await.storage_operation_status(), None);
}

#[tokio::test(start_paused = true)]
async fn a_restore_loses_what_rds_loses() {
    let lab = Lab::new(&[]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    let (copy, source) = (lab.until("copy", "available").await, lab.instance("shop-orders").await);
    assert_eq!(
        copy.db_subnet_group().and_then(|group| group.db_subnet_group_name()),
        Some("default")
    );
    assert_eq!(copy.db_parameter_groups()[0].db_parameter_group_name(), Some("default.postgres15"));
    assert_ne!(copy.vpc_security_groups()[0].vpc_security_group_id(), Some("sg-shop"));
    assert_eq!(copy.multi_az(), Some(false));
    assert_eq!(copy.deletion_protection(), Some(false));
    assert_eq!(copy.publicly_accessible(), Some(true), "the default VPC is public");
    assert!(copy.enabled_cloudwatch_logs_exports().is_empty());
    assert_eq!(copy.copy_tags_to_snapshot(), Some(false));
    // kept
    assert_eq!(copy.kms_key_id(), source.kms_key_id());
    assert_eq!(copy.backup_retention_period(), source.backup_retention_period());
    assert_eq!(copy.db_instance_class(), source.db_instance_class());
    assert_eq!(copy.tag_list(), source.tag_list());
    assert_ne!(copy.dbi_resource_id(), source.dbi_resource_id());
    assert_eq!(copy.storage_encrypted(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_restore_takes_what_the_call_names() {
    let lab = Lab::new(&[]);
    lab.rds
        .restore_db_instance_to_point_in_time()
        .source_db_instance_identifier("shop-orders")
        .target_db_instance_identifier("copy")
        .restore_time(sdk_time(lab.clock.now() - minutes(30)))
        .db_subnet_group_name("shop-private")
        .vpc_security_group_ids("sg-shop")
        .db_parameter_group_name("shop-pg15")
        .db_instance_class("db.t3.medium")
        .publicly_accessible(false)
        .deletion_protection(true)
        .backup_retention_period(0)
        .tags(Tag::builder().key("drctl:run").value("r1").build())
        .send()
        .await
        .expect("accepted");
    let copy = lab.until("copy", "available").await;
    assert_eq!(copy.vpc_security_groups()[0].vpc_security_group_id(), Some("sg-shop"));
    assert_eq!(copy.db_parameter_groups()[0].db_parameter_group_name(), Some("shop-pg15"));
    assert_eq!(copy.db_instance_class(), Some("db.t3.medium"));
    assert_eq!((copy.publicly_accessible(), copy.deletion_protection()), (Some(false), Some(true)));
    assert_eq!(copy.tag_list().len(), 1, "given tags replace the source's");
    assert_eq!(copy.latest_restorable_time(), None, "no backups, no restorable time");
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_story_when_it_happens() {
    let lab = Lab::new(&[]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    let messages = async || -> Vec<String> {
        let events = lab
            .rds
            .describe_events()
            .source_identifier("copy")
            .source_type(SourceType::DbInstance)
            .duration(1440)
            .send()
            .await
            .expect("events");
        events.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect()
    };
    assert!(messages().await.is_empty(), "nothing happened yet");
    lab.until("copy", "available").await;
    assert_eq!(
        messages().await,
        [
            "Backing up DB instance",
            "DB instance created",
            "Restored from DB instance shop-orders to copy",
            "Finished DB instance backup",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn reads_are_stale_after_a_mutation() {
    let lab = Lab::new(&["stale-read=60"]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    assert!(lab.find("copy").await.is_none(), "not there yet for readers");
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("DBInstanceAlreadyExists".to_owned()));
    lab.sleep(61).await;
    assert!(lab.find("copy").await.is_some());

    let lab = Lab::new(&[]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    lab.sleep(4).await;
    assert!(lab.find("copy").await.is_some(), "without the fault, only for seconds");
}

#[tokio::test(start_paused = true)]
async fn deletion_runs_its_course() {
    let lab = Lab::new(&[]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    lab.until("copy", "available").await;
    let delete = || lab.rds.delete_db_instance().db_instance_identifier("copy");
    delete().skip_final_snapshot(true).send().await.expect("accepted");
    lab.sleep(5).await;
    assert_eq!(lab.instance("copy").await.db_instance_status(), Some("deleting"));
    let again = delete().skip_final_snapshot(true).send().await.expect_err("twice");
    let again = again.into_service_error();
    assert_eq!(again.meta().code(), Some("InvalidDBInstanceState"));
    assert_eq!(again.meta().message(), Some("Instance copy is already being deleted."));
    lab.sleep(900).await;
    assert!(lab.find("copy").await.is_none());
    let names: Vec<String> =
        lab.simulator.mutations().into_iter().map(|record| record.operation).collect();
    assert_eq!(names, ["RestoreDBInstanceToPointInTime", "DeleteDBInstance"]);
}
