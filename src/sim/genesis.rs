//! How a world begins: the estate's databases, running for sixty days.
//!
//! **Invariant:** the same estate, environment and seed give the same world.

use crate::base::clock::simulated_epoch;
use crate::base::seed::Seed;
use crate::estate::{Database, Environment, Estate};
use crate::sim::api::SimError;
use crate::sim::services::Services;
use crate::sim::state::{
    Data, Instance, Link, Phase, Region, Settings, Slot, Status, WORLD_VERSION, World,
    maintenance_window,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// VPC of the subnet group `default`.
pub(in crate::sim) const DEFAULT_VPC: &str = "vpc-0default";

/// Age of the estate's instances when a world begins.
const AGE_DAYS: i64 = 60;

/// When the estate's instances were created.
pub(in crate::sim) fn birth() -> DateTime<Utc> {
    simulated_epoch() - TimeDelta::days(AGE_DAYS)
}

/// The databases as they are in `environment`, by their name in the estate.
pub(in crate::sim) fn databases(
    estate: &Estate,
    environment: &Environment,
) -> BTreeMap<String, Database> {
    estate
        .databases
        .keys()
        .filter_map(|key| Some((key.clone(), estate.database_in(key, environment)?)))
        .map(|(key, mut database)| {
            database.region.get_or_insert_with(|| environment.region.clone());
            (key, database)
        })
        .collect()
}

/// A new, empty world.
pub(in crate::sim) fn empty(estate: &Estate, environment: &Environment, seed: u64) -> World {
    World {
        version: WORLD_VERSION,
        seed,
        estate: estate.name.clone(),
        account: environment.account.clone(),
        time: simulated_epoch(),
        requests: 0,
        mutations: 0,
        regions: BTreeMap::new(),
        faults: Vec::new(),
        sessions: BTreeMap::new(),
        origins: BTreeSet::new(),
        lag_cliff: None,
        lost: Vec::new(),
        services: Services::default(),
    }
}

/// Adds the databases that the world does not have yet.
pub(in crate::sim) fn populate(
    world: &mut World,
    databases: &BTreeMap<String, Database>,
) -> Result<(), SimError> {
    for (key, database) in databases {
        if !world.origins.insert(key.clone()) {
            continue;
        }
        let origin = root(databases, key)
            .map_err(|reason| SimError::Estate { estate: world.estate.clone(), reason })?;
        let name = database.region.clone().unwrap_or_default();
        let instance = instance(world, &name, database, origin, databases);
        let region = world.regions.entry(name.clone()).or_default();
        groups(region, database);
        let id = instance.id.clone();
        if region.instances.insert(id.clone(), Slot::settled(instance)).is_some() {
            let reason = format!("two databases are instance `{id}` in {name}; rename one");
            return Err(SimError::Estate { estate: world.estate.clone(), reason });
        }
        region.generations.insert(id, 1);
    }
    Ok(())
}

/// The database at the start of a chain of replicas: it writes the data.
fn root(databases: &BTreeMap<String, Database>, key: &str) -> Result<String, String> {
    let mut at = key.to_owned();
    for _ in 0..=databases.len() {
        let Some(source) = databases.get(&at).and_then(|found| found.replica_of.clone()) else {
            return Ok(at);
        };
        let found = databases.iter().find(|(name, database)| {
            **name == source || database.instance.eq_ignore_ascii_case(&source)
        });
        match found {
            Some((name, _)) => at.clone_from(name),
            None => {
                return Err(format!(
                    "database `{at}` is a replica of `{source}`, which is not in it"
                ));
            }
        }
    }
    Err(format!("database `{key}` is a replica of itself"))
}

fn groups(region: &mut Region, database: &Database) {
    region.subnet_groups.insert("default".to_owned(), DEFAULT_VPC.to_owned());
    let vpc = vpc_of(&database.subnet_group);
    region.subnet_groups.insert(database.subnet_group.clone(), vpc.to_owned());
    for group in &database.security_groups {
        region.security_groups.insert(group.clone(), vpc.to_owned());
    }
    region.parameter_groups.insert(database.parameter_group.clone());
}

fn vpc_of(subnet_group: &str) -> &'static str {
    if subnet_group == "default" { DEFAULT_VPC } else { "vpc-0estate" }
}

