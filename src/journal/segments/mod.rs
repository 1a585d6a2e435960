//! A journal in a bucket that a team shares: one object a turn, each created and never changed.
//!
//! Under `runs/<run>/`: `segments/` in one sequence, `lease.json`, `inbox/`, `notes/`. A segment's place
//! in the sequence is its name, and it is written only where nothing is: of two writers the second one
//! finds the name taken, reads whose it is, and stops. Whoever takes the lease first puts an empty segment
//! under the new fence: after it nothing of the old holder can follow.
//!
//! **Invariant:** what was acknowledged is in the bucket; an answer that was lost is settled by reading
//! the object back and comparing its bytes.

#[cfg(test)]
pub(crate) mod fake;
mod file;
mod inbox;
mod lease;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::journal::chain::{self, Claim};
use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::objects::{ObjectError, Objects};
use crate::journal::store::{
    Damage, Fence, Head, Lease, Note, Salvaged, Store, StoredRecord, Takeover,
};
use chrono::{DateTime, Utc};
use lease::{LeaseAt, newer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use write::Put;

/// How often a write whose end is not known is looked at and tried again. The port has waited between its
/// own tries already.
const TRIES: usize = 5;

/// Directory of all runs below the prefix.
const RUNS: &str = "runs/";

/// A journal in a bucket.
#[derive(Debug)]
pub struct SegmentStore {
    objects: Arc<dyn Objects>,
    /// `runs/<run>/`.
    root: String,
    place: String,
    /// Names this machine's state directory in leases.
    station: String,
    known: Mutex<Known>,
    inbox: inbox::Inbox,
}

/// What was read so far.
#[derive(Debug, Clone)]
struct Known {
    /// Place of the last segment; 0 before the first.
    number: u64,
    /// Its key; empty before the first.
    key: String,
    /// The highest fence of a segment.
    fence: u64,
    head: Head,
    records: Vec<StoredRecord>,
    /// The lease that this store took, as it was then.
    ours: Option<Lease>,
}

impl SegmentStore {
    /// The journal of `run` in `objects`, which may be empty; `station` names this machine's state
    /// directory. Nothing is asked yet.
    pub fn new(objects: Arc<dyn Objects>, run: &str, station: &str) -> Self {
        let root = format!("{RUNS}{run}/");
        let place = format!("{}/{}", objects.place(), root.trim_end_matches('/'));
        let known = Known {
            number: 0,
            key: String::new(),
            fence: 0,
            head: chain::genesis(),
            records: Vec::new(),
            ours: None,
        };
        let (known, inbox) = (Mutex::new(known), inbox::Inbox::default());
        Self { objects, root, place, station: station.to_owned(), known, inbox }
    }

    /// Whether anybody ever took the run's lease.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lease_was_taken(&self) -> Result<bool, JournalError> {
        Ok(self.lease_at().read()?.is_some())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: ObjectError) -> JournalError {
        JournalError::of_objects(&self.place, error)
    }

    fn corrupt(&self, seq: Option<u64>, why: String) -> JournalError {
        JournalError::Corrupt { place: self.place.clone(), seq, why }
    }

    fn lease_at(&self) -> LeaseAt<'_> {
        LeaseAt {
            objects: &*self.objects,
            key: format!("{}lease.json", self.root),
            place: &self.place,
        }
    }

    fn segments(&self) -> String {
        format!("{}segments/", self.root)
    }
}

impl Store for SegmentStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        let mut known = self.known();
        if known.ours.is_none() {
            // Another handle took the lease: what it wrote is to be known first.
            self.catch_up(&mut known)?;
            known.ours = self.lease()?;
        }
        let ours = known.ours.clone();
        let records = chain::extend(&self.place, &known.head, ours.as_ref(), batch)?;
        let (Some(lease), false) = (ours, records.is_empty()) else {
            return Ok(known.head.clone());
        };
        match self.put(&mut known, &lease, records) {
            Ok(()) => Ok(known.head.clone()),
            Err(Put::Failed(error)) => Err(error),
            Err(Put::Lost(key, object)) => {
                known.ours = None;
                Err(self.lost(&key, object, lease.fence.number()))
            }
        }
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        let mut known = self.known();
        self.catch_up(&mut known)?;
        // Nobody could tell that the last segments are gone, but for the lease, which counts them.
        if let Some((file, _)) = self.lease_at().read()?
            && file.head.count > known.head.count
        {
            let why = format!("{} events were written and the rest is missing", file.head.count);
            return Err(self.corrupt(Some(known.head.count + 1), why));
        }
        Ok(known.records.clone())
    }

    fn salvage(&self) -> Result<Salvaged, JournalError> {
        match self.load() {
            Err(JournalError::Corrupt { seq, why, .. }) => {
                // What stands in the segments before the damaged one.
                let (records, damage) = (self.records_after(0), Some(Damage { seq, why }));
                Ok(Salvaged { records, damage })
            }
            other => Ok(Salvaged { records: other?, damage: None }),
        }
    }

    fn head(&self) -> Result<Head, JournalError> {
        let mut known = self.known();
        if known.ours.is_none() {
            self.catch_up(&mut known)?;
        }
        Ok(known.head.clone())
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        let mut known = self.known();
        let claim = Claim { holder, now, ttl, takeover };
        let lease = self.take_lease(&mut known, claim, 0)?;
        let fence = lease.fence;
        known.ours = Some(lease);
        Ok(fence)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        let mut known = self.known();
        let file = self.lease_at().renew(fence, (now, ttl), &known.head)?;
        known.ours = file.lease();
        Ok(())
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        let mut known = self.known();
        self.lease_at().change(fence, |file| {
            file.holder = None;
            file.head = newer(Some(&file.head), &known.head);
        })?;
        known.ours = None;
        Ok(())
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        Ok(self.lease_at().read()?.and_then(|(file, _)| file.lease()))
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        chain::check_lease(&self.place, self.lease()?.as_ref(), fence, now)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        let key = format!("{}inbox/{}.json", self.root, posted.id);
        let bytes = posted.to_json().into_bytes();
        inbox::put_once(&*self.objects, &key, &bytes).map_err(|error| self.failed(error))
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        let directory = format!("{}inbox/", self.root);
        self.inbox.read(&*self.objects, &directory).map_err(|error| self.failed(error))
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        let seq = self.head()?.count;
        let note = Note { seq, key: key.to_owned(), value: value.to_owned() };
        let directory = format!("{}notes/", self.root);
        inbox::add_note(&*self.objects, &directory, &note).map_err(|error| self.failed(error))
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        let directory = format!("{}notes/", self.root);
        inbox::notes(&*self.objects, &directory).map_err(|error| self.failed(error))
    }

    fn place(&self) -> &str {
        &self.place
    }
}
