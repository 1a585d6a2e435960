//! `TestDNSAnswer`.
//!
//! **Invariant:** answers what name servers answer, which a change that is not in sync is not part of.

use super::names::{canonical, within};
use super::resolve::{Asked, Declared, SimDnsEnd, look_up};
use super::zones::{name_servers, no_such_zone};
use super::{document, invalid_input};
use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;

/// `TestDNSAnswer`: public zones only.
pub(super) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let request = &turn.route53;
    let need = |name: &str| {
        request.parameter(name).ok_or_else(|| invalid_input(format!("{name} was not specified")))
    };
    let (id, name, kind) = (need("hostedzoneid")?, need("recordname")?, need("recordtype")?);
    let zone = turn.world.services.route53.zones.get(id).ok_or_else(|| no_such_zone(id))?;
    if zone.private {
        return Err(invalid_input("TestDNSAnswer does not support private hosted zones"));
    }
    let canonical = canonical(name).map_err(|fault| invalid_input(fault.text(name)))?;
    if !within(&canonical, &zone.name) {
        return Err(invalid_input(format!("{name} does not lie in zone {}", zone.name)));
    }
    let draw = turn.world.seed().derive(&format!("route53/test/{}", turn.world.requests));
    let asked = Asked { name: &canonical, kind, at: turn.now, draw };
    let found = look_up(turn.world, &Declared::new(), asked);
    let code = match found.end {
        SimDnsEnd::NoSuchName if found.sets.is_empty() => "NXDOMAIN",
        SimDnsEnd::NotOurs => "REFUSED",
        SimDnsEnd::Found | SimDnsEnd::NoSuchRecord | SimDnsEnd::NoSuchName => "NOERROR",
    };
    let server = name_servers(zone).first().cloned().unwrap_or_default();
    let values = found.sets.first().map(|set| set.values.clone()).unwrap_or_default();
    Ok(document(200, "TestDNSAnswer", |xml| {
        xml.leaf("Nameserver", server);
        xml.leaf("RecordName", &canonical);
        xml.leaf("RecordType", kind);
        xml.leaves("RecordData", "RecordDataEntry", values);
        xml.leaf("ResponseCode", code);
        xml.leaf("Protocol", "UDP");
    }))
}
