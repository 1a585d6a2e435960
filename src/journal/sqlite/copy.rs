//! Events as rows: those of a batch, and those of a copy of a journal that is kept elsewhere.
//!
//! **Invariant:** a copied event keeps its bytes and its digest, and follows on; head and events change in
//! one transaction.

use super::SqliteStore;
use super::rows::{read_head, to_sql};
use crate::journal::chain::{self, Row};
use crate::journal::error::JournalError;
use crate::journal::store::{Head, StoredRecord};
use rusqlite::{Connection, params};

/// Adds `records`, which follow on `head`, and moves the head.
pub(super) fn insert(
    connection: &Connection,
    place: &str,
    head: Head,
    records: &[StoredRecord],
) -> Result<Head, JournalError> {
    let failed = |error| JournalError::of_sqlite(place, error);
    let mut head = head;
    for one in records {
        let insert = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)";
        let digest = one.digest.as_str();
        connection
            .prepare_cached(insert)
            .and_then(|mut statement| {
                let seq = to_sql(one.seq);
                statement.execute(params![seq, one.kind, one.version, one.bytes, digest])
            })
            .map_err(failed)?;
        head = Head { count: one.seq, digest: one.digest.clone() };
    }
    connection
        .execute(
            "UPDATE head SET count = ?1, digest = ?2",
            params![to_sql(head.count), head.digest.as_str()],
        )
        .map_err(failed)?;
    Ok(head)
}

impl SqliteStore {
    /// Adds events of the journal that this file is a copy of, byte for byte; those that are here already,
    /// because another process of this machine copied them, are left out. It needs no lease: whoever drives
    /// the run holds one where the journal is kept.
    ///
    /// # Errors
    /// `Corrupt` when they do not follow on; and what writing meets.
    pub fn mirror(&mut self, records: &[StoredRecord]) -> Result<Head, JournalError> {
        self.transact(|connection, place| {
            let head = read_head(connection, place)?;
            let known = records.iter().take_while(|one| one.seq <= head.count).count();
            let records = &records[known..];
            let mut at = head.clone();
            for one in records {
                let StoredRecord { seq, kind, version, bytes, digest, .. } = one.clone();
                let row = Row { seq, kind, version, bytes, digest };
                let seq = Some(at.count + 1);
                let place = place.to_owned();
                chain::accept(&at, row).map_err(|why| JournalError::Corrupt { place, seq, why })?;
                at = Head { count: one.seq, digest: one.digest.clone() };
            }
            insert(connection, place, head, records)
        })
    }
}
