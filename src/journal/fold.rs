//! The state of a run: what its journal adds up to.
//!
//! **Invariant:** pure and total. Every record is either legal here or a typed error that changes
//! nothing; folding any prefix of a legal journal succeeds.

use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey};
pub use crate::journal::control::{Abort, Pause, Switch};
use crate::journal::event::{Event, Record, RunOutcome};
pub use crate::journal::intent::{Intent, IntentStatus};
pub use crate::journal::legality::StepProblem;
pub use crate::journal::question::{
    APPROVE, AnswerWay, Approval, CONTINUE, ChoiceRecord, Consequence, DONE, FAILED, GateRecord,
    Question, REJECT, REPEAT, RETRY, SKIP, STOP, UNDO,
};
pub use crate::journal::step_state::{StepState, StepStatus};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a journal adds up to. The default is the state before the first record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunState {
    /// The run; `None` before it began.
    pub run: Option<RunId>,
    /// The plan as embedded.
    pub plan: Json,
    /// Digest of the plan.
    pub plan_digest: String,
    /// Version of drctl that started the run.
    pub tool: String,
    /// Everybody who started or resumed it, each once, in order.
    pub operators: Vec<String>,
    /// All steps of the plan.
    pub steps: BTreeMap<StepKey, StepState>,
    /// How many processes took the run up.
    pub attempts: u32,
    /// How it ended.
    pub finished: Option<RunOutcome>,
    /// Why the last process stopped early; `None` once another took the run up.
    pub interrupted: Option<String>,
    /// How well the prediction held.
    pub score: Option<Score>,
    /// Who paused the run, and since when; `None` while it is not paused.
    pub paused: Option<Pause>,
    /// When the last pause ended: from then on the time of steps under way counts anew.
    pub continued_at: Option<DateTime<Utc>>,
    /// The form of the run now.
    pub form: Form,
    /// Who switched it last; `None` while it is the one that the run began in.
    pub switched: Option<Switch>,
    /// Who ends the run, and how.
    pub aborting: Option<Abort>,
    /// Commands of the inbox that were used, by id: why it was refused, or `None` when it was taken.
    pub commands: BTreeMap<String, Option<String>>,
    /// When the run began.
    pub started_at: Option<DateTime<Utc>>,
    /// Wall time of the last record.
    pub last_at: Option<DateTime<Utc>>,
    /// The run's own clock at the last record, milliseconds.
    pub last_run_ms: u64,
    /// Position of the last record.
    pub last_seq: u64,
    /// Fencing number of the last record.
    pub fence: u64,
}

/// How well a prediction held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// Predictions that held.
    pub held: u32,
    /// Predictions that could be compared.
    pub total: u32,
    /// The others, in words.
    pub wrong: Vec<String>,
}

/// A record that cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} ({kind}) cannot follow: {problem}; this journal or this drctl has a defect")]
pub struct FoldError {
    /// Its position.
    pub seq: u64,
    /// Its type.
    pub kind: &'static str,
    /// Why not.
    pub problem: FoldProblem,
}

