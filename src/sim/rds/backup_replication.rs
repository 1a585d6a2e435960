//! `StartDBInstanceAutomatedBackupsReplication` and its `Stop`, called in the destination region.
//!
//! **Invariant:** what is not copied yet when the source goes away cannot be restored here.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::backups::{self, Backup};
use crate::sim::rds::choices::retention;
use crate::sim::rds::{keys, names};
use crate::sim::state::{Instance, Replicated};
use crate::sim::world::{instance_key, instance_not_found};

/// Backups that a region may be the destination of.
const QUOTA: usize = 20;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// `StartDBInstanceAutomatedBackupsReplication`.
pub(in crate::sim::rds) fn start(turn: &mut Turn<'_>) -> Outcome {
    let named = turn.params.required("SourceDBInstanceArn")?;
    let Some(source) = names::arn(turn, "db", named) else {
        return Err(invalid(format!("Invalid source DB instance ARN: {named}")));
    };
    if source.region == turn.region {
        return Err(invalid("The source DB instance is in the destination region."));
    }
    turn.reach(&source.region)?;
    let instance = turn.world.instance(&source.region, &source.id, turn.now)?.clone();
    if instance.settings.retention_days == 0 || instance.first_backup.is_none() {
        let message = format!("Automated backups are not enabled for DB instance {}.", source.id);
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    let known = &turn.world.region(&turn.region).replicated;
    let active = known.values().filter(|copied| copied.stopped.is_none());
    if known.get(&instance.resource_id).is_some_and(|copied| copied.stopped.is_none()) {
        let message =
            format!("The automated backups of {} are replicated here already.", source.id);
        return Err(ApiError::sender("InvalidDBInstanceAutomatedBackupState", message));
    }
    if active.count() >= QUOTA {
        let message = format!("At most {QUOTA} automated backups can be replicated to a region.");
        return Err(ApiError::sender("DBInstanceAutomatedBackupQuotaExceeded", message));
    }
    let days = match retention(turn)? {
        Some(0) => return Err(invalid("Invalid backup retention period: 0. Must be 1 to 35.")),
        Some(days) => days,
        None => instance.settings.retention_days,
    };
    let kms_key = key(turn, &instance)?;
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let length = turn.world.clockwork().replicating(&entity, instance.settings.storage_gib);
    let (resource, id) = (instance.resource_id.clone(), instance.id.clone());
    let copied = Replicated {
        instance,
        source_region: source.region,
        retention_days: days,
        kms_key,
        seeded: turn.now + to_delta(length),
        stopped: None,
    };
    turn.region_mut().replicated.insert(resource.clone(), copied);
    turn.changed(&id, "replication of automated backups started");
    let backup = find(turn, &resource).ok_or_else(|| backups::not_found(&id))?;
    backups::answer(turn, &backup)
}

fn key(turn: &Turn<'_>, source: &Instance) -> Result<Option<String>, ApiError> {
    match (&source.kms_key, turn.params.text("KmsKeyId")) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid(
            "Must specify KMS key for cross region replication of encrypted automated backups.",
        )),
        (_, Some(named)) => keys::resolve(turn, named).map(Some),
    }
}

/// `StopDBInstanceAutomatedBackupsReplication`: what is here stays, `retained`.
pub(in crate::sim::rds) fn stop(turn: &mut Turn<'_>) -> Outcome {
    let named = turn.params.required("SourceDBInstanceArn")?.to_owned();
    let source = names::arn(turn, "db", &named);
    let id = source.as_ref().map_or_else(|| instance_key(&named), |source| source.id.clone());
    let known = &turn.world.region(&turn.region).replicated;
    let found = source.and_then(|source| {
        let ours = |copied: &&Replicated| {
            let id = backups::living(turn.world, copied).map_or(&copied.instance.id, |of| &of.id);
            copied.source_region == source.region && *id == source.id
        };
        known
            .values()
            .find(ours)
            .map(|copied| (copied.instance.resource_id.clone(), copied.stopped))
    });
    let Some((resource, stopped)) = found else { return Err(instance_not_found(&id)) };
    if stopped.is_some() {
        let message = format!("The automated backups of {id} are not replicated any more.");
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    let now = turn.now;
    let mut backup = find(turn, &resource).ok_or_else(|| backups::not_found(&id))?;
    backup.status = "retained";
    let latest = backup.instance.clone();
    if let Some(copied) = turn.region_mut().replicated.get_mut(&resource) {
        copied.stop(now, &latest);
    }
    turn.changed(&id, "replication of automated backups stopped");
    backups::answer(turn, &backup)
}

fn find(turn: &Turn<'_>, resource: &str) -> Option<Backup> {
    let mut all = backups::all(turn.world, &turn.region, turn.now).into_iter();
    all.find(|backup| {
        backup.instance.resource_id == resource && backup.source_region != turn.region
    })
}
