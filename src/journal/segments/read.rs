//! Reading a journal in a bucket: which segments there are, and whether each follows on.
//!
//! **Invariant:** a segment is taken only after all before it, and only if chain, place and fence fit.

use crate::journal::chain;
use crate::journal::error::JournalError;
use crate::journal::objects::{Object, Objects};
use crate::journal::segments::file::{self, Segment};
use crate::journal::segments::{Known, RUNS, SegmentStore};
use crate::journal::store::{Head, StoredRecord};

impl SegmentStore {
    /// The runs that have a journal in `objects`.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn runs(objects: &dyn Objects) -> Result<Vec<String>, JournalError> {
        let listed = objects.directories(RUNS);
        listed.map_err(|error| JournalError::of_objects(objects.place(), error))
    }

    /// Goes on from `records`, a copy whose chain was verified: segments that end before its end are not
    /// read again. The first one that is read proves that the copy is of this journal.
    ///
    /// # Errors
    /// `Diverged` when the copy has other events, or more than the bucket; and what reading meets.
    pub fn go_on_from(&self, records: Vec<StoredRecord>, copy: &str) -> Result<(), JournalError> {
        let Some(last) = records.last() else { return Ok(()) };
        let head = Head { count: last.seq, digest: last.digest.clone() };
        let names = self.names("")?;
        // The last segment that begins at or before the copy's last event.
        let base = names.into_iter().rev().find(|(_, _, first)| *first <= head.count);
        let Some((key, number, first)) = base else {
            return Err(self.diverged(copy, head.count, "the shared journal has no events"));
        };
        let segment = self.segment(&key)?;
        let at = usize::try_from(head.count - first).unwrap_or(usize::MAX);
        match segment.header.digests.get(at) {
            None => {
                let why = "the shared journal ends before it";
                return Err(self.diverged(copy, first + segment.rows.len() as u64, why));
            }
            Some(digest) if *digest != head.digest => {
                return Err(self.diverged(copy, head.count, "it is another one there"));
            }
            Some(_) => {}
        }
        let mut known = self.known();
        let before = usize::try_from(first - 1).unwrap_or(usize::MAX);
        known.records = records.get(..before).unwrap_or_default().to_vec();
        known.head = Head { count: first - 1, digest: segment.header.previous.clone() };
        let linked =
            known.records.last().map_or_else(|| chain::genesis().digest, |one| one.digest.clone());
        if linked != segment.header.previous {
            return Err(self.diverged(copy, first - 1, "it is another one there"));
        }
        known.number = number - 1;
        self.take(&mut known, &key, number, segment)
    }

    pub(super) fn diverged(&self, copy: &str, seq: u64, why: &str) -> JournalError {
        let (place, copy) = (self.place.clone(), copy.to_owned());
        JournalError::Diverged { place, copy, seq, why: why.to_owned() }
    }

    /// Segments after the key `after`: key, place, first event.
    pub(super) fn names(&self, after: &str) -> Result<Vec<(String, u64, u64)>, JournalError> {
        let directory = self.segments();
        let listed = self.objects.list_after(&directory, after);
        let keys = listed.map_err(|error| self.failed(error))?;
        let read = |key: String| match key.strip_prefix(&directory).and_then(file::read_name) {
            Some((number, first)) => Ok((key, number, first)),
            None => {
                let why = format!("{key} is not drctl's; nothing else may be below {directory}");
                Err(JournalError::Foreign { place: self.place.clone(), why })
            }
        };
        keys.into_iter().map(read).collect()
    }

    pub(super) fn segment(&self, key: &str) -> Result<Segment, JournalError> {
        let found = self.objects.get(key).map_err(|error| self.failed(error))?;
        self.decode(key, found)
    }

    pub(super) fn decode(&self, key: &str, found: Option<Object>) -> Result<Segment, JournalError> {
        let Some(object) = found else {
            return Err(self.corrupt(None, format!("{key} was listed and is gone")));
        };
        file::read(&object.bytes)
            .map_err(|(seq, why)| self.corrupt(seq, format!("{why} (in {key})")))
    }

    /// Reads what was written since the last look.
    pub(super) fn catch_up(&self, known: &mut Known) -> Result<(), JournalError> {
        let names = self.names(&known.key)?;
        let keys: Vec<String> = names.iter().map(|(key, ..)| key.clone()).collect();
        let found = self.objects.get_all(&keys).map_err(|error| self.failed(error))?;
        for ((key, number, _), object) in names.into_iter().zip(found) {
            let segment = self.decode(&key, object)?;
            self.take(known, &key, number, segment)?;
        }
        Ok(())
    }

    /// Adds the next segment, if it is the next one.
    fn take(
        &self,
        known: &mut Known,
        key: &str,
        number: u64,
        segment: Segment,
    ) -> Result<(), JournalError> {
        let next = known.head.count + 1;
        let Segment { header, rows } = segment;
        if number != known.number + 1 {
            let why = format!("segment {} is missing, {number} comes instead", known.number + 1);
            return Err(self.corrupt(Some(next), why));
        }
        let named = file::read_name(key.rsplit('/').next().unwrap_or(key));
        if named != Some((number, next)) || header.first != next {
            let why = format!("{key} holds events from {} on", header.first);
            return Err(self.corrupt(Some(next), why));
        }
        if header.previous != known.head.digest {
            let why = format!("{key} follows on other events than those before it");
            return Err(self.corrupt(Some(next), why));
        }
        if header.fence < known.fence {
            let why = format!(
                "{key} was written under lease {}, after lease {}",
                header.fence, known.fence
            );
            return Err(self.corrupt(Some(next), why));
        }
        // All of it or nothing: another look finds the same.
        let (mut head, mut records) = (known.head.clone(), Vec::with_capacity(rows.len()));
        for row in rows {
            let seq = head.count + 1;
            let record = chain::accept(&head, row)
                .map_err(|why| self.corrupt(Some(seq), format!("{why} (in {key})")))?;
            head = Head { count: record.seq, digest: record.digest.clone() };
            records.push(record);
        }
        known.add(number, key.to_owned(), header.fence, records);
        Ok(())
    }

    /// Events after the first `count`, as far as they were read or written here.
    pub fn records_after(&self, count: u64) -> Vec<StoredRecord> {
        let from = usize::try_from(count).unwrap_or(usize::MAX);
        self.known().records.get(from..).unwrap_or_default().to_vec()
    }
}
