//! The lease of the process that drives a run.
//!
//! **Invariant:** what is checked was renewed in time, or nothing is done.

use super::running::Running;
use crate::base::clock::{Clock, to_delta};
use crate::journal::{Fence, JournalError, Store};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A journal and the lease on it.
pub(super) struct Holding<'a> {
    pub(super) store: &'a mut dyn Store,
    fence: Fence,
    lease: Duration,
    clock: &'a Clock,
    renewed: DateTime<Utc>,
}

impl<'a> Holding<'a> {
    /// The lease that was just taken.
    pub(super) fn new(running: &Running<'a>, store: &'a mut dyn Store, fence: Fence) -> Self {
        let (lease, clock) = (running.lease, running.lease_clock);
        Self { store, fence, lease, clock, renewed: clock.now() }
    }

    /// Renews the lease when a third of it is over.
    ///
    /// # Errors
    /// `Fenced`: another process has it.
    pub(super) fn keep(&mut self) -> Result<(), JournalError> {
        let now = self.clock.now();
        if now - self.renewed >= to_delta(self.lease / 3) {
            self.store.renew(self.fence, now, self.lease)?;
            self.renewed = now;
        }
        Ok(())
    }

    /// Makes sure that the lease is ours now.
    ///
    /// # Errors
    /// `Fenced`, `Expired`.
    pub(super) fn check(&mut self) -> Result<(), JournalError> {
        self.keep()?;
        self.store.check(self.fence, self.clock.now())
    }
}
