//! `fence.security_group` and `fence.release_security_group` over a scripted wire.
//!
//! **Invariant:** what comes back is what was taken away, whatever happens in between.

use super::{FenceSecurityGroup, ReleaseSecurityGroup};
use crate::action::rds::tests::{Bench, broken, done, inputs, waiting};
use crate::action::spec::Reversibility;
use crate::action::{Action, Observation, PastIntent, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};
use chrono::TimeDelta;

const NS: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

fn ok(operation: &str, inner: &str) -> Reply {
    let body = format!(
        "<{operation}Response xmlns=\"{NS}\"><requestId>r-1</requestId>{inner}</{operation}Response>"
    );
    Reply::Http(200, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-1")])
}

fn error(status: u16, code: &str) -> Reply {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>\
         <RequestID>r-2</RequestID></Response>"
    );
    Reply::Http(status, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-2")])
}

const APP: &str = "<item><ipProtocol>tcp</ipProtocol><fromPort>5432</fromPort><toPort>5432</toPort>\
                   <groups><item><userId>123456789012</userId><groupId>sg-app</groupId>\
                   <description>the app</description></item></groups>\
                   <ipRanges><item><cidrIp>10.0.0.0/16</cidrIp></item></ipRanges></item>";
const SSH: &str = "<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>\
                   <ipRanges><item><cidrIp>10.9.0.0/16</cidrIp></item></ipRanges></item>";

fn group(permissions: &str) -> Reply {
    let inner = format!(
        "<securityGroupInfo><item><ownerId>123456789012</ownerId><groupId>sg-1</groupId>\
         <groupName>db</groupName><vpcId>vpc-1</vpcId><ipPermissions>{permissions}</ipPermissions>\
         </item></securityGroupInfo>"
    );
    ok("DescribeSecurityGroups", &inner)
}

fn gone() -> Reply {
    error(400, "InvalidGroup.NotFound")
}

fn fence(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("group", Value::text("sg-1"))];
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn asked(seconds: i64, accepted: bool, bench: Bench) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench }
}

/// What a plan finds that is made while the group lets the application in.
async fn found(more: &[(&str, Value)], permissions: &str) -> Values {
    let bench = fence(more, [group(permissions)]);
    let preview = bench.preview(&FenceSecurityGroup::default()).await.expect("a prediction");
    assert_eq!(preview.wont, None);
    preview.outputs
}

fn planned(outputs: &Values, mut bench: Bench) -> Bench {
    bench.planned = Some(outputs.clone());
    bench
}

