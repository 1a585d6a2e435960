//! `DescribeDBInstanceAutomatedBackups`.
//!
//! **Invariant:** the only place that tells the earliest restorable time; retained backups stay
//! readable after their instance is gone.

use crate::base::clock::format_instant;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::{describe::check_filter, page, render};
use crate::sim::state::{Instance, World};
use crate::sim::world::{Window, instance_key};
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};

/// Automated backups of an instance that exists or existed.
#[derive(Debug, Clone)]
pub(in crate::sim::rds) struct Backup {
    pub(in crate::sim::rds) instance: Instance,
    /// `active`, `creating`, `retained`.
    pub(in crate::sim::rds) status: &'static str,
    pub(in crate::sim::rds) window: Option<Window>,
}

impl Backup {
    /// `DBInstanceAutomatedBackupsArn`.
    pub(in crate::sim::rds) fn arn(&self, world: &World, region: &str) -> String {
        let suffix = self.instance.resource_id.trim_start_matches("db-").to_lowercase();
        world.arn(region, "auto-backup", &format!("ab-{suffix}"))
    }
}

/// All automated backups of a region, in order of resource id.
pub(in crate::sim::rds) fn all(world: &World, region: &str, now: DateTime<Utc>) -> Vec<Backup> {
    let state = world.region(region);
    let active = state
        .instances
        .values()
        .filter_map(|slot| slot.current.as_ref())
        .filter(|instance| instance.exists(now) && instance.settings.retention_days > 0)
        .map(|instance| {
            let window = world.window(instance, now);
            let status = match (world.hides(instance), window) {
                (true, _) => "retained",
                (false, Some(_)) => "active",
                (false, None) => "creating",
            };
            Backup { instance: instance.clone(), status, window }
        });
    let retained = state.retained.values().filter_map(|retained| {
        let mut window = world.window(&retained.instance, retained.deleted)?;
        let days = i64::from(retained.instance.settings.retention_days);
        window.earliest = window.earliest.max(now - chrono::TimeDelta::days(days));
        let instance = retained.instance.clone();
        (window.earliest < window.latest).then_some(Backup {
            instance,
            status: "retained",
            window: Some(window),
        })
    });
    let mut all: Vec<Backup> = active.chain(retained).collect();
    all.sort_by(|a, b| a.instance.resource_id.cmp(&b.instance.resource_id));
    all
}

/// `DescribeDBInstanceAutomatedBackups`.
pub(in crate::sim::rds) fn describe(turn: &mut Turn<'_>) -> Outcome {
    let mut found = all(turn.world, &turn.region, turn.now);
    let id = turn.params.text("DBInstanceIdentifier").map(instance_key);
    let resource = turn.params.text("DbiResourceId");
    let arn = turn.params.text("DBInstanceAutomatedBackupsArn");
    found.retain(|backup| {
        id.as_ref().is_none_or(|id| backup.instance.id == *id)
            && resource.is_none_or(|resource| backup.instance.resource_id == resource)
            && arn.is_none_or(|arn| backup.arn(turn.world, &turn.region) == arn)
    });
    if let (true, Some(wanted)) = (found.is_empty(), id.as_deref().or(resource).or(arn)) {
        return Err(not_found(wanted));
    }
    for (name, values) in turn.params.filters() {
        check_filter(&name, &["status", "db-instance-id", "dbi-resource-id"])?;
        found.retain(|backup| match name.as_str() {
            "status" => values.iter().any(|value| value == backup.status),
            "db-instance-id" => {
                values.iter().any(|value| instance_key(value) == backup.instance.id)
            }
            _ => values.contains(&backup.instance.resource_id),
        });
    }
    let (page, marker) =
        page::cut(&turn.params, found, |backup| backup.instance.resource_id.clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBInstanceAutomatedBackups", |xml| {
        for backup in &page {
            render_backup(xml, turn, backup);
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DBInstanceAutomatedBackupNotFound`.
pub(in crate::sim::rds) fn not_found(wanted: &str) -> ApiError {
    let message = format!("DBInstanceAutomatedBackup {wanted} not found.");
    ApiError::not_found("DBInstanceAutomatedBackupNotFound", message)
}

fn render_backup(xml: &mut Xml, turn: &Turn<'_>, backup: &Backup) {
    let of = &backup.instance;
    xml.element("DBInstanceAutomatedBackup", |xml| {
        xml.leaf("DBInstanceArn", turn.world.arn(&turn.region, "db", &of.id));
        xml.leaf("DbiResourceId", &of.resource_id);
        xml.leaf("Region", &turn.region);
        xml.leaf("DBInstanceIdentifier", &of.id);
        xml.element("RestoreWindow", |xml| {
            if let Some(window) = backup.window {
                xml.leaf("EarliestTime", format_instant(window.earliest));
                xml.leaf("LatestTime", format_instant(window.latest));
            }
        });
        xml.leaf("AllocatedStorage", of.settings.storage_gib);
        xml.leaf("Status", backup.status);
        xml.leaf("Port", of.settings.port);
        xml.leaf("AvailabilityZone", format!("{}{}", turn.region, of.zone));
        xml.optional("InstanceCreateTime", of.created.map(format_instant));
        xml.leaf("MasterUsername", &of.user);
        xml.leaf("Engine", &of.engine);
        xml.leaf("EngineVersion", &of.engine_version);
        xml.leaf("LicenseModel", "postgresql-license");
        xml.leaf("Encrypted", of.kms_key.is_some());
        xml.leaf("StorageType", &of.settings.storage_type);
        xml.optional("KmsKeyId", of.kms_key.as_deref());
        xml.leaf("IAMDatabaseAuthenticationEnabled", of.settings.iam_auth);
        xml.leaf("BackupRetentionPeriod", of.settings.retention_days);
        xml.leaf("PreferredBackupWindow", &of.settings.backup_window);
        xml.leaf("DBInstanceAutomatedBackupsArn", backup.arn(turn.world, &turn.region));
        xml.leaf("BackupTarget", "region");
        render::tags(xml, &of.tags);
    });
}
