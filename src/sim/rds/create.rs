//! `CreateDBInstance`.
//!
//! **Invariant:** a new instance is empty, and nobody but its maker knows its password: the world
//! keeps a digest.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::DEFAULT_VPC;
use crate::sim::rds::begin::{self, Blueprint};
use crate::sim::rds::catalogue::{default_version, major, version};
use crate::sim::rds::choices::{
    backup_window, check_certificate, check_parameter_group, class, multi_az, password, port,
    random_window, retention, security_groups, storage_type, vpc,
};
use crate::sim::rds::keys;
use crate::sim::state::{Data, Settings, maintenance_window};
use std::collections::BTreeMap;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// Smallest storage, GiB.
const LEAST_GIB: u32 = 20;

/// Largest storage, GiB.
const MOST_GIB: u32 = 65_536;

/// Answers the call.
pub(in crate::sim::rds) fn instance(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("DBInstanceIdentifier")?.to_lowercase();
    turn.params.required("DBInstanceClass")?;
    let engine = turn.params.required("Engine")?.to_lowercase();
    let Some(newest) = default_version(&engine) else {
        return Err(invalid(format!("Invalid DB engine: {engine}")));
    };
    if turn.params.text("DBClusterIdentifier").is_some() {
        let message = "The simulator has no DB clusters.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    begin::admit(turn, &id)?;
    let engine_version = match turn.params.text("EngineVersion") {
        None => newest,
        Some(asked) => version(&engine, asked)
            .ok_or_else(|| invalid(format!("Cannot find version {asked} for {engine}")))?,
    };
    let user = turn.params.required("MasterUsername")?.to_owned();
    let family = family(&engine, engine_version);
    let plan = Blueprint {
        tags: begin::tags(turn, &BTreeMap::new())?,
        settings: settings(turn, &engine, &family, &id)?,
        db_name: turn.params.text("DBName").unwrap_or("postgres").to_owned(),
        kms_key: key(turn)?,
        data: Data { origin: format!("{}/{id}", turn.region), point: None, wrong: None },
        id,
        engine,
        engine_version: engine_version.to_owned(),
        user,
        replica_of: None,
        hydrates: false,
    };
    let instance = begin::build(turn, plan, |clockwork, entity| clockwork.creating(entity))?;
    begin::place(turn, instance, None, "created empty".to_owned())
}

/// Family of parameter groups.
fn family(engine: &str, version: &str) -> String {
    format!("{engine}{}", major(engine, version))
}

fn key(turn: &Turn<'_>) -> Result<Option<String>, ApiError> {
    let encrypted = turn.params.flag("StorageEncrypted")?.unwrap_or(false);
    match (encrypted, turn.params.text("KmsKeyId")) {
        (true, named) => keys::resolve(turn, named.unwrap_or(keys::DEFAULT)).map(Some),
        (false, None) => Ok(None),
        (false, Some(_)) => {
            let message = "KmsKeyId can only be specified when StorageEncrypted is true.";
            Err(ApiError::sender("InvalidParameterCombination", message))
        }
    }
}

fn settings(turn: &Turn<'_>, engine: &str, family: &str, id: &str) -> Result<Settings, ApiError> {
    let params = &turn.params;
    let subnet_group = params.text("DBSubnetGroupName").unwrap_or("default").to_lowercase();
    let vpc = vpc(turn, &subnet_group)?;
    let storage_gib = params.number("AllocatedStorage")?.unwrap_or(0);
    if !(LEAST_GIB..=MOST_GIB).contains(&storage_gib) {
        return Err(invalid(format!(
            "Invalid storage size for engine name {engine} and storage type gp3: {storage_gib}"
        )));
    }
    let Some(password) = password(turn)? else {
        let message = "MasterUserPassword is required unless ManageMasterUserPassword is true.";
        return Err(invalid(message));
    };
    check_certificate(turn)?;
    let default_group = format!("default.{family}");
    let parameter_group = match params.text("DBParameterGroupName") {
        None => default_group,
        Some(name) => check_parameter_group(turn, name, &default_group)?,
    };
    let usual_port = if engine == "postgres" { 5432 } else { 3306 };
    Ok(Settings {
        class: class(turn, "")?,
        storage_gib,
        storage_type: storage_type(turn, "gp2")?,
        iops: params.number("Iops")?,
        multi_az: multi_az(turn)?,
        retention_days: retention(turn)?.unwrap_or(1),
        backup_window: backup_window(turn)?.unwrap_or_else(|| random_window(turn, id)),
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
        port: port(turn, "Port")?.unwrap_or(usual_port),
        password: Some(password),
        maintenance_window: maintenance_window(),
        performance_insights: params.flag("EnablePerformanceInsights")?.unwrap_or(false),
        auto_minor_upgrade: params.flag("AutoMinorVersionUpgrade")?.unwrap_or(true),
    })
}
