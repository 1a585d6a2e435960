//! Reads of ECS: services, their tasks, task definitions.
//!
//! **Invariant:** an answer that was not understood is never an absent service or a task that has stopped.

use super::{EstateView, MAX_PAGES, absent, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{
    EcsDeployment, EcsEvent, EcsService, EcsTask, Rollout, TaskDefinition, definition_name,
};
use crate::cloud::time::from_sdk;
use aws_sdk_ecs::types::{
    Deployment, DeploymentRolloutState, DesiredStatus, Service, SortOrder, TaskDefinitionStatus,
};
use std::collections::BTreeSet;

const DESCRIBE_SERVICES: &str = "ecs:DescribeServices";

/// Most tasks of one `DescribeTasks`.
const TASKS_AT_ONCE: usize = 100;

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn unclear(operation: &str, region: &str, message: String) -> CloudError {
    CloudError {
        class: ErrorClass::Temporary,
        operation: operation.to_owned(),
        region: region.to_owned(),
        code: None,
        message,
        request_id: None,
    }
}

impl EstateView {
    /// A service, as predicted or else as it is (ECS `DescribeServices`); `name` without path.
    ///
    /// # Errors
    /// When AWS cannot say; a service or cluster that does not exist is `None`.
    pub async fn ecs_service(
        &self,
        region: &str,
        cluster: &str,
        name: &str,
    ) -> Result<Option<EcsService>, CloudError> {
        if let Some(predicted) = self.overlay.service(region, cluster, name) {
            return Ok(Some(predicted.clone()));
        }
        let call = read(DESCRIBE_SERVICES, region);
        let client = self.shared.clients.ecs(region, ClientUse::Reads);
        let answer = client.describe_services().cluster(cluster).services(name).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let Some(answer) = absent(answer, &["ClusterNotFoundException"])? else { return Ok(None) };
        let found = answer.services().iter().find(|found| found.service_name() == Some(name));
        if let Some(found) = found {
            return Ok(Some(service(cluster, found)));
        }
        // A service that is not there is a failure inside an answer of success.
        let reasons: Vec<&str> =
            answer.failures().iter().filter_map(|failure| failure.reason()).collect();
        if reasons.iter().all(|reason| *reason == "MISSING") {
            return Ok(None);
        }
        let why = format!("service `{name}` could not be described: {}", reasons.join(", "));
        Err(unclear(DESCRIBE_SERVICES, region, why))
    }

    /// Tasks of a service that may still be at work, those that were told to stop included (ECS
    /// `ListTasks`, all pages, and `DescribeTasks`).
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn working_tasks(
        &self,
        region: &str,
        cluster: &str,
        service: &str,
    ) -> Result<Vec<EcsTask>, CloudError> {
        let client = self.shared.clients.ecs(region, ClientUse::Reads);
        let call = read("ecs:ListTasks", region);
        let mut arns = BTreeSet::new();
        // A task that is being stopped is listed among the stopped ones long before it has stopped.
        for wanted in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let request = client.list_tasks().cluster(cluster).service_name(service);
            let mut pages = request.desired_status(wanted).into_paginator().send();
            for _ in 0..MAX_PAGES {
                let Some(page) = pages.next().await else { break };
                let page = page.map_err(|error| sdk_error(call, &error))?;
                arns.extend(page.task_arns().iter().cloned());
            }
        }
        let call = read("ecs:DescribeTasks", region);
        let arns: Vec<String> = arns.into_iter().collect();
        let mut working = Vec::new();
        for some in arns.chunks(TASKS_AT_ONCE) {
            let request = client.describe_tasks().cluster(cluster);
            let answer = request.set_tasks(Some(some.to_vec())).send().await;
            let answer = answer.map_err(|error| sdk_error(call, &error))?;
            let tasks = answer.tasks().iter().map(|task| EcsTask {
                arn: task.task_arn().unwrap_or_default().to_owned(),
                last_status: task.last_status().unwrap_or_default().to_owned(),
            });
            working.extend(tasks.filter(EcsTask::may_work));
        }
        Ok(working)
    }

    /// A task definition by `family:revision` or ARN (ECS `DescribeTaskDefinition`).
    ///
    /// # Errors
    /// When AWS cannot say; one that does not exist is `None`.
    pub async fn task_definition(
        &self,
        region: &str,
        name: &str,
    ) -> Result<Option<TaskDefinition>, CloudError> {
        let call = read("ecs:DescribeTaskDefinition", region);
        let client = self.shared.clients.ecs(region, ClientUse::Reads);
        let answer = client.describe_task_definition().task_definition(name).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        // ECS has no code of its own for one that is not there.
        let answer = absent(answer, &["ClientException", "InvalidParameterException"])?;
        let Some(answer) = answer else { return Ok(None) };
        let Some(found) = answer.task_definition() else {
            let why = format!("the answer about `{name}` has no taskDefinition");
            return Err(unclear(call.operation, region, why));
        };
        Ok(Some(TaskDefinition {
            name: definition_name(found.task_definition_arn().unwrap_or(name)).to_owned(),
            active: found.status() == Some(&TaskDefinitionStatus::Active),
        }))
    }

    /// Active revisions of a family as `family:revision`, newest first (ECS `ListTaskDefinitions`, one
    /// page: the hundred newest).
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn active_revisions(
        &self,
        region: &str,
        family: &str,
    ) -> Result<Vec<String>, CloudError> {
        let call = read("ecs:ListTaskDefinitions", region);
        let client = self.shared.clients.ecs(region, ClientUse::Reads);
        let request = client.list_task_definitions().family_prefix(family);
        let request = request.status(TaskDefinitionStatus::Active).sort(SortOrder::Desc);
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let names = answer.task_definition_arns().iter().map(|arn| definition_name(arn).to_owned());
        Ok(names.collect())
    }
}

