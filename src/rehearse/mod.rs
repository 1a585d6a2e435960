//! Rehearsal: runs of a runbook in forked simulated worlds, stopped where a process may die, and judged.
//!
//! **Invariant:** nothing here touches the network, the state directory or real time; the same seed
//! gives the same findings.

mod coverage;
mod crash;
mod differences;
mod guards;
mod inbox;
mod judge;
mod junit;
mod model;
mod mutation;
mod parallel;
mod people;
mod place;
mod play;
mod points;
mod rehearsal;
mod scenario;
mod stage;
mod storm;
mod text;
mod writers;

pub use crash::{Crashes, crash_everywhere, replay};
pub use judge::{Finding, left_behind, outcome, properties, same_end};
pub use junit::render_junit;
pub use model::{
    CoverageRow, CrashRow, GuardRow, GuardVerdict, REHEARSAL_VERSION, Rehearsal, ScenarioRow,
    StormRow, Subject, Violation,
};
pub use play::{Keep, Played, play, take_up};
pub use points::{Point, Points, WatchedStore, Watcher};
pub use rehearsal::Order;
pub use scenario::{Answers, Mode, PointName, Scenario, catalogue};
pub use stage::{Cast, Stage, StageError, Staging};
pub use storm::{Counters, Storm, Storms, blow, storm};
pub use text::render_text;
pub use writers::{Writers, writers};

#[cfg(test)]
mod tests;
