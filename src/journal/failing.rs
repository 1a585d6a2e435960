//! A journal whose writes begin to fail: the fault `journal-disk-full`, and tests.
//!
//! **Invariant:** a write that fails keeps nothing, as the real one does; reads go on.

use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::memory::Fault;
use crate::journal::store::{Fence, Head, Lease, Note, Salvaged, Store, StoredRecord, Takeover};
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
}

/// A store whose writes fail as told.
#[derive(Debug)]
pub struct FailingStore<S> {
    /// The store itself.
    pub inner: S,
    failing: Failing,
    writes: u64,
    struck: u64,
}

impl<S: Store> FailingStore<S> {
    /// `inner`, whose writes fail as `failing` says.
    pub fn new(inner: S, failing: Failing) -> Self {
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

impl<S: Store> Store for FailingStore<S> {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        self.may(if batch.is_empty() { Write::Quiet } else { Write::Append })?;
        self.inner.append(batch)
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        self.inner.load()
    }

    fn salvage(&self) -> Result<Salvaged, JournalError> {
        self.inner.salvage()
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.inner.head()
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

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        self.inner.check(fence, now)
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        self.inner.lease()
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.may(Write::Post)?;
        self.inner.post(posted)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        self.inner.posted()
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        self.may(Write::Note)?;
        self.inner.note(key, value)
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        self.inner.notes()
    }

    fn place(&self) -> &str {
        self.inner.place()
    }
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
        let mut store = FailingStore::new(MemoryStore::new(), Failing::full_from(3));
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
        let mut store = FailingStore::new(store.inner, only);
        store.append(&records[1..]).unwrap();
        store.renew(fence, now, ttl).unwrap_err();
        store.renew(fence, now, ttl).unwrap();
    }
}
