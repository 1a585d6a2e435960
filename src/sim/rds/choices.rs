//! What a restore call chooses, checked, and the defaults of what it does not.
//!
//! **Invariant:** nothing is carried over from the source that RDS does not carry over.

use crate::base::digest::Digest;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::DEFAULT_VPC;
use crate::sim::rds::describe::{parameter_group_not_found, subnet_group_not_found};
use crate::sim::state::{Instance, Settings, maintenance_window};
use chrono::{DateTime, NaiveTime, Utc};
use std::collections::BTreeMap;

/// The certificate authority of a simulated instance.
pub(in crate::sim::rds) const CERTIFICATE: &str = "rds-ca-rsa2048-g1";

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// Refuses what cannot be a name in RDS.
pub(in crate::sim::rds) fn check_identifier(parameter: &str, id: &str) -> Result<(), ApiError> {
    let letter_first = id.starts_with(|first: char| first.is_ascii_lowercase());
    let characters =
        id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let hyphens = !id.contains("--") && !id.ends_with('-');
    if letter_first && characters && hyphens && id.len() <= 63 {
        return Ok(());
    }
    Err(invalid(format!(
        "The parameter {parameter} is not a valid identifier. Identifiers must begin with a \
         letter; must contain only ASCII letters, digits, and hyphens; and must not end with a \
         hyphen or contain two consecutive hyphens."
    )))
}

/// Refuses tags that RDS refuses.
pub(in crate::sim::rds) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(invalid("A resource can have at most 50 tags."));
    }
    for (key, value) in tags {
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Tag key {key} is reserved for AWS use.")));
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("Tag {key} is too long or empty.")));
        }
        let taken = |letter: char| {
            letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter)
        };
        if !key.chars().chain(value.chars()).all(taken) {
            return Err(invalid(format!("Tag {key} has a character that tags cannot have.")));
        }
    }
    Ok(())
}

/// The settings of an instance restored from `source` as of `point` by this call.
pub(in crate::sim::rds) fn settings(
    turn: &Turn<'_>,
    source: &Instance,
    target: &str,
    point: DateTime<Utc>,
) -> Result<Settings, ApiError> {
    let (params, from) = (&turn.params, &source.settings);
    let subnet_group = params.text("DBSubnetGroupName").unwrap_or("default").to_lowercase();
    let vpc = vpc(turn, &subnet_group)?;
    let password = source.password_at(point);
    check_option_group(turn, source)?;
    check_certificate(turn)?;
    let multi_az = multi_az(turn)?;
    let iops = params.number("Iops")?;
    Ok(Settings {
        class: class(turn, &from.class)?,
        storage_gib: storage(turn, from.storage_gib)?,
        storage_type: storage_type(turn, "gp3")?,
        iops,
        multi_az,
        retention_days: retention(turn)?.unwrap_or(from.retention_days),
        backup_window: backup_window(turn)?.unwrap_or_else(|| random_window(turn, target)),
        deletion_protection: params.flag("DeletionProtection")?.unwrap_or(false),
        // The default VPC has a way to the internet, so RDS makes instances there public.
        publicly_accessible: params.flag("PubliclyAccessible")?.unwrap_or(vpc == DEFAULT_VPC),
        security_groups: security_groups(turn, &vpc)?,
        subnet_group,
        parameter_group: parameter_group(turn, source)?,
        parameter_status: "in-sync".to_owned(),
        log_exports: params.list("EnableCloudwatchLogsExports.member").unwrap_or_default(),
        copy_tags_to_snapshot: params.flag("CopyTagsToSnapshot")?.unwrap_or(false),
        iam_auth: params.flag("EnableIAMDatabaseAuthentication")?.unwrap_or(false),
        monitoring_seconds: 0,
        port: port(turn, "Port")?.unwrap_or(from.port),
        password,
        maintenance_window: maintenance_window(),
        performance_insights: false,
        auto_minor_upgrade: params.flag("AutoMinorVersionUpgrade")?.unwrap_or(true),
    })
}

