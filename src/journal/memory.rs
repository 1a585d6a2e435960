//! A journal in memory: for rehearsals and tests. A clone is a fork with a life of its own.
//!
//! **Invariant:** the same rules as on disk; only durability is missing.

use crate::base::clock::to_delta;
use crate::journal::chain;
use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::store::{Fence, Head, Lease, Note, Store, StoredRecord, Takeover};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// What messages call it.
const PLACE: &str = "the journal in memory";

/// What goes wrong with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No room.
    DiskFull,
    /// The file system became read-only.
    ReadOnly,
    /// The operating system reports an error.
    Io,
}

impl Fault {
    /// The failure of a write to `place`.
    pub fn error(self, place: &str) -> JournalError {
        let place = place.to_owned();
        match self {
            Self::DiskFull => JournalError::DiskFull { place },
            Self::ReadOnly => JournalError::ReadOnly { place },
            Self::Io => {
                JournalError::Io { place, source: std::io::Error::other("injected by a test") }
            }
        }
    }
}

/// A journal in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: Vec<StoredRecord>,
    lease: Option<Lease>,
    last_fence: u64,
    notes: Vec<Note>,
    inbox: Vec<Posted>,
    appends: u64,
    faults: BTreeMap<u64, Fault>,
}

impl MemoryStore {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the `number`th call of append from now on (from 1) fail with `fault`.
    pub fn fail_append(&mut self, number: u64, fault: Fault) {
        self.faults.insert(self.appends + number, fault);
    }

    /// A fork that holds the first `count` events only and no lease: what a process that died there
    /// leaves behind.
    #[must_use]
    pub fn cut(&self, count: u64) -> Self {
        let mut fork = self.clone();
        fork.records.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        fork.lease = None;
        fork.faults.clear();
        fork
    }

    /// How often append was called.
    pub fn appends(&self) -> u64 {
        self.appends
    }

    fn fault(&self) -> Option<JournalError> {
        self.faults.get(&self.appends).map(|fault| fault.error(PLACE))
    }
}

impl Store for MemoryStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        self.appends += 1;
        if let Some(error) = self.fault() {
            return Err(error);
        }
        let stored = chain::extend(PLACE, &self.head()?, self.lease.as_ref(), batch)?;
        self.records.extend(stored);
        self.head()
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        Ok(self.records.clone())
    }

    fn head(&self) -> Result<Head, JournalError> {
        Ok(self.records.last().map_or_else(chain::genesis, |last| Head {
            count: last.seq,
            digest: last.digest.clone(),
        }))
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        let claim = chain::Claim { holder, now, ttl, takeover };
        let last = self.last_fence.max(chain::fence_of(self.records.last()));
        let lease = chain::grant(PLACE, self.lease.as_ref(), last, claim)?;
        let fence = lease.fence;
        self.last_fence = fence.number();
        self.lease = Some(lease);
        Ok(fence)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        chain::check_fence(PLACE, self.lease.as_ref(), fence)?;
        if let Some(lease) = &mut self.lease {
            lease.expires_at = now + to_delta(ttl);
            lease.renewed_at = now;
        }
        Ok(())
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        chain::check_fence(PLACE, self.lease.as_ref(), fence)?;
        self.lease = None;
        Ok(())
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        Ok(self.lease.clone())
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        chain::check_lease(PLACE, self.lease.as_ref(), fence, now)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        if self.inbox.iter().all(|known| known.id != posted.id) {
            self.inbox.push(posted.clone());
        }
        Ok(())
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        Ok(self.inbox.clone())
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        let seq = self.head()?.count;
        self.notes.push(Note { seq, key: key.to_owned(), value: value.to_owned() });
        Ok(())
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        Ok(self.notes.clone())
    }

    fn place(&self) -> &str {
        PLACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::journal::contract;
    use crate::journal::testing::JournalBuilder;
    use serde_json::json;

    fn store() -> MemoryStore {
        let mut store = MemoryStore::new();
        let ttl = Duration::from_secs(60);
        store.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        store
    }

    #[test]
    fn the_chain_is_the_one_on_disk() {
        let journal = JournalBuilder::started(&["a"]).ran(1, 2, "a", json!({}));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let mut disk = crate::journal::sqlite::SqliteStore::create(&path).unwrap();
        let ttl = Duration::from_secs(60);
        disk.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        let mut memory = store();
        let head = memory.append(&journal.records()).unwrap();
        assert_eq!(head, disk.append(&journal.records()).unwrap());
        assert_eq!(memory.load().unwrap(), disk.load().unwrap());
    }

    #[test]
    fn a_fault_hits_one_append_and_leaves_nothing() {
        let records = JournalBuilder::started(&["a"]).records();
        let mut store = store();
        store.fail_append(2, Fault::DiskFull);
        store.append(&records[..1]).unwrap();
        let before = store.head().unwrap();
        let error = store.append(&records[1..]).unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }));
        assert_eq!(store.head().unwrap(), before);
        assert_eq!(store.append(&records[1..]).unwrap().count, 2);
        assert_eq!(store.appends(), 3);
    }

    #[test]
    fn a_clone_is_a_fork_and_a_cut_is_a_shorter_past() {
        let records = JournalBuilder::started(&["a"]).start(1, "a").records();
        let mut first = store();
        first.append(&records[..2]).unwrap();
        let second = first.clone();
        first.append(&records[2..]).unwrap();
        assert_eq!((first.head().unwrap().count, second.head().unwrap().count), (3, 2));
        let mut cut = first.cut(1);
        assert_eq!((cut.head().unwrap().count, cut.lease().unwrap()), (1, None));
        let ttl = Duration::from_secs(60);
        let fence = cut.acquire("b", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        assert_eq!(fence.number(), 2);
    }

    #[test]
    fn it_keeps_the_contract_of_stores() {
        contract::inbox(&mut MemoryStore::new());
        contract::lease_check(&mut MemoryStore::new());
    }

    #[test]
    fn the_same_rules_as_on_disk() {
        let mut records = JournalBuilder::started(&["a"]).records();
        let mut store = store();
        let error = store.append(&records[1..]).unwrap_err();
        assert!(matches!(error, JournalError::OutOfSequence { expected: 1, found: 2, .. }));
        records[1].fence = 9;
        assert!(matches!(store.append(&records), Err(JournalError::Fenced { ours: 9, .. })));
        assert_eq!(store.head().unwrap(), chain::genesis());
        let ttl = Duration::from_secs(60);
        let held = store.acquire("b", simulated_epoch(), ttl, Takeover::IfExpired).unwrap_err();
        assert!(held.is_lease());
    }

    #[test]
    fn a_new_fence_is_above_that_of_the_last_event() {
        let mut store = store();
        store.append(&JournalBuilder::started(&["a"]).records()).unwrap();
        (store.last_fence, store.lease) = (0, None);
        let ttl = Duration::from_secs(60);
        let fence = store.acquire("b", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        assert_eq!(fence.number(), 2);
    }
}
