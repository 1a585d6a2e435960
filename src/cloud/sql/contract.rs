//! The contract between SQL checks and whatever holds the data: PostgreSQL or the simulator.
//!
//! **Invariant:** plain data and traits; nothing here opens a connection.

use crate::base::secret::Secret;
use crate::cloud::sql::error::SqlError;
use crate::estate::SqlRoute;
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// Opens sessions to databases.
#[async_trait]
pub trait SqlConnector: Send + Sync + std::fmt::Debug {
    /// Opens one session.
    ///
    /// # Errors
    /// Why there is none: unreachable, refused credentials, unverified TLS, broken tunnel.
    async fn connect(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError>;
}

/// One open connection to one database.
#[async_trait]
pub trait SqlSession: Send {
    /// Runs a statement. A [`SqlMode::ReadOnly`] session takes exactly one command, which runs in a
    /// read-only transaction of its own that is rolled back; a [`SqlMode::ReadWrite`] session takes
    /// one or several and commits them together. Of several results the last one with columns is
    /// returned.
    ///
    /// # Errors
    /// What the database answered instead, or why it did not answer.
    async fn query(&mut self, statement: &str) -> Result<SqlRows, SqlError>;

    /// Ends the session and, where there is one, its tunnel.
    async fn close(self: Box<Self>);
}

/// Everything needed to open a session.
#[derive(Clone, Debug)]
pub struct SqlTarget {
    /// Host name as AWS gave it in `Endpoint.Address`; TLS is verified against it on every route.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database name.
    pub database: String,
    /// Role to log in as.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The way to the server.
    pub route: SqlRoute,
    /// PEM file with the authorities that may sign the server's certificate
    /// (`environments.<env>.sql.sslrootcert`).
    pub trust: Option<PathBuf>,
    /// Whether the session may change data.
    pub mode: SqlMode,
    /// Longest time for one statement; at least a millisecond.
    pub statement_timeout: Duration,
    /// Longest time until the session is open, the tunnel included.
    pub connect_timeout: Duration,
}

/// Whether a session may change data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlMode {
    /// It cannot: the server refuses writes with SQLSTATE 25006.
    ReadOnly,
    /// It may: only for databases that are ours to write to, and for the heartbeat.
    ReadWrite,
}

/// A result in PostgreSQL's text format.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SqlRows {
    /// Column names; empty for a command that returns no rows.
    pub columns: Vec<String>,
    /// Values by row and column, as PostgreSQL prints them; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

impl SqlRows {
    /// The only value of a result with one row and one column; `None` when it is NULL or when the
    /// result has another shape.
    pub fn single(&self) -> Option<&str> {
        match self.rows.as_slice() {
            [row] if row.len() == 1 => row[0].as_deref(),
            _ => None,
        }
    }

    /// A value by row number and column name; `None` when it is NULL or when there is none.
    pub fn value(&self, row: usize, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.rows.get(row)?.get(at)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(columns: &[&str], rows: &[&[Option<&str>]]) -> SqlRows {
        SqlRows {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(|value| value.map(str::to_owned)).collect())
                .collect(),
        }
    }

    #[test]
    fn a_single_value_is_one_row_of_one_column() {
        assert_eq!(rows(&["n"], &[&[Some("7")]]).single(), Some("7"));
        assert_eq!(rows(&["n"], &[&[None]]).single(), None);
        assert_eq!(rows(&["n"], &[]).single(), None);
        assert_eq!(rows(&["a", "b"], &[&[Some("7"), Some("8")]]).single(), None);
        assert_eq!(rows(&["n"], &[&[Some("7")], &[Some("8")]]).single(), None);
    }

    #[test]
    fn values_are_found_by_name() {
        let result = rows(&["a", "b"], &[&[Some("1"), None], &[Some("2"), Some("x")]]);
        assert_eq!(result.value(1, "b"), Some("x"));
        assert_eq!(result.value(0, "b"), None);
        assert_eq!(result.value(2, "a"), None);
        assert_eq!(result.value(0, "c"), None);
    }
}
