//! A journal whose writes begin to fail: the fault `journal-disk-full`, and tests.
//!
//! **Invariant:** a write that fails keeps nothing, as the real one does; reads go on.

use crate::journal::beneath::beneath;
use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::memory::Fault;
use crate::journal::store::{Fence, Head, Store, Takeover};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Events.
    Append,
    /// A turn that has nothing to tell: a poll that saw nothing new.
    Quiet,
    /// Taking the lease.
    Acquire,
    /// Extending the lease.
    Renew,
    /// Giving the lease back.
    Release,
    /// A note.
    Note,
    /// A command of a person.
    Post,
}

/// Which writes fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// How.
    pub fault: Fault,
    /// Only this kind of write; `None` is every kind.
    pub kind: Option<Write>,
    /// The first of them that fails, counted from 1.
    pub first: u64,
    /// How many fail from there on; a full disk stays full until somebody makes room.
    pub times: u64,
}

impl Failing {
    /// The disk is full from write number `first` on, of whatever kind it is.
    pub fn full_from(first: u64) -> Self {
        Self { fault: Fault::DiskFull, kind: None, first, times: u64::MAX }
    }

    /// The append of events number `at`, from 1, finds no room; none fails when it is `None`.
    pub fn full_once(at: Option<u64>) -> Self {
        Self {
            fault: Fault::DiskFull,
            kind: Some(Write::Append),
            first: at.unwrap_or(1).max(1),
            times: u64::from(at.is_some()),
        }
    }
}

/// A store whose writes fail as told.
pub struct FailingStore<'a> {
    inner: &'a mut dyn Store,
    failing: Failing,
    writes: u64,
    struck: u64,
}

impl std::fmt::Debug for FailingStore<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FailingStore").field("failing", &self.failing).finish_non_exhaustive()
    }
}

impl<'a> FailingStore<'a> {
    /// `inner`, whose writes fail as `failing` says.
    pub fn new(inner: &'a mut dyn Store, failing: Failing) -> Self {
        Self { inner, failing, writes: 0, struck: 0 }
    }

    /// How many writes failed.
    pub fn struck(&self) -> u64 {
        self.struck
    }

    /// Whether this write of `kind` may go on.
    fn may(&mut self, kind: Write) -> Result<(), JournalError> {
        let Failing { fault, kind: only, first, times } = self.failing;
        if only.is_some_and(|only| only != kind) {
            return Ok(());
        }
        self.writes += 1;
        if self.writes < first || self.writes - first >= times {
            return Ok(());
        }
        self.struck += 1;
        Err(fault.error(self.inner.place()))
    }
}

impl Store for FailingStore<'_> {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        self.may(if batch.is_empty() { Write::Quiet } else { Write::Append })?;
        self.inner.append(batch)
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        self.may(Write::Acquire)?;
        self.inner.acquire(holder, now, ttl, takeover)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.may(Write::Renew)?;
        self.inner.renew(fence, now, ttl)
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        self.may(Write::Release)?;
        self.inner.release(fence)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.may(Write::Post)?;
        self.inner.post(posted)
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        self.may(Write::Note)?;
        self.inner.note(key, value)
    }

    beneath!(inner: load salvage head check lease posted notes place);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::journal::memory::MemoryStore;
    use crate::journal::testing::JournalBuilder;

    #[test]
    fn writes_fail_as_told_and_reads_go_on() {
        let (now, ttl) = (simulated_epoch(), Duration::from_secs(60));
        let mut memory = MemoryStore::new();
        let mut store = FailingStore::new(&mut memory, Failing::full_from(3));
        let fence = store.acquire("a", now, ttl, Takeover::IfExpired).unwrap();
        let records = JournalBuilder::started(&["a"]).records();
        store.append(&records[..1]).unwrap();
        for failed in [
            store.append(&records[1..]).err(),
            store.renew(fence, now, ttl).err(),
            store.note("a", "b").err(),
            store.release(fence).err(),
        ] {
            assert!(matches!(failed, Some(JournalError::DiskFull { .. })), "{failed:?}");
        }
        assert_eq!((store.load().unwrap().len(), store.struck()), (1, 4));
        store.check(fence, now).unwrap();

        let only = Failing { kind: Some(Write::Renew), times: 1, ..Failing::full_from(1) };
        let mut store = FailingStore::new(&mut memory, only);
        store.append(&records[1..]).unwrap();
        store.renew(fence, now, ttl).unwrap_err();
        store.renew(fence, now, ttl).unwrap();
    }

    #[test]
    fn one_append_finds_no_room_and_leaves_nothing() {
        let records = JournalBuilder::started(&["a"]).records();
        let mut memory = MemoryStore::new();
        let ttl = Duration::from_secs(60);
        memory.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        let mut full = FailingStore::new(&mut memory, Failing::full_once(Some(2)));
        full.append(&records[..1]).unwrap();
        full.append(&[]).unwrap();
        let error = full.append(&records[1..]).unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }));
        assert_eq!(full.head().unwrap().count, 1);
        assert_eq!(full.append(&records[1..]).unwrap().count, 2);
        assert_eq!(full.struck(), 1);
        let none = Failing::full_once(None);
        assert_eq!(FailingStore::new(&mut memory, none).append(&[]).unwrap().count, 2);
    }
}
