//! The pure run machine: inputs in, journal records and effects out.
//!
//! **Invariant:** no I/O, no async, no clock. The same inputs at the same instants give the same records,
//! byte for byte.

// The machine decides by closed enums: a new variant must be decided everywhere.
#![warn(clippy::wildcard_enum_match_arm)]

mod agenda;
mod answer;
mod approver;
mod call;
mod change;
mod command;
mod decide;
mod doubt;
mod effect;
mod finish;
mod form;
mod gate;
mod hold;
mod machine;
mod outlook;
mod policy;
mod stakes;
mod step;
mod undo;

pub use approver::{approval_by, is_reserved, may_decide};
pub use change::Change;
pub use effect::{ActFailure, Begun, Effect, Input, Part, Reply, Seen, SeenDone, SeenGate, Turn};
pub use machine::{Machine, Start};
pub use stakes::fences_to_see;
pub use undo::{UndoPlan, undo_plan};

#[cfg(test)]
mod tests;
