//! Zones, record sets, changes and health checks of Route 53, as small structs of our own.
//!
//! **Invariant:** a record set that holds something these structs do not says so, and is never written
//! back.

use crate::estate::AliasTarget;
use chrono::{DateTime, Utc};

/// The region that Route 53's control plane lives in, and that every call is signed for.
pub const CONTROL_PLANE: &str = "us-east-1";

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Id without `/hostedzone/`.
    pub id: String,
    /// Name with its last dot.
    pub name: String,
    /// Whether it answers inside VPCs only.
    pub private: bool,
}

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordSet {
    /// Name as Route 53 writes it: lower case, octal escapes, last dot.
    pub name: String,
    /// `A`, `CNAME`, …
    pub kind: String,
    /// What tells it from other sets of the same name and type.
    pub set_identifier: Option<String>,
    /// Share of the answers, 0 to 255.
    pub weight: Option<i64>,
    /// Region of latency routing.
    pub region: Option<String>,
    /// `PRIMARY` or `SECONDARY`.
    pub failover: Option<String>,
    /// Whether it is one of several values.
    pub multi_value: Option<bool>,
    /// Time to live, seconds; an alias has none.
    pub ttl: Option<i64>,
    /// Values in order; of an alias, its target as [`AliasTarget::text`] writes it.
    pub values: Vec<String>,
    /// Id of its health check.
    pub health_check: Option<String>,
    /// What it holds that is not known here, such as `GeoLocation`.
    pub unsupported: Option<&'static str>,
}

impl RecordSet {
    /// The target, when it is an alias.
    pub fn alias(&self) -> Option<AliasTarget> {
        self.values.first().and_then(|value| AliasTarget::parse(value))
    }

    /// Whether it has exactly these values, in any order.
    pub fn has_values(&self, values: &[String]) -> bool {
        let sorted = |values: &[String]| {
            let mut values: Vec<String> =
                values.iter().map(|value| plain_value(&self.kind, value)).collect();
            values.sort();
            values
        };
        sorted(&self.values) == sorted(values)
    }

    /// Whether it shares its name and type with others by a routing policy.
    pub fn is_routed(&self) -> bool {
        self.set_identifier.is_some()
    }
}

/// A value in the form in which it is compared: names without case and last dot, all else as it is.
pub fn plain_value(kind: &str, value: &str) -> String {
    if let Some(alias) = AliasTarget::parse(value) {
        return alias.text();
    }
    match kind {
        "CNAME" | "NS" | "PTR" | "MX" | "SRV" => plain_name(value),
        _ => value.to_owned(),
    }
}

/// A name in the form in which names are compared: lower case, no last dot, an asterisk as itself.
pub fn plain_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase().replace("\\052", "*");
    name.strip_suffix('.').unwrap_or(&name).to_owned()
}

/// An id without the path that AWS writes before it: `/hostedzone/Z1`, `/change/C1`.
pub fn plain_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// A change that Route 53 accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Id without `/change/`.
    pub id: String,
    /// Whether every name server answers it.
    pub in_sync: bool,
    /// When it was submitted, by AWS's clock.
    pub submitted_at: Option<DateTime<Utc>>,
    /// What was said with it.
    pub comment: Option<String>,
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Id.
    pub id: String,
    /// Version, which a change must name.
    pub version: i64,
    /// `HTTP`, `HTTPS`, …
    pub kind: String,
    /// Whether it says the opposite of what it finds.
    pub inverted: bool,
    /// Whether it asks nobody and always finds all well.
    pub disabled: bool,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEdit {
    /// Removes a set that has exactly this content.
    Delete(RecordSet),
    /// Makes a set that must not be there.
    Create(RecordSet),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_have_one_form() {
        assert_eq!(plain_name("\\052.Example."), "*.example");
        assert_eq!(plain_id("/hostedzone/Z1"), "Z1");
        assert_eq!(plain_id("Z1"), "Z1");
        let set = |kind: &str, values: &[&str]| RecordSet {
            kind: kind.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ..RecordSet::default()
        };
        let has = |set: &RecordSet, values: &[&str]| {
            set.has_values(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert!(has(&set("A", &["192.0.2.1", "192.0.2.2"]), &["192.0.2.2", "192.0.2.1"]));
        assert!(!has(&set("A", &["192.0.2.1"]), &["192.0.2.1", "192.0.2.1"]));
        assert!(has(&set("CNAME", &["Db.Example."]), &["db.example"]));
        assert!(!has(&set("TXT", &["\"A\""]), &["\"a\""]));
        assert!(has(&set("A", &["alias:Z1:lb.example"]), &["alias:Z1:LB.example."]));
        assert!(!has(&set("A", &["alias:Z1:lb.example"]), &["alias:Z1:lb.example:evaluate"]));
    }
}
