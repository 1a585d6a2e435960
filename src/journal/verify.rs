//! Checking a journal, and writing it out.
//!
//! **Invariant:** an export is the stored bytes, one event a line, byte for byte.

use crate::journal::chain;
use crate::journal::error::JournalError;
use crate::journal::store::{Damage, Head, Salvaged, Store, StoredRecord};
use std::io::Write;

/// Shortest part of a digest that may stand for it: what reports print in narrow places.
const SHORTEST_EXPECTED: usize = 12;

/// What a check of a journal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Events that are sound, from the first.
    pub sound: u64,
    /// The head as stored.
    pub head: Head,
    /// Events that this build does not know: position and type.
    pub unknown: Vec<(u64, String)>,
    /// The first bad event (`None` when it is the file) and why.
    pub bad: Option<(Option<u64>, String)>,
    /// How the journal compares with the head that was expected.
    pub expected: Expected,
}

impl VerifyReport {
    /// Whether the chain is whole and the expected head is in it.
    pub fn is_sound(&self) -> bool {
        self.bad.is_none()
            && match self.expected {
                Expected::NotAsked | Expected::Head | Expected::Earlier { .. } => true,
                Expected::Missing => false,
            }
    }
}

/// How a journal compares with the head that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No head was given.
    NotAsked,
    /// It is the head.
    Head,
    /// It was the head after this event; what follows was added since.
    Earlier {
        /// The event.
        seq: u64,
    },
    /// It was never the head of this journal.
    Missing,
}

/// Checks the chain of `store`, and whether the head `expect` (a digest, or its first twelve or
/// more hex digits) belongs to it.
///
/// # Errors
/// When the store cannot be read at all; damage is a finding, not an error.
pub fn verify(store: &dyn Store, expect: Option<&str>) -> Result<VerifyReport, JournalError> {
    let head = match store.head() {
        // What is sound is told, and that is all that is known then.
        Err(JournalError::Corrupt { .. }) => chain::genesis(),
        other => other?,
    };
    let Salvaged { records, damage } = store.salvage()?;
    Ok(VerifyReport {
        sound: records.len() as u64,
        unknown: unknown(&records),
        expected: match (expect, &damage) {
            (None, _) => Expected::NotAsked,
            (Some(text), None) => compare(&records, text),
            (Some(_), Some(_)) => Expected::Missing,
        },
        bad: damage.map(|Damage { seq, why }| (seq, why)),
        head,
    })
}

fn unknown(records: &[StoredRecord]) -> Vec<(u64, String)> {
    let unknown = records.iter().filter(|one| one.record.is_none());
    unknown.map(|one| (one.seq, one.kind.clone())).collect()
}

fn compare(records: &[StoredRecord], expect: &str) -> Expected {
    let wanted = expect.trim().strip_prefix("sha256:").unwrap_or(expect.trim());
    if wanted.len() < SHORTEST_EXPECTED {
        return Expected::Missing;
    }
    let matches =
        |one: &&StoredRecord| one.digest.as_str().trim_start_matches("sha256:").starts_with(wanted);
    match records.iter().rev().find(matches) {
        Some(found) if found.seq == records.len() as u64 => Expected::Head,
        Some(found) => Expected::Earlier { seq: found.seq },
        None => Expected::Missing,
    }
}

/// Writes one line an event: exactly the stored bytes.
///
/// # Errors
/// When the store is damaged or `out` cannot be written.
pub fn export_jsonl(store: &dyn Store, out: &mut dyn Write) -> Result<(), JournalError> {
    let failed = |source| JournalError::Io { place: "the export".to_owned(), source };
    for record in store.load()? {
        out.write_all(&record.bytes).map_err(failed)?;
        out.write_all(b"\n").map_err(failed)?;
    }
    out.flush().map_err(failed)
}
