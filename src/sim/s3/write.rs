//! The one way in which versions come and go.
//!
//! **Invariant:** whatever is written gets its id, its order and its replications here and nowhere else.

use crate::base::seed::Seed;
use crate::estate::Versioning;
use crate::sim::s3::replicate;
use crate::sim::s3::state::Version;
use crate::sim::state::World;

/// Length of a version id.
const ID: usize = 32;

/// Puts a version, or a delete marker, into a bucket that is there; its id where ids are told.
pub(super) fn put(
    world: &mut World,
    (bucket, key): (&str, &str),
    mut version: Version,
) -> Option<String> {
    let (seed, order) = (world.seed(), world.requests);
    let found = world.services.buckets.get(bucket)?;
    let (versioning, count) = (found.versioning, found.versions(key).len());
    version.order = order;
    if versioning == Versioning::Enabled {
        version.id = new_id(seed, &format!("s3/{bucket}/{key}/{order}/{count}"));
    }
    let tasks = replicate::plan(world, (bucket, key), &mut version);
    let id = version.id().to_owned();
    world.services.buckets.get_mut(bucket)?.insert(key, version);
    replicate::queue(world, tasks);
    (versioning != Versioning::Never).then_some(id)
}

/// What a deletion without a version id leaves: a delete marker and its id, or nothing.
pub(super) fn delete(world: &mut World, (bucket, key): (&str, &str)) -> Option<String> {
    let found = world.services.buckets.get_mut(bucket)?;
    if found.versioning == Versioning::Never {
        found.versions_mut(key).clear();
        found.tidy(key);
        return None;
    }
    let marker = Version { modified: world.time, marker: true, ..Version::default() };
    put(world, (bucket, key), marker)
}

/// Takes a version away for good; whether it was a delete marker. `None` when there was none.
pub(super) fn remove(world: &mut World, (bucket, key): (&str, &str), id: &str) -> Option<bool> {
    let found = world.services.buckets.get_mut(bucket)?;
    let at = found.versions(key).iter().position(|version| version.id() == id)?;
    let gone = found.versions_mut(key).remove(at);
    found.tidy(key);
    Some(gone.marker)
}

/// A version id of its own for each entity.
pub(super) fn new_id(seed: Seed, entity: &str) -> String {
    let mut random = seed.stream(entity);
    (0..ID).map(|_| random.alphanumeric()).collect()
}
