//! How a service gets from what runs to what is wanted: rolling deployments, scaling, the circuit
//! breaker.
//!
//! **Invariant:** at no instant of a deployment do fewer tasks run than `minimumHealthyPercent` of the
//! wanted ones, unless fewer ran before, nor are there more than `maximumPercent`.

use super::service::{Deployment, Event, Group, Service, Stage};
use crate::base::clock::to_delta;
use crate::base::seed::Seed;
use crate::sim::clockwork::Clockwork;
use crate::sim::faults::FaultKind;
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How long tasks run on that are to stop, when the fault does not say.
const LINGER: Duration = Duration::from_secs(300);

/// How long a task runs that exits at once.
const CRASHES_AFTER: TimeDelta = TimeDelta::seconds(15);

/// Least and most failed tasks that open the circuit breaker; between them half of the wanted ones.
const BREAKS_AT: (u32, u32) = (3, 200);

/// From the failure of a deployment until what ran before is in its place: an estimate.
const ROLLED_BACK_AFTER: TimeDelta = TimeDelta::seconds(20);

/// Steps of one rollout; each moves at least one task or ends it.
const MOST_ROUNDS: usize = 1000;

/// What a rollout draws on, and what the faults make of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    seed: Seed,
    clockwork: Clockwork,
    never_start: bool,
    linger: Duration,
}

impl Fate {
    /// As the world's faults are now.
    pub(super) fn of(world: &World) -> Self {
        let linger = world.fault(FaultKind::TasksLinger);
        Self {
            seed: world.seed(),
            clockwork: world.clockwork(),
            never_start: world.fault(FaultKind::TasksNeverStart).is_some(),
            linger: linger.map_or(Duration::ZERO, |fault| fault.span().unwrap_or(LINGER)),
        }
    }

    /// A deployment's id: `ecs-svc/` and nineteen digits.
    pub(super) fn deployment_id(&self, service: &Service, serial: u32) -> String {
        let drawn = self.seed.derive(&format!("{}/deployment/{serial}", entity(service)));
        format!("ecs-svc/{}", 1_000_000_000_000_000_000 + drawn % 8_000_000_000_000_000_000)
    }
}

fn entity(service: &Service) -> String {
    format!("ecs/{}/{}/{}", service.region, service.cluster, service.name)
}

/// Begins a deployment at `now`.
pub(super) fn deploy(
    service: &mut Service,
    now: DateTime<Utc>,
    definition: &str,
    fails: bool,
    fate: Fate,
) {
    let serial = service.next(1);
    let id = fate.deployment_id(service, serial);
    service.deployments.push(Deployment {
        id,
        definition: definition.to_owned(),
        created: now,
        completed: None,
        failed: None,
        gone: None,
        fails,
        rolls_back_to: None,
    });
}

/// Writes down everything that happens from `now` on, so that what runs becomes what is wanted.
pub(super) fn plan(service: &mut Service, now: DateTime<Utc>, fate: Fate) {
    let mut at = now;
    for _ in 0..MOST_ROUNDS {
        let Some(primary) = service.deployments.last().cloned() else { return };
        match round(service, &primary, at, fate) {
            Next::At(next) => at = next,
            Next::Broke(failed) => {
                let Some(began) = roll_back(service, &primary, failed, fate) else { return };
                at = began;
            }
            Next::Settled => return complete(service, at),
            Next::Stuck => return,
        }
    }
}

/// What one step of a rollout came to.
enum Next {
    /// It goes on then.
    At(DateTime<Utc>),
    /// So many tasks have failed that the deployment has.
    Broke(DateTime<Utc>),
    /// All that is wanted runs, and nothing else.
    Settled,
    /// Nothing more can happen by itself.
    Stuck,
}

fn round(service: &mut Service, primary: &Deployment, at: DateTime<Utc>, fate: Fate) -> Next {
    let wanted = service.desired(at);
    let of_primary = |group: &Group| group.deployment == primary.id;
    let live = |service: &Service, own: bool| -> u32 {
        let groups = service.groups.iter().filter(|group| group.stopping.is_none());
        groups.filter(|group| of_primary(group) == own).map(|group| group.count).sum()
    };
    let runs = |service: &Service| -> u32 {
        let groups = service.groups.iter().filter(|group| group.stopping.is_none());
        groups.filter(|group| group.stage(at) == Stage::Running).map(|group| group.count).sum()
    };
    let surplus = live(service, true).saturating_sub(wanted);
    let mut moved = stop(service, surplus, at, fate, of_primary);
    // What does not run yet is no loss.
    let waiting = |group: &Group| !of_primary(group) && group.stage(at) == Stage::Pending;
    moved += stop(service, u32::MAX, at, fate, waiting);
    let least = percent(wanted, service.minimum_percent).div_ceil(100);
    let may_go = (u64::from(runs(service))).saturating_sub(least);
    let may_go = u32::try_from(may_go).unwrap_or(u32::MAX);
    moved += stop(service, may_go, at, fate, |group| !of_primary(group));
    let (new, old) = (live(service, true), live(service, false));
    let most = percent(wanted, service.maximum_percent) / 100;
    let room = u32::try_from(most).unwrap_or(u32::MAX).saturating_sub(new + old);
    let start = wanted.saturating_sub(new).min(room);
    if start > 0 && primary.fails {
        return crash(service, primary, (at, start, wanted), fate);
    }
    if start > 0 {
        return match launch(service, primary, (at, start), fate).running {
            Some(running) => Next::At(running),
            None => Next::Stuck,
        };
    }
    let pending = service.groups.iter().filter(|group| group.stopping.is_none());
    let pending = pending.filter(|group| group.stage(at) == Stage::Pending);
    let pending: Vec<Option<DateTime<Utc>>> = pending.map(|group| group.running).collect();
    if let Some(next) = pending.iter().flatten().min() {
        return Next::At(*next);
    }
    if moved > 0 {
        return Next::At(at);
    }
    if new == wanted && old == 0 && pending.is_empty() { Next::Settled } else { Next::Stuck }
}

