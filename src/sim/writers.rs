//! Who takes writes in a world, and whether somebody can reach it: what a hunt for two writers asks.
//!
//! **Invariant:** a function of the stored state and the instant; a group whose ingress nobody described lets
//! everybody in.

use crate::sim::state::{Instance, World};
use chrono::{DateTime, Utc};

/// An instance of the estate that takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWriter {
    /// Its region.
    pub region: String,
    /// Its identifier.
    pub instance: String,
    /// Name of the estate's database whose data it holds.
    pub origin: String,
    /// Whether none of its security groups lets anybody in to its port.
    pub fenced: bool,
}

impl World {
    /// The instances that take writes at `now`: originals and promoted replicas. What a restore made holds
    /// the data of an instant, and nobody writes there yet.
    pub(in crate::sim) fn open_writers(&self, now: DateTime<Utc>) -> Vec<OpenWriter> {
        let mut found = Vec::new();
        for (region, state) in &self.regions {
            let all = state.instances.values().filter_map(|slot| slot.current.as_ref());
            let writes = |instance: &&Instance| {
                instance.status(now).answers()
                    && instance.replica_of.is_none()
                    && (instance.promoted || instance.data.point.is_none())
                    && !self.hides(instance)
            };
            for instance in all.filter(writes) {
                let groups = &instance.settings.security_groups;
                let port = i32::from(instance.settings.port);
                let open = |group: &String| self.services.ec2.lets_in(region, group, port);
                found.push(OpenWriter {
                    region: region.clone(),
                    instance: instance.id.clone(),
                    origin: instance.data.origin.clone(),
                    fenced: !groups.iter().any(open),
                });
            }
        }
        found
    }
}
