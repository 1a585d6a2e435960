//! Changes to a version that leave its content alone: tags, retention, legal hold, copies out of archives.
//!
//! **Invariant:** what replication copied once follows such a change.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket_mut;
use crate::sim::s3::objects::found;
use crate::sim::s3::replicate;
use crate::sim::s3::state::Version;

/// Lets `how` change the version that the request is about; its id where ids are told.
pub(super) fn change(
    turn: &mut Turn<'_>,
    effect: &str,
    how: impl FnOnce(&mut Version) -> Result<(), ApiError>,
) -> Result<Option<String>, ApiError> {
    let mut changed = found(turn)?;
    let id = changed.id().to_owned();
    how(&mut changed)?;
    let (name, key) = (turn.s3.bucket.clone(), turn.s3.key.clone());
    let bucket = bucket_mut(turn)?;
    let told = bucket.is_versioned();
    let versions = bucket.versions_mut(&key);
    if let Some(version) = versions.iter_mut().find(|version| version.id() == id) {
        *version = changed;
    }
    replicate::again(turn.world, (&name, &key), &id);
    turn.changed(&format!("{name}/{key}"), effect);
    Ok(told.then_some(id))
}
