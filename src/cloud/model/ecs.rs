//! ECS services, deployments, tasks and task definitions.
//!
//! **Invariant:** task definitions are named `family:revision`, whichever way AWS wrote them.

use chrono::{DateTime, Utc};

/// A service (ECS `DescribeServices`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsService {
    /// `serviceName`.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Cluster as it was asked for.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`; an open set.
    pub status: String,
    /// Tasks that are wanted.
    pub desired: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// `family:revision` of new tasks.
    pub task_definition: String,
    /// `minimumHealthyPercent` of its deployments.
    pub minimum_healthy_percent: Option<u32>,
    /// `maximumPercent` of its deployments.
    pub maximum_percent: Option<u32>,
    /// Deployments that there are, PRIMARY first.
    pub deployments: Vec<EcsDeployment>,
    /// The newest hundred, newest first.
    pub events: Vec<EcsEvent>,
}

impl EcsService {
    /// The deployment that is or will be the service.
    pub fn primary(&self) -> Option<&EcsDeployment> {
        self.deployments.iter().find(|deployment| deployment.status == "PRIMARY")
    }

    /// Whether it rests: one deployment, completed, and as many tasks as are wanted.
    pub fn is_stable(&self) -> bool {
        self.status == "ACTIVE"
            && self.deployments.len() == 1
            && self.running == self.desired
            && self.pending == 0
            && self.primary().is_some_and(|found| found.state == Rollout::Completed)
    }
}

/// A deployment of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsDeployment {
    /// `ecs-svc/…`.
    pub id: String,
    /// `PRIMARY`, `ACTIVE`; an open set.
    pub status: String,
    /// `family:revision`.
    pub task_definition: String,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// Tasks that did not come up or stay up.
    pub failed_tasks: u32,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// How far it is.
    pub state: Rollout,
    /// Why, in AWS's words.
    pub reason: String,
}

/// `rolloutState` of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rollout {
    /// Under way.
    InProgress,
    /// All its tasks run, and no others.
    Completed,
    /// Given up.
    Failed,
    /// AWS did not say, or something that is not known here.
    #[default]
    Unsaid,
}

/// An entry of a service's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// In AWS's words.
    pub message: String,
}

/// A task (ECS `DescribeTasks`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsTask {
    /// ARN.
    pub arn: String,
    /// What it is doing: `RUNNING`, `DEACTIVATING`, `STOPPED`; an open set.
    pub last_status: String,
}

impl EcsTask {
    /// Whether it may still be at work. One that was told to stop is, until it says that it has stopped.
    pub fn may_work(&self) -> bool {
        !matches!(self.last_status.as_str(), "STOPPED" | "DELETED")
    }
}

/// A task definition (ECS `DescribeTaskDefinition`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDefinition {
    /// `family:revision`.
    pub name: String,
    /// Whether new deployments may use it.
    pub active: bool,
}

/// The `family:revision` of a task definition's ARN; anything else stays as it is.
pub fn definition_name(arn: &str) -> &str {
    arn.rsplit_once("task-definition/").map_or(arn, |(_, name)| name)
}

/// Family and revision of `family:revision`; `None` for a name without a revision.
pub fn family_and_revision(name: &str) -> Option<(&str, u32)> {
    let (family, revision) = definition_name(name).split_once(':')?;
    Some((family, revision.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_definitions_have_one_name() {
        let arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/api:42";
        assert_eq!(definition_name(arn), "api:42");
        assert_eq!(family_and_revision(arn), Some(("api", 42)));
        assert_eq!(family_and_revision("api:42"), Some(("api", 42)));
        assert_eq!((family_and_revision("api"), family_and_revision("api:x")), (None, None));
    }

    #[test]
    fn a_task_that_is_stopping_may_still_be_at_work() {
        let task = |status: &str| EcsTask { arn: String::new(), last_status: status.to_owned() };
        for status in ["PROVISIONING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", ""]
        {
            assert!(task(status).may_work(), "{status}");
        }
        assert!(!task("STOPPED").may_work() && !task("DELETED").may_work());
    }
}
