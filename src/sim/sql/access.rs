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
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

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
        let (region, instance) = find(world, query, now)?;
        // A replica has its source's passwords of now; the data that it shows is a little older.
        let point = instance.data.point.unwrap_or(now);
        if !admits(world, (region, instance), point, query) {
            return Err(SimSqlFault::Authentication { user: query.user.clone() });
        }
        if query.database != instance.db_name && query.database != "postgres" {
            let message = format!("database \"{}\" does not exist", query.database);
            return Err(SimSqlFault::sql("3D000", message));
        }
        let shown = world.data_as_of(instance, now);
        // A promoted replica takes writes: it is another server.
        let role = if instance.replica_of.is_some() { "replica" } else { "writer" };
        let name = format!("{}/{role}/{}", instance.resource_id, query.database);
        // A replica that fell further behind shows older data: nothing that it wrote is lost.
        let back = |server: &Server| server.shown().is_some_and(|last| shown < last);
        if role == "replica" && self.servers.get(&name).is_some_and(back) {
            self.servers.remove(&name);
        }
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
) -> Result<(&'a str, &'a Instance), SimSqlFault> {
    let unreachable =
        |reason: String| SimSqlFault::Unreachable { host: query.host.clone(), reason };
    let found = world.regions.iter().find_map(|(region, state)| {
        state
            .instances
            .values()
            .filter_map(|slot| slot.current.as_ref())
            .filter(|instance| instance.exists(now) && !world.hides(instance))
            .filter(|instance| instance.resolves_from.is_none_or(|from| from <= now))
            .find(|instance| world.address(region, &instance.id) == query.host)
            .map(|instance| (region.as_str(), instance))
    });
    let (region, instance) =
        found.ok_or_else(|| unreachable("the name does not resolve".to_owned()))?;
    if let Some(lost) = world.lost(region, now) {
        return Err(unreachable(lost.sign().to_owned()));
    }
    let status = instance.status(now);
    if !status.answers() {
        return Err(unreachable(format!("connection timed out, instance is {}", status.name())));
    }
    if query.port != instance.settings.port {
        return Err(unreachable(format!("nothing listens on port {}", query.port)));
    }
    Ok((region, instance))
}

fn admits(
    world: &World,
    (region, instance): (&str, &Instance),
    point: DateTime<Utc>,
    query: &SimQuery,
) -> bool {
    let given = query.password.expose_secret();
    // A replica follows its source's password as well.
    let source = world.source_of(region, instance).unwrap_or(instance);
    let right = match &source.settings.password {
        Some(digest) => Digest::of(given.as_bytes()).as_str() == digest,
        None => {
            let version = if point < rotated() { Version::Previous } else { Version::Current };
            given == password(world.seed(), &instance.data.origin, version)
        }
    };
    right && query.user == instance.user
}
