//! The verdict of a run: how it ended, and what was wrong.
//!
//! **Invariant:** like the rest of the model these types are the file format: fields are added, never
//! changed.

use serde::{Deserialize, Serialize};

/// What a run comes to: enough to choose an exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// One line for people.
    pub headline: String,
    /// Whether the run has ended.
    pub state: VerdictState,
    /// `succeeded`, `warned`, `failed`, `undone`, `aborted`; `None` until it ended.
    pub outcome: Option<String>,
    /// Steps that failed, clean-up and rejected gates apart.
    pub failed_steps: Vec<String>,
    /// Gates at which the run was rejected.
    #[serde(default)]
    pub rejected_steps: Vec<String>,
    /// Clean-up steps and undos that failed.
    pub failed_cleanup: Vec<String>,
    /// Undos that failed: those of [`Self::failed_cleanup`] that are no clean-up step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_undos: Vec<String>,
    /// Who paused the run, since when and why, while it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Who aborted the run, and why, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted_by: Option<String>,
    /// Steps that did not run although their own condition did not say so.
    pub skipped_steps: Vec<String>,
    /// Names of objectives that were missed.
    pub missed_objectives: Vec<String>,
    /// What the run waits for.
    pub waiting_for: Option<String>,
}

/// Whether a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    /// It ended.
    Finished,
    /// It stopped in good order and can be resumed.
    Interrupted,
    /// No end is recorded: it is running, or its process died.
    Unfinished,
}
