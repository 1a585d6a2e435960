//! `DescribeDBInstanceAutomatedBackups`, `DeleteDBInstanceAutomatedBackup`.
//!
//! **Invariant:** the only place that tells the earliest restorable time; retained and replicated
//! backups stay readable after their instance is gone.

use crate::base::clock::format_instant;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::{describe::check_filter, page, render};
use crate::sim::state::{Instance, Replicated, World};
use crate::sim::world::{Window, instance_key};
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};

/// Automated backups of an instance that exists or existed, here or in another region.
#[derive(Debug, Clone)]
pub(in crate::sim::rds) struct Backup {
    /// With the key and the retention that the backups have.
    pub(in crate::sim::rds) instance: Instance,
    /// Region of the instance.
    pub(in crate::sim::rds) source_region: String,
    /// `active`, `creating`, `retained`, `pending`, `replicating`.
    pub(in crate::sim::rds) status: &'static str,
    pub(in crate::sim::rds) window: Option<Window>,
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
            Backup { instance: instance.clone(), source_region: region.to_owned(), status, window }
        });
    let retained = state.retained.values().filter_map(|retained| {
        let mut window = world.window(&retained.instance, retained.deleted)?;
        let days = i64::from(retained.instance.settings.retention_days);
        window.earliest = window.earliest.max(now - TimeDelta::days(days));
        let instance = retained.instance.clone();
        (window.earliest <= window.latest).then_some(Backup {
            instance,
            source_region: region.to_owned(),
            status: "retained",
            window: Some(window),
        })
    });
    let replicated = state.replicated.values().filter_map(|copied| replicated(world, copied, now));
    let mut all: Vec<Backup> = active.chain(retained).chain(replicated).collect();
    all.sort_by(|a, b| a.instance.resource_id.cmp(&b.instance.resource_id));
    all
}

/// Backups that are copied from another region; `None` once they have all expired.
fn replicated(world: &World, copied: &Replicated, now: DateTime<Utc>) -> Option<Backup> {
    let days = i64::from(copied.retention_days);
    let until = copied.stopped.unwrap_or(now);
    let source = match copied.stopped {
        None => living(world, copied).unwrap_or(&copied.instance),
        Some(_) => &copied.instance,
    };
    // The window of the source, less what was before replication began and what is too old.
    let window = world.window(source, until).and_then(|mut window| {
        window.earliest = window.earliest.max(copied.seeded).max(now - TimeDelta::days(days));
        (copied.seeded <= until && window.earliest <= window.latest).then_some(window)
    });
    let status = match copied.stopped {
        Some(_) => "retained",
        None if now < copied.seeded => "pending",
        None => "replicating",
    };
    if status == "retained" && window.is_none() {
        return None;
    }
    let mut instance = source.clone();
    instance.kms_key.clone_from(&copied.kms_key);
    instance.settings.retention_days = copied.retention_days;
    Some(Backup { instance, source_region: copied.source_region.clone(), status, window })
}

/// The source of copied backups as it is now, whatever it is called now.
pub(in crate::sim::rds) fn living<'a>(
    world: &'a World,
    copied: &Replicated,
) -> Option<&'a Instance> {
    let there = world.region(&copied.source_region).instances.values();
    let mut there = there.filter_map(|slot| slot.current.as_ref());
    there.find(|instance| instance.resource_id == copied.instance.resource_id)
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
            && arn.is_none_or(|arn| has_arn(turn, backup, arn))
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

/// Whether `arn` names the backups in the call's region.
pub(in crate::sim::rds) fn has_arn(turn: &Turn<'_>, backup: &Backup, arn: &str) -> bool {
    turn.world.auto_backup_arn(&turn.region, &backup.instance.resource_id) == arn
}

/// `DBInstanceAutomatedBackupNotFound`.
pub(in crate::sim::rds) fn not_found(wanted: &str) -> ApiError {
    let message = format!("DBInstanceAutomatedBackup {wanted} not found.");
    ApiError::not_found("DBInstanceAutomatedBackupNotFound", message)
}

/// `DeleteDBInstanceAutomatedBackup`: only retained ones, for the others belong to an instance.
pub(in crate::sim::rds) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let resource = turn.params.text("DbiResourceId");
    let arn = turn.params.text("DBInstanceAutomatedBackupsArn");
    let Some(wanted) = resource.or(arn) else {
        let message = "DbiResourceId or DBInstanceAutomatedBackupsArn must be specified.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    };
    let mut there = all(turn.world, &turn.region, turn.now).into_iter();
    let found = there.find(|backup| {
        resource.is_none_or(|resource| backup.instance.resource_id == resource)
            && arn.is_none_or(|arn| has_arn(turn, backup, arn))
    });
    let backup = found.ok_or_else(|| not_found(wanted))?;
    if backup.status != "retained" {
        let message = format!("The automated backup of {} is not retained.", backup.instance.id);
        return Err(ApiError::sender("InvalidDBInstanceAutomatedBackupState", message));
    }
    let answer = answer(turn, &backup);
    let resource = &backup.instance.resource_id;
    let region = turn.region_mut();
    region.retained.remove(resource);
    region.replicated.remove(resource);
    turn.changed(&backup.instance.id, "automated backups deleted");
    answer
}

/// The answer of a call that is about one backup.
pub(in crate::sim::rds) fn answer(turn: &Turn<'_>, backup: &Backup) -> Outcome {
    let mut xml = Xml::default();
    render_backup(&mut xml, turn, backup);
    Ok(Body::Result(Some(xml)))
}

fn render_backup(xml: &mut Xml, turn: &Turn<'_>, backup: &Backup) {
    let of = &backup.instance;
    let place = &backup.source_region;
    xml.element("DBInstanceAutomatedBackup", |xml| {
        xml.leaf("DBInstanceArn", turn.world.arn(place, "db", &of.id));
        xml.leaf("DbiResourceId", &of.resource_id);
        xml.leaf("Region", place);
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
        xml.leaf("AvailabilityZone", format!("{place}{}", of.zone));
        xml.optional("InstanceCreateTime", of.created.map(format_instant));
        xml.leaf("MasterUsername", &of.user);
        xml.leaf("Engine", &of.engine);
        xml.leaf("EngineVersion", &of.engine_version);
        xml.leaf("LicenseModel", render::license(&of.engine));
        xml.leaf("Encrypted", of.kms_key.is_some());
        xml.leaf("StorageType", &of.settings.storage_type);
        xml.optional("KmsKeyId", of.kms_key.as_deref());
        xml.leaf("IAMDatabaseAuthenticationEnabled", of.settings.iam_auth);
        xml.leaf("BackupRetentionPeriod", of.settings.retention_days);
        xml.leaf("PreferredBackupWindow", &of.settings.backup_window);
        let arn = turn.world.auto_backup_arn(&turn.region, &of.resource_id);
        xml.leaf("DBInstanceAutomatedBackupsArn", arn);
        xml.leaf("BackupTarget", "region");
        if *place == turn.region {
            render::backup_replications(xml, turn.world, place, of);
        }
        render::tags(xml, &of.tags);
    });
}
