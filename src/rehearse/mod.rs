//! Rehearsal: runs of a runbook in forked simulated worlds, stopped where a process may die, and judged.
//!
//! **Invariant:** nothing here touches the network, the state directory or real time; the same seed
//! gives the same findings.

mod stage;

pub use stage::{Cast, Stage, StageError, Staging, in_virtual_time};