fn instance(
    world: &World,
    region: &str,
    database: &Database,
    origin: String,
    databases: &BTreeMap<String, Database>,
) -> Instance {
    let id = database.instance.to_lowercase();
    let seed = world.seed();
    let vpc = vpc_of(&database.subnet_group);
    let security_groups = if database.security_groups.is_empty() {
        vec![world.default_security_group(vpc)]
    } else {
        database.security_groups.clone()
    };
    let born = birth();
    Instance {
        resource_id: resource_id(seed, region, &id, 1),
        zone: zone(seed, &format!("rds/{region}/{id}")),
        replica_of: replica_source(world, region, database, databases),
        engine: database.engine.clone(),
        engine_version: database.engine_version.clone(),
        db_name: database.database.clone(),
        user: database.user.clone(),
        kms_key: database.kms_key.as_deref().map(|key| key_arn(world, region, key)),
        tags: database.tags.clone(),
        settings: Settings {
            class: database.class.clone(),
            storage_gib: database.storage_gib,
            storage_type: database.storage_type.clone(),
            iops: None,
            multi_az: database.multi_az,
            retention_days: database.backup_retention_days,
            backup_window: database.backup_window.clone(),
            deletion_protection: database.deletion_protection,
            publicly_accessible: false,
            subnet_group: database.subnet_group.clone(),
            security_groups,
            parameter_group: database.parameter_group.clone(),
            parameter_status: "in-sync".to_owned(),
            log_exports: database.log_exports.clone(),
            copy_tags_to_snapshot: true,
            iam_auth: false,
            monitoring_seconds: 60,
            port: database.port,
            password: None,
            maintenance_window: maintenance_window(),
            performance_insights: false,
            auto_minor_upgrade: false,
        },
        pending: None,
        phases: vec![Phase { from: born, status: Status::Available }],
        created: Some(born),
        first_backup: (database.backup_retention_days > 0).then(|| born + TimeDelta::minutes(15)),
        hydration: None,
        data: Data { origin, point: None, wrong: None },
        original: true,
        due: Vec::new(),
        old_zone: None,
        old_passwords: Vec::new(),
        link: Link::Following,
        promoted: false,
        resolves_from: None,
        id,
    }
}

/// What `ReadReplicaSourceDBInstanceIdentifier` says: an ARN when the source is in another region.
fn replica_source(
    world: &World,
    region: &str,
    database: &Database,
    databases: &BTreeMap<String, Database>,
) -> Option<String> {
    let source = database.replica_of.as_deref()?;
    let (_, found) = databases.iter().find(|(name, database)| {
        name.as_str() == source || database.instance.eq_ignore_ascii_case(source)
    })?;
    let id = found.instance.to_lowercase();
    match found.region.as_deref() {
        Some(other) if other != region => Some(world.arn(other, "db", &id)),
        Some(_) | None => Some(id),
    }
}

/// `DbiResourceId` of the `generation`-th instance under this identifier.
pub(in crate::sim) fn resource_id(seed: Seed, region: &str, id: &str, generation: u32) -> String {
    let mut random = seed.stream(&format!("rds/{region}/{id}/resource/{generation}"));
    let letters: String = (0..26)
        .map(|_| {
            let at = random.usize(0..32);
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[at])
        })
        .collect();
    format!("db-{letters}")
}

/// AWS answers with a key's ARN whichever way it was named.
pub(in crate::sim) fn key_arn(world: &World, region: &str, key: &str) -> String {
    if key.starts_with("arn:") && key.contains(":key/") {
        return key.to_owned();
    }
    let id = uuid(world.seed(), &format!("kms/{region}/{key}"));
    format!("arn:aws:kms:{region}:{}:key/{id}", world.account)
}

/// One of the two zones that a simulated region has.
pub(in crate::sim) fn zone(seed: Seed, entity: &str) -> char {
    if seed.derive(&format!("{entity}/zone")).is_multiple_of(2) { 'a' } else { 'b' }
}

/// A stable UUID-like identifier for an entity.
pub(in crate::sim) fn uuid(seed: Seed, entity: &str) -> String {
    let (high, low) = (seed.derive(entity), seed.derive(&format!("{entity}/low")));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
