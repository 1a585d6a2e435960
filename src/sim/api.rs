//! What the simulator takes and gives: options, wire requests and answers, SQL queries, errors.
//!
//! **Invariant:** only plain HTTP and plain SQL text cross this border; no type of any AWS SDK
//! does.

use crate::base::secret::Secret;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How a world is made or opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimOptions {
    /// Overrides the environment's seed.
    pub seed: Option<u64>,
    /// Faults besides those of the environment: `throttled`, `wrong-restore=stale`, …
    pub faults: Vec<String>,
}

/// An HTTP request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// `POST`, upper case.
    pub method: String,
    /// Host and optional port: `rds.us-east-1.amazonaws.com`, `127.0.0.1:5600`.
    pub host: String,
    /// Path with its leading slash, still percent-encoded.
    pub path: String,
    /// Query string without the question mark, empty when there is none.
    pub query: String,
    /// Headers under lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Headers under lower-case names; one that came several times is one with commas, as HTTP says.
pub(in crate::sim) fn joined(
    headers: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        joined
            .entry(name.to_ascii_lowercase())
            .and_modify(|before| *before = format!("{before},{value}"))
            .or_insert(value);
    }
    joined
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireResponse {
    /// HTTP status code.
    pub status: u16,
    /// Headers under lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Whether the client sees the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It does.
    Delivered,
    /// The call was carried out or not, but the client sees a broken connection.
    Lost,
}

/// What the simulator makes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireAnswer {
    /// The response.
    pub response: WireResponse,
    /// How long the client waits for it, in the clock's time.
    pub latency: Duration,
    /// Whether it arrives.
    pub delivery: Delivery,
}

/// A call that changed the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutationRecord {
    /// Position in the world's log, from 1.
    pub sequence: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// `rds`, `secretsmanager`, …
    pub service: String,
    /// `us-east-1`.
    pub region: String,
    /// `RestoreDBInstanceToPointInTime`.
    pub operation: String,
    /// Identifier of what it changed.
    pub target: String,
    /// What it did, for people. Never contains a secret.
    pub effect: String,
}

/// What a statement may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimAccess {
    /// Writes are refused with SQLSTATE 25006.
    ReadOnly,
    /// Writes are allowed.
    ReadWrite,
}

/// One statement for a simulated database.
#[derive(Debug, Clone)]
pub struct SimQuery {
    /// Endpoint address of the instance.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database name inside the instance.
    pub database: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// One SQL statement.
    pub statement: String,
    /// What it may do.
    pub access: SimAccess,
}

/// Rows in PostgreSQL's text format: booleans are `t` and `f`, `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimRows {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Why a statement gave no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimSqlFault {
    /// Nothing listens there (yet, or any more).
    #[error("cannot reach {host}: {reason}; check the endpoint and wait until it is `available`")]
    Unreachable {
        /// The host asked for.
        host: String,
        /// Why.
        reason: String,
    },
    /// SQLSTATE 28P01.
    #[error("password authentication failed for user \"{user}\"; try the secret's other version")]
    Authentication {
        /// The user.
        user: String,
    },
    /// The server's own error.
    #[error("{message} (SQLSTATE {code})")]
    Sql {
        /// SQLSTATE.
        code: String,
        /// Message.
        message: String,
    },
}

impl SimSqlFault {
    /// SQLSTATE, where a server answered at all.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Unreachable { .. } => None,
            Self::Authentication { .. } => Some("28P01"),
            Self::Sql { code, .. } => Some(code),
        }
    }

    pub(in crate::sim) fn sql(code: &str, message: impl Into<String>) -> Self {
        Self::Sql { code: code.to_owned(), message: message.into() }
    }
}

/// Why a world could not be made, opened or kept.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A file could not be read or written.
    #[error("simulated world: cannot {action} {path}: {source}; check the state directory")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a world.
    #[error("simulated world: {path} is damaged ({reason}); run `drctl sim reset` to start over")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by another version of drctl.
    #[error(
        "simulated world: {path} has version {found}, this drctl reads {expected}; \
         run `drctl sim reset` to start over"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Version in it.
        found: u64,
        /// Version wanted.
        expected: u64,
    },
    /// The world belongs to something else.
    #[error(
        "simulated world: {path} was made for {what} `{found}`, not `{wanted}`; \
         use another state directory or run `drctl sim reset`"
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// `estate`, `account`, `seed`.
        what: &'static str,
        /// What it holds.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Another process has opened the world since.
    #[error(
        "simulated world: {path} was opened by {by} since; this process may not write it any more"
    )]
    Taken {
        /// The file.
        path: PathBuf,
        /// Who.
        by: String,
    },
    /// A fault that does not exist or has a bad value.
    #[error("fault `{fault}`: {reason}; faults are: {known}")]
    Fault {
        /// As given.
        fault: String,
        /// What is wrong with it.
        reason: String,
        /// All names.
        known: String,
    },
    /// The estate contradicts itself.
    #[error("estate `{estate}`: {reason}")]
    Estate {
        /// Its name.
        estate: String,
        /// What is wrong.
        reason: String,
    },
}
