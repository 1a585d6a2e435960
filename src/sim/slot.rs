//! A resource and what reads still show of it.
//!
//! **Invariant:** reads after a change show the old state until the instant drawn for it, and the new
//! one from then on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A resource, and what reads still show of it for a moment after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sim) struct Slot<T> {
    pub(in crate::sim) current: Option<T>,
    pub(in crate::sim) before: Option<T>,
    /// Reads show `before` until this instant.
    pub(in crate::sim) stale_until: DateTime<Utc>,
}

impl<T: Clone> Slot<T> {
    /// A resource that every read shows.
    pub(in crate::sim) fn settled(current: T) -> Self {
        Self { current: Some(current), before: None, stale_until: DateTime::UNIX_EPOCH }
    }

    /// A slot for something that does not exist yet.
    pub(in crate::sim) fn empty() -> Self {
        Self { current: None, before: None, stale_until: DateTime::UNIX_EPOCH }
    }

    /// What a read at `now` shows.
    pub(in crate::sim) fn seen(&self, now: DateTime<Utc>) -> Option<&T> {
        if now < self.stale_until { self.before.as_ref() } else { self.current.as_ref() }
    }

    /// Puts `next` in place; reads show the old state until `stale_until`.
    pub(in crate::sim) fn replace(
        &mut self,
        next: Option<T>,
        now: DateTime<Utc>,
        stale_until: DateTime<Utc>,
    ) {
        if now >= self.stale_until {
            self.before = self.current.clone();
        }
        self.current = next;
        self.stale_until = stale_until;
    }
}
