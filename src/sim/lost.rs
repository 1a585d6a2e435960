//! Regions that are lost, and that come back: the one place that knows, which every service asks.
//!
//! **Invariant:** whether a region is lost follows from the stored losses and the instant alone, so that
//! what a region missed is known at any later instant.

use crate::base::clock::to_delta;
use crate::estate::fault::Loss;
use crate::sim::answer::ApiError;
use crate::sim::decode::Service;
use crate::sim::dispatch::{Turn, unavailable};
use crate::sim::faults::{FaultKind, Outage};
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a replica applies in a second of what it missed: an estimate. AWS publishes none; replay of a
/// backlog is bound by one core and usually several times as fast as the writing was.
const CATCHES_UP: i64 = 10;

/// Losses that a world remembers; older ones have long been caught up with.
const REMEMBERED: usize = 16;

/// A region that is lost for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct LostRegion {
    pub(in crate::sim) region: String,
    /// The first instant at which nothing answers.
    pub(in crate::sim) from: DateTime<Utc>,
    /// The first instant at which it answers again; `None` while nobody can say.
    pub(in crate::sim) until: Option<DateTime<Utc>>,
    /// Whether connections hang; else they are refused.
    pub(in crate::sim) hangs: bool,
}

impl LostRegion {
    fn covers(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// What a client of it sees.
    pub(in crate::sim) fn sign(&self) -> &'static str {
        if self.hangs { "connection timed out" } else { "no route to host" }
    }

    /// Seconds of writing that somebody elsewhere has not got at `at`.
    fn missed(&self, at: DateTime<Utc>) -> i64 {
        let seconds = |to: DateTime<Utc>| (to - self.from).num_seconds().max(0);
        match self.until.filter(|until| *until <= at) {
            None => seconds(at),
            Some(until) => {
                let replayed = (at - until).num_seconds().saturating_mul(CATCHES_UP);
                seconds(until).saturating_sub(replayed).max(0)
            }
        }
    }
}

impl World {
    /// The loss of `region` at `at`; `None` when it is there. Every service asks this before it lets
    /// something in another region answer, run or follow; calls to the region itself never arrive.
    pub(in crate::sim) fn lost(&self, region: &str, at: DateTime<Utc>) -> Option<&LostRegion> {
        self.lost.iter().find(|lost| lost.region == region && lost.covers(at))
    }

    /// Seconds of what was written in `region` that a replica elsewhere misses at `at`.
    pub(in crate::sim) fn missed(&self, region: &str, at: DateTime<Utc>) -> i64 {
        let losses = self.lost.iter().filter(|lost| lost.region == region);
        losses.map(|lost| lost.missed(at)).max().unwrap_or(0)
    }

    /// Makes `loss` happen from now on in place of what was lost or was to be; what `goes_on` stays as it
    /// is, from its own beginning to its own end.
    pub(in crate::sim) fn lose(&mut self, loss: Option<Loss>, goes_on: bool) {
        if goes_on {
            return;
        }
        let now = self.time;
        self.lost.retain(|lost| lost.from <= now);
        for lost in self.lost.iter_mut().filter(|lost| lost.covers(now)) {
            lost.until = Some(now);
        }
        if let Some(Loss { region, after, lasts, hangs }) = loss {
            let from = now + to_delta(after);
            let until = lasts.map(|lasts| from + to_delta(lasts));
            self.lost.push(LostRegion { region, from, until, hangs });
        }
        let old = self.lost.len().saturating_sub(REMEMBERED);
        self.lost.drain(..old);
    }
}

impl Turn<'_> {
    /// Why the call finds nobody: its region is lost, or the control plane that it goes to is down.
    pub(in crate::sim) fn outage(&self) -> Option<Outage> {
        if let Some(lost) = self.lost_with() {
            return Some(if lost.hangs { Outage::Hangs } else { Outage::Breaks });
        }
        // Sessions are given by the data plane. IAM's and Route 53's calls carry the region of their
        // control planes, us-east-1.
        if self.service == Service::Sts {
            return None;
        }
        self.world.fault(FaultKind::ControlPlaneDown)?.takes_down(&self.region)
    }

    /// The loss that takes the call's answer with it: of its own region, or of its bucket's.
    fn lost_with(&self) -> Option<&LostRegion> {
        let bucket = self.world.services.buckets.get(&self.s3.bucket);
        let bucket = bucket.filter(|_| self.service == Service::S3);
        let home = bucket.and_then(|bucket| self.world.lost(&bucket.region, self.now));
        self.world.lost(&self.region, self.now).or(home)
    }

    /// Refuses what another region would have to give, while that one is lost.
    pub(in crate::sim) fn reach(&self, region: &str) -> Result<(), ApiError> {
        let lost = self.world.lost(region, self.now);
        lost.map_or(Ok(()), |_| Err(unavailable()))
    }
}
