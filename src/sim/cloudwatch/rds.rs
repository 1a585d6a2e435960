//! The metrics that RDS publishes: functions of the seed, the instance and the minute.
//!
//! **Invariant:** an instance that does not answer publishes nothing; only a replica has a lag.

use super::series::{Metric, Site};
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::services::Datum;
use crate::sim::state::Instance;
use chrono::{DateTime, Utc};

/// Namespace of RDS's metrics.
pub(super) const NAMESPACE: &str = "AWS/RDS";

const DIMENSION: &str = "DBInstanceIdentifier";

/// Names and units. All but the lag are plausible figures and nothing more.
pub(super) const METRICS: [(&str, &str); 4] = [
    ("CPUUtilization", "Percent"),
    ("DatabaseConnections", "Count"),
    ("FreeStorageSpace", "Bytes"),
    ("ReplicaLag", "Seconds"),
];

/// The instance that a metric is about.
fn instance<'a>(site: Site<'a>, metric: &Metric) -> Option<&'a Instance> {
    let mut dimensions = metric.dimensions.iter();
    let (Some((name, id)), None) = (dimensions.next(), dimensions.next()) else { return None };
    if name != DIMENSION {
        return None;
    }
    site.world.instance(site.region, id, site.now).ok()
}

/// Samples of one of RDS's metrics, `step` seconds apart.
pub(super) fn samples(
    site: Site<'_>,
    metric: &Metric,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    step: i64,
) -> Vec<Datum> {
    let unit = METRICS.iter().find(|(name, _)| *name == metric.name).map(|(_, unit)| *unit);
    let (Some(unit), Some(instance)) = (unit, instance(site, metric)) else { return Vec::new() };
    let hidden = site.world.fault(FaultKind::ReplicaLagUnknown).is_some();
    if hidden && metric.name == "ReplicaLag" {
        return Vec::new();
    }
    let born = instance.phases.first().map_or(from, |phase| phase.from);
    let seed = site.world.seed().derive(&format!("rds/{}/{}", instance.resource_id, metric.name));
    let first = from.max(born).timestamp().div_euclid(step) + 1;
    let first = if from >= born && from.timestamp() % step == 0 { first - 1 } else { first };
    (first..)
        .map_while(|index| DateTime::from_timestamp(index * step, 0).filter(|at| *at < to))
        .filter(|at| instance.status(*at).answers())
        .filter_map(|at| {
            let value = match metric.name.as_str() {
                "ReplicaLag" => site.world.replica_lag(site.region, instance, at)? as f64,
                other => figure(other, instance, seed, at),
            };
            Some(Datum { at, unit: unit.to_owned(), values: vec![(value, 1.0)], sets: Vec::new() })
        })
        .collect()
}

fn figure(name: &str, instance: &Instance, seed: u64, at: DateTime<Utc>) -> f64 {
    let minute = at.timestamp().div_euclid(60);
    let usual = fastrand::Rng::with_seed(seed).f64();
    let noise = fastrand::Rng::with_seed(seed ^ minute.unsigned_abs()).f64();
    match name {
        "CPUUtilization" => ((8.0 + 30.0 * usual + 12.0 * noise) * 100.0).round() / 100.0,
        "DatabaseConnections" => (5.0 + 40.0 * usual + 8.0 * noise).floor(),
        _ => {
            // Fills by a twentieth in a month and is cleaned up.
            let size = f64::from(instance.settings.storage_gib) * 1_073_741_824.0;
            let month = (minute.rem_euclid(43_200)) as f64 / 43_200.0;
            (size * (0.35 + 0.4 * usual - 0.05 * month)).floor()
        }
    }
}

/// Metrics that there are now: name and instance.
pub(super) fn list(turn: &Turn<'_>) -> Vec<Metric> {
    let mut found = Vec::new();
    for (name, _) in METRICS {
        for instance in turn.world.seen_instances(&turn.region, turn.now) {
            if name == "ReplicaLag" && instance.replica_of.is_none() {
                continue;
            }
            found.push(Metric {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: [(DIMENSION.to_owned(), instance.id.clone())].into(),
            });
        }
    }
    found
}
