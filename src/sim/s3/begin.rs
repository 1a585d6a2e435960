//! Gives a world the buckets of its estate: configuration, objects and what became of their replication.
//!
//! **Invariant:** a bucket that the world has is left as it is; the same estate and seed give the same buckets.

use crate::base::clock::{simulated_epoch, to_delta};
use crate::estate::{
    Bucket as Facts, BucketObject, Environment, EnvironmentKind, Estate, Generated as Wanted,
    ObjectContent, Replicated, Versioning,
};
use crate::sim::genesis::birth;
use crate::sim::s3::facts::configuration;
use crate::sim::s3::generated::{Generated, Made, Planted};
use crate::sim::s3::lifecycle::midnight;
use crate::sim::s3::state::{Bucket, CopyState, STANDARD, Version};
use crate::sim::s3::{buckets, encryption, inventory, lock, replicate, write};
use crate::sim::state::World;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Gives a world the buckets of its estate and environment.
pub(in crate::sim) fn begin(world: &mut World, estate: &Estate, environment: &Environment) {
    if let EnvironmentKind::Simulated(simulation) = &environment.kind {
        buckets::begin(world, &environment.region, &simulation.buckets);
    }
    let all: BTreeMap<&String, Facts> = estate
        .buckets
        .keys()
        .filter_map(|key| Some((key, estate.bucket_in(key, environment)?)))
        .collect();
    let names: BTreeMap<&str, &str> =
        all.iter().map(|(key, facts)| (key.as_str(), facts.name.as_str())).collect();
    let new: Vec<&String> = all
        .iter()
        .filter(|(_, facts)| !world.services.buckets.contains_key(&facts.name))
        .map(|(key, _)| *key)
        .collect();
    for key in &new {
        let facts = &all[key];
        let region = facts.region.as_deref().unwrap_or(&environment.region);
        let bucket = Bucket {
            versioning: facts.versioning,
            config: configuration(world, facts, &names),
            ..Bucket::new(region, birth())
        };
        world.services.buckets.insert(facts.name.clone(), bucket);
    }
    for key in &new {
        let facts = &all[key];
        for object in &facts.objects {
            put(world, facts, object);
        }
        if let Some(wanted) = &facts.generated {
            let made = generated(world, &all, key, wanted);
            if let Some(bucket) = world.services.buckets.get_mut(&facts.name) {
                bucket.generated = made;
            }
        }
    }
    if !new.is_empty() {
        inventory::write_all(world, midnight(simulated_epoch()));
    }
}

fn put(world: &mut World, facts: &Facts, object: &BucketObject) {
    let place = (facts.name.as_str(), object.key.as_str());
    let modified = simulated_epoch() - to_delta(object.age);
    let mut version = match &object.content {
        ObjectContent::Text(text) => Version::new(text.clone().into_bytes(), modified),
        ObjectContent::Bytes(size) => {
            let salt = world.seed().derive(&format!("s3/{}/{}", facts.name, object.key));
            let made = Made { salt, size: *size };
            let etag = made.etag();
            Version { etag, made: Some(made), ..Version::new(Vec::new(), modified) }
        }
        ObjectContent::Deleted => Version { modified, marker: true, ..Version::default() },
    };
    let Some(bucket) = world.services.buckets.get(&facts.name) else { return };
    if facts.versioning != Versioning::Never {
        let count = bucket.versions(&object.key).len();
        version.id = write::new_id(world.seed(), &format!("s3/{}/{}/{count}", place.0, place.1));
    }
    if !version.marker {
        version.metadata.clone_from(&object.metadata);
        version.tags.clone_from(&object.tags);
        version.extra.class = Some(object.storage_class.clone()).filter(|class| class != STANDARD);
        version.extra.kms_key = encryption::default_key(world, bucket);
        version.extra.lock = lock::default(bucket, modified);
        encryption::tag(&mut version);
    }
    let state = match object.replicated {
        Some(Replicated::None) => None,
        Some(Replicated::Pending) => Some(CopyState::Pending),
        Some(Replicated::Failed) => Some(CopyState::Failed),
        Some(Replicated::Completed) | None => Some(CopyState::Completed),
    };
    replicate::begun(world, place, &mut version, state);
    if let Some(bucket) = world.services.buckets.get_mut(&facts.name) {
        bucket.insert(&object.key, version);
    }
}

fn generated(
    world: &World,
    all: &BTreeMap<&String, Facts>,
    key: &String,
    wanted: &Wanted,
) -> Option<Generated> {
    let salt = |facts: &Facts| world.seed().derive(&format!("s3/{}/generated", facts.name));
    let planted = |facts: &Facts, wanted: &Wanted| Planted {
        salt: salt(facts) ^ world.seed().derive("s3/differs"),
        missing: wanted.differs.missing,
        changed: wanted.differs.changed,
        extra: wanted.differs.extra,
    };
    let replicates = |from: &Facts, to: &String| from.replication.iter().any(|rule| rule.to == *to);
    let facts = all.get(key)?;
    let original_key = wanted.mirror_of.as_ref().unwrap_or(key);
    let original = all.get(original_key)?;
    let source = original.generated.as_ref()?;
    let mirror = wanted.mirror_of.is_some();
    let mirrored = all.iter().filter(|_| !mirror).find_map(|(other, there)| {
        let theirs = there.generated.as_ref().filter(|it| it.mirror_of.as_ref() == Some(key))?;
        let told = (there.name.clone(), planted(there, theirs));
        replicates(facts, other).then_some(told)
    });
    Some(Generated {
        salt: salt(original),
        keys: source.keys,
        prefix: source.prefix.clone(),
        size: source.size,
        newest: simulated_epoch() - TimeDelta::hours(1),
        differs: mirror.then(|| planted(facts, wanted)),
        replica: mirror && replicates(original, key),
        mirrored,
    })
}
