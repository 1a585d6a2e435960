//! CloudWatch's alarms: what they look at, the state that they are in, and what they tell.
//!
//! **Invariant:** the state of an alarm follows from its figures, and a state that somebody set lasts until
//! the next figure says otherwise.

mod calls;
mod evaluate;
mod message;
mod render;

pub(super) use calls::{delete, describe, describe_for_metric, history, put, set_state};
pub(in crate::sim) use evaluate::{advance, raise};

use crate::estate::{Alarm as Wanted, AlarmWatches, Database, Environment, Estate};
use crate::sim::genesis::birth;
use crate::sim::sns;
use crate::sim::state::World;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long before a world's beginning an alarm noticed what was broken by then: the people who begin to
/// work in it were called by something.
const NOTICED_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// Changes of state that an alarm remembers; CloudWatch keeps those of 30 days.
const REMEMBERED: usize = 100;

/// Alarms of one region: of all that a world keeps.
const MOST: usize = 5000;

/// All alarms, by region and name.
pub(in crate::sim) type Alarms = BTreeMap<String, Alarm>;

/// The key of an alarm in [`Alarms`]. No name has a colon.
pub(super) fn key(region: &str, name: &str) -> String {
    format!("{region}:{name}")
}

/// A state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    const ALL: [(&'static str, Self); 3] =
        [("OK", Self::Ok), ("ALARM", Self::Alarm), ("INSUFFICIENT_DATA", Self::InsufficientData)];

    /// As on the wire.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, state)| *state)
    }
}

/// What an alarm looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) enum Watches {
    /// A metric with one threshold.
    Metric {
        namespace: String,
        name: String,
        dimensions: BTreeMap<String, String>,
        /// `Average`, `p99`.
        statistic: String,
        unit: Option<String>,
    },
    /// Whether an instance of RDS answers, by region and identifier.
    Instance { region: String, id: String },
    /// Whether a service of ECS has running tasks, by region, cluster and name.
    Service { region: String, cluster: String, name: String },
    /// Nothing that the simulator has figures of.
    Nothing,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Alarm {
    pub(super) region: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) watches: Watches,
    /// Seconds.
    pub(super) period: i64,
    pub(super) evaluation_periods: u32,
    pub(super) datapoints_to_alarm: u32,
    pub(super) comparison: String,
    pub(super) threshold: f64,
    pub(super) missing: String,
    pub(super) actions_enabled: bool,
    pub(super) alarm_actions: Vec<String>,
    pub(super) ok_actions: Vec<String>,
    pub(super) no_data_actions: Vec<String>,
    pub(super) configured: DateTime<Utc>,
    pub(super) state: State,
    pub(super) reason: String,
    /// Since when it is in its state.
    pub(super) since: DateTime<Utc>,
    /// Up to when its figures were looked at.
    pub(super) evaluated: DateTime<Utc>,
    /// Earlier changes, oldest first.
    #[serde(default)]
    pub(super) changes: Vec<StateChange>,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StateChange {
    pub(super) at: DateTime<Utc>,
    pub(super) from: State,
    pub(super) to: State,
    pub(super) reason: String,
}

impl Alarm {
    /// `arn:aws:cloudwatch:…:alarm:NAME`
    pub(super) fn arn(&self, account: &str) -> String {
        format!("arn:aws:cloudwatch:{}:{account}:alarm:{}", self.region, self.name)
    }

    /// What is told of its state.
    pub(super) fn actions(&self) -> &[String] {
        match self.state {
            State::Ok => &self.ok_actions,
            State::Alarm => &self.alarm_actions,
            State::InsufficientData => &self.no_data_actions,
        }
    }
}

/// Gives a world the alarms that its estate has; one that is there is kept.
pub(in crate::sim) fn begin(
    world: &mut World,
    estate: &Estate,
    environment: &Environment,
    databases: &BTreeMap<String, Database>,
) {
    for name in estate.alarms.keys() {
        let Some(wanted) = estate.alarm_in(name, environment) else { continue };
        let region = wanted.region.clone().unwrap_or_else(|| environment.region.clone());
        if world.services.alarms.contains_key(&key(&region, &wanted.name)) {
            continue;
        }
        let topics: Vec<String> =
            wanted.actions.iter().filter(|topic| !topic.starts_with("arn:")).cloned().collect();
        sns::begin(world, &region, &topics);
        let follows = |name: &str| followed(name, estate, environment, databases);
        let mut alarm = alarm(world, region, wanted, follows);
        if evaluate::is_broken(world, &alarm, world.time) {
            alarm.since = world.time - NOTICED_BEFORE;
            alarm.state = State::Alarm;
            alarm.reason = evaluate::reason(&alarm, State::Alarm);
        }
        world.services.alarms.insert(key(&alarm.region, &alarm.name), alarm);
    }
}

fn alarm(
    world: &World,
    region: String,
    wanted: Wanted,
    follows: impl Fn(&str) -> Watches,
) -> Alarm {
    let (watches, comparison, threshold) = match wanted.watches {
        Some(AlarmWatches::Metric(metric)) => {
            let watches = Watches::Metric {
                namespace: metric.namespace,
                name: metric.name,
                dimensions: metric.dimensions,
                statistic: metric.statistic,
                unit: None,
            };
            (watches, metric.comparison, metric.threshold)
        }
        Some(AlarmWatches::Follows(name)) => (follows(&name), "LessThanThreshold".to_owned(), 1.0),
        None => (Watches::Nothing, "LessThanThreshold".to_owned(), 1.0),
    };
    let state = match watches {
        Watches::Nothing => State::InsufficientData,
        Watches::Metric { .. } | Watches::Instance { .. } | Watches::Service { .. } => State::Ok,
    };
    let topic = |name: String| match name.starts_with("arn:") {
        true => name,
        false => format!("arn:aws:sns:{region}:{}:{name}", world.account),
    };
    let actions: Vec<String> = wanted.actions.into_iter().map(topic).collect();
    let mut alarm = Alarm {
        region: region.clone(),
        name: wanted.name,
        description: wanted.description,
        watches,
        period: i64::try_from(wanted.period.as_secs()).unwrap_or(60),
        evaluation_periods: wanted.evaluation_periods,
        datapoints_to_alarm: wanted.evaluation_periods,
        comparison,
        threshold,
        missing: wanted.missing,
        actions_enabled: true,
        alarm_actions: actions.clone(),
        ok_actions: actions,
        no_data_actions: Vec::new(),
        configured: birth(),
        state,
        reason: String::new(),
        since: birth(),
        evaluated: world.time,
        changes: Vec::new(),
    };
    alarm.reason = evaluate::reason(&alarm, state);
    alarm
}

/// What the estate calls `name`, as an alarm looks at it.
fn followed(
    name: &str,
    estate: &Estate,
    environment: &Environment,
    databases: &BTreeMap<String, Database>,
) -> Watches {
    if let Some(service) = estate.service_in(name, environment) {
        let region = service.region.unwrap_or_else(|| environment.region.clone());
        return Watches::Service { region, cluster: service.cluster, name: service.service };
    }
    match databases.get(name) {
        Some(database) => Watches::Instance {
            region: database.region.clone().unwrap_or_default(),
            id: database.instance.to_lowercase(),
        },
        None => Watches::Nothing,
    }
}
