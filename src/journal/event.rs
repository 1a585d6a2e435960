//! What a journal holds: facts of a run, in the past tense.
//!
//! **Invariant:** an event's meaning never changes once shipped; a changed shape gets a new version. An
//! event of an unknown type is kept and shown as unknown, and refuses to be resumed.

use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey};
use crate::journal::command::{Command, Person};
pub use crate::journal::facts::{ErrorKind, ErrorRecord, Evidence, RunOutcome, SkipReason};
use crate::journal::figure::FigureRecord;
use crate::journal::question::{AnswerWay, ChoiceRecord, GateRecord};
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
        /// The form in which it began; older versions knew one only.
        #[serde(default, skip_serializing_if = "Form::is_graceful")]
        form: Form,
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
        /// How far a step has come that is done in parts, for whoever takes it up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        progress: Option<Json>,
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
        /// What follows each choice, as far as it was known when it was asked; older versions did not say.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        consequences: Vec<ChoiceRecord>,
    },
    /// One of the people whose approvals a gate needs has approved; it needs more than one.
    ApprovalGiven {
        /// The gate.
        step: StepKey,
        /// Who.
        by: Person,
        /// How it came.
        way: AnswerWay,
        /// What they added, redacted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// What was at stake when they approved; only at gates before what cannot be taken back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        figures: Vec<FigureRecord>,
        /// The danger that they acknowledged, [`TWO_WRITERS`](crate::journal::figure::TWO_WRITERS).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acknowledged: Option<String>,
    },
    /// What is at stake was shown beside an open gate. Figures that would change no decision are not
    /// repeated.
    FiguresShown {
        /// The gate.
        step: StepKey,
        /// The figures.
        figures: Vec<FigureRecord>,
    },
    /// They took it back before the gate opened.
    ApprovalWithdrawn {
        /// The gate.
        step: StepKey,
        /// Who.
        by: Person,
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
        /// Their ARN, where AWS says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
    },
    /// An answer that was given in this process does not count; the question stays open.
    AnswerRefused {
        /// The step.
        step: StepKey,
        /// The answer.
        answer: String,
        /// Who gave it.
        by: Person,
        /// Why it does not count.
        why: String,
    },
    /// Nobody answered a gate in time; what it said for that case follows.
    QuestionExpired {
        /// The step.
        step: StepKey,
    },
    /// The question needs no answer any more: the run is aborted, or a person skipped the step.
    QuestionClosed {
        /// The step.
        step: StepKey,
    },
    /// A command of the inbox was taken; what follows from it follows in the same transaction.
    CommandTaken {
        /// The id under which it was posted.
        id: String,
        /// When it was posted, by the poster's clock.
        posted_at: DateTime<Utc>,
        /// By whom.
        by: Person,
        /// What.
        command: Command,
    },
    /// A command of the inbox was refused; it changes nothing.
    CommandRefused {
        /// The id under which it was posted.
        id: String,
        /// By whom.
        by: Person,
        /// What.
        command: Command,
        /// Why, and what would help.
        why: String,
    },
    /// A person paused the run: no new step and no new mutation until it continues; looks go on.
    RunPaused {
        /// Who.
        by: Person,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The pause ended. The time of steps under way counts anew.
    RunContinued {
        /// Who ended it.
        by: Person,
    },
    /// A person switched the form of the run: what waits looks again at once, in the new form.
    FormSwitched {
        /// The form so far.
        from: Form,
        /// The form from here on.
        to: Form,
        /// Who.
        by: Person,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person ends the run: nothing new begins but undos, if they are wanted, and `always` steps. It
    /// ends a pause.
    AbortRequested {
        /// Who.
        by: Person,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether what was done is undone.
        undo: bool,
    },
    /// The run's files were edited while it was open, and it goes on with the plan that they make now. What
    /// had begun is in it unchanged.
    PlanChanged {
        /// The whole new plan, as it is stored.
        plan: Json,
        /// Digest of the plan.
        plan_digest: String,
        /// Who decided.
        by: Person,
        /// What differs, a line each.
        difference: Vec<String>,
    },
    /// The run's files were edited while it was open, and it goes on with the plan that it has.
    PlanKept {
        /// Who decided.
        by: Person,
        /// What differs, a line each.
        difference: Vec<String>,
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
