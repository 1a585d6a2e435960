//! Faults: what is made to go wrong in a world, and how often it did.
//!
//! **Invariant:** a fault that names an operation strikes the first such call only, and the world
//! remembers that it struck, so that a retry or a resumed run meets a healthy AWS.

pub(in crate::sim) use crate::estate::FaultKind;

use crate::base::clock::to_delta;
use crate::base::seed::Seed;
use crate::estate::{FaultSpec, fault};
use crate::sim::api::SimError;
use crate::sim::s3;
use crate::sim::state::{World, Wrong};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Wrong restores by name.
const WRONG: [(&str, Wrong); 4] = [
    ("stale", Wrong::Stale),
    ("empty-table", Wrong::EmptyTable),
    ("missing-schema", Wrong::MissingSchema),
    ("wrong-database", Wrong::OtherDatabase),
];

/// How far replicas fall behind when nothing else is said.
const LAG_CLIFF: Duration = Duration::from_secs(30 * 60);

/// Of the appends of a process, one up to this number finds the disk full when nothing else is said: a
/// short run has hardly more.
const LAST_APPEND: u64 = 12;

/// How far the server's clock is ahead when nothing else is said.
const SKEW: TimeDelta = TimeDelta::minutes(10);

/// A fault that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Fault {
    /// As given: `lost-answer=DeleteDBInstance`.
    pub(in crate::sim) text: String,
    pub(in crate::sim) kind: FaultKind,
    /// What stands after `=`.
    pub(in crate::sim) value: Option<String>,
    /// How often it struck.
    pub(in crate::sim) struck: u32,
    /// When it was switched on.
    #[serde(default)]
    pub(in crate::sim) since: Option<DateTime<Utc>>,
}

impl Fault {
    /// Reads `name` or `name=value`.
    pub(in crate::sim) fn parse(text: &str) -> Result<Self, SimError> {
        let FaultSpec { text, kind, value } = FaultSpec::parse(text).map_err(|reason| {
            let known = fault::names().collect::<Vec<_>>().join(", ");
            SimError::Fault { fault: text.to_owned(), reason, known }
        })?;
        Ok(Self { text, kind, value, struck: 0, since: None })
    }

    /// The value as time, where the fault takes one.
    pub(in crate::sim) fn span(&self) -> Option<Duration> {
        self.value.as_deref().and_then(fault::span)
    }

    /// The value as a factor or rate.
    pub(in crate::sim) fn factor(&self) -> Option<f64> {
        self.value.as_deref().and_then(fault::rate)
    }

    /// Which append of a process `journal-disk-full` strikes; `None` once it has.
    pub(in crate::sim) fn append(&self, seed: Seed) -> Option<u64> {
        let given = self.value.as_deref().and_then(|value| value.parse().ok());
        let drawn = || seed.stream("journal-disk-full").u64(1..=LAST_APPEND);
        (self.struck == 0).then(|| given.unwrap_or_else(drawn))
    }

    /// Which wrong restore it plants.
    pub(in crate::sim) fn wrong(&self) -> Option<Wrong> {
        let value = self.value.as_deref()?;
        WRONG.iter().find(|(name, _)| *name == value).map(|(_, wrong)| *wrong)
    }

    /// Whether `throttled` strikes request number `request`.
    pub(in crate::sim) fn throttles(&self, seed: Seed, request: u64) -> bool {
        match self.value.as_deref().map(str::parse::<u32>) {
            Some(Ok(calls)) => self.struck < calls,
            Some(Err(_)) | None => {
                let rate = self.factor().unwrap_or(0.2);
                seed.stream(&format!("request/{request}/throttled")).f64() < rate
            }
        }
    }

    /// Whether `control-plane-down` is about `region`, and whether calls then hang.
    pub(in crate::sim) fn takes_down(&self, region: &str) -> Option<Outage> {
        let value = self.value.as_deref().unwrap_or_default();
        let (place, outage) = match value.strip_suffix("hang") {
            Some(place) => (place.trim_end_matches('/'), Outage::Hangs),
            None => (value, Outage::Refuses),
        };
        (place.is_empty() || place == region).then_some(outage)
    }

