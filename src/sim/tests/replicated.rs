//! Automated backups that are copied to another region, and restores from them there.

use super::support::{Lab, refused};
use aws_sdk_rds::types::DbInstanceAutomatedBackup as Backup;

const ORDERS: &str = "arn:aws:rds:us-east-1:123456789012:db:shop-orders";

type Start = aws_sdk_rds::operation::start_db_instance_automated_backups_replication::builders
    ::StartDBInstanceAutomatedBackupsReplicationFluentBuilder;

fn start(rds: &aws_sdk_rds::Client, source: &str) -> Start {
    rds.start_db_instance_automated_backups_replication().source_db_instance_arn(source)
}

async fn backups(rds: &aws_sdk_rds::Client) -> Vec<Backup> {
    let found = rds.describe_db_instance_automated_backups().send().await.expect("backups");
    found.db_instance_automated_backups().to_vec()
}

async fn begun(lab: &Lab) -> (aws_sdk_rds::Client, Backup) {
    let west = lab.rds_in("us-west-2");
    start(&west, ORDERS).kms_key_id("alias/aws/rds").send().await.expect("accepted");
    let [backup] = backups(&west).await.try_into().expect("one");
    (west, backup)
}

#[tokio::test(start_paused = true)]
async fn backups_are_copied_and_restored_elsewhere() {
    let lab = Lab::new(&[]);
    let (west, pending) = begun(&lab).await;
    assert_eq!(pending.status(), Some("pending"));
    assert!(pending.restore_window().is_none_or(|window| window.earliest_time().is_none()));
    let arn = pending.db_instance_automated_backups_arn().expect("an ARN").to_owned();
    assert!(arn.starts_with("arn:aws:rds:us-west-2:123456789012:auto-backup:ab-"), "{arn}");
    assert_eq!((pending.region(), pending.db_instance_arn()), (Some("us-east-1"), Some(ORDERS)));
    assert!(pending.kms_key_id().expect("a key").starts_with("arn:aws:kms:us-west-2:"));
    let pitr = || {
        let call = west.restore_db_instance_to_point_in_time();
        let call = call.source_db_instance_automated_backups_arn(&arn);
        call.target_db_instance_identifier("back").use_latest_restorable_time(true)
    };
    assert_eq!(refused(pitr().send()).await.0, "InvalidDBInstanceState", "nothing is here yet");
    let shown = lab.instance("shop-orders").await;
    let replications = shown.db_instance_automated_backups_replications();
    assert_eq!(replications[0].db_instance_automated_backups_arn(), Some(arn.as_str()));
    lab.sleep(7200).await;
    let [copied] = backups(&west).await.try_into().expect("one");
    assert_eq!(copied.status(), Some("replicating"));
    let window = copied.restore_window().expect("a window");
    let (from, to) =
        (window.earliest_time().expect("from").secs(), window.latest_time().expect("to").secs());
    assert!(from > lab.clock.now().timestamp() - 7200 && from < to, "{from} to {to}");
    let early = pitr().use_latest_restorable_time(false);
    let early = early.restore_time(aws_sdk_rds::primitives::DateTime::from_secs(from - 60));
    assert_eq!(refused(early.send()).await.0, "InvalidParameterValue", "before replication began");
    pitr().send().await.expect("accepted");
    lab.course(&west, "back", "available").await;
    let found = west.describe_db_instances().send().await.expect("instances");
    let back = &found.db_instances()[0];
    assert_eq!(back.kms_key_id(), copied.kms_key_id());
    assert_eq!(back.backup_retention_period(), Some(7));
    // By resource id it works as well, and by the source's identifier it does not.
    let by_id = pitr().set_source_db_instance_automated_backups_arn(None);
    let by_id = by_id.set_source_dbi_resource_id(copied.dbi_resource_id().map(str::to_owned));
    by_id.target_db_instance_identifier("again").send().await.expect("accepted");
    let by_name = pitr().set_source_db_instance_automated_backups_arn(None);
    let by_name = by_name.source_db_instance_identifier("shop-orders").send();
    assert_eq!(refused(by_name).await.0, "DBInstanceNotFound");
}

