//! Reads the change batch of a `ChangeResourceRecordSets`.
//!
//! **Invariant:** an element that is not understood is refused by name, never left out.

use super::invalid_input;
use super::names::canonical;
use super::state::{Alias, RecordSet};
use crate::sim::answer::ApiError;
use crate::sim::xml::{Element, tree};

/// What is done with a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Delete,
    Upsert,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) action: Action,
    pub(super) set: RecordSet,
}

/// A batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) comment: Option<String>,
    pub(super) items: Vec<Item>,
}

/// What a record set may hold and the simulator has not.
const UNSUPPORTED: [&str; 4] =
    ["GeoLocation", "GeoProximityLocation", "CidrRoutingConfig", "TrafficPolicyInstanceId"];

/// Types of records that Route 53 has.
const KINDS: [&str; 16] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV",
    "SSHFP", "SVCB", "TXT",
];

/// Reads the body of a request.
pub(super) fn read(body: &[u8]) -> Result<Batch, ApiError> {
    let root = tree(body).filter(|root| root.name == "ChangeResourceRecordSetsRequest");
    let root = root.ok_or_else(|| {
        ApiError::sender("MalformedInput", "Unexpected element or end of the document")
    })?;
    let batch = root.child("ChangeBatch").ok_or_else(|| missing("changeBatch"))?;
    let changes = batch.child("Changes").ok_or_else(|| missing("changeBatch.changes"))?;
    if changes.children.is_empty() {
        return Err(invalid_input(
            "1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ));
    }
    let comment = batch.text_of("Comment").filter(|text| !text.is_empty()).map(str::to_owned);
    let items = changes.children.iter().enumerate();
    let items = items.map(|(at, change)| item(change, at + 1)).collect::<Result<_, _>>()?;
    Ok(Batch { comment, items })
}

fn missing(place: &str) -> ApiError {
    invalid_input(format!(
        "1 validation error detected: Value null at '{place}' failed to satisfy constraint: Member \
         must not be null"
    ))
}

fn unfit(place: &str, value: &str, constraint: &str) -> ApiError {
    invalid_input(format!(
        "1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: \
         {constraint}"
    ))
}

fn item(change: &Element, at: usize) -> Result<Item, ApiError> {
    let place = format!("changeBatch.changes.{at}.member");
    let action = match change.text_of("Action") {
        Some("CREATE") => Action::Create,
        Some("DELETE") => Action::Delete,
        Some("UPSERT") => Action::Upsert,
        None => return Err(missing(&format!("{place}.action"))),
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [CREATE, DELETE, UPSERT]";
            return Err(unfit(&format!("{place}.action"), other, constraint));
        }
    };
    let place = format!("{place}.resourceRecordSet");
    let set = change.child("ResourceRecordSet").ok_or_else(|| missing(&place))?;
    Ok(Item { action, set: record_set(set, &place)? })
}

fn record_set(from: &Element, place: &str) -> Result<RecordSet, ApiError> {
    if let Some(other) = UNSUPPORTED.iter().find(|name| from.child(name).is_some()) {
        return Err(invalid_input(format!("{other}: the simulator has no such routing")));
    }
    let text = |name: &str| from.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let name = text("Name").ok_or_else(|| missing(&format!("{place}.name")))?;
    let kind = text("Type").ok_or_else(|| missing(&format!("{place}.type")))?;
    if !KINDS.contains(&kind.as_str()) {
        let constraint = format!("Member must satisfy enum value set: [{}]", KINDS.join(", "));
        return Err(unfit(&format!("{place}.type"), &kind, &constraint));
    }
    let failover = text("Failover");
    if let Some(other) = failover.as_deref().filter(|it| !["PRIMARY", "SECONDARY"].contains(it)) {
        let constraint = "Member must satisfy enum value set: [PRIMARY, SECONDARY]";
        return Err(unfit(&format!("{place}.failover"), other, constraint));
    }
    let name = canonical(&name).map_err(|fault| refused(&[fault.text(&name)]))?;
    let records = from.child("ResourceRecords").map(|list| list.children.as_slice());
    let values = records.unwrap_or_default().iter();
    let values: Option<Vec<String>> =
        values.map(|record| record.text_of("Value").map(str::to_owned)).collect();
    Ok(RecordSet {
        name,
        kind,
        set_identifier: text("SetIdentifier"),
        weight: number(from, "Weight", 255, place)?.and_then(|weight| u8::try_from(weight).ok()),
        region: text("Region"),
        failover,
        multi_value: flag(from, "MultiValueAnswer", place)?,
        ttl: number(from, "TTL", 2_147_483_647, place)?,
        values: values
            .ok_or_else(|| missing(&format!("{place}.resourceRecords.1.member.value")))?,
        alias: from.child("AliasTarget").map(|target| alias(target, place)).transpose()?,
        health_check: text("HealthCheckId"),
    })
}

fn alias(from: &Element, place: &str) -> Result<Alias, ApiError> {
    let place = format!("{place}.aliasTarget");
    let need = |name: &str, field: &str| {
        let found = from.text_of(name).filter(|text| !text.is_empty());
        found.map(str::to_owned).ok_or_else(|| missing(&format!("{place}.{field}")))
    };
    let name = need("DNSName", "dNSName")?;
    Ok(Alias {
        zone: need("HostedZoneId", "hostedZoneId")?,
        name: canonical(&name).map_err(|fault| refused(&[fault.text(&name)]))?,
        evaluate: flag(from, "EvaluateTargetHealth", &place)?
            .ok_or_else(|| missing(&format!("{place}.evaluateTargetHealth")))?,
    })
}

fn number(from: &Element, name: &str, most: u32, place: &str) -> Result<Option<u32>, ApiError> {
    let Some(text) = from.text_of(name) else { return Ok(None) };
    match text.trim().parse::<u32>() {
        Ok(number) if number <= most => Ok(Some(number)),
        Ok(_) | Err(_) => {
            let constraint = format!("Member must have value between 0 and {most}");
            Err(unfit(&format!("{place}.{}", name.to_lowercase()), text, &constraint))
        }
    }
}

fn flag(from: &Element, name: &str, place: &str) -> Result<Option<bool>, ApiError> {
    match from.text_of(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(unfit(&format!("{place}.{name}"), other, "Member must be a boolean")),
    }
}

/// `InvalidChangeBatch` with these reasons.
pub(super) fn refused(reasons: &[String]) -> ApiError {
    ApiError::sender("InvalidChangeBatch", format!("[{}]", reasons.join(", ")))
}
