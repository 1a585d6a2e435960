//! What the journal says about one step, and which facts may follow which.
//!
//! **Invariant:** a fact that cannot follow is an error and changes nothing.

use crate::base::form::Form;
use crate::journal::command::Person;
use crate::journal::event::{ErrorRecord, Event, Evidence, SkipReason};
use crate::journal::figure::FigureRecord;
use crate::journal::intent::{Intent, IntentStatus};
use crate::journal::legality::StepProblem;
use crate::journal::question::{AnswerWay, Approval, GateRecord, Question, REPEAT, RETRY};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum StepStatus {
    /// Not begun.
    #[default]
    Pending,
    /// Begun.
    Running,
    /// Its undo has begun.
    Undoing,
    /// Reached its goal.
    Succeeded,
    /// Reached its goal, and something deserves attention.
    Warned,
    /// Did not reach its goal.
    Failed,
    /// Did not run.
    Skipped,
    /// Taken back.
    Undone,
    /// Could not be taken back.
    UndoFailed,
}

impl StepStatus {
    /// Every status.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Running,
        Self::Undoing,
        Self::Succeeded,
        Self::Warned,
        Self::Failed,
        Self::Skipped,
        Self::Undone,
        Self::UndoFailed,
    ];

    /// Whether nothing more happens by itself.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Undoing)
    }

    /// Whether the goal was reached and still is.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Warned)
    }

    /// For people: `undo failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Succeeded => "succeeded",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Undone => "undone",
            Self::UndoFailed => "undo failed",
        }
    }
}

/// What the journal says about one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepState {
    /// Where it stands.
    pub status: StepStatus,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it succeeded, failed or was skipped; an undo does not change it.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its undo began.
    pub undo_started_at: Option<DateTime<Utc>>,
    /// When its undo ended.
    pub undo_finished_at: Option<DateTime<Utc>>,
    /// Evaluated inputs, secrets hidden.
    pub inputs: Json,
    /// The last mutation; cleared when the undo begins.
    pub intent: Option<Intent>,
    /// The last mutation of the step itself, once its undo has begun.
    pub forward_intent: Option<Intent>,
    /// Whether something that the step made may exist: a mutation of its own was sent and not refused,
    /// and nobody saw its undo succeed.
    pub may_have_made: bool,
    /// Tries that do not count any more: those before an operator asked for more of them, and those that
    /// were cut off by the end of their process.
    pub tries_before: u32,
    /// When the first mutation was about to leave: from then on something may exist.
    pub first_intent_at: Option<DateTime<Utc>>,
    /// How many mutations were ever left in doubt.
    pub doubts: u32,
    /// What was seen last, in words.
    pub last_state: Option<String>,
    /// How far the step (or its undo) has come, when it is done in parts.
    pub progress: Option<Json>,
    /// Whether it is done in parts: each part is an act of its own, and looking tells at once what is left.
    pub in_parts: bool,
    /// Acts in a row that were refused or are in doubt.
    pub failed_tries: u32,
    /// When each milestone was first reached.
    pub milestones: BTreeMap<String, DateTime<Utc>>,
    /// Outputs of a success, or of a check that failed.
    pub outputs: Json,
    /// Whether the goal was found reached without this process acting.
    pub adopted: bool,
    /// Why it failed.
    pub error: Option<ErrorRecord>,
    /// Why its undo failed.
    pub undo_error: Option<ErrorRecord>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// What was seen, by the names that were predicted.
    pub observed: BTreeMap<String, Json>,
    /// Reasons for a warning.
    pub warnings: Vec<String>,
    /// Looks that failed since the step (or its undo, or an operator's retry) began.
    pub retries: u32,
    /// Why it did not run.
    pub skip: Option<SkipReason>,
    /// The open question.
    pub question: Option<Question>,
    /// The last answer to a question.
    pub answer: Option<String>,
    /// Who gave it.
    pub answered_by: Option<String>,
    /// Their ARN, where AWS said it.
    pub answered_identity: Option<String>,
    /// When they answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// How the answer came.
    pub answer_way: Option<AnswerWay>,
    /// What they added.
    pub comment: Option<String>,
    /// The last gate that was asked, and when.
    pub gate: Option<(GateRecord, DateTime<Utc>)>,
    /// Whether nobody answered the last question in time.
    pub expired: bool,
    /// Approvals of the last gate that count: given and not withdrawn, oldest first.
    pub approvals: Vec<Approval>,
    /// The form of the run when the step began: its condition and its inputs are of it.
    pub form: Form,
}

