//! `rds.verify_snapshot`: choosing and judging.
//!
//! **Invariant:** the choice is a function of run, step and snapshots, and planning's choice stands.

use super::{Bench, done, inputs};
use crate::action::rds::VerifySnapshot;
use crate::action::{Observation, Verdict};
use crate::base::value::{Value, Values};
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{
    encrypted_at, error, instance, instances, json_error, key, snapshot, snapshots,
};
use crate::cloud::tests::scripted::Reply;
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// One automated snapshot a day, the newest of today.
fn daily(days: u32) -> String {
    (0..days)
        .map(|back| {
            let at = format!("2026-01-{:02}T03:00:00Z", 15 - back);
            let id = format!("rds:orders-2026-01-{:02}", 15 - back);
            snapshot(&id, "automated", "available", None, &encrypted_at(&at))
        })
        .collect()
}

fn orders(days: u32) -> Reply {
    let days = format!("<BackupRetentionPeriod>{days}</BackupRetentionPeriod>");
    instances(&instance("orders", "available", None, &days))
}

fn listed(elements: &str) -> [Reply; 2] {
    [snapshots(elements), snapshots("")]
}

fn bench(more: &[(&str, Value)], elements: &str, rest: &[Reply]) -> Bench {
    let mut given: Values = inputs(&[("instance", Value::text("orders"))]);
    given.extend(inputs(more));
    Bench::new(given, listed(elements).into_iter().chain(rest.iter().cloned()))
}

fn well() -> Vec<Reply> {
    vec![key("Enabled"), orders(30)]
}

