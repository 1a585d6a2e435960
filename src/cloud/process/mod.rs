//! Programs of this machine that a runbook starts.
//!
//! **Invariant:** no shell, no inherited environment, no output without a bound; what was started is
//! ended with all that it started, once its time is out.

mod contract;
mod group;
mod local;
mod output;

pub use contract::{Command, Finished, Output, ProcessError, Processes, Rehearsal};
pub(in crate::cloud) use group::signal;
pub use local::LocalProcesses;
