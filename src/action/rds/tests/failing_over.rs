//! `rds.force_failover`.
//!
//! **Invariant:** once asked for, a failover is asked for again only when nothing says that it began, long
//! after the intent.

use super::{Bench, REGION, broken, done, inputs, waiting};
use crate::action::context::PastIntent;
use crate::action::rds::ForceFailover;
use crate::action::{Action as _, Observation, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{error, instance, instances, ok};
use crate::cloud::tests::scripted::Reply;
use chrono::TimeDelta;

const STARTED: &str = "Multi-AZ instance failover started.";
const COMPLETED: &str = "Multi-AZ instance failover completed";
const ABANDONED: &str = "Abandoning user requested failover since a failover recently occurred on the database instance.";

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(inputs(&[("instance", Value::text("orders"))]), replies)
}

/// The step asked for it `seconds` ago.
fn asked(seconds: i64, accepted: bool, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench(replies) }
}

fn orders(status: &str, multi_az: bool) -> Reply {
    let more = format!(
        "<MultiAZ>{multi_az}</MultiAZ><AvailabilityZone>us-east-1a</AvailabilityZone>\
         <Endpoint><Address>h</Address><Port>5432</Port></Endpoint>"
    );
    instances(&instance("orders", status, None, &more))
}

fn events(of: &[(&str, &str)]) -> Reply {
    let event = |(at, message): &(&str, &str)| {
        format!(
            "<Event><SourceIdentifier>orders</SourceIdentifier><SourceType>db-instance</SourceType>\
             <Message>{message}</Message><Date>{at}</Date></Event>"
        )
    };
    ok("DescribeEvents", &format!("<Events>{}</Events>", of.iter().map(event).collect::<String>()))
}

const AT: &str = "2026-01-15T08:59:30Z";

#[tokio::test(start_paused = true)]
async fn before_it_is_asked_for_the_instance_must_be_ready() {
    let action = ForceFailover::default();
    let seen = bench([orders("available", true)]).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
    assert!(
        waiting(bench([orders("backing-up", true)]).observe(&action).await).contains("backing-up")
    );
    for (reply, words) in [
        (orders("available", false), "not Multi-AZ"),
        (orders("storage-full", true), "cannot be failed over"),
        (orders("stopped", true), "`stopped`"),
        (error(404, "DBInstanceNotFound", "gone"), "no database instance `orders`"),
    ] {
        let why = broken(bench([reply.clone()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench([reply]).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)));
    }
    let preview = bench([orders("available", true)]).preview(&action).await.expect("a prediction");
    assert_eq!(preview.wont, None);
    assert!(preview.details.iter().any(|line| line.contains("us-east-1a")), "{preview:?}");
}

#[tokio::test(start_paused = true)]
async fn events_since_the_intent_say_what_became_of_it() {
    let action = ForceFailover::default();
    let both = || events(&[(AT, STARTED), ("2026-01-15T08:59:55Z", COMPLETED)]);
    let look = |status: &str, told: Reply| [orders(status, true), told];
    let bench = asked(60, false, look("available", both()));
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["completed_at"].to_string(), "2026-01-15T08:59:55Z");
    let form = &bench.script.sent()[1].form;
    assert_eq!(form["StartTime"], "2026-01-15T08:59:00Z", "only events since the intent count");
    let begun = asked(60, false, look("rebooting", events(&[(AT, STARTED)])));
    assert_eq!(waiting(begun.observe(&action).await), "failing over");
    // The event comes before the instance can be used again.
    let late = asked(60, true, look("rebooting", both()));
    assert!(waiting(late.observe(&action).await).contains("is `rebooting`"));
    let given_up = asked(60, true, look("available", events(&[(AT, ABANDONED)])));
    assert!(broken(given_up.observe(&action).await).contains("recently occurred"));
}

#[tokio::test(start_paused = true)]
async fn what_aws_gave_up_is_asked_for_again_when_a_person_says_so() {
    let action = ForceFailover::default();
    let retried = |accepted: bool, at: &str, status: &str, told: &[(&str, &str)]| {
        let mut bench = asked(60, accepted, [orders(status, true), events(told)]);
        let intent = bench.intent.as_mut().expect("asked");
        intent.retried = crate::base::clock::parse_instant(at);
        bench
    };
    let (later, given_up) = ("2026-01-15T08:59:50Z", [(AT, ABANDONED)]);
    for accepted in [true, false] {
        let again = retried(accepted, later, "available", &given_up).observe(&action).await;
        assert_eq!(again, Ok(Observation::Absent), "{accepted}");
    }
    let busy = retried(true, later, "backing-up", &given_up).observe(&action).await;
    assert!(waiting(busy).contains("is `backing-up`"));
    // A `retry` that is older says nothing of it, and what came after it counts.
    let early = retried(true, "2026-01-15T08:59:10Z", "available", &given_up);
    assert!(broken(early.observe(&action).await).contains("recently occurred"));
    let twice = [(AT, ABANDONED), ("2026-01-15T08:59:55Z", ABANDONED)];
    let twice = retried(true, later, "available", &twice);
    assert!(broken(twice.observe(&action).await).contains("recently occurred"));
    let since = [(AT, ABANDONED), ("2026-01-15T08:59:55Z", COMPLETED)];
    done(retried(true, later, "available", &since).observe(&action).await);
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_for_again_only_when_nothing_says_that_it_began() {
    let action = ForceFailover::default();
    let quiet = || [orders("available", true), events(&[])];
    let fresh = asked(299, false, quiet()).observe(&action).await;
    assert!(waiting(fresh).contains("in doubt"));
    let settled = asked(300, false, quiet()).observe(&action).await;
    assert_eq!(settled, Ok(Observation::Absent));
    // What AWS accepted is never asked for again, however late its events are.
    let accepted = asked(3_000, true, quiet()).observe(&action).await;
    assert!(waiting(accepted).contains("no event of it yet"));
    let busy = asked(300, false, [orders("rebooting", true), events(&[])]).observe(&action).await;
    assert!(waiting(busy).contains("is `rebooting`"), "a stale list of events");
    // An answer that does not come, or is no answer, is no event.
    for reply in
        [error(400, "Throttling", "Rate exceeded"), Reply::Http(200, "<Desc".to_owned(), vec![])]
    {
        let replies =
            std::iter::once(orders("available", true)).chain((0..4).map(|_| reply.clone()));
        let failed = asked(3_000, false, replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary, "{failed}");
    }
    let gone = asked(60, true, [error(404, "DBInstanceNotFound", "gone")]);
    assert!(broken(gone.observe(&action).await).contains("no database instance"));
}

#[tokio::test(start_paused = true)]
async fn what_asking_may_end_with() {
    let action = ForceFailover::default();
    let accepted = || ok("RebootDBInstance", &instance("orders", "rebooting", None, ""));
    let bench_ok = bench([accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[0].form;
    for (field, value) in [
        ("Action", "RebootDBInstance"),
        ("DBInstanceIdentifier", "orders"),
        ("ForceFailover", "true"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field} in {REGION}");
    }
    for (reply, class) in [
        (error(404, "DBInstanceNotFound", "gone"), ErrorClass::Permanent),
        (error(400, "InvalidParameterCombination", "not MultiAZ"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "in progress"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (error(503, "ServiceUnavailable", "busy"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<Reboot".to_owned(), Vec::new()), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench([reply, accepted()]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 1), "{shown}");
    }
    assert!(action.spec().calls.contains(&"rds:DescribeEvents"));
}
