//! A journal that a team shares, with a copy on this machine.
//!
//! The bucket is the truth. An append is durable there first; only then is it copied into the local file,
//! from which everything that only reads is fast. So the copy may be behind and is never ahead: losing it
//! loses nothing, and a copy that has more or other events is refused. Where the copy cannot be written (a
//! full disk) the run goes on and says so; where the bucket cannot be written the run stops.
//!
//! **Invariant:** what `append` acknowledged is in the bucket; lease, fence, inbox and notes are the
//! bucket's alone.

use crate::journal::beneath::beneath;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::segments::SegmentStore;
use crate::journal::sqlite::SqliteStore;
use crate::journal::store::{Head, Store, StoredRecord};

/// Note of a shared journal: a machine's copy could not be written any more, and why.
const COPY_LOST: &str = "local copy lost";

/// Note of a file: it is a copy of the journal at that place, which alone says who drives the run.
const COPY_OF: &str = "copy of";

/// Note of a copy: a person took the run over from the journal at that place, and goes on with the file.
const TAKEN_FROM: &str = "taken over from";

/// The shared journal that `store` is a copy of, unless a person went on with it since then.
///
/// # Errors
/// Its notes cannot be read.
pub fn copy_of(store: &dyn Store) -> Result<Option<String>, JournalError> {
    let notes = store.notes()?;
    let last = notes.into_iter().rev().find(|note| [COPY_OF, TAKEN_FROM].contains(&&*note.key));
    Ok(last.filter(|note| note.key == COPY_OF).map(|note| note.value))
}

/// Notes that a person goes on with a copy of the journal at `place`, without asking it.
///
/// # Errors
/// The copy cannot be written.
pub fn go_on_alone(store: &mut dyn Store, place: &str) -> Result<(), JournalError> {
    store.note(TAKEN_FROM, place)
}

/// A shared journal and its copy.
#[derive(Debug)]
pub struct SharedStore {
    shared: SegmentStore,
    copy: Option<SqliteStore>,
    /// Events in the copy.
    copied: u64,
}

impl SharedStore {
    /// Joins a shared journal and its copy, which is brought up to date.
    ///
    /// # Errors
    /// `Diverged` when the copy has more or other events; damage on either side; the bucket cannot be
    /// read. A copy that cannot be written is no error.
    pub fn open(shared: SegmentStore, copy: SqliteStore) -> Result<Self, JournalError> {
        let records = copy.load()?;
        Self::join(shared, copy, records)
    }

    /// The same where all `records` of the copy were just loaded.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn join(
        shared: SegmentStore,
        copy: SqliteStore,
        records: Vec<StoredRecord>,
    ) -> Result<Self, JournalError> {
        let copied = records.len() as u64;
        shared.go_on_from(records, copy.place())?;
        shared.load()?;
        let mut store = Self { shared, copy: Some(copy), copied };
        store.catch_up();
        store.mark();
        Ok(store)
    }

    /// Marks the copy as one, so that nobody drives the run from it as if it were the journal.
    fn mark(&mut self) {
        let Some(copy) = &mut self.copy else { return };
        let place = self.shared.place();
        let marked = match copy_of(&*copy) {
            Ok(Some(marked)) if marked == place => return,
            Ok(_) => copy.note(COPY_OF, place),
            Err(error) => Err(error),
        };
        if let Err(error) = marked {
            tracing::warn!(%error, "the local copy cannot be marked as one");
        }
    }

    /// Whether everything so far is in the copy.
    pub fn is_copied(&self) -> bool {
        self.copy.is_some()
    }

    /// Copies what the copy lacks.
    fn catch_up(&mut self) {
        let Some(copy) = &mut self.copy else { return };
        let records = self.shared.records_after(self.copied);
        match copy.mirror(&records) {
            Ok(head) => self.copied = head.count,
            Err(error) => {
                tracing::warn!(%error, "the local copy is not written any more; the shared journal is");
                let why = error.to_string();
                self.copy = None;
                drop(self.shared.note(COPY_LOST, &why));
            }
        }
    }
}

impl Store for SharedStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        let head = self.shared.append(batch)?;
        self.catch_up();
        Ok(head)
    }

    beneath!(shared: load salvage head acquire renew release lease check post posted note notes place);
}

#[cfg(test)]
mod tests;
