//! `CopyDBSnapshot`, called in the destination region.
//!
//! **Invariant:** a copy holds the data of its source; what is encrypted stays encrypted, with a key
//! of the copy's own region.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::choices::{check_identifier, check_option_group, check_tags};
use crate::sim::rds::snapshot_xml::rendered;
use crate::sim::rds::snapshots::{self, View, all_in};
use crate::sim::rds::{events, keys, names};
use crate::sim::state::{Copied, Instance, Slot, Snapshot};
use crate::sim::world::instance_key;
use std::collections::BTreeMap;

/// Copies that a region makes at a time.
const COPIES_IN_PROGRESS: usize = 20;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

/// Answers the call.
pub(in crate::sim::rds) fn snapshot(turn: &mut Turn<'_>) -> Outcome {
    let named = turn.params.required("SourceDBSnapshotIdentifier")?.to_owned();
    let id = turn.params.required("TargetDBSnapshotIdentifier")?.to_lowercase();
    check_identifier("TargetDBSnapshotIdentifier", &id)?;
    let (place, source) = source(turn, &named)?;
    let far = place != turn.region;
    if turn.now < source.ready {
        let message = format!("DB snapshot {} is not currently in the available state.", source.id);
        return Err(ApiError::sender("InvalidDBSnapshotState", message));
    }
    snapshots::check_new(turn, &id)?;
    let kms_key = key(turn, &source, far)?;
    check_option_group(turn, &source.instance)?;
    let tags = tags(turn, &source)?;
    if in_progress(turn) >= COPIES_IN_PROGRESS {
        let message = format!(
            "You have reached the limit of {COPIES_IN_PROGRESS} copies of snapshots in progress."
        );
        return Err(ApiError::sender("SnapshotQuotaExceeded", message));
    }
    let full = far && !has_earlier(turn, &source, kms_key.as_deref());
    let entity = format!("rds/{}/snapshot/{id}/{}", turn.region, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let gib = source.instance.settings.storage_gib;
    let queued_until = turn.now + to_delta(clockwork.copy_queue(&entity));
    let ready = queued_until + to_delta(clockwork.copying(&entity, gib, full));
    let arn = turn.world.arn(&place, "snapshot", &source.id);
    let copy = Snapshot {
        id: id.clone(),
        automated: false,
        copy: Some(Copied {
            source: arn,
            region: place.clone(),
            point: source.point(),
            queued_until,
        }),
        started: turn.now,
        ready,
        tags,
        instance: Instance { kms_key, ..source.instance },
    };
    tell(turn, &id, &place, &copy);
    turn.changed(&id, format!("copy of snapshot {} in {place}", source.id));
    let (now, stale) = (turn.now, turn.stale_until(&id));
    let slot = turn.region_mut().snapshots.entry(id.clone()).or_insert_with(Slot::empty);
    slot.replace(Some(copy), now, stale);
    rendered(turn, &id)
}

/// The source with its region: one of another region has to be named by ARN.
fn source(turn: &Turn<'_>, named: &str) -> Result<(String, Snapshot), ApiError> {
    let (region, id) = match names::arn(turn, "snapshot", named) {
        Some(found) => (found.region, found.id),
        None if named.starts_with("arn:") => {
            return Err(snapshots::not_found(&instance_key(named)));
        }
        None => (turn.region.clone(), named.to_lowercase()),
    };
    turn.reach(&region)?;
    let mut there = all_in(turn.world, &region, turn.now, View::Current).into_iter();
    let found = there.find(|snapshot| snapshot.id == id);
    found.map(|snapshot| (region, snapshot)).ok_or_else(|| snapshots::not_found(&id))
}

fn key(turn: &Turn<'_>, source: &Snapshot, far: bool) -> Result<Option<String>, ApiError> {
    let own = source.instance.kms_key.as_deref();
    if let Some(own) = own {
        keys::check_enabled(turn, own)?;
    }
    match (own, turn.params.text("KmsKeyId")) {
        (_, Some(named)) => keys::resolve(turn, named).map(Some),
        (Some(_), None) if far => {
            Err(invalid("Must specify new KMS key for cross region encrypted snapshot copy."))
        }
        (own, None) => Ok(own.map(str::to_owned)),
    }
}

fn tags(turn: &Turn<'_>, source: &Snapshot) -> Result<BTreeMap<String, String>, ApiError> {
    let given = turn.params.tags().unwrap_or_default();
    check_tags(&given)?;
    if !turn.params.flag("CopyTags")?.unwrap_or(false) {
        return Ok(given);
    }
    if let Some(key) = source.tags.keys().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(invalid(format!(
            "The tag {key} is a system tag: tags with the prefix aws: cannot be copied."
        )));
    }
    Ok(source.tags.clone().into_iter().chain(given).collect())
}

fn copies<'a>(turn: &'a Turn<'_>) -> impl Iterator<Item = &'a Snapshot> {
    let all = turn.world.region(&turn.region).snapshots.values();
    all.filter_map(|slot| slot.current.as_ref()).filter(|snapshot| snapshot.copy.is_some())
}

fn in_progress(turn: &Turn<'_>) -> usize {
    copies(turn).filter(|copy| turn.now < copy.ready).count()
}

/// Whether there is an earlier copy from the same instance under the same key: then only what has
/// changed since is copied.
fn has_earlier(turn: &Turn<'_>, source: &Snapshot, key: Option<&str>) -> bool {
    copies(turn).any(|copy| {
        copy.instance.resource_id == source.instance.resource_id
            && copy.instance.kms_key.as_deref() == key
            && copy.ready <= turn.now
    })
}

fn tell(turn: &mut Turn<'_>, id: &str, place: &str, copy: &Snapshot) {
    let (began, ready) = (copy.started, copy.ready);
    let (started, finished) = if place == turn.region {
        (
            format!("Started the copy of snapshot {id} in the region"),
            format!("Finished the copy of snapshot {id} in the region"),
        )
    } else {
        (
            format!("Started copy of snapshot {id} from region {place}"),
            format!("Finished copy of snapshot {id} from region {place}"),
        )
    };
    events::note_snapshot(turn, id, began, "notification", &started);
    events::note_snapshot(turn, id, ready, "notification", &finished);
}