impl StepState {
    /// Takes one event about this step.
    ///
    /// # Errors
    /// When it cannot follow; nothing has changed then.
    pub fn apply(&mut self, event: &Event, at: DateTime<Utc>) -> Result<(), StepProblem> {
        self.check(event)?;
        self.change(event, at);
        Ok(())
    }

    /// The figures beside the gate's question are these from now on.
    fn show(&mut self, figures: &[FigureRecord], at: DateTime<Utc>) {
        if let Some(question) = &mut self.question {
            question.figures = figures.to_vec();
            question.figures_at = Some(at);
        }
    }

    /// What a legal event changes.
    fn change(&mut self, event: &Event, at: DateTime<Utc>) {
        match event {
            Event::StepStarted { inputs, .. } => {
                self.status = StepStatus::Running;
                self.started_at = Some(at);
                self.inputs = inputs.clone();
            }
            Event::IntentRecorded { attempt, operation, target, .. } => {
                self.intend(*attempt, (operation.as_str(), target.as_str()), at);
            }
            Event::ActAccepted { .. } => self.settle(IntentStatus::Accepted),
            Event::ActRefused { .. } => {
                let before = self.intent.as_ref().is_some_and(|intent| intent.made_before);
                self.may_have_made = before;
                self.settle(IntentStatus::Refused);
            }
            Event::ActInDoubt { .. } => {
                self.doubts += 1;
                self.settle(IntentStatus::InDoubt);
            }
            Event::StepObserved { state, milestone, progress, .. } => {
                self.in_parts |= progress.is_some();
                self.progress = progress.clone().or(self.progress.take());
                self.last_state = Some(state.clone());
                if let Some(milestone) = milestone {
                    self.milestones.entry(milestone.clone()).or_insert(at);
                }
            }
            Event::StepRetried { .. } => self.retries += 1,
            Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepSkipped { .. } => {
                self.finished_at = Some(at);
                self.end(event);
            }
            Event::UndoStarted { .. } => {
                self.status = StepStatus::Undoing;
                self.undo_started_at = Some(at);
                self.forward_intent = self.intent.take();
                (self.last_state, self.progress) = (None, None);
                (self.retries, self.tries_before, self.failed_tries) = (0, 0, 0);
            }
            Event::UndoSucceeded { .. } | Event::UndoFailed { .. } => {
                self.undo_finished_at = Some(at);
                self.end(event);
            }
            Event::QuestionAsked { .. }
            | Event::QuestionAnswered { .. }
            | Event::QuestionExpired { .. }
            | Event::QuestionClosed { .. } => self.ask(event, at),
            Event::ApprovalGiven { by, way, comment, acknowledged, .. } => {
                // Of one person the newest counts.
                self.approvals.retain(|one| !one.by.is(by));
                let (by, comment) = (by.clone(), comment.clone());
                let acknowledged = acknowledged.clone();
                self.approvals.push(Approval { by, at, way: *way, comment, acknowledged });
            }
            Event::FiguresShown { figures, .. } => self.show(figures, at),
            Event::ApprovalWithdrawn { by, .. } => self.approvals.retain(|one| !one.by.is(by)),
            Event::AnswerRefused { .. }
            | Event::RunStarted { .. }
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
            | Event::AbortRequested { .. } => {}
        }
    }

    /// A mutation is about to leave.
    fn intend(&mut self, attempt: u32, (operation, target): (&str, &str), at: DateTime<Utc>) {
        self.first_intent_at.get_or_insert(at);
        let made_before = self.may_have_made;
        // An undo's mutation makes nothing.
        self.may_have_made |= self.status == StepStatus::Running;
        self.intent = Some(Intent {
            attempt,
            operation: operation.to_owned(),
            target: target.to_owned(),
            at,
            status: IntentStatus::Open,
            made_before,
        });
    }

