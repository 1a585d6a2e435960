//! The inbox of a journal's file: a table of its own, beside the chain.
//!
//! **Invariant:** it holds wishes, so nothing in it is evidence and no damage to it is damage to the
//! journal. Journals without the table (version 0.1 made none) have an empty inbox.

use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use rusqlite::{Connection, params};

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS inbox (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command TEXT NOT NULL
    ) STRICT;
";

/// Adds a command, unless one of the same id is there.
pub(super) fn insert(
    connection: &Connection,
    place: &str,
    posted: &Posted,
) -> Result<(), JournalError> {
    let insert = "INSERT OR IGNORE INTO inbox (id, command) VALUES (?1, ?2)";
    connection
        .execute_batch(TABLE)
        .and_then(|()| connection.execute(insert, params![posted.id, posted.to_json()]))
        .map(|_| ())
        .map_err(|error| JournalError::of_sqlite(place, error))
}

/// All commands in the order in which they came.
pub(super) fn all(connection: &Connection, place: &str) -> Result<Vec<Posted>, JournalError> {
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'inbox'";
        if connection.prepare_cached(there)?.query_row([], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(Vec::new());
        }
        connection
            .prepare_cached("SELECT CAST(command AS BLOB) FROM inbox ORDER BY number")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let stored = read().map_err(|error| JournalError::of_sqlite(place, error))?;
    let parsed = stored.iter().filter_map(|bytes| match Posted::from_json(bytes) {
        Ok(posted) => Some(posted),
        Err(why) => {
            tracing::warn!(place, why, "a command in the inbox cannot be read and is left out");
            None
        }
    });
    Ok(parsed.collect())
}
