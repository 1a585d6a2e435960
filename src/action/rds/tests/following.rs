//! `rds.check_replica`.
//!
//! **Invariant:** an unknown lag passes no limit, and an answer that did not come is no verdict.

use super::{Bench, broken_check, done, inputs, waiting};
use crate::action::Verdict;
use crate::action::rds::CheckReplica;
use crate::base::clock::simulated_epoch;
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{error, instance, instances, metric, metric_error};
use crate::cloud::tests::scripted::Reply;
use std::time::Duration;

/// Seconds since 1970, `ago` before now.
pub(super) fn at(ago: i64) -> f64 {
    (simulated_epoch().timestamp() - ago) as f64
}

/// A read replica of `orders` in another region.
pub(super) fn replica(status: &str, replication: &str) -> Reply {
    let more = format!(
        "<ReadReplicaSourceDBInstanceIdentifier>arn:aws:rds:us-west-2:123456789012:db:orders\
         </ReadReplicaSourceDBInstanceIdentifier><StatusInfos><DBInstanceStatusInfo>\
         <StatusType>read replication</StatusType><Normal>true</Normal><Status>{replication}</Status>\
         </DBInstanceStatusInfo></StatusInfos><StorageEncrypted>true</StorageEncrypted>\
         <Endpoint><Address>h</Address><Port>5432</Port></Endpoint>"
    );
    instances(&instance("orders-rr", status, None, &more))
}

fn bench(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("instance", Value::text("orders-rr"))];
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn most(seconds: u64) -> (&'static str, Value) {
    ("max_lag", Value::Duration(Duration::from_secs(seconds)))
}

#[tokio::test(start_paused = true)]
async fn a_lag_passes_when_it_is_known_and_small_enough() {
    let action = CheckReplica::default();
    let following = || replica("available", "replicating");
    let look = [following(), metric("Complete", &[(at(60), 3.0), (at(120), 900.0)])];
    let bench_ok = bench(&[most(5)], look);
    let (outputs, verdict) = done(bench_ok.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass, "the newest figure counts");
    assert_eq!(outputs["lag"], Value::Duration(Duration::from_secs(3)));
    assert_eq!(outputs["source"].to_string(), "arn:aws:rds:us-west-2:123456789012:db:orders");
    assert_eq!((&outputs["lag_known"], &outputs["replicating"]), (&true.into(), &true.into()));
    let sent = bench_ok.script.sent();
    assert!(sent[1].uri.ends_with("/operation/GetMetricData"), "{}", sent[1].uri);

    for (figures, words) in [
        (vec![(at(60), 6.0)], "5.0s are allowed"),
        (vec![(at(60), -1.0)], "AWS measured -1"),
        (vec![(at(301), 0.0)], "the newest figure is of"),
        (vec![], "no figure"),
    ] {
        let look = [following(), metric("Complete", &figures)];
        let why = broken_check(bench(&[most(5)], look.clone()).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let state = waiting(bench(&[most(5), ("wait", true.into())], look).observe(&action).await);
        assert!(state.contains("behind") || state.contains("unknown"), "{state}");
    }
    // Without a limit an unknown lag is no failure, and no zero either.
    let look = [following(), metric("Complete", &[])];
    let (outputs, verdict) = done(bench(&[], look).observe(&action).await);
    assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
    assert_eq!((&outputs["lag"], &outputs["lag_known"]), (&Value::Null, &false.into()));
}

#[tokio::test(start_paused = true)]
async fn what_follows_nothing_or_something_else_fails() {
    let action = CheckReplica::default();
    let source = ("source", Value::text("payments"));
    for (more, replies, words) in [
        (vec![], vec![error(404, "DBInstanceNotFound", "gone")], "no database instance"),
        (vec![], vec![instances(&instance("orders-rr", "available", None, ""))], "no read replica"),
        (vec![source], vec![replica("available", "replicating")], "not `payments`"),
        (
            vec![],
            vec![replica("available", "terminated"), metric("Complete", &[(at(60), -1.0)])],
            "`terminated`",
        ),
    ] {
        let why = broken_check(bench(&more, replies.clone()).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench(&more, replies).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)), "{words}");
    }
    let named = ("source", Value::text("ORDERS"));
    let look = [replica("available", "replicating"), metric("Complete", &[(at(60), 0.0)])];
    let preview = bench(&[named], look).preview(&action).await.expect("a prediction");
    assert_eq!(preview.wont, None);
    assert!(preview.outputs["lag"].unknown_reason().is_some(), "it moves until the run");
    assert_eq!(preview.facts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_no_verdict() {
    let action = CheckReplica::default();
    let late = metric_error(400, "Throttling;Sender", "ThrottlingException");
    for (reply, class) in [
        (late, ErrorClass::Temporary),
        (
            metric_error(403, "AccessDenied;Sender", "AccessDeniedException"),
            ErrorClass::Credentials,
        ),
        (metric("InternalError", &[]), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::Temporary),
        (Reply::Bytes(200, vec![0xff, 0x00], Vec::new()), ErrorClass::Temporary),
    ] {
        let shown = format!("{reply:?}");
        let replies = std::iter::once(replica("available", "replicating"))
            .chain(std::iter::repeat_n(reply, 4));
        let failed = bench(&[], replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), class, "{shown}: {failed}");
    }
}
