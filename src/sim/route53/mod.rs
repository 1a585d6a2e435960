//! Simulated Route 53: zones, records, changes, health checks.
//!
//! **Invariant:** a change batch is carried out whole or not at all.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use serde::{Deserialize, Serialize};

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 4] =
    ["ChangeResourceRecordSets", "CreateHealthCheck", "UpdateHealthCheck", "DeleteHealthCheck"];

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    turn.unknown_action()
}
