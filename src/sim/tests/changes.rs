//! Modifications: new names, the maintenance window, versions and storage.

use super::support::{Lab, epoch, refused};
use crate::sim::{SimAccess, SimQuery};
use aws_sdk_rds::types::SourceType;
use chrono::TimeDelta;

type Modify = aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;

fn modify(lab: &Lab, id: &str) -> Modify {
    lab.rds.modify_db_instance().db_instance_identifier(id)
}

#[tokio::test(start_paused = true)]
async fn a_renamed_instance_is_the_same_under_another_name() {
    let lab = Lab::new(&[]);
    let before = lab.instance("shop-orders").await;
    let rename = modify(&lab, "shop-orders").new_db_instance_identifier("Orders-New");
    let answer = rename.apply_immediately(true).send().await.expect("accepted");
    let pending = answer.db_instance().and_then(|of| of.pending_modified_values());
    assert_eq!(pending.and_then(|of| of.db_instance_identifier()), Some("orders-new"));
    // The new name is taken from now on.
    let other = modify(&lab, "shop-stock").new_db_instance_identifier("orders-new");
    assert_eq!(refused(other.send()).await.0, "DBInstanceAlreadyExists");
    let course = lab.course(&lab.rds, "shop-orders", "DBInstanceNotFound").await;
    assert_eq!(course, ["available", "renaming", "DBInstanceNotFound"]);
    lab.until("orders-new", "available").await;
    let after = lab.instance("orders-new").await;
    assert_eq!(after.dbi_resource_id(), before.dbi_resource_id());
    assert_eq!(after.tag_list(), before.tag_list());
    assert!(after.db_instance_arn().expect("an ARN").ends_with(":db:orders-new"));
    let address = |of: &aws_sdk_rds::types::DbInstance| {
        of.endpoint().and_then(|endpoint| endpoint.address()).map(str::to_owned)
    };
    assert_ne!(address(&after), address(&before));
    // The old name resolves no more, the new one not yet: "in about ten minutes".
    let reached = |host: Option<String>| {
        let query = SimQuery {
            host: host.expect("an address"),
            port: 5432,
            database: "orders".to_owned(),
            user: "orders_admin".to_owned(),
            password: "wrong".to_owned().into(),
            statement: "SELECT 1".to_owned(),
            access: SimAccess::ReadOnly,
        };
        let refused = lab.simulator.query(&query, lab.clock.now()).expect_err("wrong password");
        refused.code() == Some("28P01")
    };
    assert!(!reached(address(&before)) && !reached(address(&after)));
    lab.sleep(600).await;
    assert!(!reached(address(&before)) && reached(address(&after)));
    let replica = lab.instance("shop-orders-replica").await;
    assert_eq!(replica.read_replica_source_db_instance_identifier(), Some("orders-new"));
    assert_eq!(after.read_replica_db_instance_identifiers(), ["shop-orders-replica"]);
    let told = lab.told(&lab.rds, SourceType::DbInstance, "orders-new").await;
    assert!(told.contains(&"DB instance restarted".to_owned()), "{told:?}");
    // The old name is free, and a tag on the new ARN is a tag on the instance.
    let again = modify(&lab, "shop-stock").new_db_instance_identifier("shop-orders");
    again.apply_immediately(true).send().await.expect("the old name is free");
}

