//! What both restores share, and `RestoreDBInstanceFromDBSnapshot`.
//!
//! **Invariant:** a restore keeps and loses exactly what RDS keeps and loses: what the call does
//! not name comes up with the default security group, subnet group and parameter group, in one
//! zone, unprotected and without log exports.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::rds::begin::{self, Blueprint};
use crate::sim::rds::choices::settings;
use crate::sim::rds::{events, snapshots};
use crate::sim::state::{Data, Instance, Wrong};
use crate::sim::world::instance_key;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// A restore that is about to begin.
pub(in crate::sim::rds) struct Restore {
    pub(in crate::sim::rds) source: Instance,
    pub(in crate::sim::rds) target: String,
    /// The data's point in time.
    pub(in crate::sim::rds) point: DateTime<Utc>,
    /// Log to replay after the base backup.
    pub(in crate::sim::rds) log: Duration,
    /// Text of the restoration event.
    pub(in crate::sim::rds) message: String,
    /// Tags it gets when the call gives none.
    pub(in crate::sim::rds) inherited_tags: BTreeMap<String, String>,
}

/// `RestoreDBInstanceFromDBSnapshot`.
pub(in crate::sim::rds) fn from_snapshot(turn: &mut Turn<'_>) -> Outcome {
    let target = turn.params.required("DBInstanceIdentifier")?.to_lowercase();
    let id = instance_key(turn.params.required("DBSnapshotIdentifier")?);
    let snapshot = snapshots::all(turn, snapshots::View::Current)
        .into_iter()
        .find(|snapshot| snapshot.id == id)
        .ok_or_else(|| snapshots::not_found(&id))?;
    if turn.now < snapshot.ready {
        let message = format!("DB snapshot {id} is not currently in the available state.");
        return Err(ApiError::sender("InvalidDBSnapshotState", message));
    }
    let point = snapshot.point();
    let done = begin(
        turn,
        Restore {
            source: snapshot.instance,
            target,
            point,
            log: Duration::ZERO,
            message: format!("Restored from snapshot {id}"),
            inherited_tags: snapshot.tags,
        },
    )?;
    let now = turn.now;
    events::note_snapshot(turn, &id, now, "restoration", "Restored from snapshot");
    Ok(done)
}

/// Checks the call against the region and starts the new instance.
pub(in crate::sim::rds) fn begin(turn: &mut Turn<'_>, restore: Restore) -> Outcome {
    begin::admit(turn, &restore.target)?;
    let Restore { source, target, point, log, message, inherited_tags } = restore;
    let data = data(turn, &source, point);
    let plan = Blueprint {
        tags: begin::tags(turn, &inherited_tags)?,
        settings: settings(turn, &source, &target, point)?,
        id: target,
        engine: source.engine,
        engine_version: source.engine_version,
        db_name: source.db_name,
        user: source.user,
        kms_key: source.kms_key,
        replica_of: None,
        data,
        hydrates: true,
    };
    let gib = plan.settings.storage_gib;
    let instance =
        begin::build(turn, plan, |clockwork, entity| clockwork.restore(entity, gib, log))?;
    let effect = format!("created from {} as of {}", source.id, point.to_rfc3339());
    begin::place(turn, instance, Some(&message), effect)
}

/// The data that the new instance will hold: what was asked for, unless a fault plants other data.
fn data(turn: &Turn<'_>, source: &Instance, point: DateTime<Utc>) -> Data {
    let held = turn.world.data_as_of(source, point);
    let source = &source.data;
    let point = held.min(point);
    let wrong = turn.world.fault(FaultKind::WrongRestore).and_then(|fault| fault.wrong());
    let point = match wrong {
        Some(Wrong::Stale) => point - TimeDelta::hours(1),
        Some(Wrong::EmptyTable | Wrong::MissingSchema | Wrong::OtherDatabase) | None => point,
    };
    Data { origin: source.origin.clone(), point: Some(point), wrong: wrong.or(source.wrong) }
}
