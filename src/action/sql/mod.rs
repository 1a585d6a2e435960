//! Checks that read a database: does it answer, is the data there, how new is it.
//!
//! **Invariant:** read-only transactions with a statement time-out; a database that cannot be reached is
//! an error, never a verdict; result text is hashed before it becomes evidence.

mod check;
mod connect;
mod expectation;
mod heartbeat;
mod pack;

pub(super) use check::SqlCheck;
pub(super) use heartbeat::SqlHeartbeat;