#[tokio::test(start_paused = true)]
async fn renames_are_refused_where_rds_refuses_them() {
    let lab = Lab::new(&[]);
    for (to, code) in [("shop-STOCK", "DBInstanceAlreadyExists"), ("1a", "InvalidParameterValue")] {
        let call = modify(&lab, "shop-orders").new_db_instance_identifier(to);
        assert_eq!(refused(call.send()).await.0, code, "{to}");
    }
    let gone = modify(&lab, "nope").new_db_instance_identifier("x");
    assert_eq!(refused(gone.send()).await.0, "DBInstanceNotFound");
    assert!(lab.simulator.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_immediate_waits_for_the_maintenance_window() {
    let lab = Lab::new(&[]);
    modify(&lab, "shop-stock").db_instance_class("db.r6g.xlarge").send().await.expect("accepted");
    modify(&lab, "shop-stock").allocated_storage(200).send().await.expect("and another");
    modify(&lab, "shop-stock").deletion_protection(true).send().await.expect("at once");
    // The world begins on a Thursday; the window is on Sunday at 05:00.
    let opens = epoch() + TimeDelta::hours(68);
    lab.sleep(60 * 3600).await;
    let waiting = lab.instance("shop-stock").await;
    let pending = waiting.pending_modified_values().expect("pending");
    assert_eq!(pending.db_instance_class(), Some("db.r6g.xlarge"));
    assert_eq!(pending.allocated_storage(), Some(200));
    assert_eq!(waiting.db_instance_status(), Some("available"));
    assert_eq!(waiting.preferred_maintenance_window(), Some("sun:05:00-sun:05:30"));
    let until = (opens - lab.clock.now()).num_seconds() as u64;
    lab.sleep(until + 20).await;
    assert_eq!(lab.instance("shop-stock").await.db_instance_status(), Some("modifying"));
    lab.sleep(300).await;
    let done = lab.instance("shop-stock").await;
    assert_eq!(done.db_instance_class(), Some("db.r6g.xlarge"));
    assert_eq!((done.allocated_storage(), done.deletion_protection()), (Some(200), Some(true)));
    assert_eq!(done.db_instance_status(), Some("storage-optimization"));
    assert_eq!(done.pending_modified_values().and_then(|of| of.db_instance_class()), None);
    // Storage rests for a while; snapshots and other changes do not.
    let more = modify(&lab, "shop-stock").allocated_storage(400).apply_immediately(true);
    assert_eq!(refused(more.send()).await.0, "InvalidParameterCombination");
    let snapshot = lab.rds.create_db_snapshot().db_snapshot_identifier("during");
    snapshot.db_instance_identifier("shop-stock").send().await.expect("taken");
    lab.sleep(4 * 3600).await;
    assert_eq!(lab.instance("shop-stock").await.db_instance_status(), Some("available"));
}

#[tokio::test(start_paused = true)]
async fn the_next_immediate_change_takes_along_what_waits() {
    let lab = Lab::new(&[]);
    modify(&lab, "shop-stock").db_instance_class("db.r6g.xlarge").send().await.expect("accepted");
    let now = modify(&lab, "shop-stock").multi_az(true).apply_immediately(true);
    now.send().await.expect("accepted");
    assert_eq!(
        lab.course(&lab.rds, "shop-stock", "available").await,
        ["available", "modifying", "available"]
    );
    let done = lab.instance("shop-stock").await;
    assert_eq!((done.db_instance_class(), done.multi_az()), (Some("db.r6g.xlarge"), Some(true)));
    assert!(done.secondary_availability_zone().is_some());
    lab.sleep(7 * 86_400).await;
    let names: Vec<String> =
        lab.simulator.mutations().into_iter().map(|record| record.effect).collect();
    assert_eq!(names, ["modified: class", "modified: Multi-AZ, class"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_instance_waits_for_another_window() {
    let lab = Lab::new(&[]);
    modify(&lab, "shop-stock").db_instance_class("db.r6g.xlarge").send().await.expect("accepted");
    lab.sleep(67 * 3600).await;
    lab.rds.stop_db_instance().db_instance_identifier("shop-stock").send().await.expect("ok");
    lab.sleep(3 * 3600).await;
    let stopped = lab.instance("shop-stock").await;
    assert_eq!(stopped.db_instance_status(), Some("stopped"));
    assert_ne!(stopped.db_instance_class(), Some("db.r6g.xlarge"));
    lab.rds.start_db_instance().db_instance_identifier("shop-stock").send().await.expect("ok");
    lab.sleep(7 * 86_400).await;
    assert_eq!(lab.instance("shop-stock").await.db_instance_class(), Some("db.r6g.xlarge"));
}

#[tokio::test(start_paused = true)]
async fn versions_go_up_and_major_ones_only_when_allowed() {
    let lab = Lab::new(&[]);
    let to =
        |version: &str| modify(&lab, "shop-stock").engine_version(version).apply_immediately(true);
    for (version, why) in [("15.2", "older"), ("99.1", "unknown"), ("16.4", "major, not allowed")] {
        assert_eq!(refused(to(version).send()).await.0, "InvalidParameterCombination", "{why}");
    }
    to("16.4").allow_major_version_upgrade(true).send().await.expect("accepted");
    assert_eq!(
        lab.course(&lab.rds, "shop-stock", "available").await,
        ["available", "upgrading", "available"]
    );
    assert_eq!(lab.instance("shop-stock").await.engine_version(), Some("16.4"));
}

#[tokio::test(start_paused = true)]
async fn values_that_rds_does_not_take() {
    let lab = Lab::new(&[]);
    let call = || modify(&lab, "shop-orders").apply_immediately(true);
    let cases: Vec<(&str, Modify)> = vec![
        ("InvalidParameterCombination", call()),
        ("InvalidParameterValue", call().monitoring_interval(7)),
        ("InvalidParameterValue", call().storage_type("tape")),
        ("InvalidParameterValue", call().preferred_backup_window("03:00-03:10")),
        ("InvalidParameterValue", call().preferred_maintenance_window("never")),
        ("InvalidParameterValue", call().backup_retention_period(36)),
        ("InvalidParameterValue", call().allocated_storage(101)),
        ("InvalidParameterValue", call().db_port_number(22)),
        ("InvalidParameterValue", call().manage_master_user_password(true)),
        ("InvalidVPCNetworkStateFault", call().db_subnet_group_name("shop-private")),
        ("DBSubnetGroupNotFoundFault", call().db_subnet_group_name("nope")),
        ("DBParameterGroupNotFound", call().db_parameter_group_name("nope")),
        ("OptionGroupNotFoundFault", call().option_group_name("nope")),
        ("CertificateNotFound", call().ca_certificate_identifier("nope")),
    ];
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    assert!(lab.simulator.mutations().is_empty(), "a refusal changes nothing");
    // The value that it has already is a change that changes nothing, not an empty request.
    call().deletion_protection(true).send().await.expect("accepted");
    let by_arn = "arn:aws:rds:us-east-1:123456789012:db:shop-orders";
    modify(&lab, by_arn).copy_tags_to_snapshot(false).send().await.expect("by ARN");
    let elsewhere = by_arn.replace("us-east-1", "eu-west-1");
    let elsewhere = modify(&lab, &elsewhere).copy_tags_to_snapshot(false).send();
    assert_eq!(refused(elsewhere).await.0, "DBInstanceNotFound");
}

#[tokio::test(start_paused = true)]
async fn monitoring_logs_and_authentication_are_configured() {
    let lab = Lab::new(&[]);
    let exports = aws_sdk_rds::types::CloudwatchLogsExportConfiguration::builder();
    let exports = exports.enable_log_types("upgrade").build();
    let call = modify(&lab, "shop-stock").monitoring_interval(30);
    let call = call.cloudwatch_logs_export_configuration(exports);
    call.enable_iam_database_authentication(true).send().await.expect("accepted");
    lab.sleep(5).await;
    let now = lab.instance("shop-stock").await;
    assert_eq!(now.db_instance_status(), Some("available"), "for a while");
    assert_eq!(now.monitoring_interval(), Some(30));
    lab.until("shop-stock", "configuring-enhanced-monitoring").await;
    let (code, message) = refused(modify(&lab, "shop-stock").monitoring_interval(60).send()).await;
    assert_eq!(code, "InvalidDBInstanceState");
    assert!(message.starts_with("RDS is configuring Enhanced Monitoring"), "{message}");
    assert_eq!(
        lab.course(&lab.rds, "shop-stock", "available").await,
        [
            "configuring-enhanced-monitoring",
            "configuring-log-exports",
            "configuring-iam-database-auth",
            "available"
        ]
    );
    // With work to do as well, that comes first.
    let both = modify(&lab, "shop-stock").monitoring_interval(60).multi_az(true);
    both.apply_immediately(true).send().await.expect("accepted");
    assert_eq!(
        lab.course(&lab.rds, "shop-stock", "available").await,
        ["available", "modifying", "configuring-enhanced-monitoring", "available"]
    );
}
