//! A service as a function of time: its deployments, its tasks in groups, what happened to it.
//!
//! **Invariant:** tasks of one group have all instants in common; counts at an instant follow from the
//! groups alone.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long ECS lists a task after it stopped.
const STOPPED_SHOWN: TimeDelta = TimeDelta::hours(1);

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) region: String,
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) born: DateTime<Utc>,
    /// `desiredCount` over time, oldest first.
    pub(super) wanted: Vec<Wanted>,
    pub(super) minimum_percent: u32,
    pub(super) maximum_percent: u32,
    /// Whether the deployment circuit breaker is on and rolls back.
    pub(super) breaker: bool,
    /// Oldest first; the last one that has begun is PRIMARY.
    pub(super) deployments: Vec<Deployment>,
    pub(super) groups: Vec<Group>,
    /// Oldest first; shown from their instant on.
    pub(super) events: Vec<Event>,
    /// Tasks and deployments so far: names and draws of the next ones.
    pub(super) serial: u32,
}

/// From when on how many tasks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) from: DateTime<Utc>,
    pub(super) count: u32,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: String,
    /// `family:revision`.
    pub(super) definition: String,
    pub(super) created: DateTime<Utc>,
    pub(super) completed: Option<DateTime<Utc>>,
    pub(super) failed: Option<DateTime<Utc>>,
    /// When nothing shows it any more.
    pub(super) gone: Option<DateTime<Utc>>,
    /// Whether its tasks exit as soon as they run.
    pub(super) fails: bool,
    /// The deployment that the circuit breaker rolls back to by this one.
    pub(super) rolls_back_to: Option<String>,
}

/// `rolloutState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    /// As on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl Deployment {
    /// How far it is at `at`.
    pub(super) fn rollout(&self, at: DateTime<Utc>) -> Rollout {
        let past = |instant: Option<DateTime<Utc>>| instant.is_some_and(|instant| instant <= at);
        match (past(self.failed), past(self.completed)) {
            (true, _) => Rollout::Failed,
            (false, true) => Rollout::Completed,
            (false, false) => Rollout::InProgress,
        }
    }

    /// `rolloutStateReason`.
    pub(super) fn reason(&self, at: DateTime<Utc>) -> String {
        match (self.rollout(at), &self.rolls_back_to) {
            (Rollout::Failed, _) => {
                "ECS deployment circuit breaker: tasks failed to start.".to_owned()
            }
            (Rollout::Completed, _) => format!("ECS deployment {} completed.", self.id),
            (Rollout::InProgress, Some(old)) => {
                format!("ECS deployment circuit breaker: rolling back to deploymentId {old}")
            }
            (Rollout::InProgress, None) => format!("ECS deployment {} in progress.", self.id),
        }
    }
}

/// Tasks that were started at one time and have one fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    /// Number of the first task; the others follow.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Id of their deployment.
    pub(super) deployment: String,
    pub(super) definition: String,
    pub(super) created: DateTime<Utc>,
    /// `None`: they never run.
    pub(super) running: Option<DateTime<Utc>>,
    /// When they were told to stop, or exited.
    pub(super) stopping: Option<DateTime<Utc>>,
    pub(super) stopped: Option<DateTime<Utc>>,
    /// Whether they exited by themselves.
    pub(super) crashed: bool,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not there yet, or no longer listed.
    Absent,
    Pending,
    Running,
    /// Told to stop, and still there: it may still be at work.
    Deactivating,
    Stopped,
}

impl Stage {
    /// `lastStatus`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Absent => "DELETED",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopped => "STOPPED",
        }
    }

    /// `desiredStatus`.
    pub(super) fn desired(self) -> &'static str {
        match self {
            Self::Pending | Self::Running => "RUNNING",
            Self::Absent | Self::Deactivating | Self::Stopped => "STOPPED",
        }
    }
}

impl Group {
    /// What its tasks are doing at `at`.
    pub(super) fn stage(&self, at: DateTime<Utc>) -> Stage {
        let past = |instant: Option<DateTime<Utc>>| instant.is_some_and(|instant| instant <= at);
        if at < self.created || self.stopped.is_some_and(|stopped| stopped + STOPPED_SHOWN <= at) {
            Stage::Absent
        } else if past(self.stopped) {
            Stage::Stopped
        } else if past(self.stopping) {
            Stage::Deactivating
        } else if past(self.running) {
            Stage::Running
        } else {
            Stage::Pending
        }
    }

    /// Numbers of its tasks.
    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// An entry of `events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) at: DateTime<Utc>,
    pub(super) message: String,
}

impl Service {
    /// Tasks that run at `at`.
    pub(super) fn running(&self, at: DateTime<Utc>) -> u32 {
        self.count(at, Stage::Running, None)
    }

    /// Tasks in a stage at `at`, of one deployment or of all.
    pub(super) fn count(&self, at: DateTime<Utc>, stage: Stage, of: Option<&str>) -> u32 {
        let groups = self.groups.iter().filter(|group| of.is_none_or(|id| group.deployment == id));
        groups.filter(|group| group.stage(at) == stage).map(|group| group.count).sum()
    }

    /// Tasks of a deployment that exited by themselves until `at`.
    pub(super) fn crashed(&self, at: DateTime<Utc>, deployment: &str) -> u32 {
        let groups = self.groups.iter().filter(|group| {
            group.deployment == deployment
                && group.crashed
                && group.stopping.is_some_and(|stopping| stopping <= at)
        });
        groups.map(|group| group.count).sum()
    }

    /// `desiredCount` at `at`.
    pub(super) fn desired(&self, at: DateTime<Utc>) -> u32 {
        let found = self.wanted.iter().rev().find(|wanted| wanted.from <= at);
        found.or(self.wanted.first()).map_or(0, |wanted| wanted.count)
    }

    /// Deployments that a read at `at` shows, newest first: the first one is PRIMARY.
    pub(super) fn shown(&self, at: DateTime<Utc>) -> Vec<&Deployment> {
        let begun = self.deployments.iter().rev().filter(|found| found.created <= at);
        begun.filter(|found| found.gone.is_none_or(|gone| at < gone)).collect()
    }

    /// The PRIMARY deployment at `at`.
    pub(super) fn primary(&self, at: DateTime<Utc>) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|found| found.created <= at)
    }

    /// Number of the next task or deployment.
    pub(super) fn next(&mut self, count: u32) -> u32 {
        let first = self.serial;
        self.serial = self.serial.saturating_add(count);
        first
    }

    /// Takes back everything that was to happen after `now`, and forgets what nothing shows any more.
    pub(super) fn strip(&mut self, now: DateTime<Utc>) {
        let later = |instant: &Option<DateTime<Utc>>| instant.is_some_and(|instant| instant > now);
        self.wanted.retain(|wanted| wanted.from <= now);
        self.events.retain(|event| event.at <= now);
        let gone = |found: &Deployment| found.gone.is_some_and(|gone| gone <= now);
        self.deployments.retain(|found| found.created <= now && !gone(found));
        for found in &mut self.deployments {
            for instant in [&mut found.completed, &mut found.failed, &mut found.gone] {
                if later(instant) {
                    *instant = None;
                }
            }
        }
        self.groups.retain(|group| {
            group.created <= now && !(group.stopped.is_some() && group.stage(now) == Stage::Absent)
        });
        for group in &mut self.groups {
            // Tasks that exit by themselves do so whatever is wanted.
            if later(&group.stopping) && !group.crashed {
                (group.stopping, group.stopped) = (None, None);
            }
        }
    }
}
