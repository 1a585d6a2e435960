//! Runbooks as steps of others.
//!
//! **Invariant:** a call has no work of its own: its steps are planned into the run that calls.

mod call;

pub(super) use call::Call;