    /// What the event that ends a step or its undo leaves behind.
    fn end(&mut self, event: &Event) {
        if let Event::StepSucceeded { outputs, adopted, observed, evidence, warnings, .. } = event {
            let warned = !warnings.is_empty();
            self.status = if warned { StepStatus::Warned } else { StepStatus::Succeeded };
            self.outputs = outputs.clone();
            self.adopted = *adopted;
            self.may_have_made |= *adopted;
            self.observed = observed.clone();
            self.evidence = evidence.clone();
            self.warnings = warnings.clone();
        } else if let Event::StepFailed { error, evidence, outputs, .. } = event {
            self.status = StepStatus::Failed;
            self.error = Some(error.clone());
            self.evidence = evidence.clone();
            self.outputs = outputs.clone();
        } else if let Event::StepSkipped { reason, .. } = event {
            self.status = StepStatus::Skipped;
            self.skip = Some(reason.clone());
        } else if let Event::UndoFailed { error, .. } = event {
            self.status = StepStatus::UndoFailed;
            self.undo_error = Some(error.clone());
            self.may_have_made = true;
        } else {
            (self.status, self.may_have_made) = (StepStatus::Undone, false);
        }
    }

    /// Notes in which form of the run `event` happened.
    pub(super) fn in_form(&mut self, event: &Event, form: Form) {
        if let Event::StepStarted { .. } = event {
            self.form = form;
        }
        self.asks_in(form);
    }

    /// Notes the form of the run beside the open question, if there is one.
    pub(super) fn asks_in(&mut self, form: Form) {
        if let Some(question) = &mut self.question {
            question.form = form;
        }
    }

    /// The approval of `person`, if it counts.
    pub fn approval_of(&self, person: &Person) -> Option<&Approval> {
        self.approvals.iter().find(|one| one.by.is(person))
    }

    /// How often the step (or its undo) has tried since it began, or since an operator asked for more; of
    /// what is done in parts, how often in a row without getting on.
    pub fn tries(&self) -> u32 {
        if self.in_parts {
            return self.failed_tries;
        }
        self.last_try().saturating_sub(self.tries_before)
    }

    /// The number of the last try; 0 before the first.
    pub fn last_try(&self) -> u32 {
        self.intent.as_ref().map_or(0, |intent| intent.attempt)
    }

    /// The process that tried has ended: a try without an answer is not one that failed, so that a step with
    /// one try has it still.
    pub(super) fn cut_off(&mut self) {
        if self.has_open_intent() {
            self.tries_before += 1;
        }
    }

    fn settle(&mut self, status: IntentStatus) {
        self.failed_tries = match status {
            IntentStatus::Accepted => 0,
            IntentStatus::Refused | IntentStatus::InDoubt => self.failed_tries + 1,
            IntentStatus::Open => self.failed_tries,
        };
        if let Some(intent) = &mut self.intent {
            intent.status = status;
        }
    }

    /// What a question, its answer or its end changes.
    fn ask(&mut self, event: &Event, at: DateTime<Utc>) {
        self.question = None;
        self.expired = matches!(event, Event::QuestionExpired { .. });
        if let Event::QuestionAsked { question, choices, error, gate, consequences, .. } = event {
            let (question, choices) = (question.clone(), choices.clone());
            let (error, gate) = (error.clone(), gate.clone());
            self.gate = gate.clone().map(|gate| (gate, at)).or(self.gate.take());
            self.approvals.clear();
            let consequences = consequences.clone();
            self.question = Some(Question {
                question,
                choices,
                error,
                gate,
                consequences,
                asked_at: at,
                form: Form::default(),
                figures: Vec::new(),
                figures_at: None,
            });
        } else if let Event::QuestionAnswered { answer, operator, way, comment, identity, .. } =
            event
        {
            self.answer = Some(answer.clone());
            self.answered_by = Some(operator.clone());
            self.answered_identity = identity.clone();
            self.answered_at = Some(at);
            (self.answer_way, self.comment) = (*way, comment.clone());
            self.retry_if(answer);
        }
    }

    fn retry_if(&mut self, answer: &str) {
        if answer == RETRY {
            self.retries = 0;
            // A refused mutation had no effect, so its tries may start anew; anything else may have
            // left something behind and stays known.
            self.intent.take_if(|intent| intent.status == IntentStatus::Refused);
        } else if answer == REPEAT {
            self.settle(IntentStatus::Refused);
        } else {
            return;
        }
        (self.tries_before, self.failed_tries) = (self.last_try(), 0);
    }
}
