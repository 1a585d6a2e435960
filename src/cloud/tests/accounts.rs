//! Sessions of further accounts over the wire: what AssumeRole is asked, with whose key calls are signed,
//! when a session is renewed.
//!
//! **Invariant:** no call is signed with credentials that were not proven, and no secret is shown.

use crate::cloud::credentials::{READ_ONLY_POLICY, SESSION_POLICY};
use crate::cloud::tests::answers::{error, identity, instances};
use crate::cloud::tests::scripted::{REGION, Reply, Script, environment};
use crate::cloud::{CallSource, Cloud, ErrorClass, GuardPolicy, Overlay};
use crate::estate::Account;
use std::collections::BTreeMap;
use std::time::Duration;

const OTHER: &str = "210987654321";
const ROLE: &str = "arn:aws:iam::210987654321:role/data";

/// STS's answer with a session that ends after `minutes`.
fn assumed(key: &str, until: &str) -> Reply {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>very-secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>{until}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    Reply::Http(200, body, vec![("content-type", "text/xml"), ("server", "sts")])
}

async fn open(script: &Script, policy: GuardPolicy) -> Cloud {
    let mut environment = environment();
    let account = Account {
        account: OTHER.to_owned(),
        role: ROLE.to_owned(),
        external_id: Some("dr-1".to_owned()),
        session_tags: BTreeMap::from([("team".to_owned(), "dr".to_owned())]),
        session_name: None,
    };
    environment.accounts.insert("data".to_owned(), account);
    script.try_open(environment, policy).await.expect("valid")
}

async fn look(cloud: &Cloud) -> Result<(), crate::cloud::CloudError> {
    let there = cloud.in_account(Some("data"))?;
    there.view(Overlay::default()).db_instance(REGION, "orders").await.map(drop)
}

/// The access keys that requests were signed with, in order.
fn keys(script: &Script) -> Vec<String> {
    let signed = |headers: &BTreeMap<String, String>| {
        let header = headers.get("authorization").cloned().unwrap_or_default();
        let key = header.split("Credential=").nth(1).and_then(|rest| rest.split('/').next());
        key.unwrap_or_default().to_owned()
    };
    script.sent().iter().map(|sent| signed(&sent.headers)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dry_runs_session_is_narrowed_and_used_for_its_steps_only() {
    let first = assumed("ASIAFIRST", "2026-01-15T10:00:00Z");
    let script = Script::new([first, instances(""), instances(""), instances("")]);
    let cloud = open(&script, GuardPolicy::DryRun).await;
    assert!(script.sent().is_empty(), "nobody is asked before it is needed");
    look(&cloud).await.expect("answered");
    look(&cloud).await.expect("answered");
    cloud.view(Overlay::default()).db_instance(REGION, "orders").await.expect("answered");
    let form = &script.sent()[0].form;
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "drctl-dry-run"),
        ("ExternalId", "dr-1"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "dr"),
        ("PolicyArns.member.1.arn", READ_ONLY_POLICY),
        ("Policy", SESSION_POLICY),
    ] {
        assert_eq!(form.get(name).map(String::as_str), Some(value), "{name}");
    }
    let keys = keys(&script);
    assert_eq!(keys[1..], ["ASIAFIRST", "ASIAFIRST", "drctl-no-key"], "one session, and its own");
    let calls = cloud.calls();
    let assumed = calls.records().iter().find(|call| call.operation == "sts:AssumeRole");
    assert_eq!(assumed.expect("recorded").source, CallSource::Credentials);
    let walls = cloud.walls().join("\n");
    assert!(walls.contains(ROLE) && walls.contains("`data` (210987654321) is narrowed"), "{walls}");
    assert!(!format!("{cloud:?} {walls}").contains("very-secret"));
}

