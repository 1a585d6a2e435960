//! Opening, proving the account, walls, records.
//!
//! **Invariant:** what a session says about itself is what it did.

use crate::cloud::guard::GuardRefusal;
use crate::cloud::guard::interceptor::CLEARANCE_HEADER;
use crate::cloud::tests::answers::{error, html, identity, instances};
use crate::cloud::tests::scripted::{Reply, Script, environment};
use crate::cloud::{CallOutcome, ErrorClass, GuardPolicy, Overlay};
use crate::estate::EnvironmentKind;
use std::collections::BTreeMap;

#[tokio::test(start_paused = true)]
async fn the_account_must_be_the_one_of_the_environment() {
    let script = Script::new([identity("123456789012"), identity("999999999999")]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let found = cloud.verify_account().await.expect("the right account");
    assert_eq!(found.arn, "arn:aws:sts::123456789012:assumed-role/dr/ada");
    let wrong = cloud.verify_account().await.expect_err("the wrong account");
    assert_eq!(wrong.class, ErrorClass::Credentials);
    let text = wrong.to_string();
    assert!(text.contains("123456789012") && text.contains("999999999999"), "{text}");
    let sent = &script.sent()[0];
    assert!(sent.uri.starts_with("https://sts.us-east-1.amazonaws.com"), "{}", sent.uri);
    assert!(!sent.headers.contains_key(CLEARANCE_HEADER));
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_wait_for_a_person() {
    let script = Script::new([error(403, "ExpiredToken", "The security token is expired")]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let failed = cloud.verify_account().await.expect_err("expired");
    assert_eq!(
        (failed.class, failed.code.as_deref()),
        (ErrorClass::Credentials, Some("ExpiredToken"))
    );
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_has_no_writer_and_says_so() {
    let script = Script::new([]);
    let dry = script.open(GuardPolicy::DryRun).await;
    assert!(dry.writer().is_none());
    assert!(dry.walls()[0].contains("no writer"), "{:?}", dry.walls());
    assert!(dry.walls()[2].contains("the simulator has no IAM"), "{:?}", dry.walls());
    let live = script.open(GuardPolicy::live(["rds:DeleteDBInstance"])).await;
    assert!(live.writer().is_some());
    assert!(live.walls()[0].contains("and 1 that the plan declares"), "{:?}", live.walls());
}

#[tokio::test(start_paused = true)]
async fn the_factory_puts_the_guard_on_both_sides() {
    use crate::cloud::clients::ClientUse;
    let script = Script::new([]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let client = cloud.clients().rds("us-east-1", ClientUse::Writes);
    let refused = client.delete_db_instance().db_instance_identifier("orders").send().await;
    let refused = refused.expect_err("a dry run deletes nothing");
    let operation = "rds:DeleteDBInstance".to_owned();
    assert_eq!(GuardRefusal::find(&refused), Some(&GuardRefusal::DryRunRefused { operation }));
    assert!(script.sent().is_empty());
    let calls = cloud.calls();
    let record = calls.refused().next().expect("recorded");
    assert_eq!((record.operation.as_str(), record.attempts), ("rds:DeleteDBInstance", 0));
    assert_eq!(record.region, "us-east-1");
}

#[tokio::test(start_paused = true)]
async fn calls_and_servers_are_on_record() {
    let sim = Reply::Http(
        200,
        "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances/>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>"
            .to_owned(),
        vec![("x-drctl-server", "drctl simulator 0.1.0"), ("server", "hyper")],
    );
    let script = Script::new([error(400, "Throttling", "Rate exceeded"), instances(""), sim]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    assert_eq!(cloud.server(), "AWS");
    let view = cloud.view(Overlay::new());
    view.db_instance("us-east-1", "orders").await.expect("after one retry");
    view.db_instance("us-west-2", "orders").await.expect("at once");
    assert_eq!(cloud.server(), "drctl simulator 0.1.0");
    let calls = cloud.calls();
    let seen: Vec<_> = calls
        .records()
        .iter()
        .map(|call| (call.region.as_str(), call.attempts, call.outcome.clone()))
        .collect();
    assert_eq!(
        seen,
        [
            ("us-east-1", 2, CallOutcome::Answered(200)),
            ("us-west-2", 1, CallOutcome::Answered(200))
        ]
    );
    assert_eq!(calls.sent(), BTreeMap::from([("rds:DescribeDBInstances".to_owned(), 3)]));
}

#[tokio::test(start_paused = true)]
async fn fixed_endpoints_are_used_and_must_be_complete() {
    let mut environment = environment();
    let url = "http://127.0.0.1:5000".to_owned();
    environment.kind =
        EnvironmentKind::Endpoints(BTreeMap::from([("rds".to_owned(), url.clone())]));
    let script = Script::new([html(500), html(500), html(500), html(500)]);
    let failed = script.try_open(environment.clone(), GuardPolicy::DryRun).await;
    let failed = failed.expect_err("incomplete").to_string();
    assert!(failed.contains("no endpoint for sts, secretsmanager"), "{failed}");
    environment.kind = EnvironmentKind::Endpoints(BTreeMap::from([("default".to_owned(), url)]));
    let cloud = script.try_open(environment, GuardPolicy::DryRun).await.expect("complete");
    let failed = cloud.verify_account().await.expect_err("a web page");
    assert_eq!(failed.class, ErrorClass::Temporary);
    assert!(failed.message.contains("web page") && failed.message.contains("Not Implemented"));
    assert!(script.sent()[0].uri.starts_with("http://127.0.0.1:5000"), "{:?}", script.sent()[0]);
}
