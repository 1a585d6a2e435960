//! Snapshots and keys over the wire: what is read, what is sent, and what an unclear end is called.
//!
//! **Invariant:** a write is sent at most once, and an answer that was not understood is an error.

use crate::base::clock::format_instant;
use crate::cloud::model::{DbSnapshot, RestoreRequest, RestoreSource, SnapshotRequest};
use crate::cloud::tests::answers::{
    KEY, encrypted_at, error, html, instance, json, json_error, key, ok, snapshot, snapshots,
};
use crate::cloud::tests::scripted::{REGION, Reply, Script, other_run, run, tags};
use crate::cloud::{
    Accepted, Cloud, CloudError, ErrorClass, EstateView, GuardPolicy, Overlay, PermitError,
    PredictedEffect, SnapshotPermit,
};
use std::collections::BTreeMap;

const DECLARED: [&str; 3] =
    ["rds:CreateDBSnapshot", "rds:DeleteDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot"];
const TAKEN: &str = "2026-01-15T03:11:33.381Z";

async fn view(script: &Script) -> EstateView {
    script.open(GuardPolicy::DryRun).await.view(Overlay::new())
}

fn automated(id: &str) -> String {
    snapshot(id, "automated", "available", None, &encrypted_at(TAKEN))
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_read_whole() {
    let more = "<OriginalSnapshotCreateTime>2026-01-14T03:00:00Z</OriginalSnapshotCreateTime>\
        <SnapshotDatabaseTime>2026-01-14T02:59:00Z</SnapshotDatabaseTime>\
        <PercentProgress>100</PercentProgress><MasterUsername>app</MasterUsername>\
        <BackupRetentionPeriod>14</BackupRetentionPeriod>\
        <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>";
    let more = format!("{}{more}", encrypted_at(TAKEN));
    let element = snapshot("Copy-1", "manual", "available", Some("r"), &more);
    let script = Script::new([snapshots(&element)]);
    let found = view(&script).await.db_snapshot(REGION, "copy-1").await.expect("answered");
    let found = found.expect("there");
    assert_eq!((found.id.as_str(), found.instance.as_str()), ("copy-1", "orders"));
    assert_eq!((found.kind.as_str(), found.status.as_str()), ("manual", "available"));
    assert_eq!((found.storage_gib, found.retention_days), (100, Some(14)));
    assert_eq!((found.encrypted, found.kms_key_id.as_deref()), (true, Some(KEY)));
    assert_eq!(found.created_at.map(format_instant).as_deref(), Some(TAKEN));
    // Of a copy the data is as old as its origin, of a replica's as its newest transaction.
    assert_eq!(found.data_at().map(format_instant).as_deref(), Some("2026-01-14T02:59:00Z"));
    let copy = DbSnapshot { database_time: None, ..found.clone() };
    assert_eq!(copy.data_at().map(format_instant).as_deref(), Some("2026-01-14T03:00:00Z"));
    assert_eq!(found.tags.get("drctl:run").map(String::as_str), Some("r"));
    assert!(found.iam_authentication && found.is_available());
    let form = &script.sent()[0].form;
    assert_eq!(form["DBSnapshotIdentifier"], "copy-1");
    assert!(!form.contains_key("SnapshotType") && !form.contains_key("IncludeShared"));
}

#[tokio::test(start_paused = true)]
async fn what_rds_wants_to_be_told_about_an_identifier_is_said() {
    let arn = format!("arn:aws:rds:{REGION}:999999999999:snapshot:shared");
    let script = Script::new([
        snapshots(&automated("rds:orders-1")),
        snapshots(""),
        snapshots(&automated("other")),
        snapshots(""),
    ]);
    let view = view(&script).await;
    assert!(view.db_snapshot(REGION, "rds:orders-1").await.expect("answered").is_some());
    assert_eq!(view.db_snapshot(REGION, "awsbackup:job-1").await, Ok(None));
    assert_eq!(view.db_snapshot(REGION, "wanted").await, Ok(None), "`other` is not `wanted`");
    assert_eq!(view.db_snapshot(REGION, &arn).await, Ok(None));
    let said = |at: usize, name: &str| script.sent()[at].form.get(name).cloned();
    assert_eq!(said(0, "SnapshotType").as_deref(), Some("automated"));
    assert_eq!(said(1, "SnapshotType").as_deref(), Some("awsbackup"));
    assert_eq!(said(3, "IncludeShared").as_deref(), Some("true"));
}

#[tokio::test(start_paused = true)]
async fn an_absent_snapshot_is_an_answer_and_a_broken_one_is_not() {
    let script = Script::new([error(404, "DBSnapshotNotFound", "DBSnapshot a not found.")]);
    assert_eq!(view(&script).await.db_snapshot(REGION, "a").await, Ok(None));
    let cut = Reply::Http(200, "<DescribeDBSnap".to_owned(), Vec::new());
    for (replies, class) in [
        (vec![error(400, "Throttling", "Rate exceeded"); 4], ErrorClass::Temporary),
        (vec![cut], ErrorClass::Temporary),
        (vec![html(200)], ErrorClass::Unreachable),
        (vec![Reply::Lost; 4], ErrorClass::Temporary),
        (vec![error(403, "AccessDenied", "no")], ErrorClass::Credentials),
    ] {
        let (shown, count) = (format!("{:?}", replies[0]), replies.len());
        let script = Script::new(replies);
        let failed = view(&script).await.db_snapshot(REGION, "a").await.expect_err("no answer");
        assert_eq!((failed.class, script.sent().len()), (class, count), "{shown}: {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_has_every_page_every_kind_and_what_is_predicted() {
    let page = |element: &str, marker: &str| {
        ok("DescribeDBSnapshots", &format!("<DBSnapshots>{element}</DBSnapshots>{marker}"))
    };
    let stranger = automated("rds:users-1").replace(">orders<", ">users<");
    let script = Script::new([
        page(&automated("rds:orders-1"), "<Marker>m1</Marker>"),
        page(&(automated("rds:orders-2") + &stranger), ""),
        page(&automated("awsbackup:job-1"), ""),
    ]);
    let mut overlay = Overlay::new();
    let gone =
        PredictedEffect::SnapshotDeleted { region: REGION.into(), id: "rds:orders-1".into() };
    overlay.apply(&gone);
    for (id, of) in [("drctl-s", "orders"), ("drctl-t", "users")] {
        let taken = DbSnapshot { id: id.into(), instance: of.into(), ..DbSnapshot::default() };
        overlay.apply(&PredictedEffect::SnapshotCreated(Box::new(taken), REGION.to_owned()));
    }
    let view = view(&script).await.with_overlay(overlay);
    let found = view.db_snapshots(REGION, "Orders").await.expect("three pages");
    let ids: Vec<&str> = found.iter().map(|snapshot| snapshot.id.as_str()).collect();
    assert_eq!(ids, ["awsbackup:job-1", "drctl-s", "rds:orders-2"]);
    let kinds = script.sent().into_iter().map(|sent| sent.form.get("SnapshotType").cloned());
    assert_eq!(kinds.collect::<Vec<_>>(), [None, None, Some("awsbackup".to_owned())]);
    // Predictions are read without asking, and deletions look past them.
    assert!(view.db_snapshot(REGION, "DRCTL-S").await.expect("predicted").is_some());
    assert_eq!(view.db_snapshot(REGION, "rds:orders-1").await, Ok(None));
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_read_with_its_state() {
    let pending = r#"{"KeyMetadata":{"KeyId":"1111","KeyState":"PendingDeletion","DeletionDate":1772359200.5}}"#;
    let script = Script::new([
        key("Enabled"),
        json(pending),
        json_error("NotFoundException", "Key does not exist"),
        key("Updating"),
        json(r#"{"KeyMetadata":{"KeyId":"1111"}}"#),
    ]);
    let view = view(&script).await;
    let found = view.kms_key(REGION, KEY).await.expect("answered").expect("there");
    assert_eq!((found.arn.as_str(), found.is_usable()), (KEY, true));
    let found = view.kms_key(REGION, KEY).await.expect("answered").expect("there");
    assert_eq!((found.state.as_str(), found.is_usable()), ("PendingDeletion", false));
    assert_eq!(found.deletion_at.map(format_instant).as_deref(), Some("2026-03-01T10:00:00.500Z"));
    assert_eq!(view.kms_key(REGION, KEY).await, Ok(None));
    assert!(view.kms_key(REGION, KEY).await.expect("answered").expect("there").is_usable());
    let stateless = view.kms_key(REGION, KEY).await.expect("answered").expect("there");
    assert!(!stateless.is_usable(), "a key whose state AWS does not say is not usable");
    assert_eq!(script.actions()[0], "TrentService.DescribeKey");
    assert!(script.sent()[0].body.contains(KEY));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_about_a_key_is_an_error() {
    let throttled = json_error("ThrottlingException", "Rate exceeded");
    for (replies, class) in [
        (vec![throttled; 4], ErrorClass::Temporary),
        (vec![json_error("AccessDeniedException", "not authorized")], ErrorClass::Credentials),
        (vec![json("{}")], ErrorClass::Temporary),
        (vec![json("{\"KeyMet")], ErrorClass::Temporary),
        (vec![html(503); 4], ErrorClass::Temporary),
    ] {
        let shown = format!("{:?}", replies[0]);
        let script = Script::new(replies);
        let failed = view(&script).await.kms_key(REGION, KEY).await.expect_err("no answer");
        assert_eq!(failed.class, class, "{shown}: {failed}");
        assert_eq!(failed.operation, "kms:DescribeKey");
    }
}

async fn take(
    script: &Script,
    region: &str,
    tags: BTreeMap<String, String>,
) -> Result<Accepted, CloudError> {
    let cloud = script.open(GuardPolicy::live(DECLARED)).await;
    let request = SnapshotRequest { instance: "orders".into(), snapshot: "drctl-s".into(), tags };
    cloud.writer().expect("a live run").create_snapshot(region, &request).await
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_taken_with_our_tags_in_the_creating_call() {
    let script =
        Script::new([ok("CreateDBSnapshot", &snapshot("drctl-s", "manual", "creating", None, ""))]);
    let accepted = take(&script, REGION, tags()).await.expect("accepted");
    assert_eq!(accepted.request_id.as_deref(), Some("r-1"));
    let form = &script.sent()[0].form;
    for (field, value) in [
        ("Action", "CreateDBSnapshot"),
        ("DBInstanceIdentifier", "orders"),
        ("DBSnapshotIdentifier", "drctl-s"),
        ("Tags.Tag.3.Key", "drctl:run"),
        ("Tags.Tag.3.Value", run().as_str()),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
}

/// What any of the writes can end with, and what that is called.
fn ends() -> [(Reply, ErrorClass); 10] {
    [
        (error(400, "DBSnapshotAlreadyExists", "exists"), ErrorClass::Permanent),
        (error(404, "DBInstanceNotFound", "orders not found"), ErrorClass::Permanent),
        (error(404, "DBSnapshotNotFound", "not found"), ErrorClass::Permanent),
        (error(400, "SnapshotQuotaExceeded", "quota"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "not available"), ErrorClass::Temporary),
        (error(400, "InvalidDBSnapshotState", "creating"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (error(500, "InternalFailure", "oops"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
        (html(200), ErrorClass::InDoubt),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_write_is_sent_once_and_its_end_has_a_class() {
    for (reply, class) in ends() {
        let shown = format!("{reply:?}");
        let script = Script::new([reply.clone()]);
        let failed = take(&script, REGION, tags()).await.expect_err("refused or in doubt");
        assert_eq!((failed.class, script.sent().len()), (class, 1), "{shown}: {failed}");
        let script = Script::new([reply.clone()]);
        let failed = restore(&script, REGION).await.expect_err("refused or in doubt");
        assert_eq!((failed.class, script.sent().len()), (class, 1), "{shown}: {failed}");
        let script = Script::new([owned(TAKEN), owned(TAKEN), reply]);
        let (cloud, permit) = with_permit(&script).await;
        let writer = cloud.writer().expect("live");
        let failed = writer.delete_snapshot(&permit).await.expect_err("refused or in doubt");
        assert_eq!((failed.class, script.sent().len()), (class, 3), "{shown}: {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_rules_refuse_before_anything_is_sent() {
    let script = Script::new([]);
    let failed = take(&script, "eu-west-1", tags()).await.expect_err("refused");
    assert!(
        failed.class == ErrorClass::Refused && failed.message.contains("eu-west-1"),
        "{failed}"
    );
    let failed = take(&script, REGION, BTreeMap::new()).await.expect_err("refused");
    assert!(failed.message.contains("no tag of drctl's"), "{failed}");
    let failed = restore(&script, "eu-west-1").await.expect_err("refused");
    assert_eq!(failed.operation, "rds:RestoreDBInstanceFromDBSnapshot");
    let cloud = script.open(GuardPolicy::live(["rds:DeleteDBSnapshot"])).await;
    let request = SnapshotRequest { instance: "o".into(), snapshot: "s".into(), tags: tags() };
    let writer = cloud.writer().expect("live");
    let failed = writer.create_snapshot(REGION, &request).await.expect_err("undeclared");
    assert!(failed.message.contains("the plan does not declare it"), "{failed}");
    assert!(script.sent().is_empty());
}

async fn restore(script: &Script, region: &str) -> Result<Accepted, CloudError> {
    let cloud = script.open(GuardPolicy::live(DECLARED)).await;
    let request = RestoreRequest {
        from: RestoreSource::Snapshot {
            instance: "orders".into(),
            snapshot: "rds:orders-1".into(),
        },
        target: "drctl-orders-1".to_owned(),
        class: Some("db.r6g.large".to_owned()),
        subnet_group: Some("prod".to_owned()),
        security_groups: vec!["sg-1".to_owned()],
        parameter_group: Some("pg".to_owned()),
        option_group: None,
        multi_az: false,
        deletion_protection: false,
        log_exports: vec!["postgresql".to_owned()],
        iam_authentication: true,
        copy_tags_to_snapshot: true,
        tags: tags(),
    };
    cloud.writer().expect("a live run").restore(region, &request).await
}

#[tokio::test(start_paused = true)]
async fn a_restore_from_a_snapshot_sets_everything_in_the_creating_call() {
    let element = instance("drctl-orders-1", "creating", None, "");
    let script = Script::new([ok("RestoreDBInstanceFromDBSnapshot", &element)]);
    restore(&script, REGION).await.expect("accepted");
    let form = &script.sent()[0].form;
    for (field, value) in [
        ("Action", "RestoreDBInstanceFromDBSnapshot"),
        ("DBSnapshotIdentifier", "rds:orders-1"),
        ("DBInstanceIdentifier", "drctl-orders-1"),
        ("PubliclyAccessible", "false"),
        ("DBInstanceClass", "db.r6g.large"),
        ("DBSubnetGroupName", "prod"),
        ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-1"),
        ("DBParameterGroupName", "pg"),
        ("MultiAZ", "false"),
        ("DeletionProtection", "false"),
        ("EnableCloudwatchLogsExports.member.1", "postgresql"),
        ("EnableIAMDatabaseAuthentication", "true"),
        ("CopyTagsToSnapshot", "true"),
        ("Tags.Tag.3.Key", "drctl:run"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
}

fn owned(at: &str) -> Reply {
    let run = run();
    snapshots(&snapshot("drctl-s", "manual", "available", Some(run.as_str()), &encrypted_at(at)))
}

async fn with_permit(script: &Script) -> (Cloud, SnapshotPermit) {
    let cloud = script.open(GuardPolicy::live(DECLARED)).await;
    let view = cloud.view(Overlay::new());
    let permit = view.snapshot_permit(REGION, "drctl-s", &run()).await.expect("ours");
    (cloud, permit)
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_deleted_after_another_look() {
    let deleted = ok("DeleteDBSnapshot", &snapshot("drctl-s", "manual", "deleted", None, ""));
    let script = Script::new([owned(TAKEN), owned(TAKEN), deleted]);
    let (cloud, permit) = with_permit(&script).await;
    cloud.writer().expect("live").delete_snapshot(&permit).await.expect("accepted");
    let actions = ["DescribeDBSnapshots", "DescribeDBSnapshots", "DeleteDBSnapshot"];
    assert_eq!(script.actions(), actions);
    assert_eq!(script.sent()[2].form["DBSnapshotIdentifier"], "drctl-s");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_retagged_or_vanished_snapshot_is_not_deleted() {
    let retagged =
        snapshots(&snapshot("drctl-s", "manual", "available", Some("x"), &encrypted_at(TAKEN)));
    let gone = error(404, "DBSnapshotNotFound", "DBSnapshot drctl-s not found.");
    for (second, class) in [
        (owned("2026-01-15T04:00:00Z"), ErrorClass::Refused),
        (retagged, ErrorClass::Refused),
        (gone, ErrorClass::Permanent),
        (error(403, "ExpiredToken", "expired"), ErrorClass::Credentials),
    ] {
        let script = Script::new([owned(TAKEN), second]);
        let (cloud, permit) = with_permit(&script).await;
        let writer = cloud.writer().expect("live");
        let failed = writer.delete_snapshot(&permit).await.expect_err("not deleted");
        assert_eq!((failed.class, script.sent().len()), (class, 2), "{failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_for_a_snapshot_looks_past_predictions() {
    let theirs = snapshots(&snapshot(
        "drctl-s",
        "manual",
        "available",
        Some(other_run().as_str()),
        &encrypted_at(TAKEN),
    ));
    let script = Script::new([owned(TAKEN), theirs]);
    let mut overlay = Overlay::new();
    let gone = PredictedEffect::SnapshotDeleted { region: REGION.into(), id: "drctl-s".into() };
    overlay.apply(&gone);
    let view = view(&script).await.with_overlay(overlay);
    let permit = view.snapshot_permit(REGION, "drctl-s", &run()).await.expect("ours");
    assert_eq!((permit.id(), permit.region(), permit.run()), ("drctl-s", REGION, &run()));
    let refused = view.snapshot_permit(REGION, "drctl-s", &run()).await.expect_err("not ours");
    assert!(matches!(&refused, PermitError::Foreign { what: "snapshot", .. }), "{refused}");
    let failed = view.snapshot_permit(REGION, "drctl-s", &run()).await.expect_err("no answer");
    assert!(matches!(failed, PermitError::Cloud(_)));
}
