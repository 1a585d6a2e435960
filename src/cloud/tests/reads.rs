//! Typed reads over the wire: shapes, absence, pages, retries, predictions, permits.
//!
//! **Invariant:** an answer that was not understood is never an absent instance.

use crate::base::clock::{format_instant, simulated_epoch};
use crate::cloud::model::{DbInstance, StorageOperation};
use crate::cloud::tests::answers::{error, html, instance, instances, json, json_error, ok};
use crate::cloud::tests::scripted::{REGION, Reply, Script, other_run, run};
use crate::cloud::{ErrorClass, EstateView, GuardPolicy, Overlay, PermitError, PredictedEffect};
use chrono::TimeDelta;

async fn view(script: &Script) -> EstateView {
    script.open(GuardPolicy::DryRun).await.view(Overlay::new())
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_read_whole() {
    let more = "<DBInstanceClass>db.r6g.large</DBInstanceClass><AllocatedStorage>200</AllocatedStorage>\
        <Endpoint><Address>orders.abc.us-east-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint>\
        <BackupRetentionPeriod>14</BackupRetentionPeriod><MultiAZ>true</MultiAZ>\
        <LatestRestorableTime>2026-01-15T08:55:00Z</LatestRestorableTime>\
        <InstanceCreateTime>2025-11-02T08:00:12.345Z</InstanceCreateTime>\
        <StorageOperationStatus>Initializing</StorageOperationStatus>\
        <StorageOperationPercentProgress>40</StorageOperationPercentProgress>\
        <PubliclyAccessible>false</PubliclyAccessible><StorageEncrypted>true</StorageEncrypted>\
        <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>\
        <Status>active</Status></VpcSecurityGroupMembership></VpcSecurityGroups>\
        <DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg</DBParameterGroupName>\
        <ParameterApplyStatus>in-sync</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>\
        <DBSubnetGroup><DBSubnetGroupName>prod</DBSubnetGroupName></DBSubnetGroup>";
    let script = Script::new([instances(&instance("Orders", "available", Some("r"), more))]);
    let found = view(&script).await.db_instance(REGION, "orders").await.expect("answered");
    let found = found.expect("there");
    assert_eq!((found.id.as_str(), found.resource_id.as_str()), ("orders", "db-Orders"));
    assert_eq!((found.class.as_str(), found.storage_gib), ("db.r6g.large", 200));
    let endpoint = found.endpoint.as_ref().expect("an endpoint");
    assert_eq!((endpoint.host.len(), endpoint.port), (38, 5432));
    assert_eq!(
        found.latest_restorable_time.map(format_instant).as_deref(),
        Some("2026-01-15T08:55:00Z")
    );
    assert_eq!(found.created_at.map(format_instant).as_deref(), Some("2025-11-02T08:00:12.345Z"));
    let loading = StorageOperation { status: "Initializing".to_owned(), percent: Some(40) };
    assert_eq!(found.storage_operation, Some(loading));
    assert_eq!((found.publicly_accessible, found.storage_encrypted), (Some(false), true));
    assert_eq!(found.security_groups, ["sg-1"]);
    assert_eq!(found.parameter_groups, [("pg".to_owned(), "in-sync".to_owned())]);
    assert_eq!(found.subnet_group.as_deref(), Some("prod"));
    assert_eq!(found.tags.get("drctl:run").map(String::as_str), Some("r"));
    let sent = &script.sent()[0];
    assert_eq!(sent.form.get("DBInstanceIdentifier").map(String::as_str), Some("orders"));
}

#[tokio::test(start_paused = true)]
async fn a_creating_instance_has_no_endpoint_and_no_exposure() {
    let script = Script::new([instances(&instance("a", "creating", None, "<Endpoint/>"))]);
    let found = view(&script).await.db_instance(REGION, "a").await.expect("answered");
    let found = found.expect("there");
    assert_eq!((found.endpoint, found.publicly_accessible), (None, None));
}

#[tokio::test(start_paused = true)]
async fn not_found_is_an_answer() {
    let script = Script::new([
        error(404, "DBInstanceNotFound", "DBInstance a not found."),
        instances(&instance("another", "available", None, "")),
        error(404, "DBInstanceAutomatedBackupNotFound", "none"),
        error(404, "DBInstanceNotFound", "none"),
    ]);
    let view = view(&script).await;
    assert_eq!(view.db_instance(REGION, "a").await, Ok(None));
    assert_eq!(view.db_instance(REGION, "a").await, Ok(None), "another instance is not `a`");
    assert_eq!(view.automated_backup(REGION, "db-a").await, Ok(None));
    let since = simulated_epoch() - TimeDelta::hours(1);
    assert_eq!(view.db_events(REGION, "a", since).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn throttled_reads_are_tried_four_times_in_simulated_time() {
    let throttled = error(400, "Throttling", "Rate exceeded");
    let script = Script::new(vec![throttled; 4]);
    let failed = view(&script).await.db_instance(REGION, "a").await.expect_err("throttled");
    assert_eq!((failed.class, failed.code.as_deref()), (ErrorClass::Temporary, Some("Throttling")));
    assert_eq!(failed.request_id.as_deref(), Some("r-2"));
    let sent = script.sent();
    assert_eq!(sent.len(), 4);
    assert!(sent[3].at > sent[0].at, "back-off passed in simulated time");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_an_answer_is_an_error() {
    let cases: [(Vec<Reply>, ErrorClass, &str); 7] = [
        (vec![Reply::ConnectionRefused; 4], ErrorClass::Unreachable, "nobody answers"),
        (vec![Reply::Lost; 4], ErrorClass::Temporary, "no answer"),
        (vec![Reply::Silence; 4], ErrorClass::Temporary, "no answer"),
        (vec![html(503); 4], ErrorClass::Temporary, "web page"),
        (vec![html(200)], ErrorClass::Unreachable, "web page"),
        (vec![error(403, "AccessDenied", "no")], ErrorClass::Credentials, "no"),
        (
            vec![Reply::Http(200, "<Describe".to_owned(), Vec::new())],
            ErrorClass::Temporary,
            "cannot be read",
        ),
    ];
    for (replies, class, words) in cases {
        let shown = format!("{:?}", replies[0]);
        let script = Script::new(replies);
        let failed = view(&script).await.db_instance(REGION, "a").await.expect_err("no answer");
        assert_eq!(failed.class, class, "{shown}: {failed}");
        assert!(failed.message.contains(words), "{shown}: {failed}");
        assert!(!failed.message.contains("script is over"), "{shown}: {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_followed() {
    let page = |id: &str, marker: &str| {
        let element = instance(id, "available", None, "");
        let body = format!("<DBInstances>{element}</DBInstances>{marker}");
        ok("DescribeDBInstances", &body)
    };
    let script = Script::new([page("a", "<Marker>m1</Marker>"), page("b", "")]);
    let mut overlay = Overlay::new();
    let deleted = PredictedEffect::Deleted { region: REGION.to_owned(), id: "a".to_owned() };
    overlay.apply(&deleted);
    let created = DbInstance { id: "c".to_owned(), ..DbInstance::default() };
    overlay.apply(&PredictedEffect::Created(Box::new(created), REGION.to_owned()));
    let view = view(&script).await.with_overlay(overlay);
    let found = view.db_instances(REGION).await.expect("two pages");
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(script.sent()[1].form.get("Marker").map(String::as_str), Some("m1"));
}

#[tokio::test(start_paused = true)]
async fn predictions_come_before_aws() {
    let script = Script::new([]);
    let mut overlay = Overlay::new();
    let created = DbInstance { id: "drctl-a".to_owned(), ..DbInstance::default() };
    overlay.apply(&PredictedEffect::Created(Box::new(created.clone()), REGION.to_owned()));
    let gone = PredictedEffect::Deleted { region: REGION.to_owned(), id: "drctl-b".to_owned() };
    overlay.apply(&gone);
    let view = view(&script).await.with_overlay(overlay);
    assert_eq!(view.db_instance(REGION, "drctl-a").await, Ok(Some(created)));
    assert_eq!(view.db_instance(REGION, "drctl-b").await, Ok(None));
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn backups_and_events_are_read() {
    let backup = |status: &str| {
        format!(
            "<DBInstanceAutomatedBackup><DBInstanceIdentifier>orders</DBInstanceIdentifier>\
             <DbiResourceId>db-1</DbiResourceId><Status>{status}</Status><RestoreWindow>\
             <EarliestTime>2026-01-01T00:00:00Z</EarliestTime>\
             <LatestTime>2026-01-15T08:55:00Z</LatestTime></RestoreWindow>\
             <Encrypted>true</Encrypted></DBInstanceAutomatedBackup>"
        )
    };
    let backups = format!(
        "<DBInstanceAutomatedBackups>{}{}</DBInstanceAutomatedBackups>",
        backup("retained"),
        backup("active")
    );
    let event = |at: &str, text: &str| {
        format!(
            "<Event><SourceIdentifier>orders</SourceIdentifier><Date>{at}</Date>\
             <Message>{text}</Message><EventCategories><EventCategory>creation</EventCategory>\
             </EventCategories></Event>"
        )
    };
    let events = format!(
        "<Events>{}{}</Events>",
        event("2026-01-15T08:59:00Z", "second"),
        event("2026-01-15T08:58:00Z", "first")
    );
    let script = Script::new([
        ok("DescribeDBInstanceAutomatedBackups", &backups),
        ok("DescribeEvents", &events),
    ]);
    let view = view(&script).await;
    let found = view.automated_backup(REGION, "db-1").await.expect("answered").expect("there");
    assert_eq!((found.status.as_str(), found.encrypted), ("active", true));
    assert_eq!(found.latest.map(format_instant).as_deref(), Some("2026-01-15T08:55:00Z"));
    let since = simulated_epoch() - TimeDelta::days(30);
    let found = view.db_events(REGION, "orders", since).await.expect("answered");
    let texts: Vec<&str> = found.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
    let form = &script.sent()[1].form;
    assert_eq!(form["StartTime"], "2026-01-01T09:01:00Z", "RDS refuses what is older than 14 days");
    assert_eq!(form["EndTime"], "2026-01-15T09:00:00Z");
    assert_eq!(view.db_events(REGION, "orders", simulated_epoch()).await, Ok(Vec::new()));
    assert_eq!(script.sent().len(), 2, "an empty range is not asked for");
}

#[tokio::test(start_paused = true)]
async fn secret_versions_are_read_without_values() {
    let first =
        r#"{"Versions":[{"VersionId":"v2","VersionStages":["AWSCURRENT"]}],"NextToken":"t"}"#;
    let second = r#"{"Versions":[{"VersionId":"v1","VersionStages":["AWSPREVIOUS"]}]}"#;
    let missing = json_error("ResourceNotFoundException", "no such secret");
    let script = Script::new([json(first), json(second), missing]);
    let view = view(&script).await;
    let found = view.secret_versions(REGION, "orders/master").await.expect("two pages");
    let ids: Vec<&str> = found.iter().map(|version| version.id.as_str()).collect();
    assert_eq!(ids, ["v2", "v1"]);
    assert_eq!(found[1].stages, ["AWSPREVIOUS"]);
    let failed = view.secret_versions(REGION, "none").await.expect_err("no such secret");
    assert!(failed.is("ResourceNotFoundException") && failed.class == ErrorClass::Permanent);
}

#[tokio::test(start_paused = true)]
async fn a_permit_looks_past_predictions() {
    let (ours, theirs) = (run(), other_run());
    let owned = |run: &str| instances(&instance("drctl-a", "available", Some(run), ""));
    let script = Script::new([owned(ours.as_str()), owned(theirs.as_str())]);
    let mut overlay = Overlay::new();
    let gone = PredictedEffect::Deleted { region: REGION.to_owned(), id: "drctl-a".to_owned() };
    overlay.apply(&gone);
    let view = view(&script).await.with_overlay(overlay);
    let permit = view.delete_permit(REGION, "drctl-a", &ours).await.expect("ours");
    assert_eq!((permit.id(), permit.resource_id()), ("drctl-a", "db-drctl-a"));
    let refused = view.delete_permit(REGION, "drctl-a", &ours).await.expect_err("not ours");
    assert!(matches!(&refused, PermitError::Foreign { run, .. } if run == theirs.as_str()));
    let failed = view.delete_permit(REGION, "drctl-a", &ours).await.expect_err("no answer");
    assert!(matches!(failed, PermitError::Cloud(_)));
}
