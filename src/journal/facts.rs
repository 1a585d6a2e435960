//! What events are made of: errors, evidence, reasons, outcomes.
//!
//! **Invariant:** names never change once shipped: they stand in journals.

use crate::base::ids::StepKey;
use serde::{Deserialize, Serialize};

/// An error as journals and reports keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What happened, where.
    pub message: String,
    /// AWS's code or an SQLSTATE.
    pub code: Option<String>,
    /// What to do next.
    pub help: Option<String>,
}

/// Kinds of failure that reports and exit codes tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A check looked and found it wrong.
    CheckFailed,
    /// A check could not look: this is no verdict.
    CheckError,
    /// AWS or a database refused for good.
    Refused,
    /// The resource ended in a state that never becomes usable.
    Broken,
    /// The step's time ran out.
    TimedOut,
    /// Throttled, busy or failing for a moment.
    Temporary,
    /// It is not known whether the call took effect.
    InDoubt,
    /// Credentials are missing, expired or refused.
    Credentials,
    /// Nobody answers at the endpoint.
    Unreachable,
    /// Our guard or a permit refused.
    Guard,
    /// A value that the runbook needs is not there or has the wrong type.
    Input,
    /// A person said no.
    Rejected,
    /// A bug in drctl.
    Internal,
}

/// A fact that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Stable name: `heartbeat.newest_at`, `rows.orders`.
    pub name: String,
    /// The value as text; a digest where the value may hold personal data.
    pub value: String,
    /// Where it was read: `DescribeDBInstances`, `SQL on drctl-orders-…`.
    pub source: String,
}

/// Why a step did not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum SkipReason {
    /// Its condition is false.
    Condition {
        /// The condition.
        when: String,
    },
    /// A step that it needs failed or was skipped.
    Upstream {
        /// That step.
        step: StepKey,
    },
    /// The run was stopped before it.
    Stopped {
        /// The step whose failure stopped the run.
        step: StepKey,
    },
    /// There is nothing it could work on, because a step that it needs never got that far.
    Nothing {
        /// Why. (`why` is the tag.)
        #[serde(rename = "because")]
        why: String,
    },
    /// A person decided to go on without it.
    Operator {
        /// Who.
        operator: String,
        /// Why; older versions did not ask.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person ended the run before it.
    Aborted {
        /// Who.
        operator: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every step reached its goal or was skipped by its own condition.
    Succeeded,
    /// Succeeded, and something deserves attention.
    Warned,
    /// A step failed.
    Failed,
    /// A step failed and everything done was undone.
    Undone,
    /// A person stopped it.
    Aborted,
}
