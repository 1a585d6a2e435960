//! Replicas: whether they follow their source, how far behind they are, and whose data they hold.
//!
//! **Invariant:** lag is a function of the stored state and the instant; SQL on a replica shows
//! exactly the data of that instant less the lag.

use crate::sim::lost::LostRegion;
use crate::sim::state::{Instance, LagCliff, Link, Status, World};
use crate::sim::world::instance_key;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far a replica in its source's region is behind, seconds.
const NEAR_SECONDS: i64 = 1;

/// How far a replica in another region is behind at least, seconds.
const FAR_SECONDS: i64 = 2;

/// `ReplicaLag` when replication is not active.
pub(in crate::sim) const INACTIVE: i64 = -1;

/// What `StatusInfos` says of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Replicating {
    Active,
    /// The source cannot be reached.
    Error,
    Terminated,
}

impl Replicating {
    /// As on the wire.
    pub(in crate::sim) fn name(self) -> &'static str {
        match self {
            Self::Active => "replicating",
            Self::Error => "error",
            Self::Terminated => "terminated",
        }
    }
}

impl World {
    /// The instance that a replica of `region` follows, whatever its state.
    pub(in crate::sim) fn source_of(&self, region: &str, replica: &Instance) -> Option<&Instance> {
        let source = replica.replica_of.as_deref()?;
        if matches!(replica.link, Link::Terminated(_)) {
            return None;
        }
        let place = region_in(source).unwrap_or(region);
        self.region(place).instances.get(&instance_key(source))?.current.as_ref()
    }

    /// Whether `replica` of `region` follows `source` of `place`.
    pub(in crate::sim) fn follows(
        &self,
        (region, replica): (&str, &Instance),
        (place, source): (&str, &Instance),
    ) -> bool {
        let Some(named) = replica.replica_of.as_deref() else { return false };
        if matches!(replica.link, Link::Terminated(_)) {
            return false;
        }
        let home = region_in(named).unwrap_or(region);
        home == place && instance_key(named) == source.id
    }

    /// What `StatusInfos` says; `None` for an instance that is no replica, not yet, or no longer.
    pub(in crate::sim) fn replicating(
        &self,
        region: &str,
        replica: &Instance,
        now: DateTime<Utc>,
    ) -> Option<Replicating> {
        replica.replica_of.as_ref()?;
        if replica.created.is_none_or(|created| now < created) {
            return None;
        }
        let there = || {
            let source = self.source_of(region, replica);
            source.is_some_and(|source| source.exists(now) && !self.hides(source))
        };
        match replica.link {
            Link::Detached => None,
            Link::Following if there() => Some(match self.source_lost(replica, now) {
                Some(_) => Replicating::Error,
                None => Replicating::Active,
            }),
            Link::Following | Link::Terminated(_) => Some(Replicating::Terminated),
        }
    }

    /// `ReplicaLag` at `now`, seconds: [`INACTIVE`] while nothing is replicated, `None` for an
    /// instance that is no replica, and while its own region is lost: nobody measures there.
    pub(in crate::sim) fn replica_lag(
        &self,
        region: &str,
        replica: &Instance,
        now: DateTime<Utc>,
    ) -> Option<i64> {
        replica.replica_of.as_ref()?;
        if self.lost(region, now).is_some() {
            return None;
        }
        // Behind a source that cannot be reached the lag grows: it is the age of what was applied last.
        let applied = self
            .replicating(region, replica, now)
            .is_some_and(|state| state != Replicating::Terminated);
        let active = replica.status(now).answers() && applied;
        Some(if active { self.behind(replica, now) } else { INACTIVE })
    }

    /// How far a replica that follows its source is behind it at `at`, seconds.
    pub(in crate::sim) fn behind(&self, replica: &Instance, at: DateTime<Utc>) -> i64 {
        let far = replica.replica_of.as_deref().is_some_and(|source| region_in(source).is_some());
        let usual = if far {
            let minute = at.timestamp().div_euclid(60);
            let name = format!("rds/{}/lag/{minute}", replica.resource_id);
            FAR_SECONDS + (self.seed().derive(&name) % 3) as i64
        } else {
            NEAR_SECONDS
        };
        let fallen = self.lag_cliff.filter(|cliff| cliff.from <= at);
        let missed = replica.replica_of.as_deref().and_then(region_in);
        let missed = missed.map_or(0, |source| self.missed(source, at));
        usual + fallen.map_or(0, |cliff| i64::from(cliff.seconds)) + missed
    }

    /// The loss of the region that a replica's source is in.
    fn source_lost(&self, replica: &Instance, at: DateTime<Utc>) -> Option<&LostRegion> {
        self.lost(region_in(replica.replica_of.as_deref()?)?, at)
    }

    /// From `from` on, all replicas are `by` further behind; `None` ends it.
    pub(in crate::sim) fn set_lag_cliff(&mut self, cliff: Option<(DateTime<Utc>, Duration)>) {
        self.lag_cliff = cliff.map(|(from, by)| LagCliff {
            from,
            seconds: u32::try_from(by.as_secs()).unwrap_or(u32::MAX),
        });
    }

    /// As of when the data is that `instance` shows at `now`.
    pub(in crate::sim) fn data_as_of(
        &self,
        instance: &Instance,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let followed =
            |until: DateTime<Utc>| until - TimeDelta::seconds(self.behind(instance, until));
        match (instance.data.point, &instance.replica_of, instance.link) {
            (Some(point), _, _) => point,
            (None, None, _) => now,
            (None, Some(_), Link::Terminated(at)) => followed(at.min(now)),
            (None, Some(_), Link::Following | Link::Detached) => followed(now),
        }
    }

    /// Replicas of an instance: region and identifier of each.
    pub(in crate::sim) fn replicas(
        &self,
        region: &str,
        source: &Instance,
        now: DateTime<Utc>,
    ) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (place, state) in &self.regions {
            let there = state.instances.values().filter_map(|slot| slot.current.as_ref());
            for replica in there.filter(|replica| replica.exists(now)) {
                let leaving = replica.status(now) == Status::Deleting;
                if !leaving && self.follows((place, replica), (region, source)) {
                    found.push((place.clone(), replica.id.clone()));
                }
            }
        }
        found
    }
}

/// The region in an ARN; `None` in a plain identifier.
pub(in crate::sim) fn region_in(id_or_arn: &str) -> Option<&str> {
    id_or_arn.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}
