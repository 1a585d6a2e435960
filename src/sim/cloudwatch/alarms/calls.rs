//! The calls about alarms.
//!
//! **Invariant:** a call that is refused changes no alarm; putting an alarm that is there keeps its state,
//! as CloudWatch does.

use super::evaluate::{change, reason};
use super::message::metric;
use super::{Alarm, MOST, State, Watches, key, render};
use crate::estate::AlarmMetric;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::cloudwatch::input::{
    dimensions, instant, invalid, list, missing, number, required, text, whole,
};
use crate::sim::cloudwatch::statistics::{Statistic, period};
use crate::sim::dispatch::Turn;
use crate::sim::shape::Shape;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Alarms on a page, at most and usually.
const PAGE: (u32, u32) = (100, 50);

fn texts(input: &Value, name: &str) -> Result<Vec<String>, ApiError> {
    let items = list(input, name)?;
    let text = |item: &Value| item.as_str().map(str::to_owned);
    items.iter().map(|item| text(item).ok_or_else(|| invalid(name, "it must hold texts"))).collect()
}

fn flag(input: &Value, name: &str) -> Result<Option<bool>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        Value::String(text) if text == "true" => Ok(Some(true)),
        Value::String(text) if text == "false" => Ok(Some(false)),
        _ => Err(invalid(name, "it must be true or false")),
    }
}

fn not_found(name: &str) -> ApiError {
    ApiError::not_found("ResourceNotFound", format!("Unknown alarm {name}"))
}

/// The alarms of the call's region.
fn here<'a>(turn: &'a Turn<'_>) -> impl Iterator<Item = &'a Alarm> {
    turn.world.services.alarms.values().filter(|alarm| alarm.region == turn.region)
}

/// One page of `all`, under `field`.
fn paged(turn: &Turn<'_>, field: &'static str, all: Vec<Shape>) -> Result<Shape, ApiError> {
    let (most, usual) = PAGE;
    let size = whole(&turn.input, "MaxRecords")?.unwrap_or(usual);
    if size > most {
        return Err(invalid("MaxRecords", "it must be 1 to 100"));
    }
    let from = match text(&turn.input, "NextToken")? {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| {
            ApiError::sender("InvalidNextToken", "The value for NextToken is invalid.")
        })?,
    };
    let count = all.len();
    let shown: Vec<Shape> = all.into_iter().skip(from).take(size as usize).collect();
    let next = from + shown.len();
    let mut fields = vec![(field, Shape::List(shown))];
    if next < count {
        fields.push(("NextToken", Shape::Text(next.to_string())));
    }
    Ok(Shape::Map(fields))
}

/// `DescribeAlarms`. There are no composite alarms.
pub(in crate::sim::cloudwatch) fn describe(turn: &mut Turn<'_>) -> Outcome {
    let input = &turn.input;
    let names = texts(input, "AlarmNames")?;
    let prefix = text(input, "AlarmNamePrefix")?;
    if !names.is_empty() && prefix.is_some() {
        let message = "AlarmNamePrefix and AlarmNames cannot be used together.";
        return Err(ApiError::sender("ValidationError", message));
    }
    if names.len() > 100 {
        return Err(invalid("AlarmNames", "at most 100 names"));
    }
    let state = match text(input, "StateValue")? {
        None => None,
        Some(name) => Some(State::parse(name).ok_or_else(|| invalid("StateValue", "no state"))?),
    };
    let action = text(input, "ActionPrefix")?;
    let types = texts(input, "AlarmTypes")?;
    let metric = types.is_empty() || types.iter().any(|one| one == "MetricAlarm");
    let fits = |alarm: &&Alarm| {
        metric
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state == state)
            && action.is_none_or(|prefix| alarm.actions().iter().any(|it| it.starts_with(prefix)))
    };
    let account = &turn.world.account;
    let all = here(turn).filter(fits).map(|alarm| render::alarm(alarm, account)).collect();
    let mut answer = paged(turn, "MetricAlarms", all)?;
    if let Shape::Map(fields) = &mut answer {
        fields.push(("CompositeAlarms", Shape::List(Vec::new())));
    }
    Ok(Body::Shape(Some(answer)))
}

