//! Typed writes over the wire: what is sent, how often, and what an unclear end is called.
//!
//! **Invariant:** a write is sent at most once, whatever the answer.

use crate::base::clock::simulated_epoch;
use crate::cloud::model::{
    CopyRequest, Publication, ReplicaRequest, RestoreRequest, RestoreSource,
};
use crate::cloud::tests::answers::{error, html, instance, instances, ok, snapshot};
use crate::cloud::tests::scripted::{REGION, Reply, Script, environment, run, tags};
use crate::cloud::{Accepted, Cloud, CloudError, DeletePermit, ErrorClass, GuardPolicy, Overlay};
use crate::estate::load;

const DECLARED: [&str; 3] =
    ["rds:RestoreDBInstanceToPointInTime", "rds:DeleteDBInstance", "rds:ModifyDBInstance"];

fn request() -> RestoreRequest {
    RestoreRequest {
        from: RestoreSource::Instant { instance: "orders".to_owned(), at: simulated_epoch() },
        target: "drctl-orders-1".to_owned(),
        class: Some("db.r6g.large".to_owned()),
        subnet_group: Some("prod".to_owned()),
        security_groups: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        parameter_group: Some("pg".to_owned()),
        option_group: None,
        multi_az: false,
        deletion_protection: false,
        log_exports: vec!["postgresql".to_owned()],
        iam_authentication: true,
        copy_tags_to_snapshot: true,
        tags: tags(),
    }
}

fn restored() -> Reply {
    let element = instance("drctl-orders-1", "creating", None, "");
    ok("RestoreDBInstanceToPointInTime", &element)
}

async fn restore(script: &Script) -> Result<Accepted, CloudError> {
    let cloud = script.open(GuardPolicy::live(DECLARED)).await;
    let writer = cloud.writer().expect("a live run");
    writer.restore(REGION, &request()).await
}

