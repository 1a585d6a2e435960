//! Clusters: there is one where services are.
//!
//! **Invariant:** a cluster's counts are the sums of its services'.

use super::service::Stage;
use super::{DEFAULT_CLUSTER, arn, short, texts};
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::state::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of the clusters of a region.
pub(super) fn names(world: &World, region: &str) -> BTreeSet<String> {
    let slots = world.services.ecs.services.values();
    let services = slots.filter_map(|slot| slot.current.as_ref());
    services.filter(|found| found.region == region).map(|found| found.cluster.clone()).collect()
}

/// `DescribeClusters`.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let mut wanted = texts(turn, "clusters")?;
    if wanted.is_empty() {
        wanted.push(DEFAULT_CLUSTER.to_owned());
    }
    let known = names(turn.world, &turn.region);
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for asked in wanted {
        let name = short(&asked);
        let place = arn(turn, &format!("cluster/{name}"));
        if !known.contains(name) {
            failures.push(json!({ "arn": place, "reason": "MISSING" }));
            continue;
        }
        let slots = turn.world.services.ecs.services.values();
        let here: Vec<_> = slots
            .filter_map(|slot| slot.seen(turn.now))
            .filter(|found| found.region == turn.region && found.cluster == name)
            .collect();
        let count = |stage| -> u32 {
            here.iter().map(|service| service.count(turn.now, stage, None)).sum()
        };
        clusters.push(json!({
            "clusterArn": place,
            "clusterName": name,
            "status": "ACTIVE",
            "activeServicesCount": here.len(),
            "runningTasksCount": count(Stage::Running),
            "pendingTasksCount": count(Stage::Pending),
            "registeredContainerInstancesCount": 0,
        }));
    }
    Ok(json!({ "clusters": clusters, "failures": failures }))
}