fn fails(observation: Result<Observation, crate::action::ActionError>) -> (String, String) {
    match done(observation).1 {
        Verdict::Fail { why, help } => (why, help),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_data_is_chosen_among_what_can_be_restored() {
    let action = VerifySnapshot::default();
    // Copied today, and of old data all the same; and one that is still being made.
    let copy = format!(
        "{}<OriginalSnapshotCreateTime>2026-01-01T00:00:00Z</OriginalSnapshotCreateTime>",
        encrypted_at("2026-01-15T08:00:00Z")
    );
    let all = daily(3)
        + &snapshot("copy", "manual", "available", None, &copy)
        + &snapshot("fresh", "manual", "creating", None, "");
    let (outputs, verdict) = done(bench(&[], &all, &well()).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["snapshot"], Value::text("rds:orders-2026-01-15"));
    assert_eq!(outputs["age"], Value::Duration(6 * HOUR));
    assert_eq!((&outputs["chosen"], &outputs["type"]), (&Value::Bool(false), &"automated".into()));
    assert_eq!(outputs["retained_until"].to_string(), "2026-02-14T03:00:00Z");
    let named = [("snapshot", Value::text("COPY"))];
    let (outputs, _) = done(bench(&named, &all, &well()).observe(&action).await);
    assert_eq!(outputs["data_at"].to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(
        (&outputs["chosen"], &outputs["retained_until"]),
        (&Value::Bool(true), &Value::Null)
    );
    let backup = snapshot(
        "awsbackup:job-1",
        "awsbackup",
        "available",
        None,
        &encrypted_at("2026-01-15T08:30:00Z"),
    );
    let replies = [snapshots(&daily(1)), snapshots(&backup)].into_iter().chain(well());
    let bench = Bench::new(inputs(&[("instance", Value::text("orders"))]), replies);
    assert_eq!(done(bench.observe(&action).await).0["type"], Value::text("awsbackup"));
}

#[tokio::test(start_paused = true)]
async fn a_random_draw_is_the_run_s_and_stays_in_its_window() {
    let action = VerifySnapshot::default();
    let random = [("pick", Value::text("random")), ("window", Value::Duration(80 * HOUR))];
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let preview = bench(&random, &daily(15), &well()).preview(&action).await.expect("fine");
        assert!(preview.details[0].contains("drawn at random by the run's id from 4 since"));
        seen.insert(preview.outputs["snapshot"].to_string());
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    let drawn = seen.pop_first().expect("one");
    assert!(drawn.as_str() >= "rds:orders-2026-01-12", "{drawn}");
    let all = [("pick", Value::text("random")), ("window", Value::Duration(Duration::MAX))];
    let preview = bench(&all, &daily(15), &well()).preview(&action).await.expect("fine");
    assert!(preview.details[0].contains("since 1970-01-01T00:00:00Z"), "{:?}", preview.details);
    let narrow = [("pick", Value::text("random")), ("window", Value::Duration(HOUR))];
    let (why, _) = fails(bench(&narrow, &daily(2), &well()).observe(&action).await);
    assert!(why.contains("none of the last 1h00m is available among the 2 snapshots"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_planning_chose_is_what_the_run_judges() {
    let action = VerifySnapshot::default();
    let planned = [("snapshot", Value::text("rds:orders-2026-01-13"))];
    let (outputs, verdict) =
        done(bench(&[], &daily(5), &well()).planned(&planned).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(outputs["snapshot"], planned[0].1, "although there are newer ones");
    assert_eq!(outputs["chosen"], Value::Bool(false));
    let none = error(404, "DBSnapshotNotFound", "none");
    let (why, help) =
        fails(bench(&[], &daily(2), &[none]).planned(&planned).observe(&action).await);
    assert!(why.contains("`rds:orders-2026-01-15` is the newest"), "{why}");
    assert!(help.contains("plan again"), "{help}");
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_wrong_is_named() {
    let action = VerifySnapshot::default();
    let named = [("snapshot", Value::text("old")), ("max_age", Value::Duration(24 * HOUR))];
    let plain = snapshot(
        "old",
        "manual",
        "creating",
        None,
        "<SnapshotCreateTime>2026-01-10T00:00:00Z</SnapshotCreateTime>",
    );
    let (why, _) = fails(bench(&named, &plain, &[orders(30)]).observe(&action).await);
    for words in ["is `creating`", "is not encrypted", "`old` is 5d09h old (allowed 1d00h)"] {
        assert!(why.contains(words), "{words}: {why}");
    }
    // Retention ended: an automated one may go at any moment.
    let first = [("snapshot", Value::text("rds:orders-2026-01-10"))];
    let (why, _) =
        fails(bench(&first, &daily(6), &[key("Enabled"), orders(5)]).observe(&action).await);
    assert!(
        why.contains("the retention of `rds:orders-2026-01-10` ended 2026-01-15T03:00:00Z"),
        "{why}"
    );
    let (_, verdict) =
        done(bench(&first, &daily(6), &[key("Enabled"), orders(6)]).observe(&action).await);
    assert!(
        matches!(&verdict, Verdict::Warn(list) if list[0].contains("ends 2026-01-16")),
        "{verdict:?}"
    );
    let (why, help) =
        fails(bench(&[], &daily(1), &[key("Disabled"), orders(30)]).observe(&action).await);
    assert!(why.contains("is `Disabled`") && help.contains("enable-key"), "{why}; {help}");
    let old = [("max_age", Value::Duration(HOUR))];
    let (why, _) = fails(bench(&old, &daily(1), &well()).observe(&action).await);
    assert_eq!(why, "the newest snapshot is 6h00m old (allowed 1h00m)");
}

#[tokio::test(start_paused = true)]
async fn there_may_be_nothing_to_judge() {
    let action = VerifySnapshot::default();
    let (why, _) = fails(bench(&[], "", &[]).observe(&action).await);
    assert_eq!(why, "there are no snapshots of `orders` in us-east-1");
    let making = snapshot("s", "manual", "creating", None, "");
    let (why, _) = fails(bench(&[], &making, &[]).observe(&action).await);
    assert!(why.starts_with("none is available among the 1 snapshots"), "{why}");
    let preview = bench(&[], "", &[]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some() && preview.outputs["snapshot"].unknown_reason().is_some());
    let of_another =
        snapshots(&snapshot("s", "manual", "available", None, "").replace(">orders<", ">users<"));
    let named = [("snapshot", Value::text("s"))];
    let (why, _) = fails(bench(&named, "", &[of_another]).observe(&action).await);
    assert!(why.contains("is of `users`, not of `orders`"), "{why}");
    for (given, words) in [
        (vec![("snapshot", Value::text("s")), ("pick", Value::text("random"))], "input `pick`"),
        (
            vec![("pick", Value::text("random")), ("window", Value::Duration(Duration::ZERO))],
            "input `window`",
        ),
    ] {
        let failed = bench(&given, "", &[]).observe(&action).await.expect_err("not usable");
        assert!(failed.to_string().starts_with(words), "{failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_seen_is_no_verdict() {
    let action = VerifySnapshot::default();
    let given = || inputs(&[("instance", Value::text("orders"))]);
    for replies in [
        vec![error(400, "Throttling", "Rate exceeded"); 4],
        vec![Reply::Http(200, "<Descr".to_owned(), Vec::new())],
        vec![Reply::Lost; 4],
    ] {
        let failed = Bench::new(given(), replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary);
    }
    // A key that may not be looked at is a warning; a source that is gone is none of its business.
    let unreadable = json_error("AccessDeniedException", "no");
    let (_, verdict) =
        done(bench(&[], &daily(1), &[unreadable, orders(30)]).observe(&action).await);
    assert!(
        matches!(&verdict, Verdict::Warn(list) if list[0].contains("kms:DescribeKey")),
        "{verdict:?}"
    );
    let gone = error(404, "DBInstanceNotFound", "gone");
    let (_, verdict) = done(bench(&[], &daily(1), &[key("Enabled"), gone]).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    let replaced =
        instances(&instance("Orders", "available", None, "").replace("db-Orders", "db-new"));
    let (_, verdict) =
        done(bench(&[], &daily(1), &[key("Enabled"), replaced]).observe(&action).await);
    assert!(
        matches!(&verdict, Verdict::Warn(list) if list[0].contains("earlier instance")),
        "{verdict:?}"
    );
}
