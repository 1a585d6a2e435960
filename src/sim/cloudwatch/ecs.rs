//! The metrics that Container Insights publishes of ECS services: functions of the service and the
//! minute.
//!
//! **Invariant:** a service publishes nothing before it was there, and counts as they were after it.

use super::series::{Metric, Site};
use crate::sim::dispatch::Turn;
use crate::sim::ecs;
use crate::sim::services::Datum;
use chrono::{DateTime, Utc};

/// Namespace of Container Insights for ECS.
pub(super) const NAMESPACE: &str = "ECS/ContainerInsights";

const CLUSTER: &str = "ClusterName";
const SERVICE: &str = "ServiceName";

/// Names.
const METRICS: [&str; 2] = ["DesiredTaskCount", "RunningTaskCount"];

/// Samples of one of the metrics, `step` seconds apart.
pub(super) fn samples(
    site: Site<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    let dimension = |name: &str| metric.dimensions.get(name).map(String::as_str);
    let (Some(cluster), Some(service), 2) =
        (dimension(CLUSTER), dimension(SERVICE), metric.dimensions.len())
    else {
        return Vec::new();
    };
    if !METRICS.contains(&metric.name.as_str()) {
        return Vec::new();
    }
    let first = from.timestamp().div_euclid(step) + i64::from(from.timestamp() % step != 0);
    (first..)
        .map_while(|index| DateTime::from_timestamp(index * step, 0).filter(|at| *at < to))
        .filter_map(|at| {
            let count = if metric.name == METRICS[0] {
                ecs::desired_tasks(site.world, site.region, cluster, service, at)?
            } else {
                ecs::running_tasks(site.world, site.region, cluster, service, at)?
            };
            let values = vec![(f64::from(count), 1.0)];
            Some(Datum { at, unit: "Count".to_owned(), values, sets: Vec::new() })
        })
        .collect()
}

/// Metrics that there are now.
pub(super) fn list(turn: &Turn<'_>) -> Vec<Metric> {
    let mut found = Vec::new();
    for name in METRICS {
        for (cluster, service) in ecs::services(turn.world, &turn.region) {
            found.push(Metric {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: [(CLUSTER.to_owned(), cluster), (SERVICE.to_owned(), service)].into(),
            });
        }
    }
    found
}
