//! What ECS has when a world begins: the estate's services, running for sixty days.
//!
//! **Invariant:** a service that the world was given before is left as it is.

use super::definitions::Definition;
use super::place;
use super::rollout::Fate;
use super::service::{Deployment, Group, Service, Wanted};
use crate::estate::{Environment, Estate};
use crate::sim::api::SimError;
use crate::sim::genesis::birth;
use crate::sim::slot::Slot;
use crate::sim::state::World;

/// Adds the services that the world does not have yet.
pub(in crate::sim) fn begin(
    world: &mut World,
    estate: &Estate,
    environment: &Environment,
) -> Result<(), SimError> {
    for key in estate.services.keys() {
        let Some(found) = estate.service_in(key, environment) else { continue };
        let region = found.region.clone().unwrap_or_else(|| environment.region.clone());
        let place = place(&region, &found.cluster, &found.service);
        if world.services.ecs.origins.contains_key(key) {
            continue;
        }
        let service = service(world, &region, &found);
        let ecs = &mut world.services.ecs;
        ecs.origins.insert(key.clone(), place.clone());
        if ecs.services.insert(place, Slot::settled(service)).is_some() {
            let reason = format!(
                "two services are `{}` of cluster `{}` in {region}; rename one",
                found.service, found.cluster
            );
            return Err(SimError::Estate { estate: world.estate.clone(), reason });
        }
        let family = ecs.families.entry(format!("{region}/{}", found.family)).or_default();
        // The one that runs, and the one before it to go back to.
        for revision in found.revision.saturating_sub(1).max(1)..=found.revision {
            if family.iter().all(|known| known.revision != revision) {
                family.push(Definition { revision, registered: birth(), inactive: None });
            }
        }
        family.sort_by_key(|known| known.revision);
    }
    Ok(())
}

/// A service that has run as it should since the estate's beginning.
fn service(world: &World, region: &str, found: &crate::estate::Service) -> Service {
    let (born, definition) = (birth(), found.task_definition());
    let mut service = Service {
        region: region.to_owned(),
        cluster: found.cluster.clone(),
        name: found.service.clone(),
        born,
        wanted: vec![Wanted { from: born, count: found.desired }],
        minimum_percent: found.minimum_healthy_percent,
        maximum_percent: found.maximum_percent,
        breaker: true,
        deployments: Vec::new(),
        groups: Vec::new(),
        events: Vec::new(),
        serial: 1,
    };
    let id = Fate::of(world).deployment_id(&service, 0);
    service.deployments.push(Deployment {
        id: id.clone(),
        definition: definition.clone(),
        created: born,
        completed: Some(born),
        failed: None,
        gone: None,
        fails: false,
        rolls_back_to: None,
    });
    let first = service.next(found.desired);
    service.groups.extend((found.desired > 0).then_some(Group {
        first,
        count: found.desired,
        deployment: id,
        definition,
        created: born,
        running: Some(born),
        stopping: None,
        stopped: None,
        crashed: false,
    }));
    service
}
