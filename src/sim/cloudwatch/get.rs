//! `GetMetricData`: several queries, in pages.
//!
//! **Invariant:** a page holds at most as many points as were asked for; following tokens gives every
//! point once.

use super::input::{list, required, text, whole};
use super::series::{Metric, Site};
use super::statistics::{Query, Statistic, period, span};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::shape::Shape;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeSet;

/// Most queries of one call.
const QUERIES: usize = 500;

/// Most points of one answer.
const POINTS: u32 = 100_800;

/// One query of the call.
struct Asked {
    id: String,
    label: String,
    query: Query,
    statistic: Statistic,
    returned: bool,
}

/// `GetMetricData`.
pub(super) fn data(turn: &mut Turn<'_>) -> Outcome {
    let queries = list(&turn.input, "MetricDataQueries")?;
    if queries.is_empty() || queries.len() > QUERIES {
        let message = format!("The collection MetricDataQueries must have 1 to {QUERIES} members.");
        return Err(refused(message));
    }
    let mut ids = BTreeSet::new();
    let mut asked = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let place = format!("MetricDataQueries.member.{}", index + 1);
        let query = read(query, &place)?;
        if !ids.insert(query.id.clone()) {
            return Err(refused(format!("The values for parameter id in {place} are not unique.")));
        }
        asked.push(query);
    }
    asked.retain(|query| query.returned);
    let span = span(turn)?;
    let oldest_first = match text(&turn.input, "ScanBy")? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(refused(format!("The value {other} for ScanBy is invalid."))),
    };
    let most = whole(&turn.input, "MaxDatapoints")?.unwrap_or(POINTS);
    if most > POINTS {
        return Err(refused(format!("MaxDatapoints must be at most {POINTS}.")));
    }
    let from = position(turn, asked.len())?;
    let (results, next) = page(turn, &asked, span, oldest_first, (from, most as usize));
    let mut fields = vec![("MetricDataResults", Shape::List(results))];
    if let Some((query, point)) = next {
        fields.push(("NextToken", Shape::Text(format!("page-{query}-{point}"))));
    }
    fields.push(("Messages", Shape::List(Vec::new())));
    Ok(Body::Shape(Some(Shape::Map(fields))))
}

fn refused(message: String) -> ApiError {
    ApiError::sender("ValidationError", message)
}

fn read(query: &Value, place: &str) -> Result<Asked, ApiError> {
    let id = required(query, "Id")?.to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.bytes().all(plain) || id.len() > 255
    {
        let message = format!(
            "The value {id} for parameter {place}.Id is invalid: it must begin with a lower-case \
             letter and hold letters, digits and underscores"
        );
        return Err(refused(message));
    }
    let (stat, expression) = (&query["MetricStat"], text(query, "Expression")?);
    if stat.is_object() == expression.is_some() {
        let message = format!("{place} must have either MetricStat or Expression.");
        return Err(refused(message));
    }
    if expression.is_some() {
        let message = format!("{place}.Expression: the simulator does no metric math");
        return Err(refused(message));
    }
    let name = required(stat, "Stat")?;
    let statistic = Statistic::parse(name).ok_or_else(|| {
        refused(format!("The value {name} for parameter {place}.MetricStat.Stat is invalid."))
    })?;
    let metric = Metric::read(&stat["Metric"])?;
    let label = text(query, "Label")?.unwrap_or(&metric.name).to_owned();
    let returned = match &query["ReturnData"] {
        Value::Bool(false) => false,
        Value::String(text) => text != "false",
        _ => true,
    };
    let unit = text(stat, "Unit")?.map(str::to_owned);
    let query = Query { metric, unit, period: period(stat)? };
    Ok(Asked { id, label, query, statistic, returned })
}

/// Where a page begins: query and point.
fn position(turn: &Turn<'_>, queries: usize) -> Result<(usize, usize), ApiError> {
    let Some(token) = text(&turn.input, "NextToken")? else { return Ok((0, 0)) };
    let parts = token.strip_prefix("page-").and_then(|rest| rest.split_once('-'));
    parts
        .and_then(|(query, point)| Some((query.parse().ok()?, point.parse().ok()?)))
        .filter(|(query, _)| *query < queries)
        .ok_or_else(|| ApiError::sender("InvalidNextToken", "The value for NextToken is invalid."))
}

/// Results, and where the next page begins.
fn page(
    turn: &Turn<'_>,
    asked: &[Asked],
    span: (DateTime<Utc>, DateTime<Utc>),
    oldest_first: bool,
    ((first, skipped), most): ((usize, usize), usize),
) -> (Vec<Shape>, Option<(usize, usize)>) {
    let mut left = most;
    let mut results = Vec::new();
    for (index, query) in asked.iter().enumerate().skip(first) {
        let skipped = if index == first { skipped } else { 0 };
        let buckets = query.query.buckets(Site::of(turn), span);
        let mut points: Vec<(DateTime<Utc>, f64)> = buckets
            .iter()
            .filter_map(|(at, bucket)| Some((*at, bucket.value(query.statistic)?)))
            .collect();
        if !oldest_first {
            points.reverse();
        }
        let rest = points.get(skipped..).unwrap_or_default();
        let shown = &rest[..rest.len().min(left)];
        left -= shown.len();
        let whole = shown.len() == rest.len();
        results.push(Shape::Map(vec![
            ("Id", Shape::text(&query.id)),
            ("Label", Shape::text(&query.label)),
            ("Timestamps", shown.iter().map(|(at, _)| Shape::Time(*at)).collect()),
            ("Values", shown.iter().map(|(_, value)| Shape::Number(*value)).collect()),
            ("StatusCode", Shape::text(if whole { "Complete" } else { "PartialData" })),
        ]));
        if !whole {
            return (results, Some((index, skipped + shown.len())));
        }
        if left == 0 && index + 1 < asked.len() {
            return (results, Some((index + 1, 0)));
        }
    }
    (results, None)
}
