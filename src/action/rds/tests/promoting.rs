//! `rds.promote_replica`.
//!
//! **Invariant:** `available` is no evidence of a promotion, and one that was accepted is not asked for
//! again.

use super::following::{at, replica};
use super::{Bench, broken, done, inputs, waiting};
use crate::action::rds::PromoteReplica;
use crate::action::{Action as _, Observation, PastIntent, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::form::Form;
use crate::base::value::Value;
use crate::cloud::tests::answers::{error, instance, instances, metric, ok};
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};
use chrono::TimeDelta;
use std::time::Duration;

fn bench(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("instance", Value::text("orders-rr"))];
    pairs.extend_from_slice(more);
    let mut bench = Bench::new(inputs(&pairs), replies);
    bench.began = Some(simulated_epoch() - TimeDelta::seconds(100));
    bench
}

/// The step asked for it so many seconds ago.
fn asked(seconds: i64, accepted: bool, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench(&[], replies) }
}

/// What it is once it follows nothing.
fn writer(status: &str) -> Reply {
    let more = "<BackupRetentionPeriod>7</BackupRetentionPeriod>\
                <Endpoint><Address>h</Address><Port>5432</Port></Endpoint>";
    instances(&instance("orders-rr", status, None, more))
}

fn following() -> Reply {
    replica("available", "replicating")
}

fn lag(ago: i64, seconds: f64) -> Reply {
    metric("Complete", &[(at(ago), seconds)])
}

fn events(text: &str) -> Reply {
    let event = format!(
        "<Event><SourceIdentifier>orders-rr</SourceIdentifier><SourceType>db-instance</SourceType>\
         <Message>{text}</Message><Date>2026-01-15T08:59:30Z</Date></Event>"
    );
    ok("DescribeEvents", &format!("<Events>{event}</Events>"))
}

#[tokio::test(start_paused = true)]
async fn a_graceful_promotion_waits_until_it_has_all_that_was_written() {
    let action = PromoteReplica::default();
    // The step began 100 s ago, after the fences that it needs.
    for (look, wanted) in [
        (lag(60, 3.0), None),
        (lag(60, 40.0), None),
        (lag(60, 41.0), Some("more than 30s behind")),
        (lag(120, 0.0), Some("a few seconds behind")),
        (lag(60, 1_800.0), Some("more than 30m00s behind")),
        (lag(60, -1.0), Some("replication is not active")),
        (metric("Complete", &[]), Some("no new figure")),
    ] {
        let seen = bench(&[], [following(), look]).observe(&action).await;
        match wanted {
            None => assert_eq!(seen, Ok(Observation::Absent)),
            Some(words) => {
                let state = waiting(seen);
                assert!(state.contains(words), "{state}");
            }
        }
    }
    let broken_off = [replica("available", "terminated"), lag(60, -1.0)];
    let state = waiting(bench(&[], broken_off).observe(&action).await);
    assert!(state.contains("only the ungraceful form goes on"), "{state}");
}

fn ungraceful(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench { form: Form::Ungraceful, ..bench(more, replies) }
}

