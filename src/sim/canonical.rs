//! A world's resources in canonical form.
//!
//! **Invariant:** two runs that leave the same estate behind give the same value, whenever and with
//! however many requests they did it.

use crate::base::clock::format_instant;
use crate::sim::ecs;
use crate::sim::genesis::uuid;
use crate::sim::state::{Instance, World};
use serde_json::{Value, json};

/// The resources of `world` at its latest instant.
pub(in crate::sim) fn state(world: &World) -> Value {
    let regions: serde_json::Map<String, Value> = world
        .regions
        .iter()
        .map(|(name, region)| {
            let instances: serde_json::Map<String, Value> = region
                .instances
                .values()
                .filter_map(|slot| slot.current.as_ref())
                .filter(|instance| instance.exists(world.time))
                .map(|found| (found.id.clone(), instance(found, world)))
                .collect();
            let snapshots: serde_json::Map<String, Value> = region
                .snapshots
                .values()
                .filter_map(|slot| slot.current.as_ref())
                .map(|snapshot| {
                    let value = json!({
                        "instance": snapshot.instance.resource_id,
                        "tags": snapshot.tags,
                    });
                    (snapshot.id.clone(), value)
                })
                .collect();
            let retained: Vec<&String> = region.retained.keys().collect();
            let value = json!({
                "instances": instances,
                "snapshots": snapshots,
                "retained_backups": retained,
                "replicated_backups": region.replicated.keys().collect::<Vec<_>>(),
            });
            (name.clone(), value)
        })
        .collect();
    let buckets: serde_json::Map<String, Value> = world
        .services
        .buckets
        .iter()
        .map(|(name, bucket)| {
            let objects: serde_json::Map<String, Value> = bucket
                .objects
                .iter()
                .map(|(key, versions)| {
                    let tags = versions.iter().map(|version| match version.marker {
                        true => "delete marker",
                        false => version.etag.as_str(),
                    });
                    (key.clone(), tags.collect::<Vec<_>>().into())
                })
                .collect();
            (name.clone(), json!({ "region": bucket.region, "objects": objects }))
        })
        .collect();
    json!({
        "buckets": buckets,
        "services": ecs::canonical(world),
        "estate": world.estate,
        "account": world.account,
        "seed": world.seed,
        "regions": regions,
        "ingress": world.services.ec2.canonical(),
        "secrets": secrets(world),
    })
}

/// Which version of each changed secret is current, where it is not the one that it began with.
fn secrets(world: &World) -> serde_json::Map<String, Value> {
    let changed = world.services.secrets.iter();
    changed
        .filter_map(|(name, changes)| {
            let newest = changes.versions.last().map(|version| version.id.clone());
            let current = changes.staged.as_ref().map(|(current, _)| current.clone()).or(newest)?;
            let (_, secret) = name.split_once('/')?;
            let first = uuid(world.seed(), &format!("secret/{secret}/AWSCURRENT"));
            (current != first).then(|| (name.clone(), current.into()))
        })
        .collect()
}

fn instance(instance: &Instance, world: &World) -> Value {
    // Where a restore stands is a question of when, not of what.
    let status = instance.status(world.time).settled();
    json!({
        "resource_id": instance.resource_id,
        "status": status.name(),
        "engine": instance.engine,
        "engine_version": instance.engine_version,
        "kms_key": instance.kms_key,
        "replica_of": instance.replica_of,
        "tags": instance.tags,
        "settings": instance.settings,
        "pending": instance.pending.as_ref().map(|pending| &pending.settings),
        "data": {
            "origin": instance.data.origin,
            // When a replica was promoted is a question of when, too.
            "point": match instance.promoted {
                true => Some("promoted".to_owned()),
                false => instance.data.point.map(format_instant),
            },
            "wrong": instance.data.wrong,
        },
    })
}
