//! `DescribeDBSnapshots`, `CreateDBSnapshot`, `DeleteDBSnapshot`.
//!
//! **Invariant:** automated snapshots are computed from the instance's backups; only manual ones
//! are stored, and they outlive their instance.

use crate::base::clock::{between, format_instant, to_delta};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::choices::{check_identifier, check_tags};
use crate::sim::rds::{events, page, render};
use crate::sim::state::{Instance, Phase, Slot, Snapshot, Status};
use crate::sim::world::instance_key;
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};

/// Manual snapshots a region may have.
const SNAPSHOT_QUOTA: usize = 100;

/// Whether to look as reads do or at the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::rds) enum View {
    Seen,
    Current,
}

/// `DBSnapshotNotFound`.
pub(in crate::sim::rds) fn not_found(id: &str) -> ApiError {
    ApiError::not_found("DBSnapshotNotFound", format!("DBSnapshot {id} not found."))
}

/// The error for an instance that cannot be snapshotted now.
pub(in crate::sim::rds) fn instance_unavailable(id: &str) -> ApiError {
    let message = format!(
        "Cannot create a snapshot because the database instance {id} is not currently in the \
         available state."
    );
    ApiError::sender("InvalidDBInstanceState", message)
}

/// All snapshots of the region in order of identifier.
pub(in crate::sim::rds) fn all(turn: &Turn<'_>, view: View) -> Vec<Snapshot> {
    let (world, now) = (&*turn.world, turn.now);
    let region = world.region(&turn.region);
    let manual = region.snapshots.values().filter_map(|slot| match view {
        View::Seen => slot.seen(now),
        View::Current => slot.current.as_ref(),
    });
    let live = region
        .instances
        .values()
        .filter_map(|slot| slot.current.as_ref())
        .filter(|instance| instance.exists(now))
        .map(|instance| (instance, now));
    // Of a deleted instance, what was there when it was deleted, until it is too old.
    let retained = region.retained.values().map(|kept| (&kept.instance, kept.deleted));
    let automated = live.chain(retained).flat_map(|(of, until)| {
        let days = i64::from(of.settings.retention_days);
        let mut found = world.automated_snapshots(of, until);
        found.retain(|snapshot| snapshot.started >= now - TimeDelta::days(days));
        found
    });
    let mut found: Vec<Snapshot> = manual.cloned().chain(automated).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// `DescribeDBSnapshots`.
pub(in crate::sim::rds) fn describe(turn: &mut Turn<'_>) -> Outcome {
    let mut found = all(turn, View::Seen);
    let kind = turn.params.text("SnapshotType");
    if let Some(kind) = kind {
        let known = ["automated", "manual", "shared", "public", "awsbackup"];
        if !known.contains(&kind) {
            let message = format!("Invalid snapshot type: {kind}");
            return Err(ApiError::sender("InvalidParameterValue", message));
        }
        found.retain(|snapshot| snapshot_type(snapshot) == kind);
    }
    if let Some(id) = turn.params.text("DBInstanceIdentifier").map(instance_key) {
        found.retain(|snapshot| snapshot.instance.id == id);
    }
    if let Some(id) = turn.params.text("DbiResourceId") {
        found.retain(|snapshot| snapshot.instance.resource_id == id);
    }
    if let Some(id) = turn.params.text("DBSnapshotIdentifier").map(instance_key) {
        found.retain(|snapshot| snapshot.id == id);
        if found.is_empty() {
            return Err(not_found(&id));
        }
    }
    let (page, marker) = page::cut(&turn.params, found, |snapshot| snapshot.id.clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBSnapshots", |xml| {
        for snapshot in &page {
            render_snapshot(xml, turn, snapshot);
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `CreateDBSnapshot`.
pub(in crate::sim::rds) fn create(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("DBSnapshotIdentifier")?.to_lowercase();
    let of = instance_key(turn.params.required("DBInstanceIdentifier")?);
    check_identifier("DBSnapshotIdentifier", &id)?;
    let mut instance = turn.world.instance(&turn.region, &of, turn.now)?.clone();
    if instance.status(turn.now) != Status::Available {
        return Err(instance_unavailable(&of));
    }
    let ready = take(turn, &instance, &id)?;
    instance.reschedule(
        turn.now,
        [
            Phase { from: turn.now, status: Status::BackingUp },
            Phase { from: ready, status: Status::Available },
        ],
    );
    let (now, stale) = (turn.now, turn.stale_until(&of));
    if let Some(slot) = turn.region_mut().instances.get_mut(&of) {
        slot.replace(Some(instance), now, stale);
    }
    rendered(turn, &id)
}

/// Starts a manual snapshot; the instant it is ready.
pub(in crate::sim::rds) fn take(
    turn: &mut Turn<'_>,
    instance: &Instance,
    id: &str,
) -> Result<DateTime<Utc>, ApiError> {
    let (now, stale) = (turn.now, turn.stale_until(id));
    let entity = format!("rds/{}/snapshot/{id}", turn.region);
    let length = turn.world.clockwork().snapshot(&entity, instance.settings.storage_gib);
    let snapshots = &turn.world.region(&turn.region).snapshots;
    if snapshots.get(id).is_some_and(|slot| slot.current.is_some()) {
        let message = format!(
            "Cannot create the snapshot because a snapshot with the identifier {id} already exists."
        );
        return Err(ApiError::sender("DBSnapshotAlreadyExists", message));
    }
    if snapshots.len() >= SNAPSHOT_QUOTA {
        let message = "Cannot create more than 100 manual snapshots";
        return Err(ApiError::sender("SnapshotQuotaExceeded", message));
    }
    let given = turn.params.tags();
    let inherited = || match instance.settings.copy_tags_to_snapshot {
        true => instance.tags.clone(),
        false => std::collections::BTreeMap::new(),
    };
    let tags = given.unwrap_or_else(inherited);
    check_tags(&tags)?;
    let snapshot = Snapshot {
        id: id.to_owned(),
        automated: false,
        instance: instance.clone(),
        started: now,
        ready: now + to_delta(length),
        tags,
    };
    let ready = snapshot.ready;
    events::note_snapshot(turn, id, now, "creation", "Creating manual snapshot");
    events::note_snapshot(turn, id, ready, "creation", "Manual snapshot created");
    turn.region_mut().snapshots.entry(id.to_owned()).or_insert_with(Slot::empty).replace(
        Some(snapshot),
        now,
        stale,
    );
    turn.changed(id, format!("snapshot of {}", instance.id));
    Ok(ready)
}

/// `DeleteDBSnapshot`.
pub(in crate::sim::rds) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let id = instance_key(turn.params.required("DBSnapshotIdentifier")?);
    let found = all(turn, View::Current).into_iter().find(|snapshot| snapshot.id == id);
    let snapshot = found.ok_or_else(|| not_found(&id))?;
    if snapshot.automated || turn.now < snapshot.ready {
        let message = format!("DB snapshot {id} cannot be deleted in its present state.");
        return Err(ApiError::sender("InvalidDBSnapshotState", message));
    }
    let outcome = rendered(turn, &id);
    let (now, stale) = (turn.now, turn.stale_until(&id));
    if let Some(slot) = turn.region_mut().snapshots.get_mut(&id) {
        slot.replace(None, now, stale);
    }
    turn.changed(&id, "snapshot deleted");
    outcome
}

fn rendered(turn: &Turn<'_>, id: &str) -> Outcome {
    let slot = turn.world.region(&turn.region).snapshots.get(id);
    let snapshot = slot.and_then(|slot| slot.current.as_ref()).ok_or_else(|| not_found(id))?;
    let mut xml = Xml::default();
    render_snapshot(&mut xml, turn, snapshot);
    Ok(Body::Result(Some(xml)))
}

fn snapshot_type(snapshot: &Snapshot) -> &'static str {
    if snapshot.automated { "automated" } else { "manual" }
}

fn render_snapshot(xml: &mut Xml, turn: &Turn<'_>, snapshot: &Snapshot) {
    let of = &snapshot.instance;
    let ready = turn.now >= snapshot.ready;
    let (whole, passed) =
        (between(snapshot.started, snapshot.ready), between(snapshot.started, turn.now));
    let percent = passed.as_millis() * 100 / whole.as_millis().max(1);
    xml.element("DBSnapshot", |xml| {
        xml.leaf("DBSnapshotIdentifier", &snapshot.id);
        xml.leaf("DBSnapshotArn", turn.world.arn(&turn.region, "snapshot", &snapshot.id));
        xml.leaf("DBInstanceIdentifier", &of.id);
        xml.leaf("DbiResourceId", &of.resource_id);
        if ready {
            xml.leaf("SnapshotCreateTime", format_instant(snapshot.started));
            xml.leaf("OriginalSnapshotCreateTime", format_instant(snapshot.started));
        }
        xml.leaf("Engine", &of.engine);
        xml.leaf("EngineVersion", &of.engine_version);
        xml.leaf("AllocatedStorage", of.settings.storage_gib);
        xml.leaf("StorageType", &of.settings.storage_type);
        xml.leaf("Status", if ready { "available" } else { "creating" });
        xml.leaf("PercentProgress", if ready { 100 } else { percent.min(99) });
        xml.leaf("Port", of.settings.port);
        xml.leaf("AvailabilityZone", format!("{}{}", turn.region, of.zone));
        xml.optional("InstanceCreateTime", of.created.map(format_instant));
        xml.leaf("MasterUsername", &of.user);
        xml.leaf("LicenseModel", "postgresql-license");
        xml.leaf("SnapshotType", snapshot_type(snapshot));
        xml.leaf("Encrypted", of.kms_key.is_some());
        xml.optional("KmsKeyId", of.kms_key.as_deref());
        xml.leaf("IAMDatabaseAuthenticationEnabled", of.settings.iam_auth);
        xml.leaf("SnapshotTarget", "region");
        render::tags(xml, &snapshot.tags);
    });
}
