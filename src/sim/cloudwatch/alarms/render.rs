//! Alarms in answers.
//!
//! **Invariant:** numbers that are whole on the wire are written as whole numbers: CBOR tells them apart.

use super::message::metric;
use super::{Alarm, StateChange, Watches};
use crate::sim::shape::Shape;
use serde_json::json;

fn texts(items: &[String]) -> Shape {
    items.iter().map(Shape::text).collect()
}

/// `MetricAlarm`.
pub(super) fn alarm(alarm: &Alarm, account: &str) -> Shape {
    let (namespace, name, dimensions, statistic) = metric(&alarm.watches);
    let dimensions = dimensions.iter().map(|(name, value)| {
        Shape::Map(vec![("Name", Shape::text(name)), ("Value", Shape::text(value))])
    });
    let percentile = statistic.starts_with('p');
    let mut fields = vec![
        ("AlarmName", Shape::text(&alarm.name)),
        ("AlarmArn", Shape::text(alarm.arn(account))),
        ("AlarmDescription", Shape::text(&alarm.description)),
        ("AlarmConfigurationUpdatedTimestamp", Shape::Time(alarm.configured)),
        ("ActionsEnabled", Shape::Bool(alarm.actions_enabled)),
        ("OKActions", texts(&alarm.ok_actions)),
        ("AlarmActions", texts(&alarm.alarm_actions)),
        ("InsufficientDataActions", texts(&alarm.no_data_actions)),
        ("StateValue", Shape::text(alarm.state.name())),
        ("StateReason", Shape::text(&alarm.reason)),
        ("StateUpdatedTimestamp", Shape::Time(alarm.since)),
        ("StateTransitionedTimestamp", Shape::Time(alarm.since)),
        ("Namespace", Shape::text(namespace)),
        ("MetricName", Shape::text(name)),
        ("Dimensions", dimensions.collect()),
        ("Period", Shape::Int(alarm.period)),
        ("EvaluationPeriods", Shape::Int(alarm.evaluation_periods.into())),
        ("DatapointsToAlarm", Shape::Int(alarm.datapoints_to_alarm.into())),
        ("ComparisonOperator", Shape::text(&alarm.comparison)),
        ("Threshold", Shape::Number(alarm.threshold)),
        ("TreatMissingData", Shape::text(&alarm.missing)),
    ];
    fields
        .push((if percentile { "ExtendedStatistic" } else { "Statistic" }, Shape::text(statistic)));
    if let Watches::Metric { unit: Some(unit), .. } = &alarm.watches {
        fields.push(("Unit", Shape::text(unit)));
    }
    Shape::Map(fields)
}

/// `AlarmHistoryItem` of a change of state.
pub(super) fn change(alarm: &Alarm, change: &StateChange) -> Shape {
    let (from, to) = (change.from.name(), change.to.name());
    let data = json!({
        "version": "1.0",
        "oldState": { "stateValue": from },
        "newState": { "stateValue": to, "stateReason": change.reason },
    });
    Shape::Map(vec![
        ("AlarmName", Shape::text(&alarm.name)),
        ("AlarmType", Shape::text("MetricAlarm")),
        ("Timestamp", Shape::Time(change.at)),
        ("HistoryItemType", Shape::text("StateUpdate")),
        ("HistorySummary", Shape::Text(format!("Alarm updated from {from} to {to}"))),
        ("HistoryData", Shape::Text(data.to_string())),
    ])
}
