//! Mutations that a step asked for, and what became of them.
//!
//! **Invariant:** what nobody saw refused may have had its effect.

use chrono::{DateTime, Utc};

/// What became of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentStatus {
    /// No answer is recorded.
    Open,
    /// AWS accepted it.
    Accepted,
    /// It had no effect.
    Refused,
    /// It may have had its effect.
    InDoubt,
}

/// The last mutation that a step asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// How often the step has tried, from 1.
    pub attempt: u32,
    /// The operation.
    pub operation: String,
    /// What it acts on.
    pub target: String,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub status: IntentStatus,
    /// Whether the step may have made something before it: its refusal does not take that back.
    pub made_before: bool,
}
