//! Writing a journal in a bucket: the next segment, where nothing is.
//!
//! **Invariant:** what is acknowledged is there; the loser of a race writes nothing and learns who won.

use crate::journal::chain::{self, Claim};
use crate::journal::error::JournalError;
use crate::journal::objects::{Object, ObjectError};
use crate::journal::segments::file::{self, Header, Segment};
use crate::journal::segments::{Known, SegmentStore, TRIES};
use crate::journal::store::{Head, Lease, Store as _, StoredRecord};

/// Most events of one segment when a journal is brought from elsewhere.
const IMPORTED: usize = 500;

/// Why a segment was not put.
pub(super) enum Put {
    /// Another object is there.
    Lost(String, Object),
    Failed(JournalError),
}

impl Known {
    /// Adds a segment that was just written, or read and checked.
    pub(super) fn add(&mut self, number: u64, key: String, fence: u64, records: Vec<StoredRecord>) {
        if let Some(end) = records.last() {
            self.head = Head { count: end.seq, digest: end.digest.clone() };
        }
        self.records.extend(records);
        (self.number, self.key, self.fence) = (number, key, fence);
    }
}

impl SegmentStore {
    /// Puts the next segment; the error is what stands in its place.
    pub(super) fn put(
        &self,
        known: &mut Known,
        lease: &Lease,
        records: Vec<StoredRecord>,
    ) -> Result<(), Put> {
        let (number, first) = (known.number + 1, known.head.count + 1);
        let fence = lease.fence.number();
        let header = Header::new(&known.head, fence, &lease.holder, &records);
        let key = format!("{}{}", self.segments(), file::name(number, first));
        let bytes = file::write(&header, &records);
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.objects.put_if_absent(&key, &bytes) {
                Ok(_) => {
                    known.add(number, key, fence, records);
                    return Ok(());
                }
                Err(error @ ObjectError::Failed(..)) => {
                    return Err(Put::Failed(self.failed(error)));
                }
                Err(ObjectError::Taken) => last = "the name is taken and empty".to_owned(),
                Err(ObjectError::Unclear(why)) => last = why,
            }
            // Ours, if an answer was lost; else the winner's.
            match self.objects.get(&key) {
                Ok(Some(object)) if object.bytes == bytes => {
                    known.add(number, key, fence, records);
                    return Ok(());
                }
                Ok(Some(object)) => return Err(Put::Lost(key, object)),
                Ok(None) => {}
                Err(error) => return Err(Put::Failed(self.failed(error))),
            }
        }
        Err(Put::Failed(self.failed(ObjectError::Unclear(last))))
    }

    /// Why somebody else's segment stands where ours was to go.
    pub(super) fn lost(&self, key: &str, object: Object, ours: u64) -> JournalError {
        match self.decode(key, Some(object)) {
            Ok(Segment { header, .. }) if header.fence > ours => JournalError::Fenced {
                place: self.place.clone(),
                ours,
                current: format!("{}, of {}", header.fence, header.holder),
            },
            Ok(Segment { header, .. }) => JournalError::OutOfSequence {
                place: self.place.clone(),
                expected: header.first + header.digests.len() as u64,
                found: header.first,
            },
            Err(error) => error,
        }
    }

    /// Takes the lease with a number above `floor`, and puts an empty segment under it: after that the
    /// old holder writes nothing more.
    pub(super) fn take_lease(
        &self,
        known: &mut Known,
        claim: Claim<'_>,
        floor: u64,
    ) -> Result<Lease, JournalError> {
        self.catch_up(known)?;
        // The lease's object may have been removed, and the journal says what numbers there were.
        let floor = floor.max(known.fence).max(chain::fence_of(known.records.last()));
        let lease = self.lease_at().acquire(claim, (&self.station, floor), &known.head)?;
        let fence = lease.fence.number();
        loop {
            match self.put(known, &lease, Vec::new()) {
                Ok(()) => return Ok(lease),
                Err(Put::Failed(error)) => return Err(error),
                Err(Put::Lost(key, object)) => {
                    let there = self.decode(&key, Some(object.clone()))?.header.fence;
                    if there >= fence {
                        return Err(self.lost(&key, object, fence));
                    }
                    // The old holder's last words; ours come after them.
                    self.catch_up(known)?;
                    if known.fence >= fence {
                        let (place, current) = (self.place.clone(), known.fence.to_string());
                        return Err(JournalError::Fenced { place, ours: fence, current });
                    }
                }
            }
        }
    }

    /// Brings `records`, a whole journal whose chain was verified, and keeps their bytes; what is here
    /// already is not written again. Ends with the lease given back.
    ///
    /// # Errors
    /// `Diverged` when other events are here; `Held` when somebody works on the run; and what writing
    /// meets. Brought again, it goes on where it stopped.
    pub fn bring(
        &mut self,
        records: &[StoredRecord],
        (claim, copy): (Claim<'_>, &str),
    ) -> Result<Head, JournalError> {
        let here = self.load()?;
        let common = here.len().min(records.len());
        let differs =
            here.iter().zip(records).position(|(here, there)| here.digest != there.digest);
        if let Some(at) = differs {
            return Err(self.diverged(copy, at as u64 + 1, "it is another one there"));
        }
        if common == records.len() {
            return self.head();
        }
        let fences = records.iter().filter_map(|one| one.record.as_ref()).map(|one| one.fence);
        let mut known = self.known();
        let lease = self.take_lease(&mut known, claim, fences.max().unwrap_or_default())?;
        for part in records[common..].chunks(IMPORTED) {
            match self.put(&mut known, &lease, part.to_vec()) {
                Ok(()) => {}
                Err(Put::Failed(error)) => return Err(error),
                Err(Put::Lost(key, object)) => {
                    return Err(self.lost(&key, object, lease.fence.number()));
                }
            }
        }
        drop(known);
        self.release(lease.fence)?;
        self.head()
    }
}
