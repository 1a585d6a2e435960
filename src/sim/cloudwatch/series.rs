//! Where the samples of a metric come from.
//!
//! **Invariant:** a metric is known by region, namespace, name and exactly its dimensions.

use super::input::{dimensions, required};
use super::rds;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::services::Datum;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// A metric's name in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

impl Metric {
    /// `Namespace`, `MetricName` and `Dimensions` of an input.
    pub(super) fn read(input: &Value) -> Result<Self, ApiError> {
        Ok(Self {
            namespace: required(input, "Namespace")?.to_owned(),
            name: required(input, "MetricName")?.to_owned(),
            dimensions: dimensions(input)?,
        })
    }

    /// Its key among the metrics that were put.
    pub(super) fn key(&self, region: &str) -> String {
        serde_json::json!([region, self.namespace, self.name, self.dimensions]).to_string()
    }
}

/// The samples of `metric` from `from` to before `to`, none of them in the future, one every minute
/// at most for those that RDS publishes (`step` seconds apart).
pub(super) fn samples(
    turn: &Turn<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    if metric.namespace == rds::NAMESPACE {
        return rds::samples(turn, metric, (from, to.min(turn.now)), step);
    }
    let put = turn.world.services.metrics.get(&metric.key(&turn.region));
    let data = put.map_or([].as_slice(), |series| series.data.as_slice());
    let (start, end) = (
        data.partition_point(|datum| datum.at < from),
        data.partition_point(|datum| datum.at < to),
    );
    data.get(start..end).unwrap_or_default().to_vec()
}
