//! `CreateDBInstanceReadReplica` and `PromoteReadReplica`.
//!
//! **Invariant:** a replica has its source's data, password and encryption, never another; a promoted
//! one keeps the data of the instant it stopped following, and never goes back.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::DEFAULT_VPC;
use crate::sim::notes::About;
use crate::sim::rds::begin::{self, Blueprint, store};
use crate::sim::rds::choices::{
    backup_window, check_parameter_group, class, multi_az, port, retention, security_groups,
    storage, storage_type, vpc,
};
use crate::sim::rds::names::{self, arn};
use crate::sim::rds::{events, keys};
use crate::sim::state::{
    Change, Due, Instance, Link, Phase, Settings, Status, World, maintenance_window,
};
use crate::sim::world::{instance_key, instance_not_found};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

fn combination(message: &str) -> ApiError {
    ApiError::sender("InvalidParameterCombination", message)
}

/// `CreateDBInstanceReadReplica`, called in the replica's region.
pub(in crate::sim::rds) fn create(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("DBInstanceIdentifier")?.to_lowercase();
    let (place, source) = source(turn)?;
    let far = place != turn.region;
    if !matches!(
        source.status(turn.now),
        Status::Available | Status::BackingUp | Status::StorageOptimization
    ) {
        let message = format!("The source instance {} is not in available state.", source.id);
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    if source.settings.retention_days == 0 {
        let message = "Automated backups are not enabled for this database instance. To enable \
                       automated backups, use ModifyDBInstance to set the backup retention period \
                       to a non-zero value.";
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    begin::admit(turn, &id)?;
    let source_arn = turn.world.arn(&place, "db", &source.id);
    let plan = Blueprint {
        tags: begin::tags(turn, &BTreeMap::new())?,
        settings: settings(turn, &source, far)?,
        kms_key: key(turn, &source, far)?,
        replica_of: Some(if far { source_arn } else { source.id.clone() }),
        data: source.data.clone(),
        id,
        engine: source.engine.clone(),
        engine_version: source.engine_version.clone(),
        db_name: source.db_name.clone(),
        user: source.user.clone(),
        hydrates: true,
    };
    let gib = plan.settings.storage_gib;
    let instance = begin::build(turn, plan, |clockwork, entity| {
        clockwork.restore(entity, gib, Duration::ZERO)
    })?;
    let effect = format!("read replica of {} in {place}", source.id);
    begin::place(turn, instance, None, effect)
}

/// The source with its region: one of another region has to be named by ARN.
fn source(turn: &Turn<'_>) -> Result<(String, Instance), ApiError> {
    let named = turn.params.required("SourceDBInstanceIdentifier")?;
    let (region, id) = match arn(turn, "db", named) {
        Some(found) => (found.region, found.id),
        None if named.starts_with("arn:") => return Err(instance_not_found(&instance_key(named))),
        None => (turn.region.clone(), named.to_lowercase()),
    };
    turn.reach(&region)?;
    let instance = turn.world.instance(&region, &id, turn.now)?.clone();
    Ok((region, instance))
}

/// The key of the replica: its source's in the same region, one of its own elsewhere.
fn key(turn: &Turn<'_>, source: &Instance, far: bool) -> Result<Option<String>, ApiError> {
    match (&source.kms_key, turn.params.text("KmsKeyId")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(combination(
            "You cannot create an encrypted Read Replica from an unencrypted DB instance.",
        )),
        (Some(_), Some(named)) if far => keys::resolve(turn, named).map(Some),
        (Some(_), None) if far => {
            let message = "Must specify KMS key for cross region encrypted read replica.";
            Err(ApiError::sender("InvalidParameterValue", message))
        }
        (Some(own), None) => Ok(Some(own.clone())),
        (Some(own), Some(named)) => match keys::resolve(turn, named)? == *own {
            true => Ok(Some(own.clone())),
            false => Err(combination(
                "An encrypted Read Replica in the same region has the KMS key of its source.",
            )),
        },
    }
}

fn settings(turn: &Turn<'_>, source: &Instance, far: bool) -> Result<Settings, ApiError> {
    let (params, from) = (&turn.params, &source.settings);
    let usual = if far { "default" } else { from.subnet_group.as_str() };
    let subnet_group = params.text("DBSubnetGroupName").unwrap_or(usual).to_owned();
    let vpc = vpc(turn, &subnet_group.to_lowercase())?;
    let default = format!("default.{}", source.family(""));
    let parameter_group = match params.text("DBParameterGroupName") {
        Some(name) => check_parameter_group(turn, name, &default)?,
        None if far => default,
        None => from.parameter_group.clone(),
    };
    Ok(Settings {
        class: class(turn, &from.class)?,
        storage_gib: storage(turn, from.storage_gib)?,
        storage_type: storage_type(turn, &from.storage_type)?,
        iops: params.number("Iops")?.or(from.iops),
        multi_az: multi_az(turn)?,
        retention_days: 0,
        backup_window: from.backup_window.clone(),
        deletion_protection: params.flag("DeletionProtection")?.unwrap_or(false),
        publicly_accessible: params.flag("PubliclyAccessible")?.unwrap_or(vpc == DEFAULT_VPC),
        security_groups: security_groups(turn, &vpc)?,
        subnet_group,
        parameter_group,
        parameter_status: "in-sync".to_owned(),
        log_exports: params.list("EnableCloudwatchLogsExports.member").unwrap_or_default(),
        copy_tags_to_snapshot: params.flag("CopyTagsToSnapshot")?.unwrap_or(false),
        iam_auth: params.flag("EnableIAMDatabaseAuthentication")?.unwrap_or(false),
        monitoring_seconds: params.number("MonitoringInterval")?.unwrap_or(0),
        port: port(turn, "Port")?.unwrap_or(from.port),
        password: from.password.clone(),
        maintenance_window: maintenance_window(),
        performance_insights: params.flag("EnablePerformanceInsights")?.unwrap_or(false),
        auto_minor_upgrade: params.flag("AutoMinorVersionUpgrade")?.unwrap_or(true),
    })
}

/// `PromoteReadReplica`.
pub(in crate::sim::rds) fn promote(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    if instance.replica_of.is_none() {
        let message = format!("DB Instance {id} is not a read replica.");
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    let going = instance.due.iter().any(|due| matches!(due.change, Change::Promoted { .. }));
    if instance.status(turn.now) != Status::Available || going {
        let message = format!("DB Instance {id} is not in available state.");
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    let days = retention(turn)?.unwrap_or(1);
    let window = backup_window(turn)?;
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let lag = to_delta(turn.world.clockwork().promote_lag(&entity));
    let end = begin_promotion(
        turn.world,
        (&turn.region, &mut instance),
        (turn.now, turn.now + lag),
        (days, window),
        &entity,
    );
    if turn.world.fault(FaultKind::PromotionStuck).is_none() {
        tell(turn, &id, end);
    }
    store(turn, instance, "promoted".to_owned())
}

/// Schedules a promotion that begins at `from`; the instant at which it is an instance of its own.
pub(in crate::sim::rds) fn begin_promotion(
    world: &World,
    (region, replica): (&str, &mut Instance),
    (now, from): (DateTime<Utc>, DateTime<Utc>),
    (days, window): (u32, Option<String>),
    entity: &str,
) -> DateTime<Utc> {
    let clockwork = world.clockwork();
    if world.fault(FaultKind::PromotionStuck).is_some() {
        replica.reschedule(now, [Phase::new(from, Status::Modifying)]);
        return from;
    }
    let reboots = from + to_delta(clockwork.promoting(entity));
    let end = reboots + to_delta(clockwork.rebooting(entity));
    let mut phases =
        vec![Phase::new(from, Status::Modifying), Phase::new(reboots, Status::Rebooting)];
    let mut ready = end;
    if days > 0 {
        phases.push(Phase::new(end, Status::BackingUp));
        ready = end + to_delta(clockwork.backing_up(entity));
        replica.first_backup = Some(ready);
    }
    phases.push(Phase::new(ready, Status::Available));
    let point = world.data_as_of(replica, from);
    // It takes along the password that its source has now.
    if let Some(source) = world.source_of(region, replica) {
        let password = source.settings.password.clone();
        replica.old_passwords = source.old_passwords.clone();
        replica.settings.password = password;
    }
    replica.reschedule(now, phases);
    replica.due.extend([
        Due { at: from, change: Change::Detached { point } },
        Due { at: end, change: Change::Rebooted },
        Due { at: end, change: Change::Promoted { retention_days: days, backup_window: window } },
    ]);
    end
}

fn tell(turn: &mut Turn<'_>, id: &str, end: DateTime<Utc>) {
    events::note(turn, id, end, "availability", "DB instance restarted");
    events::note(turn, id, end, "read replica", "Replication has been terminated");
}

/// What becomes of the replicas of an instance that is deleted: those of its region are promoted,
/// PostgreSQL ones elsewhere are left `terminated`, others elsewhere are promoted.
pub(in crate::sim::rds) fn orphan(turn: &mut Turn<'_>, source: &Instance) {
    let now = turn.now;
    for (region, id) in turn.world.replicas(&turn.region, source, now) {
        let slot = turn.world.region(&region).instances.get(&id);
        let Some(mut replica) = slot.and_then(|slot| slot.current.clone()) else { continue };
        let entity = format!("rds/{region}/{}/{}", replica.resource_id, turn.world.requests);
        let stale = now + to_delta(turn.world.clockwork().stale_read(&entity));
        let about = About::Instance(&id);
        if region != turn.region && replica.engine == "postgres" {
            replica.link = Link::Terminated(now);
            let message = "Replication has been terminated";
            turn.world.note(&region, about, now, "read replica", message);
        } else {
            let days = replica.settings.retention_days.max(1);
            let begin = now.max(replica.created.unwrap_or(now));
            let end = begin_promotion(
                turn.world,
                (&region, &mut replica),
                (now, begin),
                (days, None),
                &entity,
            );
            turn.world.note(&region, about, end, "read replica", "Replication has been terminated");
        }
        turn.changed(&id, format!("lost its source {}", source.id));
        turn.world.put(&region, replica, (now, stale));
    }
}
