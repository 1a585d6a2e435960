//! Reads of CloudWatch's alarms, and of the metric that Route 53 keeps of health checks.
//!
//! **Invariant:** an alarm that is not there is absent, and a figure that CloudWatch did not give is no
//! figure.

use super::{EstateView, MAX_PAGES, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::{AlarmFacts, AlarmState};
use crate::cloud::time::{from_sdk, to_sdk};
use aws_sdk_cloudwatch::primitives::DateTime as SdkTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, CompositeAlarm, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat,
    StateValue,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Where CloudWatch keeps what Route 53 measures.
pub const HEALTH_CHECK_REGION: &str = "us-east-1";

/// Seconds between two figures of a health check.
const PERIOD: i32 = 60;

/// Characters of a reason that are kept; CloudWatch's own have some two hundred.
const LONGEST_REASON: usize = 500;

/// Names of one `DescribeAlarms` call, at most.
const NAMES: usize = 100;

impl EstateView {
    /// The alarms of a region that are called one of `names`, by name, metric and composite ones
    /// (CloudWatch `DescribeAlarms`). What is not there is left out.
    ///
    /// # Errors
    /// When CloudWatch cannot say.
    pub async fn alarms(
        &self,
        region: &str,
        names: &[String],
    ) -> Result<BTreeMap<String, AlarmFacts>, CloudError> {
        let call = read("cloudwatch:DescribeAlarms", region);
        let client = self.shared.clients.cloudwatch(region, ClientUse::Reads);
        let mut found = BTreeMap::new();
        for names in names.chunks(NAMES) {
            let request = client
                .describe_alarms()
                .set_alarm_names(Some(names.to_vec()))
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm);
            let mut pages = request.into_paginator().send();
            for _ in 0..MAX_PAGES {
                let Some(page) = pages.next().await else { break };
                let page = page.map_err(|error| sdk_error(call, &error))?;
                let metric = page.metric_alarms().iter().map(metric_alarm);
                let composite = page.composite_alarms().iter().map(composite_alarm);
                // A server that knows no names answers with all of them.
                let asked = metric.chain(composite).filter(|alarm| names.contains(&alarm.name));
                found.extend(asked.map(|alarm| (alarm.name.clone(), alarm)));
            }
        }
        Ok(found)
    }

    /// The figures of a health check, one a minute, oldest first: whether it was healthy (CloudWatch
    /// `GetMetricData`, `AWS/Route53` `HealthCheckStatus` in us-east-1).
    ///
    /// # Errors
    /// When CloudWatch cannot say.
    pub async fn health_check_figures(
        &self,
        id: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<(DateTime<Utc>, bool)>, CloudError> {
        let call = read("cloudwatch:GetMetricData", HEALTH_CHECK_REGION);
        let check = Dimension::builder().name("HealthCheckId").value(id).build();
        let metric = Metric::builder().namespace("AWS/Route53").metric_name("HealthCheckStatus");
        let metric = metric.dimensions(check).build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Minimum").build();
        let query = MetricDataQuery::builder().id("health").metric_stat(stat).build();
        let client = self.shared.clients.cloudwatch(HEALTH_CHECK_REGION, ClientUse::Reads);
        let request = client
            .get_metric_data()
            .start_time(to_sdk(from))
            .end_time(to_sdk(to))
            .metric_data_queries(query);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            for result in page.metric_data_results() {
                let figures = result.timestamps().iter().zip(result.values());
                found
                    .extend(figures.filter_map(|(at, value)| Some((from_sdk(at)?, *value >= 1.0))));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        // What CloudWatch does not say, or says in words of tomorrow, is not known.
        Some(_) | None => AlarmState::InsufficientData,
    }
}

/// A reason as it can be shown: whoever may set the state of an alarm writes what they like.
fn plain(text: &str) -> String {
    let good = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    good.take(LONGEST_REASON).collect()
}

/// Since when it is in its state: `StateTransitionedTimestamp`, which an evaluation does not move.
fn since(transitioned: Option<&SdkTime>, updated: Option<&SdkTime>) -> Option<DateTime<Utc>> {
    transitioned.or(updated).and_then(from_sdk)
}

fn metric_alarm(from: &MetricAlarm) -> AlarmFacts {
    AlarmFacts {
        name: from.alarm_name().unwrap_or_default().to_owned(),
        arn: from.alarm_arn().unwrap_or_default().to_owned(),
        state: state(from.state_value()),
        reason: from.state_reason().map(plain),
        since: since(from.state_transitioned_timestamp(), from.state_updated_timestamp()),
    }
}

fn composite_alarm(from: &CompositeAlarm) -> AlarmFacts {
    AlarmFacts {
        name: from.alarm_name().unwrap_or_default().to_owned(),
        arn: from.alarm_arn().unwrap_or_default().to_owned(),
        state: state(from.state_value()),
        reason: from.state_reason().map(plain),
        since: since(from.state_transitioned_timestamp(), from.state_updated_timestamp()),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_REASON, plain};

    #[test]
    fn a_reason_moves_no_cursor_and_has_an_end() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a [2Jb ");
        assert_eq!(plain(&"x".repeat(10_000)).len(), LONGEST_REASON);
    }
}
