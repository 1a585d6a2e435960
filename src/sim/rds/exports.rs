//! `DescribeExportTasks`: exports of snapshots to buckets, as the estate's section `exports` says.
//!
//! **Invariant:** exports are functions of the estate and the instant; nobody can start one.

use crate::base::clock::{between, format_instant};
use crate::estate::{Environment, Estate};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::birth;
use crate::sim::rds::page;
use crate::sim::services::ExportPlan;
use crate::sim::state::World;
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a snapshot waits for its export, and how long that takes.
const WAITS: TimeDelta = TimeDelta::minutes(2);
const TAKES: TimeDelta = TimeDelta::minutes(20);

/// How long AWS tells of one.
const KEPT: TimeDelta = TimeDelta::days(14);

/// With `export-failed`, so many of the newest have failed.
const FAILED: i32 = 3;

/// The exports that the estate says are made.
pub(in crate::sim) fn begin(world: &mut World, estate: &Estate, environment: &Environment) {
    world.services.exports.clear();
    for name in estate.exports.keys() {
        let Some(export) = estate.export_in(name, environment) else { continue };
        let Some(database) = estate.database_in(&export.database, environment) else { continue };
        let plan = ExportPlan {
            region: export.region.unwrap_or_else(|| environment.region.clone()),
            instance: database.instance.to_lowercase(),
            bucket: export.bucket,
            prefix: export.prefix,
            seconds: i64::try_from(export.every.as_secs()).unwrap_or(i64::MAX).max(60),
        };
        world.services.exports.insert(name.clone(), plan);
    }
}

struct Task {
    id: String,
    source: String,
    bucket: String,
    prefix: String,
    snapshot: DateTime<Utc>,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    percent: u128,
    failed: bool,
}

impl Task {
    fn status(&self) -> &'static str {
        match (self.ended, self.failed) {
            (None, _) => "IN_PROGRESS",
            (Some(_), true) => "FAILED",
            (Some(_), false) => "COMPLETE",
        }
    }
}

/// The exports that one plan has made by now and AWS still tells of.
fn tasks(turn: &Turn<'_>, name: &str, plan: &ExportPlan) -> Vec<Task> {
    let every = TimeDelta::seconds(plan.seconds);
    let fails = turn.world.fault(FaultKind::ExportFailed).is_some();
    // The world begins an eighth of the time after the last one.
    let first = birth() - every / 8;
    let kept_from = (turn.now - KEPT - first).num_seconds().saturating_add(plan.seconds - 1);
    let since = kept_from.div_euclid(plan.seconds).max(0);
    let mut found = Vec::new();
    for number in since.. {
        let snapshot = first + TimeDelta::seconds(number.saturating_mul(plan.seconds));
        let started = snapshot + WAITS;
        if started > turn.now {
            break;
        }
        let end = started + TAKES;
        let ended = Some(end).filter(|end| *end <= turn.now);
        let percent = between(started, turn.now).as_millis() * 100 / 1_200_000;
        let stamp = snapshot.format("%Y-%m-%d-%H-%M");
        let id = format!("rds:{}-{stamp}", plan.instance);
        found.push(Task {
            id: format!("{name}-{stamp}"),
            source: turn.world.arn(&turn.region, "snapshot", &id),
            bucket: plan.bucket.clone(),
            prefix: plan.prefix.clone(),
            snapshot,
            started,
            ended,
            percent: percent.min(100),
            failed: fails && snapshot > turn.now - every * FAILED,
        });
    }
    found
}

/// Answers the call.
pub(in crate::sim::rds) fn describe(turn: &mut Turn<'_>) -> Outcome {
    let plans = turn.world.services.exports.iter();
    let here = plans.filter(|(_, plan)| plan.region == turn.region);
    let mut found: Vec<Task> = here.flat_map(|(name, plan)| tasks(turn, name, plan)).collect();
    if let Some(id) = turn.params.text("ExportTaskIdentifier") {
        found.retain(|task| task.id == id);
        if found.is_empty() {
            let message = format!("Export task {id} not found.");
            return Err(ApiError::not_found("ExportTaskNotFoundFault", message));
        }
    }
    if let Some(arn) = turn.params.text("SourceArn") {
        found.retain(|task| task.source == arn);
    }
    for (name, values) in turn.params.filters() {
        let of = |task: &Task| match name.as_str() {
            "export-task-identifier" => Some(task.id.clone()),
            "s3-bucket" => Some(task.bucket.clone()),
            "source-arn" => Some(task.source.clone()),
            "status" => Some(task.status().to_lowercase()),
            _ => None,
        };
        if !["export-task-identifier", "s3-bucket", "source-arn", "status"].contains(&name.as_str())
        {
            let message = format!("Unrecognized filter name: {name}");
            return Err(ApiError::sender("InvalidParameterValue", message));
        }
        found.retain(|task| {
            of(task).is_some_and(|is| values.iter().any(|value| value.eq_ignore_ascii_case(&is)))
        });
    }
    let (page, marker) = page::cut(&turn.params, found, |task| task.id.clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("ExportTasks", |xml| {
        for task in &page {
            render(xml, turn, task);
        }
    });
    Ok(Body::Result(Some(xml)))
}

fn render(xml: &mut Xml, turn: &Turn<'_>, task: &Task) {
    let account = &turn.world.account;
    xml.element("ExportTask", |xml| {
        xml.leaf("ExportTaskIdentifier", &task.id);
        xml.leaf("SourceArn", &task.source);
        xml.leaf("SourceType", "SNAPSHOT");
        xml.leaf("SnapshotTime", format_instant(task.snapshot));
        xml.leaf("TaskStartTime", format_instant(task.started));
        xml.optional("TaskEndTime", task.ended.map(format_instant));
        xml.leaf("S3Bucket", &task.bucket);
        xml.leaf("S3Prefix", &task.prefix);
        xml.leaf("IamRoleArn", format!("arn:aws:iam::{account}:role/exports"));
        xml.leaf("KmsKeyId", "alias/exports");
        xml.leaf("Status", task.status());
        xml.leaf("PercentProgress", task.percent);
        if task.failed && task.ended.is_some() {
            xml.leaf("FailureCause", "The bucket does not let the role write.");
        }
    });
}
