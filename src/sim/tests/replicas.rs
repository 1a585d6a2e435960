//! Read replicas: creation, lag, promotion, and what becomes of them without their source.

use super::support::{Lab, minutes, refused};
use crate::sim::{SimAccess, SimQuery};
use aws_sdk_rds::types::{DbInstance, SourceType};
use std::time::Duration;

const ORDERS: &str = "arn:aws:rds:us-east-1:123456789012:db:shop-orders";

type Create = aws_sdk_rds::operation::create_db_instance_read_replica::builders
    ::CreateDBInstanceReadReplicaFluentBuilder;

fn create(rds: &aws_sdk_rds::Client, source: &str) -> Create {
    rds.create_db_instance_read_replica()
        .db_instance_identifier("second")
        .source_db_instance_identifier(source)
}

impl Lab {
    /// The newest heartbeat that `instance` shows, and whether it says that it is a replica.
    async fn shown(&self, of: &DbInstance) -> (i64, String) {
        let secret = self.secrets.get_secret_value().secret_id("shop/orders").send().await;
        let secret = secret.expect("a secret");
        let secret: serde_json::Value =
            serde_json::from_str(secret.secret_string().expect("text")).expect("json");
        let endpoint = of.endpoint().expect("an endpoint");
        let query = |statement: &str| SimQuery {
            host: endpoint.address().expect("a host").to_owned(),
            port: 5432,
            database: "orders".to_owned(),
            user: "orders_admin".to_owned(),
            password: secret["password"].as_str().expect("password").to_owned().into(),
            statement: statement.to_owned(),
            access: SimAccess::ReadWrite,
        };
        let one = |statement: &str| {
            let rows = self.simulator.query(&query(statement), self.clock.now());
            rows.expect(statement).rows[0][0].clone().unwrap_or_default()
        };
        let beat = one("SELECT at_ms FROM drctl.heartbeat");
        (beat.parse().expect("a number"), one("SELECT pg_is_in_recovery()"))
    }

