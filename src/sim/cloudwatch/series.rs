//! Where the samples of a metric come from.
//!
//! **Invariant:** a metric is known by region, namespace, name and exactly its dimensions.

use super::input::{dimensions, required};
use super::{ecs, rds, route53, s3};
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::services::Datum;
use crate::sim::state::World;
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

/// Where and when a metric is looked at.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) world: &'a World,
    pub(super) region: &'a str,
    pub(super) now: DateTime<Utc>,
}

impl<'a> Site<'a> {
    /// That of a call.
    pub(super) fn of(turn: &'a Turn<'_>) -> Self {
        Self { world: &*turn.world, region: &turn.region, now: turn.now }
    }
}

/// The samples of `metric` from `from` to before `to`, none of them in the future, one every minute
/// at most for those that services publish (`step` seconds apart).
pub(super) fn samples(
    site: Site<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    if metric.namespace == rds::NAMESPACE {
        return rds::samples(site, metric, (from, to.min(site.now)), step);
    }
    if metric.namespace == route53::NAMESPACE {
        return route53::samples(site, metric, (from, to.min(site.now)), step);
    }
    if metric.namespace == ecs::NAMESPACE {
        return ecs::samples(site, metric, (from, to.min(site.now)), step);
    }
    if metric.namespace == s3::NAMESPACE {
        return s3::samples(site, metric, (from, to.min(site.now)), step);
    }
    let put = site.world.services.metrics.get(&metric.key(site.region));
    let data = put.map_or([].as_slice(), |series| series.data.as_slice());
    let (start, end) = (
        data.partition_point(|datum| datum.at < from),
        data.partition_point(|datum| datum.at < to),
    );
    data.get(start..end).unwrap_or_default().to_vec()
}
