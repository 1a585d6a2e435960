//! The pure run machine: inputs in, journal records and effects out.
//!
//! **Invariant:** no I/O, no async, no clock. The same inputs at the same instants give the same records,
//! byte for byte.

// The machine decides by closed enums: a new variant must be decided everywhere.
#![warn(clippy::wildcard_enum_match_arm)]

mod agenda;
mod decide;
mod doubt;
mod effect;
mod finish;
mod gate;
mod machine;
mod policy;
mod step;

pub use effect::{ActFailure, Begun, Effect, Input, Part, Reply, Seen, SeenDone, SeenGate, Turn};
pub use machine::{Machine, Start};

#[cfg(test)]
mod tests;