/// `DescribeAlarmsForMetric`.
pub(in crate::sim::cloudwatch) fn describe_for_metric(turn: &mut Turn<'_>) -> Outcome {
    let input = &turn.input;
    let (namespace, name) = (required(input, "Namespace")?, required(input, "MetricName")?);
    let wanted = dimensions(input)?;
    let statistic = text(input, "Statistic")?.or(text(input, "ExtendedStatistic")?);
    let seconds = whole(input, "Period")?.map(i64::from);
    let fits = |alarm: &&Alarm| {
        let (its_namespace, its_name, its_dimensions, its_statistic) = metric(&alarm.watches);
        its_namespace == namespace
            && its_name == name
            && its_dimensions == wanted
            && statistic.is_none_or(|statistic| its_statistic == statistic)
            && seconds.is_none_or(|seconds| alarm.period == seconds)
    };
    let account = &turn.world.account;
    let all: Vec<Shape> =
        here(turn).filter(fits).map(|alarm| render::alarm(alarm, account)).collect();
    Ok(Body::Shape(Some(Shape::Map(vec![("MetricAlarms", Shape::List(all))]))))
}

/// `DescribeAlarmHistory`: changes of state.
pub(in crate::sim::cloudwatch) fn history(turn: &mut Turn<'_>) -> Outcome {
    let input = &turn.input;
    let name = text(input, "AlarmName")?;
    let (from, to) = (instant(input, "StartDate")?, instant(input, "EndDate")?);
    let kind = text(input, "HistoryItemType")?;
    let oldest_first = match text(input, "ScanBy")? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(_) => return Err(invalid("ScanBy", "there is no such order")),
    };
    let within =
        |at: DateTime<Utc>| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to);
    let mut found: Vec<(DateTime<Utc>, Shape)> = here(turn)
        .filter(|alarm| name.is_none_or(|name| alarm.name == name))
        .flat_map(|alarm| alarm.changes.iter().map(move |change| (alarm, change)))
        .filter(|(_, change)| within(change.at) && kind.is_none_or(|kind| kind == "StateUpdate"))
        .map(|(alarm, change)| (change.at, render::change(alarm, change)))
        .collect();
    found.sort_by_key(|(at, _)| *at);
    if !oldest_first {
        found.reverse();
    }
    let all = found.into_iter().map(|(_, shape)| shape).collect();
    Ok(Body::Shape(Some(paged(turn, "AlarmHistoryItems", all)?)))
}

/// `SetAlarmState`: until its figures say otherwise.
pub(in crate::sim::cloudwatch) fn set_state(turn: &mut Turn<'_>) -> Outcome {
    let name = required(&turn.input, "AlarmName")?.to_owned();
    let state = required(&turn.input, "StateValue")?;
    let state =
        State::parse(state).ok_or_else(|| invalid("StateValue", "there is no such state"))?;
    let why = required(&turn.input, "StateReason")?.to_owned();
    let key = key(&turn.region, &name);
    let Some(mut alarm) = turn.world.services.alarms.remove(&key) else {
        return Err(not_found(&name));
    };
    if alarm.state == state {
        alarm.reason = why;
    } else {
        change(turn.world, &mut alarm, state, why, turn.now);
    }
    turn.world.services.alarms.insert(key, alarm);
    turn.changed(&name, format!("state set to {}", state.name()));
    Ok(Body::Shape(None))
}

/// `DeleteAlarms`: all of them, or none.
pub(in crate::sim::cloudwatch) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let names = texts(&turn.input, "AlarmNames")?;
    if names.is_empty() {
        return Err(missing("AlarmNames"));
    }
    let keys: Vec<String> = names.iter().map(|name| key(&turn.region, name)).collect();
    let unknown =
        keys.iter().zip(&names).find(|(key, _)| !turn.world.services.alarms.contains_key(*key));
    if let Some((_, name)) = unknown {
        return Err(not_found(name));
    }
    for (key, name) in keys.iter().zip(&names) {
        turn.world.services.alarms.remove(key);
        turn.changed(name, "alarm deleted");
    }
    Ok(Body::Shape(None))
}

