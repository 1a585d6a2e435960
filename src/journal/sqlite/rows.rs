//! Head and lease as rows of a journal's file.
//!
//! **Invariant:** a number that cannot be right matches nothing and is found as damage.

use crate::base::digest::Digest;
use crate::journal::chain::{self, Row};
use crate::journal::error::JournalError;
use crate::journal::store::{Damage, Fence, Head, Lease, Salvaged};
use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn read_head(connection: &Connection, place: &str) -> Result<Head, JournalError> {
    connection
        .query_row("SELECT count, digest FROM head", [], |row| {
            Ok(Head {
                count: from_sql(row.get(0)?),
                digest: Digest::from(row.get::<_, String>(1)?),
            })
        })
        .optional()
        .map_err(|error| JournalError::of_sqlite(place, error))?
        .ok_or_else(|| JournalError::Corrupt {
            place: place.to_owned(),
            seq: None,
            why: "its head is missing".to_owned(),
        })
}

/// Reads the chain as far as it is sound. What SQLite itself finds damaged ends it like a bad event.
pub(super) fn read_sound(connection: &Connection, place: &str) -> Result<Salvaged, JournalError> {
    let failed = |error| JournalError::of_sqlite(place, error);
    let (head, missing) = match read_head(connection, place) {
        Ok(head) => (Some(head), None),
        Err(JournalError::Corrupt { seq, why, .. }) => (None, Some(Damage { seq, why })),
        Err(other) => return Err(other),
    };
    let statement = connection
        .prepare("SELECT seq, type, version, bytes, digest FROM events ORDER BY seq")
        .map_err(failed);
    let mut statement = match statement {
        Ok(statement) => statement,
        Err(JournalError::Corrupt { seq, why, .. }) => {
            return Ok(Salvaged { records: Vec::new(), damage: Some(Damage { seq, why }) });
        }
        Err(other) => return Err(other),
    };
    let rows = statement.query_map([], |row| {
        Ok(Row {
            seq: from_sql(row.get(0)?),
            kind: row.get(1)?,
            version: row.get(2)?,
            bytes: row.get(3)?,
            digest: Digest::from(row.get::<_, String>(4)?),
        })
    });
    // A failure that is no damage, such as a disk that does not answer, is not reported as damage.
    let mut other = None;
    let rows = rows.map_err(failed)?.map_while(|row| match row.map_err(failed) {
        Ok(row) => Some(Ok(row)),
        Err(JournalError::Corrupt { why, .. }) => Some(Err(why)),
        Err(error) => {
            other = Some(error);
            None
        }
    });
    let salvaged = chain::accept_sound(rows, head.as_ref());
    match (other, missing) {
        (Some(error), _) => Err(error),
        (None, None) => Ok(salvaged),
        (None, damage) => Ok(Salvaged { damage, ..salvaged }),
    }
}

pub(super) fn read_lease(
    connection: &Connection,
    place: &str,
) -> Result<Option<Lease>, JournalError> {
    let query = "SELECT holder, fence, expires_at_ms, renewed_at_ms FROM lease";
    connection
        .query_row(query, [], |row| {
            Ok(Lease {
                holder: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                fence: Fence::new(from_sql(row.get(1)?)),
                expires_at: instant(row.get(2)?),
                renewed_at: instant(row.get(3)?),
            })
        })
        .optional()
        .map_err(|error| JournalError::of_sqlite(place, error))
}

/// The number of the lease that the last event was written under, 0 where there is none.
pub(super) fn last_written(connection: &Connection, place: &str) -> Result<u64, JournalError> {
    let query = "SELECT CAST(bytes AS BLOB) FROM events ORDER BY seq DESC LIMIT 1";
    let bytes = connection
        .query_row(query, [], |row| row.get::<_, Vec<u8>>(0))
        .optional()
        .map_err(|error| JournalError::of_sqlite(place, error))?;
    Ok(bytes.map_or(0, |bytes| chain::fence_in(&bytes)))
}

pub(super) fn held(
    connection: &Connection,
    place: &str,
    fence: Fence,
) -> Result<Lease, JournalError> {
    let lease = read_lease(connection, place)?.filter(|lease| !lease.holder.is_empty());
    chain::check_fence(place, lease.as_ref(), fence)?;
    Ok(lease.expect("a fence was just found valid"))
}

pub(super) fn write_lease(
    connection: &Connection,
    place: &str,
    lease: &Lease,
) -> Result<(), JournalError> {
    let holder = (!lease.holder.is_empty()).then_some(lease.holder.as_str());
    let (expires, renewed) =
        (lease.expires_at.timestamp_millis(), lease.renewed_at.timestamp_millis());
    connection
        .execute(
            "INSERT OR REPLACE INTO lease VALUES (1, ?1, ?2, ?3, ?4)",
            params![to_sql(lease.fence.number()), holder, expires, renewed],
        )
        .map(|_| ())
        .map_err(|error| JournalError::of_sqlite(place, error))
}

/// Counts in a journal stay far below 2^63; a larger one is damage and will not match anything.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn instant(millis: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(millis).single().unwrap_or_default()
}
