//! Reads of CloudWatch's metrics.
//!
//! **Invariant:** a figure that CloudWatch did not give is absent, and its -1 is not a lag.

use super::{EstateView, read};
use crate::base::clock::sooner;
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::MeasuredLag;
use crate::cloud::time::{from_sdk, to_sdk};
use aws_sdk_cloudwatch::operation::RequestId as _;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far back a lag is looked for. RDS publishes one a minute, and CloudWatch shows it a minute or two
/// later; of a source that is gone there may be none for as long as people need to decide.
const LOOKED_BACK: Duration = Duration::from_secs(3 * 3600);

/// Seconds between two of its figures.
const PERIOD: i32 = 60;

impl EstateView {
    /// The newest lag that was measured of a read replica in the 3 hours before `until`, or before now
    /// (CloudWatch `GetMetricData`, `AWS/RDS` `ReplicaLag`); `None` when there is no figure at all, as of an
    /// instance that is no replica. Predictions have no lag.
    ///
    /// # Errors
    /// When CloudWatch cannot say.
    pub async fn replica_lag(
        &self,
        region: &str,
        id: &str,
        until: Option<DateTime<Utc>>,
    ) -> Result<Option<MeasuredLag>, CloudError> {
        let call = read("cloudwatch:GetMetricData", region);
        let ahead = self.shared.skew().unwrap_or_default().max(TimeDelta::zero());
        let until = until.unwrap_or_else(|| self.shared.clock.now() + ahead);
        let instance = Dimension::builder().name("DBInstanceIdentifier").value(id).build();
        let metric = Metric::builder().namespace("AWS/RDS").metric_name("ReplicaLag");
        let metric = metric.dimensions(instance).build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Maximum").build();
        let query = MetricDataQuery::builder().id("lag").metric_stat(stat).build();
        let client = self.shared.clients.cloudwatch(region, ClientUse::Reads);
        let request = client
            .get_metric_data()
            .start_time(to_sdk(sooner(until, LOOKED_BACK)))
            .end_time(to_sdk(until))
            .metric_data_queries(query);
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let (mut newest, mut has_until) = (None, None);
        for result in answer.metric_data_results() {
            let told = result.status_code();
            let whole = told
                .is_none_or(|code| matches!(code, StatusCode::Complete | StatusCode::PartialData));
            if !whole {
                return Err(CloudError {
                    class: ErrorClass::Temporary,
                    operation: call.operation.to_owned(),
                    region: region.to_owned(),
                    code: None,
                    message: format!(
                        "the lag of `{id}` came as {}",
                        told.map_or("nothing", StatusCode::as_str)
                    ),
                    request_id: answer.request_id().map(str::to_owned),
                });
            }
            for (at, value) in result.timestamps().iter().zip(result.values()) {
                let Some(at) = from_sdk(at) else { continue };
                let lag = seconds(*value);
                has_until = has_until.max(lag.map(|lag| sooner(at, lag)));
                if newest.is_none_or(|(newest, _)| newest < at) {
                    newest = Some((at, lag));
                }
            }
        }
        Ok(newest.map(|(at, lag)| MeasuredLag { at, lag, has_until }))
    }
}

/// A lag in seconds; none when it is negative or no number.
fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use std::time::Duration;

    #[test]
    fn minus_one_is_no_lag() {
        for (value, wanted) in [
            (0.0, Some(Duration::ZERO)),
            (2.5, Some(Duration::from_millis(2500))),
            (-1.0, None),
            (-0.5, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(seconds(value), wanted, "{value}");
        }
    }
}
