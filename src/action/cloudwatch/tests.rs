//! `cloudwatch.watch` over a scripted wire.
//!
//! **Invariant:** a window passes only with evidence for all of it.

use super::Watch;
use crate::action::rds::tests::{Bench, broken_check, done, inputs, waiting};
use crate::action::{ActionError, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{alarms, metric, metric_error};
use crate::cloud::tests::scripted::Reply;
use chrono::TimeDelta;
use std::time::Duration;

/// Seconds since 1970, `ago` before now.
fn at(ago: i64) -> f64 {
    (simulated_epoch().timestamp() - ago) as f64
}

fn minutes(count: u64) -> Value {
    Value::Duration(Duration::from_secs(count * 60))
}

fn texts(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::text(*item)).collect())
}

/// A step that began `ago` seconds before now.
fn bench(ago: i64, more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("for", minutes(2)), ("alarms", texts(&["down"]))];
    pairs.extend_from_slice(more);
    let began = Some(simulated_epoch() - TimeDelta::seconds(ago));
    Bench { began, ..Bench::new(inputs(&pairs), replies) }
}

fn ok_since(ago: i64) -> Reply {
    alarms(&[("down", "OK", at(ago))])
}

#[tokio::test(start_paused = true)]
async fn a_window_passes_when_nothing_broke_through_it() {
    let action = Watch::default();
    let state = waiting(bench(60, &[], [ok_since(900)]).observe(&action).await);
    assert!(state.contains("50 % of 2m") && state.contains("everything holds"), "{state}");
    let (outputs, verdict) = done(bench(120, &[], [ok_since(900)]).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["watched_for"], minutes(2));
    assert_eq!(outputs["samples"], Value::Int(1));
    // A health check beside it, a figure a minute in Virginia.
    let check = [("health_checks", texts(&["11111111-2222"]))];
    let figures = [(at(30), 1.0), (at(90), 1.0), (at(150), 0.0)];
    let both = bench(120, &check, [ok_since(900), metric("Complete", &figures)]);
    assert_eq!(done(both.observe(&action).await).1, Verdict::Pass, "before the window it was not");
    let sent = both.script.sent();
    assert!(sent[0].uri.contains("monitoring.us-east-1"), "{}", sent[0].uri);
    assert!(sent[1].uri.ends_with("/operation/GetMetricData"), "{}", sent[1].uri);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_breaks_fails_it_at_once() {
    let action = Watch::default();
    let rises = bench(30, &[], [alarms(&[("down", "ALARM", at(10))])]);
    let why = broken_check(rises.observe(&action).await);
    assert!(why.contains("alarm down: it is in ALARM since"), "{why}");
    // It was OK again when somebody looked: it broke the window all the same.
    let why = broken_check(bench(60, &[], [ok_since(20)]).observe(&action).await);
    assert!(why.contains("OK only since"), "{why}");
    let why = broken_check(bench(60, &[], [alarms(&[])]).observe(&action).await);
    assert!(why.contains("no alarm `down`"), "{why}");
    let check = [("health_checks", texts(&["c"]))];
    let dip = [(at(30), 1.0), (at(50), 0.0)];
    let why = bench(60, &check, [ok_since(900), metric("Complete", &dip)]).observe(&action).await;
    assert!(broken_check(why).contains("health check c: it was unhealthy"));
}

#[tokio::test(start_paused = true)]
async fn what_may_settle_has_time_and_the_window_counts_from_then() {
    let action = Watch::default();
    let settle = [("settle", minutes(5))];
    let state =
        waiting(bench(60, &settle, [alarms(&[("down", "ALARM", at(90))])]).observe(&action).await);
    assert!(state.contains("waiting until everything is well"), "{state}");
    let state = waiting(bench(120, &settle, [ok_since(30)]).observe(&action).await);
    assert!(state.contains("20 % of 2m"), "it counts from when the alarm was well: {state}");
    let late = bench(400, &settle, [alarms(&[("down", "ALARM", at(90))])]);
    broken_check(late.observe(&action).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_waited_for_and_then_fails() {
    let action = Watch::default();
    let unknown = [("unknown_for", minutes(1))];
    for reply in [
        alarms(&[("down", "INSUFFICIENT_DATA", at(900))]),
        metric_error(500, "InternalServiceFault;Receiver", "InternalServiceFault"),
    ] {
        // The SDK tries four times.
        let replies = std::iter::repeat_n(reply, 4);
        let state = waiting(bench(300, &unknown, replies).observe(&action).await);
        assert!(state.contains("alarm down is not known"), "{state}");
    }
    // Known again after some looks without data: that is no break.
    let mut bench = bench(60, &unknown, [alarms(&[("down", "INSUFFICIENT_DATA", at(900))])]);
    waiting(bench.observe(&action).await);
    bench.script = crate::cloud::tests::scripted::Script::new([ok_since(5)]);
    let state = waiting(bench.observe(&action).await);
    assert!(state.contains("everything holds"), "{state}");
    let denied = metric_error(403, "AccessDenied;Sender", "AccessDeniedException");
    let refused = super::tests::bench(60, &[], [denied]).observe(&action).await;
    assert_eq!(refused.expect_err("denied").class(), ErrorClass::Credentials);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_takes_it_up_believes_the_record_of_aws_and_says_so() {
    let action = Watch::default();
    // Nobody looked for an hour, and the alarm's own record covers it.
    let (_, verdict) = done(bench(3600, &[], [ok_since(7200)]).observe(&action).await);
    let Verdict::Warn(lines) = verdict else { panic!("{verdict:?}") };
    assert!(lines[0].contains("nobody looked from") && lines[0].contains("covers it"), "{lines:?}");
    // Figures that are missing cover nothing: the window begins anew.
    let check = [("health_checks", texts(&["c"]))];
    let holes = [(at(30), 1.0), (at(3500), 1.0)];
    let resumed = bench(3600, &check, [ok_since(7200), metric("Complete", &holes)]);
    let state = waiting(resumed.observe(&action).await);
    assert!(state.contains("00 % of 2m") && state.contains("begun anew"), "{state}");
}

#[tokio::test(start_paused = true)]
async fn inputs_that_ask_nothing_are_refused() {
    let action = Watch::default();
    for (pairs, name) in [
        (vec![("for", minutes(0)), ("alarms", texts(&["a"]))], "for"),
        (vec![("for", minutes(1))], "alarms"),
        (vec![("for", minutes(1)), ("service", Value::text("api"))], "cluster"),
        (vec![("for", minutes(1)), ("cluster", Value::text("c"))], "service"),
    ] {
        let refused = Bench::new(inputs(&pairs), []).preview(&action).await;
        match refused {
            Err(ActionError::Input { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
    let none = bench(0, &[], [alarms(&[])]).preview(&action).await.expect("planned");
    assert!(none.wont.expect("it would fail").contains("no alarm `down`"));
    let risen = bench(0, &[], [alarms(&[("down", "ALARM", at(5))])]).preview(&action).await;
    let risen = risen.expect("planned");
    assert_eq!(risen.wont, None, "steps before it may mend that");
    assert!(
        risen.warnings[0].contains("is to hold when it comes to that; now "),
        "{:?}",
        risen.warnings
    );
}
