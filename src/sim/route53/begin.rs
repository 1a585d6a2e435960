//! How zones and health checks begin: as the estate has them.
//!
//! **Invariant:** what the world has already is kept; ids and names are the estate's.

use super::names::canonical;
use super::state::{Alias, Follows, HealthCheck, HealthConfig, RecordSet, Version, Zone};
use crate::base::clock::simulated_epoch;
use crate::estate::{self, AliasTarget, Database, Environment, Estate};
use crate::sim::genesis::birth;
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Gives a world the zones and health checks of the estate that it has not.
pub(in crate::sim) fn begin(
    world: &mut World,
    estate: &Estate,
    environment: &Environment,
    databases: &BTreeMap<String, Database>,
) {
    for key in estate.health_checks.keys() {
        let Some(found) = estate.health_check_in(key, environment) else { continue };
        world.services.route53.health_checks.entry(found.id.clone()).or_insert_with(|| {
            let mut check = health_check(&found);
            let service = found.follows.as_ref();
            let service = service.and_then(|key| estate.service_in(key, environment));
            check.follows = service.map(|service| follows(service, environment, databases));
            check
        });
    }
    for key in estate.zones.keys() {
        let Some(found) = estate.zone_in(key, environment) else { continue };
        if !world.services.route53.zones.contains_key(&found.id) {
            let zone = zone(world, &found, (estate, environment), databases);
            world.services.route53.zones.insert(found.id, zone);
        }
    }
}

fn health_check(found: &estate::HealthCheck) -> HealthCheck {
    let config = HealthConfig {
        port: found.port.map(u32::from).or(Some(if found.kind == "HTTP" { 80 } else { 443 })),
        kind: found.kind.clone(),
        path: found.path.clone(),
        host: found.host.clone(),
        interval: u32::try_from(found.interval.as_secs()).unwrap_or(30),
        threshold: found.failure_threshold,
        inverted: found.inverted,
        disabled: found.disabled,
        ..HealthConfig::default()
    };
    let mut check = HealthCheck::new(&found.id, &format!("estate-{}", found.id), config, birth());
    // Its first requests are just before the world begins, so that it knows how things stand.
    check.checked = simulated_epoch() - TimeDelta::minutes(30);
    check
}

/// The service, and the instance that it writes to.
fn follows(
    service: estate::Service,
    environment: &Environment,
    databases: &BTreeMap<String, Database>,
) -> Follows {
    let region = service.region.unwrap_or_else(|| environment.region.clone());
    let database = service.database.and_then(|key| databases.get(&key)).map(|found| {
        let region = found.region.as_ref().unwrap_or(&environment.region);
        (region.clone(), found.instance.to_lowercase())
    });
    Follows { region, cluster: service.cluster, service: service.service, database }
}

fn zone(
    world: &World,
    found: &estate::Zone,
    (estate, environment): (&Estate, &Environment),
    databases: &BTreeMap<String, Database>,
) -> Zone {
    let name = canonical(&found.name).unwrap_or_else(|_| ".".to_owned());
    let mut records = own(&name);
    for record in found.records.values() {
        records.extend(record_set(world, record, (estate, environment), databases));
    }
    records.sort_by_key(RecordSet::place);
    let in_sync: DateTime<Utc> = birth();
    Zone {
        id: found.id.clone(),
        name,
        private: found.private,
        versions: vec![Version { in_sync, records }],
        busy_until: in_sync,
    }
}

/// The records that every zone has.
fn own(name: &str) -> Vec<RecordSet> {
    let servers = ["ns-512.awsdns-00.net.", "ns-1024.awsdns-00.org.", "ns-1536.awsdns-00.co.uk."];
    let set = |kind: &str, ttl: u32, values: Vec<String>| RecordSet {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ttl: Some(ttl),
        values,
        ..RecordSet::default()
    };
    let soa = "ns-512.awsdns-00.net. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
    vec![
        set("NS", 172_800, servers.map(str::to_owned).to_vec()),
        set("SOA", 900, vec![soa.to_owned()]),
    ]
}

fn record_set(
    world: &World,
    record: &estate::ZoneRecord,
    (estate, environment): (&Estate, &Environment),
    databases: &BTreeMap<String, Database>,
) -> Option<RecordSet> {
    let database = record.database.as_ref().and_then(|key| databases.get(key));
    let endpoint = database.map(|found| {
        let region = found.region.as_deref().unwrap_or(&environment.region);
        world.address(region, &found.instance.to_lowercase())
    });
    let target = record.values.first().and_then(|value| AliasTarget::parse(value));
    let alias = target.and_then(|target| {
        let name = canonical(&target.name).ok()?;
        Some(Alias { zone: target.zone, name, evaluate: target.evaluate_health })
    });
    let values = match (&alias, endpoint) {
        (Some(_), _) => Vec::new(),
        (None, Some(endpoint)) => vec![endpoint],
        (None, None) => record.values.clone(),
    };
    let check = record.health_check.as_ref();
    Some(RecordSet {
        name: canonical(&record.name).ok()?,
        kind: record.kind.clone(),
        set_identifier: record.set_identifier.clone(),
        weight: record.weight,
        failover: record.failover.clone(),
        ttl: alias.is_none().then_some(record.ttl),
        values,
        alias,
        health_check: check.and_then(|key| Some(estate.health_check_in(key, environment)?.id)),
        ..RecordSet::default()
    })
}
