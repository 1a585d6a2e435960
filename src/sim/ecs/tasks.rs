//! Tasks of services: listed and described.
//!
//! **Invariant:** a task that was told to stop is listed as one that should be stopped, and says itself
//! whether it has.

use super::definitions::arn_of;
use super::page::page;
use super::service::{Group, Service, Stage};
use super::{arn, cluster, invalid, short, texts};
use crate::sim::answer::{ApiError, epoch_seconds};
use crate::sim::dispatch::Turn;
use serde_json::{Value, json};

/// Most tasks of one call or page.
const MOST: usize = 100;

/// A task's id: 32 hex digits.
fn id(turn: &Turn<'_>, service: &Service, number: u32) -> String {
    let name = format!("ecs/{}/{}/{}/task/{number}", service.region, service.cluster, service.name);
    let seed = turn.world.seed();
    format!("{:016x}{:016x}", seed.derive(&name), seed.derive(&format!("{name}/low")))
}

/// The services of a cluster as reads show them.
fn services<'a>(turn: &'a Turn<'_>, cluster: &str) -> impl Iterator<Item = &'a Service> {
    let slots = turn.world.services.ecs.services.values();
    let seen = slots.filter_map(|slot| slot.seen(turn.now));
    seen.filter(move |found| found.region == turn.region && found.cluster == cluster)
}

/// `ListTasks`.
pub(super) fn list(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let cluster = cluster(turn)?;
    let text = |field: &str| turn.input[field].as_str();
    let desired = match text("desiredStatus") {
        None | Some("RUNNING") => "RUNNING",
        // ECS takes it, and lists nothing: no task is ever wanted pending.
        Some("PENDING") => "PENDING",
        Some("STOPPED") => "STOPPED",
        Some(_) => return Err(invalid("Invalid value for desiredStatus.")),
    };
    let service = text("serviceName").map(short);
    if let Some(name) = service
        && services(turn, &cluster).all(|found| found.name != name)
    {
        return Err(ApiError::sender("ServiceNotFoundException", "Service not found."));
    }
    let mut all = Vec::new();
    for found in services(turn, &cluster) {
        if service.is_some_and(|name| name != found.name) {
            continue;
        }
        for group in &found.groups {
            let stage = group.stage(turn.now);
            let family = group.definition.split(':').next();
            if stage == Stage::Absent
                || stage.desired() != desired
                || text("family").is_some_and(|only| family != Some(only))
            {
                continue;
            }
            let task = |number| arn(turn, &format!("task/{cluster}/{}", id(turn, found, number)));
            all.extend(group.numbers().map(task));
        }
    }
    all.sort();
    page(turn, "taskArns", all, MOST)
}

/// `DescribeTasks`.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let cluster = cluster(turn)?;
    let wanted = texts(turn, "tasks")?;
    if wanted.is_empty() || wanted.len() > MOST {
        return Err(invalid("Tasks must have between 1 and 100 elements."));
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for asked in wanted {
        match find(turn, &cluster, short(&asked)) {
            Some((service, group, number)) => {
                tasks.push(render(turn, service, group, &id(turn, service, number)));
            }
            None => {
                let place = arn(turn, &format!("task/{cluster}/{}", short(&asked)));
                failures.push(json!({ "arn": place, "reason": "MISSING" }));
            }
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

fn find<'a>(
    turn: &'a Turn<'_>,
    cluster: &str,
    wanted: &str,
) -> Option<(&'a Service, &'a Group, u32)> {
    for service in services(turn, cluster) {
        for group in service.groups.iter().filter(|group| group.stage(turn.now) != Stage::Absent) {
            let found = group.numbers().find(|number| id(turn, service, *number) == wanted);
            if let Some(number) = found {
                return Some((service, group, number));
            }
        }
    }
    None
}

fn render(turn: &Turn<'_>, service: &Service, group: &Group, id: &str) -> Value {
    let stage = group.stage(turn.now);
    let past = |instant: Option<chrono::DateTime<chrono::Utc>>| {
        instant.filter(|instant| *instant <= turn.now).map(epoch_seconds)
    };
    let mut task = json!({
        "taskArn": arn(turn, &format!("task/{}/{id}", service.cluster)),
        "clusterArn": arn(turn, &format!("cluster/{}", service.cluster)),
        "taskDefinitionArn": arn_of(turn, &group.definition),
        "group": format!("service:{}", service.name),
        "startedBy": group.deployment,
        "launchType": "FARGATE",
        "lastStatus": stage.name(),
        "desiredStatus": stage.desired(),
        "createdAt": epoch_seconds(group.created),
        "version": 1,
    });
    let reason = if group.crashed {
        ("EssentialContainerExited", "Essential container in task exited")
    } else {
        ("ServiceSchedulerInitiated", "Scaling activity initiated by deployment")
    };
    for (field, value) in [
        ("startedAt", past(group.running).map(Value::from)),
        ("stoppingAt", past(group.stopping).map(Value::from)),
        ("stoppedAt", past(group.stopped).map(Value::from)),
        ("stopCode", past(group.stopping).map(|_| Value::from(reason.0))),
        ("stoppedReason", past(group.stopping).map(|_| Value::from(reason.1))),
    ] {
        if let Some(value) = value {
            task[field] = value;
        }
    }
    task
}