/// Why a record cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldProblem {
    /// Its number does not continue.
    #[error("event {expected} is due")]
    Sequence {
        /// The number that is due.
        expected: u64,
    },
    /// It was written under an older lease than the record before it.
    #[error("it was written under lease {found} after lease {last}")]
    Fence {
        /// The last number.
        last: u64,
        /// Its number.
        found: u64,
    },
    /// The run has not begun.
    #[error("the run has not begun")]
    NotStarted,
    /// The run has begun already.
    #[error("the run has begun already")]
    StartedTwice,
    /// No process has taken the run up since it began or was interrupted.
    #[error("no process has taken the run up")]
    NobodyAtWork,
    /// The processes are not counted one by one.
    #[error("attempt {expected} is due")]
    Attempt {
        /// The number that is due.
        expected: u32,
    },
    /// The run has ended.
    #[error("the run has ended")]
    Finished,
    /// A run ends when its steps have ended, unless somebody stopped it.
    #[error("step {0} has not ended")]
    Unfinished(StepKey),
    /// The prediction was scored before.
    #[error("the prediction was scored before")]
    ScoredTwice,
    /// The command was used before.
    #[error("command {0} was used before")]
    UsedTwice(String),
    /// The run is paused: nothing begins and nothing acts.
    #[error("the run is paused")]
    Paused,
    /// The run is not paused.
    #[error("the run is not paused")]
    NotPaused,
    /// The run has another form than the one that is switched from, or the one that is switched to.
    #[error("the run's form is {0}")]
    Form(Form),
    /// The run is being aborted, as far as is wanted now.
    #[error("the run is being aborted already")]
    AbortedTwice,
    /// The plan has no such step.
    #[error("the plan has no step {0}")]
    UnknownStep(StepKey),
    /// The plan's steps cannot be read.
    #[error("the plan's steps cannot be read: {0}")]
    Plan(String),
    /// A new plan has no step that has begun.
    #[error("step {0} has begun, and the new plan has no such step")]
    Begun(StepKey),
    /// It cannot follow what is known of its step.
    #[error("step {step}: {problem}")]
    Step {
        /// The step.
        step: StepKey,
        /// Why not.
        problem: StepProblem,
    },
}

impl RunState {
    /// Folds a whole journal.
    ///
    /// # Errors
    /// The first record that cannot follow.
    pub fn fold(records: &[Record]) -> Result<Self, FoldError> {
        let mut state = Self::default();
        records.iter().try_for_each(|record| state.apply(record))?;
        Ok(state)
    }

    /// Takes one more record.
    ///
    /// # Errors
    /// When it cannot follow; nothing has changed then.
    pub fn apply(&mut self, record: &Record) -> Result<(), FoldError> {
        self.check(record).and_then(|()| self.change(record)).map_err(|problem| FoldError {
            seq: record.seq,
            kind: record.event.kind(),
            problem,
        })?;
        self.last_seq = record.seq;
        self.last_at = Some(record.at);
        self.last_run_ms = record.run_ms;
        self.fence = record.fence;
        Ok(())
    }

    /// Open questions by step.
    pub fn questions(&self) -> impl Iterator<Item = (&StepKey, &Question)> {
        self.steps.iter().filter_map(|(key, step)| Some((key, step.question.as_ref()?)))
    }

    /// Checks what concerns the run; what concerns one step is checked where it is changed.
    fn check(&self, record: &Record) -> Result<(), FoldProblem> {
        let expected = self.last_seq + 1;
        if record.seq != expected {
            return Err(FoldProblem::Sequence { expected });
        }
        if record.fence < self.fence {
            return Err(FoldProblem::Fence { last: self.fence, found: record.fence });
        }
        match (&record.event, self.run.is_some()) {
            (Event::RunStarted { .. }, false) => return Ok(()),
            (Event::RunStarted { .. }, true) => return Err(FoldProblem::StartedTwice),
            (_, false) => return Err(FoldProblem::NotStarted),
            (_, true) => {}
        }
        if self.finished.is_some() {
            return Err(FoldProblem::Finished);
        }
        if let Event::AttemptStarted { attempt, .. } = record.event {
            let expected = self.attempts + 1;
            let problem = FoldProblem::Attempt { expected };
            return if attempt == expected { Ok(()) } else { Err(problem) };
        }
        let at_work = self.attempts > 0 && self.interrupted.is_none();
        if at_work { Ok(()) } else { Err(FoldProblem::NobodyAtWork) }
    }

