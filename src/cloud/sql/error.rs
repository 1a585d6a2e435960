//! What can go wrong between drctl and a database, in the words of whoever has to repair it.
//!
//! **Invariant:** texts from servers, children and files pass through `base::redact`; statements
//! are cut to a bounded length; passwords are in no variant.

use crate::base::duration;
use crate::base::redact::redact_line;
use std::time::Duration;

/// Longest piece of foreign text that an error carries, in characters: enough for a cause, too
/// little to carry a result set into a journal.
const MAX_TEXT: usize = 400;

/// Why there is no session or no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Nothing usable answers there: refused, unresolved, timed out, shutting down, cut off.
    #[error("cannot reach the database at {place}: {why}")]
    Unreachable {
        /// `host:port`.
        place: String,
        /// The cause.
        why: String,
    },
    /// The server refused the user or the password (SQLSTATE class 28).
    #[error("the database at {place} refused user `{user}`: {why}")]
    Authentication {
        /// `host:port`.
        place: String,
        /// The role that tried to log in.
        user: String,
        /// The server's words.
        why: String,
    },
    /// TLS could not be set up or verified.
    #[error("no verified TLS with the database at {place}: {why}")]
    Tls {
        /// `host:port`.
        place: String,
        /// The cause and what to do.
        why: String,
    },
    /// A statement took too long (SQLSTATE 57014, or no answer at all).
    #[error("`{statement}` had no answer within {}", duration::format(*.limit))]
    Timeout {
        /// The statement, cut.
        statement: String,
        /// The limit that passed.
        limit: Duration,
    },
    /// The server refused a statement.
    #[error("`{statement}` failed with SQLSTATE {sqlstate}: {message}")]
    Statement {
        /// Five characters, as in PostgreSQL's appendix A.
        sqlstate: String,
        /// The server's words.
        message: String,
        /// The statement, cut.
        statement: String,
    },
    /// The command that should open a tunnel did not.
    #[error("the tunnel command `{command}` opened no way to the database: {why}")]
    Tunnel {
        /// The program, without arguments.
        command: String,
        /// The cause, with the end of what the command printed.
        why: String,
    },
}

impl SqlError {
    /// An [`SqlError::Unreachable`] with a cleaned cause.
    pub fn unreachable(place: &str, why: &str) -> Self {
        Self::Unreachable { place: clean(place), why: clean(why) }
    }

    /// An [`SqlError::Authentication`] with cleaned words.
    pub fn authentication(place: &str, user: &str, why: &str) -> Self {
        Self::Authentication { place: clean(place), user: clean(user), why: clean(why) }
    }

    /// An [`SqlError::Tls`] with a cleaned cause.
    pub fn tls(place: &str, why: &str) -> Self {
        Self::Tls { place: clean(place), why: clean(why) }
    }

    /// An [`SqlError::Timeout`] of a cut statement.
    pub fn timeout(statement: &str, limit: Duration) -> Self {
        Self::Timeout { statement: clean(statement), limit }
    }

    /// An [`SqlError::Statement`] with cleaned words and a cut statement.
    pub fn statement(sqlstate: &str, message: &str, statement: &str) -> Self {
        Self::Statement {
            sqlstate: clean(sqlstate),
            message: clean(message),
            statement: clean(statement),
        }
    }

    /// An [`SqlError::Tunnel`] with cleaned words.
    pub fn tunnel(command: &str, why: &str) -> Self {
        Self::Tunnel { command: clean(command), why: clean(why) }
    }

    /// Whether the database could not be asked at all, so that a check is neither passed nor failed.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Tls { .. } | Self::Tunnel { .. } => true,
            Self::Authentication { .. } | Self::Timeout { .. } | Self::Statement { .. } => false,
        }
    }

    /// Whether another password may help: a restore brings back the old one.
    pub fn is_authentication(&self) -> bool {
        matches!(self, Self::Authentication { .. })
    }

    /// The SQLSTATE that the server gave to a refused statement.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Statement { sqlstate, .. } => Some(sqlstate),
            Self::Unreachable { .. }
            | Self::Authentication { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Tunnel { .. } => None,
        }
    }
}

/// One line of bounded, redacted text.
pub(crate) fn clean(text: &str) -> String {
    redact_line(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_redacted_cut_and_one_line() {
        let error = SqlError::unreachable("db:5432", "password=hunter2\n  refused");
        assert_eq!(
            error.to_string(),
            "cannot reach the database at db:5432: password=(secret) refused"
        );
        let error = SqlError::statement("42601", "bad", &"é".repeat(1_000));
        let SqlError::Statement { statement, .. } = &error else { panic!("{error}") };
        assert_eq!(statement.chars().count(), MAX_TEXT + 1);
        assert!(statement.ends_with('…'));
    }

    #[test]
    fn kinds_answer_their_questions() {
        assert!(SqlError::tls("p", "w").is_unreachable());
        assert!(SqlError::tunnel("ssh", "w").is_unreachable());
        assert!(!SqlError::timeout("SELECT 1", Duration::from_secs(1)).is_unreachable());
        assert!(SqlError::authentication("p", "u", "w").is_authentication());
        assert_eq!(SqlError::statement("25006", "m", "s").sqlstate(), Some("25006"));
        assert_eq!(
            SqlError::timeout("SELECT 1", Duration::from_millis(1500)).to_string(),
            "`SELECT 1` had no answer within 1s500ms"
        );
    }
}
