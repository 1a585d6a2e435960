//! `DescribeServices`, `ListServices` and `UpdateService`.
//!
//! **Invariant:** another number of tasks starts no deployment; another task definition or
//! `forceNewDeployment` does.

use super::page::page;
use super::render::{self, service_arn};
use super::rollout::{self, Fate};
use super::service::{Service, Wanted};
use super::{cluster, definitions, invalid, place, short, texts};
use crate::sim::answer::ApiError;
use crate::sim::dispatch::{Turn, strike};
use crate::sim::faults::FaultKind;
use serde_json::{Value, json};

/// Most services of one `DescribeServices`.
const MOST: usize = 10;

/// `DescribeServices`: what is not there is a failure in an answer of success.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let cluster = cluster(turn)?;
    let wanted = texts(turn, "services")?;
    if wanted.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if wanted.len() > MOST {
        return Err(invalid("Services cannot have more than 10 elements."));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for asked in wanted {
        let name = short(&asked);
        let slot = turn.world.services.ecs.services.get(&place(&turn.region, &cluster, name));
        match slot.and_then(|slot| slot.seen(turn.now)) {
            Some(service) => found.push(render::service(turn, service)),
            None => {
                let arn = service_arn(turn, &cluster, name);
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
            }
        }
    }
    Ok(json!({ "services": found, "failures": failures }))
}

/// `ListServices`.
pub(super) fn list(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let cluster = cluster(turn)?;
    let slots = turn.world.services.ecs.services.values();
    let here = slots
        .filter_map(|slot| slot.seen(turn.now))
        .filter(|found| found.region == turn.region && found.cluster == cluster);
    let arns = here.map(|found| service_arn(turn, &cluster, &found.name)).collect();
    page(turn, "serviceArns", arns, MOST)
}

/// What an `UpdateService` changes.
#[derive(Debug, Default)]
struct Update {
    desired: Option<u32>,
    /// `family:revision`.
    definition: Option<String>,
    force: bool,
    minimum: Option<u32>,
    maximum: Option<u32>,
    breaker: Option<bool>,
}

fn number(value: &Value, field: &str) -> Result<Option<u32>, ApiError> {
    match value {
        Value::Null => Ok(None),
        given => given
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| invalid(format!("{field} must be a whole number from 0."))),
    }
}

fn read(turn: &Turn<'_>) -> Result<Update, ApiError> {
    let configuration = &turn.input["deploymentConfiguration"];
    let definition = match &turn.input["taskDefinition"] {
        Value::Null => None,
        given => {
            let name = given.as_str().ok_or_else(|| invalid("taskDefinition must be text."))?;
            let (family, found) = definitions::find(turn, name)?;
            if found.inactive.is_some() {
                return Err(ApiError::sender("ClientException", "TaskDefinition is inactive"));
            }
            Some(format!("{family}:{}", found.revision))
        }
    };
    Ok(Update {
        desired: number(&turn.input["desiredCount"], "desiredCount")?,
        definition,
        force: turn.input["forceNewDeployment"].as_bool().unwrap_or(false),
        minimum: number(&configuration["minimumHealthyPercent"], "minimumHealthyPercent")?,
        maximum: number(&configuration["maximumPercent"], "maximumPercent")?,
        breaker: configuration["deploymentCircuitBreaker"]["enable"].as_bool(),
    })
}

/// `UpdateService`. The same call twice is the same service, but for `forceNewDeployment`, which starts
/// a deployment each time.
pub(super) fn update(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let cluster = cluster(turn)?;
    let name = match &turn.input["service"] {
        Value::String(text) if !text.is_empty() => short(text).to_owned(),
        _ => return Err(invalid("Service can not be blank.")),
    };
    let key = place(&turn.region, &cluster, &name);
    let slot = turn.world.services.ecs.services.get(&key);
    let current = slot.and_then(|slot| slot.current.clone());
    let Some(mut service) = current else {
        return Err(ApiError::sender("ServiceNotFoundException", "Service not found."));
    };
    let update = read(turn)?;
    let said = apply(turn, &mut service, &update)?;
    if !said.is_empty() {
        let stale = turn.stale_until(&format!("ecs/{cluster}/{name}"));
        let now = turn.now;
        let slot = turn.world.services.ecs.services.entry(key);
        slot.and_modify(|slot| slot.replace(Some(service.clone()), now, stale));
        turn.changed(&name, said.join(", "));
    }
    Ok(json!({ "service": render::service(turn, &service) }))
}

/// Changes the service; what was changed, in words.
fn apply(
    turn: &mut Turn<'_>,
    service: &mut Service,
    update: &Update,
) -> Result<Vec<String>, ApiError> {
    let now = turn.now;
    let minimum = update.minimum.unwrap_or(service.minimum_percent);
    let maximum = update.maximum.unwrap_or(service.maximum_percent);
    if minimum > 100 || maximum < 100 || minimum == maximum {
        return Err(invalid("Invalid deployment configuration."));
    }
    let breaker = update.breaker.unwrap_or(service.breaker);
    let mut said = Vec::new();
    if (minimum, maximum, breaker)
        != (service.minimum_percent, service.maximum_percent, service.breaker)
    {
        said.push(format!("deployments keep {minimum} to {maximum} %"));
        (service.minimum_percent, service.maximum_percent) = (minimum, maximum);
        service.breaker = breaker;
    }
    let running = service.primary(now).map(|found| found.definition.clone()).unwrap_or_default();
    let definition = update.definition.clone().unwrap_or_else(|| running.clone());
    let deploys = update.force || definition != running;
    let desired = update.desired.filter(|count| *count != service.desired(now));
    if desired.is_none() && !deploys {
        return Ok(said);
    }
    let fate = Fate::of(turn.world);
    service.strip(now);
    if let Some(count) = desired {
        said.push(format!("desired count {} to {count}", service.desired(now)));
        service.wanted.push(Wanted { from: now, count });
    }
    if deploys {
        let fault = turn.world.fault(FaultKind::DeploymentFails);
        let fails = fault.is_some_and(|fault| fault.struck == 0);
        if fails {
            strike(turn, FaultKind::DeploymentFails);
        }
        said.push(format!("new deployment of {definition}"));
        rollout::deploy(service, now, &definition, fails, fate);
    }
    rollout::plan(service, now, fate);
    Ok(said)
}
