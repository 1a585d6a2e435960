//! `CreateDBInstance`, what can be created, and how much.

use super::support::{Lab, refused};
use crate::sim::{SimAccess, SimQuery, SimSqlFault};
use aws_sdk_rds::types::DbInstance;

type Create = aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder;

fn create(lab: &Lab, id: &str) -> Create {
    lab.rds
        .create_db_instance()
        .db_instance_identifier(id)
        .db_instance_class("db.t4g.micro")
        .engine("postgres")
        .allocated_storage(20)
        .master_username("boss")
        .master_user_password("correct-horse")
}

fn ask(lab: &Lab, of: &DbInstance, password: &str, statement: &str) -> Result<(), SimSqlFault> {
    let query = SimQuery {
        host: of.endpoint().and_then(|at| at.address()).unwrap_or("nowhere").to_owned(),
        port: 5432,
        database: "app".to_owned(),
        user: "boss".to_owned(),
        password: password.to_owned().into(),
        statement: statement.to_owned(),
        access: SimAccess::ReadWrite,
    };
    lab.simulator.query(&query, lab.clock.now()).map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_is_empty_and_knows_its_password_only_as_a_digest() {
    let lab = Lab::new(&[]);
    let answer = create(&lab, "NEW").db_name("app").engine_version("15").send().await;
    let answer = answer.expect("accepted");
    let made = answer.db_instance().expect("an instance");
    assert_eq!((made.db_instance_identifier(), made.endpoint()), (Some("new"), None));
    assert_eq!(
        lab.course(&lab.rds, "new", "available").await,
        ["creating", "backing-up", "available"]
    );
    let new = lab.instance("new").await;
    assert_eq!((new.engine_version(), new.db_name()), (Some("15.8"), Some("app")));
    assert_eq!((new.backup_retention_period(), new.storage_encrypted()), (Some(1), Some(false)));
    assert_eq!(new.storage_operation_status(), None, "nothing is loaded from a backup");
    ask(&lab, &new, "correct-horse", "CREATE TABLE t (id integer)").expect("a write");
    let wrong = ask(&lab, &new, "wrong-horse", "SELECT 1").expect_err("refused");
    assert_eq!(wrong.code(), Some("28P01"));
    let kept = serde_json::to_string(&lab.simulator.state_json()).expect("json");
    assert!(!kept.contains("correct-horse"), "the password is in the world");
    let log = serde_json::to_string(&lab.simulator.mutations()).expect("json");
    assert!(!log.contains("correct-horse") && log.contains("created empty"));
}

#[tokio::test(start_paused = true)]
async fn a_restore_brings_back_the_password_of_its_point() {
    let lab = Lab::new(&[]);
    create(&lab, "new").db_name("app").send().await.expect("accepted");
    lab.until("new", "available").await;
    lab.sleep(3600).await;
    let before = lab.clock.now();
    lab.sleep(3600).await;
    let modify = lab.rds.modify_db_instance().db_instance_identifier("new");
    modify.master_user_password("battery-staple").send().await.expect("accepted");
    assert_eq!(
        lab.course(&lab.rds, "new", "available").await,
        ["available", "resetting-master-credentials", "available"]
    );
    lab.sleep(3600).await;
    let new = lab.instance("new").await;
    ask(&lab, &new, "battery-staple", "SELECT 1").expect("the new one");
    let restore = lab.rds.restore_db_instance_to_point_in_time();
    let restore = restore.source_db_instance_identifier("new").target_db_instance_identifier("old");
    restore.restore_time(super::support::sdk_time(before)).send().await.expect("accepted");
    let old = lab.until("old", "available").await;
    assert!(ask(&lab, &old, "battery-staple", "SELECT 1").is_err());
    ask(&lab, &old, "correct-horse", "SELECT 1").expect("the old one");
}

#[tokio::test(start_paused = true)]
async fn creations_are_refused_where_rds_refuses_them() {
    let lab = Lab::new(&[]);
    let cases: Vec<(&str, Create)> = vec![
        ("DBInstanceAlreadyExists", create(&lab, "shop-Stock")),
        ("InvalidParameterValue", create(&lab, "x-")),
        ("InvalidParameterValue", create(&lab, "x").engine("db3")),
        ("InvalidParameterValue", create(&lab, "x").engine_version("9.6")),
        ("InvalidParameterValue", create(&lab, "x").allocated_storage(5)),
        ("InvalidParameterValue", create(&lab, "x").master_user_password("short")),
        ("InvalidParameterValue", create(&lab, "x").set_master_user_password(None)),
        ("InvalidParameterValue", create(&lab, "x").db_instance_class("big")),
        ("MissingParameter", create(&lab, "x").set_master_username(None)),
        ("InvalidParameterCombination", create(&lab, "x").kms_key_id("alias/shop")),
        ("InvalidParameterCombination", create(&lab, "x").db_cluster_identifier("c")),
        (
            "KMSKeyNotAccessibleFault",
            create(&lab, "x").storage_encrypted(true).kms_key_id("alias/nope"),
        ),
        ("DBSubnetGroupNotFoundFault", create(&lab, "x").db_subnet_group_name("nope")),
        ("DBParameterGroupNotFound", create(&lab, "x").db_parameter_group_name("nope")),
        ("InvalidParameterValue", create(&lab, "x").availability_zone("mars-1a")),
        (
            "InvalidParameterCombination",
            create(&lab, "x").availability_zone("us-east-1a").multi_az(true),
        ),
        ("StorageQuotaExceeded", create(&lab, "x").allocated_storage(65_000).multi_az(false)),
    ];
    create(&lab, "big").allocated_storage(60_000).send().await.expect("there is room");
    for (at, (code, call)) in cases.into_iter().enumerate() {
        assert_eq!(refused(call.send()).await.0, code, "case {at}");
    }
    assert_eq!(lab.simulator.mutations().len(), 1, "a refusal changes nothing");
    for at in 0..36 {
        create(&lab, &format!("n{at}")).send().await.expect("there is room");
    }
    assert_eq!(refused(create(&lab, "n36").send()).await.0, "InstanceQuotaExceeded");
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_lists_what_can_be_created() {
    let lab = Lab::new(&[]);
    let versions = lab.rds.describe_db_engine_versions().engine("postgres").send().await;
    let versions = versions.expect("versions");
    let found = versions.db_engine_versions();
    assert!(found.len() > 5);
    for (at, version) in found.iter().enumerate() {
        let call = create(&lab, &format!("v{at}"));
        call.set_engine_version(version.engine_version().map(str::to_owned))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{version:?}: {error:?}"));
    }
    let usual = lab.rds.describe_db_engine_versions().engine("mysql").default_only(true);
    let usual = usual.send().await.expect("versions");
    assert_eq!(usual.db_engine_versions()[0].engine_version(), Some("8.0.39"));
    assert_eq!(usual.db_engine_versions()[0].db_parameter_group_family(), Some("mysql8.0"));
    let classes = lab.rds.describe_orderable_db_instance_options().engine("postgres");
    let classes = classes.engine_version("15.8").send().await.expect("classes");
    assert_eq!(classes.orderable_db_instance_options().len(), 10);
    let unknown = lab.rds.describe_orderable_db_instance_options().engine("db3").send();
    assert_eq!(refused(unknown).await.0, "InvalidParameterValue");
    let quotas = lab.rds.describe_account_attributes().send().await.expect("quotas");
    let instances = quotas
        .account_quotas()
        .iter()
        .find(|quota| quota.account_quota_name() == Some("DBInstances"))
        .expect("a quota");
    assert_eq!(instances.max(), Some(40));
    assert_eq!(instances.used(), Some(3 + found.len() as i64));
}

#[tokio::test(start_paused = true)]
async fn a_replica_follows_its_sources_password_and_keeps_it_when_promoted() {
    let lab = Lab::new(&[]);
    create(&lab, "lead").db_name("app").send().await.expect("accepted");
    lab.until("lead", "available").await;
    let replica = lab.rds.create_db_instance_read_replica().db_instance_identifier("copy");
    replica.source_db_instance_identifier("lead").send().await.expect("accepted");
    let copy = lab.until("copy", "available").await;
    ask(&lab, &copy, "correct-horse", "SELECT 1").expect("its source's");
    let refused = ask(&lab, &copy, "correct-horse", "CREATE TABLE t (id integer)");
    assert_eq!(refused.expect_err("a replica").code(), Some("25006"));
    let modify = lab.rds.modify_db_instance().db_instance_identifier("lead");
    modify.master_user_password("battery-staple").send().await.expect("accepted");
    lab.course(&lab.rds, "lead", "available").await;
    assert!(ask(&lab, &copy, "correct-horse", "SELECT 1").is_err());
    ask(&lab, &copy, "battery-staple", "SELECT 1").expect("its source's new one");
    lab.rds.promote_read_replica().db_instance_identifier("copy").send().await.expect("accepted");
    lab.course(&lab.rds, "copy", "available").await;
    let modify = lab.rds.modify_db_instance().db_instance_identifier("lead");
    modify.master_user_password("one-more-word").send().await.expect("accepted");
    lab.course(&lab.rds, "lead", "available").await;
    ask(&lab, &copy, "battery-staple", "CREATE TABLE t (id integer)").expect("its own now");
}
