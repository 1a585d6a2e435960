//! What a journal holds: facts of a run, in the past tense.
//!
//! **Invariant:** an event's meaning never changes once shipped; a changed shape gets a new version. An
//! event of an unknown type is kept and shown as unknown, and refuses to be resumed.

use crate::base::ids::{RunId, StepKey};
use crate::journal::question::{AnswerWay, GateRecord};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Version of the event format that this build writes.
pub const EVENT_VERSION: u32 = 1;

/// An event with the envelope that every record has. Its stored bytes are its JSON; the digest chain is
/// over exactly those bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the journal, from 1.
    pub seq: u64,
    /// Format version, [`EVENT_VERSION`].
    pub version: u32,
    /// Wall time.
    pub at: DateTime<Utc>,
    /// Time of the run's own clock since the run began, milliseconds.
    pub run_ms: u64,
    /// Fencing number of the lease under which it was written.
    pub fence: u64,
    /// The fact.
    pub event: Event,
}

/// A fact of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The run began to exist. The plan embeds runbook, estate and parameters, so that the journal
    /// alone tells everything.
    RunStarted {
        /// The run.
        run: RunId,
        /// The whole plan as it was stored before the run.
        plan: Json,
        /// Digest of the plan.
        plan_digest: String,
        /// Who started it.
        operator: String,
        /// Version of drctl.
        tool: String,
    },
    /// A process took the run up.
    AttemptStarted {
        /// 1 for the first process, 2 for the first resume.
        attempt: u32,
        /// Who started it.
        operator: String,
    },
    /// A step began: its condition held and its inputs are known.
    StepStarted {
        /// The step.
        step: StepKey,
        /// Its evaluated inputs, secrets hidden.
        inputs: Json,
    },
    /// A mutation is about to leave. Durable before it does.
    IntentRecorded {
        /// The step.
        step: StepKey,
        /// How often this step has tried, from 1.
        attempt: u32,
        /// The operation: `rds:RestoreDBInstanceToPointInTime`.
        operation: String,
        /// What it acts on.
        target: String,
    },
    /// AWS accepted the mutation.
    ActAccepted {
        /// The step.
        step: StepKey,
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// The mutation had no effect.
    ActRefused {
        /// The step.
        step: StepKey,
        /// Why.
        error: ErrorRecord,
    },
    /// The mutation may have had its effect; looking will tell.
    ActInDoubt {
        /// The step.
        step: StepKey,
        /// What was seen.
        error: ErrorRecord,
    },
    /// What was looked at changed. Equal observations are not repeated.
    StepObserved {
        /// The step.
        step: StepKey,
        /// Its state in words: `creating`, `available`.
        state: String,
        /// A point worth measuring that was reached: `available`, `hydrated`.
        milestone: Option<String>,
    },
    /// Looking failed and will be tried again.
    StepRetried {
        /// The step.
        step: StepKey,
        /// What went wrong.
        error: ErrorRecord,
        /// Until the next try, milliseconds.
        delay_ms: u64,
    },
    /// The step reached its goal.
    StepSucceeded {
        /// The step.
        step: StepKey,
        /// Outputs, secrets hidden.
        outputs: Json,
        /// Whether the goal was found reached without this process acting (an adopted resource).
        adopted: bool,
        /// What was seen, by the names that the preview predicted.
        observed: BTreeMap<String, Json>,
        /// What the verdict rests on.
        evidence: Vec<Evidence>,
        /// Reasons for a warning; empty means a plain success.
        warnings: Vec<String>,
    },
    /// The step did not reach its goal.
    StepFailed {
        /// The step.
        step: StepKey,
        /// Why.
        error: ErrorRecord,
        /// What was seen, for a failed check.
        evidence: Vec<Evidence>,
        /// Outputs of a failed check: what it found although it was not what was wanted.
        outputs: Json,
    },
    /// The step did not run, on purpose or for want of what it needs.
    StepSkipped {
        /// The step.
        step: StepKey,
        /// Why.
        reason: SkipReason,
    },
    /// The undo of a step began.
    UndoStarted {
        /// The step that is undone.
        step: StepKey,
    },
    /// The step was undone.
    UndoSucceeded {
        /// The step that is undone.
        step: StepKey,
    },
    /// The step could not be undone.
    UndoFailed {
        /// The step.
        step: StepKey,
        /// Why.
        error: ErrorRecord,
    },
    /// A person has to decide: a gate, or a failure with `on_failure: ask`.
    QuestionAsked {
        /// The step.
        step: StepKey,
        /// The question.
        question: String,
        /// The answers it takes.
        choices: Vec<String>,
        /// The failure that it is about; `None` for a gate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorRecord>,
        /// What only a gate has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<GateRecord>,
    },
    /// A person decided.
    QuestionAnswered {
        /// The step.
        step: StepKey,
        /// The answer, one of the choices.
        answer: String,
        /// Who.
        operator: String,
        /// How the answer came; older versions did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        way: Option<AnswerWay>,
        /// What the person added, redacted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Nobody answered a gate in time; what it said for that case follows.
    QuestionExpired {
        /// The step.
        step: StepKey,
    },
    /// The process stopped in good order before the run's end.
    RunInterrupted {
        /// `signal`, `credentials`, `question`.
        reason: String,
    },
    /// The run ended.
    RunFinished {
        /// How.
        outcome: RunOutcome,
    },
    /// The stored prediction was compared with what happened.
    PredictionScored {
        /// Predictions that held.
        held: u32,
        /// Predictions that could be compared.
        total: u32,
        /// `step.field: predicted X, saw Y`.
        wrong: Vec<String>,
    },
}

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

impl Event {
    /// The event's type as stored: `step_started`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run_started",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::StepStarted { .. } => "step_started",
            Self::IntentRecorded { .. } => "intent_recorded",
            Self::ActAccepted { .. } => "act_accepted",
            Self::ActRefused { .. } => "act_refused",
            Self::ActInDoubt { .. } => "act_in_doubt",
            Self::StepObserved { .. } => "step_observed",
            Self::StepRetried { .. } => "step_retried",
            Self::StepSucceeded { .. } => "step_succeeded",
            Self::StepFailed { .. } => "step_failed",
            Self::StepSkipped { .. } => "step_skipped",
            Self::UndoStarted { .. } => "undo_started",
            Self::UndoSucceeded { .. } => "undo_succeeded",
            Self::UndoFailed { .. } => "undo_failed",
            Self::QuestionAsked { .. } => "question_asked",
            Self::QuestionAnswered { .. } => "question_answered",
            Self::QuestionExpired { .. } => "question_expired",
            Self::RunInterrupted { .. } => "run_interrupted",
            Self::RunFinished { .. } => "run_finished",
            Self::PredictionScored { .. } => "prediction_scored",
        }
    }

    /// The step that the event is about, if it is about one.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::StepStarted { step, .. }
            | Self::IntentRecorded { step, .. }
            | Self::ActAccepted { step, .. }
            | Self::ActRefused { step, .. }
            | Self::ActInDoubt { step, .. }
            | Self::StepObserved { step, .. }
            | Self::StepRetried { step, .. }
            | Self::StepSucceeded { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::UndoStarted { step }
            | Self::UndoSucceeded { step }
            | Self::UndoFailed { step, .. }
            | Self::QuestionAsked { step, .. }
            | Self::QuestionAnswered { step, .. }
            | Self::QuestionExpired { step } => Some(step),
            Self::RunStarted { .. }
            | Self::AttemptStarted { .. }
            | Self::RunInterrupted { .. }
            | Self::RunFinished { .. }
            | Self::PredictionScored { .. } => None,
        }
    }
}
