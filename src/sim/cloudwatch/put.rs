//! `PutMetricData`: takes samples, all of a call or none.
//!
//! **Invariant:** repeating a call adds its samples again, as CloudWatch does; what a series keeps is
//! bounded.

use super::input::{dimensions, instant, invalid, list, missing, number, required, text};
use super::series::Metric;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::services::{Datum, Series};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Most metrics of one call.
const METRICS: usize = 1000;

/// Most values of one metric in a call.
const VALUES: usize = 150;

/// Metrics that a world keeps.
const SERIES: usize = 5000;

/// Data that a world keeps of one metric; older ones are forgotten.
const KEPT: usize = 20_000;

/// Different values that one datum keeps; further ones are kept as a statistic set.
const KEPT_VALUES: usize = 1000;

/// Units that CloudWatch knows.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// `PutMetricData`.
pub(super) fn put(turn: &mut Turn<'_>) -> Outcome {
    let namespace = required(&turn.input, "Namespace")?.to_owned();
    if namespace.starts_with("AWS/") || namespace.starts_with(':') || namespace.len() > 255 {
        return Err(invalid("Namespace", "it is reserved, or longer than 255 characters"));
    }
    let items = list(&turn.input, "MetricData")?;
    if items.is_empty() {
        return Err(missing("MetricData"));
    }
    if items.len() > METRICS {
        return Err(invalid("MetricData", "a call takes at most 1000 metrics"));
    }
    let mut taken = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = format!("MetricData.member.{}", index + 1);
        let name = required(item, "MetricName")?.to_owned();
        let metric = Metric { namespace: namespace.clone(), name, dimensions: dimensions(item)? };
        taken.push((metric, datum(turn, item, &place)?));
    }
    let known = &turn.world.services.metrics;
    let fresh = taken.iter().filter(|(metric, _)| !known.contains_key(&metric.key(&turn.region)));
    if known.len() + fresh.count() > SERIES {
        let message = format!("the simulated account keeps {SERIES} metrics");
        return Err(ApiError::sender("LimitExceeded", message));
    }
    let count = taken.len();
    for (metric, datum) in taken {
        store(turn, metric, datum);
    }
    turn.changed(&namespace, format!("{count} metric data added"));
    Ok(Body::Shape(None))
}

fn datum(turn: &Turn<'_>, item: &Value, place: &str) -> Result<Datum, ApiError> {
    let at = instant(item, "Timestamp")?.unwrap_or(turn.now);
    if at < turn.now - TimeDelta::days(14) || at > turn.now + TimeDelta::hours(2) {
        let why = "it must be within the past two weeks and the next two hours";
        return Err(invalid(&format!("{place}.Timestamp"), why));
    }
    let unit = text(item, "Unit")?.unwrap_or("None");
    if !UNITS.contains(&unit) {
        return Err(invalid(&format!("{place}.Unit"), "there is no such unit"));
    }
    let resolution = number(&item["StorageResolution"], "StorageResolution")?.unwrap_or(60.0);
    let second = match resolution {
        1.0 => 1,
        60.0 => 60,
        _ => return Err(invalid(&format!("{place}.StorageResolution"), "it must be 1 or 60")),
    };
    let (values, sets) = content(item, place)?;
    Ok(Datum { at: truncated(at, second), unit: unit.to_owned(), values, sets })
}

fn truncated(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(seconds * 1000))
}

type Content = (Vec<(f64, f64)>, Vec<[f64; 4]>);

/// Values or statistic sets: exactly one of the three ways to give them.
fn content(item: &Value, place: &str) -> Result<Content, ApiError> {
    let value = number(&item["Value"], &format!("{place}.Value"))?;
    let values = list(item, "Values")?;
    let set = &item["StatisticValues"];
    match (value, values, set.is_object()) {
        (Some(value), [], false) => Ok((vec![(value, 1.0)], Vec::new())),
        (None, [], true) => Ok((Vec::new(), vec![statistics(set, place)?])),
        (None, [_, ..], false) => Ok((counted(item, values, place)?, Vec::new())),
        (None, [], false) => Err(missing(&format!("{place}.Value"))),
        _ => {
            let message = format!(
                "The parameters {place}.Value, {place}.Values and {place}.StatisticValues are \
                 mutually exclusive and you have specified more than one."
            );
            Err(ApiError::sender("InvalidParameterCombination", message))
        }
    }
}

fn statistics(set: &Value, place: &str) -> Result<[f64; 4], ApiError> {
    let mut read = [0.0; 4];
    for (slot, field) in read.iter_mut().zip(["SampleCount", "Sum", "Minimum", "Maximum"]) {
        let name = format!("{place}.StatisticValues.{field}");
        *slot = number(&set[field], &name)?.ok_or_else(|| missing(&name))?;
    }
    if read[0] <= 0.0 || read[2] > read[3] {
        let why = "SampleCount must be above 0 and Minimum at most Maximum";
        return Err(invalid(&format!("{place}.StatisticValues"), why));
    }
    Ok(read)
}

fn counted(item: &Value, values: &[Value], place: &str) -> Result<Vec<(f64, f64)>, ApiError> {
    let counts = list(item, "Counts")?;
    if values.len() > VALUES || (!counts.is_empty() && counts.len() != values.len()) {
        let why = "at most 150 values, and as many counts as values or none";
        return Err(invalid(&format!("{place}.Values"), why));
    }
    let mut read = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let name = format!("{place}.Values.member.{}", index + 1);
        let value = number(value, &name)?.ok_or_else(|| missing(&name))?;
        let count = counts.get(index).map_or(Ok(None), |count| number(count, &name))?;
        let count = count.unwrap_or(1.0);
        if count <= 0.0 {
            return Err(invalid(&name, "a count must be above 0"));
        }
        read.push((value, count));
    }
    Ok(read)
}

fn store(turn: &mut Turn<'_>, metric: Metric, datum: Datum) {
    let key = metric.key(&turn.region);
    let Metric { namespace, name, dimensions } = metric;
    let region = turn.region.clone();
    let series = turn.world.services.metrics.entry(key).or_insert_with(|| Series {
        region,
        namespace,
        name,
        dimensions,
        data: Vec::new(),
    });
    let place = series
        .data
        .partition_point(|known| (known.at, known.unit.as_str()) < (datum.at, datum.unit.as_str()));
    match series.data.get_mut(place) {
        Some(known) if known.at == datum.at && known.unit == datum.unit => merge(known, datum),
        Some(_) | None => series.data.insert(place, datum),
    }
    let surplus = series.data.len().saturating_sub(KEPT);
    series.data.drain(..surplus);
}

/// Adds the samples of `more`.
fn merge(known: &mut Datum, more: Datum) {
    for (value, count) in more.values {
        let same = known.values.iter().position(|(old, _)| old.total_cmp(&value).is_eq());
        match same {
            Some(at) => known.values[at].1 += count,
            None if known.values.len() < KEPT_VALUES => known.values.push((value, count)),
            None => add_set(&mut known.sets, [count, value * count, value, value]),
        }
    }
    for set in more.sets {
        add_set(&mut known.sets, set);
    }
}

/// All sets of one datum are one: nothing tells them apart later.
fn add_set(sets: &mut Vec<[f64; 4]>, set: [f64; 4]) {
    match sets.first_mut() {
        None => sets.push(set),
        Some([count, sum, least, most]) => {
            *count += set[0];
            *sum += set[1];
            *least = least.min(set[2]);
            *most = most.max(set[3]);
        }
    }
}
