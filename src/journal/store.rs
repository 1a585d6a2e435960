//! What a journal's store does, whatever it is kept in.
//!
//! **Invariant:** a batch is written whole or not at all, and only under the lease that is valid.

use crate::base::digest::Digest;
use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A store of one run's journal.
pub trait Store: Send {
    /// Writes `batch` in one transaction and makes it durable before returning.
    ///
    /// # Errors
    /// `OutOfSequence` when the numbers do not continue the head exactly, `Fenced` when a record's
    /// fence is not the valid lease's, `DiskFull`, `ReadOnly` and others; nothing is written then.
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError>;

    /// Reads everything, checking the chain on the way.
    ///
    /// # Errors
    /// `Corrupt` with the first bad event.
    fn load(&self) -> Result<Vec<StoredRecord>, JournalError>;

    /// Reads as far as the chain is sound, and says what is wrong with the rest: for people who have to
    /// work with a damaged journal. Nobody goes on writing after it.
    ///
    /// # Errors
    /// When nothing of it can be read.
    fn salvage(&self) -> Result<Salvaged, JournalError> {
        match self.load() {
            Ok(records) => Ok(Salvaged { records, damage: None }),
            Err(JournalError::Corrupt { seq, why, .. }) => {
                Ok(Salvaged { records: Vec::new(), damage: Some(Damage { seq, why }) })
            }
            Err(other) => Err(other),
        }
    }

    /// How many events there are, and the digest of the chain.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn head(&self) -> Result<Head, JournalError>;

    /// Takes the run's lease until `now + ttl`, with a number higher than any before.
    ///
    /// # Errors
    /// `Held` when somebody else's lease has not expired and `takeover` does not force it.
    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError>;

    /// Extends the lease until `now + ttl`.
    ///
    /// # Errors
    /// `Fenced` when another process has the lease.
    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError>;

    /// Gives the lease back.
    ///
    /// # Errors
    /// `Fenced` when another process has it.
    fn release(&mut self, fence: Fence) -> Result<(), JournalError>;

    /// Who holds the lease, if anybody does; it may have expired.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn lease(&self) -> Result<Option<Lease>, JournalError>;

    /// Checks that `fence` is the valid lease's and that the lease has not ended at `now`: asked directly
    /// before each mutation.
    ///
    /// # Errors
    /// `Fenced` when another process has the lease or nobody has, `Expired` when it has ended.
    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError>;

    /// Puts a command into the run's inbox and makes it durable before returning. It needs no lease and
    /// works while another process writes. A second command of the same id changes nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn post(&mut self, posted: &Posted) -> Result<(), JournalError>;

    /// All commands that were ever posted, oldest first; [`crate::journal::fold::RunState::commands`]
    /// knows which were used. What cannot be read as one is left out with a warning: nobody may stop a
    /// run by posting nonsense.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn posted(&self) -> Result<Vec<Posted>, JournalError>;

    /// Keeps a fact that is not part of the hashed content: host, process id.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError>;

    /// All notes, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn notes(&self) -> Result<Vec<Note>, JournalError>;

    /// What people know this store by, for messages: its path.
    fn place(&self) -> &str;
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// Position, from 1.
    pub seq: u64,
    /// The event's type as written: `step_started`.
    pub kind: String,
    /// Version of its format.
    pub version: u32,
    /// The stored JSON. The chain is over exactly these bytes.
    pub bytes: Vec<u8>,
    /// Digest over the previous digest's text and [`Self::bytes`].
    pub digest: Digest,
    /// The event; `None` when this build does not know its type or version.
    pub record: Option<Record>,
}

/// A journal as far as it is sound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Salvaged {
    /// The sound events, from the first.
    pub records: Vec<StoredRecord>,
    /// What is wrong with the rest; `None` when the journal is whole.
    pub damage: Option<Damage>,
}

impl Salvaged {
    /// All events, if nothing is wrong with the journal at `place`.
    ///
    /// # Errors
    /// `Corrupt`, with the first bad event.
    pub fn whole(self, place: &str) -> Result<Vec<StoredRecord>, JournalError> {
        match self.damage {
            None => Ok(self.records),
            Some(Damage { seq, why }) => {
                Err(JournalError::Corrupt { place: place.to_owned(), seq, why })
            }
        }
    }
}

/// What is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The first bad event; `None` when it is the file.
    pub seq: Option<u64>,
    /// What is wrong, with the type that the event was stored as, where there is one.
    pub why: String,
}

/// End of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many events there are.
    pub count: u64,
    /// Digest of the last one, or of nothing.
    pub digest: Digest,
}

/// A lease's number. Every new lease has a higher one, so that late writers are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(u64);

impl Fence {
    /// The fence with this number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number, as records carry it.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a lease of somebody else may be taken before it expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Only when it has expired.
    IfExpired,
    /// Also when it was held under its name by a process of this very state directory: that one died.
    Died,
    /// Always: a person says that the other process is gone.
    Force,
}

/// Who holds a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who, for people: host and process id.
    pub holder: String,
    /// Its number.
    pub fence: Fence,
    /// When it ends unless renewed.
    pub expires_at: DateTime<Utc>,
    /// When it was taken or renewed last.
    pub renewed_at: DateTime<Utc>,
}

/// A fact outside the hashed content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How many events there were when it was noted.
    pub seq: u64,
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}
