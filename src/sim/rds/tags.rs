//! `ListTagsForResource`, `AddTagsToResource`, `RemoveTagsFromResource`.
//!
//! **Invariant:** tags belong to an instance or a manual snapshot, named by ARN.

use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::{Turn, no_result};
use crate::sim::rds::choices::check_tags;
use crate::sim::rds::{render, snapshots};
use crate::sim::world::instance_not_found;
use crate::sim::xml::Xml;
use std::collections::BTreeMap;

/// A resource that has tags.
enum Target {
    Instance(String),
    Snapshot(String),
}

fn target(turn: &Turn<'_>) -> Result<Target, ApiError> {
    let arn = turn.params.required("ResourceName")?;
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let account = turn.world.account.as_str();
    match parts.as_slice() {
        ["arn", "aws", "rds", region, owner, kind, id]
            if *region == turn.region && *owner == account =>
        {
            match *kind {
                "db" => Ok(Target::Instance(id.to_lowercase())),
                "snapshot" => Ok(Target::Snapshot(id.to_lowercase())),
                _ => Err(invalid(arn)),
            }
        }
        _ => Err(invalid(arn)),
    }
}

fn invalid(arn: &str) -> ApiError {
    ApiError::sender("InvalidParameterValue", format!("Invalid resource name: {arn}"))
}

/// `ListTagsForResource`.
pub(in crate::sim::rds) fn list(turn: &mut Turn<'_>) -> Outcome {
    let tags = match target(turn)? {
        Target::Instance(id) => turn
            .world
            .seen_instances(&turn.region, turn.now)
            .find(|instance| instance.id == id)
            .map(|instance| instance.tags.clone())
            .ok_or_else(|| instance_not_found(&id))?,
        Target::Snapshot(id) => snapshots::all(turn, snapshots::View::Seen)
            .into_iter()
            .find(|snapshot| snapshot.id == id)
            .map(|snapshot| snapshot.tags)
            .ok_or_else(|| snapshots::not_found(&id))?,
    };
    let mut xml = Xml::default();
    render::tags(&mut xml, &tags);
    Ok(Body::Result(Some(xml)))
}

/// `AddTagsToResource`: values of keys that exist are replaced.
pub(in crate::sim::rds) fn add(turn: &mut Turn<'_>) -> Outcome {
    let Some(added) = turn.params.tags() else {
        let message = "The request must contain the parameter Tags.";
        return Err(ApiError::sender("MissingParameter", message));
    };
    change(turn, "tags added", |tags| tags.extend(added))
}

/// `RemoveTagsFromResource`: keys that do not exist are ignored.
pub(in crate::sim::rds) fn remove(turn: &mut Turn<'_>) -> Outcome {
    let Some(keys) = turn.params.list("TagKeys.member") else {
        let message = "The request must contain the parameter TagKeys.";
        return Err(ApiError::sender("MissingParameter", message));
    };
    change(turn, "tags removed", |tags| tags.retain(|key, _| !keys.contains(key)))
}

fn change(
    turn: &mut Turn<'_>,
    effect: &str,
    edit: impl FnOnce(&mut BTreeMap<String, String>),
) -> Outcome {
    let target = target(turn)?;
    let now = turn.now;
    match target {
        Target::Instance(id) => {
            let mut instance = turn.world.instance(&turn.region, &id, now)?.clone();
            edit(&mut instance.tags);
            check_tags(&instance.tags)?;
            let stale = turn.stale_until(&id);
            if let Some(slot) = turn.region_mut().instances.get_mut(&id) {
                slot.replace(Some(instance), now, stale);
            }
            turn.changed(&id, effect);
        }
        Target::Snapshot(id) => {
            let stale = turn.stale_until(&id);
            let slot = turn.region_mut().snapshots.get_mut(&id);
            let Some((slot, mut snapshot)) =
                slot.and_then(|slot| slot.current.clone().map(|current| (slot, current)))
            else {
                return Err(snapshots::not_found(&id));
            };
            edit(&mut snapshot.tags);
            check_tags(&snapshot.tags)?;
            slot.replace(Some(snapshot), now, stale);
            turn.changed(&id, effect);
        }
    }
    no_result()
}
