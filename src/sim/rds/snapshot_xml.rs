//! Snapshots as XML.
//!
//! **Invariant:** the time of a snapshot is left out until it is there, and a copy says what it was
//! made from.

use crate::base::clock::{between, format_instant};
use crate::sim::answer::{Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::{render, snapshots};
use crate::sim::state::Snapshot;
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};

/// The answer with the manual snapshot `id` of the call's region.
pub(in crate::sim::rds) fn rendered(turn: &Turn<'_>, id: &str) -> Outcome {
    let slot = turn.world.region(&turn.region).snapshots.get(id);
    let snapshot =
        slot.and_then(|slot| slot.current.as_ref()).ok_or_else(|| snapshots::not_found(id))?;
    let mut xml = Xml::default();
    render_snapshot(&mut xml, turn, snapshot);
    Ok(Body::Result(Some(xml)))
}

/// `SnapshotType`.
pub(in crate::sim::rds) fn snapshot_type(snapshot: &Snapshot) -> &'static str {
    if snapshot.automated { "automated" } else { "manual" }
}

/// Status and percentage at `now`.
fn progress(snapshot: &Snapshot, now: DateTime<Utc>) -> (&'static str, u128) {
    let began = snapshot.copy.as_ref().map_or(snapshot.started, |copy| copy.queued_until);
    if now >= snapshot.ready {
        return ("available", 100);
    }
    if now < began {
        return ("pending", 0);
    }
    let (whole, passed) = (between(began, snapshot.ready), between(began, now));
    ("creating", (passed.as_millis() * 100 / whole.as_millis().max(1)).min(99))
}

/// `<DBSnapshot>`.
pub(in crate::sim::rds) fn render_snapshot(xml: &mut Xml, turn: &Turn<'_>, snapshot: &Snapshot) {
    let of = &snapshot.instance;
    let (status, percent) = progress(snapshot, turn.now);
    xml.element("DBSnapshot", |xml| {
        xml.leaf("DBSnapshotIdentifier", &snapshot.id);
        xml.leaf("DBSnapshotArn", turn.world.arn(&turn.region, "snapshot", &snapshot.id));
        xml.leaf("DBInstanceIdentifier", &of.id);
        xml.leaf("DbiResourceId", &of.resource_id);
        if percent == 100 {
            xml.leaf("SnapshotCreateTime", format_instant(snapshot.started));
            xml.leaf("OriginalSnapshotCreateTime", format_instant(snapshot.point()));
        }
        if let Some(copy) = &snapshot.copy {
            xml.leaf("SourceDBSnapshotIdentifier", &copy.source);
            xml.leaf("SourceRegion", &copy.region);
        }
        xml.leaf("Engine", &of.engine);
        xml.leaf("EngineVersion", &of.engine_version);
        xml.leaf("AllocatedStorage", of.settings.storage_gib);
        xml.leaf("StorageType", &of.settings.storage_type);
        xml.leaf("Status", status);
        xml.leaf("PercentProgress", percent);
        xml.leaf("Port", of.settings.port);
        xml.leaf("AvailabilityZone", format!("{}{}", turn.region, of.zone));
        xml.optional("InstanceCreateTime", of.created.map(format_instant));
        xml.leaf("MasterUsername", &of.user);
        xml.leaf("LicenseModel", render::license(&of.engine));
        xml.leaf("SnapshotType", snapshot_type(snapshot));
        xml.leaf("Encrypted", of.kms_key.is_some());
        xml.optional("KmsKeyId", of.kms_key.as_deref());
        xml.leaf("IAMDatabaseAuthenticationEnabled", of.settings.iam_auth);
        xml.leaf("SnapshotTarget", "region");
        render::tags(xml, &snapshot.tags);
    });
}
