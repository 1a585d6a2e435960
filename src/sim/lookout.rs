//! A lookout over a world: who takes writes, and where names lead, at every instant at which that can change.
//!
//! **Invariant:** it changes nothing. Between calls a world changes at instants that are written down in it, and
//! each of them is looked at; so what was seen is exact and not a sample.

use crate::base::clock::to_delta;
use crate::estate::{Database, Environment, Estate};
use crate::sim::state::World;
use crate::sim::{dispatch, ecs, route53};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Something that must not be, as long as nobody has accepted it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Several instances hold the data of one database of the estate and take writes, and each has a client that
    /// reaches it: its region is there, a security group of its lets somebody in to its port, and a service of the
    /// estate whose `database` it is has a task in its region that runs, or was told to stop and has not yet.
    TwoWriters {
        /// The estate's database whose data they hold.
        origin: String,
        /// The instances: `us-east-1/orders`.
        writers: Vec<String>,
    },
    /// A name may be answered with a place whose database is a read replica.
    ReadOnly {
        /// `api.techcorp.example`, and its set where it has several.
        name: String,
        /// The replica: `us-west-2/orders-west`.
        replica: String,
    },
}

/// A danger, and how long it lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What was seen.
    pub danger: Danger,
    /// The first instant of it.
    pub from: DateTime<Utc>,
    /// The first instant without it; `None`: it was there at the last look.
    pub to: Option<DateTime<Utc>>,
}

/// What a lookout has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sightings {
    /// Since when it looks.
    pub since: DateTime<Utc>,
    /// How many instants it looked at.
    pub instants: u64,
    /// In the order in which they began.
    pub dangers: Vec<Sighting>,
}

/// A service of the estate that writes to a database.
#[derive(Debug, Clone)]
struct Client {
    region: String,
    cluster: String,
    service: String,
    /// Region and identifier of the instance.
    database: (String, String),
}

/// See [`Danger`].
#[derive(Debug, Clone)]
pub(in crate::sim) struct Lookout {
    clients: Vec<Client>,
    seen: Sightings,
}

impl Lookout {
    /// One over a world of `estate` in `environment`, from its latest instant on; `None` where no service writes to
    /// a database and there is no zone.
    pub(in crate::sim) fn over(
        world: &World,
        (estate, environment): (&Estate, &Environment),
        databases: &BTreeMap<String, Database>,
    ) -> Option<Self> {
        let services = estate.services.keys();
        let services = services.filter_map(|key| estate.service_in(key, environment));
        let clients: Vec<Client> = services
            .filter_map(|service| {
                let database = databases.get(service.database.as_ref()?)?;
                let home = database.region.as_ref().unwrap_or(&environment.region);
                Some(Client {
                    region: service.region.unwrap_or_else(|| environment.region.clone()),
                    cluster: service.cluster,
                    service: service.service,
                    database: (home.clone(), database.instance.to_lowercase()),
                })
            })
            .collect();
        if clients.is_empty() && estate.zones.is_empty() {
            return None;
        }
        let seen = Sightings { since: world.time, instants: 0, dangers: Vec::new() };
        let mut lookout = Self { clients, seen };
        lookout.look(world, world.time);
        Some(lookout)
    }

    /// What it has seen.
    pub(in crate::sim) fn seen(&self) -> &Sightings {
        &self.seen
    }

    /// Looks at each instant up to `now` at which `world` changes by itself; the world is as far then.
    pub(in crate::sim) fn until(&mut self, world: &mut World, now: DateTime<Utc>) {
        // What happens at one of them can bring others about.
        while let Some(at) = next_change(world).filter(|at| *at <= now) {
            world.time = at;
            dispatch::advance(world, at);
            self.look(world, at);
        }
    }

    /// Looks at `world` as it is at `at`.
    pub(in crate::sim) fn look(&mut self, world: &World, at: DateTime<Utc>) {
        self.seen.instants += 1;
        let mut now = self.two_writers(world, at);
        now.extend(read_only(world, at));
        for known in self.seen.dangers.iter_mut().filter(|known| known.to.is_none()) {
            if !now.remove(&known.danger) {
                known.to = Some(at);
            }
        }
        let new = now.into_iter().map(|danger| Sighting { danger, from: at, to: None });
        self.seen.dangers.extend(new);
    }

    fn two_writers(&self, world: &World, at: DateTime<Utc>) -> BTreeSet<Danger> {
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for writer in world.open_writers(at).into_iter().filter(|writer| !writer.fenced) {
            if world.lost(&writer.region, at).is_none()
                && self.has_client(world, (&writer.region, &writer.instance), at)
            {
                let place = format!("{}/{}", writer.region, writer.instance);
                open.entry(writer.origin).or_default().push(place);
            }
        }
        open.retain(|_, writers| writers.len() > 1);
        open.into_iter().map(|(origin, writers)| Danger::TwoWriters { origin, writers }).collect()
    }

    fn has_client(&self, world: &World, writer: (&str, &str), at: DateTime<Utc>) -> bool {
        self.clients.iter().any(|client| {
            let Client { region, cluster, service, database } = client;
            (database.0.as_str(), database.1.as_str()) == writer
                && region == writer.0
                && ecs::tasks_at_work(world, (region, cluster, service), at) > 0
        })
    }
}

/// Names that lead to read replicas at `at`. A region that is lost answers nobody, whatever it is.
fn read_only(world: &World, at: DateTime<Utc>) -> Vec<Danger> {
    let found = route53::destinations(world, at).into_iter().filter(|(_, region, id)| {
        let instance = world.instance(region, id, at);
        let replica = instance.is_ok_and(|instance| instance.replica_of.is_some());
        replica && world.lost(region, at).is_none()
    });
    found
        .map(|(name, region, id)| Danger::ReadOnly { name, replica: format!("{region}/{id}") })
        .collect()
}

/// The next instant at which the world changes by itself.
fn next_change(world: &World) -> Option<DateTime<Utc>> {
    let mut found = ecs::instants(world);
    let slots = world.regions.values().flat_map(|region| region.instances.values());
    for instance in slots.filter_map(|slot| slot.current.as_ref()) {
        found.extend(instance.phases.iter().map(|phase| phase.from));
        found.extend(instance.due.iter().map(|due| due.at));
    }
    for lost in &world.lost {
        found.extend([Some(lost.from), lost.until].into_iter().flatten());
    }
    let route53 = &world.services.route53;
    for zone in route53.zones.values() {
        found.extend(zone.versions.iter().map(|version| version.in_sync));
    }
    for check in route53.health_checks.values() {
        let every = Duration::from_secs(u64::from(check.config.interval.max(1)));
        found.push(check.checked + to_delta(every));
    }
    found.into_iter().filter(|at| *at > world.time).min()
}
