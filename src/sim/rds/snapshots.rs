//! Snapshots: `DescribeDBSnapshots`, `DescribeDBSnapshotAttributes`, `CreateDBSnapshot`,
//! `DeleteDBSnapshot`.
//!
//! **Invariant:** automated snapshots are computed from the instance's backups; only manual ones
//! are stored, and they outlive their instance.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::choices::{check_identifier, check_tags};
use crate::sim::rds::describe::check_filter;
use crate::sim::rds::snapshot_xml::{render_snapshot, rendered, snapshot_type};
use crate::sim::rds::{events, names, page};
use crate::sim::state::{Instance, Phase, Slot, Snapshot, Status, World};
use crate::sim::world::instance_key;
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Manual snapshots a region may have.
pub(in crate::sim::rds) const SNAPSHOT_QUOTA: usize = 100;

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

/// All snapshots of the call's region in order of identifier.
pub(in crate::sim::rds) fn all(turn: &Turn<'_>, view: View) -> Vec<Snapshot> {
    all_in(turn.world, &turn.region, turn.now, view)
}

/// All snapshots of a region in order of identifier.
pub(in crate::sim::rds) fn all_in(
    world: &World,
    region: &str,
    now: DateTime<Utc>,
    view: View,
) -> Vec<Snapshot> {
    let region = world.region(region);
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
    for (name, values) in turn.params.filters() {
        let known =
            ["db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine"];
        check_filter(&name, &known)?;
        found.retain(|snapshot| {
            let keys = |id: &String| values.iter().any(|value| instance_key(value) == *id);
            match name.as_str() {
                "db-instance-id" => keys(&snapshot.instance.id),
                "db-snapshot-id" => keys(&snapshot.id),
                "dbi-resource-id" => values.contains(&snapshot.instance.resource_id),
                "snapshot-type" => values.iter().any(|value| value == snapshot_type(snapshot)),
                _ => values.contains(&snapshot.instance.engine),
            }
        });
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
    let of = names::instance(turn, "DBInstanceIdentifier")?;
    check_identifier("DBSnapshotIdentifier", &id)?;
    let mut instance = turn.world.instance(&turn.region, &of, turn.now)?.clone();
    if !instance.status(turn.now).takes_snapshots() {
        return Err(instance_unavailable(&of));
    }
    let ready = take(turn, &instance, &id)?;
    // What was going on with it goes on after the snapshot.
    let after = instance.phases.iter().filter(|phase| phase.from > turn.now);
    let after: Vec<Phase> = after.map(|of| Phase::new(of.from.max(ready), of.status)).collect();
    let status = instance.status(turn.now);
    let begin = [Phase::new(turn.now, Status::BackingUp), Phase::new(ready, status)];
    instance.reschedule(turn.now, begin.into_iter().chain(after));
    let times = (turn.now, turn.stale_until(&of));
    turn.world.put(&turn.region, instance, times);
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
    check_new(turn, id)?;
    let tags = match turn.params.tags() {
        Some(given) => {
            check_tags(&given)?;
            given
        }
        None if instance.settings.copy_tags_to_snapshot => instance.tags.clone(),
        None => BTreeMap::new(),
    };
    let snapshot = Snapshot {
        id: id.to_owned(),
        automated: false,
        instance: instance.clone(),
        started: now,
        ready: now + to_delta(length),
        tags,
        copy: None,
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

/// Refuses an identifier that is taken, and one snapshot too many.
pub(in crate::sim::rds) fn check_new(turn: &Turn<'_>, id: &str) -> Result<(), ApiError> {
    let snapshots = &turn.world.region(&turn.region).snapshots;
    if snapshots.get(id).is_some_and(|slot| slot.current.is_some()) {
        let message = format!(
            "Cannot create the snapshot because a snapshot with the identifier {id} already exists."
        );
        return Err(ApiError::sender("DBSnapshotAlreadyExists", message));
    }
    if snapshots.values().filter(|slot| slot.current.is_some()).count() >= SNAPSHOT_QUOTA {
        let message = "Cannot create more than 100 manual snapshots";
        return Err(ApiError::sender("SnapshotQuotaExceeded", message));
    }
    Ok(())
}

/// `DescribeDBSnapshotAttributes`: nobody else may restore it.
pub(in crate::sim::rds) fn attributes(turn: &mut Turn<'_>) -> Outcome {
    let id = instance_key(turn.params.required("DBSnapshotIdentifier")?);
    let mut found = all(turn, View::Seen).into_iter();
    let snapshot = found.find(|snapshot| snapshot.id == id).ok_or_else(|| not_found(&id))?;
    let mut xml = Xml::default();
    xml.element("DBSnapshotAttributesResult", |xml| {
        xml.leaf("DBSnapshotIdentifier", &snapshot.id);
        xml.element("DBSnapshotAttributes", |xml| {
            xml.element("DBSnapshotAttribute", |xml| {
                xml.leaf("AttributeName", "restore");
                xml.leaves("AttributeValues", "AttributeValue", Vec::<String>::new());
            });
        });
    });
    Ok(Body::Result(Some(xml)))
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
    events::note_snapshot(turn, &id, now, "deletion", "Deleted user snapshot");
    turn.changed(&id, "snapshot deleted");
    outcome
}