    /// How far `clock-skew` puts the server's clock ahead.
    pub(in crate::sim) fn skew(&self) -> TimeDelta {
        let Some(value) = self.value.as_deref() else { return SKEW };
        match value.strip_prefix('-') {
            Some(behind) => -fault::span(behind).map_or(SKEW, to_delta),
            None => fault::span(value).map_or(SKEW, to_delta),
        }
    }
}

/// How a control plane does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Outage {
    /// With HTTP 503.
    Refuses,
    /// Not at all, until the client gives up.
    Hangs,
    /// Its connections break at once.
    Breaks,
}

impl World {
    /// Whether the tasks of the ECS service, if they run, answer badly at `at`.
    pub(in crate::sim) fn answers_badly(&self, service: &str, at: DateTime<Utc>) -> bool {
        let fault = self.fault(FaultKind::ServiceUnhealthy);
        fault.is_some_and(|fault| {
            let told = fault.value.as_deref().and_then(fault::unhealthy);
            told.zip(fault.since).is_some_and(|((name, after), since)| {
                name == service && since + to_delta(after) <= at
            })
        })
    }

    /// Replaces the faults that are switched on. One that stays keeps count of its strikes; a later
    /// one of the same kind takes the place of an earlier: the command line comes after files.
    pub(in crate::sim) fn set_faults(&mut self, faults: &[String]) -> Result<(), SimError> {
        let mut next: Vec<Fault> = Vec::new();
        for text in faults {
            let mut fault = Fault::parse(text)?;
            fault.since = Some(self.time);
            if let Some(known) = self.faults.iter().find(|known| known.text == fault.text) {
                (fault.struck, fault.since) = (known.struck, known.since);
            }
            next.retain(|other| other.kind != fault.kind);
            next.push(fault);
        }
        let stays = |fault: &Fault| self.faults.iter().any(|known| known.text == fault.text);
        let lost = next.iter().find(|fault| fault.kind == FaultKind::RegionLost);
        let stopped = |faults: &[Fault]| {
            faults.iter().any(|fault| fault.kind == FaultKind::ReplicationStopped)
        };
        let resumes = stopped(&self.faults) && !stopped(&next);
        let goes_on = lost.is_some_and(stays);
        let loss = lost.and_then(|fault| fault::loss(fault.value.as_deref()?));
        match next.iter().find(|fault| fault.kind == FaultKind::ReplicaLagCliff) {
            Some(cliff) if self.lag_cliff.is_some() && stays(cliff) => {}
            Some(cliff) => {
                let by = cliff.span().unwrap_or(LAG_CLIFF);
                self.set_lag_cliff(Some((self.time, by)));
            }
            None => self.set_lag_cliff(None),
        }
        self.lose(loss, goes_on);
        self.faults = next;
        if resumes {
            s3::resume(self);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_of_a_region_or_of_all() {
        for (text, region, wanted) in [
            ("control-plane-down", "eu-west-1", Some(Outage::Refuses)),
            ("control-plane-down=hang", "eu-west-1", Some(Outage::Hangs)),
            ("control-plane-down=us-east-1", "us-east-1", Some(Outage::Refuses)),
            ("control-plane-down=us-east-1/hang", "us-east-1", Some(Outage::Hangs)),
            ("control-plane-down=us-east-1", "us-west-2", None),
        ] {
            assert_eq!(Fault::parse(text).expect(text).takes_down(region), wanted, "{text}");
        }
    }

    #[test]
    fn skews_have_a_side() {
        for (text, seconds) in [("clock-skew", 600), ("clock-skew=2m", 120), ("clock-skew=-7", -7)]
        {
            assert_eq!(Fault::parse(text).expect(text).skew().num_seconds(), seconds, "{text}");
        }
    }
}
