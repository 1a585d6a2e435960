//! What a modification changes, checked: at once, and with work.
//!
//! **Invariant:** what is not named stays as it is.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::modification::parse_window;
use crate::sim::rds::catalogue::{has_version, major, numbers};
use crate::sim::rds::choices::{
    backup_window, check_certificate, check_option_group, check_parameter_group,
    check_security_groups, class, password, port, retention, security_groups, storage,
    storage_type, vpc,
};
use crate::sim::state::{Instance, Settings};

/// What `MonitoringInterval` may be, seconds.
const MONITORING: [u32; 7] = [0, 1, 5, 10, 15, 30, 60];

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// Changes that need no work on the instance.
pub(in crate::sim::rds) fn quick(
    turn: &Turn<'_>,
    instance: &Instance,
) -> Result<Settings, ApiError> {
    let params = &turn.params;
    let mut settings = instance.settings.clone();
    check_option_group(turn, instance)?;
    check_certificate(turn)?;
    for (name, flag) in [
        ("DeletionProtection", &mut settings.deletion_protection),
        ("CopyTagsToSnapshot", &mut settings.copy_tags_to_snapshot),
        ("PubliclyAccessible", &mut settings.publicly_accessible),
        ("EnableIAMDatabaseAuthentication", &mut settings.iam_auth),
        ("EnablePerformanceInsights", &mut settings.performance_insights),
        ("AutoMinorVersionUpgrade", &mut settings.auto_minor_upgrade),
    ] {
        if let Some(on) = params.flag(name)? {
            *flag = on;
        }
    }
    if let Some(window) = backup_window(turn)? {
        settings.backup_window = window;
    }
    if let Some(window) = params.text("PreferredMaintenanceWindow") {
        if parse_window(window).is_none() {
            let message = format!("Invalid maintenance window: {window}.");
            return Err(invalid(message));
        }
        settings.maintenance_window = window.to_lowercase();
    }
    if let Some(seconds) = params.number("MonitoringInterval")? {
        if !MONITORING.contains(&seconds) {
            return Err(invalid(format!("Invalid monitoring interval: {seconds}.")));
        }
        settings.monitoring_seconds = seconds;
    }
    network(turn, &mut settings)?;
    if let Some(name) = params.text("DBParameterGroupName") {
        let default = format!("default.{}", instance.family(""));
        let name = check_parameter_group(turn, name, &default)?;
        if name != settings.parameter_group {
            settings.parameter_group = name;
            settings.parameter_status = "pending-reboot".to_owned();
        }
    }
    log_exports(turn, &mut settings);
    Ok(settings)
}

fn network(turn: &Turn<'_>, settings: &mut Settings) -> Result<(), ApiError> {
    let moved = turn.params.text("DBSubnetGroupName").map(str::to_lowercase);
    if let Some(group) = &moved {
        let (old, new) = (vpc(turn, &settings.subnet_group)?, vpc(turn, group)?);
        if old == new {
            let message = format!(
                "The specified DB instance is already in the target DB subnet group's VPC {new}."
            );
            return Err(ApiError::sender("InvalidVPCNetworkStateFault", message));
        }
        settings.subnet_group.clone_from(group);
        settings.security_groups = security_groups(turn, &new)?;
    } else if let Some(groups) = turn.params.list("VpcSecurityGroupIds.VpcSecurityGroupId") {
        let known = &turn.world.region(&turn.region).subnet_groups;
        let vpc = known.get(&settings.subnet_group).cloned().unwrap_or_default();
        check_security_groups(turn, &vpc, &groups)?;
        settings.security_groups = groups;
    }
    Ok(())
}

fn log_exports(turn: &Turn<'_>, settings: &mut Settings) {
    let exports = "CloudwatchLogsExportConfiguration";
    if let Some(on) = turn.params.list(&format!("{exports}.EnableLogTypes.member")) {
        settings.log_exports.extend(on);
        settings.log_exports.sort();
        settings.log_exports.dedup();
    }
    if let Some(off) = turn.params.list(&format!("{exports}.DisableLogTypes.member")) {
        settings.log_exports.retain(|kind| !off.contains(kind));
    }
}

/// Changes that RDS works on for a while.
pub(in crate::sim::rds) fn slow(turn: &Turn<'_>, from: &Settings) -> Result<Settings, ApiError> {
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
    if let Some(iops) = params.number("Iops")? {
        settings.iops = Some(iops);
    }
    settings.storage_type = storage_type(turn, &from.storage_type)?;
    if let Some(port) = port(turn, "DBPortNumber")? {
        settings.port = port;
    }
    if let Some(digest) = password(turn)? {
        settings.password = Some(digest);
    }
    Ok(settings)
}

/// `EngineVersion`, when it is another one.
pub(in crate::sim::rds) fn engine_version(
    turn: &Turn<'_>,
    instance: &Instance,
) -> Result<Option<String>, ApiError> {
    let Some(version) = turn.params.text("EngineVersion") else { return Ok(None) };
    if version == instance.engine_version {
        return Ok(None);
    }
    let (engine, old) = (instance.engine.as_str(), instance.engine_version.as_str());
    let downwards = numbers(version) < numbers(old);
    if downwards || !has_version(engine, version) {
        let message =
            format!("Cannot upgrade {engine} from {old} to {version}: no such upgrade path.");
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let allowed = turn.params.flag("AllowMajorVersionUpgrade")?.unwrap_or(false);
    if major(engine, version) != major(engine, old) && !allowed {
        let message = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new \
                       major version.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    Ok(Some(version.to_owned()))
}
