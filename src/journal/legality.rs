//! Which facts may follow which, of one step.
//!
//! **Invariant:** every kind of event is decided for every state; checking changes nothing.

use crate::journal::command::Person;
use crate::journal::event::{Event, SkipReason};
use crate::journal::intent::IntentStatus;
use crate::journal::question::Approval;
use crate::journal::step_state::{StepState, StepStatus};

/// Why a fact cannot follow what is known of its step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepProblem {
    /// The step's status excludes it.
    #[error("the step is {}", .0.name())]
    Status(StepStatus),
    /// An answer to a mutation that nobody waits for.
    #[error("no mutation is waiting for an answer")]
    NoOpenIntent,
    /// A mutation still waits for its answer.
    #[error("a mutation is still waiting for its answer")]
    OpenIntent,
    /// The tries are not counted one by one.
    #[error("try {found} comes where try {expected} is due")]
    Try {
        /// The number that is due.
        expected: u32,
        /// The number that came.
        found: u32,
    },
    /// A question waits.
    #[error("a question is waiting for its answer")]
    OpenQuestion,
    /// No question waits.
    #[error("no question is waiting for an answer")]
    NoQuestion,
    /// The question is not a gate's.
    #[error("only a gate's question has an end and approvals")]
    Endless,
    /// The answer is not one of the choices.
    #[error("`{0}` is not one of the choices")]
    Choice(String),
    /// This person has approved already.
    #[error("{0} has approved already")]
    ApprovedTwice(String),
    /// This person has given no approval that counts.
    #[error("{0} has given no approval that counts")]
    NotApproved(String),
    /// The event is not about a step.
    #[error("the event is not about a step")]
    NotAboutAStep,
}

impl StepState {
    /// Nobody approves twice; an acknowledgement makes another approval of one without it.
    fn may_be_approved(&self, by: &Person, acknowledged: bool) -> Result<(), StepProblem> {
        self.is_gate_asking()?;
        let same = |one: &Approval| one.acknowledged.is_some() || !acknowledged;
        if self.approval_of(by).is_some_and(same) {
            return Err(StepProblem::ApprovedTwice(by.to_string()));
        }
        Ok(())
    }

    /// Everything that can be wrong with `event` here. A list without a wildcard: a new kind of event
    /// has to be thought about.
    pub(super) fn check(&self, event: &Event) -> Result<(), StepProblem> {
        use StepStatus as S;
        match event {
            Event::StepStarted { .. } => self.is_one_of(&[S::Pending]),
            // Only a person skips what has begun.
            Event::StepSkipped { reason: SkipReason::Operator { .. }, .. }
                if self.status == S::Running =>
            {
                self.is_working()?;
                self.is_settled()
            }
            Event::StepSkipped { .. } => self.is_one_of(&[S::Pending]),
            Event::IntentRecorded { attempt, .. } => {
                self.is_working()?;
                self.is_settled()?;
                let expected = self.last_try() + 1;
                let problem = StepProblem::Try { expected, found: *attempt };
                if *attempt == expected { Ok(()) } else { Err(problem) }
            }
            Event::ActAccepted { .. } | Event::ActRefused { .. } | Event::ActInDoubt { .. } => {
                self.is_working()?;
                if self.has_open_intent() { Ok(()) } else { Err(StepProblem::NoOpenIntent) }
            }
            Event::StepObserved { .. } | Event::StepRetried { .. } => self.is_working(),
            Event::StepSucceeded { .. }
            | Event::StepFailed { .. }
            | Event::QuestionAsked { .. } => {
                self.is_one_of(&[S::Running])?;
                self.is_working()?;
                self.is_settled()
            }
            // Also a step that was skipped after it had begun may have left something.
            Event::UndoStarted { .. } if self.status == S::Skipped && self.may_have_made => Ok(()),
            Event::UndoStarted { .. } => self.is_one_of(&[S::Succeeded, S::Warned, S::Failed]),
            Event::UndoSucceeded { .. } | Event::UndoFailed { .. } => {
                self.is_one_of(&[S::Undoing])?;
                self.is_settled()
            }
            Event::QuestionAnswered { answer, .. } => {
                self.is_one_of(&[S::Running])?;
                let question = self.question.as_ref().ok_or(StepProblem::NoQuestion)?;
                let known = question.choices.contains(answer);
                if known { Ok(()) } else { Err(StepProblem::Choice(answer.clone())) }
            }
            Event::QuestionExpired { .. } | Event::FiguresShown { .. } => self.is_gate_asking(),
            Event::QuestionClosed { .. } | Event::AnswerRefused { .. } => {
                self.is_one_of(&[S::Running])?;
                self.question.as_ref().map(|_| ()).ok_or(StepProblem::NoQuestion)
            }
            Event::ApprovalGiven { by, acknowledged, .. } => {
                self.may_be_approved(by, acknowledged.is_some())
            }
            Event::ApprovalWithdrawn { by, .. } => {
                self.is_gate_asking()?;
                let none = || StepProblem::NotApproved(by.to_string());
                self.approval_of(by).map(|_| ()).ok_or_else(none)
            }
            Event::RunStarted { .. }
            | Event::AttemptStarted { .. }
            | Event::RunInterrupted { .. }
            | Event::RunFinished { .. }
            | Event::PredictionScored { .. }
            | Event::CommandTaken { .. }
            | Event::CommandRefused { .. }
            | Event::FormSwitched { .. }
            | Event::RunPaused { .. }
            | Event::RunContinued { .. }
            | Event::PlanChanged { .. }
            | Event::PlanKept { .. }
            | Event::AbortRequested { .. } => Err(StepProblem::NotAboutAStep),
        }
    }

    fn is_gate_asking(&self) -> Result<(), StepProblem> {
        self.is_one_of(&[StepStatus::Running])?;
        let question = self.question.as_ref().ok_or(StepProblem::NoQuestion)?;
        if question.gate.is_some() { Ok(()) } else { Err(StepProblem::Endless) }
    }

    fn is_one_of(&self, allowed: &[StepStatus]) -> Result<(), StepProblem> {
        let allowed = allowed.contains(&self.status);
        if allowed { Ok(()) } else { Err(StepProblem::Status(self.status)) }
    }

    fn is_working(&self) -> Result<(), StepProblem> {
        self.is_one_of(&[StepStatus::Running, StepStatus::Undoing])?;
        if self.question.is_some() { Err(StepProblem::OpenQuestion) } else { Ok(()) }
    }

    pub(super) fn has_open_intent(&self) -> bool {
        self.intent.as_ref().is_some_and(|intent| intent.status == IntentStatus::Open)
    }

    fn is_settled(&self) -> Result<(), StepProblem> {
        if self.has_open_intent() { Err(StepProblem::OpenIntent) } else { Ok(()) }
    }
}