fn service(cluster: &str, found: &Service) -> EcsService {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let configuration = found.deployment_configuration();
    let mut deployments: Vec<EcsDeployment> = found.deployments().iter().map(deployment).collect();
    deployments.sort_by_key(|deployment| deployment.status != "PRIMARY");
    let percent = |number: Option<i32>| number.map(count);
    EcsService {
        name: text(found.service_name()),
        arn: text(found.service_arn()),
        cluster: cluster.to_owned(),
        status: text(found.status()),
        desired: count(found.desired_count()),
        running: count(found.running_count()),
        pending: count(found.pending_count()),
        task_definition: definition_name(found.task_definition().unwrap_or_default()).to_owned(),
        minimum_healthy_percent: percent(
            configuration.and_then(|found| found.minimum_healthy_percent()),
        ),
        maximum_percent: percent(configuration.and_then(|found| found.maximum_percent())),
        deployments,
        events: found
            .events()
            .iter()
            .filter_map(|event| {
                let at = from_sdk(event.created_at()?)?;
                Some(EcsEvent { at, message: text(event.message()) })
            })
            .collect(),
    }
}

fn deployment(found: &Deployment) -> EcsDeployment {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    EcsDeployment {
        id: text(found.id()),
        status: text(found.status()),
        task_definition: definition_name(found.task_definition().unwrap_or_default()).to_owned(),
        running: count(found.running_count()),
        pending: count(found.pending_count()),
        failed_tasks: count(found.failed_tasks()),
        created_at: found.created_at().and_then(from_sdk),
        state: match found.rollout_state() {
            Some(DeploymentRolloutState::InProgress) => Rollout::InProgress,
            Some(DeploymentRolloutState::Completed) => Rollout::Completed,
            Some(DeploymentRolloutState::Failed) => Rollout::Failed,
            Some(_) | None => Rollout::Unsaid,
        },
        reason: text(found.rollout_state_reason()),
    }
}
