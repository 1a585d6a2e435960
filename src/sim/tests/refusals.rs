//! Every error a client can provoke, with its exact code.

use super::support::{Lab, minutes, refused, sdk_time};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::TimeDelta;

use aws_sdk_rds::operation::restore_db_instance_to_point_in_time::builders as pitr_call;

type Pitr = pitr_call::RestoreDBInstanceToPointInTimeFluentBuilder;

fn pitr(lab: &Lab) -> Pitr {
    lab.rds
        .restore_db_instance_to_point_in_time()
        .source_db_instance_identifier("shop-orders")
        .target_db_instance_identifier("copy")
        .restore_time(sdk_time(lab.clock.now() - minutes(30)))
}

#[tokio::test(start_paused = true)]
async fn point_in_time_restores() {
    let lab = Lab::new(&[]);
    let now = lab.clock.now();
    let cases: Vec<(&str, Pitr)> = vec![
        ("InvalidParameterCombination", pitr(&lab).use_latest_restorable_time(true)),
        ("InvalidParameterCombination", pitr(&lab).set_restore_time(None)),
        ("InvalidParameterCombination", pitr(&lab).source_dbi_resource_id("db-X")),
        ("InvalidParameterCombination", pitr(&lab).set_source_db_instance_identifier(None)),
        ("DBInstanceNotFound", pitr(&lab).source_db_instance_identifier("nope")),
        ("DBInstanceAlreadyExists", pitr(&lab).target_db_instance_identifier("SHOP-stock")),
        ("InvalidParameterValue", pitr(&lab).target_db_instance_identifier("a--b")),
        ("InvalidParameterValue", pitr(&lab).restore_time(sdk_time(now))),
        ("InvalidParameterValue", pitr(&lab).restore_time(sdk_time(now - TimeDelta::days(8)))),
        (
            "PointInTimeRestoreNotEnabled",
            pitr(&lab).source_db_instance_identifier("shop-orders-replica"),
        ),
        ("DBSubnetGroupNotFoundFault", pitr(&lab).db_subnet_group_name("nope")),
        ("DBParameterGroupNotFound", pitr(&lab).db_parameter_group_name("nope")),
        ("InvalidParameterCombination", pitr(&lab).vpc_security_group_ids("sg-shop")),
        ("InvalidParameterValue", pitr(&lab).vpc_security_group_ids("group")),
        ("InvalidParameterValue", pitr(&lab).db_instance_class("large")),
        ("InvalidParameterValue", pitr(&lab).allocated_storage(101)),
        ("InvalidParameterValue", pitr(&lab).backup_retention_period(36)),
    ];
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    assert!(lab.simulator.mutations().is_empty(), "a refusal changes nothing");
    let latest = pitr(&lab).set_restore_time(None).use_latest_restorable_time(true);
    latest.send().await.expect("latest is fine");
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_account() {
    for (fault, code) in [
        ("quota-exceeded", "InstanceQuotaExceeded"),
        ("kms-disabled", "KMSKeyNotAccessibleFault"),
        ("source-gone", "DBInstanceNotFound"),
        ("window-moved", "InvalidParameterValue"),
        ("access-denied", "AccessDenied"),
        ("expired-credentials", "ExpiredToken"),
    ] {
        let lab = Lab::new(&[fault]);
        assert_eq!(lab.restore("copy", minutes(30)).await, Err(code.to_owned()), "{fault}");
        assert!(lab.simulator.mutations().is_empty());
    }
    let lab = Lab::new(&["source-gone"]);
    assert!(lab.find("shop-orders").await.is_none());
    let backups = lab.rds.describe_db_instance_automated_backups().send().await.expect("backups");
    let retained = &backups.db_instance_automated_backups()[0];
    assert_eq!(retained.status(), Some("retained"));
    pitr(&lab)
        .set_source_db_instance_identifier(None)
        .set_source_dbi_resource_id(retained.dbi_resource_id().map(str::to_owned))
        .send()
        .await
        .expect("retained backups restore");
}

#[tokio::test(start_paused = true)]
async fn the_restore_window_moves_under_the_caller() {
    let lab = Lab::new(&["window-moved=1h"]);
    let latest = async || {
        let found = lab.instance("shop-orders").await;
        found.latest_restorable_time().expect("a time").secs()
    };
    let before = lab.clock.now().timestamp() - latest().await;
    assert!((0..=300).contains(&before), "lags {before} s");
    assert!(lab.restore("copy", minutes(30)).await.is_err());
    let after = lab.clock.now().timestamp() - latest().await;
    assert!((3600..=3900).contains(&after), "lags {after} s");
}

#[tokio::test(start_paused = true)]
async fn delete_rules() {
    let lab = Lab::new(&[]);
    let delete = |id: &str| lab.rds.delete_db_instance().db_instance_identifier(id);
    let (code, message) = refused(delete("shop-orders").skip_final_snapshot(true).send()).await;
    assert_eq!(code, "InvalidParameterCombination");
    assert_eq!(
        message,
        "Cannot delete protected DB Instance, please disable deletion protection and try again."
    );
    let (code, message) = refused(delete("shop-stock").send()).await;
    assert_eq!(code, "InvalidParameterCombination");
    assert_eq!(
        message,
        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
    );
    for call in [
        delete("shop-stock").skip_final_snapshot(true).final_db_snapshot_identifier("last"),
        delete("shop-orders-replica").final_db_snapshot_identifier("last"),
    ] {
        assert_eq!(refused(call.send()).await.0, "InvalidParameterCombination");
    }
    let nothing = delete("nope").skip_final_snapshot(true).send();
    assert_eq!(
        refused(nothing).await,
        ("DBInstanceNotFound".to_owned(), "DBInstance nope not found.".to_owned())
    );
    // A final snapshot outlives its instance; automated backups do not.
    delete("shop-stock").final_db_snapshot_identifier("last").send().await.expect("accepted");
    lab.sleep(3600).await;
    let left = lab.rds.describe_db_snapshots().db_instance_identifier("shop-stock").send().await;
    let left = left.expect("snapshots");
    let ids: Vec<_> =
        left.db_snapshots().iter().filter_map(|s| s.db_snapshot_identifier()).collect();
    assert_eq!(ids, ["last"]);
    let restored = lab
        .rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("again")
        .db_snapshot_identifier("last");
    restored.send().await.expect("accepted");
    lab.until("again", "available").await;
}

#[tokio::test(start_paused = true)]
async fn kept_backups_restore_a_deleted_instance() {
    let lab = Lab::new(&[]);
    lab.rds
        .delete_db_instance()
        .db_instance_identifier("shop-stock")
        .skip_final_snapshot(true)
        .delete_automated_backups(false)
        .send()
        .await
        .expect("accepted");
    lab.sleep(1800).await;
    let backups = lab.rds.describe_db_instance_automated_backups();
    let backups = backups.db_instance_identifier("shop-stock").send().await.expect("backups");
    let [kept] = backups.db_instance_automated_backups() else { panic!("one") };
    assert_eq!(kept.status(), Some("retained"));
    let window = kept.restore_window().expect("a window");
    lab.rds
        .restore_db_instance_to_point_in_time()
        .set_source_db_instance_automated_backups_arn(
            kept.db_instance_automated_backups_arn().map(str::to_owned),
        )
        .target_db_instance_identifier("back")
        .set_restore_time(window.latest_time().copied())
        .send()
        .await
        .expect("accepted");
    let snapshots = async || {
        let found = lab.rds.describe_db_snapshots().snapshot_type("automated").send().await;
        let found = found.expect("snapshots");
        found
            .db_snapshots()
            .iter()
            .filter(|s| s.db_instance_identifier() == Some("shop-stock"))
            .count()
    };
    assert_eq!(snapshots().await, 7);
    lab.sleep(3 * 24 * 3600).await;
    assert_eq!(snapshots().await, 4, "they age and no new ones are made");
}

#[tokio::test(start_paused = true)]
async fn modifications() {
    let lab = Lab::new(&[]);
    let modify = || lab.rds.modify_db_instance().db_instance_identifier("shop-orders");
    assert_eq!(
        refused(modify().send()).await,
        ("InvalidParameterCombination".to_owned(), "No modifications were requested".to_owned())
    );
    let short = modify().master_user_password("short").send();
    assert_eq!(refused(short).await.0, "InvalidParameterValue");
    modify().deletion_protection(false).send().await.expect("at once");
    lab.sleep(5).await;
    assert_eq!(lab.instance("shop-orders").await.deletion_protection(), Some(false));
    modify().backup_retention_period(14).apply_immediately(true).send().await.expect("later");
    lab.sleep(5).await;
    let seen = lab.instance("shop-orders").await;
    assert_eq!(seen.db_instance_status(), Some("available"), "still, for a while");
    assert_eq!(seen.pending_modified_values().and_then(|p| p.backup_retention_period()), Some(14));
    lab.sleep(55).await;
    assert_eq!(lab.instance("shop-orders").await.db_instance_status(), Some("modifying"));
    let busy = modify().multi_az(false).apply_immediately(true).send();
    assert_eq!(refused(busy).await.0, "InvalidDBInstanceState");
    lab.sleep(200).await;
    let seen = lab.instance("shop-orders").await;
    assert_eq!(seen.db_instance_status(), Some("available"));
    assert_eq!(seen.backup_retention_period(), Some(14));
    let log = lab.simulator.mutations();
    assert_eq!(log[1].effect, "modified: backup retention");
}

#[tokio::test(start_paused = true)]
async fn snapshots_and_tags() {
    let lab = Lab::new(&[]);
    let create = |id: &str| {
        lab.rds.create_db_snapshot().db_snapshot_identifier(id).db_instance_identifier("shop-stock")
    };
    create("before-change").send().await.expect("accepted");
    let busy = refused(create("second").send()).await;
    assert_eq!(busy.0, "InvalidDBInstanceState");
    assert!(busy.1.contains("shop-stock is not currently in the available state"), "{}", busy.1);
    let early = lab.rds.restore_db_instance_from_db_snapshot();
    let early = early.db_instance_identifier("x").db_snapshot_identifier("before-change");
    assert_eq!(refused(early.send()).await.0, "InvalidDBSnapshotState");
    lab.sleep(10).await;
    assert_eq!(lab.instance("shop-stock").await.db_instance_status(), Some("backing-up"));
    lab.until("shop-stock", "available").await;
    assert_eq!(refused(create("before-change").send()).await.0, "DBSnapshotAlreadyExists");
    let missing = lab.rds.describe_db_snapshots().db_snapshot_identifier("nope").send();
    assert_eq!(refused(missing).await.0, "DBSnapshotNotFound");
    let daily = lab.rds.describe_db_snapshots().snapshot_type("automated");
    let daily = daily.db_instance_identifier("shop-orders").send().await.expect("snapshots");
    assert_eq!(daily.db_snapshots().len(), 7, "one a day for seven days");

    let arn = "arn:aws:rds:us-east-1:123456789012:db:shop-orders";
    let tag = aws_sdk_rds::types::Tag::builder().key("drctl:run").value("r1").build();
    lab.rds.add_tags_to_resource().resource_name(arn).tags(tag).send().await.expect("tagged");
    lab.sleep(5).await;
    let tags = lab.rds.list_tags_for_resource().resource_name(arn).send().await.expect("tags");
    assert_eq!(tags.tag_list().len(), 3);
    let remove = lab.rds.remove_tags_from_resource().resource_name(arn);
    remove.tag_keys("drctl:run").tag_keys("tier").send().await.expect("untagged");
    lab.sleep(5).await;
    let tags = lab.rds.list_tags_for_resource().resource_name(arn).send().await.expect("tags");
    assert_eq!(tags.tag_list()[0].value(), Some("orders"));
    let nobody = arn.replace("shop-orders", "nope");
    let missing = lab.rds.list_tags_for_resource().resource_name(nobody).send();
    assert_eq!(refused(missing).await.0, "DBInstanceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_session_cannot_mutate() {
    let lab = Lab::new(&[]);
    let policy = r#"{"Statement":{"Effect":"Deny","Action":"rds:DescribeEvents","Resource":"*"}}"#;
    let assume = || {
        lab.sts
            .assume_role()
            .role_arn("arn:aws:iam::123456789012:role/drctl")
            .role_session_name("dry-run")
    };
    let bad = assume().policy("{").send().await.expect_err("malformed");
    assert_eq!(bad.code(), Some("MalformedPolicyDocument"));
    let read_only = aws_sdk_sts::types::PolicyDescriptorType::builder()
        .arn("arn:aws:iam::aws:policy/ReadOnlyAccess")
        .build();
    let session = assume().policy_arns(read_only).policy(policy).duration_seconds(900);
    let session = session.send().await.expect("a session");
    let given = session.credentials().expect("credentials");
    let credentials = aws_credential_types::Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        None,
        "session",
    );
    let config = lab.rds.config().to_builder().credentials_provider(credentials).build();
    let narrow = aws_sdk_rds::Client::from_conf(config);
    narrow.describe_db_instances().send().await.expect("reads are allowed");
    let delete = narrow.delete_db_instance().db_instance_identifier("shop-stock");
    let (code, message) = refused(delete.skip_final_snapshot(true).send()).await;
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("assumed-role/drctl/dry-run is not authorized"), "{message}");
    assert_eq!(refused(narrow.describe_events().send()).await.0, "AccessDenied");
    assert!(lab.simulator.mutations().is_empty());
    lab.sleep(901).await;
    assert_eq!(refused(narrow.describe_db_instances().send()).await.0, "ExpiredToken");
}

