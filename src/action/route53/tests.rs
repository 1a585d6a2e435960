//! The verbs of Route 53 over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** a zone that moved is never changed, and a lost answer is settled by what the zone says.

use super::{ChangeRecords, CheckRecords, InvertHealthCheck, ShiftWeights, WaitInSync};
use crate::action::context::PastIntent;
use crate::action::rds::tests::{Bench, broken, done, inputs, waiting};
use crate::action::{Action, ActionError, Observation, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};
use chrono::TimeDelta;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

fn ok(operation: &str, result: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\"?><{operation}Response xmlns=\"{NAMESPACE}\">{result}</{operation}Response>"
    );
    Reply::Http(200, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-1")])
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>\
         {message}</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"
    );
    Reply::Http(status, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-2")])
}

/// `more` is what stands between type and values.
fn set(value: &str, more: &str) -> String {
    format!(
        "<ResourceRecordSet><Name>api.shop.example.</Name><Type>A</Type>{more}<TTL>60</TTL>\
         <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>\
         </ResourceRecordSet>"
    )
}

fn weighted(id: &str, weight: u8) -> String {
    set("192.0.2.1", &format!("<SetIdentifier>{id}</SetIdentifier><Weight>{weight}</Weight>"))
}

fn sets(of: &[String]) -> Reply {
    let all = of.concat();
    let rest = "<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>";
    ok("ListResourceRecordSets", &format!("<ResourceRecordSets>{all}</ResourceRecordSets>{rest}"))
}

fn one(value: &str) -> Reply {
    sets(&[set(value, "")])
}

fn change(operation: &str, status: &str) -> Reply {
    let info = format!(
        "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status>\
         <SubmittedAt>2026-01-15T09:00:01.000Z</SubmittedAt></ChangeInfo>"
    );
    ok(operation, &info)
}

fn taken() -> Reply {
    change("ChangeResourceRecordSets", "PENDING")
}

fn texts(values: &[&str]) -> Value {
    values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>().into()
}

fn place() -> Vec<(&'static str, Value)> {
    vec![
        ("zone", Value::text("Z1")),
        ("name", Value::text("api.shop.example")),
        ("type", Value::text("A")),
    ]
}