#[tokio::test(start_paused = true)]
async fn a_preview_names_what_is_taken_away_and_empties_the_group_for_later_steps() {
    let action = FenceSecurityGroup::default();
    let both = format!("{APP}{SSH}");
    let bench = fence(&[("port", Value::Int(5432))], [group(&both)]);
    let preview = bench.preview(&action).await.expect("a prediction");
    assert!(preview.details.iter().any(|line| line.contains("tcp 5432 from sg-app")));
    assert!(preview.warnings[0].contains("stay open"), "{:?}", preview.warnings);
    let [PredictedEffect::SecurityGroup(left, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!(left.ingress.len(), 1, "ssh is not of this port: {left:?}");
    assert_eq!(bench.script.sent()[0].form["GroupId.1"], "sg-1");
    let Value::List(removed) = &preview.outputs["removed"] else { panic!("a list") };
    assert_eq!(removed.len(), 2);
    let preview = fence(&[], [gone()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("no security group `sg-1`")));
}

#[tokio::test(start_paused = true)]
async fn it_is_fenced_when_several_looks_find_it_empty() {
    let action = FenceSecurityGroup::default();
    let plan = found(&[], APP).await;
    let seen = planned(&plan, fence(&[], [group(APP)])).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
    // A stale look in between begins the row anew.
    let row = [group(""), group(APP), group(""), group(""), group("")];
    let bench = asked(10, true, planned(&plan, fence(&[], row)));
    waiting(bench.observe(&action).await);
    assert!(waiting(bench.observe(&action).await).contains("still shows"));
    for _ in 0..2 {
        assert!(waiting(bench.observe(&action).await).contains("looking again"));
    }
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!((verdict, &outputs["removed"]), (Verdict::Pass, &plan["removed"]));
    assert!(outputs["proof"].to_string().contains("lets nobody in"));
    let Reversibility::UndoneBy { inputs: undo, .. } = action.spec().reversibility else {
        panic!("it can be undone")
    };
    let undo = undo(&inputs(&[("group", Value::text("sg-1"))]), &outputs);
    assert_eq!((&undo["group"], &undo["rules"]), (&Value::text("sg-1"), &plan["removed"]));

    let doubt = asked(200, false, planned(&plan, fence(&[], [group(APP)])));
    assert_eq!(doubt.observe(&action).await, Ok(Observation::Absent));
}

#[tokio::test(start_paused = true)]
async fn what_came_since_the_plan_stops_it() {
    let action = FenceSecurityGroup::default();
    let plan = found(&[], APP).await;
    let more = format!("{APP}{SSH}");
    let why = broken(planned(&plan, fence(&[], [group(&more)])).observe(&action).await);
    assert!(why.contains("the plan did not find: tcp 22 from 10.9.0.0/16"), "{why}");
    let again = asked(60, true, planned(&plan, fence(&[], [group(SSH)])));
    assert!(broken(again.observe(&action).await).contains("lets others in"));
    let unknown = fence(&[], [group(APP)]).observe(&action).await;
    assert!(broken(unknown).contains("not known when the plan was made"));
    assert!(broken(fence(&[], [gone()]).observe(&action).await).contains("no security group"));
    // Somebody else emptied it: nothing of that comes back by itself.
    let bench = planned(&plan, fence(&[], [group(""), group(""), group("")]));
    for _ in 0..2 {
        waiting(bench.observe(&action).await);
    }
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert!(matches!(verdict, Verdict::Warn(_)), "{verdict:?}");
    assert_eq!(outputs["removed"], Value::List(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn what_taking_away_may_end_with() {
    let action = FenceSecurityGroup::default();
    let plan = found(&[], APP).await;
    let accepted = || ok("RevokeSecurityGroupIngress", "<return>true</return>");
    let bench = planned(&plan, fence(&[], [group(APP), accepted()]));
    bench.act(&action).await.expect("accepted");
    let form = &bench.script.sent()[1].form;
    for (field, value) in [
        ("Action", "RevokeSecurityGroupIngress"),
        ("Version", "2016-11-15"),
        ("GroupId", "sg-1"),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "5432"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/16"),
        ("IpPermissions.2.Groups.1.GroupId", "sg-app"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field} in {form:?}");
    }
    assert!(!form.keys().any(|name| name.ends_with("Description") || name.ends_with("UserId")));
    let authorization = &bench.script.sent()[1].headers["authorization"];
    assert!(authorization.contains("/us-east-1/ec2/aws4_request"), "{authorization}");
    for (reply, class) in [
        (error(400, "InvalidPermission.NotFound"), ErrorClass::Temporary),
        (gone(), ErrorClass::Permanent),
        (error(503, "RequestLimitExceeded"), ErrorClass::Temporary),
        (error(403, "UnauthorizedOperation"), ErrorClass::Credentials),
        (error(500, "InternalError"), ErrorClass::InDoubt),
        (error(503, "Unavailable"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<Revoke".to_owned(), Vec::new()), ErrorClass::InDoubt),
        (ok("Other", ""), ErrorClass::InDoubt),
        (Reply::Http(400, "what?".to_owned(), Vec::new()), ErrorClass::Permanent),
    ] {
        let shown = format!("{reply:?}");
        let bench = planned(&plan, fence(&[], [group(APP), reply, accepted()]));
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 2), "{shown}: {failed}");
    }
    let empty = planned(&plan, fence(&[], [group("")]));
    let failed = empty.act(&action).await.expect_err("nothing to take away");
    assert_eq!((failed.class(), empty.script.sent().len()), (ErrorClass::Temporary, 1));
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_and_an_unreadable_answer_is_no_empty_group() {
    let action = FenceSecurityGroup::default();
    let bench = fence(&[], [error(503, "RequestLimitExceeded"), Reply::Lost, group(APP)]);
    let preview = bench.preview(&action).await.expect("the third attempt");
    assert_eq!((preview.wont, bench.script.sent().len()), (None, 3));
    for reply in [ok("Other", ""), Reply::Http(200, "<a/>".to_owned(), Vec::new())] {
        let bench = fence(&[], std::iter::repeat_n(reply, 4));
        let failed = bench.observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary, "{failed}");
    }
    let no_info = ok("DescribeSecurityGroups", "");
    let failed = fence(&[], std::iter::repeat_n(no_info, 4)).observe(&action).await;
    assert_eq!(failed.expect_err("no list").class(), ErrorClass::Temporary);
}

fn release(rules: &Value, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let pairs = [("group", Value::text("sg-1")), ("rules", rules.clone())];
    Bench::new(inputs(&pairs), replies)
}

#[tokio::test(start_paused = true)]
async fn only_what_was_taken_away_and_is_missing_comes_back() {
    let action = ReleaseSecurityGroup::default();
    let rules = found(&[], APP).await["removed"].clone();
    let range = "<item><ipProtocol>tcp</ipProtocol><fromPort>5432</fromPort><toPort>5432</toPort>\
                 <ipRanges><item><cidrIp>10.0.0.0/16</cidrIp></item></ipRanges></item>";
    assert_eq!(release(&rules, [group(SSH)]).observe(&action).await, Ok(Observation::Absent));
    let accepted = || ok("AuthorizeSecurityGroupIngress", "<return>true</return>");
    let bench = release(&rules, [group(range), accepted()]);
    bench.act(&action).await.expect("accepted");
    let form = &bench.script.sent()[1].form;
    assert_eq!(form["IpPermissions.1.Groups.1.GroupId"], "sg-app");
    assert_eq!(form["IpPermissions.1.Groups.1.Description"], "the app", "as it was");
    assert!(!form.contains_key("IpPermissions.2.IpProtocol"), "the range is there: {form:?}");
    let stale = asked(5, true, release(&rules, [group(range)])).observe(&action).await;
    assert!(waiting(stale).contains("does not show tcp 5432 from sg-app"));
    let (outputs, _) = done(asked(5, true, release(&rules, [group(APP)])).observe(&action).await);
    assert_eq!(outputs["restored"], rules);
    let (outputs, _) = done(release(&rules, [group(APP)]).observe(&action).await);
    assert_eq!(outputs["restored"], Value::List(Vec::new()), "this step put nothing back");
    for (reply, class) in [
        (error(400, "InvalidPermission.Duplicate"), ErrorClass::Temporary),
        (error(400, "RulesPerSecurityGroupLimitExceeded"), ErrorClass::Permanent),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let failed = release(&rules, [group(""), reply]).act(&action).await.expect_err("no");
        assert_eq!(failed.class(), class, "{shown}");
    }
    let preview = release(&rules, [group(SSH)]).preview(&action).await.expect("a prediction");
    let [PredictedEffect::SecurityGroup(open, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!(open.ingress.len(), 3);
    assert!(broken(release(&rules, [gone()]).observe(&action).await).contains("no security group"));
    let bad = Value::List(vec![Value::text("x")]);
    let failed = release(&bad, [group("")]).observe(&action).await.expect_err("no rule");
    assert!(failed.to_string().contains("`rules`"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_lets_somebody_in_again_is_told_and_one_that_nobody_sees_is_unknown() {
    let action = FenceSecurityGroup::default();
    let port = [("port", Value::Int(5432))];
    assert_eq!(fence(&port, [group(SSH)]).breach(&action).await, None, "ssh is not of this port");
    let lost = fence(&port, [group(APP)]).breach(&action).await.expect("it is lost");
    assert_eq!((lost.name, lost.known), ("fence_lost", true));
    assert!(
        lost.text.contains("`sg-1` lets somebody in again: ") && lost.text.contains("sg-app"),
        "{}",
        lost.text
    );
    for reply in [gone(), error(403, "UnauthorizedOperation")] {
        let unseen = fence(&port, [reply]).breach(&action).await.expect("nobody knows");
        assert_eq!((unseen.name, unseen.known), ("fence_unseen", false));
    }
}
