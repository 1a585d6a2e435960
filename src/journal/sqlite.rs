//! A journal in an SQLite file: write-ahead log, `synchronous=FULL`, one transaction a batch.
//!
//! **Invariant:** rows are only added; head and events change in one transaction. SQLite's own lock is
//! held for the length of a transaction only; who may write between them is the lease's business.

use crate::base::clock::to_delta;
use crate::journal::chain;
use crate::journal::command::Posted;
use crate::journal::error::JournalError;
use crate::journal::event::Record;
use crate::journal::store::{Fence, Head, Lease, Note, Salvaged, Store, StoredRecord, Takeover};
use chrono::{DateTime, Utc};
use rows::{from_sql, held, last_written, read_head, read_lease, read_sound, to_sql, write_lease};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;

mod copy;
mod file;
mod inbox;
mod rows;

use file::{has_pending_log, percent_encoded, sync_directory};

/// `drct`: tells a journal from other SQLite files.
const APPLICATION_ID: i64 = 0x6472_6374;

/// Version of the tables below.
const LAYOUT: i64 = 1;

/// How long a transaction of another process is waited for. They take milliseconds; five seconds
/// leave room for a slow disk, and a person does not yet think that drctl hangs.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, type TEXT NOT NULL, version INTEGER NOT NULL,
        bytes BLOB NOT NULL, digest TEXT NOT NULL
    ) STRICT;
    CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, digest TEXT NOT NULL
    ) STRICT;
    CREATE TABLE lease (
        id INTEGER PRIMARY KEY CHECK (id = 1), fence INTEGER NOT NULL,
        holder TEXT, expires_at_ms INTEGER NOT NULL, renewed_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE notes (seq INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL) STRICT;
";

/// A journal in a file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    place: String,
}

impl SqliteStore {
    /// When whoever held the lease last renewed it, in real time; it stays known after the lease was given
    /// back. `None` where nobody ever held it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn worked_at(&self) -> Result<Option<DateTime<Utc>>, JournalError> {
        Ok(read_lease(&self.connection, &self.place)?.map(|lease| lease.renewed_at))
    }

    /// Creates the file; its directory must exist.
    ///
    /// # Errors
    /// `Exists`, `ReadOnly`, `DiskFull`, `Io`.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| JournalError::of_create(&place, source))?;
        let mut store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if let Err(error) = store.prepare() {
            // Nothing was recorded in it yet; an empty file would only block the next try.
            drop(store);
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        sync_directory(path)?;
        Ok(store)
    }

    fn prepare(&mut self) -> Result<(), JournalError> {
        let place = self.place.clone();
        let failed = |error| JournalError::of_sqlite(&place, error);
        self.connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        let transaction = self.connection.transaction().map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", LAYOUT).map_err(failed)?;
        transaction.execute_batch(TABLES).map_err(failed)?;
        let head = chain::genesis();
        transaction
            .execute("INSERT INTO head VALUES (1, 0, ?1)", [head.digest.as_str()])
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(failed)
    }

    /// Opens a journal to go on writing it.
    ///
    /// # Errors
    /// `NotFound`, `Foreign`, `Newer`, `ReadOnly`, `Corrupt` and others.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.check_layout()?;
        if store.connection.is_readonly("main").map_err(|error| store.failed(error))? {
            return Err(JournalError::ReadOnly { place: store.place });
        }
        let synchronous = store.connection.pragma_update(None, "synchronous", "FULL");
        synchronous.map_err(|error| store.failed(error))?;
        Ok(store)
    }

    /// Opens a journal to look at it: while another process writes it, and in a directory that
    /// cannot be written.
    ///
    /// # Errors
    /// `NotFound`, `Foreign`, `Newer`, `Corrupt` and others.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let opened = Self::connect(path, flags).and_then(|store| {
            store.check_layout()?;
            Ok(store)
        });
        // SQLite needs to create a file beside the journal to read it; where it cannot, and no
        // write-ahead log waits to be read, the file is complete by itself.
        match opened {
            Err(JournalError::Sqlite { .. } | JournalError::ReadOnly { .. })
                if !has_pending_log(path) =>
            {
                let uri = format!("file:{}?immutable=1", percent_encoded(path));
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                let store = Self::connect_to(path, Path::new(&uri), flags)?;
                store.check_layout()?;
                Ok(store)
            }
            other => other,
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, JournalError> {
        if !path.exists() {
            return Err(JournalError::NotFound { place: path.display().to_string() });
        }
        Self::connect_to(path, path, flags)
    }

    fn connect_to(path: &Path, target: &Path, flags: OpenFlags) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(target, flags)
            .map_err(|error| JournalError::of_sqlite(&place, error))?;
        let store = Self { connection, place };
        store.connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| store.failed(error))?;
        Ok(store)
    }

    fn check_layout(&self) -> Result<(), JournalError> {
        let number = |name: &str| {
            let read = self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            read.map_err(|error| self.failed(error))
        };
        if number("application_id")? != APPLICATION_ID {
            let why = "it is an SQLite file of something else, or was never finished";
            return Err(JournalError::Foreign { place: self.place.clone(), why: why.to_owned() });
        }
        let found = number("user_version")?;
        if found > LAYOUT {
            return Err(JournalError::Newer { place: self.place.clone(), found, known: LAYOUT });
        }
        Ok(())
    }

    fn failed(&self, error: rusqlite::Error) -> JournalError {
        JournalError::of_sqlite(&self.place, error)
    }

    /// Runs `work` in a transaction that excludes other writers from its first statement on.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &str) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let place = &self.place;
        let failed = |error| JournalError::of_sqlite(place, error);
        let behaviour = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behaviour).map_err(failed)?;
        let result = work(&transaction, place)?;
        transaction.commit().map_err(failed)?;
        Ok(result)
    }
}

