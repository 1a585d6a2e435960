//! How many tasks a service has had, from CloudWatch.
//!
//! **Invariant:** a metric without data is unknown, never zero.

use super::{EstateView, MAX_PAGES, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::time::to_sdk;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use chrono::{DateTime, Utc};

/// Namespace of Container Insights, which has to be on for the cluster.
const NAMESPACE: &str = "ECS/ContainerInsights";

/// Seconds that one value stands for: the shortest that is kept for days.
const PERIOD: i32 = 300;

impl EstateView {
    /// The most tasks of a service that ran at one time between two instants (CloudWatch
    /// `GetMetricData`: maximum of `RunningTaskCount`); `None` when nothing was measured.
    ///
    /// # Errors
    /// When AWS cannot say, or says only a part.
    pub async fn most_running_tasks(
        &self,
        region: &str,
        (cluster, service): (&str, &str),
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<f64>, CloudError> {
        let call = read("cloudwatch:GetMetricData", region);
        let dimension =
            |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let metric = Metric::builder()
            .namespace(NAMESPACE)
            .metric_name("RunningTaskCount")
            .dimensions(dimension("ClusterName", cluster))
            .dimensions(dimension("ServiceName", service))
            .build();
        let statistic = MetricStat::builder().metric(metric).period(PERIOD).stat("Maximum").build();
        let query = MetricDataQuery::builder().id("tasks").metric_stat(statistic).build();
        let client = self.shared.clients.cloudwatch(region, ClientUse::Reads);
        let request = client
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(to_sdk(from))
            .end_time(to_sdk(to));
        let mut pages = request.into_paginator().send();
        let mut most: Option<f64> = None;
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            for result in page.metric_data_results() {
                if matches!(
                    result.status_code(),
                    Some(StatusCode::InternalError | StatusCode::Forbidden)
                ) {
                    return Err(CloudError {
                        class: ErrorClass::Temporary,
                        operation: call.operation.to_owned(),
                        region: region.to_owned(),
                        code: None,
                        message: format!("CloudWatch could not say how many tasks `{service}` had"),
                        request_id: None,
                    });
                }
                let values = result.values().iter().copied().filter(|value| value.is_finite());
                most = values.chain(most).reduce(f64::max);
            }
        }
        Ok(most)
    }
}
