//! A recursive resolver between those who ask and the name servers: it keeps what it heard for its time to
//! live.
//!
//! **Invariant:** what a resolver says at an instant is a function of the world, its name and the instant;
//! each is asked often enough to fetch a name anew as soon as it may.

use super::resolve::{Asked, Declared, SimDnsAnswer, SimDnsEnd, look_up};
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};

/// What `resolver` answers about a canonical name at `now`. What it did not find it does not keep.
pub(in crate::sim) fn ask(
    world: &World,
    declared: &Declared,
    (name, kind): (&str, &str),
    resolver: &str,
    now: DateTime<Utc>,
) -> SimDnsAnswer {
    let place = format!("dns/{resolver}/{name}/{kind}");
    let at = |at: DateTime<Utc>| {
        let draw = world.seed().derive(&format!("{place}/{}", at.timestamp_millis()));
        look_up(world, declared, Asked { name, kind, at, draw })
    };
    let fresh = at(now);
    let Some(ttl) = kept_for(&fresh) else { return fresh };
    let offset = world.seed().derive(&place);
    // A longer time to live that the name had before may still be running.
    let fetched = fetched_at(now, ttl, offset);
    let heard = at(fetched);
    let (fetched, heard) = match kept_for(&heard) {
        Some(longer) if longer > ttl => {
            let earlier = fetched_at(now, longer, offset);
            (earlier, at(earlier))
        }
        Some(_) => (fetched, heard),
        None => return fresh,
    };
    if heard.end != SimDnsEnd::Found {
        return fresh;
    }
    let age = u32::try_from((now - fetched).num_seconds()).unwrap_or(u32::MAX);
    let sets = heard.sets.into_iter().map(|mut set| {
        set.ttl = set.ttl.saturating_sub(age);
        set
    });
    SimDnsAnswer { sets: sets.collect(), ..heard }
}

/// How long an answer out of Route 53 is kept, seconds.
fn kept_for(answer: &SimDnsAnswer) -> Option<u32> {
    let found = answer.zoned && answer.end == SimDnsEnd::Found;
    answer.sets.iter().map(|set| set.ttl).min().filter(|ttl| found && *ttl > 0)
}

/// The last instant at which the resolver fetched a name that it keeps for `ttl` seconds.
fn fetched_at(now: DateTime<Utc>, ttl: u32, offset: u64) -> DateTime<Utc> {
    let every = i64::from(ttl) * 1_000;
    let offset = i64::try_from(offset % u64::from(ttl.max(1)).saturating_mul(1_000)).unwrap_or(0);
    now - TimeDelta::milliseconds((now.timestamp_millis() - offset).rem_euclid(every.max(1)))
}
