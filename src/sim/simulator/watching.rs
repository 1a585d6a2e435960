//! Who takes writes in a world and where its names lead: now, and at every instant since somebody looks.
//!
//! **Invariant:** looking changes nothing; a copy of a world has seen what the world had.

use super::{Inner, Simulator};
use crate::estate::{Environment, Estate};
use crate::sim::lookout::{Lookout, Sightings};
use crate::sim::writers::OpenWriter;
use chrono::{DateTime, Utc};

impl Simulator {
    /// The instances of the estate that take writes at `now`, and whether each is fenced.
    pub fn open_writers(&self, now: DateTime<Utc>) -> Vec<OpenWriter> {
        self.lock().world.open_writers(now)
    }

    /// From now on every instant is looked at: for two writers, and for names that lead to read replicas. Nothing
    /// to look at is an estate without zones and without services that write.
    pub fn look_out(&self, estate: &Estate, environment: &Environment) {
        let mut inner = self.lock();
        let lookout = Lookout::over(&inner.world, (estate, environment), &inner.databases);
        inner.lookout = lookout;
    }

    /// What was seen since [`Simulator::look_out`]; `None` when there is nothing to look at.
    pub fn sightings(&self) -> Option<Sightings> {
        self.lock().lookout.as_ref().map(|lookout| lookout.seen().clone())
    }
}

impl Inner {
    /// Looks at everything that happens until `now`.
    pub(super) fn look_until(&mut self, now: DateTime<Utc>) {
        if let Some(lookout) = &mut self.lookout {
            lookout.until(&mut self.world, now);
        }
    }

    /// Looks at the world as a call has left it.
    pub(super) fn look(&mut self) {
        if let Some(lookout) = &mut self.lookout {
            lookout.look(&self.world, self.world.time);
        }
    }
}
