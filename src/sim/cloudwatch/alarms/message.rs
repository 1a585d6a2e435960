//! The message that CloudWatch publishes when an alarm changes its state.
//!
//! **Invariant:** it has the fields, names and forms that AWS documents, so that what reads it here reads
//! AWS's too.

use super::{Alarm, State, Watches};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Names of regions as the message has them; others stand by their code.
const REGIONS: [(&str, &str); 12] = [
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
    ("ca-central-1", "Canada (Central)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("sa-east-1", "South America (Sao Paulo)"),
];

fn region_name(region: &str) -> &str {
    REGIONS.iter().find(|(code, _)| *code == region).map_or(region, |(_, name)| name)
}

/// `2026-03-01T10:00:00.000+0000`
fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// `ALARM: "api-down" in US East (N. Virginia)`, as much of it as a subject takes.
pub(super) fn subject(alarm: &Alarm) -> String {
    let whole =
        format!("{}: \"{}\" in {}", alarm.state.name(), alarm.name, region_name(&alarm.region));
    whole.chars().take(100).collect()
}

/// The message.
pub(super) fn text(alarm: &Alarm, old: State, account: &str) -> String {
    let document = json!({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": instant(alarm.configured),
        "NewStateValue": alarm.state.name(),
        "NewStateReason": alarm.reason,
        "StateChangeTime": instant(alarm.since),
        "Region": region_name(&alarm.region),
        "AlarmArn": alarm.arn(account),
        "OldStateValue": old.name(),
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.no_data_actions,
        "Trigger": trigger(alarm),
    });
    document.to_string()
}

fn trigger(alarm: &Alarm) -> Value {
    let (namespace, name, dimensions, statistic) = metric(&alarm.watches);
    let dimensions: Vec<Value> =
        dimensions.iter().map(|(name, value)| json!({ "value": value, "name": name })).collect();
    json!({
        "MetricName": name,
        "Namespace": namespace,
        "StatisticType": "Statistic",
        "Statistic": statistic.to_uppercase(),
        "Unit": null,
        "Dimensions": dimensions,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing,
        "EvaluateLowSampleCountPercentile": "",
    })
}

/// Namespace, name, dimensions and statistic that an alarm shows.
pub(super) fn metric(watches: &Watches) -> (String, String, BTreeMap<String, String>, String) {
    let own = |namespace: &str, name: &str, dimensions: &[(&str, &str)]| {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        (namespace.to_owned(), name.to_owned(), dimensions.collect(), "Minimum".to_owned())
    };
    match watches {
        Watches::Metric { namespace, name, dimensions, statistic, .. } => {
            (namespace.clone(), name.clone(), dimensions.clone(), statistic.clone())
        }
        Watches::Service { cluster, name, .. } => own(
            "ECS/ContainerInsights",
            "RunningTaskCount",
            &[("ClusterName", cluster), ("ServiceName", name)],
        ),
        Watches::Instance { id, .. } => {
            own("drctl/simulator", "InstanceAnswers", &[("DBInstanceIdentifier", id)])
        }
        Watches::Nothing => own("drctl/simulator", "Nothing", &[]),
    }
}
