//! A journal on a disk that is full for one append: what `journal-disk-full` makes of a journal.
//!
//! **Invariant:** the append that finds no room writes nothing; all others are those of the journal beneath.

use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::store::{Fence, Head, Lease, Note, Store, StoredRecord, Takeover};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Another journal, one append to which finds no room.
pub struct FullDisk<'a> {
    inner: &'a mut dyn Store,
    /// Appends until then; `None` when there is room for all.
    left: Option<u64>,
    struck: Box<dyn FnOnce() + Send + 'a>,
}

impl<'a> FullDisk<'a> {
    /// `inner`, whose append number `at` from now on, from 1, finds no room; `struck` is told.
    pub fn new(
        inner: &'a mut dyn Store,
        at: Option<u64>,
        struck: impl FnOnce() + Send + 'a,
    ) -> Self {
        Self { inner, left: at, struck: Box::new(struck) }
    }
}

impl std::fmt::Debug for FullDisk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FullDisk").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Store for FullDisk<'_> {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        match self.left {
            Some(left) if !batch.is_empty() && left <= 1 => {
                self.left = None;
                std::mem::replace(&mut self.struck, Box::new(|| ()))();
                return Err(JournalError::DiskFull { place: self.inner.place().to_owned() });
            }
            Some(left) if !batch.is_empty() => self.left = Some(left - 1),
            Some(_) | None => {}
        }
        self.inner.append(batch)
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        self.inner.load()
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
        self.inner.acquire(holder, now, ttl, takeover)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.inner.renew(fence, now, ttl)
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        self.inner.release(fence)
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        self.inner.lease()
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        self.inner.check(fence, now)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.inner.post(posted)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        self.inner.posted()
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
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
    fn one_append_finds_no_room_and_leaves_nothing() {
        let records = JournalBuilder::started(&["a"]).records();
        let mut memory = MemoryStore::new();
        let ttl = Duration::from_secs(60);
        memory.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        let mut told = false;
        let mut full = FullDisk::new(&mut memory, Some(2), || told = true);
        full.append(&records[..1]).unwrap();
        full.append(&[]).unwrap();
        let error = full.append(&records[1..]).unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }));
        assert_eq!(full.head().unwrap().count, 1);
        assert_eq!(full.append(&records[1..]).unwrap().count, 2);
        drop(full);
        assert!(told);
    }
}
