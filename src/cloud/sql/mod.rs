//! How drctl reaches databases: a connector opens sessions, a session answers statements with text.
//!
//! **Invariant:** a read-only session cannot change data, TLS is verified against authorities that
//! the user named, and no password appears in any error or `Debug` form.

mod contract;
mod error;
mod postgres;
mod probe;
mod session;
mod trust;
mod tunnel;

pub use contract::{SqlConnector, SqlMode, SqlRows, SqlSession, SqlTarget};
pub use error::SqlError;
pub use postgres::PostgresConnector;
pub use probe::{Reach, probe};
pub(in crate::cloud) use trust::authorities;
