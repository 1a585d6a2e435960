//! `DeleteDBInstance`.
//!
//! **Invariant:** automated backups go with the instance unless the call says otherwise; manual
//! snapshots stay.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::choices::check_identifier;
use crate::sim::rds::{events, names, render, replica, snapshots};
use crate::sim::state::{Instance, Phase, Retained, Status};
use crate::sim::xml::Xml;

fn combination(message: &str) -> ApiError {
    ApiError::sender("InvalidParameterCombination", message)
}

/// Answers the call.
pub(in crate::sim::rds) fn instance(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    let status = instance.status(turn.now);
    if status == Status::Deleting {
        let message = format!("Instance {id} is already being deleted.");
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    let last = turn.params.text("FinalDBSnapshotIdentifier").map(str::to_lowercase);
    check(turn, &instance, last.as_deref())?;
    let drop_backups = turn.params.flag("DeleteAutomatedBackups")?.unwrap_or(true);
    let mut begin = turn.now;
    if let Some(snapshot) = last {
        begin = snapshots::take(turn, &instance, &snapshot)?;
    }
    let entity = format!("rds/{}/{}", turn.region, instance.resource_id);
    let gone = begin + to_delta(turn.world.clockwork().deleting(&entity));
    if !drop_backups && instance.settings.retention_days > 0 {
        let retained = Retained { instance: instance.clone(), deleted: turn.now };
        turn.region_mut().retained.insert(instance.resource_id.clone(), retained);
    }
    // What other regions hold of its backups stays there.
    let (now, resource) = (turn.now, instance.resource_id.clone());
    for region in turn.world.regions.values_mut() {
        if let Some(copied) = region.replicated.get_mut(&resource) {
            copied.stop(now, &instance);
        }
    }
    replica::orphan(turn, &instance);
    let before = instance.clone();
    instance.reschedule(
        turn.now,
        [
            Phase { from: turn.now, status: Status::Deleting },
            Phase { from: gone, status: Status::Gone },
        ],
    );
    instance.pending = None;
    instance.due.clear();
    events::cancel(turn, &id);
    events::note(turn, &id, gone, "deletion", "DB instance deleted");
    let mut xml = Xml::default();
    render::instance(&mut xml, turn.world, &turn.region, &instance, turn.now);
    turn.changed(&id, "deleting");
    let (now, stale) = (turn.now, turn.stale_until(&id));
    if let Some(slot) = turn.region_mut().instances.get_mut(&id) {
        slot.replace(Some(instance), now, stale);
        // A read that is still stale shows the instance that was there, not a gap.
        slot.before = slot.before.take().or(Some(before));
    }
    Ok(Body::Result(Some(xml)))
}

fn check(turn: &Turn<'_>, instance: &Instance, last: Option<&str>) -> Result<(), ApiError> {
    let skip = turn.params.flag("SkipFinalSnapshot")?.unwrap_or(false);
    if instance.settings.deletion_protection {
        return Err(combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try \
             again.",
        ));
    }
    match (skip, last) {
        (false, None) => Err(combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )),
        (true, Some(_)) => Err(combination(
            "FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is true.",
        )),
        (true, None) => Ok(()),
        (false, Some(_)) if instance.replica_of.is_some() => Err(combination(
            "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance",
        )),
        (false, Some(id)) => {
            check_identifier("FinalDBSnapshotIdentifier", id)?;
            match instance.status(turn.now) {
                Status::Creating | Status::IncompatibleRestore => {
                    Err(snapshots::instance_unavailable(&instance.id))
                }
                _ => Ok(()),
            }
        }
    }
}
