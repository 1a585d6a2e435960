//! Notes events in a world.
//!
//! **Invariant:** an event is noted with the instant it happens at, which may lie ahead; what is
//! older than RDS keeps it is forgotten.

use crate::sim::state::{Event, World};
use chrono::{DateTime, TimeDelta, Utc};

/// How long RDS keeps events.
pub(in crate::sim) const KEPT_DAYS: i64 = 14;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum About<'a> {
    Instance(&'a str),
    Snapshot(&'a str),
}

impl World {
    /// Notes an event in `region`.
    pub(in crate::sim) fn note(
        &mut self,
        region: &str,
        about: About<'_>,
        date: DateTime<Utc>,
        category: &str,
        message: &str,
    ) {
        let (source_type, kind, source) = match about {
            About::Instance(id) => ("db-instance", "db", id),
            About::Snapshot(id) => ("db-snapshot", "snapshot", id),
        };
        let event = Event {
            date,
            source_type: source_type.to_owned(),
            source: source.to_owned(),
            arn: self.arn(region, kind, source),
            category: category.to_owned(),
            message: message.to_owned(),
        };
        let oldest = self.time - TimeDelta::days(KEPT_DAYS);
        let events = &mut self.regions.entry(region.to_owned()).or_default().events;
        events.retain(|event| event.date >= oldest);
        events.push(event);
    }
}
