//! EC2's three operations under the guard.
//!
//! **Invariant:** the guard judges them like those of the SDK's clients, and what is refused is not sent.

use super::scripted::{REGION, Reply, Script};
use crate::cloud::clients::ClientUse;
use crate::cloud::guard::GuardRefusal;
use crate::cloud::model::{IngressRule, RuleSource};
use crate::cloud::{CallOutcome, ErrorClass, GuardPolicy, Overlay};
use std::time::Duration;

const NS: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

fn ok(operation: &str, inner: &str) -> Reply {
    let body = format!("<{operation}Response xmlns=\"{NS}\">{inner}</{operation}Response>");
    Reply::Http(200, body, vec![("content-type", "text/xml")])
}

fn empty_group() -> Reply {
    let group = "<securityGroupInfo><item><groupId>sg-1</groupId><groupName>db</groupName>\
                 <ipPermissions/></item></securityGroupInfo>";
    ok("DescribeSecurityGroups", group)
}

fn rules() -> Vec<IngressRule> {
    vec![IngressRule {
        protocol: "tcp".to_owned(),
        from_port: Some(5432),
        to_port: Some(5432),
        source: RuleSource::Ipv4("10.0.0.0/8".to_owned()),
        description: None,
    }]
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_lets_the_read_through_and_refuses_the_two_that_change_something() {
    let script = Script::new([empty_group()]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    assert!(cloud.writer().is_none());
    let group = cloud.view(Overlay::new()).security_group(REGION, "sg-1").await.expect("read");
    assert!(group.is_some_and(|group| group.ingress.is_empty()));
    let client = cloud.clients().ec2(REGION, ClientUse::Writes);
    for operation in ["RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"] {
        let error = client.call(operation, Vec::new(), |_| Some(())).await.expect_err("refused");
        let refused = GuardRefusal::DryRunRefused { operation: format!("ec2:{operation}") };
        assert_eq!(GuardRefusal::find(&error), Some(&refused));
    }
    let error = client.call("TerminateInstances", Vec::new(), |_| Some(())).await;
    assert!(GuardRefusal::find(&error.expect_err("refused")).is_some());
    assert_eq!(script.actions(), ["DescribeSecurityGroups"], "nothing else left");
    let sent = &script.sent()[0];
    assert!(sent.uri.starts_with("https://ec2.us-east-1.amazonaws.com/"), "{}", sent.uri);
    assert!(!sent.headers.contains_key("x-drctl-cleared"), "{:?}", sent.headers);
    let calls = cloud.calls();
    let read = &calls.records()[0];
    assert_eq!(
        (read.operation.as_str(), read.region.as_str()),
        ("ec2:DescribeSecurityGroups", REGION)
    );
    assert_eq!((read.attempts, &read.outcome), (1, &CallOutcome::Answered(200)));
    assert_eq!(calls.refused().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_live_run_sends_what_is_declared_and_each_change_once() {
    let declared = "ec2:RevokeSecurityGroupIngress";
    let script = Script::new([ok("RevokeSecurityGroupIngress", "<return>true</return>")]);
    let cloud = script.open(GuardPolicy::live([declared])).await;
    let writer = cloud.writer().expect("a live run");
    writer.revoke_ingress(REGION, "sg-1", &rules()).await.expect("accepted");
    let error = writer.authorize_ingress(REGION, "sg-1", &rules()).await.expect_err("undeclared");
    assert_eq!(error.class, ErrorClass::Refused, "{error}");
    assert_eq!(script.actions(), ["RevokeSecurityGroupIngress"]);

    let busy = || Reply::Http(503, String::new(), Vec::new());
    let script = Script::new([busy(), busy()]);
    let cloud = script.open(GuardPolicy::live([declared])).await;
    let writer = cloud.writer().expect("a live run");
    let error = writer.revoke_ingress(REGION, "sg-1", &rules()).await.expect_err("in doubt");
    assert_eq!((error.class, script.sent().len()), (ErrorClass::InDoubt, 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_and_given_up_in_the_clocks_time() {
    let late = || {
        let body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code>\
                    <Message>Request limit exceeded.</Message></Error></Errors></Response>";
        Reply::Http(503, body.to_owned(), Vec::new())
    };
    let script = Script::new([late(), late(), empty_group()]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let found = cloud.view(Overlay::new()).security_group(REGION, "sg-1").await;
    assert!(found.is_ok_and(|group| group.is_some()));
    assert_eq!(script.sent().len(), 3);
    let script = Script::new(std::iter::repeat_n(Reply::Silence, 8));
    let cloud = script.open(GuardPolicy::DryRun).await;
    let error = cloud.view(Overlay::new()).security_group(REGION, "sg-1").await;
    let error = error.expect_err("nobody answers");
    assert_eq!(error.class, ErrorClass::Temporary, "{error}");
    let given_up = script.clock().elapsed();
    assert!(given_up <= Duration::from_secs(91), "{given_up:?}");
    let script = Script::new(std::iter::repeat_n(Reply::ConnectionRefused, 8));
    let cloud = script.open(GuardPolicy::DryRun).await;
    let error = cloud.view(Overlay::new()).security_group(REGION, "sg-1").await;
    assert_eq!(error.expect_err("nobody there").class, ErrorClass::Unreachable);
}
