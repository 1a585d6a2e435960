//! Finds the instance behind an endpoint and lets a caller in, or not.
//!
//! **Invariant:** a restored instance has the passwords of its restore point, and nobody reaches an
//! instance that is not up.

use crate::base::digest::Digest;
use crate::base::secret::ExposeSecret as _;
use crate::estate::Database;
use crate::sim::api::{SimQuery, SimRows, SimSqlFault};
use crate::sim::secrets::{Version, password, rotated};
use crate::sim::sql::content::Content;
use crate::sim::sql::server::Server;
use crate::sim::state::{Instance, World};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// How far a read replica is behind.
const REPLICA_LAG_SECONDS: i64 = 1;

/// The database servers of a world, started when first asked, by resource id.
pub(in crate::sim) struct Databases {
    estate: String,
    servers: BTreeMap<String, Server>,
}

impl Databases {
    /// No server yet.
    pub(in crate::sim) fn new(estate: &str) -> Self {
        Self { estate: estate.to_owned(), servers: BTreeMap::new() }
    }

    /// The same for another world, without what was written in this one.
    pub(in crate::sim) fn fresh(&self) -> Self {
        Self::new(&self.estate)
    }

    /// Runs one statement.
    pub(in crate::sim) fn query(
        &mut self,
        world: &World,
        databases: &BTreeMap<String, Database>,
        query: &SimQuery,
        now: DateTime<Utc>,
    ) -> Result<SimRows, SimSqlFault> {
        let instance = find(world, query, now)?;
        let point = instance.data.point.unwrap_or(now);
        if !admits(world, instance, point, query) {
            return Err(SimSqlFault::Authentication { user: query.user.clone() });
        }
        if query.database != instance.db_name && query.database != "postgres" {
            let message = format!("database \"{}\" does not exist", query.database);
            return Err(SimSqlFault::sql("3D000", message));
        }
        let shown = match &instance.replica_of {
            Some(_) => point - TimeDelta::seconds(REPLICA_LAG_SECONDS),
            None => point,
        };
        let name = format!("{}/{}", instance.resource_id, query.database);
        if !self.servers.contains_key(&name) {
            let content = Content::of(&self.estate, world, databases, instance, &query.database);
            self.servers.insert(name.clone(), Server::start(content, instance, &query.database)?);
        }
        let server = self.servers.get_mut(&name).expect("inserted above");
        server.run(query, shown)
    }
}

fn find<'a>(
    world: &'a World,
    query: &SimQuery,
    now: DateTime<Utc>,
) -> Result<&'a Instance, SimSqlFault> {
    let unreachable =
        |reason: String| SimSqlFault::Unreachable { host: query.host.clone(), reason };
    let found = world.regions.iter().find_map(|(region, state)| {
        state
            .instances
            .values()
            .filter_map(|slot| slot.current.as_ref())
            .filter(|instance| instance.exists(now) && !world.hides(instance))
            .find(|instance| world.address(region, &instance.id) == query.host)
    });
    let instance = found.ok_or_else(|| unreachable("the name does not resolve".to_owned()))?;
    let status = instance.status(now);
    if !status.answers() {
        return Err(unreachable(format!("connection timed out, instance is {}", status.name())));
    }
    if query.port != instance.settings.port {
        return Err(unreachable(format!("nothing listens on port {}", query.port)));
    }
    Ok(instance)
}

fn admits(world: &World, instance: &Instance, point: DateTime<Utc>, query: &SimQuery) -> bool {
    let given = query.password.expose_secret();
    let right = match &instance.settings.password {
        Some(digest) => Digest::of(given.as_bytes()).as_str() == digest,
        None => {
            let version = if point < rotated() { Version::Previous } else { Version::Current };
            given == password(world.seed(), &instance.data.origin, version)
        }
    };
    right && query.user == instance.user
}
