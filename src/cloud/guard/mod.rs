//! The guard beneath the SDK clients: it clears each request by name, and nothing else leaves.
//!
//! Two halves that do not trust each other. The [`interceptor`] sees the operation's own name before
//! the request is written and clears it or refuses it. The [`connector`] sits around the HTTP client
//! and refuses every request that does not carry a clearance for exactly what the request says.
//!
//! **Invariant:** unknown means refused: no operation name, no clearance, no readable action.

pub mod allow_list;
pub mod calls;
pub mod connector;
pub mod credential_calls;
pub mod interceptor;
mod ledger;
mod refusal;
pub(crate) mod rest;
pub(crate) mod wire;

pub use ledger::Guard;
pub use refusal::GuardRefusal;
