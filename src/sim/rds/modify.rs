//! `ModifyDBInstance`.
//!
//! **Invariant:** a modified instance still reads `available` for a while, then `modifying`;
//! settings that need work show as pending until it ends.

use crate::base::clock::to_delta;
use crate::base::digest::Digest;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::choices::{
    check_parameter_group, check_security_groups, class, retention, storage,
};
use crate::sim::rds::{events, render};
use crate::sim::state::{Instance, Pending, Phase, Settings, Status};
use crate::sim::xml::Xml;

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    MaintenanceWindow,
}

/// Answers the call.
pub(in crate::sim::rds) fn instance(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("DBInstanceIdentifier")?.to_lowercase();
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    if instance.status(turn.now) != Status::Available {
        let message = "Database instance is not in available state.";
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    if turn.params.text("NewDBInstanceIdentifier").is_some() {
        let message = "The simulator does not rename instances.";
        return Err(ApiError::sender("InvalidParameterValue", message));
    }
    let before = instance.settings.clone();
    let at_once = quick(turn, &instance)?;
    let later = slow(turn, &at_once)?;
    if later == before && instance.pending.is_none() {
        let message = "No modifications were requested";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let when = match turn.params.flag("ApplyImmediately")? {
        Some(true) => When::Now,
        Some(false) | None => When::MaintenanceWindow,
    };
    instance.settings = at_once;
    if later != instance.settings {
        schedule(turn, &mut instance, later, when);
    }
    let mut xml = Xml::default();
    render::instance(&mut xml, turn.world, &turn.region, &instance, turn.now);
    turn.changed(&id, effect(&before, &instance));
    let (now, stale) = (turn.now, turn.stale_until(&id));
    if let Some(slot) = turn.region_mut().instances.get_mut(&id) {
        slot.replace(Some(instance), now, stale);
    }
    Ok(Body::Result(Some(xml)))
}

/// Changes that need no work on the instance.
fn quick(turn: &Turn<'_>, instance: &Instance) -> Result<Settings, ApiError> {
    let params = &turn.params;
    let mut settings = instance.settings.clone();
    if let Some(on) = params.flag("DeletionProtection")? {
        settings.deletion_protection = on;
    }
    if let Some(on) = params.flag("CopyTagsToSnapshot")? {
        settings.copy_tags_to_snapshot = on;
    }
    if let Some(on) = params.flag("PubliclyAccessible")? {
        settings.publicly_accessible = on;
    }
    if let Some(window) = params.text("PreferredBackupWindow") {
        settings.backup_window = window.to_owned();
    }
    if let Some(seconds) = params.number("MonitoringInterval")? {
        settings.monitoring_seconds = seconds;
    }
    if let Some(groups) = params.list("VpcSecurityGroupIds.VpcSecurityGroupId") {
        let known = &turn.world.region(&turn.region).subnet_groups;
        let vpc = known.get(&settings.subnet_group).cloned().unwrap_or_default();
        check_security_groups(turn, &vpc, &groups)?;
        settings.security_groups = groups;
    }
    if let Some(name) = params.text("DBParameterGroupName") {
        let major = instance.engine_version.split('.').next().unwrap_or_default();
        let default = format!("default.{}{major}", instance.engine);
        let name = check_parameter_group(turn, name, &default)?;
        if name != settings.parameter_group {
            settings.parameter_group = name;
            settings.parameter_status = "pending-reboot".to_owned();
        }
    }
    let exports = "CloudwatchLogsExportConfiguration";
    if let Some(on) = params.list(&format!("{exports}.EnableLogTypes.member")) {
        settings.log_exports.extend(on);
        settings.log_exports.sort();
        settings.log_exports.dedup();
    }
    if let Some(off) = params.list(&format!("{exports}.DisableLogTypes.member")) {
        settings.log_exports.retain(|kind| !off.contains(kind));
    }
    Ok(settings)
}

/// Changes that RDS works on for a while.
fn slow(turn: &Turn<'_>, from: &Settings) -> Result<Settings, ApiError> {
    let params = &turn.params;
    let mut settings = from.clone();
    settings.class = class(turn, &from.class)?;
    settings.storage_gib = storage(turn, from.storage_gib)?;
    if let Some(on) = params.flag("MultiAZ")? {
        settings.multi_az = on;
    }
    if let Some(days) = retention(turn)? {
        settings.retention_days = days;
    }
    if let Some(password) = params.text("MasterUserPassword") {
        if password.len() < 8 || password.contains(['/', '"', '@', ' ']) {
            let message = "The parameter MasterUserPassword is not a valid password. Only \
                           printable ASCII characters besides '/', '@', '\"', ' ' may be used.";
            return Err(ApiError::sender("InvalidParameterValue", message));
        }
        settings.password = Some(Digest::of(password.as_bytes()).as_str().to_owned());
    }
    Ok(settings)
}

fn schedule(turn: &mut Turn<'_>, instance: &mut Instance, later: Settings, when: When) {
    let resets = later.password != instance.settings.password;
    // A new password never waits for the maintenance window.
    if when == When::MaintenanceWindow && !resets {
        instance.pending = Some(Pending { at: None, settings: later });
        return;
    }
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let begin = turn.now + to_delta(clockwork.modify_lag(&entity));
    let end = begin + to_delta(clockwork.modifying(&entity));
    let status = if resets { Status::ResettingMasterCredentials } else { Status::Modifying };
    let mut phases = vec![Phase { from: begin, status }];
    if instance.settings.retention_days == 0 && later.retention_days > 0 {
        phases.push(Phase { from: end, status: Status::BackingUp });
        let backed_up = end + to_delta(clockwork.backing_up(&entity));
        phases.push(Phase { from: backed_up, status: Status::Available });
        instance.first_backup = Some(backed_up);
    } else {
        phases.push(Phase { from: end, status: Status::Available });
    }
    instance.reschedule(turn.now, phases);
    instance.pending = Some(Pending { at: Some(end), settings: later });
    let message = "Finished applying modification to DB instance";
    events::note(turn, &instance.id, end, "configuration change", message);
}

/// Names what changed, never a value that could be a secret.
fn effect(before: &Settings, instance: &Instance) -> String {
    let after = instance.pending.as_ref().map_or(&instance.settings, |pending| &pending.settings);
    let changed: Vec<&str> = [
        ("deletion protection", before.deletion_protection != after.deletion_protection),
        ("backup retention", before.retention_days != after.retention_days),
        ("security groups", before.security_groups != after.security_groups),
        ("parameter group", before.parameter_group != after.parameter_group),
        ("log exports", before.log_exports != after.log_exports),
        ("Multi-AZ", before.multi_az != after.multi_az),
        ("class", before.class != after.class),
        ("storage", before.storage_gib != after.storage_gib),
        ("master password", before.password != after.password),
        ("public access", before.publicly_accessible != after.publicly_accessible),
    ]
    .into_iter()
    .filter_map(|(name, changed)| changed.then_some(name))
    .collect();
    let what = if changed.is_empty() { "settings".to_owned() } else { changed.join(", ") };
    format!("modified: {what}")
}