    fn change(&mut self, record: &Record) -> Result<(), FoldProblem> {
        match &record.event {
            Event::RunStarted { run, plan, plan_digest, operator, tool, form } => {
                self.steps = pending_steps(plan)?;
                self.run = Some(run.clone());
                self.plan = plan.clone();
                self.plan_digest = plan_digest.clone();
                self.tool = tool.clone();
                self.form = *form;
                self.operators = vec![operator.clone()];
                self.started_at = Some(record.at);
            }
            Event::AttemptStarted { attempt, operator } => {
                self.attempts = *attempt;
                self.interrupted = None;
                self.steps.values_mut().for_each(StepState::cut_off);
                if !self.operators.contains(operator) {
                    self.operators.push(operator.clone());
                }
            }
            Event::RunInterrupted { reason } => self.interrupted = Some(reason.clone()),
            Event::RunFinished { outcome } => self.finish(*outcome)?,
            Event::PredictionScored { held, total, wrong } => {
                if self.score.is_some() {
                    return Err(FoldProblem::ScoredTwice);
                }
                self.score = Some(Score { held: *held, total: *total, wrong: wrong.clone() });
            }
            Event::PlanChanged { plan, plan_digest, .. } => self.replan(plan, plan_digest)?,
            Event::PlanKept { .. } => {}
            Event::CommandTaken { .. }
            | Event::CommandRefused { .. }
            | Event::RunPaused { .. }
            | Event::RunContinued { .. }
            | Event::FormSwitched { .. }
            | Event::AbortRequested { .. } => self.control(record)?,
            Event::StepStarted { step, .. }
            | Event::IntentRecorded { step, .. }
            | Event::UndoStarted { step }
                if self.paused.is_some() && self.steps.contains_key(step) =>
            {
                return Err(FoldProblem::Paused);
            }
            Event::StepStarted { step, .. }
            | Event::IntentRecorded { step, .. }
            | Event::ActAccepted { step, .. }
            | Event::ActRefused { step, .. }
            | Event::ActInDoubt { step, .. }
            | Event::StepObserved { step, .. }
            | Event::StepRetried { step, .. }
            | Event::StepSucceeded { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::UndoStarted { step }
            | Event::UndoSucceeded { step }
            | Event::UndoFailed { step, .. }
            | Event::QuestionAsked { step, .. }
            | Event::QuestionAnswered { step, .. }
            | Event::AnswerRefused { step, .. }
            | Event::ApprovalGiven { step, .. }
            | Event::ApprovalWithdrawn { step, .. }
            | Event::FiguresShown { step, .. }
            | Event::QuestionClosed { step }
            | Event::QuestionExpired { step } => {
                self.change_step(step, record)?;
            }
        }
        Ok(())
    }

    fn change_step(&mut self, step: &StepKey, record: &Record) -> Result<(), FoldProblem> {
        let form = self.form;
        let unknown = || FoldProblem::UnknownStep(step.clone());
        let state = self.steps.get_mut(step).ok_or_else(unknown)?;
        let failed = |problem| FoldProblem::Step { step: step.clone(), problem };
        state.apply(&record.event, record.at).map_err(failed)?;
        state.in_form(&record.event, form);
        Ok(())
    }

    fn finish(&mut self, outcome: RunOutcome) -> Result<(), FoldProblem> {
        let open = self.steps.iter().find(|(_, step)| !step.status.is_over());
        match (open, outcome) {
            (None, _) | (Some(_), RunOutcome::Aborted) => self.finished = Some(outcome),
            (
                Some((key, _)),
                RunOutcome::Succeeded
                | RunOutcome::Warned
                | RunOutcome::Failed
                | RunOutcome::Undone,
            ) => return Err(FoldProblem::Unfinished(key.clone())),
        }
        Ok(())
    }
}

/// Every step of the plan, none of them begun.
pub(super) fn pending_steps(plan: &Json) -> Result<BTreeMap<StepKey, StepState>, FoldProblem> {
    let problem = |text: &str| FoldProblem::Plan(text.to_owned());
    let steps = plan["steps"].as_array().ok_or_else(|| problem("`steps` is not a list"))?;
    let mut states = BTreeMap::new();
    for step in steps {
        let key = step["key"].as_str().ok_or_else(|| problem("a step has no key"))?;
        if states.insert(StepKey::new(key), StepState::default()).is_some() {
            return Err(FoldProblem::Plan(format!("step {key} is there twice")));
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests;
