//! What name servers answer: records in sync, chosen by weight, role and health.
//!
//! **Invariant:** an answer is a function of the world, the instant and the draw; when nothing of a name is
//! healthy, all of it counts as healthy.

use super::health::status_at;
use super::names::{wildcards, within};
use super::state::{Policy, RecordSet, Zone};
use crate::base::seed::Seed;
use crate::estate::NameReply;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Most names that lead from one to the next.
const MOST: usize = 8;

/// Time to live of an alias whose target is not known here, seconds.
const ALIAS_TTL: u32 = 60;

/// Time to live of the name of a database instance, seconds.
const ENDPOINT_TTL: u32 = 5;

/// Names that the estate declares beside Route 53, in lower case without the last dot.
pub(in crate::sim) type Declared = BTreeMap<String, NameReply>;

/// A question.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Asked<'a> {
    /// Canonical.
    pub(in crate::sim) name: &'a str,
    /// `A`, `CNAME`, …
    pub(in crate::sim) kind: &'a str,
    /// The instant that is answered for.
    pub(in crate::sim) at: DateTime<Utc>,
    /// Decides where chance does.
    pub(in crate::sim) draw: u64,
}

/// Records of one name and type, as they are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimDnsSet {
    /// Name that they are of, canonical.
    pub owner: String,
    /// `A`, `CNAME`, …
    pub kind: String,
    /// Time to live, seconds.
    pub ttl: u32,
    /// Values as Route 53 writes them.
    pub values: Vec<String>,
}

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimDnsEnd {
    /// The last set is of the type that was asked for.
    Found,
    /// The name exists and has no such record.
    NoSuchRecord,
    /// The name does not exist.
    NoSuchName,
    /// No zone here has the name, and the estate does not declare it.
    NotOurs,
}

/// An answer: the sets that lead to the end, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimDnsAnswer {
    /// Aliases (CNAME), then what was asked for.
    pub sets: Vec<SimDnsSet>,
    /// How it ends.
    pub end: SimDnsEnd,
    /// Start of authority of the zone that says so: owner, and the lower of its two times to live.
    pub authority: Option<SimDnsSet>,
    /// Whether the records come out of Route 53 and not out of the estate's `dns:`.
    pub zoned: bool,
}

/// Looks a name up.
pub(in crate::sim) fn look_up(
    world: &World,
    declared: &Declared,
    asked: Asked<'_>,
) -> SimDnsAnswer {
    let mut sets = Vec::new();
    let mut name = asked.name.to_owned();
    let mut zoned = false;
    loop {
        let (step, authority, in_zone) = step(world, declared, Asked { name: &name, ..asked });
        zoned |= in_zone;
        let end = match step {
            Step::Found(set) => {
                sets.push(set);
                SimDnsEnd::Found
            }
            Step::Leads(set) if sets.len() < MOST => {
                let target = set.values.first().map(String::as_str).unwrap_or_default();
                let next = super::names::canonical(target).unwrap_or_else(|_| ".".to_owned());
                sets.push(set);
                name = next;
                continue;
            }
            Step::Leads(_) | Step::NoRecord => SimDnsEnd::NoSuchRecord,
            Step::NoName => SimDnsEnd::NoSuchName,
            Step::NotOurs if sets.is_empty() => SimDnsEnd::NotOurs,
            Step::NotOurs => SimDnsEnd::NoSuchName,
        };
        return SimDnsAnswer { sets, end, authority, zoned };
    }
}

enum Step {
    Found(SimDnsSet),
    Leads(SimDnsSet),
    NoRecord,
    NoName,
    NotOurs,
}

/// One name: Route 53 first, then what the estate declares, then the names of databases.
fn step(world: &World, declared: &Declared, asked: Asked<'_>) -> (Step, Option<SimDnsSet>, bool) {
    let zone = zone_of(world, asked.name);
    if let Some(zone) = zone {
        let sets = sets_of(zone, asked);
        if !sets.is_empty() {
            return (in_zone(world, declared, &sets, asked), authority(zone, asked.at), true);
        }
    }
    let plain = asked.name.strip_suffix('.').unwrap_or(asked.name);
    if let Some(reply) = declared.get(plain) {
        return (declared_step(asked, reply), None, false);
    }
    if let Some(address) = endpoint(world, plain, asked.at) {
        let set = |values: Vec<String>| SimDnsSet {
            owner: asked.name.to_owned(),
            kind: "A".to_owned(),
            ttl: ENDPOINT_TTL,
            values,
        };
        let step = if asked.kind == "A" { Step::Found(set(vec![address])) } else { Step::NoRecord };
        return (step, None, false);
    }
    match zone {
        Some(zone) => {
            let below = format!(".{}", asked.name);
            let inner = zone.served(asked.at).iter().any(|set| set.name.ends_with(&below));
            let step = if inner { Step::NoRecord } else { Step::NoName };
            (step, authority(zone, asked.at), true)
        }
        None => (Step::NotOurs, None, false),
    }
}

