//! Replication: what is to be copied where, and when it is.
//!
//! **Invariant:** a copy has its source's version id, content and time; what waits is known with the instant at
//! which it ends, so that a world asked seldom and one asked often agree.

use crate::base::clock::to_delta;
use crate::estate::Versioning;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::key_arn;
use crate::sim::s3::archive::is_archived;
use crate::sim::s3::encryption;
use crate::sim::s3::rules::{self, Rule};
use crate::sim::s3::state::{Bucket, CopyState, Extra, Version};
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How much later replication is when `replication-slow` says nothing else.
const SLOW: Duration = Duration::from_secs(30 * 60);

/// Ends that are remembered for the metrics.
const REMEMBERED: usize = 5_000;

/// A copy that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Task {
    pub(in crate::sim) at: DateTime<Utc>,
    /// Since when it waits.
    pub(in crate::sim) since: DateTime<Utc>,
    pub(in crate::sim) from: String,
    pub(in crate::sim) to: String,
    pub(in crate::sim) key: String,
    pub(in crate::sim) id: String,
    pub(in crate::sim) rule: String,
    pub(in crate::sim) bytes: u64,
}

/// A copy that was made, or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Ended {
    pub(in crate::sim) task: Task,
    pub(in crate::sim) failed: bool,
}

/// All copies that are to be made, in the order of their times, and those that were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Replications {
    pub(in crate::sim) tasks: Vec<Task>,
    pub(in crate::sim) ended: Vec<Ended>,
}

impl Replications {
    /// Whether nothing was ever replicated.
    pub(in crate::sim) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An instant that never comes: for what waits for good.
pub(super) fn never() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(9999, 12, 31, 0, 0, 0).single().unwrap_or_default()
}

/// The copies that rules want of a version which is about to be put; it is told that they wait.
pub(super) fn plan(world: &World, (bucket, key): (&str, &str), version: &mut Version) -> Vec<Task> {
    let Some(found) = world.services.buckets.get(bucket) else { return Vec::new() };
    let ready = found.versioning == Versioning::Enabled && found.config.contains_key("replication");
    // Replicas are not replicated, and nobody reads from an archive.
    if !ready || version.extra.replica || is_archived(version) {
        return Vec::new();
    }
    let rules = rules::of_bucket(found);
    let wanted = rules::about(&rules, key, version);
    let mut tasks = Vec::new();
    for (to, rule) in wanted {
        version.extra.copies.insert(to.to_owned(), CopyState::Pending);
        tasks.push(Task {
            at: version.modified.max(world.time) + delay(world, (bucket, key), version, rule),
            since: version.modified,
            from: bucket.to_owned(),
            to: to.to_owned(),
            key: key.to_owned(),
            id: version.id().to_owned(),
            rule: rule.id.clone(),
            bytes: version.size(),
        });
    }
    tasks
}

fn delay(world: &World, (bucket, key): (&str, &str), version: &Version, rule: &Rule) -> TimeDelta {
    let entity = format!("s3/{bucket}/{key}/{}/{}", version.id(), rule.to);
    let drawn = world.clockwork().copying_object(&entity, version.size(), rule.time_control);
    let slow = world.fault(FaultKind::ReplicationSlow);
    let more = slow.map_or(Duration::ZERO, |fault| fault.span().unwrap_or(SLOW));
    to_delta(drawn + more)
}

/// Puts tasks in their places.
pub(super) fn queue(world: &mut World, tasks: Vec<Task>) {
    let queue = &mut world.services.replications.tasks;
    for task in tasks {
        let place = queue.partition_point(|other| other.at <= task.at);
        queue.insert(place, task);
    }
}

/// Copies a version anew because something about it changed; what was never copied is not now.
pub(super) fn again(world: &mut World, (bucket, key): (&str, &str), id: &str) {
    let Some(found) = world.services.buckets.get(bucket) else { return };
    let Some(version) = found.versions(key).iter().find(|version| version.id() == id).cloned()
    else {
        return;
    };
    if version.extra.copies.is_empty() {
        return;
    }
    let mut changed = version;
    let mut tasks = plan(world, (bucket, key), &mut changed);
    for task in &mut tasks {
        task.since = world.time;
    }
    store(world, (bucket, key), &changed);
    world
        .services
        .replications
        .tasks
        .retain(|task| !(task.from == bucket && task.key == key && task.id == id));
    queue(world, tasks);
}

/// Copies what was there before the rules that want it.
pub(super) fn existing(world: &mut World, bucket: &str) {
    let Some(found) = world.services.buckets.get(bucket) else { return };
    let rules = rules::of_bucket(found);
    if !rules.iter().any(|rule| rule.existing) {
        return;
    }
    let old: Vec<(String, Version)> = found
        .objects
        .iter()
        .flat_map(|(key, versions)| versions.iter().map(|version| (key.clone(), version.clone())))
        .filter(|(_, version)| version.extra.copies.is_empty() && !version.extra.replica)
        .collect();
    for (key, mut version) in old {
        let kept = rules::about(&rules, &key, &version);
        if !kept.values().any(|rule| rule.existing) {
            continue;
        }
        let tasks = plan(world, (bucket, &key), &mut version);
        store(world, (bucket, &key), &version);
        queue(world, tasks);
    }
}

/// Puts a changed version in place of the one with its id.
fn store(world: &mut World, (bucket, key): (&str, &str), changed: &Version) {
    let Some(found) = world.services.buckets.get_mut(bucket) else { return };
    let versions = found.versions_mut(key);
    if let Some(version) = versions.iter_mut().find(|version| version.id == changed.id) {
        version.clone_from(changed);
    }
}

