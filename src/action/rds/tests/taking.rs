//! `rds.create_snapshot` and `rds.delete_snapshot`.
//!
//! **Invariant:** what is there under our name without our tag stops the step and is never deleted.

use super::{Bench, broken, done, inputs, made, run, taken, waiting};
use crate::action::rds::{CreateSnapshot, DeleteSnapshot};
use crate::action::{Acted, Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::tests::answers::{encrypted_at, error, instance, instances, snapshot, snapshots};
use crate::cloud::tests::scripted::{Reply, other_run};
use crate::cloud::{ErrorClass, PredictedEffect};

fn take(replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(inputs(&[("instance", Value::text("orders"))]), replies)
}

fn delete(replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(inputs(&[("snapshot", Value::text(made()))]), replies)
}

fn none() -> Reply {
    error(404, "DBSnapshotNotFound", "DBSnapshot not found.")
}

fn orders(status: &str) -> Reply {
    let more = "<MultiAZ>true</MultiAZ><StorageEncrypted>true</StorageEncrypted>";
    instances(&instance("orders", status, None, more))
}

fn throttled() -> Vec<Reply> {
    vec![error(400, "Throttling", "Rate exceeded"); 4]
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_cannot_be_snapshotted_is_waited_for_or_refused() {
    let action = CreateSnapshot::default();
    for status in ["available", "storage-optimization"] {
        let seen = take([none(), orders(status)]).observe(&action).await;
        assert_eq!(seen, Ok(Observation::Absent), "{status}");
    }
    for status in ["backing-up", "modifying", "rebooting", "starting", "creating", "upgrading"] {
        let state = waiting(take([none(), orders(status)]).observe(&action).await);
        assert!(state.contains(status), "{state}");
    }
    for status in ["stopped", "deleting", "failed", "incompatible-network", "storage-full"] {
        let why = broken(take([none(), orders(status)]).observe(&action).await);
        assert!(why.contains(status), "{why}");
    }
    let gone = error(404, "DBInstanceNotFound", "gone");
    let why = broken(take([none(), gone.clone()]).observe(&action).await);
    assert!(why.contains("no database instance `orders`"), "{why}");
    let preview = take([gone]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("no database instance")));
    assert!(preview.outputs["snapshot"].unknown_reason().is_some());
    let preview = take([orders("stopped"), none()]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("`stopped`")));
    let preview = take([orders("modifying"), none()]).preview(&action).await.expect("fine");
    assert_eq!(preview.wont, None);
    assert!(preview.warnings[0].contains("waiting until it is available"));
}

