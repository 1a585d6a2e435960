//! Health checks ask the simulated world, every so many seconds.
//!
//! **Invariant:** what a request finds is a function of the world at its instant, so that a world that is
//! asked seldom finds what one that is asked often does; a check changes its mind after so many requests in
//! a row and not before.

use super::state::{Follows, HealthCheck};
use crate::sim::ecs;
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};

/// Most requests of one check that are made up for when time has jumped: any number in a row that decides
/// is far below it.
const MADE_UP: i64 = 60;

/// Lets every check ask, at each of its instants up to `now`.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    let mut checks = std::mem::take(&mut world.services.route53.health_checks);
    for check in checks.values_mut() {
        ask(world, check, now);
    }
    world.services.route53.health_checks = checks;
}

fn ask(world: &World, check: &mut HealthCheck, now: DateTime<Utc>) {
    let every = TimeDelta::seconds(i64::from(check.config.interval.max(1)));
    let mut at =
        check.checked.max(now - every * i32::try_from(MADE_UP).unwrap_or(i32::MAX)) + every;
    while at <= now {
        check.checked = at;
        let found = check.follows.as_ref().is_none_or(|follows| is_up(world, follows, at));
        // A disabled check asks nobody.
        if check.config.disabled || found == check.observed {
            check.otherwise = 0;
        } else {
            check.otherwise += 1;
        }
        if check.otherwise >= check.config.threshold {
            check.observed = found;
            check.otherwise = 0;
            check.note(at);
        }
        at += every;
    }
}

/// Whether the service answers well at `at`: it has running tasks, and its database takes writes.
fn is_up(world: &World, follows: &Follows, at: DateTime<Utc>) -> bool {
    let database = follows.database.as_ref();
    let Follows { region, cluster, service, .. } = follows;
    let running = ecs::running_tasks(world, region, cluster, service, at);
    running.is_some_and(|tasks| tasks > 0)
        && !world.answers_badly(service, at)
        && database.is_none_or(|(region, id)| takes_writes(world, region, id, at))
}

/// Whether an instance answers and is no replica.
fn takes_writes(world: &World, region: &str, id: &str, at: DateTime<Utc>) -> bool {
    let there = world.lost(region, at).is_none();
    world.instance(region, id, at).is_ok_and(|instance| {
        there
            && instance.status(at).answers()
            && instance.replica_of.is_none()
            && instance.resolves_from.is_none_or(|from| from <= at)
    })
}
