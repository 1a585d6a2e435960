//! Assuming roles over the wire: what a dry run adds, and what the record says.
//!
//! **Invariant:** no credential of this computer is looked for.

use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::{ClientUse, Clients, Endpoints};
use crate::cloud::credentials::{READ_ONLY_POLICY, SESSION_POLICY, assume};
use crate::cloud::guard::Guard;
use crate::cloud::guard::credential_calls::for_credentials;
use crate::cloud::tests::answers::error;
use crate::cloud::tests::scripted::{Reply, Script};
use crate::cloud::time;
use crate::cloud::{CallOutcome, CallSource, CloudError, ErrorClass, GuardPolicy};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::collections::BTreeSet;

const ROLE: &str = "arn:aws:iam::123456789012:role/dr";

fn assumed() -> Reply {
    let body = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
        <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
        <Expiration>2026-01-15T10:00:00Z</Expiration></Credentials></AssumeRoleResult>\
        </AssumeRoleResponse>";
    Reply::Http(200, body.to_owned(), vec![("content-type", "text/xml"), ("server", "sts")])
}

/// The operator's configuration, with credentials that need no look-up.
fn operator(script: &Script, guard: &Guard) -> SdkConfig {
    let own = Credentials::new("AKIDOWN", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .http_client(for_credentials(script.client(), guard.clone(), BTreeSet::new()))
        .time_source(time::source(&script.clock()))
        .sleep_impl(time::sleep(&script.clock()))
        .build()
}

async fn session(script: &Script, policy: GuardPolicy) -> (Guard, Result<Credentials, String>) {
    let guard = Guard::new(policy.clone(), script.clock());
    let sdk = operator(script, &guard);
    let sdk = assume(sdk, ROLE, Some("ext-1"), &policy).await.expect("own credentials");
    let provider = sdk.credentials_provider().expect("the role's");
    let found = provider.provide_credentials().await;
    (guard, found.map_err(|error| format!("{error:?}")))
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_narrows_the_role() {
    let script = Script::new([assumed()]);
    let (guard, found) = session(&script, GuardPolicy::DryRun).await;
    assert_eq!(found.expect("assumed").access_key_id(), "ASIAEXAMPLE");
    let form = &script.sent()[0].form;
    assert_eq!(form["Action"], "AssumeRole");
    assert_eq!(form["RoleArn"], ROLE);
    assert_eq!(form["ExternalId"], "ext-1");
    assert_eq!(form["RoleSessionName"], "drctl-dry-run");
    assert_eq!(form["PolicyArns.member.1.arn"], READ_ONLY_POLICY);
    assert_eq!(form["Policy"], SESSION_POLICY);
    let calls = guard.calls();
    let record = &calls.records()[0];
    assert_eq!(
        (record.operation.as_str(), record.source),
        ("sts:AssumeRole", CallSource::Credentials)
    );
    assert_eq!(record.outcome, CallOutcome::Answered(200));
    assert_eq!(guard.server(), None, "a credential call does not say who serves");
}

#[tokio::test(start_paused = true)]
async fn a_live_run_takes_the_role_as_it_is() {
    let script = Script::new([assumed()]);
    let (_, found) = session(&script, GuardPolicy::live(["rds:DeleteDBInstance"])).await;
    found.expect("assumed");
    let form = &script.sent()[0].form;
    assert_eq!(form["RoleSessionName"], "drctl");
    assert!(!form.contains_key("Policy") && !form.keys().any(|key| key.starts_with("PolicyArns")));
}

/// A write that fails because STS does not give the role.
async fn failing_write(script: &Script) -> CloudError {
    let guard = Guard::new(GuardPolicy::live(["rds:DeleteDBInstance"]), script.clock());
    let sdk = operator(script, &guard);
    let sdk = assume(sdk, ROLE, None, &GuardPolicy::DryRun).await.expect("own credentials");
    let (http, clock) = (script.client(), script.clock());
    let clients = Clients::new(sdk, http, guard, clock, Endpoints::Resolved, "test".to_owned());
    let client = clients.rds("us-east-1", ClientUse::Writes);
    let failed = client.delete_db_instance().db_instance_identifier("a").send().await;
    let failed = failed.expect_err("no credentials");
    let call =
        Call { operation: "rds:DeleteDBInstance", region: "us-east-1", intent: Intent::Write };
    sdk_error(call, &failed)
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_was_sent_and_nothing_is_in_doubt() {
    for (replies, class, words) in [
        (
            vec![error(403, "AccessDenied", "not authorized to assume")],
            ErrorClass::Credentials,
            "not authorized to assume",
        ),
        (vec![Reply::ConnectionRefused; 3], ErrorClass::Unreachable, "nobody answers"),
        (vec![Reply::Silence; 3], ErrorClass::Temporary, "could not be loaded"),
        (vec![Reply::Lost; 3], ErrorClass::Temporary, "could not be loaded"),
    ] {
        let script = Script::new(replies);
        let failed = failing_write(&script).await;
        assert_eq!(failed.class, class, "{failed}");
        assert!(failed.message.contains(words), "{failed}");
        assert!(script.actions().iter().all(|action| action == "AssumeRole"), "{failed}");
    }
}

#[test]
fn the_session_policy_is_short_valid_and_only_denies() {
    let policy: serde_json::Value = serde_json::from_str(SESSION_POLICY).expect("JSON");
    assert!(SESSION_POLICY.len() <= 2_048, "AWS refuses {} characters", SESSION_POLICY.len());
    let statements = policy["Statement"].as_array().expect("statements");
    assert!(statements.iter().all(|statement| statement["Effect"] == "Deny"));
    let denied: Vec<&str> = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .filter_map(|action| action.as_str())
        .collect();
    assert!(denied.contains(&"secretsmanager:GetSecretValue"), "{denied:?}");
}