    fn lag(&self, region: &str, id: &str) -> Option<i64> {
        self.simulator.replica_lag(region, id, self.clock.now())
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_in_the_same_region_takes_after_its_source() {
    let lab = Lab::new(&[]);
    let source = lab.instance("shop-orders").await;
    let answer = create(&lab.rds, "shop-orders").send().await.expect("accepted");
    let made = answer.db_instance().expect("an instance");
    assert_eq!(made.db_instance_status(), Some("creating"));
    assert!(made.status_infos().is_empty(), "nothing is replicated yet");
    assert_eq!(lab.lag("us-east-1", "second"), Some(-1));
    assert_eq!(lab.course(&lab.rds, "second", "available").await, ["creating", "available"]);
    let replica = lab.instance("second").await;
    assert_eq!(replica.read_replica_source_db_instance_identifier(), Some("shop-orders"));
    let info = &replica.status_infos()[0];
    assert_eq!(
        (info.status_type(), info.status(), info.normal()),
        (Some("read replication"), Some("replicating"), Some(true))
    );
    assert_eq!(replica.kms_key_id(), source.kms_key_id());
    assert_eq!(replica.db_parameter_groups()[0].db_parameter_group_name(), Some("shop-pg15"));
    assert_eq!(replica.backup_retention_period(), Some(0));
    assert_eq!((replica.multi_az(), replica.deletion_protection()), (Some(false), Some(false)));
    assert!(replica.tag_list().is_empty());
    assert_eq!(replica.latest_restorable_time(), None);
    let listed = lab.instance("shop-orders").await;
    assert_eq!(listed.read_replica_db_instance_identifiers(), ["second", "shop-orders-replica"]);
    assert_eq!(lab.lag("us-east-1", "second"), Some(1));
    assert_eq!(lab.lag("us-east-1", "shop-orders"), None, "no replica");
}

#[tokio::test(start_paused = true)]
async fn a_replica_elsewhere_needs_an_arn_and_a_key_of_its_own() {
    let lab = Lab::new(&[]);
    let west = lab.rds_in("us-west-2");
    let cases: Vec<(&str, Create)> = vec![
        ("DBInstanceNotFound", create(&west, "shop-orders")),
        ("InvalidParameterValue", create(&west, ORDERS)),
        ("KMSKeyNotAccessibleFault", create(&west, ORDERS).kms_key_id("alias/shop")),
        ("InvalidDBInstanceState", create(&west, &format!("{ORDERS}-replica"))),
        ("DBInstanceNotFound", create(&west, &ORDERS.replace("us-east-1", "eu-west-1"))),
        (
            "InvalidParameterCombination",
            create(&west, &ORDERS.replace("orders", "stock")).kms_key_id("alias/aws/rds"),
        ),
        (
            "DBSubnetGroupNotFoundFault",
            create(&west, ORDERS).kms_key_id("alias/aws/rds").db_subnet_group_name("shop-private"),
        ),
        (
            "InvalidParameterCombination",
            create(&lab.rds, "shop-orders").kms_key_id("alias/aws/rds"),
        ),
    ];
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    assert!(lab.simulator.mutations().is_empty());
    create(&west, ORDERS).kms_key_id("alias/aws/rds").send().await.expect("accepted");
    lab.course(&west, "second", "available").await;
    let found = west.describe_db_instances().send().await.expect("instances");
    let replica = &found.db_instances()[0];
    assert_eq!(replica.read_replica_source_db_instance_identifier(), Some(ORDERS));
    assert!(replica.kms_key_id().expect("a key").starts_with("arn:aws:kms:us-west-2:"));
    assert_eq!(
        replica.db_subnet_group().and_then(|group| group.db_subnet_group_name()),
        Some("default")
    );
    let source = lab.instance("shop-orders").await;
    assert!(
        source
            .read_replica_db_instance_identifiers()
            .contains(&"arn:aws:rds:us-west-2:123456789012:db:second".to_owned())
    );
    let lag = lab.lag("us-west-2", "second").expect("a replica");
    assert!((2..=4).contains(&lag), "{lag} s");
}

#[tokio::test(start_paused = true)]
async fn sql_on_a_replica_is_as_old_as_its_lag_says() {
    let lab = Lab::new(&[]);
    let replica = lab.instance("shop-orders-replica").await;
    let behind = async || {
        let (beat, recovering) = lab.shown(&replica).await;
        assert_eq!(recovering, "t");
        (lab.clock.now().timestamp_millis() - beat) / 1000
    };
    assert_eq!((behind().await, lab.lag("us-east-1", "shop-orders-replica")), (1, Some(1)));
    let falls = lab.clock.now() + minutes(10);
    lab.simulator.set_lag_cliff(Some((falls, Duration::from_secs(1800))));
    assert_eq!(lab.lag("us-east-1", "shop-orders-replica"), Some(1), "not yet");
    lab.sleep(601).await;
    assert_eq!(lab.lag("us-east-1", "shop-orders-replica"), Some(1801));
    assert_eq!(behind().await, 1801);
    lab.simulator.set_lag_cliff(None);
    assert_eq!((behind().await, lab.lag("us-east-1", "shop-orders-replica")), (1, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_promoted_replica_stands_alone_with_the_data_it_had() {
    let lab = Lab::new(&[]);
    let promote = || {
        let call = lab.rds.promote_read_replica().db_instance_identifier("shop-orders-replica");
        call.backup_retention_period(3).preferred_backup_window("01:00-01:30")
    };
    let source = lab.rds.promote_read_replica().db_instance_identifier("shop-orders");
    assert_eq!(refused(source.send()).await.0, "InvalidDBInstanceState", "not a replica");
    let began = lab.clock.now();
    let answer = promote().send().await.expect("accepted");
    let now = answer.db_instance().expect("an instance");
    assert_eq!(now.db_instance_status(), Some("available"), "for a while");
    assert!(now.read_replica_source_db_instance_identifier().is_some());
    assert_eq!(refused(promote().send()).await.0, "InvalidDBInstanceState", "it is going on");
    let course = lab.course(&lab.rds, "shop-orders-replica", "available").await;
    assert_eq!(course, ["available", "modifying", "rebooting", "backing-up", "available"]);
    let alone = lab.instance("shop-orders-replica").await;
    assert_eq!(alone.read_replica_source_db_instance_identifier(), None);
    assert!(alone.status_infos().is_empty());
    assert_eq!(alone.backup_retention_period(), Some(3));
    assert_eq!(alone.preferred_backup_window(), Some("01:00-01:30"));
    assert!(alone.latest_restorable_time().is_some());
    let source = lab.instance("shop-orders").await;
    assert!(source.read_replica_db_instance_identifiers().is_empty());
    assert_eq!(lab.lag("us-east-1", "shop-orders-replica"), None);
    let (beat, recovering) = lab.shown(&alone).await;
    assert_eq!(recovering, "f", "it takes writes now");
    let left = beat / 1000 - began.timestamp();
    assert!((5..60).contains(&left), "it followed for {left} s more");
    let told = lab.told(&lab.rds, SourceType::DbInstance, "shop-orders-replica").await;
    assert!(told.contains(&"Replication has been terminated".to_owned()), "{told:?}");
    assert_eq!(refused(promote().send()).await.0, "InvalidDBInstanceState", "no replica any more");
}

#[tokio::test(start_paused = true)]
async fn retention_is_a_day_unless_promotion_says_otherwise() {
    for (days, course) in [
        (None, vec!["available", "modifying", "rebooting", "backing-up", "available"]),
        (Some(0), vec!["available", "modifying", "rebooting", "available"]),
    ] {
        let lab = Lab::new(&[]);
        let call = lab.rds.promote_read_replica().db_instance_identifier("shop-orders-replica");
        call.set_backup_retention_period(days).send().await.expect("accepted");
        assert_eq!(lab.course(&lab.rds, "shop-orders-replica", "available").await, course);
        let alone = lab.instance("shop-orders-replica").await;
        assert_eq!(alone.backup_retention_period(), Some(days.unwrap_or(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_of_a_deleted_source() {
    let lab = Lab::new(&[]);
    let west = lab.rds_in("us-west-2");
    create(&west, ORDERS).kms_key_id("alias/aws/rds").send().await.expect("accepted");
    lab.course(&west, "second", "available").await;
    let modify = lab.rds.modify_db_instance().db_instance_identifier("shop-orders");
    modify.deletion_protection(false).send().await.expect("unprotected");
    let delete = lab.rds.delete_db_instance().db_instance_identifier("shop-orders");
    delete.skip_final_snapshot(true).send().await.expect("accepted");
    let deleted = lab.clock.now();
    lab.course(&lab.rds, "shop-orders-replica", "available").await;
    let near = lab.instance("shop-orders-replica").await;
    assert_eq!(near.read_replica_source_db_instance_identifier(), None, "it was promoted");
    let found = west.describe_db_instances().send().await.expect("instances");
    let far = &found.db_instances()[0];
    let info = &far.status_infos()[0];
    assert_eq!((info.status(), info.normal()), (Some("terminated"), Some(false)));
    assert_eq!(lab.lag("us-west-2", "second"), Some(-1));
    lab.sleep(3600).await;
    let (beat, recovering) = lab.shown(far).await;
    assert_eq!(recovering, "t");
    let behind = deleted.timestamp() - beat / 1000;
    assert!((0..10).contains(&behind), "it has what it had: {behind} s before the deletion");
    // Somebody has to promote it.
    west.promote_read_replica().db_instance_identifier("second").send().await.expect("accepted");
    lab.course(&west, "second", "available").await;
    let found = west.describe_db_instances().send().await.expect("instances");
    assert_eq!(found.db_instances()[0].read_replica_source_db_instance_identifier(), None);
    assert!(found.db_instances()[0].status_infos().is_empty());
    let told = lab.told(&west, SourceType::DbInstance, "second").await;
    assert!(told.contains(&"Replication has been terminated".to_owned()), "{told:?}");
}
