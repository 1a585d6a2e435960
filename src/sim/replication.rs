//! Replicas: how far they are behind.
//!
//! **Invariant:** lag is a function of the stored state and the instant.

use crate::sim::state::{Instance, LagCliff, World};
use crate::sim::world::instance_key;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How far a replica is behind, seconds.
const NEAR_SECONDS: i64 = 1;

/// `ReplicaLag` when replication is not active.
const INACTIVE: i64 = -1;

impl World {
    /// `ReplicaLag` at `now`, seconds: [`INACTIVE`] while nothing is replicated, `None` for an
    /// instance that is no replica.
    pub(in crate::sim) fn replica_lag(
        &self,
        region: &str,
        replica: &Instance,
        now: DateTime<Utc>,
    ) -> Option<i64> {
        let source = replica.replica_of.as_deref()?;
        let place = source.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2));
        let slot = self.region(place.unwrap_or(region)).instances.get(&instance_key(source));
        let there = slot.and_then(|slot| slot.current.as_ref());
        let active = replica.status(now).answers()
            && there.is_some_and(|source| source.exists(now) && !self.hides(source));
        let fallen = self.lag_cliff.filter(|cliff| cliff.from <= now);
        let behind = NEAR_SECONDS + fallen.map_or(0, |cliff| i64::from(cliff.seconds));
        Some(if active { behind } else { INACTIVE })
    }

    /// From `from` on, all replicas are `by` further behind; `None` ends it.
    pub(in crate::sim) fn set_lag_cliff(&mut self, cliff: Option<(DateTime<Utc>, Duration)>) {
        self.lag_cliff = cliff.map(|(from, by)| LagCliff {
            from,
            seconds: u32::try_from(by.as_secs()).unwrap_or(u32::MAX),
        });
    }
}
