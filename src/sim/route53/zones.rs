//! `ListHostedZones`, `ListHostedZonesByName` and `GetHostedZone`.
//!
//! **Invariant:** by name, zones come in the order of their labels from the last to the first.

use super::names::{canonical, sort_key};
use super::state::Zone;
use super::{document, invalid_input};
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::xml::Xml;

/// Most zones on a page.
const PAGE: usize = 100;

pub(super) fn no_such_zone(id: &str) -> ApiError {
    ApiError::not_found("NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
}

/// The name servers of a public zone.
pub(super) fn name_servers(zone: &Zone) -> Vec<String> {
    let own = zone.current().iter().find(|set| set.name == zone.name && set.kind == "NS");
    let values = own.map(|set| set.values.as_slice()).unwrap_or_default();
    values.iter().map(|value| value.trim_end_matches('.').to_owned()).collect()
}

fn zone_xml(xml: &mut Xml, zone: &Zone) {
    xml.element("HostedZone", |xml| {
        xml.leaf("Id", format!("/hostedzone/{}", zone.id));
        xml.leaf("Name", &zone.name);
        xml.leaf("CallerReference", format!("estate-{}", zone.id));
        xml.element("Config", |xml| xml.leaf("PrivateZone", zone.private));
        xml.leaf("ResourceRecordSetCount", zone.current().len());
    });
}

/// `ListHostedZones`.
pub(super) fn list(turn: &mut Turn<'_>) -> Outcome {
    let request = &turn.route53;
    let most = request.page(PAGE)?;
    let zones = &turn.world.services.route53.zones;
    let private = match request.parameter("hostedzonetype") {
        None => None,
        Some("PrivateHostedZone") => Some(true),
        Some(other) => return Err(invalid_input(format!("{other} is no type of hosted zone"))),
    };
    let marker = request.parameter("marker");
    if let Some(marker) = marker.filter(|marker| !zones.contains_key(*marker)) {
        return Err(no_such_zone(marker));
    }
    let fits = |zone: &&Zone| {
        marker.is_none_or(|marker| zone.id.as_str() >= marker)
            && private.is_none_or(|private| zone.private == private)
    };
    let mut rest = zones.values().filter(fits);
    let shown: Vec<&Zone> = rest.by_ref().take(most).collect();
    let next = rest.next();
    Ok(document(200, "ListHostedZones", |xml| {
        xml.element("HostedZones", |xml| shown.iter().for_each(|zone| zone_xml(xml, zone)));
        xml.optional("Marker", marker);
        xml.leaf("IsTruncated", next.is_some());
        xml.optional("NextMarker", next.map(|zone| zone.id.as_str()));
        xml.leaf("MaxItems", most);
    }))
}

/// `ListHostedZonesByName`.
pub(super) fn by_name(turn: &mut Turn<'_>) -> Outcome {
    let request = &turn.route53;
    let most = request.page(PAGE)?;
    let (name, id) = (request.parameter("dnsname"), request.parameter("hostedzoneid"));
    if id.is_some() && name.is_none() {
        return Err(invalid_input("hostedzoneid was specified without dnsname"));
    }
    let start = name
        .map(|name| {
            let bad = || ApiError::sender("InvalidDomainName", format!("{name} is no domain name"));
            let canonical = canonical(name).map_err(|_| bad())?;
            Ok::<_, ApiError>((sort_key(&canonical), id.unwrap_or_default().to_owned()))
        })
        .transpose()?;
    let mut zones: Vec<&Zone> = turn.world.services.route53.zones.values().collect();
    let place = |zone: &Zone| (sort_key(&zone.name), zone.id.clone());
    zones.sort_by_key(|zone| place(zone));
    zones.retain(|zone| start.as_ref().is_none_or(|start| place(zone) >= *start));
    let (shown, next) = zones.split_at(zones.len().min(most));
    let next = next.first();
    Ok(document(200, "ListHostedZonesByName", |xml| {
        xml.element("HostedZones", |xml| shown.iter().for_each(|zone| zone_xml(xml, zone)));
        xml.optional("DNSName", name);
        xml.optional("HostedZoneId", id);
        xml.leaf("IsTruncated", next.is_some());
        xml.optional("NextDNSName", next.map(|zone| zone.name.as_str()));
        xml.optional("NextHostedZoneId", next.map(|zone| zone.id.as_str()));
        xml.leaf("MaxItems", most);
    }))
}

/// `GetHostedZone`.
pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let id = &turn.route53.id;
    let zone = turn.world.services.route53.zones.get(id).ok_or_else(|| no_such_zone(id))?;
    let region = &turn.region;
    Ok(document(200, "GetHostedZone", |xml| {
        zone_xml(xml, zone);
        if zone.private {
            xml.element("VPCs", |xml| {
                xml.element("VPC", |xml| {
                    xml.leaf("VPCRegion", region);
                    xml.leaf("VPCId", crate::sim::genesis::DEFAULT_VPC);
                });
            });
        } else {
            xml.element("DelegationSet", |xml| {
                xml.leaves("NameServers", "NameServer", name_servers(zone));
            });
        }
    }))
}
