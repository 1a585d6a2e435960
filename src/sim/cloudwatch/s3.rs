//! The metrics that S3 publishes of the replication of buckets, in the source's region.
//!
//! **Invariant:** a sample says what waited at its instant; when nothing waits and nothing ends there is none.

use super::series::{Metric, Site};
use crate::sim::dispatch::Turn;
use crate::sim::s3::{Task, replication_rules};
use crate::sim::services::Datum;
use chrono::{DateTime, TimeDelta, Utc};

/// Namespace of S3's metrics.
pub(super) const NAMESPACE: &str = "AWS/S3";

/// Names and units.
const METRICS: [(&str, &str); 4] = [
    ("ReplicationLatency", "Seconds"),
    ("BytesPendingReplication", "Bytes"),
    ("OperationsPendingReplication", "Count"),
    ("OperationsFailedReplication", "Count"),
];

const DIMENSIONS: [&str; 3] = ["SourceBucket", "DestinationBucket", "RuleId"];

/// A copy that waits or waited.
struct Waiting<'a> {
    task: &'a Task,
    /// Whether it failed, once it has ended.
    ended: Option<bool>,
}

/// Samples of one of them, `step` seconds apart.
pub(super) fn samples(
    site: Site<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    let known = METRICS.iter().find(|(name, _)| *name == metric.name);
    let values = DIMENSIONS.map(|name| metric.dimensions.get(name));
    let ([Some(source), Some(destination), Some(rule)], Some((_, unit)), 3) =
        (values, known, metric.dimensions.len())
    else {
        return Vec::new();
    };
    let bucket = site.world.services.buckets.get(source);
    if bucket.is_none_or(|bucket| bucket.region != site.region) {
        return Vec::new();
    }
    let state = &site.world.services.replications;
    let open = state.tasks.iter().map(|task| Waiting { task, ended: None });
    let ended = state.ended.iter();
    let ended = ended.map(|ended| Waiting { task: &ended.task, ended: Some(ended.failed) });
    let all: Vec<Waiting<'_>> = open
        .chain(ended)
        .filter(|it| it.task.from == *source && it.task.to == *destination && it.task.rule == *rule)
        .collect();
    let step = step.max(1);
    let first = (from.timestamp() + step - 1).div_euclid(step);
    (first..)
        .map_while(|index| DateTime::from_timestamp(index * step, 0).filter(|at| *at < to))
        .filter(|at| *at >= from)
        .filter_map(|at| {
            let value = sample(&all, &metric.name, at, TimeDelta::seconds(step))?;
            let values = vec![(value, 1.0)];
            Some(Datum { at, unit: (*unit).to_owned(), values, sets: Vec::new() })
        })
        .collect()
}

/// What one of the metrics says of the span that ends at `at`.
fn sample(all: &[Waiting<'_>], name: &str, at: DateTime<Utc>, span: TimeDelta) -> Option<f64> {
    let waits = |it: &&Waiting<'_>| it.task.since <= at && (it.ended.is_none() || it.task.at > at);
    let ends = |it: &&Waiting<'_>| it.ended.is_some() && it.task.at <= at && it.task.at > at - span;
    if !all.iter().any(|it| waits(&it) || ends(&it)) {
        return None;
    }
    let waiting = || all.iter().filter(waits);
    Some(match name {
        "ReplicationLatency" => {
            let open = waiting().map(|it| at - it.task.since);
            let done = all.iter().filter(ends).map(|it| it.task.at - it.task.since);
            let longest = open.chain(done).max().unwrap_or_default();
            longest.num_milliseconds() as f64 / 1000.0
        }
        "BytesPendingReplication" => waiting().map(|it| it.task.bytes as f64).sum(),
        "OperationsPendingReplication" => waiting().count() as f64,
        _ => all.iter().filter(ends).filter(|it| it.ended == Some(true)).count() as f64,
    })
}

/// Metrics that there are now.
pub(super) fn list(turn: &Turn<'_>) -> Vec<Metric> {
    let mut found = Vec::new();
    let here = turn.world.services.buckets.iter();
    for (source, bucket) in here.filter(|(_, bucket)| bucket.region == turn.region) {
        for rule in replication_rules(bucket).into_iter().filter(|rule| rule.metrics) {
            for (name, _) in METRICS {
                let values = [source.clone(), rule.to.clone(), rule.id.clone()];
                let dimensions = DIMENSIONS.map(str::to_owned).into_iter().zip(values);
                found.push(Metric {
                    namespace: NAMESPACE.to_owned(),
                    name: name.to_owned(),
                    dimensions: dimensions.collect(),
                });
            }
        }
    }
    found
}
