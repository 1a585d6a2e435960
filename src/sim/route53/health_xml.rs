//! Health checks as requests and answers write them.
//!
//! **Invariant:** a field that is not given and one that is empty are told apart from a wrong one.

use super::invalid_input;
use super::state::HealthCheck;
use crate::sim::answer::ApiError;
use crate::sim::xml::{Element, Xml, tree};
use chrono::{DateTime, SecondsFormat, Utc};
use std::ops::RangeInclusive;

/// Where checkers are, and one of their addresses each.
const CHECKERS: [(&str, &str); 4] = [
    ("us-east-1", "15.177.10.1"),
    ("us-west-2", "15.177.18.1"),
    ("eu-west-1", "15.177.34.1"),
    ("ap-southeast-2", "15.177.58.1"),
];

/// The fields of a request, whether they stand in `HealthCheckConfig` or beside it.
pub(super) struct Given {
    fields: Vec<Element>,
}

/// Reads a request whose root is `name`, in any order of its elements.
pub(super) fn read(body: &[u8], name: &str) -> Result<Given, ApiError> {
    let root = tree(body).filter(|root| root.name == name).ok_or_else(|| {
        ApiError::sender("MalformedInput", "Unexpected element or end of the document")
    })?;
    let mut fields = Vec::new();
    for child in root.children {
        if child.name == "HealthCheckConfig" {
            fields.extend(child.children);
        } else {
            fields.push(child);
        }
    }
    Ok(Given { fields })
}

impl Given {
    /// Text of a field that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let found = self.fields.iter().find(|field| field.name == name);
        found.map(|field| field.text.clone()).filter(|text| !text.is_empty())
    }

    /// A whole number.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = text.parse::<u64>().ok().filter(|number| range.contains(number));
        let bad = || {
            let (low, high) = (range.start(), range.end());
            invalid_input(format!("{name} must be {low} to {high}, found {text}"))
        };
        found.map(Some).ok_or_else(bad)
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(invalid_input(format!("{name} must be a boolean, found {other}"))),
        }
    }
}

/// `<HealthCheck>`.
pub(super) fn health_check(xml: &mut Xml, check: &HealthCheck) {
    let config = &check.config;
    xml.element("HealthCheck", |xml| {
        xml.leaf("Id", &check.id);
        xml.leaf("CallerReference", &check.reference);
        xml.element("HealthCheckConfig", |xml| {
            xml.optional("IPAddress", config.ip.as_deref());
            xml.optional("Port", config.port);
            xml.leaf("Type", &config.kind);
            xml.optional("ResourcePath", config.path.as_deref());
            xml.optional("FullyQualifiedDomainName", config.host.as_deref());
            xml.optional("SearchString", config.search.as_deref());
            xml.leaf("RequestInterval", config.interval);
            xml.leaf("FailureThreshold", config.threshold);
            xml.leaf("MeasureLatency", config.latency);
            xml.leaf("Inverted", config.inverted);
            xml.leaf("Disabled", config.disabled);
        });
        xml.leaf("HealthCheckVersion", check.version);
    });
}

/// `<HealthCheckObservations>` of the last requests.
pub(super) fn observations(xml: &mut Xml, check: &HealthCheck, now: DateTime<Utc>) {
    let said = if check.observed {
        "Success: HTTP Status Code 200, OK"
    } else {
        "Failure: HTTP Status Code 503, Service Unavailable"
    };
    let at = check.checked.min(now).to_rfc3339_opts(SecondsFormat::Millis, true);
    xml.element("HealthCheckObservations", |xml| {
        for (region, address) in CHECKERS {
            xml.element("HealthCheckObservation", |xml| {
                xml.leaf("Region", region);
                xml.leaf("IPAddress", address);
                xml.element("StatusReport", |xml| {
                    xml.leaf("Status", said);
                    xml.leaf("CheckedTime", &at);
                });
            });
        }
    });
}