#[tokio::test(start_paused = true)]
async fn an_ungraceful_promotion_accepts_the_loss_that_is_allowed_and_no_unknown_one() {
    let action = PromoteReplica::default();
    let most = [("max_lag", Value::Duration(Duration::from_secs(60)))];
    let unknown = || metric("Complete", &[]);
    for (more, look) in
        [(&most[..0], unknown()), (&most[..0], lag(60, 9_000.0)), (&most[..], lag(60, 60.0))]
    {
        let seen = ungraceful(more, [following(), look]).observe(&action).await;
        assert_eq!(seen, Ok(Observation::Absent), "{more:?}");
    }
    let catches_up = ungraceful(&most, [following(), lag(60, 61.0)]).observe(&action).await;
    assert!(waiting(catches_up).contains("more than 1m00s behind"));
    let gone = || replica("available", "terminated");
    for (status, look) in [
        (gone(), lag(60, 61.0)),
        (gone(), lag(60, -1.0)),
        (following(), lag(60, -1.0)),
        (following(), unknown()),
    ] {
        let replies = [status, look];
        let seen = ungraceful(&most, replies.clone()).observe(&action).await;
        let known_and_following = matches!(&seen, Ok(Observation::InProgress { .. }));
        assert!(!known_and_following, "{seen:?}");
        let why = broken(seen);
        assert!(why.contains("1m00s are allowed"), "{why}");
        let preview = ungraceful(&most, replies).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains("1m00s are allowed")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_loss_does_not_grow_while_people_decide_and_counts_when_one_agreed() {
    let action = PromoteReplica::default();
    let most = [("max_lag", Value::Duration(Duration::from_secs(900)))];
    let gone = || replica("available", "error");
    // The source died 40 minutes ago, 5 s behind: its lag is 40 minutes by now.
    let grown = || lag(60, 2_345.0);
    let refused = ungraceful(&most, [gone(), grown()]).observe(&action).await;
    assert!(broken(refused).contains("15m00s are allowed where nobody has agreed to more"));
    let died = Some(simulated_epoch() - TimeDelta::seconds(2_400));
    let said = Bench { disaster_at: died, ..ungraceful(&most, [gone(), grown()]) };
    assert_eq!(said.observe(&action).await, Ok(Observation::Absent));
    // AWS says -1 as soon as replication breaks; what was measured before says what the replica has.
    let before = || metric("Complete", &[(at(60), -1.0), (at(2_405), 0.0)]);
    let said = Bench { disaster_at: died, ..ungraceful(&most, [gone(), before()]) };
    assert_eq!(said.observe(&action).await, Ok(Observation::Absent));
    for unseen in [grown(), lag(60, -1.0), metric("Complete", &[])] {
        let agreed = Bench { agreed: true, ..ungraceful(&most, [gone(), unseen]) };
        assert_eq!(agreed.observe(&action).await, Ok(Observation::Absent));
    }
    // A source that is there sends more: what can be had by waiting is waited for.
    let there = Bench { agreed: true, ..ungraceful(&most, [following(), lag(60, 1_000.0)]) };
    assert!(waiting(there.observe(&action).await).contains("at most 15m00s behind"));
    // Nobody's agreement to a loss makes a graceful promotion.
    let graceful = Bench { agreed: true, ..bench(&most, [gone(), grown()]) };
    assert!(waiting(graceful.observe(&action).await).contains("only the ungraceful form"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_shows_until_when_the_replica_has_everything_and_what_goes_beyond_its_limit() {
    let action = PromoteReplica::default();
    let most = [("max_lag", Value::Duration(Duration::from_secs(900)))];
    let named = |figures: &[crate::action::Figure], name: &str| {
        figures.iter().find(|it| it.name == name).map(|it| it.text.clone())
    };
    let died = Some(simulated_epoch() - TimeDelta::seconds(2_400));
    let bench = Bench { disaster_at: died, ..ungraceful(&most, [lag(60, 2_345.0)]) };
    let figures = bench.stakes(&action).await;
    let has = named(&figures, "replica_lag").expect("a figure");
    assert!(has.contains("has what was written until 2026-01-15T08:19:55Z"), "{has}");
    let loss = named(&figures, "loss_at_the_disaster").expect("a figure");
    assert!(loss.starts_with("5.0s, if nothing was written after the disaster of"), "{loss}");
    assert_eq!(named(&figures, "beyond_max_lag"), None);
    let figures = ungraceful(&most, [lag(60, 2_345.0)]).stakes(&action).await;
    let beyond = named(&figures, "beyond_max_lag").expect("a figure");
    assert!(beyond.contains("up to 40m05s, more than the 15m00s"), "{beyond}");
    let figures = ungraceful(&most, [metric("Complete", &[])]).stakes(&action).await;
    let beyond = named(&figures, "beyond_max_lag").expect("a figure");
    assert!(beyond.contains("an unknown loss, more than"), "{beyond}");
}

#[tokio::test(start_paused = true)]
async fn what_is_at_stake_is_the_lag_and_unknown_is_not_zero() {
    let action = PromoteReplica::default();
    let bench_known = bench(&[], [lag(60, 3.0)]);
    let figures = bench_known.stakes(&action).await;
    assert_eq!((figures[0].name, figures[0].time), ("replica_lag", Some(Duration::from_secs(3))));
    assert!(figures[0].known && figures[0].text.contains("measured 2026-01-15T08:59:00Z"));
    for reply in [lag(60, -1.0), metric("Complete", &[]), lag(900, 0.0)] {
        let figures = bench(&[], [reply]).stakes(&action).await;
        assert_eq!((figures[0].known, figures[0].time), (false, None), "{figures:?}");
    }
    let nobody = std::iter::repeat_n(Reply::Lost, 4);
    let figures = bench(&[], nobody).stakes(&action).await;
    assert!(!figures[0].known && figures[0].text.contains("unknown"), "{figures:?}");
    assert!(action.differs_by_form());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_promoted_is_refused_or_waited_for() {
    let action = PromoteReplica::default();
    for (reply, words) in [
        (error(404, "DBInstanceNotFound", "gone"), "no database instance"),
        (writer("available"), "no read replica"),
        (replica("storage-full", "replicating"), "`storage-full`"),
        (replica("stopped", "replicating"), "`stopped`"),
    ] {
        let why = broken(bench(&[], [reply.clone()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench(&[], [reply]).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)));
        assert!(preview.outputs["endpoint"].unknown_reason().is_some());
    }
    let busy = bench(&[], [replica("backing-up", "replicating")]).observe(&action).await;
    assert!(waiting(busy).contains("`backing-up`"));
}

#[tokio::test(start_paused = true)]
async fn available_is_no_evidence_and_one_look_is_not_enough() {
    let action = PromoteReplica::default();
    // Accepted, and RDS still shows what was before, or works on it.
    for status in ["available", "modifying", "rebooting"] {
        let bench = asked(60, true, [replica(status, "replicating")]);
        let state = waiting(bench.observe(&action).await);
        assert!(state.contains("still a replica of `orders`"), "{state}");
    }
    let rebooting = waiting(asked(60, true, [writer("rebooting")]).observe(&action).await);
    assert!(rebooting.contains("a replica no more"), "{rebooting}");
    // A stale look in between begins the row anew.
    let row = [
        writer("available"),
        writer("available"),
        following(),
        writer("backing-up"),
        writer("available"),
        writer("available"),
        lag(120, 4.0),
        events("Replication has been terminated"),
    ];
    let bench = asked(60, true, row);
    for _ in 0..5 {
        waiting(bench.observe(&action).await);
    }
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["lag_at_promotion"], Value::Duration(Duration::from_secs(4)));
    assert_eq!(outputs["promoted_at"].to_string(), "2026-01-15T08:59:30Z");
    assert_eq!(
        (outputs["endpoint"].to_string(), &outputs["port"]),
        ("h".into(), &Value::Int(5432))
    );
}

#[tokio::test(start_paused = true)]
async fn one_in_doubt_is_asked_for_again_and_an_accepted_one_is_not() {
    let action = PromoteReplica::default();
    let seen = asked(200, false, [following()]).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent), "RDS refuses a second one that does harm");
    let busy = asked(200, false, [replica("modifying", "replicating")]).observe(&action).await;
    assert!(waiting(busy).contains("modifying"));
    let stuck = asked(3_000, true, [following()]).observe(&action).await;
    assert!(waiting(stuck).contains("still a replica"));
    let mut retried = asked(3_000, true, [following()]);
    let again = simulated_epoch() - TimeDelta::seconds(10);
    retried.intent = retried.intent.map(|it| PastIntent { retried: Some(again), ..it });
    assert_eq!(retried.observe(&action).await, Ok(Observation::Absent), "a person said so");
    let gone = asked(60, true, [error(404, "DBInstanceNotFound", "gone")]);
    assert!(broken(gone.observe(&action).await).contains("any more"));
    let failed = asked(60, true, [writer("incompatible-network")]);
    assert!(broken(failed.observe(&action).await).contains("incompatible-network"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_lag_at_the_promotion_stays_unknown() {
    let action = PromoteReplica::default();
    let quiet = ok("DescribeEvents", "<Events></Events>");
    let row = [writer("available"), writer("available"), writer("available")];
    let bench = asked(60, true, row.into_iter().chain([metric("Complete", &[]), quiet]));
    for _ in 0..2 {
        waiting(bench.observe(&action).await);
    }
    let (outputs, _) = done(bench.observe(&action).await);
    assert_eq!(outputs["lag_at_promotion"], Value::Null);
    assert_eq!(outputs["promoted_at"], Value::Time(simulated_epoch()), "when it was found");
}

#[tokio::test(start_paused = true)]
async fn a_preview_shows_lag_fence_and_the_writer_to_come() {
    let action = PromoteReplica::default();
    let preview = bench(&[], [following(), lag(60, 3.0)]).preview(&action).await.expect("fine");
    assert_eq!(preview.wont, None);
    assert!(!preview.details.iter().any(|line| line.contains("fencing proof")));
    assert!(preview.warnings.iter().any(|line| line.contains("cannot be taken back")));
    assert_eq!(preview.outputs["endpoint"], Value::text("h"), "the name stays");
    let [PredictedEffect::Created(writer, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!((&writer.replica_source, writer.backup_retention_days), (&None, 7));
    let fenced = [("fenced", Value::text("desired 0, running 0"))];
    let preview = bench(&fenced, [following(), lag(60, 3.0)]).preview(&action).await.expect("fine");
    assert!(preview.details.iter().any(|line| line.contains("desired 0, running 0")));
}

#[tokio::test(start_paused = true)]
async fn what_asking_may_end_with() {
    let action = PromoteReplica::default();
    let accepted = || ok("PromoteReadReplica", &instance("orders-rr", "available", None, ""));
    let days = [("backup_retention_days", Value::Int(3))];
    let bench_ok = bench(&days, [following(), accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[1].form;
    assert_eq!(form["Action"], "PromoteReadReplica");
    assert_eq!(
        (&*form["DBInstanceIdentifier"], &*form["BackupRetentionPeriod"]),
        ("orders-rr", "3")
    );
    for bad in [0, 36, -1] {
        let bench = bench(&[("backup_retention_days", Value::Int(bad))], [following()]);
        let failed = bench.act(&action).await.expect_err("out of range");
        assert!(failed.to_string().contains("must be 1 to 35"), "{failed}");
        assert_eq!(bench.script.sent().len(), 1, "nothing was asked for");
    }
    for (reply, class) in [
        (error(404, "DBInstanceNotFound", "gone"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "not a replica"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (error(503, "ServiceUnavailable", "busy"), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<Promote".to_owned(), Vec::new()), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench(&[], [following(), reply, accepted()]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 2), "{shown}");
    }
}