#[tokio::test(start_paused = true)]
async fn replication_is_refused_where_rds_refuses_it() {
    let lab = Lab::new(&[]);
    let west = lab.rds_in("us-west-2");
    let replica = format!("{ORDERS}-replica");
    let cases: Vec<(&str, Start)> = vec![
        ("InvalidParameterValue", start(&west, ORDERS)),
        ("InvalidParameterValue", start(&west, "shop-orders")),
        ("InvalidParameterValue", start(&lab.rds, ORDERS).kms_key_id("alias/shop")),
        ("KMSKeyNotAccessibleFault", start(&west, ORDERS).kms_key_id("alias/shop")),
        ("InvalidDBInstanceState", start(&west, &replica)),
        ("DBInstanceNotFound", start(&west, &ORDERS.replace("orders", "nope"))),
        (
            "InvalidParameterValue",
            start(&west, ORDERS).kms_key_id("alias/aws/rds").backup_retention_period(36),
        ),
    ];
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    let stop = || {
        let call = west.stop_db_instance_automated_backups_replication();
        call.source_db_instance_arn(ORDERS)
    };
    assert_eq!(refused(stop().send()).await.0, "DBInstanceNotFound", "there is none");
    assert!(lab.simulator.mutations().is_empty());
    let go = || start(&west, ORDERS).kms_key_id("alias/aws/rds").backup_retention_period(3);
    go().send().await.expect("accepted");
    assert_eq!(refused(go().send()).await.0, "InvalidDBInstanceAutomatedBackupState");
    let delete = west.delete_db_instance_automated_backup();
    let [backup] = backups(&west).await.try_into().expect("one");
    let delete = delete.set_dbi_resource_id(backup.dbi_resource_id().map(str::to_owned));
    let (code, _) = refused(delete.clone().send()).await;
    assert_eq!(code, "InvalidDBInstanceAutomatedBackupState");
    lab.sleep(7200).await;
    let stopped = stop().send().await.expect("accepted");
    let stopped = stopped.db_instance_automated_backup().and_then(|of| of.status());
    assert_eq!(stopped, Some("retained"));
    assert_eq!(refused(stop().send()).await.0, "InvalidDBInstanceState", "it is stopped");
    assert_eq!(backups(&west).await[0].status(), Some("retained"));
    assert!(
        lab.instance("shop-orders").await.db_instance_automated_backups_replications().is_empty()
    );
    delete.send().await.expect("retained ones can be deleted");
    assert!(backups(&west).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_source_leaves_its_copies_elsewhere() {
    let lab = Lab::new(&[]);
    let (west, backup) = begun(&lab).await;
    lab.sleep(7200).await;
    let modify = lab.rds.modify_db_instance().db_instance_identifier("shop-orders");
    modify.deletion_protection(false).send().await.expect("unprotected");
    let delete = lab.rds.delete_db_instance().db_instance_identifier("shop-orders");
    delete.skip_final_snapshot(true).send().await.expect("accepted");
    lab.sleep(3600).await;
    let here = lab.rds.describe_db_instance_automated_backups();
    let here = here.db_instance_identifier("shop-orders").send();
    assert_eq!(refused(here).await.0, "DBInstanceAutomatedBackupNotFound", "they went along");
    let [kept] = backups(&west).await.try_into().expect("one");
    assert_eq!(kept.status(), Some("retained"));
    let latest = kept.restore_window().and_then(|w| w.latest_time()).copied().expect("an end");
    let call = west.restore_db_instance_to_point_in_time().target_db_instance_identifier("back");
    let call = call.set_source_db_instance_automated_backups_arn(
        backup.db_instance_automated_backups_arn().map(str::to_owned),
    );
    call.restore_time(latest).send().await.expect("accepted");
    lab.course(&west, "back", "available").await;
    lab.sleep(8 * 86_400).await;
    assert!(backups(&west).await.iter().all(|left| left.db_instance_identifier() == Some("back")));
}
