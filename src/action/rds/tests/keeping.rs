//! `rds.check_retention` and `rds.check_export`.
//!
//! **Invariant:** every promise that is not kept is named, and an export counts only when it is complete.

use super::{Bench, broken_check, done, inputs};
use crate::action::Verdict;
use crate::action::rds::{CheckExport, CheckRetention};
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{error, instance, instances, ok};
use crate::cloud::tests::scripted::Reply;
use std::time::Duration;

fn retention(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("instance", Value::text("orders")), ("days", Value::Int(7))];
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn orders(days: u32, on: bool) -> Reply {
    let more = format!(
        "<BackupRetentionPeriod>{days}</BackupRetentionPeriod><MultiAZ>{on}</MultiAZ>\
         <DeletionProtection>{on}</DeletionProtection><StorageEncrypted>{on}</StorageEncrypted>"
    );
    instances(&instance("orders", "available", None, &more))
}

#[tokio::test(start_paused = true)]
async fn all_promises_that_are_not_kept_are_named() {
    let action = CheckRetention::default();
    let all = |on: bool| {
        ["multi_az", "deletion_protection", "encrypted"].map(|name| (name, Value::Bool(on)))
    };
    let (outputs, verdict) = done(retention(&all(true), [orders(7, true)]).observe(&action).await);
    assert_eq!((verdict, &outputs["days"]), (Verdict::Pass, &Value::Int(7)));
    let (_, verdict) = done(retention(&[], [orders(14, false)]).observe(&action).await);
    assert_eq!(verdict, Verdict::Pass, "what nobody promised is not asked for");
    let why = broken_check(retention(&all(true), [orders(3, false)]).observe(&action).await);
    for part in ["3 days, not 7", "no standby", "no deletion protection", "no encryption"] {
        assert!(why.contains(part), "{part} in {why}");
    }
    let why = broken_check(retention(&all(false), [orders(7, true)]).observe(&action).await);
    assert!(why.contains("has a standby, and should not"), "{why}");
    let gone = || error(404, "DBInstanceNotFound", "gone");
    assert!(broken_check(retention(&[], [gone()]).observe(&action).await).contains("no database"));
    let preview = retention(&[], [orders(3, true)]).preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("3 days")));
    let failed = retention(&[("days", Value::Int(400))], []).observe(&action).await;
    assert!(failed.expect_err("no number of days").to_string().contains("0 to 35"));
}

fn export(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![
        ("bucket", Value::text("backups")),
        ("max_age", Value::Duration(Duration::from_secs(26 * 3600))),
    ];
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn orders_of() -> [(&'static str, Value); 1] {
    [("instance", Value::text("orders"))]
}

/// An export of a snapshot that was taken at `at`, started two minutes later.
fn task(id: &str, snapshot: &str, day: u32, status: &str) -> String {
    let end = match status {
        "IN_PROGRESS" => String::new(),
        _ => format!("<TaskEndTime>2026-01-{day:02}T06:20:00Z</TaskEndTime>"),
    };
    format!(
        "<ExportTask><ExportTaskIdentifier>{id}</ExportTaskIdentifier>\
         <SourceArn>arn:aws:rds:us-east-1:123456789012:snapshot:{snapshot}</SourceArn>\
         <SnapshotTime>2026-01-{day:02}T06:00:00Z</SnapshotTime>\
         <TaskStartTime>2026-01-{day:02}T06:02:00Z</TaskStartTime>{end}\
         <S3Bucket>backups</S3Bucket><Status>{status}</Status>\
         <FailureCause>no room</FailureCause></ExportTask>"
    )
}

fn tasks(of: &[String]) -> Reply {
    ok("DescribeExportTasks", &format!("<ExportTasks>{}</ExportTasks>", of.concat()))
}

#[tokio::test(start_paused = true)]
async fn the_newest_complete_export_of_the_instance_counts() {
    let action = CheckExport::default();
    let look = tasks(&[
        task("a", "rds:orders-2026-01-14", 14, "COMPLETE"),
        task("b", "rds:orders-2026-01-15", 15, "COMPLETE"),
        task("c", "rds:payments-2026-01-15", 15, "COMPLETE"),
        task("d", "orders-by-hand", 13, "COMPLETE"),
    ]);
    let bench = export(&orders_of(), [look]);
    let (outputs, verdict) = done(bench.observe(&action).await);
    assert_eq!((verdict, &outputs["export_task"]), (Verdict::Pass, &Value::text("b")));
    assert_eq!(outputs["age"], Value::Duration(Duration::from_secs(3 * 3600)));
    let form = &bench.script.sent()[0].form;
    assert_eq!(form["Filters.Filter.1.Name"], "s3-bucket");
    let prefix = [("snapshot", Value::text("orders-by"))];
    let hand = [task("d", "orders-by-hand", 15, "COMPLETE")];
    let (outputs, _) = done(export(&prefix, [tasks(&hand)]).observe(&action).await);
    assert_eq!(outputs["export_task"], Value::text("d"));
}

#[tokio::test(start_paused = true)]
async fn what_is_old_failed_or_unfinished_does_not_count() {
    let action = CheckExport::default();
    let old = task("a", "rds:orders-1", 13, "COMPLETE");
    for (of, words) in [
        (vec![], "no complete export"),
        (vec![task("a", "rds:payments-1", 15, "COMPLETE")], "no complete export"),
        (vec![task("a", "rds:orders-1", 15, "IN_PROGRESS")], "among 1"),
        (vec![task("a", "rds:orders-1", 15, "FAILED")], "no complete export"),
        (vec![old, task("b", "rds:orders-2", 15, "FAILED")], "2d03h old"),
    ] {
        let why = broken_check(export(&orders_of(), [tasks(&of)]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = export(&orders_of(), [tasks(&of)]).preview(&action).await.expect("fine");
        assert!(preview.wont.is_some_and(|why| why.contains(words)), "{words}");
    }
    let of = [task("a", "rds:orders-1", 14, "COMPLETE"), task("b", "rds:orders-2", 15, "FAILED")];
    let pairs = [
        ("instance", Value::text("orders")),
        ("max_age", Value::Duration(Duration::from_secs(90_000 * 4))),
    ];
    let (_, verdict) = done(export(&pairs, [tasks(&of)]).observe(&action).await);
    let Verdict::Warn(warnings) = verdict else { panic!("{verdict:?}") };
    assert!(warnings[0].contains("`b` ended as FAILED: no room"), "{warnings:?}");
    let failed = export(&[], []).observe(&action).await.expect_err("of what?");
    assert!(failed.to_string().contains("`instance`"), "{failed}");
    let late = std::iter::repeat_n(error(400, "Throttling", "Rate exceeded"), 4);
    let failed = export(&orders_of(), late).observe(&action).await.expect_err("no answer");
    assert_eq!(failed.class(), ErrorClass::Temporary);
}