#[tokio::test(start_paused = true)]
async fn a_live_runs_session_is_the_role_as_it_is() {
    let script = Script::new([assumed("ASIAFIRST", "2026-01-15T10:00:00Z"), instances("")]);
    let cloud = open(&script, GuardPolicy::live(["rds:DeleteDBInstance"])).await;
    look(&cloud).await.expect("answered");
    let form = &script.sent()[0].form;
    assert_eq!(form["RoleSessionName"], "drctl");
    assert!(!form.contains_key("Policy") && !form.keys().any(|key| key.starts_with("PolicyArns")));
    assert!(cloud.in_account(Some("data")).expect("there").writer().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_before_it_ends() {
    let script = Script::new([
        assumed("ASIAFIRST", "2026-01-15T10:00:00Z"),
        instances(""),
        instances(""),
        assumed("ASIASECOND", "2026-01-15T11:00:00Z"),
        instances(""),
    ]);
    let cloud = open(&script, GuardPolicy::DryRun).await;
    look(&cloud).await.expect("answered");
    let clock = script.clock();
    clock.sleep(Duration::from_secs(54 * 60)).await;
    look(&cloud).await.expect("answered");
    clock.sleep(Duration::from_secs(2 * 60)).await;
    look(&cloud).await.expect("answered");
    assert_eq!(keys(&script)[1..3], ["ASIAFIRST", "ASIAFIRST"]);
    assert_eq!(keys(&script)[4], "ASIASECOND", "five minutes before its end");
}

#[tokio::test(start_paused = true)]
async fn an_account_is_proven_before_anything_is_done_in_it() {
    let session = || assumed("ASIAFIRST", "2026-01-15T10:00:00Z");
    let script = Script::new([session(), identity(OTHER)]);
    let cloud = open(&script, GuardPolicy::DryRun).await;
    cloud.prove(["data"]).await.expect("the right account");
    assert_eq!(script.actions(), ["AssumeRole", "GetCallerIdentity"]);
    // The role turns out to be another account's.
    let script = Script::new([session(), identity("111122223333")]);
    let failed = open(&script, GuardPolicy::DryRun).await.prove(["data"]).await;
    let failed = failed.expect_err("another account");
    assert_eq!(failed.class, ErrorClass::Credentials);
    for part in ["(data)", OTHER, "111122223333"] {
        assert!(failed.message.contains(part), "{part} in {failed}");
    }
    // A wrong external id: AWS says no more than this.
    let denied = "User: ada is not authorized to perform: sts:AssumeRole on resource: role";
    let script = Script::new([error(403, "AccessDenied", denied)]);
    let failed = open(&script, GuardPolicy::DryRun).await.prove(["data"]).await;
    let failed = failed.expect_err("not assumed");
    assert_eq!(failed.class, ErrorClass::Credentials, "{failed}");
    assert!(failed.message.contains("not authorized to perform: sts:AssumeRole"), "{failed}");
    assert_eq!(script.actions(), ["AssumeRole"], "nothing else was sent");
    let script = Script::new([]);
    let failed = open(&script, GuardPolicy::DryRun).await.prove(["audit"]).await;
    let failed = failed.expect_err("no such account");
    assert_eq!(failed.class, ErrorClass::Permanent);
    assert!(
        failed.message.contains("no account `audit`") && failed.message.contains("data"),
        "{failed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_renewed_makes_the_run_wait() {
    let script = Script::new([
        assumed("ASIAFIRST", "2026-01-15T10:00:00Z"),
        instances(""),
        error(403, "ExpiredToken", "The security token included in the request is expired"),
    ]);
    let cloud = open(&script, GuardPolicy::DryRun).await;
    look(&cloud).await.expect("answered");
    script.clock().sleep(Duration::from_secs(3600)).await;
    let failed = look(&cloud).await.expect_err("the operator's own have expired");
    assert_eq!(failed.class, ErrorClass::Credentials, "waiting, not failed: {failed}");
    assert_eq!(script.actions().last().map(String::as_str), Some("AssumeRole"));
}
