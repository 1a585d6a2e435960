//! The lease of the process that drives a run.
//!
//! **Invariant:** what is checked was renewed in time, or nothing is done.

use super::running::Running;
use crate::base::clock::{Clock, to_delta};
use crate::cloud::Cloud;
use crate::journal::{Fence, JournalError, Store};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How often the lease is looked at, and the inbox into, while nothing is sent: a process that was fenced
/// ends soon, and people are heard soon.
pub(super) const GLANCE: Duration = Duration::from_secs(1);

/// A journal and the lease on it.
pub(super) struct Holding<'a> {
    pub(super) store: &'a mut dyn Store,
    fence: Fence,
    lease: Duration,
    clock: &'a Clock,
    cloud: &'a Cloud,
    renewed: DateTime<Utc>,
    checked: DateTime<Utc>,
}

impl<'a> Holding<'a> {
    /// The lease that was just taken.
    pub(super) fn new(running: &Running<'a>, store: &'a mut dyn Store, fence: Fence) -> Self {
        let (lease, clock) = (running.lease, running.lease_clock);
        let (now, cloud) = (clock.now(), running.cloud);
        cloud.leased(clock, now + to_delta(lease));
        Self { store, fence, lease, clock, cloud, renewed: now, checked: now }
    }

    /// Renews the lease when a third of it is over, and looks whether it is ours when that was a second
    /// ago: a run that only polls makes turns without records, which nothing else would stop.
    ///
    /// # Errors
    /// `Fenced`: another process has it; `Expired`.
    pub(super) fn keep(&mut self) -> Result<(), JournalError> {
        self.renew()?;
        let due = self.clock.now() - self.checked >= to_delta(GLANCE);
        if due { self.check() } else { Ok(()) }
    }

    fn renew(&mut self) -> Result<(), JournalError> {
        let now = self.clock.now();
        if now - self.renewed >= to_delta(self.lease / 3) {
            self.store.renew(self.fence, now, self.lease)?;
            self.renewed = now;
            self.cloud.leased(self.clock, now + to_delta(self.lease));
        }
        Ok(())
    }

    /// Makes sure that the lease is ours now.
    ///
    /// # Errors
    /// `Fenced`, `Expired`.
    pub(super) fn check(&mut self) -> Result<(), JournalError> {
        self.renew()?;
        let now = self.clock.now();
        self.store.check(self.fence, now)?;
        self.checked = now;
        Ok(())
    }
}