fn percent(count: u32, percent: u32) -> u64 {
    u64::from(count) * u64::from(percent)
}

/// Starts tasks of the deployment.
fn launch<'a>(
    service: &'a mut Service,
    deployment: &Deployment,
    (at, count): (DateTime<Utc>, u32),
    fate: Fate,
) -> &'a mut Group {
    let first = service.next(count);
    let name = format!("{}/{first}", entity(service));
    note(service, at, format!("(service {}) has started {count} tasks.", service.name));
    let running = (!fate.never_start).then(|| at + to_delta(fate.clockwork.task_start(&name)));
    service.groups.push(Group {
        first,
        count,
        deployment: deployment.id.clone(),
        definition: deployment.definition.clone(),
        created: at,
        running,
        stopping: None,
        stopped: None,
        crashed: false,
    });
    let last = service.groups.len() - 1;
    &mut service.groups[last]
}

/// Stops up to `count` of the tasks that `which` takes, the newest first; returns how many.
fn stop(
    service: &mut Service,
    count: u32,
    at: DateTime<Utc>,
    fate: Fate,
    which: impl Fn(&Group) -> bool,
) -> u32 {
    let mut left = count;
    let name = entity(service);
    let mut split = Vec::new();
    for group in service.groups.iter_mut().rev() {
        if left == 0 || group.stopping.is_some() || group.created > at || !which(group) {
            continue;
        }
        if group.count > left {
            let rest = Group { count: group.count - left, ..group.clone() };
            group.first += rest.count;
            group.count = left;
            split.push(rest);
        }
        left -= group.count;
        let from = at + to_delta(fate.linger);
        let takes = fate.clockwork.task_stop(&format!("{name}/{}", group.first));
        group.stopping = Some(from);
        group.stopped = Some(from + to_delta(takes));
    }
    service.groups.append(&mut split);
    count - left
}

/// Tasks that exit as soon as they run, until the circuit breaker has seen enough of them.
fn crash(
    service: &mut Service,
    primary: &Deployment,
    (at, start, wanted): (DateTime<Utc>, u32, u32),
    fate: Fate,
) -> Next {
    let limit = wanted.div_ceil(2).clamp(BREAKS_AT.0, BREAKS_AT.1);
    let (mut failed, mut at) = (0, at);
    while failed < limit {
        let group = launch(service, primary, (at, start), fate);
        let Some(running) = group.running else { return Next::Stuck };
        let exits = running + CRASHES_AFTER;
        (group.stopping, group.stopped, group.crashed) = (Some(exits), Some(exits), true);
        failed += start;
        at = exits;
    }
    if service.breaker { Next::Broke(at) } else { Next::Stuck }
}

/// The circuit breaker: the last deployment that completed comes back as a new one. `None` when there
/// is none to go back to.
fn roll_back(
    service: &mut Service,
    broken: &Deployment,
    at: DateTime<Utc>,
    fate: Fate,
) -> Option<DateTime<Utc>> {
    let name = service.name.clone();
    for found in service.deployments.iter_mut().filter(|found| found.id == broken.id) {
        found.failed = Some(at);
    }
    let id = &broken.id;
    note(
        service,
        at,
        format!("(service {name}) (deployment {id}) deployment failed: tasks failed to start."),
    );
    let mut before = service.deployments.iter().rev();
    let old = before.find(|found| found.completed.is_some() && found.id != broken.id)?.clone();
    note(service, at, format!("(service {name}) rolling back to deployment {}.", old.id));
    deploy(service, at, &old.definition, false, fate);
    let back = service.deployments.last_mut()?;
    back.rolls_back_to = Some(old.id);
    let (id, definition) = (back.id.clone(), back.definition.clone());
    // What still runs of it is its own again.
    let stays = |group: &&mut Group| group.stopping.is_none() && group.definition == definition;
    for group in service.groups.iter_mut().filter(stays) {
        group.deployment.clone_from(&id);
    }
    Some(at + ROLLED_BACK_AFTER)
}

/// All that is wanted runs: the deployment has completed, and those before it are gone when their last
/// task is.
fn complete(service: &mut Service, at: DateTime<Utc>) {
    let Some((last, before)) = service.deployments.split_last_mut() else { return };
    for old in before.iter_mut().filter(|old| old.gone.is_none()) {
        let groups = service.groups.iter().filter(|group| group.deployment == old.id);
        let ends = groups.filter_map(|group| group.stopped).max();
        old.gone = Some(ends.unwrap_or(at).max(at));
    }
    if last.completed.is_none() {
        // Its predecessors go first: ECS calls a deployment completed when nothing else runs.
        let ended = before.iter().filter_map(|old| old.gone).filter(|gone| *gone > at).max();
        let completed = ended.unwrap_or(at);
        last.completed = Some(completed);
        let message =
            format!("(service {}) (deployment {}) deployment completed.", service.name, last.id);
        note(service, completed, message);
        let steady = format!("(service {}) has reached a steady state.", service.name);
        note(service, completed, steady);
    }
}

fn note(service: &mut Service, at: DateTime<Utc>, message: String) {
    service.events.push(Event { at, message });
    service.events.sort_by_key(|event| event.at);
    // ECS shows the newest hundred.
    let surplus = service.events.len().saturating_sub(100);
    service.events.drain(..surplus);
}