/// `MultiAZ`, which goes with no zone of one's own choice.
pub(in crate::sim::rds) fn multi_az(turn: &Turn<'_>) -> Result<bool, ApiError> {
    let multi_az = turn.params.flag("MultiAZ")?.unwrap_or(false);
    if multi_az && turn.params.text("AvailabilityZone").is_some() {
        let message =
            "Requesting a specific availability zone is not valid for Multi-AZ instances.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    Ok(multi_az)
}

/// Refuses option groups other than the engine's default: a simulated region has no others.
pub(in crate::sim::rds) fn check_option_group(
    turn: &Turn<'_>,
    of: &Instance,
) -> Result<(), ApiError> {
    let default = format!("default:{}", of.family("-").replace('.', "-"));
    match turn.params.text("OptionGroupName") {
        Some(name) if name != default => {
            let message = format!("Specified OptionGroupName: {name} not found.");
            Err(ApiError::not_found("OptionGroupNotFoundFault", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses certificate authorities that RDS does not have.
pub(in crate::sim::rds) fn check_certificate(turn: &Turn<'_>) -> Result<(), ApiError> {
    match turn.params.text("CACertificateIdentifier") {
        Some(name) if name != CERTIFICATE => {
            let message = format!("Certificate {name} not found.");
            Err(ApiError::not_found("CertificateNotFound", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// The VPC of a subnet group.
pub(in crate::sim::rds) fn vpc(turn: &Turn<'_>, subnet_group: &str) -> Result<String, ApiError> {
    let known = &turn.world.region(&turn.region).subnet_groups;
    let found = known.iter().find(|(name, _)| name.to_lowercase() == subnet_group);
    match found {
        Some((_, vpc)) => Ok(vpc.clone()),
        None if subnet_group == "default" => Ok(DEFAULT_VPC.to_owned()),
        None => Err(subnet_group_not_found(subnet_group)),
    }
}

/// `VpcSecurityGroupIds`, or the default group of the VPC.
pub(in crate::sim::rds) fn security_groups(
    turn: &Turn<'_>,
    vpc: &str,
) -> Result<Vec<String>, ApiError> {
    let Some(groups) = turn.params.list("VpcSecurityGroupIds.VpcSecurityGroupId") else {
        return Ok(vec![turn.world.default_security_group(vpc)]);
    };
    check_security_groups(turn, vpc, &groups)?;
    Ok(groups)
}

/// Refuses groups that are none or live in another VPC than the instance.
pub(in crate::sim::rds) fn check_security_groups(
    turn: &Turn<'_>,
    vpc: &str,
    groups: &[String],
) -> Result<(), ApiError> {
    for group in groups {
        if !group.starts_with("sg-") {
            return Err(invalid(format!("Invalid security group , groupId= {group}, groupName=.")));
        }
        let home = turn.world.region(&turn.region).security_groups.get(group);
        if home.is_some_and(|home| home != vpc) {
            let message = "The DB instance and EC2 security group are in different VPCs. The DB \
                           instance is in the VPC of its DB subnet group.";
            return Err(ApiError::sender("InvalidParameterCombination", message));
        }
    }
    Ok(())
}

fn parameter_group(turn: &Turn<'_>, source: &Instance) -> Result<String, ApiError> {
    let default = format!("default.{}", source.family(""));
    match turn.params.text("DBParameterGroupName") {
        None => Ok(default),
        Some(name) => check_parameter_group(turn, name, &default),
    }
}

/// Refuses parameter groups that the region does not have.
pub(in crate::sim::rds) fn check_parameter_group(
    turn: &Turn<'_>,
    name: &str,
    default: &str,
) -> Result<String, ApiError> {
    let known = &turn.world.region(&turn.region).parameter_groups;
    let found = name == default || known.iter().any(|known| known.eq_ignore_ascii_case(name));
    if found { Ok(name.to_owned()) } else { Err(parameter_group_not_found(name)) }
}

/// `DBInstanceClass`, or `current`.
pub(in crate::sim::rds) fn class(turn: &Turn<'_>, current: &str) -> Result<String, ApiError> {
    let class = turn.params.text("DBInstanceClass").unwrap_or(current);
    if class.starts_with("db.") && class.split('.').count() == 3 {
        return Ok(class.to_owned());
    }
    Err(invalid(format!("Invalid DB Instance class: {class}")))
}

/// `AllocatedStorage`, GiB: it only grows, by at least a tenth.
pub(in crate::sim::rds) fn storage(turn: &Turn<'_>, current: u32) -> Result<u32, ApiError> {
    let Some(wanted) = turn.params.number("AllocatedStorage")? else { return Ok(current) };
    if wanted == current || u64::from(wanted) * 10 >= u64::from(current) * 11 {
        return Ok(wanted);
    }
    Err(invalid(format!(
        "Invalid storage size {wanted}: it must be {current} GiB or at least a tenth larger."
    )))
}

/// `StorageType`; where the call names none, what `Iops` asks for or `usual`.
pub(in crate::sim::rds) fn storage_type(turn: &Turn<'_>, usual: &str) -> Result<String, ApiError> {
    let iops = turn.params.text("Iops").is_some();
    let named = turn.params.text("StorageType").unwrap_or(if iops { "io1" } else { usual });
    if ["gp2", "gp3", "io1", "io2", "standard"].contains(&named) {
        return Ok(named.to_owned());
    }
    Err(invalid(format!("Invalid storage type: {named}")))
}

/// `BackupRetentionPeriod`, 0 to 35 days.
pub(in crate::sim::rds) fn retention(turn: &Turn<'_>) -> Result<Option<u32>, ApiError> {
    let days = turn.params.number("BackupRetentionPeriod")?;
    match days {
        Some(days) if days > 35 => {
            Err(invalid(format!("Invalid backup retention period: {days}. Must be 0 to 35.")))
        }
        Some(_) | None => Ok(days),
    }
}

/// A TCP port that RDS takes.
pub(in crate::sim::rds) fn port(turn: &Turn<'_>, name: &str) -> Result<Option<u16>, ApiError> {
    let Some(port) = turn.params.number(name)? else { return Ok(None) };
    match u16::try_from(port) {
        Ok(port) if port >= 1150 => Ok(Some(port)),
        Ok(_) | Err(_) => Err(invalid(format!("Invalid port {port}. Must be 1150 to 65535."))),
    }
}

/// `PreferredBackupWindow`, such as `03:00-03:30`.
pub(in crate::sim::rds) fn backup_window(turn: &Turn<'_>) -> Result<Option<String>, ApiError> {
    let Some(window) = turn.params.text("PreferredBackupWindow") else { return Ok(None) };
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let read = window.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    match read {
        Some((from, to)) if (to - from).num_minutes().rem_euclid(1440) >= 30 => {
            Ok(Some(window.to_owned()))
        }
        Some(_) | None => Err(invalid(format!(
            "Invalid backup window: {window}. Must be hh24:mi-hh24:mi and 30 minutes at least."
        ))),
    }
}

/// A master password's digest; the password itself is kept nowhere.
pub(in crate::sim::rds) fn password(turn: &Turn<'_>) -> Result<Option<String>, ApiError> {
    if turn.params.flag("ManageMasterUserPassword")? == Some(true) {
        return Err(invalid(
            "ManageMasterUserPassword: the simulator keeps no managed passwords; give \
             MasterUserPassword.",
        ));
    }
    let Some(password) = turn.params.text("MasterUserPassword") else { return Ok(None) };
    let printable = password.bytes().all(|byte| byte.is_ascii_graphic());
    if password.len() < 8 || !printable || password.contains(['/', '"', '@']) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII \
             characters besides '/', '@', '\"', ' ' may be used.",
        ));
    }
    Ok(Some(Digest::of(password.as_bytes()).as_str().to_owned()))
}

/// A new instance gets a random half-hour window.
pub(in crate::sim::rds) fn random_window(turn: &Turn<'_>, target: &str) -> String {
    let name = format!("rds/{}/{target}/window", turn.region);
    let start = turn.world.seed().derive(&name) % 48 * 30;
    let end = (start + 30) % 1440;
    format!("{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
}