/// Lets what waited while replication was stopped go on from now.
pub(in crate::sim) fn resume(world: &mut World) {
    let now = world.time;
    let mut tasks = std::mem::take(&mut world.services.replications.tasks);
    for task in tasks.iter_mut().filter(|task| task.at < now) {
        let entity = format!("s3/{}/{}/{}/resumed", task.from, task.key, task.id);
        task.at = now + to_delta(world.clockwork().copying_object(&entity, task.bytes, false));
    }
    queue(world, tasks);
}

/// Makes the copies that are due.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    let mut place = 0;
    while let Some(task) = world.services.replications.tasks.get(place) {
        if task.at > now || world.fault(FaultKind::ReplicationStopped).is_some() {
            return;
        }
        let region =
            |name: &str| world.services.buckets.get(name).map(|found| found.region.as_str());
        let places = [region(&task.from), region(&task.to)].into_iter().flatten();
        let lost = places.filter_map(|region| world.lost(region, task.at)).next().cloned();
        match lost.map(|lost| lost.until) {
            // It waits for the region, which nobody knows to come back.
            Some(None) => place += 1,
            Some(Some(until)) => {
                let mut task = world.services.replications.tasks.remove(place);
                let entity = format!("s3/{}/{}/{}/back", task.from, task.key, task.id);
                let delay = world.clockwork().copying_object(&entity, task.bytes, false);
                task.at = until + to_delta(delay);
                queue(world, vec![task]);
            }
            None => {
                let task = world.services.replications.tasks.remove(place);
                carry_out(world, task);
            }
        }
    }
}

fn carry_out(world: &mut World, task: Task) {
    let Some(from) = world.services.buckets.get(&task.from) else { return };
    let versions = from.versions(&task.key);
    // A version that was taken away meanwhile is nobody's business any more.
    let Some(source) = versions.iter().find(|version| version.id() == task.id) else { return };
    let mut source = source.clone();
    let rule = rules::of_bucket(from).into_iter().find(|rule| rule.id == task.rule);
    let replica = rule.and_then(|rule| replica(world, &source, &rule, &task));
    let failed = replica.is_none() || strikes(world, source.order);
    let state = if failed { CopyState::Failed } else { CopyState::Completed };
    source.extra.copies.insert(task.to.clone(), state);
    store(world, (&task.from, &task.key), &source);
    if let (false, Some(replica)) = (failed, replica)
        && let Some(to) = world.services.buckets.get_mut(&task.to)
    {
        to.versions_mut(&task.key).retain(|version| version.id != replica.id);
        to.insert(&task.key, replica);
    }
    let ended = &mut world.services.replications.ended;
    ended.push(Ended { task, failed });
    let old = ended.len().saturating_sub(REMEMBERED);
    ended.drain(..old);
}

/// Whether the fault makes this one fail.
fn strikes(world: &mut World, order: u64) -> bool {
    let seed = world.seed();
    let fault = world.faults.iter_mut().find(|fault| fault.kind == FaultKind::ReplicationFails);
    let Some(fault) = fault else { return false };
    let hit = fault.value.is_none() || fault.throttles(seed, order);
    fault.struck += u32::from(hit);
    hit
}

/// What a destination gets; `None` when it cannot be put there.
fn replica(world: &World, source: &Version, rule: &Rule, task: &Task) -> Option<Version> {
    let to = world.services.buckets.get(&task.to)?;
    if to.versioning != Versioning::Enabled {
        return None;
    }
    let encrypts = |key: &String| key_arn(world, &to.region, key);
    let kms_key = match &source.extra.kms_key {
        None => encryption::default_key(world, to).filter(|_| !source.marker),
        Some(_) => Some(encrypts(rule.replica_key.as_ref()?)),
    };
    encryption::usable(world, kms_key.as_deref(), &to.region).ok()?;
    Some(copied(source, rule, kms_key))
}

fn copied(source: &Version, rule: &Rule, kms_key: Option<String>) -> Version {
    let class = rule.class.clone().or_else(|| source.extra.class.clone());
    let extra = Extra {
        class: class.filter(|class| class != crate::sim::s3::state::STANDARD),
        kms_key,
        copies: Default::default(),
        replica: true,
        restored: None,
        ..source.extra.clone()
    };
    Version { extra, ..source.clone() }
}

/// How the replication of an object that a world begins with stands.
pub(super) fn begun(
    world: &mut World,
    (bucket, key): (&str, &str),
    version: &mut Version,
    state: Option<CopyState>,
) {
    let mut tasks = plan(world, (bucket, key), version);
    let Some(state) = state else {
        version.extra.copies.clear();
        return;
    };
    for copy in version.extra.copies.values_mut() {
        *copy = state;
    }
    if state == CopyState::Pending {
        tasks.iter_mut().for_each(|task| task.at = never());
        queue(world, tasks);
        return;
    }
    if state == CopyState::Failed {
        return;
    }
    let rules = world.services.buckets.get(bucket).map(rules::of_bucket).unwrap_or_default();
    for task in tasks {
        let rule = rules.iter().find(|rule| rule.id == task.rule);
        let replica = rule.and_then(|rule| replica(world, version, rule, &task));
        let to: Option<&mut Bucket> = world.services.buckets.get_mut(&task.to);
        if let (Some(replica), Some(to)) = (replica, to) {
            to.insert(key, replica);
        }
    }
}
