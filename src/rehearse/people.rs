//! The people of a rehearsal: they answer as the scenario says, at once or never.
//!
//! **Invariant:** whether something was done of which drctl knows nothing, they answer truthfully.

use super::scenario::Answers;
use crate::base::ids::StepKey;
use crate::engine::Reply;
use crate::journal::fold::{AnswerWay, DONE, IntentStatus, Question, REPEAT, RunState};
use crate::plan::model::{Plan, Trace};
use crate::runner::Operator;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Somebody who answers as a scenario says.
#[derive(Debug)]
pub(super) struct Scripted {
    answers: Answers,
    /// Steps in doubt whose effect took place.
    done: BTreeSet<StepKey>,
    /// Steps whose failure was answered with `retry`.
    retried: Mutex<BTreeSet<StepKey>>,
}

impl Scripted {
    /// For a process that takes up `state`, after `effects` beside AWS took place.
    pub(super) fn new(answers: Answers, plan: &Plan, state: &RunState, effects: &[String]) -> Self {
        let mut retried = BTreeSet::new();
        let mut done = BTreeSet::new();
        for step in &plan.steps {
            let Some(found) = state.steps.get(&step.key) else { continue };
            if found.answer.as_deref() == Some("retry") {
                retried.insert(step.key.clone());
            }
            let Some(intent) = found.intent.as_ref().filter(|_| step.trace == Trace::Answered)
            else {
                continue;
            };
            let ours = effects.iter().filter(|effect| effect.ends_with(&intent.target)).count();
            let open = matches!(intent.status, IntentStatus::Open | IntentStatus::InDoubt);
            if open && ours >= usize::try_from(intent.attempt).unwrap_or(usize::MAX) {
                done.insert(step.key.clone());
            }
        }
        Self { answers, done, retried: Mutex::new(retried) }
    }

    fn after_failure(&self, step: &StepKey) -> &'static str {
        let mut retried = self.retried.lock().unwrap_or_else(PoisonError::into_inner);
        match self.answers {
            Answers::Retry if retried.insert(step.clone()) => "retry",
            Answers::Continue => "continue",
            Answers::Undo => "undo",
            Answers::Skip => "skip",
            Answers::Approve
            | Answers::Reject
            | Answers::Nobody
            | Answers::Retry
            | Answers::Pause
            | Answers::Switch
            | Answers::Abort
            | Answers::AbortUndo => "stop",
        }
    }
}

#[async_trait]
impl Operator for Scripted {
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        if question.gate.is_some() {
            // Whoever decides posts it; nobody sits at this terminal.
            return std::future::pending().await;
        }
        let doubt = question.choices.iter().any(|choice| choice == DONE);
        let answer = match (doubt, self.done.contains(step)) {
            (true, true) => DONE,
            (true, false) => REPEAT,
            (false, _) => self.after_failure(step),
        };
        let found = question.choices.iter().find(|choice| *choice == answer);
        let answer = found.or_else(|| question.choices.first())?.clone();
        let comment = Some("of a rehearsal".to_owned());
        Some(Reply { answer, way: AnswerWay::Terminal, comment, acknowledged: None })
    }
}
