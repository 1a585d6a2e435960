//! Names of events, and which step each is about.
//!
//! **Invariant:** a name is the `type` that is stored.

use crate::base::ids::StepKey;
use crate::journal::event::Event;

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
            Self::QuestionClosed { .. } => "question_closed",
            Self::AnswerRefused { .. } => "answer_refused",
            Self::ApprovalGiven { .. } => "approval_given",
            Self::ApprovalWithdrawn { .. } => "approval_withdrawn",
            Self::FiguresShown { .. } => "figures_shown",
            Self::CommandTaken { .. } => "command_taken",
            Self::CommandRefused { .. } => "command_refused",
            Self::RunPaused { .. } => "run_paused",
            Self::RunContinued { .. } => "run_continued",
            Self::FormSwitched { .. } => "form_switched",
            Self::AbortRequested { .. } => "abort_requested",
            Self::PlanChanged { .. } => "plan_changed",
            Self::PlanKept { .. } => "plan_kept",
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
            | Self::AnswerRefused { step, .. }
            | Self::ApprovalGiven { step, .. }
            | Self::ApprovalWithdrawn { step, .. }
            | Self::FiguresShown { step, .. }
            | Self::QuestionExpired { step }
            | Self::QuestionClosed { step } => Some(step),
            // A command names its step itself; it may not exist.
            Self::CommandTaken { .. }
            | Self::CommandRefused { .. }
            | Self::RunPaused { .. }
            | Self::RunContinued { .. }
            | Self::FormSwitched { .. }
            | Self::PlanChanged { .. }
            | Self::PlanKept { .. }
            | Self::AbortRequested { .. } => None,
            Self::RunStarted { .. }
            | Self::AttemptStarted { .. }
            | Self::RunInterrupted { .. }
            | Self::RunFinished { .. }
            | Self::PredictionScored { .. } => None,
        }
    }
}