#[tokio::test(start_paused = true)]
async fn unknown_actions_and_other_services() {
    let lab = Lab::new(&[]);
    let code = refused(lab.rds.describe_certificates().send()).await.0;
    assert_eq!(code, "InvalidAction");
    let who = lab.sts.get_caller_identity().send().await.expect("identity");
    assert_eq!(who.account(), Some("123456789012"));
    let role = "arn:aws:iam::123456789012:role/drctl";
    let session = lab.sts.assume_role().role_arn(role).role_session_name("s").send().await;
    let session = session.expect("a session");
    let expiry = session.credentials().expect("credentials").expiration().secs();
    let left = expiry - lab.clock.now().timestamp();
    assert!((3590..=3600).contains(&left), "{left} s");
    let foreign = lab.sts.assume_role().role_arn(role.replace("1234", "9999"));
    let foreign = foreign.role_session_name("s").send().await.expect_err("another account");
    assert_eq!(foreign.code(), Some("AccessDenied"));
    let missing = lab.secrets.get_secret_value().secret_id("nope").send().await;
    assert_eq!(missing.expect_err("no secret").code(), Some("ResourceNotFoundException"));
    let versions = lab.secrets.list_secret_version_ids().secret_id("shop/orders").send().await;
    assert_eq!(versions.expect("versions").versions().len(), 2);
    let described = lab.secrets.describe_secret().secret_id("shop/orders").send().await;
    let described = described.expect("a secret");
    assert_eq!(described.version_ids_to_stages().map(|stages| stages.len()), Some(2));
    let missing = lab.rds.describe_db_subnet_groups().db_subnet_group_name("nope").send();
    assert_eq!(refused(missing).await.0, "DBSubnetGroupNotFoundFault");
    let group = lab.rds.describe_db_parameter_groups().db_parameter_group_name("shop-pg15");
    assert_eq!(group.send().await.expect("a group").db_parameter_groups().len(), 1);
}
