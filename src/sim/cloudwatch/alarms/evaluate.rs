//! What the figures of alarms say as time passes.
//!
//! **Invariant:** figures are looked at once a period, at its end; a change carries the instant of that
//! end, however late somebody asks.

use super::message;
use super::{Alarm, REMEMBERED, State, StateChange, Watches, key};
use crate::sim::cloudwatch::series::{Metric, Site};
use crate::sim::cloudwatch::statistics::{Query, Statistic};
use crate::sim::ecs;
use crate::sim::genesis::uuid;
use crate::sim::services::Published;
use crate::sim::sns;
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};

/// Periods that are made good for a world that was asleep: what came before is over.
const CAUGHT_UP: i64 = 24 * 60;

/// Looks at the figures of all alarms up to `now`.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    let due = |alarm: &Alarm| end_after(alarm.evaluated, alarm.period) <= now;
    let alarms: Vec<String> = world
        .services
        .alarms
        .iter()
        .filter(|(_, alarm)| due(alarm))
        .map(|(key, _)| key.clone())
        .collect();
    for key in alarms {
        let Some(mut alarm) = world.services.alarms.remove(&key) else { continue };
        let sleeping = now - TimeDelta::seconds(alarm.period * CAUGHT_UP);
        alarm.evaluated = alarm.evaluated.max(sleeping);
        let mut end = end_after(alarm.evaluated, alarm.period);
        while end <= now {
            // Where the region is gone nobody looks at figures, and nobody is told.
            let gone = world.lost(&alarm.region, end).is_some();
            let changes = |state: &State| !gone && *state != alarm.state;
            if let Some(state) = judged(world, &alarm, end).filter(changes) {
                let why = reason(&alarm, state);
                change(world, &mut alarm, state, why, end);
            }
            alarm.evaluated = end;
            end = end_after(end, alarm.period);
        }
        world.services.alarms.insert(key, alarm);
    }
}

/// The first end of a period after `at`.
fn end_after(at: DateTime<Utc>, period: i64) -> DateTime<Utc> {
    let next = at.timestamp().div_euclid(period) + 1;
    DateTime::from_timestamp(next * period, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The state that the figures before `end` say; `None` leaves it as it is.
fn judged(world: &World, alarm: &Alarm, end: DateTime<Utc>) -> Option<State> {
    if alarm.watches == Watches::Nothing {
        return None;
    }
    let mut broken = 0;
    let mut known = 0;
    for back in 1..=i64::from(alarm.evaluation_periods) {
        let from = end - TimeDelta::seconds(alarm.period * back);
        let found = figure(world, alarm, from);
        let breaks = match (found, alarm.missing.as_str()) {
            (Some(breaks), _) => Some(breaks),
            (None, "breaching") => Some(true),
            (None, "notBreaching") => Some(false),
            (None, _) => None,
        };
        known += u32::from(breaks.is_some());
        broken += u32::from(breaks == Some(true));
    }
    match (broken, known) {
        (broken, _) if broken >= alarm.datapoints_to_alarm => Some(State::Alarm),
        (_, 0) if alarm.missing == "ignore" => None,
        (_, 0) => Some(State::InsufficientData),
        (_, _) => Some(State::Ok),
    }
}

/// Whether the figure of the period that begins at `from` breaks the threshold; `None` without one.
fn figure(world: &World, alarm: &Alarm, from: DateTime<Utc>) -> Option<bool> {
    match &alarm.watches {
        Watches::Nothing => None,
        Watches::Instance { .. } | Watches::Service { .. } => Some(is_broken(world, alarm, from)),
        Watches::Metric { namespace, name, dimensions, statistic, unit } => {
            let (namespace, name) = (namespace.clone(), name.clone());
            let metric = Metric { namespace, name, dimensions: dimensions.clone() };
            let query = Query { metric, unit: unit.clone(), period: alarm.period };
            let to = from + TimeDelta::seconds(alarm.period);
            let site = Site { world, region: &alarm.region, now: to };
            let buckets = query.buckets(site, (from, to));
            let value = buckets.get(&from)?.value(Statistic::parse(statistic)?)?;
            Some(breaks(value, &alarm.comparison, alarm.threshold))
        }
    }
}

fn breaks(value: f64, comparison: &str, threshold: f64) -> bool {
    match comparison {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => value > threshold,
    }
}

/// Whether what an alarm follows does not run at `at`.
pub(super) fn is_broken(world: &World, alarm: &Alarm, at: DateTime<Utc>) -> bool {
    match &alarm.watches {
        Watches::Instance { region, id } => {
            let found = world.instance(region, id, at);
            let answers = found.is_ok_and(|instance| instance.status(at).answers());
            !answers || world.lost(region, at).is_some()
        }
        Watches::Service { region, cluster, name } => {
            let running = ecs::running_tasks(world, region, cluster, name, at).unwrap_or(0);
            let bad = running == 0 || world.answers_badly(name, at);
            bad || world.lost(region, at).is_some()
        }
        Watches::Metric { .. } | Watches::Nothing => false,
    }
}

/// `StateReason`.
pub(super) fn reason(alarm: &Alarm, state: State) -> String {
    let points = alarm.datapoints_to_alarm;
    match state {
        State::Alarm => format!(
            "Threshold Crossed: {points} out of the last {} datapoints were {} the threshold ({:.1}) \
             (minimum {points} datapoints for OK -> ALARM transition).",
            alarm.evaluation_periods,
            if alarm.comparison.starts_with("Less") { "less than" } else { "greater than" },
            alarm.threshold
        ),
        State::Ok => format!(
            "Threshold Crossed: no {points} out of the last {} datapoints broke the threshold ({:.1}).",
            alarm.evaluation_periods, alarm.threshold
        ),
        State::InsufficientData => {
            format!("Insufficient Data: {} datapoints were unknown.", alarm.evaluation_periods)
        }
    }
}

/// Puts an alarm into another state, and tells its topics.
pub(super) fn change(
    world: &mut World,
    alarm: &mut Alarm,
    to: State,
    reason: String,
    at: DateTime<Utc>,
) {
    let from = alarm.state;
    alarm.changes.push(StateChange { at, from, to, reason: reason.clone() });
    let surplus = alarm.changes.len().saturating_sub(REMEMBERED);
    alarm.changes.drain(..surplus);
    (alarm.state, alarm.reason, alarm.since) = (to, reason, at);
    if !alarm.actions_enabled {
        return;
    }
    let told = alarm.actions().to_vec();
    for (index, topic) in told.iter().enumerate() {
        if !world.services.topics.contains_key(topic) {
            continue;
        }
        let id = uuid(world.seed(), &format!("alarm/{}/{}/{index}", alarm.arn(""), at));
        let published = Published {
            at,
            topic: topic.clone(),
            message_id: id,
            subject: Some(message::subject(alarm)),
            message: message::text(alarm, from, &world.account),
            attributes: std::collections::BTreeMap::new(),
            group: topic.ends_with(".fifo").then(|| alarm.name.clone()),
        };
        sns::deliver(world, published);
    }
}

/// Puts the alarm into ALARM unless it is; whether the account has it.
pub(in crate::sim) fn raise(
    world: &mut World,
    (region, name): (&str, &str),
    now: DateTime<Utc>,
) -> bool {
    let key = key(region, name);
    let Some(mut alarm) = world.services.alarms.remove(&key) else { return false };
    if alarm.state != State::Alarm {
        let why = "Raised by the drill that begins with it.".to_owned();
        change(world, &mut alarm, State::Alarm, why, now);
    }
    world.services.alarms.insert(key, alarm);
    true
}
