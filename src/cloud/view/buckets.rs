//! Reads of a bucket: where it is, and all of its configuration in one go.
//!
//! **Invariant:** a refused question is [`Setting::Denied`] and never "not configured"; whoever may not be
//! reached at all is an error and no setting.

mod parts;
mod rules;

use super::{EstateView, MAX_PAGES, read};
use crate::base::clock::sooner;
use crate::cloud::bucket::head;
use crate::cloud::classify::{Call, UNREADABLE, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{BucketSettings, MeasuredFigure, ReplicationFigures, Setting};
use crate::cloud::time::{from_sdk, to_sdk};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use chrono::TimeDelta;
use std::time::Duration;

/// How far back figures of replication are looked for: S3 publishes one a minute while a rule is busy, and
/// they come some minutes late.
const LOOKED_BACK: Duration = Duration::from_secs(60 * 60);

/// Seconds between two figures.
const PERIOD: i32 = 60;

/// Codes of servers that do not know a question: they say nothing about the answer.
const NOT_KNOWN_HERE: [&str; 3] = ["MethodNotAllowed", "NotImplemented", "UnsupportedOperation"];

/// Codes of a refusal.
const NOT_ALLOWED: [&str; 3] = ["AccessDenied", "AllAccessDisabled", "Forbidden"];

const NO_BUCKET: &str = "NoSuchBucket";

/// One answer as a setting: `absent` are the codes by which S3 says that there is none.
fn setting<T>(
    operation: &'static str,
    answer: Result<Option<T>, CloudError>,
    absent: &[&str],
) -> Result<Setting<T>, CloudError> {
    let error = match answer {
        Ok(Some(value)) => return Ok(Setting::Known(value)),
        Ok(None) => return Ok(Setting::Absent),
        Err(error) => error,
    };
    let code = error.code.as_deref().unwrap_or_default();
    if absent.contains(&code) {
        return Ok(Setting::Absent);
    }
    if NOT_ALLOWED.contains(&code) || NOT_KNOWN_HERE.contains(&code) {
        return Ok(Setting::Denied { operation, why: format!("{code}: {}", error.message) });
    }
    // A server that does not know the parameter of a question answers another one: with a list.
    if error.code.is_none() && error.message.starts_with(&format!("HTTP 200 with {UNREADABLE}")) {
        return Ok(Setting::Denied { operation, why: error.message });
    }
    Err(error)
}

impl EstateView {
    /// The region of a bucket (S3 `HeadBucket`, asked in the environment's region; S3 answers with the
    /// right one, also when it refuses). The region asked in when a server does not tell; `None` when there
    /// is no such bucket.
    ///
    /// # Errors
    /// When nobody says.
    pub async fn bucket_region(&self, bucket: &str) -> Result<Option<String>, CloudError> {
        let asked = &self.shared.environment.region;
        match head(&self.shared.clients, bucket, asked).await {
            Ok(found) => Ok(Some(found.unwrap_or_else(|| asked.clone()))),
            Err(error) if error.is(NO_BUCKET) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All configuration of a bucket that decides what becomes of its objects and copies (S3
    /// `GetBucketVersioning`, `GetBucketReplication`, `GetBucketEncryption`, `GetPublicAccessBlock`,
    /// `GetBucketPolicyStatus`, `GetBucketLifecycleConfiguration`, `GetObjectLockConfiguration`,
    /// `GetBucketOwnershipControls`, `ListBucketInventoryConfigurations`); `None` when there is no such
    /// bucket.
    ///
    /// # Errors
    /// When S3 cannot say; what it refuses to say is a part that is [`Setting::Denied`].
    pub async fn bucket_settings(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<Option<BucketSettings>, CloudError> {
        let found = self.parts_of(region, bucket).await;
        match found {
            Err(error) if error.is(NO_BUCKET) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Whether this bucket can be looked at with these credentials (S3 `HeadBucket`).
    ///
    /// # Errors
    /// When it is not there (`NoSuchBucket`), or these credentials may not (`AccessDenied`), or nobody says.
    pub async fn bucket_reached(&self, region: &str, bucket: &str) -> Result<(), CloudError> {
        head(&self.shared.clients, bucket, region).await.map(|_| ())
    }

    /// The newest figures of one replication rule in the last hour (CloudWatch `GetMetricData`, `AWS/S3`).
    /// `destination` is its bucket with the region: S3 publishes there what waits, and in the source's
    /// region what failed.
    ///
    /// # Errors
    /// When CloudWatch cannot say.
    pub async fn replication_figures(
        &self,
        (source_region, source): (&str, &str),
        (destination_region, destination): (&str, &str),
        rule: &str,
    ) -> Result<ReplicationFigures, CloudError> {
        let dimensions =
            [("SourceBucket", source), ("DestinationBucket", destination), ("RuleId", rule)];
        let waiting = [
            ("latency", "ReplicationLatency", "Maximum"),
            ("bytes", "BytesPendingReplication", "Maximum"),
            ("operations", "OperationsPendingReplication", "Maximum"),
        ];
        let failed = [("failed", "OperationsFailedReplication", "Sum")];
        let mut figures = ReplicationFigures::default();
        for result in self.s3_figures(destination_region, &dimensions, &waiting).await? {
            match result.id() {
                Some("latency") => figures.latency = newest(&result),
                Some("bytes") => figures.pending_bytes = newest(&result),
                Some("operations") => figures.pending_operations = newest(&result),
                _ => {}
            }
        }
        for result in self.s3_figures(source_region, &dimensions, &failed).await? {
            figures.failed = sum(&result).or(figures.failed);
        }
        Ok(figures)
    }

    async fn s3_figures(
        &self,
        region: &str,
        dimensions: &[(&str, &str)],
        metrics: &[(&str, &str, &str)],
    ) -> Result<Vec<MetricDataResult>, CloudError> {
        let call = read("cloudwatch:GetMetricData", region);
        let ahead = self.shared.skew().unwrap_or_default().max(TimeDelta::zero());
        let until = self.shared.clock.now() + ahead;
        let dimensions: Vec<Dimension> = dimensions
            .iter()
            .map(|(name, value)| Dimension::builder().name(*name).value(*value).build())
            .collect();
        let queries = metrics.iter().map(|(id, name, statistic)| {
            let metric = Metric::builder().namespace("AWS/S3").metric_name(*name);
            let metric = metric.set_dimensions(Some(dimensions.clone())).build();
            let stat = MetricStat::builder().metric(metric).period(PERIOD).stat(*statistic).build();
            MetricDataQuery::builder().id(*id).metric_stat(stat).build()
        });
        let client = self.shared.clients.cloudwatch(region, ClientUse::Reads);
        let request = client
            .get_metric_data()
            .start_time(to_sdk(sooner(until, LOOKED_BACK)))
            .end_time(to_sdk(until))
            .set_metric_data_queries(Some(queries.collect()));
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            for result in page.metric_data_results() {
                found.push(whole(call, result)?.clone());
            }
        }
        Ok(found)
    }
}

/// A result that CloudWatch vouches for.
fn whole<'a>(
    call: Call<'_>,
    result: &'a MetricDataResult,
) -> Result<&'a MetricDataResult, CloudError> {
    let told = result.status_code();
    if told.is_none_or(|code| matches!(code, StatusCode::Complete | StatusCode::PartialData)) {
        return Ok(result);
    }
    Err(CloudError {
        class: ErrorClass::Temporary,
        operation: call.operation.to_owned(),
        region: call.region.to_owned(),
        code: None,
        message: format!(
            "figures of replication came as {}",
            told.map_or("nothing", StatusCode::as_str)
        ),
        request_id: None,
    })
}

fn figures(result: &MetricDataResult) -> impl Iterator<Item = MeasuredFigure> + '_ {
    let pairs = result.timestamps().iter().zip(result.values());
    pairs.filter_map(|(at, value)| {
        let at = from_sdk(at)?;
        value.is_finite().then_some(MeasuredFigure { at, value: *value })
    })
}

fn newest(result: &MetricDataResult) -> Option<MeasuredFigure> {
    figures(result).max_by_key(|figure| figure.at)
}

fn sum(result: &MetricDataResult) -> Option<MeasuredFigure> {
    let newest = newest(result)?;
    let value = figures(result).map(|figure| figure.value).sum();
    Some(MeasuredFigure { value, ..newest })
}
