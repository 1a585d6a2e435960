//! The end of a run: its outcome, and the score of its prediction.
//!
//! **Invariant:** an outcome follows from the steps alone; skipped is not succeeded, and a prediction
//! that could not be compared is not counted.

use super::effect::Effect;
use super::machine::Machine;
use crate::journal::event::{ErrorKind, Event, RunOutcome, SkipReason};
use crate::journal::fold::{IntentStatus, RunState, StepState, StepStatus};
use crate::plan::model::{Answer, Plan, PlannedStep, Trace};

impl Machine {
    pub(super) fn finish(&mut self) {
        if self.state.score.is_none() {
            let PredictionScore { held, total, wrong } = score(&self.plan, &self.state);
            self.emit(Event::PredictionScored { held, total, wrong });
        }
        let outcome = self.outcome();
        self.emit(Event::RunFinished { outcome });
        self.effect(Effect::Halt);
    }

    fn outcome(&self) -> RunOutcome {
        let steps = || self.plan.steps.iter().map(|step| &self.state.steps[&step.key]);
        let any = |status: StepStatus| steps().any(|step| step.status == status);
        let rejected = self.plan.steps.iter().any(|step| self.was_rejected(&step.key));
        if self.state.aborting.is_some() || rejected {
            RunOutcome::Aborted
        } else if any(StepStatus::UndoFailed) {
            RunOutcome::Failed
        } else if self.undo_frames().iter().any(String::is_empty) && any(StepStatus::Undone) {
            RunOutcome::Undone
        } else if steps().any(|step| step.error.is_some()) {
            RunOutcome::Failed
        } else if any(StepStatus::Warned) || steps().any(skipped_for_want) {
            RunOutcome::Warned
        } else {
            RunOutcome::Succeeded
        }
    }
}

/// Skipped although its condition did not say so.
fn skipped_for_want(step: &StepState) -> bool {
    match &step.skip {
        None | Some(SkipReason::Condition { .. }) => false,
        Some(
            SkipReason::Upstream { .. }
            | SkipReason::Stopped { .. }
            | SkipReason::Operator { .. }
            | SkipReason::Aborted { .. }
            | SkipReason::Nothing { .. },
        ) => true,
    }
}

/// How well a prediction held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PredictionScore {
    /// Predictions that held.
    pub held: u32,
    /// Predictions that could be compared.
    pub total: u32,
    /// `step.field: predicted X, saw Y`.
    pub wrong: Vec<String>,
}

impl PredictionScore {
    fn count(&mut self, wrong: Option<String>) {
        self.total += 1;
        match wrong {
            None => self.held += 1,
            Some(text) => self.wrong.push(text),
        }
    }
}

/// Compares the plan's predictions with what the journal says was seen.
pub(super) fn score(plan: &Plan, state: &RunState) -> PredictionScore {
    let mut score = PredictionScore::default();
    let rejected = |step: &StepState| {
        step.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Rejected)
    };
    let rejected = state.steps.values().any(rejected);
    for step in &plan.steps {
        let Some(found) = state.steps.get(&step.key) else { continue };
        let taken_back = matches!(found.status, StepStatus::Undone | StepStatus::UndoFailed);
        if rejected && (found.skip.is_some() || taken_back) {
            // A plan predicts the world, not what a person decides.
            continue;
        }
        score_answer(step, found, &mut score);
        if found.observed.is_empty() {
            continue;
        }
        for (name, predicted) in &step.preview.predictions {
            let seen = found.observed.get(name);
            let wrong = (seen != Some(predicted)).then(|| {
                let seen = seen.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                format!("{}.{name}: predicted {predicted}, saw {seen}", step.key)
            });
            score.count(wrong);
        }
    }
    score
}

fn score_answer(step: &PlannedStep, found: &StepState, score: &mut PredictionScore) {
    let (word, wanted) = match &step.preview.answer {
        Answer::Will => ("WILL", true),
        Answer::Wont { .. } => ("WONT", false),
        Answer::CannotKnow { .. } => return,
    };
    let Some(reached) = reached(step, found) else { return };
    let ended = if found.status.is_success() && !reached {
        "was not sent".to_owned()
    } else {
        format!("ended {}", found.status.name())
    };
    score.count((reached != wanted).then(|| format!("{}: predicted {word}, {ended}", step.key)));
}

/// Whether the step did what it is for; `None` when nobody knows. A notice fails nothing, so that its
/// status does not say whether it was sent.
fn reached(step: &PlannedStep, found: &StepState) -> Option<bool> {
    let succeeded = found.status.is_success();
    if step.trace != Trace::BestEffort || !succeeded {
        return Some(succeeded);
    }
    match found.intent.as_ref().map(|intent| intent.status) {
        Some(IntentStatus::Accepted) => Some(true),
        Some(IntentStatus::Refused) | None => Some(false),
        Some(IntentStatus::Open | IntentStatus::InDoubt) => None,
    }
}
