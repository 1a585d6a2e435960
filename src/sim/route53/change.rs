//! `ChangeResourceRecordSets` and `GetChange`.
//!
//! **Invariant:** every accepted batch is a change of its own, pending until the instant drawn for it.

use super::batch::{self, refused};
use super::state::{Change, Zone};
use super::zones::no_such_zone;
use super::{document, rules};
use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::xml::Xml;
use chrono::{DateTime, SecondsFormat, Utc};

/// `ChangeResourceRecordSets`.
pub(super) fn change(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.route53.id.clone();
    let state = &turn.world.services.route53;
    let zone = state.zones.get(&id).ok_or_else(|| no_such_zone(&id))?;
    let batch = batch::read(&turn.route53.body)?;
    if turn.now < zone.busy_until {
        let message =
            "The request was rejected because Route 53 was still processing a prior request.";
        return Err(ApiError::sender("PriorRequestNotComplete", message));
    }
    for item in &batch.items {
        let check = item.set.health_check.as_ref();
        if let Some(check) = check.filter(|check| !state.health_checks.contains_key(*check)) {
            return Err(super::health::no_such_check(check));
        }
    }
    let records = rules::apply(zone, &batch.items, &state.zones);
    let records = records.map_err(|reasons| refused(&reasons))?;
    let change = accept(turn, &id, records, batch.comment);
    let effect = format!("{} changes, change {}", batch.items.len(), change.id);
    turn.changed(&format!("hostedzone/{id}"), effect);
    let now = turn.now;
    Ok(document(200, "ChangeResourceRecordSets", |xml| info(xml, &change, now)))
}

fn accept(
    turn: &mut Turn<'_>,
    zone: &str,
    records: Vec<super::state::RecordSet>,
    comment: Option<String>,
) -> Change {
    let now = turn.now;
    let number = turn.world.mutations;
    let entity = format!("route53/{zone}/{number}");
    let clockwork = turn.world.clockwork();
    let (busy, propagates) =
        (clockwork.record_processing(&entity), clockwork.record_propagation(&entity));
    let change_id = change_id(turn.world.seed().derive(&format!("{entity}/change")));
    let state = &mut turn.world.services.route53;
    let mut in_sync = now + to_delta(propagates);
    if let Some(zone) = state.zones.get_mut(zone) {
        in_sync = Zone::change(zone, records, now, in_sync);
        zone.busy_until = now + to_delta(busy);
    }
    let change = Change { id: change_id, submitted: now, in_sync, comment };
    state.changes.insert(change.id.clone(), change.clone());
    change
}

/// `C` and letters and digits.
fn change_id(number: u64) -> String {
    let mut random = fastrand::Rng::with_seed(number);
    let letter = |_| {
        let at = random.usize(0..36);
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[at])
    };
    format!("C{}", (0..20).map(letter).collect::<String>())
}

/// `GetChange`.
pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.route53.id.as_str();
    let found = turn.world.services.route53.changes.get(id).cloned().ok_or_else(|| {
        ApiError::not_found(
            "NoSuchChange",
            format!("A change with the specified change ID {id} does not exist."),
        )
    })?;
    let now = turn.now;
    Ok(document(200, "GetChange", |xml| info(xml, &found, now)))
}

fn info(xml: &mut Xml, change: &Change, now: DateTime<Utc>) {
    let status = if change.in_sync <= now { "INSYNC" } else { "PENDING" };
    xml.element("ChangeInfo", |xml| {
        xml.leaf("Id", format!("/change/{}", change.id));
        xml.leaf("Status", status);
        xml.leaf("SubmittedAt", change.submitted.to_rfc3339_opts(SecondsFormat::Millis, true));
        xml.optional("Comment", change.comment.as_deref());
    });
}
