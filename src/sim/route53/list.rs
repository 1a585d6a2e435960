//! `ListResourceRecordSets`.
//!
//! **Invariant:** a page begins at the first set that is not before the start given, in Route 53's order;
//! following the next start gives every set once.

use super::names::{canonical, sort_key};
use super::state::RecordSet;
use super::zones::no_such_zone;
use super::{document, invalid_input, records_xml};
use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;

/// Most sets on a page.
const PAGE: usize = 300;

/// `ListResourceRecordSets`: shows a change at once, in sync or not.
pub(super) fn records(turn: &mut Turn<'_>) -> Outcome {
    let request = &turn.route53;
    let zones = &turn.world.services.route53.zones;
    let zone = zones.get(&request.id).ok_or_else(|| no_such_zone(&request.id))?;
    let most = request.page(PAGE)?;
    let name = request.parameter("name");
    let name = name
        .map(|name| canonical(name).map_err(|fault| invalid_input(fault.text(name))))
        .transpose()?;
    let (kind, identifier) = (request.parameter("type"), request.parameter("identifier"));
    if kind.is_some() && name.is_none() {
        return Err(invalid_input("The parameter type was specified without the parameter name"));
    }
    if identifier.is_some() && kind.is_none() {
        return Err(invalid_input(
            "The parameter identifier was specified without the parameters name and type",
        ));
    }
    let start = name.map(|name| {
        let identifier = identifier.map(str::to_owned);
        (sort_key(&name), kind.unwrap_or_default().to_owned(), identifier)
    });
    let sets = zone.current();
    let from = start.map_or(0, |start| sets.partition_point(|set| set.place() < start));
    let rest = &sets[from..];
    let (shown, next) = rest.split_at(rest.len().min(most));
    let next: Option<&RecordSet> = next.first();
    Ok(document(200, "ListResourceRecordSets", |xml| {
        xml.element("ResourceRecordSets", |xml| {
            for set in shown {
                records_xml::record_set(xml, set);
            }
        });
        xml.leaf("IsTruncated", next.is_some());
        if let Some(next) = next {
            xml.leaf("NextRecordName", &next.name);
            xml.leaf("NextRecordType", &next.kind);
            xml.optional("NextRecordIdentifier", next.set_identifier.as_deref());
        }
        xml.leaf("MaxItems", most);
    }))
}
