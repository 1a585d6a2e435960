//! Simulated ECS: clusters, services, deployments, tasks.
//!
//! **Invariant:** a service changes by calls and by time alone.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use serde::{Deserialize, Serialize};

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 2] = ["UpdateService", "RegisterTaskDefinition"];

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    turn.unknown_action()
}