/// The zone with the longest name that fits, a public one before a private one.
fn zone_of<'a>(world: &'a World, name: &str) -> Option<&'a Zone> {
    let zones = world.services.route53.zones.values();
    zones
        .filter(|zone| within(name, &zone.name))
        .max_by_key(|zone| (!zone.private, zone.name.len()))
}

fn authority(zone: &Zone, at: DateTime<Utc>) -> Option<SimDnsSet> {
    let own = |set: &&RecordSet| set.kind == "SOA" && set.name == zone.name;
    zone.served(at).iter().find(own).map(|set| plain_set(set, &zone.name, set.ttl.unwrap_or(900)))
}

fn plain_set(set: &RecordSet, owner: &str, ttl: u32) -> SimDnsSet {
    let (kind, values) = (set.kind.clone(), set.values.clone());
    SimDnsSet { owner: owner.to_owned(), kind, ttl, values }
}

/// Every set of the name, or of the wildcard that stands for it.
fn sets_of<'a>(zone: &'a Zone, asked: Asked<'_>) -> Vec<&'a RecordSet> {
    let served = zone.served(asked.at);
    let named =
        |name: &str| -> Vec<&RecordSet> { served.iter().filter(|set| set.name == name).collect() };
    let exact = named(asked.name);
    let below = format!(".{}", asked.name);
    if !exact.is_empty() || served.iter().any(|set| set.name.ends_with(&below)) {
        return exact;
    }
    let wild = wildcards(asked.name, &zone.name);
    wild.iter().map(|name| named(name)).find(|sets| !sets.is_empty()).unwrap_or_default()
}

fn in_zone(world: &World, declared: &Declared, sets: &[&RecordSet], asked: Asked<'_>) -> Step {
    let of = |kind: &str| -> Vec<&RecordSet> {
        sets.iter().copied().filter(|set| set.kind == kind).collect()
    };
    let (mut found, mut leads) = (of(asked.kind), false);
    if found.is_empty() {
        (found, leads) = (of("CNAME"), true);
    }
    let chosen = choose(world, &found, asked, 0);
    let Some(first) = chosen.first() else { return Step::NoRecord };
    let Some(alias) = &first.alias else {
        let mut set = plain_set(first, asked.name, first.ttl.unwrap_or_default());
        set.values = chosen.iter().flat_map(|set| set.values.clone()).collect();
        return if leads { Step::Leads(set) } else { Step::Found(set) };
    };
    // An alias is answered with its target's records, under its own name.
    let target = look_up(world, declared, Asked { name: &alias.name, kind: &first.kind, ..asked });
    match target.sets.last().filter(|_| target.end == SimDnsEnd::Found) {
        Some(set) => {
            let ttl = target.sets.iter().map(|set| set.ttl).min().unwrap_or(ALIAS_TTL);
            let set = SimDnsSet { owner: asked.name.to_owned(), ttl, ..set.clone() };
            if leads { Step::Leads(set) } else { Step::Found(set) }
        }
        None => Step::NoRecord,
    }
}

/// The sets that are answered: one, or of a multivalue answer up to eight.
fn choose<'a>(
    world: &World,
    sets: &[&'a RecordSet],
    asked: Asked<'_>,
    depth: usize,
) -> Vec<&'a RecordSet> {
    let Some(first) = sets.first() else { return Vec::new() };
    let healthy: Vec<&RecordSet> =
        sets.iter().copied().filter(|set| is_healthy(world, set, asked.at, depth)).collect();
    // Fail open: somebody has to be answered with something.
    let open = healthy.is_empty();
    let usable = if open { sets.to_vec() } else { healthy };
    match first.policy() {
        Policy::Simple | Policy::Latency => usable.into_iter().take(1).collect(),
        Policy::Failover => {
            let primary = usable.iter().find(|set| set.failover.as_deref() == Some("PRIMARY"));
            primary.or(usable.first()).copied().into_iter().collect()
        }
        Policy::MultiValue => {
            let mut random = fastrand::Rng::with_seed(asked.draw);
            let mut usable = usable;
            random.shuffle(&mut usable);
            usable.truncate(MOST);
            usable
        }
        Policy::Weighted => weighted(&usable, sets, (open, asked.draw)).into_iter().collect(),
    }
}