#[tokio::test(start_paused = true)]
async fn a_restore_sets_everything_in_the_creating_call() {
    let script = Script::new([restored()]);
    let accepted = restore(&script).await.expect("accepted");
    assert_eq!(accepted.request_id.as_deref(), Some("r-1"));
    let form = &script.sent()[0].form;
    for (field, value) in [
        ("Action", "RestoreDBInstanceToPointInTime"),
        ("SourceDBInstanceIdentifier", "orders"),
        ("TargetDBInstanceIdentifier", "drctl-orders-1"),
        ("RestoreTime", "2026-01-15T09:00:00Z"),
        ("PubliclyAccessible", "false"),
        ("DBInstanceClass", "db.r6g.large"),
        ("DBSubnetGroupName", "prod"),
        ("VpcSecurityGroupIds.VpcSecurityGroupId.2", "sg-2"),
        ("DBParameterGroupName", "pg"),
        ("MultiAZ", "false"),
        ("DeletionProtection", "false"),
        ("EnableCloudwatchLogsExports.member.1", "postgresql"),
        ("EnableIAMDatabaseAuthentication", "true"),
        ("CopyTagsToSnapshot", "true"),
        ("Tags.Tag.1.Key", "drctl:expires"),
        ("Tags.Tag.2.Value", "ada"),
        ("Tags.Tag.3.Key", "drctl:run"),
        ("Tags.Tag.4.Value", "restore"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
    assert!(!form.contains_key("OptionGroupName") && !form.contains_key("UseLatestRestorableTime"));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_once_and_its_end_has_a_class() {
    let cases = [
        (error(503, "ServiceUnavailable", "busy"), ErrorClass::InDoubt, "busy"),
        (error(500, "InternalFailure", "oops"), ErrorClass::InDoubt, "oops"),
        (Reply::Lost, ErrorClass::InDoubt, "no answer"),
        (Reply::Silence, ErrorClass::InDoubt, "no answer"),
        (html(500), ErrorClass::InDoubt, "web page"),
        (html(200), ErrorClass::InDoubt, "web page"),
        (html(404), ErrorClass::Permanent, "web page"),
        (Reply::ConnectionRefused, ErrorClass::Unreachable, "nobody answers"),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary, "Rate"),
        (error(503, "SlowDown", "Slow down"), ErrorClass::Temporary, "Slow"),
        (error(400, "InvalidDBInstanceState", "not available"), ErrorClass::Temporary, "available"),
        (error(400, "DBInstanceAlreadyExists", "exists"), ErrorClass::Permanent, "exists"),
        (error(404, "DBInstanceNotFound", "orders not found"), ErrorClass::Permanent, "orders"),
        (error(403, "AccessDenied", "not authorized"), ErrorClass::Credentials, "authorized"),
        (error(403, "ExpiredToken", "expired"), ErrorClass::Credentials, "expired"),
        (error(400, "InstanceQuotaExceeded", "quota"), ErrorClass::Permanent, "quota"),
    ];
    for (reply, class, words) in cases {
        let shown = format!("{reply:?}");
        let script = Script::new([reply, restored(), restored()]);
        let failed = restore(&script).await.expect_err("refused or in doubt");
        assert_eq!(failed.class, class, "{shown}: {failed}");
        assert!(failed.message.contains(words), "{shown}: {failed}");
        assert_eq!(script.sent().len(), 1, "{shown} is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn already_exists_keeps_its_code() {
    let script = Script::new([error(400, "DBInstanceAlreadyExists", "DB instance already exists")]);
    let failed = restore(&script).await.expect_err("exists");
    assert!(failed.is("DBInstanceAlreadyExists"));
    assert_eq!(failed.operation, "rds:RestoreDBInstanceToPointInTime");
}

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases: { orders: { instance: Shop-Orders, security_groups: [sg-1] } }
environments:
  test: { type: simulated, account: "123456789012", region: us-east-1, seed: 1 }
"#;

#[tokio::test(start_paused = true)]
async fn our_own_rules_refuse_before_anything_is_sent() {
    let script = Script::new([]);
    let estate = load("shop.yaml", ESTATE).expect("valid");
    let cloud = script.open(GuardPolicy::live(DECLARED)).await.protecting(&estate);
    let writer = cloud.writer().expect("a live run");
    let changed = |change: fn(&mut RestoreRequest)| {
        let mut request = request();
        change(&mut request);
        request
    };
    for (region, request, words) in [
        ("eu-west-1", request(), "must not be in eu-west-1"),
        (REGION, changed(|request| request.target = "ORDERS".to_owned()), "belongs to the estate"),
        (REGION, changed(|request| request.target = "shop-orders".to_owned()), "belongs to"),
        (REGION, changed(|request| request.tags.clear()), "no tag of drctl's"),
        (
            REGION,
            changed(|request| drop(request.tags.remove("drctl:expires"))),
            "`drctl:expires` is not among them",
        ),
    ] {
        let failed = writer.restore(region, &request).await.expect_err("refused");
        assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
        assert!(failed.message.contains(words), "{failed}");
    }
    assert!(script.sent().is_empty());
    let view = cloud.view(Overlay::new());
    let refused = view.delete_permit(REGION, "shop-orders", &run()).await.expect_err("protected");
    assert_eq!(refused.class(), ErrorClass::Refused, "{refused}");
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_undeclared_write_is_refused() {
    let script = Script::new([]);
    let cloud = script.open(GuardPolicy::live(["rds:DeleteDBInstance"])).await;
    let writer = cloud.writer().expect("a live run");
    let failed = writer.restore(REGION, &request()).await.expect_err("refused");
    assert_eq!(failed.class, ErrorClass::Refused);
    assert!(failed.message.contains("the plan does not declare it"), "{failed}");
    assert!(script.sent().is_empty());
    assert_eq!(cloud.calls().refused().count(), 1);
}

fn ours(more: &str) -> Reply {
    let run = run();
    instances(&instance("drctl-a", "available", Some(run.as_str()), more))
}

async fn with_permit(script: &Script, declared: &[&str]) -> (Cloud, DeletePermit) {
    let cloud = script.open(GuardPolicy::live(declared.iter().copied())).await;
    let view = cloud.view(Overlay::new());
    let permit = view.delete_permit(REGION, "drctl-a", &run()).await.expect("ours");
    (cloud, permit)
}

fn deleted() -> Reply {
    ok("DeleteDBInstance", &instance("drctl-a", "deleting", None, ""))
}

#[tokio::test(start_paused = true)]
async fn a_deletion_looks_again_and_leaves_nothing_behind() {
    let script = Script::new([ours(""), ours(""), deleted()]);
    let (cloud, permit) = with_permit(&script, &["rds:DeleteDBInstance"]).await;
    let writer = cloud.writer().expect("a live run");
    writer.delete_db_instance(&permit).await.expect("accepted");
    assert_eq!(
        script.actions(),
        ["DescribeDBInstances", "DescribeDBInstances", "DeleteDBInstance"]
    );
    let form = &script.sent()[2].form;
    assert_eq!(form["DBInstanceIdentifier"], "drctl-a");
    assert_eq!(
        (form["SkipFinalSnapshot"].as_str(), form["DeleteAutomatedBackups"].as_str()),
        ("true", "true")
    );
}

#[tokio::test(start_paused = true)]
async fn a_replaced_or_vanished_instance_is_not_deleted() {
    let run = run();
    let replaced = ok(
        "DescribeDBInstances",
        &format!(
            "<DBInstances><DBInstance><DBInstanceIdentifier>drctl-a</DBInstanceIdentifier>\
             <DbiResourceId>db-new</DbiResourceId><TagList><Tag><Key>drctl:run</Key>\
             <Value>{run}</Value></Tag></TagList></DBInstance></DBInstances>"
        ),
    );
    let retagged = instances(&instance("drctl-a", "available", Some("someone"), ""));
    let gone = error(404, "DBInstanceNotFound", "DBInstance drctl-a not found.");
    for (second, class, code) in [
        (replaced, ErrorClass::Refused, None),
        (retagged, ErrorClass::Refused, None),
        (gone, ErrorClass::Permanent, Some("DBInstanceNotFound")),
        (error(403, "ExpiredToken", "expired"), ErrorClass::Credentials, Some("ExpiredToken")),
    ] {
        let script = Script::new([ours(""), second, deleted()]);
        let (cloud, permit) = with_permit(&script, &["rds:DeleteDBInstance"]).await;
        let writer = cloud.writer().expect("a live run");
        let failed = writer.delete_db_instance(&permit).await.expect_err("not deleted");
        assert_eq!((failed.class, failed.code.as_deref()), (class, code), "{failed}");
        assert_eq!(script.sent().len(), 2, "{failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_ends_only_by_a_declared_call() {
    let locked = "<DeletionProtection>true</DeletionProtection>";
    let modified = ok("ModifyDBInstance", &instance("drctl-a", "available", None, ""));
    let replies = [ours(locked), ours(locked), ours(locked), modified, deleted()];
    let script = Script::new(replies.clone());
    let (cloud, permit) = with_permit(&script, &DECLARED).await;
    cloud.writer().expect("live").delete_db_instance(&permit).await.expect("accepted");
    let actions = script.actions();
    assert_eq!(actions[3..], ["ModifyDBInstance", "DeleteDBInstance"]);
    assert_eq!(script.sent()[3].form["DeletionProtection"], "false");
    let script = Script::new(replies);
    let (cloud, permit) = with_permit(&script, &["rds:DeleteDBInstance"]).await;
    let writer = cloud.writer().expect("live");
    let failed = writer.delete_db_instance(&permit).await.expect_err("undeclared");
    assert_eq!(
        (failed.class, failed.operation.as_str()),
        (ErrorClass::Refused, "rds:ModifyDBInstance")
    );
    assert_eq!(script.sent().len(), 3, "three looks and no write");
}

#[tokio::test(start_paused = true)]
async fn names_that_only_the_environment_changes_are_protected_too() {
    use crate::estate::{EnvironmentKind, Simulation};
    let text =
        ESTATE.replace("seed: 1 }", "seed: 1, databases: { orders: { instance: Test-Orders } } }");
    let estate = load("shop.yaml", &text).expect("valid");
    let mut environment = environment();
    environment.kind = EnvironmentKind::Simulated(Simulation { seed: 1, ..Simulation::default() });
    environment.databases = estate.environments["test"].databases.clone();
    let script = Script::new([]);
    let cloud = script.try_open(environment, GuardPolicy::live(DECLARED)).await.expect("valid");
    let mut request = request();
    request.target = "test-orders".to_owned();
    let writer = cloud.writer().expect("live");
    let failed = writer.restore(REGION, &request).await.expect_err("protected");
    assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn data_does_not_leave_the_regions_of_its_database() {
    let text = ESTATE.replace("Shop-Orders", "orders, allowed_regions: [us-east-1]");
    let estate = load("shop.yaml", &text).expect("valid");
    assert!(!estate.databases["orders"].allowed_regions.is_empty(), "{text}");
    let script = Script::new([restored(), restored()]);
    let cloud = script.open(GuardPolicy::live(DECLARED)).await.protecting(&estate);
    let writer = cloud.writer().expect("live");
    let mut request = request();
    let failed = writer.restore("us-west-2", &request).await.expect_err("the environment would");
    assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
    assert!(failed.message.contains("`orders` must not be in us-west-2"), "{failed}");
    // Not even a copy of a copy, whose name and snapshot tell where it comes from.
    for (instance, snapshot) in [
        ("other", "rds:orders-2026-01-15-03-05"),
        ("drctl-orders-12345678-abcdef", "mine"),
        ("other", "arn:aws:rds:us-east-1:123456789012:snapshot:rds:orders-2026-01-15-03-05"),
    ] {
        let (instance, snapshot) = (instance.to_owned(), snapshot.to_owned());
        request.from = RestoreSource::Snapshot { instance, snapshot };
        let failed = writer.restore("us-west-2", &request).await.expect_err("it is the same data");
        assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
    }
    assert!(script.sent().is_empty(), "nothing was sent");
    request.from = RestoreSource::Instant { instance: "orders".to_owned(), at: simulated_epoch() };
    writer.restore(REGION, &request).await.expect("at home");
    request.from = RestoreSource::Instant { instance: "stock".to_owned(), at: simulated_epoch() };
    writer.restore("us-west-2", &request).await.expect("another database says nothing");
}

fn replica_of(source: &str) -> ReplicaRequest {
    ReplicaRequest {
        source: source.to_owned(),
        target: "drctl-far-1".to_owned(),
        class: None,
        kms_key: None,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: None,
        multi_az: false,
        deletion_protection: false,
        tags: tags(),
    }
}

fn copy_of(source: &str) -> CopyRequest {
    let (source, target) = (source.to_owned(), "drctl-copy-1".to_owned());
    CopyRequest { source, target, kms_key: None, tags: tags() }
}

#[tokio::test(start_paused = true)]
async fn neither_a_replica_nor_a_copy_leaves_the_regions_of_its_database() {
    let text = ESTATE.replace("Shop-Orders", "orders, allowed_regions: [us-east-1]");
    let estate = load("shop.yaml", &text).expect("valid");
    let creating = instance("drctl-far-1", "creating", None, "");
    let copied = snapshot("drctl-copy-1", "manual", "creating", None, "");
    let script = Script::new([
        ok("CreateDBInstanceReadReplica", &creating),
        ok("CreateDBInstanceReadReplica", &creating),
        ok("CopyDBSnapshot", &copied),
        ok("CopyDBSnapshot", &copied),
    ]);
    let declared = ["rds:CreateDBInstanceReadReplica", "rds:CopyDBSnapshot"];
    let cloud = script.open(GuardPolicy::live(declared)).await.protecting(&estate);
    let writer = cloud.writer().expect("live");
    let arn = |what: &str| format!("arn:aws:rds:us-east-1:123456789012:{what}");
    for source in ["orders".to_owned(), "Orders".to_owned(), arn("db:orders")] {
        let failed = writer.create_replica("us-west-2", &replica_of(&source)).await;
        let failed = failed.expect_err("the environment alone would allow it");
        assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
        assert!(failed.message.contains("`orders` must not be in us-west-2"), "{failed}");
    }
    let automated = arn("snapshot:rds:orders-2026-01-15-03-05");
    for source in [automated.clone(), arn("snapshot:drctl-orders-12345678-abcdef")] {
        let failed = writer.copy_snapshot("us-west-2", &copy_of(&source)).await;
        let failed = failed.expect_err("the environment alone would allow it");
        assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
        assert!(failed.message.contains("`orders` must not be in us-west-2"), "{failed}");
    }
    assert!(script.sent().is_empty(), "nothing was sent");
    writer.create_replica(REGION, &replica_of("orders")).await.expect("at home");
    writer.create_replica("us-west-2", &replica_of(&arn("db:stock"))).await.expect("says nothing");
    writer.copy_snapshot(REGION, &copy_of(&automated)).await.expect("at home");
    let other = arn("snapshot:rds:stock-2026-01-15-03-05");
    writer.copy_snapshot("us-west-2", &copy_of(&other)).await.expect("says nothing");
    assert_eq!(script.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_fifo_topic_gets_a_token_and_no_other_does() {
    for (topic, token) in [("t.fifo", Some("r-s")), ("t", None)] {
        let script = Script::new([ok("Publish", "<MessageId>m-1</MessageId>")]);
        let cloud = script.open(GuardPolicy::live(["sns:Publish"])).await;
        let publication = Publication {
            topic: format!("arn:aws:sns:us-east-1:123456789012:{topic}"),
            subject: None,
            message: "hello".to_owned(),
            attributes: std::collections::BTreeMap::new(),
            token: "r-s".to_owned(),
        };
        let writer = cloud.writer().expect("a live run");
        let published = writer.publish(REGION, &publication).await.expect("accepted");
        assert_eq!(published.message_id, "m-1");
        let form = &script.sent()[0].form;
        assert_eq!(form.get("MessageDeduplicationId").map(String::as_str), token);
        assert_eq!(form.contains_key("MessageGroupId"), token.is_some());
    }
}