/// `PutMetricAlarm`: one metric and one threshold; metric math and anomaly detection are refused.
pub(in crate::sim::cloudwatch) fn put(turn: &mut Turn<'_>) -> Outcome {
    let fresh = read(turn)?;
    let key = key(&fresh.region, &fresh.name);
    let known = turn.world.services.alarms.get(&key);
    if known.is_none() && turn.world.services.alarms.len() >= MOST {
        let message = format!("the simulated account keeps {MOST} alarms");
        return Err(ApiError::sender("LimitExceeded", message));
    }
    let name = fresh.name.clone();
    let alarm = match known.cloned() {
        Some(Alarm { state, reason, since, evaluated, changes, .. }) => {
            Alarm { state, reason, since, evaluated, changes, ..fresh }
        }
        None => fresh,
    };
    turn.world.services.alarms.insert(key, alarm);
    turn.changed(&name, "alarm put");
    Ok(Body::Shape(None))
}

fn read(turn: &Turn<'_>) -> Result<Alarm, ApiError> {
    let input = &turn.input;
    let name = required(input, "AlarmName")?.to_owned();
    if name.len() > 255 || name.contains(':') {
        return Err(invalid("AlarmName", "1 to 255 characters, and no colon"));
    }
    if !list(input, "Metrics")?.is_empty() || text(input, "ThresholdMetricId")?.is_some() {
        return Err(invalid("Metrics", "the simulator does no metric math"));
    }
    let metric = watched(input)?;
    let periods = whole(input, "EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let points = whole(input, "DatapointsToAlarm")?.unwrap_or(periods);
    if periods > 1440 || points > periods {
        return Err(invalid("DatapointsToAlarm", "at most EvaluationPeriods"));
    }
    let treated = text(input, "TreatMissingData")?.unwrap_or("missing");
    if !["missing", "breaching", "notBreaching", "ignore"].contains(&treated) {
        return Err(invalid("TreatMissingData", "there is no such treatment"));
    }
    let (comparison, threshold) = (metric.comparison.clone(), metric.threshold);
    let state = State::InsufficientData;
    let mut alarm = Alarm {
        region: turn.region.clone(),
        name,
        description: text(input, "AlarmDescription")?.unwrap_or_default().to_owned(),
        watches: Watches::Metric {
            namespace: metric.namespace,
            name: metric.name,
            dimensions: metric.dimensions,
            statistic: metric.statistic,
            unit: text(input, "Unit")?.map(str::to_owned),
        },
        period: period(input)?,
        evaluation_periods: periods,
        datapoints_to_alarm: points,
        comparison,
        threshold,
        missing: treated.to_owned(),
        actions_enabled: flag(input, "ActionsEnabled")?.unwrap_or(true),
        alarm_actions: texts(input, "AlarmActions")?,
        ok_actions: texts(input, "OKActions")?,
        no_data_actions: texts(input, "InsufficientDataActions")?,
        configured: turn.now,
        state,
        reason: String::new(),
        since: turn.now,
        evaluated: turn.now,
        changes: Vec::new(),
    };
    alarm.reason = reason(&alarm, state);
    Ok(alarm)
}

fn watched(input: &Value) -> Result<AlarmMetric, ApiError> {
    let statistic = text(input, "Statistic")?.or(text(input, "ExtendedStatistic")?);
    let statistic = statistic.ok_or_else(|| missing("Statistic"))?;
    if Statistic::parse(statistic).is_none() {
        return Err(invalid("Statistic", "there is no such statistic"));
    }
    let comparison = required(input, "ComparisonOperator")?;
    let known = [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];
    if !known.contains(&comparison) {
        return Err(invalid("ComparisonOperator", "the simulator compares with one threshold"));
    }
    Ok(AlarmMetric {
        namespace: required(input, "Namespace")?.to_owned(),
        name: required(input, "MetricName")?.to_owned(),
        dimensions: dimensions(input)?,
        statistic: statistic.to_owned(),
        comparison: comparison.to_owned(),
        threshold: number(&input["Threshold"], "Threshold")?.ok_or_else(|| missing("Threshold"))?,
    })
}