/// Every set of `sets`, which are of one name and type, that chance may choose.
pub(super) fn answerable<'a>(
    world: &World,
    sets: &[&'a RecordSet],
    asked: Asked<'_>,
) -> Vec<&'a RecordSet> {
    if sets.first().is_none_or(|first| first.policy() != Policy::Weighted) {
        return choose(world, sets, asked, 0);
    }
    let healthy = sets.iter().copied().filter(|set| is_healthy(world, set, asked.at, 0));
    let healthy: Vec<&RecordSet> = healthy.collect();
    let open = healthy.is_empty();
    weighed(if open { sets } else { &healthy }, sets, open)
}

fn weight(set: &RecordSet) -> u64 {
    u64::from(set.weight.unwrap_or_default())
}

/// The sets among which weights decide. A weight of zero counts only when nothing heavier is healthy.
fn weighed<'a>(usable: &[&'a RecordSet], all: &[&'a RecordSet], open: bool) -> Vec<&'a RecordSet> {
    let heavy: Vec<&RecordSet> = usable.iter().copied().filter(|set| weight(set) > 0).collect();
    match (heavy.is_empty(), open) {
        (false, _) => heavy,
        (true, true) => all.to_vec(),
        (true, false) => usable.to_vec(),
    }
}

/// A set by its weight.
fn weighted<'a>(
    usable: &[&'a RecordSet],
    all: &[&'a RecordSet],
    (open, draw): (bool, u64),
) -> Option<&'a RecordSet> {
    let pool = weighed(usable, all, open);
    let total: u64 = pool.iter().map(|set| weight(set)).sum();
    let mut random = fastrand::Rng::with_seed(draw);
    if total == 0 {
        return (!pool.is_empty()).then(|| pool[random.usize(0..pool.len())]);
    }
    let mut at = random.u64(0..total);
    pool.into_iter().find(|set| {
        let hit = at < weight(set);
        at = at.saturating_sub(weight(set));
        hit
    })
}

fn is_healthy(world: &World, set: &RecordSet, at: DateTime<Utc>, depth: usize) -> bool {
    let state = &world.services.route53;
    let checked = set.health_check.as_ref().and_then(|id| state.health_checks.get(id));
    let own = checked.is_none_or(|check| status_at(check, at));
    let Some(alias) = set.alias.as_ref().filter(|alias| alias.evaluate && depth < MOST) else {
        return own;
    };
    let Some(zone) = state.zones.get(&alias.zone) else { return own };
    let mut targets = zone.served(at).iter().filter(|target| {
        target.name == alias.name && (target.kind == set.kind || target.kind == "CNAME")
    });
    own && targets.any(|target| is_healthy(world, target, at, depth + 1))
}

fn declared_step(asked: Asked<'_>, reply: &NameReply) -> Step {
    let set = |kind: &str, values: &[String]| SimDnsSet {
        owner: asked.name.to_owned(),
        kind: kind.to_owned(),
        ttl: reply.ttl,
        values: values.to_vec(),
    };
    match (reply.records.get(asked.kind), reply.records.get("CNAME")) {
        (Some(values), _) if !values.is_empty() => Step::Found(set(asked.kind, values)),
        (Some(_), _) | (None, None) => Step::NoRecord,
        (None, Some(values)) if !values.is_empty() => Step::Leads(set("CNAME", &values[..1])),
        (None, Some(_)) => Step::NoRecord,
    }
}

/// A private address of the instance whose endpoint is `name`; the one of another zone after a failover.
fn endpoint(world: &World, name: &str, at: DateTime<Utc>) -> Option<String> {
    let (id, _) = name.split_once('.').filter(|_| name.ends_with(".rds.amazonaws.com"))?;
    let found = world.regions.iter().find_map(|(region, state)| {
        let instance = state.instances.get(id)?.current.as_ref()?;
        let there = instance.exists(at) && !world.hides(instance);
        let resolves = instance.resolves_from.is_none_or(|from| from <= at);
        (there && resolves && world.address(region, id) == name).then_some(instance)
    })?;
    let number =
        Seed::new(world.seed).derive(&format!("rds/{}/{}/address", found.resource_id, found.zone));
    let [.., a, b, c] = number.to_be_bytes();
    Some(format!("10.{a}.{b}.{c}"))
}