fn with(more: &[(&'static str, Value)]) -> Values {
    inputs(&[place(), more.to_vec()].concat())
}

fn swap(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let wish = [("from", texts(&["192.0.2.1"])), ("to", texts(&["192.0.2.2"]))];
    Bench::new(with(&wish), replies)
}

/// The step asked `seconds` ago, and nobody knows what came of it.
fn in_doubt(bench: Bench, seconds: i64) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { asked: true, intent: Some(PastIntent { at, accepted: false, retried: None }), ..bench }
}

#[tokio::test(start_paused = true)]
async fn records_are_compared_and_swapped_in_one_batch() {
    let action = ChangeRecords::default();
    assert_eq!(swap([one("192.0.2.1")]).observe(&action).await, Ok(Observation::Absent));
    let bench = swap([one("192.0.2.1"), taken()]);
    let acted = bench.act(&action).await.expect("accepted").done.expect("the answer is the proof");
    assert_eq!(acted.outputs["change_id"], Value::text("C1"));
    assert_eq!(acted.outputs["was"], texts(&["192.0.2.1"]));
    assert_eq!(acted.outputs["was_ttl"], Value::Int(60));
    let sent = bench.script.sent().pop().expect("a batch");
    assert!(sent.uri.ends_with("/2013-04-01/hostedzone/Z1/rrset"), "{}", sent.uri);
    let (old, new) = sent.body.split_once("</Change>").expect("two changes");
    assert!(old.contains("<Action>DELETE</Action>") && old.contains("192.0.2.1"), "{old}");
    assert!(old.contains("<TTL>60</TTL>") && old.contains("drctl run"), "{old}");
    assert!(new.contains("<Action>CREATE</Action>") && new.contains("192.0.2.2"), "{new}");
    // It has the new values already, and nobody asked: nothing to do.
    let (outputs, verdict) = done(swap([one("192.0.2.2")]).observe(&action).await);
    assert_eq!((outputs["change_id"].clone(), verdict), (Value::Null, Verdict::Pass));
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_moved_is_left_alone() {
    let action = ChangeRecords::default();
    let moved = || one("203.0.113.9");
    let why = broken(swap([moved()]).observe(&action).await);
    assert!(why.contains("should have 192.0.2.1 and has 203.0.113.9 for 60 s"), "{why}");
    let bench = swap([moved()]);
    let refused = bench.act(&action).await.expect_err("it moved");
    assert!(matches!(&refused, ActionError::Refused { why, .. } if why.contains("the zone moved")));
    assert_eq!(bench.script.sent().len(), 1, "nothing was sent");
    // Between look and change: AWS refuses all of it, and the step says what is there now.
    let told = "[Tried to delete resource record set [name='api.shop.example.', type='A'] but the values \
                provided do not match the current values]";
    let race = swap([one("192.0.2.1"), error(400, "InvalidChangeBatch", told), moved()]);
    let refused = race.act(&action).await.expect_err("it moved");
    let words = refused.to_string();
    assert!(
        words.contains("has 203.0.113.9") && words.contains("values provided do not"),
        "{words}"
    );
    let preview = swap([moved()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("the zone moved")));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_settled_by_the_zone() {
    let action = ChangeRecords::default();
    for reply in [
        Reply::Lost,
        error(500, "InternalFailure", "x"),
        error(503, "ServiceUnavailable", "busy"),
        Reply::Http(200, "<Change".to_owned(), Vec::new()),
    ] {
        let shown = format!("{reply:?}");
        let failed = swap([one("192.0.2.1"), reply]).act(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::InDoubt, "{shown}");
    }
    let lost = in_doubt(swap([one("192.0.2.2")]), 5);
    let planned = inputs(&[("was", texts(&["192.0.2.1"])), ("was_ttl", Value::Int(60))]);
    let lost = Bench { planned: Some(planned), ..lost };
    let (outputs, _) = done(lost.observe(&action).await);
    assert_eq!(outputs["was"], texts(&["192.0.2.1"]), "what was there is what the plan read");
    assert_eq!(
        (outputs["was_ttl"].clone(), outputs["change_id"].clone()),
        (Value::Int(60), Value::Null)
    );
    // It never happened: the engine may ask again.
    let seen = in_doubt(swap([one("192.0.2.1")]), 5).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
}

#[tokio::test(start_paused = true)]
async fn what_aws_answers_instead_has_a_class() {
    let action = ChangeRecords::default();
    for (reply, class) in [
        (error(400, "PriorRequestNotComplete", "busy"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (error(404, "NoSuchHostedZone", "none"), ErrorClass::Permanent),
        (error(403, "AccessDenied", "no"), ErrorClass::Credentials),
        (Reply::ConnectionRefused, ErrorClass::Unreachable),
    ] {
        let shown = format!("{reply:?}");
        let failed = swap([one("192.0.2.1"), reply]).act(&action).await.expect_err("refused");
        assert_eq!(failed.class(), class, "{shown}");
    }
    let none = swap([error(404, "NoSuchHostedZone", "none")]).observe(&action).await;
    assert_eq!(none.expect_err("no zone").class(), ErrorClass::Permanent);
    let html = || Reply::Http(200, "<html>".to_owned(), vec![("content-type", "text/html")]);
    let odd = swap((0..4).map(|_| html())).observe(&action).await;
    odd.expect_err("no answer of Route 53");
}

#[tokio::test(start_paused = true)]
async fn sets_are_created_removed_and_told_apart() {
    let action = ChangeRecords::default();
    let new = |replies: Vec<Reply>| Bench::new(with(&[("to", texts(&["192.0.2.2"]))]), replies);
    let bench = new(vec![sets(&[]), taken()]);
    let acted = bench.act(&action).await.expect("accepted").done.expect("proof");
    assert_eq!(acted.outputs["was"], texts(&[]));
    assert!(!bench.script.sent()[1].body.contains("DELETE"));
    assert!(
        broken(new(vec![one("192.0.2.1")]).observe(&action).await)
            .contains("should have no record")
    );
    let gone = with(&[("from", texts(&["192.0.2.1"])), ("to", texts(&[]))]);
    let bench = Bench::new(gone.clone(), [one("192.0.2.1"), taken()]);
    bench.act(&action).await.expect("accepted");
    assert!(!bench.script.sent()[1].body.contains("CREATE"));
    let kept = Bench::new(
        gone.clone(),
        [sets(&[set("192.0.2.1", "").replace(
            "</ResourceRecordSet>",
            "<HealthCheckId>h-1</HealthCheckId></ResourceRecordSet>",
        )])],
    );
    assert!(broken(kept.observe(&action).await).contains("has a health check"));
    // Of several sets one has to be named, and only that one changes.
    let both = || sets(&[weighted("east", 100), weighted("west", 0)]);
    let unnamed = swap([both()]).observe(&action).await.expect_err("which?");
    assert!(unnamed.to_string().contains("east, west"), "{unnamed}");
    let named = [
        ("from", texts(&["192.0.2.1"])),
        ("to", texts(&["alias:Z35:lb.example"])),
        ("set_identifier", Value::text("west")),
    ];
    let bench = Bench::new(with(&named), [both(), taken()]);
    bench.act(&action).await.expect("accepted");
    let body = bench.script.sent()[1].body.clone();
    assert!(!body.contains("east") && body.contains("<DNSName>lb.example</DNSName>"), "{body}");
    let (_, created) = body.split_once("CREATE").expect("both");
    assert!(!created.contains("<TTL>"), "an alias has none: {created}");
    // What cannot be written back whole is not touched.
    let geo = sets(&[set("192.0.2.1", "<GeoLocation><CountryCode>DE</CountryCode></GeoLocation>")]);
    assert!(broken(swap([geo]).observe(&action).await).contains("GeoLocation"));
    for bad in [
        with(&[("to", texts(&[]))]),
        with(&[("to", texts(&["alias:Z35"]))]),
        with(&[("to", texts(&["alias:Z35:x", "192.0.2.1"]))]),
    ] {
        let refused = Bench::new(bad, []).observe(&action).await.expect_err("no wish");
        assert!(matches!(&refused, ActionError::Input { name, .. } if name == "to"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn later_steps_of_a_dry_run_see_the_change() {
    let action = ChangeRecords::default();
    let preview = swap([one("192.0.2.1")]).preview(&action).await.expect("a prediction");
    assert_eq!((preview.wont, preview.cannot_know), (None, None));
    let mut check = Bench::new(with(&[("values", texts(&["192.0.2.2"]))]), [one("192.0.2.1")]);
    for effect in &preview.effects {
        assert!(matches!(effect, PredictedEffect::Records { .. }));
        check.overlay.apply(effect);
    }
    let seen = check.preview(&CheckRecords::default()).await.expect("a prediction");
    assert_eq!(seen.wont, None);
    assert_eq!(seen.outputs["values"], texts(&["192.0.2.2"]));
    let open = with(&[("from", texts(&["192.0.2.1"])), ("to", Value::Unknown("later".into()))]);
    let preview = Bench::new(open, []).preview(&action).await.expect("a prediction");
    assert_eq!(preview.cannot_know.as_deref(), Some("later"));
    // The way back is the same swap.
    let crate::action::spec::Reversibility::UndoneBy { action: name, inputs: back } =
        action.spec().reversibility
    else {
        panic!("it can be undone")
    };
    let given = with(&[("from", texts(&["192.0.2.1"])), ("to", texts(&["192.0.2.2"]))]);
    let outputs = inputs(&[("was", texts(&["192.0.2.1"])), ("was_ttl", Value::Int(60))]);
    let back = back(&given, &outputs);
    assert_eq!(name, "route53.change_records");
    assert_eq!(
        (back["from"].clone(), back["to"].clone()),
        (given["to"].clone(), given["from"].clone())
    );
    assert_eq!(back["ttl"], Value::Int(60));
}

#[tokio::test(start_paused = true)]
async fn weights_are_shifted_together() {
    let action = ShiftWeights::default();
    let weights = |east: i64, west: i64| {
        Value::Map(inputs(&[("east", Value::Int(east)), ("west", Value::Int(west))]))
    };
    let shift = |replies: Vec<Reply>| Bench::new(with(&[("weights", weights(0, 100))]), replies);
    let before = || sets(&[weighted("east", 100), weighted("west", 0)]);
    assert_eq!(shift(vec![before()]).observe(&action).await, Ok(Observation::Absent));
    let bench = shift(vec![before(), taken()]);
    let acted = bench.act(&action).await.expect("accepted").done.expect("proof");
    assert_eq!(acted.outputs["was"], weights(100, 0));
    let body = bench.script.sent()[1].body.clone();
    assert_eq!((body.matches("DELETE").count(), body.matches("CREATE").count()), (2, 2), "{body}");
    let after = sets(&[weighted("east", 0), weighted("west", 100)]);
    let planned = inputs(&[("was", weights(100, 0))]);
    let lost = Bench { planned: Some(planned), ..in_doubt(shift(vec![after]), 5) };
    assert_eq!(done(lost.observe(&action).await).0["was"], weights(100, 0));
    let half = sets(&[weighted("east", 100)]);
    assert!(broken(shift(vec![half]).observe(&action).await).contains("set `west` does not exist"));
    let race = shift(vec![before(), error(400, "InvalidChangeBatch", "[x]")]);
    let refused = race.act(&action).await.expect_err("it moved").to_string();
    assert!(refused.contains("moved between look and change"), "{refused}");
    let heavy = Bench::new(with(&[("weights", weights(0, 256))]), []).observe(&action).await;
    assert!(heavy.expect_err("too heavy").to_string().contains("0 to 255, found 256"));
}

#[tokio::test(start_paused = true)]
async fn in_sync_is_what_aws_says() {
    let action = WaitInSync::default();
    let wait = |id: Value, replies: Vec<Reply>| Bench::new(inputs(&[("change_id", id)]), replies);
    let id = || Value::text("C1");
    let pending = wait(id(), vec![change("GetChange", "PENDING")]);
    assert_eq!(waiting(pending.observe(&action).await), "pending");
    let bench = wait(id(), vec![change("GetChange", "INSYNC")]);
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(
        (outputs["in_sync_at"].clone(), verdict),
        (Value::Time(simulated_epoch()), Verdict::Pass)
    );
    assert!(bench.script.sent()[0].uri.ends_with("/2013-04-01/change/C1"));
    let none = wait(id(), vec![error(404, "NoSuchChange", "none")]);
    assert!(broken(none.observe(&action).await).contains("no change `C1`"));
    let busy = wait(id(), (0..4).map(|_| error(400, "Throttling", "Rate exceeded")).collect());
    assert_eq!(busy.observe(&action).await.expect_err("busy").class(), ErrorClass::Temporary);
    // Nobody knows the change: the usual time is waited for, and the end says so.
    let began = |seconds: i64| Some(simulated_epoch() - TimeDelta::seconds(seconds));
    let early = Bench { began: began(59), ..wait(Value::Null, vec![]) };
    assert!(waiting(early.observe(&action).await).contains("no change id"));
    let late = Bench { began: began(60), ..wait(Value::Null, vec![]) };
    let (outputs, verdict) = done(late.observe(&action).await);
    assert!(matches!(verdict, Verdict::Warn(_)) && outputs["in_sync_at"] == Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_is_changed_under_its_version() {
    let action = InvertHealthCheck::default();
    let wish = || inputs(&[("health_check", Value::text("h-1")), ("inverted", Value::Bool(true))]);
    let check = |operation: &str, inverted: bool, version: u32| {
        let config = format!("<Type>HTTPS</Type><Inverted>{inverted}</Inverted>");
        let check = format!(
            "<HealthCheck><Id>h-1</Id><CallerReference>r</CallerReference><HealthCheckConfig>{config}\
             </HealthCheckConfig><HealthCheckVersion>{version}</HealthCheckVersion></HealthCheck>"
        );
        ok(operation, &check)
    };
    let now = || check("GetHealthCheck", false, 7);
    assert_eq!(Bench::new(wish(), [now()]).observe(&action).await, Ok(Observation::Absent));
    let bench = Bench::new(wish(), [now(), check("UpdateHealthCheck", true, 8)]);
    let acted = bench.act(&action).await.expect("accepted").done.expect("proof");
    assert_eq!(
        (acted.outputs["was"].clone(), acted.outputs["version"].clone()),
        (Value::Bool(false), Value::Int(8))
    );
    assert!(bench.script.sent()[1].body.contains("<HealthCheckVersion>7</HealthCheckVersion>"));
    let moved = error(409, "HealthCheckVersionMismatch", "it has version 9");
    let failed = Bench::new(wish(), [now(), moved]).act(&action).await.expect_err("moved");
    assert_eq!(failed.class(), ErrorClass::Temporary, "the engine looks again");
    let lost = Bench::new(wish(), [now(), Reply::Lost]).act(&action).await.expect_err("lost");
    assert_eq!(lost.class(), ErrorClass::InDoubt);
    let after = in_doubt(Bench::new(wish(), [check("GetHealthCheck", true, 8)]), 5);
    assert_eq!(done(after.observe(&action).await).0["was"], Value::Bool(false));
    let none = Bench::new(wish(), [error(404, "NoSuchHealthCheck", "none")]);
    assert!(broken(none.observe(&action).await).contains("no health check `h-1`"));
}

#[tokio::test(start_paused = true)]
async fn records_are_judged_by_values_and_weights() {
    let action = CheckRecords::default();
    let check = |more: &[(&'static str, Value)], reply: Reply| Bench::new(with(more), [reply]);
    let both = || sets(&[weighted("east", 100), weighted("west", 0)]);
    let weights = |west: i64| Value::Map(inputs(&[("west", Value::Int(west))]));
    for (more, reply, wrong) in [
        (vec![], one("192.0.2.1"), None),
        (vec![], sets(&[]), Some("there is no A api.shop.example")),
        (
            vec![("values", texts(&["192.0.2.2"]))],
            one("192.0.2.1"),
            Some("has 192.0.2.1 in place of"),
        ),
        (vec![("values", texts(&[]))], sets(&[]), None),
        (vec![("weights", weights(0))], both(), None),
        (vec![("weights", weights(9))], both(), Some("has weight 0 in place of 9")),
        (vec![("weights", weights(9))], one("192.0.2.1"), Some("has no set `west`")),
    ] {
        let (_, verdict) = done(check(&more, reply).observe(&action).await);
        match (wrong, verdict) {
            (None, Verdict::Pass) => {}
            (Some(words), Verdict::Fail { why, .. }) => assert!(why.contains(words), "{why}"),
            (wanted, found) => panic!("{wanted:?} and {found:?}"),
        }
    }
}
