//! The metrics that Route 53 publishes of its health checks, in us-east-1 and nowhere else.
//!
//! **Invariant:** a sample says what the check said at that instant.

use super::series::{Metric, Site};
use crate::sim::dispatch::Turn;
use crate::sim::route53::status_at;
use crate::sim::services::Datum;
use chrono::{DateTime, Utc};

/// Namespace of Route 53's metrics.
pub(super) const NAMESPACE: &str = "AWS/Route53";

/// The region that has them.
const REGION: &str = "us-east-1";

const DIMENSION: &str = "HealthCheckId";

/// Names and units: 1 or 0, and all or none of the checkers.
const METRICS: [(&str, &str, f64); 2] =
    [("HealthCheckStatus", "None", 1.0), ("HealthCheckPercentageHealthy", "Percent", 100.0)];

/// Samples of one of them, `step` seconds apart.
pub(super) fn samples(
    site: Site<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    let mut dimensions = metric.dimensions.iter();
    let (Some((name, id)), None) = (dimensions.next(), dimensions.next()) else {
        return Vec::new();
    };
    let known = METRICS.iter().find(|(known, _, _)| *known == metric.name);
    let check = site.world.services.route53.health_checks.get(id);
    let (Some((_, unit, whole)), Some(check)) = (known, check) else { return Vec::new() };
    if name != DIMENSION || site.region != REGION {
        return Vec::new();
    }
    let born = check.statuses.first().map_or(from, |(at, _)| *at).max(from);
    let step = step.max(1);
    let first = (born.timestamp() + step - 1).div_euclid(step);
    (first..)
        .map_while(|index| DateTime::from_timestamp(index * step, 0).filter(|at| *at < to))
        .filter(|at| *at >= from)
        .map(|at| {
            let value = if status_at(check, at) { *whole } else { 0.0 };
            Datum { at, unit: (*unit).to_owned(), values: vec![(value, 1.0)], sets: Vec::new() }
        })
        .collect()
}

/// Metrics that there are now.
pub(super) fn list(turn: &Turn<'_>) -> Vec<Metric> {
    let checks = turn.world.services.route53.health_checks.keys();
    let checks = checks.filter(|_| turn.region == REGION);
    checks
        .flat_map(|id| {
            METRICS.map(|(name, _, _)| Metric {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: [(DIMENSION.to_owned(), id.clone())].into(),
            })
        })
        .collect()
}
