//! Simulated ECS: clusters, services, deployments, tasks, task definitions.
//!
//! **Invariant:** a service changes by calls and by time alone; what will happen to it is written down
//! with its instants when a call begins it.

mod calls;
mod clusters;
mod definitions;
mod genesis;
mod page;
mod render;
mod rollout;
mod service;
mod tasks;

pub(in crate::sim) use genesis::begin;

use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::slot::Slot;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use definitions::Definition;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Service;
use std::collections::BTreeMap;

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {
    /// Services by region, cluster and name, with slashes between.
    services: BTreeMap<String, Slot<Service>>,
    /// Task definitions by region and family, oldest first.
    families: BTreeMap<String, Vec<Definition>>,
    /// Services of the estate that this world was given, by their name in the estate.
    origins: BTreeMap<String, String>,
}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 3] =
    ["DeregisterTaskDefinition", "RegisterTaskDefinition", "UpdateService"];

/// The cluster of a call that names none.
const DEFAULT_CLUSTER: &str = "default";

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "DescribeClusters" => clusters::describe(turn),
        "DescribeServices" => calls::describe(turn),
        "DescribeTaskDefinition" => definitions::describe(turn),
        "DescribeTasks" => tasks::describe(turn),
        "DeregisterTaskDefinition" => definitions::deregister(turn),
        "ListServices" => calls::list(turn),
        "ListTaskDefinitions" => definitions::list(turn),
        "ListTasks" => tasks::list(turn),
        "RegisterTaskDefinition" => definitions::register(turn),
        "UpdateService" => calls::update(turn),
        _ => turn.unknown_action(),
    }
    .map(Body::Json)
}

/// Tasks of a service that run at `at`, none in a region that is lost then; `None` for a service that is not
/// there (yet).
pub(in crate::sim) fn running_tasks(
    world: &World,
    region: &str,
    cluster: &str,
    service: &str,
    at: DateTime<Utc>,
) -> Option<u32> {
    let found = found(world, (region, cluster, service), at)?;
    Some(world.lost(region, at).map_or_else(|| found.running(at), |_| 0))
}

/// Tasks of a service that may be at work at `at`: those that run, and those that were told to stop and have not
/// yet. None in a region that is lost then.
pub(in crate::sim) fn tasks_at_work(
    world: &World,
    (region, cluster, service): (&str, &str, &str),
    at: DateTime<Utc>,
) -> u32 {
    let Some(found) = found(world, (region, cluster, service), at) else { return 0 };
    let stopping = found.count(at, service::Stage::Deactivating, None);
    world.lost(region, at).map_or_else(|| found.running(at) + stopping, |_| 0)
}

/// The instants at which tasks begin to run, are told to stop, and stop.
pub(in crate::sim) fn instants(world: &World) -> Vec<DateTime<Utc>> {
    let services = world.services.ecs.services.values().filter_map(|slot| slot.current.as_ref());
    let groups = services.flat_map(|service| &service.groups);
    groups.flat_map(|group| [group.running, group.stopping, group.stopped]).flatten().collect()
}

/// Tasks of a service that are wanted at `at`; `None` for a service that is not there (yet).
pub(in crate::sim) fn desired_tasks(
    world: &World,
    region: &str,
    cluster: &str,
    service: &str,
    at: DateTime<Utc>,
) -> Option<u32> {
    Some(found(world, (region, cluster, service), at)?.desired(at))
}

/// The service as it truly is.
fn found<'a>(
    world: &'a World,
    (region, cluster, service): (&str, &str, &str),
    at: DateTime<Utc>,
) -> Option<&'a Service> {
    let slot = world.services.ecs.services.get(&place(region, cluster, service))?;
    slot.current.as_ref().filter(|service| service.born <= at)
}

/// Services of a region by cluster and name.
pub(in crate::sim) fn services(world: &World, region: &str) -> Vec<(String, String)> {
    let services = world.services.ecs.services.values().filter_map(|slot| slot.current.as_ref());
    let here = services.filter(|service| service.region == region);
    here.map(|service| (service.cluster.clone(), service.name.clone())).collect()
}

/// What services are, without when: wanted tasks and what runs, by region, cluster and name.
pub(in crate::sim) fn canonical(world: &World) -> Value {
    let slots = world.services.ecs.services.iter();
    let current = slots.filter_map(|(key, slot)| Some((key, slot.current.as_ref()?)));
    let shown = current.map(|(key, service)| {
        let definition = service.deployments.last().map(|found| found.definition.clone());
        let value = serde_json::json!({
            "desired": service.desired(world.time),
            "task_definition": definition,
            "minimum_healthy_percent": service.minimum_percent,
        });
        (key.clone(), value)
    });
    Value::Object(shown.collect())
}

/// The key of a service in [`State::services`].
fn place(region: &str, cluster: &str, name: &str) -> String {
    format!("{region}/{cluster}/{name}")
}

/// The last part of an ARN, or the name that it is.
fn short(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

/// The cluster that the call means, which must be there.
fn cluster(turn: &Turn<'_>) -> Result<String, ApiError> {
    let name = match &turn.input["cluster"] {
        Value::Null => DEFAULT_CLUSTER,
        Value::String(text) => short(text),
        _ => return Err(invalid("cluster must be text.")),
    };
    if clusters::names(turn.world, &turn.region).contains(name) {
        return Ok(name.to_owned());
    }
    Err(ApiError::sender("ClusterNotFoundException", "Cluster not found."))
}

/// A list of texts in the call's input; absent is empty.
fn texts(turn: &Turn<'_>, field: &str) -> Result<Vec<String>, ApiError> {
    let wrong = || invalid(format!("{field} must be a list of text."));
    match &turn.input[field] {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// `arn:aws:ecs:<region>:<account>:<rest>`.
fn arn(turn: &Turn<'_>, rest: &str) -> String {
    format!("arn:aws:ecs:{}:{}:{rest}", turn.region, turn.world.account)
}
