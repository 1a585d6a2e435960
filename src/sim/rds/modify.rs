//! `ModifyDBInstance`.
//!
//! **Invariant:** a modified instance still reads `available` for a while, then `modifying`;
//! settings that need work show as pending until it ends.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::modification::{self, next_window};
use crate::sim::rds::begin::{already_exists, store};
use crate::sim::rds::changes::{engine_version, quick, slow};
use crate::sim::rds::choices::check_identifier;
use crate::sim::rds::{events, names};
use crate::sim::state::{Instance, Pending, Settings, Status};

/// Parameters that say which instance, when and how, not what to change.
const NO_CHANGES: [&str; 5] =
    ["Action", "Version", "DBInstanceIdentifier", "ApplyImmediately", "AllowMajorVersionUpgrade"];

/// Answers the call.
pub(in crate::sim::rds) fn instance(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    let status = instance.status(turn.now);
    if status == Status::ConfiguringEnhancedMonitoring {
        let message = "RDS is configuring Enhanced Monitoring or Performance Insights for this DB \
                       instance. Try your request later.";
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    if !matches!(status, Status::Available | Status::StorageOptimization) {
        let message = "Database instance is not in available state.";
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    if turn.params.names().all(|name| NO_CHANGES.contains(&name)) {
        let message = "No modifications were requested";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let before = instance.clone();
    let immediately = turn.params.flag("ApplyImmediately")?.unwrap_or(false);
    instance.settings = quick(turn, &instance)?;
    let pending = wanted(turn, &instance, status)?;
    let works = pending.settings != instance.settings
        || pending.engine_version.is_some()
        || pending.rename.is_some();
    if !works {
        instance.pending = None;
    } else if immediately || cannot_wait(&instance.settings, &pending) {
        schedule(turn, &mut instance, pending);
    } else {
        let window = Some(next_window(&instance.settings.maintenance_window, turn.now));
        instance.pending = Some(Pending { window, ..pending });
    }
    configure(turn, &before.settings, &mut instance);
    let effect = effect(&before, &instance);
    store(turn, instance, effect)
}

/// What will have changed when all work is done, with what was already pending.
fn wanted(turn: &Turn<'_>, instance: &Instance, status: Status) -> Result<Pending, ApiError> {
    let mut base = instance.settings.clone();
    let earlier = instance.pending.as_ref();
    if let Some(earlier) = earlier {
        modification::carry(&mut base, &earlier.settings);
    }
    let settings = slow(turn, &base)?;
    let stored = |of: &Settings| (of.storage_gib, of.storage_type.clone(), of.iops);
    if status == Status::StorageOptimization && stored(&settings) != stored(&instance.settings) {
        let message = "You can't currently modify the storage of this DB instance because the \
                       previous storage change is being optimized.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let version = engine_version(turn, instance)?;
    let renamed = rename(turn, instance)?;
    Ok(Pending {
        at: None,
        settings,
        window: None,
        engine_version: version.or_else(|| earlier.and_then(|of| of.engine_version.clone())),
        rename: renamed.or_else(|| earlier.and_then(|of| of.rename.clone())),
    })
}

/// `NewDBInstanceIdentifier`.
fn rename(turn: &Turn<'_>, instance: &Instance) -> Result<Option<String>, ApiError> {
    let Some(to) = turn.params.text("NewDBInstanceIdentifier").map(str::to_lowercase) else {
        return Ok(None);
    };
    check_identifier("NewDBInstanceIdentifier", &to)?;
    if to == instance.id {
        return Ok(None);
    }
    if turn.world.is_taken(&turn.region, &to, turn.now) {
        return Err(already_exists());
    }
    Ok(Some(to))
}

/// A new password never waits for the maintenance window, nor does another number of days from and
/// to more than none.
fn cannot_wait(now: &Settings, pending: &Pending) -> bool {
    let later = &pending.settings;
    let only_days = Settings { retention_days: now.retention_days, ..later.clone() } == *now;
    let days = only_days
        && pending.engine_version.is_none()
        && pending.rename.is_none()
        && now.retention_days > 0
        && later.retention_days > 0;
    later.password != now.password || days
}

/// What was changed at once and yet takes RDS a while to configure.
fn configure(turn: &Turn<'_>, before: &Settings, instance: &mut Instance) {
    let now = &instance.settings;
    let monitoring = before.monitoring_seconds != now.monitoring_seconds
        || before.performance_insights != now.performance_insights;
    let what: Vec<Status> = [
        (Status::ConfiguringEnhancedMonitoring, monitoring),
        (Status::ConfiguringLogExports, before.log_exports != now.log_exports),
        (Status::ConfiguringIamDatabaseAuth, before.iam_auth != now.iam_auth),
    ]
    .into_iter()
    .filter_map(|(status, changed)| changed.then_some(status))
    .collect();
    if what.is_empty() {
        return;
    }
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let from = turn.now + to_delta(clockwork.modify_lag(&entity));
    modification::configure(instance, (turn.now, from), &what, clockwork, &entity);
}

fn schedule(turn: &mut Turn<'_>, instance: &mut Instance, pending: Pending) {
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let from = turn.now + to_delta(clockwork.modify_lag(&entity));
    let (restarts, id) = (pending.rename.clone(), instance.id.clone());
    let end = modification::begin(instance, pending, (turn.now, from), clockwork, &entity);
    let name = restarts.as_deref().unwrap_or(&id);
    let message = "Finished applying modification to DB instance";
    events::note(turn, name, end, "configuration change", message);
    if restarts.is_some() {
        events::note(turn, name, end, "availability", "DB instance restarted");
    }
}

/// Names what changed, never a value that could be a secret.
fn effect(before: &Instance, after: &Instance) -> String {
    let now = |of: &Instance| {
        of.pending.as_ref().map_or_else(|| of.settings.clone(), |pending| pending.settings.clone())
    };
    let (old, new) = (&before.settings, now(after));
    let of_pending = |read: fn(&Pending) -> bool| after.pending.as_ref().is_some_and(read);
    let changed: Vec<&str> = [
        ("deletion protection", old.deletion_protection != new.deletion_protection),
        ("backup retention", old.retention_days != new.retention_days),
        ("security groups", old.security_groups != new.security_groups),
        ("parameter group", old.parameter_group != new.parameter_group),
        ("log exports", old.log_exports != new.log_exports),
        ("Multi-AZ", old.multi_az != new.multi_az),
        ("class", old.class != new.class),
        ("storage", old.storage_gib != new.storage_gib || old.iops != new.iops),
        ("master password", old.password != new.password),
        ("public access", old.publicly_accessible != new.publicly_accessible),
        ("engine version", of_pending(|pending| pending.engine_version.is_some())),
        ("identifier", of_pending(|pending| pending.rename.is_some())),
    ]
    .into_iter()
    .filter_map(|(name, changed)| changed.then_some(name))
    .collect();
    let what = if changed.is_empty() { "settings".to_owned() } else { changed.join(", ") };
    format!("modified: {what}")
}
