//! Reboots, failovers, stops and starts.

use super::support::{Lab, refused};
use aws_sdk_rds::types::SourceType;

#[tokio::test(start_paused = true)]
async fn a_failover_swaps_the_zones_and_the_api_learns_it_late() {
    let lab = Lab::new(&[]);
    let before = lab.instance("shop-orders").await;
    let zones = |of: &aws_sdk_rds::types::DbInstance| {
        let text = |zone: Option<&str>| zone.map(str::to_owned).expect("a zone");
        (text(of.availability_zone()), text(of.secondary_availability_zone()))
    };
    let (first, second) = zones(&before);
    assert_ne!(first, second);
    let call = lab.rds.reboot_db_instance().db_instance_identifier("shop-orders");
    let answer = call.force_failover(true).send().await.expect("accepted");
    let now = answer.db_instance().and_then(|of| of.db_instance_status());
    assert_eq!(now, Some("rebooting"));
    let began = lab.clock.now();
    let up = {
        lab.sleep(5).await;
        lab.until("shop-orders", "available").await
    };
    let took = (lab.clock.now() - began).num_seconds();
    assert!((50..200).contains(&took), "{took} s");
    assert_eq!(zones(&up), (first.clone(), second.clone()), "not yet");
    assert_eq!(up.endpoint(), before.endpoint(), "the name stays");
    lab.sleep(400).await;
    assert_eq!(zones(&lab.instance("shop-orders").await), (second, first));
    assert_eq!(
        lab.told(&lab.rds, SourceType::DbInstance, "shop-orders").await[..]
            .iter()
            .filter(|message| !message.contains("ack"))
            .collect::<Vec<_>>(),
        [
            "Multi-AZ instance failover started.",
            "DB instance restarted",
            "Multi-AZ instance failover completed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn reboots_are_refused_where_rds_refuses_them() {
    let lab = Lab::new(&[]);
    let reboot = |id: &str| lab.rds.reboot_db_instance().db_instance_identifier(id);
    let (code, message) = refused(reboot("shop-stock").force_failover(true).send()).await;
    assert_eq!(code, "InvalidParameterCombination");
    assert!(message.contains("not configured for either MultiAZ"), "{message}");
    assert_eq!(refused(reboot("nope").send()).await.0, "DBInstanceNotFound");
    reboot("SHOP-stock").send().await.expect("identifiers have no case");
    let (code, message) = refused(reboot("shop-stock").send()).await;
    assert_eq!(code, "InvalidDBInstanceState");
    assert_eq!(
        message,
        "Instance cannot currently reboot due to an in-progress management operation"
    );
    let lab = Lab::new(&["kms-disabled"]);
    let encrypted = lab.rds.reboot_db_instance().db_instance_identifier("shop-orders");
    assert_eq!(refused(encrypted.send()).await.0, "KMSKeyNotAccessibleFault");
}

#[tokio::test(start_paused = true)]
async fn a_reboot_puts_waiting_parameters_into_effect() {
    let lab = Lab::new(&[]);
    let state = async || {
        let found = lab.instance("shop-orders").await;
        let group = &found.db_parameter_groups()[0];
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(group.db_parameter_group_name()), text(group.parameter_apply_status()))
    };
    assert_eq!(state().await.1, "in-sync");
    let modify = lab.rds.modify_db_instance().db_instance_identifier("shop-orders");
    modify.db_parameter_group_name("default.postgres15").send().await.expect("accepted");
    lab.sleep(3600).await;
    assert_eq!(state().await, ("default.postgres15".to_owned(), "pending-reboot".to_owned()));
    lab.rds.reboot_db_instance().db_instance_identifier("shop-orders").send().await.expect("ok");
    lab.sleep(5).await;
    assert_eq!(state().await.1, "pending-reboot", "until it is back");
    lab.until("shop-orders", "available").await;
    assert_eq!(state().await.1, "in-sync");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_instance_starts_by_itself_after_a_week() {
    let lab = Lab::new(&[]);
    let stop = || lab.rds.stop_db_instance().db_instance_identifier("shop-stock");
    stop().send().await.expect("accepted");
    assert_eq!(lab.course(&lab.rds, "shop-stock", "stopped").await.last().unwrap(), "stopped");
    let stopped = lab.instance("shop-stock").await;
    let restart = stopped.automatic_restart_time().expect("a time").secs();
    let left = restart - lab.clock.now().timestamp();
    assert!((7 * 86_400 - 900..=7 * 86_400).contains(&left), "{left} s");
    assert_eq!(refused(stop().send()).await.0, "InvalidDBInstanceState");
    // No logs are shipped: the window ends when it stopped. It can be restored nevertheless.
    let latest = stopped.latest_restorable_time().copied().expect("a time");
    lab.sleep(3 * 86_400).await;
    let again = lab.instance("shop-stock").await;
    assert_eq!(again.latest_restorable_time(), Some(&latest));
    lab.rds
        .restore_db_instance_to_point_in_time()
        .source_db_instance_identifier("shop-stock")
        .target_db_instance_identifier("copy")
        .restore_time(latest)
        .send()
        .await
        .expect("a stopped source restores");
    lab.sleep(4 * 86_400 + 3600).await;
    let back = lab.instance("shop-stock").await;
    assert_eq!(back.db_instance_status(), Some("available"));
    assert_eq!(back.automatic_restart_time(), None);
    let told = lab.told(&lab.rds, SourceType::DbInstance, "shop-stock").await;
    assert!(told.iter().any(|message| message.contains("maximum allowed time")), "{told:?}");
    let latest = back.latest_restorable_time().expect("a time").secs();
    assert!(lab.clock.now().timestamp() - latest <= 300, "logs are shipped again");
}

#[tokio::test(start_paused = true)]
async fn stops_and_starts_are_refused_where_rds_refuses_them() {
    let lab = Lab::new(&[]);
    let stop = |id: &str| lab.rds.stop_db_instance().db_instance_identifier(id);
    let start = |id: &str| lab.rds.start_db_instance().db_instance_identifier(id);
    for (what, id) in [("has a replica", "shop-orders"), ("is one", "shop-orders-replica")] {
        assert_eq!(refused(stop(id).send()).await.0, "InvalidDBInstanceState", "{what}");
    }
    assert_eq!(refused(start("shop-stock").send()).await.0, "InvalidDBInstanceState");
    assert_eq!(refused(start("nope").send()).await.0, "DBInstanceNotFound");
    assert!(lab.simulator.mutations().is_empty());
    stop("shop-stock").db_snapshot_identifier("before-stop").send().await.expect("accepted");
    lab.course(&lab.rds, "shop-stock", "stopped").await;
    let kept = lab.rds.describe_db_snapshots().db_snapshot_identifier("before-stop");
    let kept = kept.send().await.expect("a snapshot");
    assert_eq!(kept.db_snapshots()[0].status(), Some("available"));
    let snapshot = lab.rds.create_db_snapshot().db_snapshot_identifier("no");
    let snapshot = snapshot.db_instance_identifier("shop-stock").send();
    assert_eq!(refused(snapshot).await.0, "InvalidDBInstanceState");
    start("shop-stock").send().await.expect("accepted");
    assert_eq!(lab.course(&lab.rds, "shop-stock", "available").await, ["starting", "available"]);
    lab.sleep(9 * 86_400).await;
    let told = lab.told(&lab.rds, SourceType::DbInstance, "shop-stock").await;
    assert!(!told.iter().any(|message| message.contains("maximum")), "{told:?}");
    // A stopped instance can be deleted, with a final snapshot.
    stop("shop-stock").send().await.expect("accepted");
    lab.course(&lab.rds, "shop-stock", "stopped").await;
    let delete = lab.rds.delete_db_instance().db_instance_identifier("shop-stock");
    delete.final_db_snapshot_identifier("last").send().await.expect("accepted");
    lab.sleep(1800).await;
    assert!(lab.find("shop-stock").await.is_none());
}