#[tokio::test(start_paused = true)]
async fn a_preview_names_the_snapshot_and_lays_it_over_aws() {
    let action = CreateSnapshot::default();
    let preview = take([orders("available"), none()]).preview(&action).await.expect("fine");
    assert_eq!((preview.wont, preview.outputs["snapshot"].clone()), (None, Value::text(made())));
    assert!(preview.outputs["created_at"].unknown_reason().is_some(), "only AWS knows it");
    let [PredictedEffect::SnapshotCreated(snapshot, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert!(snapshot.is_available() && snapshot.data_at().is_none() && snapshot.encrypted);
    let foreign = taken("available", Some(other_run().as_str()));
    let preview = take([orders("available"), foreign]).preview(&action).await.expect("fine");
    assert!(preview.wont.is_some_and(|why| why.contains(other_run().as_str())));
    let single = instances(&instance("orders", "available", None, ""));
    let preview = take([single, none()]).preview(&action).await.expect("fine");
    assert!(preview.warnings.iter().any(|line| line.contains("not encrypted")));
    assert!(preview.warnings.iter().any(|line| line.contains("I/O pauses")));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_done_only_when_aws_says_so_and_it_is_ours() {
    let (action, ours) = (CreateSnapshot::default(), run());
    let more = "<PercentProgress>37</PercentProgress>";
    let creating = snapshot(&made(), "manual", "creating", Some(ours.as_str()), more);
    assert_eq!(waiting(take([snapshots(&creating)]).observe(&action).await), "creating, 30 %");
    let timeless = snapshot(&made(), "manual", "available", Some(ours.as_str()), "");
    assert_eq!(waiting(take([snapshots(&timeless)]).observe(&action).await), "available");
    let why = broken(take([taken("failed", Some(ours.as_str()))]).observe(&action).await);
    assert!(why.contains("ended as `failed`"), "{why}");
    let (outputs, verdict) =
        done(take([taken("available", Some(ours.as_str()))]).observe(&action).await);
    assert_eq!((verdict, outputs["encrypted"].clone()), (Verdict::Pass, Value::Bool(true)));
    assert_eq!(outputs["created_at"].to_string(), super::TAKEN);
    assert_eq!(outputs["size_gib"], Value::Int(100));
    for (tag, words) in [(None, "no drctl:run tag"), (Some("other"), "belongs to run other")] {
        let why = broken(take([taken("available", tag)]).observe(&action).await);
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_create_may_end_with() {
    let action = CreateSnapshot::default();
    let exists = take([error(400, "DBSnapshotAlreadyExists", "exists")]);
    let acted = exists.act(&action).await;
    assert_eq!(
        acted,
        Ok(Acted { request_id: Some("r-2".to_owned()), done: None }),
        "its tag decides"
    );
    assert_eq!(exists.script.sent()[0].form["DBSnapshotIdentifier"], made());
    assert_eq!(exists.script.sent()[0].form["Tags.Tag.3.Key"], "drctl:run");
    for (reply, class) in [
        (error(404, "DBInstanceNotFound", "gone"), ErrorClass::Permanent),
        (error(400, "SnapshotQuotaExceeded", "100"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "backing-up"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<CreateDBSna".to_owned(), Vec::new()), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = take([reply]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 1), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn looks_that_fail_are_errors_and_stale_ones_do_not_act_twice() {
    let action = CreateSnapshot::default();
    for replies in [throttled(), vec![Reply::Http(200, "<Descr".to_owned(), Vec::new())]] {
        let failed = take(replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary);
    }
    // Our snapshot does not show yet, but what it does to the instance does.
    let state = waiting(take([none(), orders("backing-up")]).observe(&action).await);
    assert!(state.contains("backing-up"));
}

#[tokio::test(start_paused = true)]
async fn a_delete_looks_and_tells_apart() {
    let (action, ours) = (DeleteSnapshot::default(), run());
    let (outputs, _) = done(delete([none()]).asked().observe(&action).await);
    assert_eq!(outputs["deleted"], Value::Bool(true));
    let seen = delete([taken("available", Some(ours.as_str()))]).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent), "it may be deleted");
    let seen = delete([taken("creating", Some(ours.as_str()))]).observe(&action).await;
    assert_eq!(waiting(seen), "creating");
    let automated = snapshot(
        &made(),
        "automated",
        "available",
        Some(ours.as_str()),
        &encrypted_at(super::TAKEN),
    );
    let why = broken(delete([snapshots(&automated)]).observe(&action).await);
    assert!(why.contains("is `automated`"), "{why}");
    for tag in [None, Some(other_run().as_str())] {
        let why = broken(delete([taken("available", tag)]).observe(&action).await);
        assert!(why.contains("is not this run's"), "{why}");
        let preview = delete([taken("available", tag)]).preview(&action).await.expect("fine");
        assert!(preview.wont.is_some());
        // Even if it were asked to act, the permit is refused and nothing is sent.
        let bench = delete([taken("available", tag)]);
        let failed = bench.act(&action).await.expect_err("no permit");
        assert_eq!((failed.class(), bench.script.sent().len()), (ErrorClass::Permanent, 1));
    }
    for replies in [throttled(), vec![Reply::Http(200, "<Descr".to_owned(), Vec::new())]] {
        let failed = delete(replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_delete_may_end_with() {
    let (action, ours) = (DeleteSnapshot::default(), run());
    let seen = || taken("available", Some(ours.as_str()));
    // Gone before, between and at the delete: nothing was deleted, and the next look says so.
    for replies in [vec![none()], vec![seen(), none()], vec![seen(), seen(), none()]] {
        let failed = delete(replies).act(&action).await.expect_err("nothing was deleted");
        assert_eq!(failed.class(), ErrorClass::Temporary, "{failed}");
    }
    for (reply, class) in [
        (error(400, "InvalidDBSnapshotState", "busy"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let bench = delete([seen(), seen(), reply]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 3));
    }
}
