//! Lifecycle rules, which act at midnight, UTC.
//!
//! **Invariant:** what a rule does at a midnight is the same whether the world is asked that night or weeks
//! later; what Object Lock keeps stays. Generated objects are younger than any rule.

use crate::estate::Versioning;
use crate::sim::genesis::uuid;
use crate::sim::s3::documents::{all, read, text_at};
use crate::sim::s3::lock;
use crate::sim::s3::state::{Bucket, STANDARD, Version};
use crate::sim::state::World;
use crate::sim::xml::Element;
use chrono::{DateTime, Duration, NaiveTime, TimeDelta, Utc};

/// One rule.
struct Rule {
    prefix: String,
    tags: Vec<(String, String)>,
    expires: Option<i64>,
    noncurrent: Option<i64>,
    /// Days, and the storage class that they lead to.
    moves: Vec<(i64, String)>,
    /// Whether delete markers with nothing behind them go.
    lone_markers: bool,
    abandoned: Option<i64>,
}

/// The midnight at or after `at`.
pub(super) fn next_midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    let day = midnight(at);
    if day == at { at } else { day + Duration::days(1) }
}

/// The midnight at or before `at`.
pub(super) fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// Carries out the rules of all buckets at a midnight.
pub(super) fn run_all(world: &mut World, night: DateTime<Utc>) {
    let names: Vec<String> = world
        .services
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.config.contains_key("lifecycle"))
        .map(|(name, _)| name.clone())
        .collect();
    let seed = world.seed();
    for name in names {
        let Some(bucket) = world.services.buckets.get_mut(&name) else { continue };
        let new_id = |key: &str, at: DateTime<Utc>| {
            uuid(seed, &format!("s3/{name}/{key}/expired/{at}")).replace('-', "")
        };
        run(bucket, night, &new_id);
    }
}

fn rules(bucket: &Bucket) -> Vec<Rule> {
    let Some(kept) = bucket.config.get("lifecycle") else { return Vec::new() };
    let root = read(kept);
    let enabled = all(&root, "Rule").filter(|rule| text_at(rule, &["Status"]) == Some("Enabled"));
    enabled.map(rule).collect()
}

fn rule(rule: &Element) -> Rule {
    let days = |path: &[&str]| text_at(rule, path).and_then(|text| text.parse::<i64>().ok());
    let filter = rule.child("Filter");
    let and = filter.and_then(|filter| filter.child("And"));
    let prefix = rule.text_of("Prefix");
    let prefix = prefix.or_else(|| filter.and_then(|filter| filter.text_of("Prefix")));
    let prefix = prefix.or_else(|| and.and_then(|and| and.text_of("Prefix")));
    let tags = filter.into_iter().chain(and).flat_map(|place| all(place, "Tag"));
    let moves = all(rule, "Transition").filter_map(|step| {
        let days = text_at(step, &["Days"])?.parse().ok()?;
        Some((days, step.text_of("StorageClass")?.to_owned()))
    });
    Rule {
        prefix: prefix.unwrap_or_default().to_owned(),
        tags: tags
            .filter_map(|tag| {
                let value = tag.text_of("Value").unwrap_or_default();
                Some((tag.text_of("Key")?.to_owned(), value.to_owned()))
            })
            .collect(),
        expires: days(&["Expiration", "Days"]),
        noncurrent: days(&["NoncurrentVersionExpiration", "NoncurrentDays"]),
        moves: moves.collect(),
        lone_markers: text_at(rule, &["Expiration", "ExpiredObjectDeleteMarker"]) == Some("true"),
        abandoned: days(&["AbortIncompleteMultipartUpload", "DaysAfterInitiation"]),
    }
}

impl Rule {
    fn covers(&self, key: &str, version: &Version) -> bool {
        let tagged = self.tags.iter().all(|(name, value)| version.tags.get(name) == Some(value));
        key.starts_with(&self.prefix) && (tagged || version.marker && self.tags.is_empty())
    }
}

/// The night at which `days` since `since` are over.
fn due(since: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    TimeDelta::try_days(days).map_or(DateTime::<Utc>::MAX_UTC, |days| next_midnight(since + days))
}

fn run(bucket: &mut Bucket, night: DateTime<Utc>, new_id: &dyn Fn(&str, DateTime<Utc>) -> String) {
    let rules = rules(bucket);
    let versioning = bucket.versioning;
    for rule in &rules {
        if let Some(days) = rule.abandoned {
            bucket.uploads.retain(|_, upload| {
                !upload.key.starts_with(&rule.prefix) || due(upload.begun, days) > night
            });
        }
    }
    let keys: Vec<String> = bucket.objects.keys().cloned().collect();
    for key in keys {
        let made = bucket.generated.as_ref().is_some_and(|made| made.find(&key).is_some());
        let Some(versions) = bucket.objects.get_mut(&key) else { continue };
        for rule in &rules {
            expire(versions, rule, (&key, versioning), night, new_id);
            age(versions, rule, &key, night);
        }
        if versions.is_empty() && !made {
            bucket.objects.remove(&key);
        }
    }
}

/// Deletes what is current for too long, and removes what is not current for too long.
fn expire(
    versions: &mut Vec<Version>,
    rule: &Rule,
    (key, versioning): (&str, Versioning),
    night: DateTime<Utc>,
    new_id: &dyn Fn(&str, DateTime<Utc>) -> String,
) {
    let current = versions.last().filter(|current| !current.marker && rule.covers(key, current));
    if let (Some(days), Some(current)) = (rule.expires, current) {
        let at = due(current.modified, days);
        if at <= night && versioning == Versioning::Never {
            versions.clear();
            return;
        }
        if at <= night {
            let id = match versioning {
                Versioning::Enabled => new_id(key, at),
                Versioning::Suspended | Versioning::Never => String::new(),
            };
            versions.retain(|version| !(id.is_empty() && version.id.is_empty()));
            versions.push(Version { modified: at, marker: true, id, ..Version::default() });
        }
    }
    if let Some(days) = rule.noncurrent {
        let since: Vec<DateTime<Utc>> = versions.iter().skip(1).map(|next| next.modified).collect();
        let mut since = since.into_iter();
        versions.retain(|version| match since.next() {
            None => true,
            Some(since) => {
                !rule.covers(key, version)
                    || due(since, days) > night
                    || lock::keeps(version, night, false)
            }
        });
    }
    let lone = versions.len() == 1 && versions.iter().all(|version| version.marker);
    if lone && rule.lone_markers && key.starts_with(&rule.prefix) {
        versions.clear();
    }
}

/// Moves what is old to other storage classes.
fn age(versions: &mut [Version], rule: &Rule, key: &str, night: DateTime<Utc>) {
    let Some(current) = versions.last_mut().filter(|current| !current.marker) else { return };
    if !rule.covers(key, current) {
        return;
    }
    let reached = rule.moves.iter().filter(|(days, _)| due(current.modified, *days) <= night);
    if let Some((_, class)) = reached.max_by_key(|(days, _)| *days) {
        current.extra.class = Some(class.clone()).filter(|class| class != STANDARD);
    }
}
