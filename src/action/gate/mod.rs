//! Gates: steps that wait for a person or for an instant.
//!
//! **Invariant:** a gate reads and changes nothing; who decided, and when, is in the journal and nowhere
//! else.

mod approve;
mod wait_until;

pub(super) use approve::Approve;
pub(crate) use approve::MOST_APPROVALS;
pub(super) use wait_until::WaitUntil;
