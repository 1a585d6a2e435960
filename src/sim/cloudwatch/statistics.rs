//! Statistics over samples, and `GetMetricStatistics`.
//!
//! **Invariant:** a bucket begins at a multiple of its period; percentiles exist only where values
//! were put, not statistic sets.

use super::input::{instant, invalid, list, missing, text, whole};
use super::series::{Metric, Site, samples};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::services::Datum;
use crate::sim::shape::Shape;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Most points of one `GetMetricStatistics` call.
const POINTS: i64 = 1440;

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `p95`: 95.
    Percentile(f64),
}

impl Statistic {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            other => {
                let digits = other.strip_prefix('p')?;
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let percent: f64 = digits.parse().ok()?;
                return (plain && percent <= 100.0).then_some(Self::Percentile(percent));
            }
        })
    }
}

/// The samples of one period.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    count: f64,
    sum: f64,
    least: Option<f64>,
    most: Option<f64>,
    values: Vec<(f64, f64)>,
    /// Only values went in.
    has_sets: bool,
    unit: String,
}

impl Bucket {
    fn add(&mut self, datum: Datum) {
        for (value, count) in &datum.values {
            self.add_set([*count, value * count, *value, *value]);
        }
        for set in &datum.sets {
            self.add_set(*set);
            self.has_sets = true;
        }
        self.values.extend(datum.values);
        self.unit = datum.unit;
    }

    fn add_set(&mut self, [count, sum, least, most]: [f64; 4]) {
        self.count += count;
        self.sum += sum;
        self.least = Some(self.least.map_or(least, |known| known.min(least)));
        self.most = Some(self.most.map_or(most, |known| known.max(most)));
    }

    /// The statistic; `None` where there is none.
    pub(super) fn value(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::SampleCount => Some(self.count),
            Statistic::Average => (self.count > 0.0).then(|| self.sum / self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => self.least,
            Statistic::Maximum => self.most,
            Statistic::Percentile(_) if self.has_sets => None,
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// The smallest value that `percent` of all samples do not exceed.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let mut values = self.values.clone();
        values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let wanted = self.count * percent / 100.0;
        let mut seen = 0.0;
        let reached = values.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        reached.or(values.last()).map(|(value, _)| *value)
    }
}

/// What to count and how.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) metric: Metric,
    pub(super) unit: Option<String>,
    /// Seconds.
    pub(super) period: i64,
}

impl Query {
    /// The buckets of a span of time, by their beginning.
    pub(super) fn buckets(
        &self,
        site: Site<'_>,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
    ) -> BTreeMap<DateTime<Utc>, Bucket> {
        // What CloudWatch still has depends on how fine it is asked for.
        let days = match self.period {
            ..60 => TimeDelta::hours(3),
            60..300 => TimeDelta::days(15),
            300..3600 => TimeDelta::days(63),
            3600.. => TimeDelta::days(455),
        };
        let from = floor(start.max(site.now - days), self.period);
        let step = if self.period >= 3600 { 300 } else { 60 };
        let mut buckets: BTreeMap<DateTime<Utc>, Bucket> = BTreeMap::new();
        for datum in samples(site, &self.metric, (from, end), step) {
            if self.unit.as_ref().is_none_or(|unit| *unit == datum.unit) {
                buckets.entry(floor(datum.at, self.period)).or_default().add(datum);
            }
        }
        buckets
    }
}

fn floor(at: DateTime<Utc>, period: i64) -> DateTime<Utc> {
    at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(period * 1000))
}

/// `StartTime` and `EndTime`, in order.
pub(super) fn span(turn: &Turn<'_>) -> Result<(DateTime<Utc>, DateTime<Utc>), ApiError> {
    let start = instant(&turn.input, "StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let end = instant(&turn.input, "EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if start >= end {
        let message = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(ApiError::sender("InvalidParameterValue", message));
    }
    Ok((start, end))
}

/// A period that CloudWatch knows, seconds.
pub(super) fn period(input: &serde_json::Value) -> Result<i64, ApiError> {
    let period = whole(input, "Period")?.ok_or_else(|| missing("Period"))?;
    if [1, 5, 10, 20, 30].contains(&period) || (period % 60 == 0 && period <= 86_400 * 400) {
        return Ok(i64::from(period));
    }
    Err(invalid("Period", "it must be 1, 5, 10, 20, 30 or a multiple of 60"))
}

/// `GetMetricStatistics`.
pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let metric = Metric::read(&turn.input)?;
    let (start, end) = span(turn)?;
    let period = period(&turn.input)?;
    let unit = text(&turn.input, "Unit")?.map(str::to_owned);
    let mut wanted = Vec::new();
    for field in ["Statistics", "ExtendedStatistics"] {
        for name in list(&turn.input, field)?.iter().filter_map(serde_json::Value::as_str) {
            let percentile = field == "ExtendedStatistics";
            let statistic = Statistic::parse(name)
                .filter(|found| matches!(found, Statistic::Percentile(_)) == percentile)
                .ok_or_else(|| invalid(field, &format!("`{name}` is no statistic")))?;
            wanted.push((name.to_owned(), statistic));
        }
    }
    if wanted.is_empty() {
        return Err(missing("Statistics"));
    }
    let points = (end - start).num_seconds() / period;
    if points > POINTS {
        let message = format!(
            "You have requested up to {points} datapoints, which exceeds the limit of {POINTS}. \
             You may reduce the datapoints requested by increasing Period, or decreasing the time \
             range."
        );
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let label = metric.name.clone();
    let buckets = Query { metric, unit, period }.buckets(Site::of(turn), (start, end));
    let points = buckets.iter().map(|(at, bucket)| point(*at, bucket, &wanted)).collect();
    Ok(Body::Shape(Some(Shape::Map(vec![
        ("Label", Shape::Text(label)),
        ("Datapoints", Shape::List(points)),
    ]))))
}

fn point(at: DateTime<Utc>, bucket: &Bucket, wanted: &[(String, Statistic)]) -> Shape {
    let mut fields = vec![("Timestamp", Shape::Time(at)), ("Unit", Shape::text(&bucket.unit))];
    let mut percentiles = Vec::new();
    for (name, statistic) in wanted {
        let Some(value) = bucket.value(*statistic) else { continue };
        let field = match statistic {
            Statistic::SampleCount => "SampleCount",
            Statistic::Average => "Average",
            Statistic::Sum => "Sum",
            Statistic::Minimum => "Minimum",
            Statistic::Maximum => "Maximum",
            Statistic::Percentile(_) => {
                percentiles.push((name.clone(), Shape::Number(value)));
                continue;
            }
        };
        fields.push((field, Shape::Number(value)));
    }
    if !percentiles.is_empty() {
        fields.push(("ExtendedStatistics", Shape::Entries(percentiles)));
    }
    Shape::Map(fields)
}
