//! What Route 53 demands of a batch and of the zone that it would leave.
//!
//! **Invariant:** a batch is judged as a whole: all reasons against it, or the records after it.

use super::batch::{Action, Item};
use super::names::within;
use super::state::{Policy, RecordSet, Zone};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Most records and characters of a batch; an `UPSERT` counts twice.
const RECORDS: usize = 1000;
const CHARACTERS: usize = 32_000;

/// The zone's records after the batch, or every reason against it.
pub(super) fn apply(
    zone: &Zone,
    items: &[Item],
    zones: &BTreeMap<String, Zone>,
) -> Result<Vec<RecordSet>, Vec<String>> {
    let mut reasons = too_much(items);
    let mut records = zone.current().to_vec();
    let mut deleted: Vec<&RecordSet> = Vec::new();
    for Item { action, set } in items {
        if !within(&set.name, &zone.name) {
            let (name, zone) = (&set.name, &zone.name);
            reasons.push(format!("RRSet with DNS name {name} is not permitted in zone {zone}"));
            continue;
        }
        let twice = *action == Action::Delete
            && deleted.iter().any(|other| other.identity() == set.identity());
        if twice {
            reasons.push(format!(
                "The request contains an invalid set of changes for a resource record set '{} {}'",
                set.kind, set.name
            ));
            continue;
        }
        let found = records.iter().position(|other| other.identity() == set.identity());
        match (action, found) {
            (Action::Create, Some(_)) => reasons.push(format!(
                "Tried to create resource record set {} but it already exists",
                name_of(set)
            )),
            (Action::Delete, None) => reasons.push(format!(
                "Tried to delete resource record set {} but it was not found",
                name_of(set)
            )),
            (Action::Delete, Some(at)) if !records[at].same_as(set) => reasons.push(format!(
                "Tried to delete resource record set {} but the values provided do not match the \
                 current values",
                name_of(set)
            )),
            (Action::Delete, Some(at)) => {
                records.remove(at);
                deleted.push(set);
            }
            (Action::Upsert, Some(at)) => {
                reasons.extend(unfit(set));
                records[at] = set.clone();
            }
            (Action::Create | Action::Upsert, None) => {
                reasons.extend(unfit(set));
                records.push(set.clone());
            }
        }
    }
    let touched = items.iter().filter(|item| item.action != Action::Delete);
    for set in touched.map(|item| &item.set) {
        reasons.extend(beside(set, &records, zone));
        reasons.extend(dangling(set, &records, (zone, zones)));
    }
    reasons.extend(apex(&records, zone));
    let mut said = Vec::new();
    reasons.retain(|reason| {
        let new = !said.contains(reason);
        said.push(reason.clone());
        new
    });
    if reasons.is_empty() { Ok(records) } else { Err(reasons) }
}

/// `[name='x.', type='A']`, with the set identifier where there is one.
fn name_of(set: &RecordSet) -> String {
    let identifier = set.set_identifier.as_ref();
    let identifier = identifier.map(|it| format!(", set-identifier='{it}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{identifier}]", set.name, set.kind)
}

fn too_much(items: &[Item]) -> Vec<String> {
    let (mut records, mut characters) = (0, 0);
    for Item { action, set } in items {
        let times = if *action == Action::Upsert { 2 } else { 1 };
        records += times * set.values.len().max(1);
        characters += times * set.values.iter().map(|value| value.chars().count()).sum::<usize>();
    }
    let mut reasons = Vec::new();
    if records > RECORDS {
        reasons.push(format!("Number of records limit of {RECORDS} exceeded"));
    }
    if characters > CHARACTERS {
        reasons.push(format!("Number of characters limit of {CHARACTERS} exceeded"));
    }
    reasons
}

/// What is wrong with a set by itself.
fn unfit(set: &RecordSet) -> Vec<String> {
    let mut reasons = Vec::new();
    let told = format!("RRSet with DNS name {}, type {}", set.name, set.kind);
    match (&set.alias, set.ttl, set.values.is_empty()) {
        (Some(_), None, true) | (None, Some(_), false) => {}
        (Some(_), _, _) => {
            reasons.push(format!("{told} is an alias and must have no TTL or values"))
        }
        (None, None, _) => reasons.push(format!("{told} must have a TTL")),
        (None, Some(_), true) => reasons.push(format!("{told} must have at least one value")),
    }
    let routings = [
        set.weight.is_some(),
        set.region.is_some(),
        set.failover.is_some(),
        set.multi_value.is_some(),
    ];
    let routings = routings.into_iter().filter(|given| *given).count();
    if routings > 1 {
        reasons.push(format!("{told} must have one routing policy and no other"));
    }
    if (routings > 0) != set.set_identifier.is_some() {
        let words = if routings > 0 {
            "needs a SetIdentifier"
        } else {
            "has a SetIdentifier and no routing policy"
        };
        reasons.push(format!("{told} {words}"));
    }
    if set.kind == "CNAME" && set.values.len() > 1 {
        reasons.push(format!("{told} must have one value and no other"));
    }
    for (at, value) in set.values.iter().enumerate() {
        if set.values[..at].contains(value) {
            reasons.push(format!("Duplicate Resource Record: '{value}'"));
        }
        reasons.extend(bad_value(&set.kind, value));
    }
    reasons
}

/// The texts of most of these are not published; codes and form are.
fn bad_value(kind: &str, value: &str) -> Option<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let number = |at: usize| words.get(at).is_some_and(|word| word.parse::<u16>().is_ok());
    let (fits, code, why) = match kind {
        "A" => (
            value.parse::<Ipv4Addr>().is_ok(),
            "ARRDATAIllegalIPv4Address",
            "Value is not a valid IPv4 address",
        ),
        "AAAA" => (
            value.parse::<Ipv6Addr>().is_ok(),
            "AAAARRDATAIllegalIPv6Address",
            "Value is not a valid IPv6 address",
        ),
        "TXT" | "SPF" => (
            is_quoted(value),
            "InvalidCharacterString",
            "Value should be enclosed in quotation marks",
        ),
        "MX" => {
            (words.len() == 2 && number(0), "MXRRDATANotTwoFields", "Record doesn't have 2 fields")
        }
        "SRV" => (
            words.len() == 4 && (0..3).all(number),
            "SRVRRDATANotFourFields",
            "Record doesn't have 4 fields",
        ),
        "CNAME" | "NS" | "PTR" => {
            (super::names::canonical(value).is_ok(), "InvalidDomainName", "Value is no domain name")
        }
        "SOA" => (words.len() == 7, "SOARRDATANotSevenFields", "Record doesn't have 7 fields"),
        _ => (!value.trim().is_empty(), "RRDATAEmpty", "Value is empty"),
    };
    let told = || {
        format!(
            "Invalid Resource Record: 'FATAL problem: {code} ({why}) encountered with '{value}''"
        )
    };
    (!fits).then(told)
}

