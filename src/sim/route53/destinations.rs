//! Where names lead: the databases of the places that a name may be answered with.
//!
//! **Invariant:** what chance may answer is told, not what it answers once.

use super::resolve::{Asked, answerable};
use super::state::RecordSet;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Each name with the region and identifier of a database that it leads to at `at`: one whose endpoint is answered,
/// else the one of the service that the set's health check follows. Of what has neither nobody knows where it leads.
pub(in crate::sim) fn destinations(
    world: &World,
    at: DateTime<Utc>,
) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for zone in world.services.route53.zones.values() {
        let mut names: BTreeMap<(&str, &str), Vec<&RecordSet>> = BTreeMap::new();
        for set in zone.served(at) {
            names.entry((&set.name, &set.kind)).or_default().push(set);
        }
        for ((name, kind), sets) in names {
            let asked = Asked { name, kind, at, draw: 0 };
            for set in answerable(world, &sets, asked) {
                let part = set.set_identifier.as_ref().map(|set| format!(" ({set})"));
                let label = format!("{}{}", name.trim_end_matches('.'), part.unwrap_or_default());
                let places = databases(world, set).into_iter();
                found.extend(places.map(|(region, id)| (label.clone(), region, id)));
            }
        }
    }
    found
}

fn databases(world: &World, set: &RecordSet) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (region, state) in &world.regions {
        let named = |id: &&String| {
            let address = world.address(region, id);
            set.values.iter().any(|value| value.trim_end_matches('.') == address)
        };
        found.extend(state.instances.keys().filter(named).map(|id| (region.clone(), id.clone())));
    }
    if !found.is_empty() {
        return found;
    }
    let checks = &world.services.route53.health_checks;
    let check = set.health_check.as_ref().and_then(|id| checks.get(id));
    let follows = check.and_then(|check| check.follows.as_ref());
    follows.and_then(|follows| follows.database.clone()).into_iter().collect()
}
