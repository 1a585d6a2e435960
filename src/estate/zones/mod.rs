//! Hosted zones, their records and health checks of Route 53, as the estate means them to be.
//!
//! **Invariant:** plain data; what an environment changes is laid over whole entries and never adds one.

mod load;
mod shape;

pub(super) use load::{check, health_changes, health_check, zone, zone_changes};
pub(super) use shape::{
    HEALTH_CHANGES_FIELD, HEALTH_CHECKS_FIELD, ZONE_CHANGES_FIELD, ZONES_FIELD,
};

use std::collections::BTreeMap;
use std::time::Duration;

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Hosted zone id, without `/hostedzone/`.
    pub id: String,
    /// Domain name, lower case, without the last dot.
    pub name: String,
    /// Whether it answers inside VPCs only.
    pub private: bool,
    /// Record sets by their name in the estate, which is not their DNS name.
    pub records: BTreeMap<String, ZoneRecord>,
}

/// A record set of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneRecord {
    /// DNS name, lower case, without the last dot.
    pub name: String,
    /// `A`, `CNAME`, …
    pub kind: String,
    /// Time to live, seconds; an alias has none of its own.
    pub ttl: u32,
    /// Values, as Route 53 writes them; of an alias, its target as [`AliasTarget::text`] writes it.
    pub values: Vec<String>,
    /// Database of the estate whose endpoint is the value, in the place of `values`.
    pub database: Option<String>,
    /// What tells it from other sets of the same name and type.
    pub set_identifier: Option<String>,
    /// Share of the answers, 0 to 255.
    pub weight: Option<u8>,
    /// `PRIMARY` or `SECONDARY`.
    pub failover: Option<String>,
    /// Health check of the estate that decides whether it is answered.
    pub health_check: Option<String>,
}

/// The target of an alias record, which Route 53 answers with the target's own records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasTarget {
    /// Hosted zone of the target.
    pub zone: String,
    /// Its DNS name.
    pub name: String,
    /// Whether the alias is as healthy as its target.
    pub evaluate_health: bool,
}

impl AliasTarget {
    /// What begins an alias among the values of a record.
    const MARK: &str = "alias:";

    /// The one text that stands for it among a record's values:
    /// `alias:Z35SXDOTRQ7X7K:lb.us-east-1.elb.amazonaws.com`, with `:evaluate` when it is as healthy as
    /// its target.
    pub fn text(&self) -> String {
        let name = self.name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let evaluate = if self.evaluate_health { ":evaluate" } else { "" };
        format!("{}{}:{name}{evaluate}", Self::MARK, self.zone)
    }

    /// Reads such a text; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(Self::MARK)?.split(':');
        let (zone, name) = (parts.next()?, parts.next()?);
        let evaluate_health = match parts.next() {
            None => false,
            Some("evaluate") => true,
            Some(_) => return None,
        };
        let whole = parts.next().is_none() && !zone.is_empty() && !name.is_empty();
        whole.then(|| Self { zone: zone.to_owned(), name: name.to_owned(), evaluate_health })
    }
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its id.
    pub id: String,
    /// `HTTP`, `HTTPS` or `TCP`.
    pub kind: String,
    /// Name or address of what is asked.
    pub host: Option<String>,
    /// Port of it.
    pub port: Option<u16>,
    /// Path of it.
    pub path: Option<String>,
    /// Time between two requests of one checker: 10 s or 30 s.
    pub interval: Duration,
    /// How many of them in a row change its mind, 1 to 10.
    pub failure_threshold: u32,
    /// Whether it says the opposite.
    pub inverted: bool,
    /// Whether it always says healthy.
    pub disabled: bool,
    /// Service of the estate that it follows in a simulated environment.
    pub follows: Option<String>,
}

/// What an environment changes in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneChanges {
    /// Another zone id.
    pub id: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// Private or not.
    pub private: Option<bool>,
    /// What differs in its records.
    pub records: BTreeMap<String, RecordChanges>,
}

/// What an environment changes in a record set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordChanges {
    /// Another DNS name.
    pub name: Option<String>,
    /// Another time to live, seconds.
    pub ttl: Option<u32>,
    /// Other values, in the place of values or of a database.
    pub values: Option<Vec<String>>,
    /// Another weight.
    pub weight: Option<u8>,
}

/// What an environment changes in a health check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthChanges {
    /// Another id.
    pub id: Option<String>,
    /// Another host.
    pub host: Option<String>,
    /// Another path.
    pub path: Option<String>,
    /// Another service to follow.
    pub follows: Option<String>,
}

impl ZoneChanges {
    pub(super) fn apply(&self, zone: &mut Zone) {
        let Self { id, name, private, records } = self.clone();
        zone.id = id.unwrap_or_else(|| zone.id.clone());
        zone.name = name.unwrap_or_else(|| zone.name.clone());
        zone.private = private.unwrap_or(zone.private);
        for (key, changes) in records {
            let Some(record) = zone.records.get_mut(&key) else { continue };
            record.name = changes.name.unwrap_or_else(|| record.name.clone());
            record.ttl = changes.ttl.unwrap_or(record.ttl);
            record.weight = changes.weight.or(record.weight);
            if let Some(values) = changes.values {
                record.values = values;
                record.database = None;
            }
        }
    }
}

impl HealthChanges {
    pub(super) fn apply(&self, check: &mut HealthCheck) {
        let Self { id, host, path, follows } = self.clone();
        check.id = id.unwrap_or_else(|| check.id.clone());
        check.host = host.or_else(|| check.host.clone());
        check.path = path.or_else(|| check.path.clone());
        check.follows = follows.or_else(|| check.follows.clone());
    }
}
