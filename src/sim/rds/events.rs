//! `DescribeEvents`, and the noting of events.
//!
//! **Invariant:** an event is noted with the instant it happens at, which may lie ahead; reads
//! show it from then on, for fourteen days.

use crate::base::clock::format_instant;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::notes::{About, KEPT_DAYS};
use crate::sim::rds::page;
use crate::sim::state::Event;
use crate::sim::world::instance_key;
use crate::sim::xml::Xml;
use chrono::{DateTime, TimeDelta, Utc};

/// What an event can be about.
const SOURCE_TYPES: [&str; 9] = [
    "db-instance",
    "db-parameter-group",
    "db-security-group",
    "db-snapshot",
    "db-cluster",
    "db-cluster-snapshot",
    "custom-engine-version",
    "db-proxy",
    "blue-green-deployment",
];

/// Notes an event of an instance.
pub(in crate::sim::rds) fn note(
    turn: &mut Turn<'_>,
    instance: &str,
    date: DateTime<Utc>,
    category: &str,
    message: &str,
) {
    turn.world.note(&turn.region, About::Instance(instance), date, category, message);
}

/// Notes an event of a snapshot.
pub(in crate::sim::rds) fn note_snapshot(
    turn: &mut Turn<'_>,
    snapshot: &str,
    date: DateTime<Utc>,
    category: &str,
    message: &str,
) {
    turn.world.note(&turn.region, About::Snapshot(snapshot), date, category, message);
}

/// Forgets what was to happen to an instance after `now`.
pub(in crate::sim::rds) fn cancel(turn: &mut Turn<'_>, instance: &str) {
    let now = turn.now;
    turn.region_mut().events.retain(|event| {
        event.date <= now || event.source != instance || event.source_type != "db-instance"
    });
}

/// `DescribeEvents`.
pub(in crate::sim::rds) fn describe(turn: &mut Turn<'_>) -> Outcome {
    let params = &turn.params;
    let source = params.text("SourceIdentifier").map(instance_key);
    let source_type = params.text("SourceType").map(str::to_owned);
    if source.is_some() && source_type.is_none() {
        let message = "SourceType must be provided when SourceIdentifier is given.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    let known = source_type.as_deref().is_none_or(|kind| SOURCE_TYPES.contains(&kind));
    if !known {
        let message = format!("Invalid source type: {}", source_type.unwrap_or_default());
        return Err(ApiError::sender("InvalidParameterValue", message));
    }
    let minutes = params.number("Duration")?.unwrap_or(60);
    let end = params.instant("EndTime")?.unwrap_or(turn.now).min(turn.now);
    let start = params
        .instant("StartTime")?
        .unwrap_or(end - TimeDelta::minutes(i64::from(minutes)))
        .max(turn.now - TimeDelta::days(KEPT_DAYS));
    let categories = params.list("EventCategories.EventCategory").unwrap_or_default();
    let mut found = turn.world.region(&turn.region).events.clone();
    found.extend(backup_events(turn));
    found.retain(|event| {
        event.date >= start
            && event.date <= end
            && source.as_ref().is_none_or(|source| event.source == *source)
            && source_type.as_ref().is_none_or(|kind| event.source_type == *kind)
            && (categories.is_empty() || categories.contains(&event.category))
    });
    found.sort_by_key(key);
    let (page, marker) = page::cut(&turn.params, found, key)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("Events", |xml| {
        for event in page {
            xml.element("Event", |xml| {
                xml.leaf("SourceIdentifier", &event.source);
                xml.leaf("SourceType", &event.source_type);
                xml.leaf("Message", &event.message);
                xml.leaves("EventCategories", "EventCategory", [&event.category]);
                xml.leaf("Date", format_instant(event.date));
                xml.leaf("SourceArn", &event.arn);
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

fn key(event: &Event) -> String {
    let Event { date, source, category, message, .. } = event;
    format!("{:020}/{source}/{category}/{message}", date.timestamp_millis())
}

/// The daily automated backups, which nobody has to note.
fn backup_events(turn: &Turn<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for instance in turn.world.seen_instances(&turn.region, turn.now) {
        for snapshot in turn.world.automated_snapshots(instance, turn.now) {
            if Some(snapshot.ready) == instance.first_backup {
                continue;
            }
            for (date, message) in [
                (snapshot.started, "Backing up DB instance"),
                (snapshot.ready, "Finished DB instance backup"),
            ] {
                events.push(Event {
                    date,
                    source_type: "db-instance".to_owned(),
                    source: instance.id.clone(),
                    arn: turn.world.arn(&turn.region, "db", &instance.id),
                    category: "backup".to_owned(),
                    message: message.to_owned(),
                });
            }
        }
    }
    events
}
