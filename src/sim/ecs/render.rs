//! A service as `DescribeServices` shows it.
//!
//! **Invariant:** everything shown is of one instant.

use super::arn;
use super::definitions::arn_of;
use super::service::{Deployment, Service, Stage};
use crate::sim::answer::epoch_seconds;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use serde_json::{Value, json};

/// `arn:aws:ecs:…:service/<cluster>/<name>`.
pub(super) fn service_arn(turn: &Turn<'_>, cluster: &str, name: &str) -> String {
    arn(turn, &format!("service/{cluster}/{name}"))
}

pub(super) fn service(turn: &Turn<'_>, service: &Service) -> Value {
    let (now, shown) = (turn.now, service.shown(turn.now));
    let deployments: Vec<Value> = shown
        .iter()
        .enumerate()
        .map(|(place, found)| deployment(turn, service, found, place == 0))
        .collect();
    let events: Vec<Value> = service
        .events
        .iter()
        .rev()
        .filter(|event| event.at <= now)
        .map(|event| {
            let name = format!("{}/{}/{}", service.name, event.at, event.message);
            json!({
                "id": uuid(turn.world.seed(), &name),
                "createdAt": epoch_seconds(event.at),
                "message": event.message,
            })
        })
        .collect();
    json!({
        "serviceArn": service_arn(turn, &service.cluster, &service.name),
        "serviceName": service.name,
        "clusterArn": arn(turn, &format!("cluster/{}", service.cluster)),
        "status": "ACTIVE",
        "desiredCount": service.desired(now),
        "runningCount": service.running(now),
        "pendingCount": service.count(now, Stage::Pending, None),
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "taskDefinition": shown.first().map(|found| arn_of(turn, &found.definition)),
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": { "enable": service.breaker, "rollback": service.breaker },
            "minimumHealthyPercent": service.minimum_percent,
            "maximumPercent": service.maximum_percent,
            "strategy": "ROLLING",
        },
        "deployments": deployments,
        "events": events,
        "createdAt": epoch_seconds(service.born),
        "schedulingStrategy": "REPLICA",
        "deploymentController": { "type": "ECS" },
        "enableECSManagedTags": false,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
        "loadBalancers": [],
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
    })
}

fn deployment(turn: &Turn<'_>, service: &Service, found: &Deployment, primary: bool) -> Value {
    let now = turn.now;
    let count = |stage| service.count(now, stage, Some(&found.id));
    let last = [Some(found.created), found.completed, found.failed];
    let updated = last.into_iter().flatten().filter(|at| *at <= now).max();
    json!({
        "id": found.id,
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": arn_of(turn, &found.definition),
        "desiredCount": if primary { service.desired(now) } else { 0 },
        "runningCount": count(Stage::Running),
        "pendingCount": count(Stage::Pending),
        "failedTasks": service.crashed(now, &found.id),
        "createdAt": epoch_seconds(found.created),
        "updatedAt": epoch_seconds(updated.unwrap_or(found.created)),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "rolloutState": found.rollout(now).name(),
        "rolloutStateReason": found.reason(now),
    })
}