impl Store for SqliteStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        self.transact(|connection, place| {
            let head = read_head(connection, place)?;
            let lease = read_lease(connection, place)?.filter(|lease| !lease.holder.is_empty());
            let records = chain::extend(place, &head, lease.as_ref(), batch)?;
            copy::insert(connection, place, head, &records)
        })
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        self.salvage()?.whole(&self.place)
    }

    fn salvage(&self) -> Result<Salvaged, JournalError> {
        let failed = |error| self.failed(error);
        // One transaction: rows and head are of the same moment while another process writes.
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        read_sound(&transaction, &self.place)
    }

    fn head(&self) -> Result<Head, JournalError> {
        read_head(&self.connection, &self.place)
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        self.transact(|connection, place| {
            let stored = read_lease(connection, place)?;
            let last = stored.as_ref().map_or(0, |lease| lease.fence.number());
            // A copy of a shared journal has events and no lease.
            let last = last.max(last_written(connection, place)?);
            let current = stored.filter(|lease| !lease.holder.is_empty());
            let claim = chain::Claim { holder, now, ttl, takeover };
            let lease = chain::grant(place, current.as_ref(), last, claim)?;
            write_lease(connection, place, &lease)?;
            Ok(lease.fence)
        })
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.transact(|connection, place| {
            let lease = held(connection, place, fence)?;
            let expires_at = now + to_delta(ttl);
            write_lease(connection, place, &Lease { expires_at, renewed_at: now, ..lease })
        })
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        self.transact(|connection, place| {
            let lease = held(connection, place, fence)?;
            // The row stays, without a holder, so that numbers keep growing.
            write_lease(connection, place, &Lease { holder: String::new(), ..lease })
        })
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        let lease = read_lease(&self.connection, &self.place)?;
        Ok(lease.filter(|lease| !lease.holder.is_empty()))
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        chain::check_lease(&self.place, self.lease()?.as_ref(), fence, now)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.transact(|connection, place| inbox::insert(connection, place, posted))
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        inbox::all(&self.connection, &self.place)
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        self.transact(|connection, place| {
            let seq = to_sql(read_head(connection, place)?.count);
            connection
                .execute("INSERT INTO notes VALUES (?1, ?2, ?3)", params![seq, key, value])
                .map(|_| ())
                .map_err(|error| JournalError::of_sqlite(place, error))
        })
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<Note>> {
            connection
                .prepare("SELECT seq, key, value FROM notes ORDER BY rowid")?
                .query_map([], |row| {
                    Ok(Note { seq: from_sql(row.get(0)?), key: row.get(1)?, value: row.get(2)? })
                })?
                .collect()
        };
        read(&self.connection).map_err(|error| self.failed(error))
    }

    fn place(&self) -> &str {
        &self.place
    }
}

#[cfg(test)]
mod tests;
