//! Simulated EC2: security groups, as far as fencing needs them.
//!
//! **Invariant:** a rule that is there is not added again, and one that is not there is not taken away.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use serde::{Deserialize, Serialize};

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 2] =
    ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"];

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    turn.unknown_action()
}
