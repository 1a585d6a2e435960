//! What both restores share, and `RestoreDBInstanceFromDBSnapshot`.
//!
//! **Invariant:** a restore keeps and loses exactly what RDS keeps and loses: what the call does
//! not name comes up with the default security group, subnet group and parameter group, in one
//! zone, unprotected and without log exports.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::{resource_id, zone};
use crate::sim::rds::choices::{check_identifier, check_tags, settings};
use crate::sim::rds::{events, render, snapshots};
use crate::sim::state::{Data, Instance, Phase, Slot, Status, Wrong};
use crate::sim::world::instance_key;
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// `InstanceQuota` of a region.
const INSTANCE_QUOTA: usize = 40;

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
    begin(
        turn,
        Restore {
            source: snapshot.instance,
            target,
            point: snapshot.started,
            log: Duration::ZERO,
            message: format!("Restored from snapshot {id}"),
            inherited_tags: snapshot.tags,
        },
    )
}

/// Checks the call against the region and starts the new instance.
pub(in crate::sim::rds) fn begin(turn: &mut Turn<'_>, restore: Restore) -> Outcome {
    check_identifier("DBInstanceIdentifier", &restore.target)?;
    if turn.world.instance(&turn.region, &restore.target, turn.now).is_ok() {
        return Err(ApiError::sender("DBInstanceAlreadyExists", "DB instance already exists"));
    }
    let existing = turn.world.region(&turn.region).instances.len();
    if existing >= INSTANCE_QUOTA || turn.world.fault(FaultKind::QuotaExceeded).is_some() {
        let message = "Cannot create more database instances because you've reached your \
                       instance quota.";
        return Err(ApiError::sender("InstanceQuotaExceeded", message));
    }
    if let (Some(key), true) =
        (&restore.source.kms_key, turn.world.fault(FaultKind::KmsDisabled).is_some())
    {
        let message = format!(
            "Specified KMS key [{key}] does not exist, is not enabled or you do not have \
             permissions to access it."
        );
        return Err(ApiError::sender("KMSKeyNotAccessibleFault", message));
    }
    let tags = turn.params.tags().unwrap_or_else(|| restore.inherited_tags.clone());
    check_tags(&tags)?;
    let instance = build(turn, &restore, tags)?;
    announce(turn, &instance, &restore.message);
    let body = {
        let mut xml = Xml::default();
        render::instance(&mut xml, turn.world, &turn.region, &instance, turn.now);
        Body::Result(Some(xml))
    };
    let effect = format!("created from {} as of {}", restore.source.id, restore.point.to_rfc3339());
    turn.changed(&restore.target, effect);
    let (now, stale) = (turn.now, turn.stale_until(&restore.target));
    turn.region_mut().instances.entry(restore.target).or_insert_with(Slot::empty).replace(
        Some(instance),
        now,
        stale,
    );
    Ok(body)
}

fn build(
    turn: &mut Turn<'_>,
    restore: &Restore,
    tags: BTreeMap<String, String>,
) -> Result<Instance, ApiError> {
    let settings = settings(turn, &restore.source, &restore.target)?;
    let target = restore.target.clone();
    let generation = {
        let count = turn.region_mut().generations.entry(target.clone()).or_insert(0);
        *count += 1;
        *count
    };
    let entity = format!("rds/{}/{target}/{generation}", turn.region);
    let clockwork = turn.world.clockwork();
    let up = turn.now + to_delta(clockwork.restore(&entity, settings.storage_gib, restore.log));
    let stuck = turn.world.fault(FaultKind::StuckCreating).is_some();
    let failed = turn.world.fault(FaultKind::RestoreFailed).is_some();
    let mut phases = vec![Phase { from: turn.now, status: Status::Creating }];
    let mut first_backup = None;
    if failed && !stuck {
        phases.push(Phase { from: up, status: Status::IncompatibleRestore });
    } else if !stuck {
        let mut ready = up;
        if settings.retention_days > 0 {
            phases.push(Phase { from: up, status: Status::BackingUp });
            ready = up + to_delta(clockwork.backing_up(&entity));
            first_backup = Some(ready);
        }
        phases.push(Phase { from: ready, status: Status::Available });
    }
    let running = !stuck && !failed;
    let hydration = to_delta(clockwork.hydration(&entity, settings.storage_gib));
    Ok(Instance {
        resource_id: resource_id(turn.world.seed(), &turn.region, &target, generation),
        id: target,
        zone: zone(turn.world.seed(), &entity),
        replica_of: None,
        tags,
        settings,
        pending: None,
        phases,
        created: running.then_some(up),
        first_backup,
        hydration: running.then_some((turn.now, up + hydration)),
        data: data(turn, restore),
        original: false,
        ..restore.source.clone()
    })
}

/// The data that the new instance will hold: what was asked for, unless a fault plants other data.
fn data(turn: &Turn<'_>, restore: &Restore) -> Data {
    let source = &restore.source.data;
    let point = source.point.map_or(restore.point, |point| point.min(restore.point));
    let wrong = turn.world.fault(FaultKind::WrongRestore).and_then(|fault| fault.wrong());
    let point = match wrong {
        Some(Wrong::Stale) => point - TimeDelta::hours(1),
        Some(Wrong::EmptyTable | Wrong::MissingSchema | Wrong::OtherDatabase) | None => point,
    };
    Data { origin: source.origin.clone(), point: Some(point), wrong: wrong.or(source.wrong) }
}

/// Writes the events of the restore, each at the instant it will happen.
fn announce(turn: &mut Turn<'_>, instance: &Instance, message: &str) {
    if let Some(up) = instance.created {
        events::note(turn, &instance.id, up, "creation", "DB instance created");
        events::note(turn, &instance.id, up, "restoration", message);
        if let Some(end) = instance.first_backup {
            events::note(turn, &instance.id, up, "backup", "Backing up DB instance");
            events::note(turn, &instance.id, end, "backup", "Finished DB instance backup");
        }
    } else if let Some(last) = instance.phases.get(1) {
        let message = "DB instance put into incompatible-restore. RDS recommends that you \
                       initiate a point-in-time-restore";
        events::note(turn, &instance.id, last.from, "failure", message);
    }
}