/// One or more strings in quotation marks, each at most 255 bytes.
fn is_quoted(value: &str) -> bool {
    strings(value).is_some_and(|strings| strings.iter().all(|text| text.len() <= 255))
}

/// The strings of a text value, without quotation marks and escapes; `None` when it is malformed.
pub(in crate::sim) fn strings(value: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut rest = value.trim().as_bytes();
    while let [b'"', tail @ ..] = rest {
        let mut text = Vec::new();
        let mut at = tail;
        loop {
            match at {
                [b'"', after @ ..] => {
                    rest = after.trim_ascii_start();
                    break;
                }
                [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                    text.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                    at = after;
                }
                [b'\\', escaped, after @ ..] => {
                    text.push(*escaped);
                    at = after;
                }
                [byte, after @ ..] => {
                    text.push(*byte);
                    at = after;
                }
                [] => return None,
            }
        }
        found.push(text);
    }
    (rest.is_empty() && !found.is_empty()).then_some(found)
}

/// What does not go together with the other records of the zone.
fn beside(set: &RecordSet, records: &[RecordSet], zone: &Zone) -> Vec<String> {
    let mut reasons = Vec::new();
    let told = format!("RRSet with DNS name {}, type {}", set.name, set.kind);
    let identifier = set.set_identifier.as_ref();
    let identifier = identifier.map(|it| format!(", SetIdentifier {it}")).unwrap_or_default();
    let here = records.iter().filter(|other| other.name == set.name);
    for other in here {
        let cnames = [&set.kind, &other.kind].into_iter().filter(|kind| *kind == "CNAME").count();
        if cnames == 1 {
            let (name, zone) = (&set.name, &zone.name);
            reasons.push(format!(
                "RRSet of type {} with DNS name {name} is not permitted as it conflicts with other \
                 records with the same DNS name in zone {zone}",
                set.kind
            ));
        }
        if other.kind != set.kind || other.identity() == set.identity() {
            continue;
        }
        let (ours, theirs) = (set.policy(), other.policy());
        if ours != theirs {
            let existing = match (ours, theirs) {
                (Policy::Weighted | Policy::Latency | Policy::Failover | Policy::MultiValue, _) => {
                    format!("non-{}", ours.name())
                }
                (Policy::Simple, _) => theirs.name().to_owned(),
            };
            reasons.push(format!(
                "{told}{identifier} cannot be created as a {existing} set exists with the same name \
                 and type"
            ));
        } else if ours == Policy::Failover && set.failover == other.failover {
            let role = set.failover.as_deref().unwrap_or_default();
            reasons.push(format!(
                "{told}{identifier} cannot be created as a failover set with role {role} exists with \
                 the same name and type"
            ));
        }
    }
    if set.kind == "CNAME" && set.name == zone.name {
        let (name, zone) = (&set.name, &zone.name);
        reasons.push(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
        ));
    }
    reasons
}

/// What a set refers to and is not there.
fn dangling(
    set: &RecordSet,
    records: &[RecordSet],
    (zone, zones): (&Zone, &BTreeMap<String, Zone>),
) -> Option<String> {
    let alias = set.alias.as_ref()?;
    // Targets in zones that are not this account's, such as those of load balancers, are not known here.
    let target = if alias.zone == zone.id { Some(zone) } else { zones.get(&alias.zone) }?;
    let told = format!(
        "Tried to create an alias that targets {}, type {} in zone {}, but",
        alias.name, set.kind, target.id
    );
    if !within(&alias.name, &target.name) {
        return Some(format!("{told} the alias target name does not lie within the target zone"));
    }
    let there = if target.id == zone.id { records } else { target.current() };
    let found = there
        .iter()
        .any(|other| other.name == alias.name && (other.kind == set.kind || other.kind == "CNAME"));
    (!found).then(|| format!("{told} that target was not found"))
}

/// A zone keeps its own SOA and NS.
fn apex(records: &[RecordSet], zone: &Zone) -> Vec<String> {
    let count = |kind: &str| {
        let own = |set: &&RecordSet| set.name == zone.name && set.kind == kind;
        records.iter().filter(own).count()
    };
    let mut reasons = Vec::new();
    if count("SOA") != 1 {
        reasons.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if count("NS") == 0 {
        let reason = "A HostedZone must contain at least one NS record for the zone itself.";
        reasons.push(reason.to_owned());
    }
    reasons
}
