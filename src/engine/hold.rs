//! Pauses and aborts: what they do to steps under way.
//!
//! **Invariant:** after a pause nothing begins and nothing acts until the run continues; after an abort no
//! step begins but undos and clean-up. What was asked of AWS is never forgotten, only looked at.

use super::effect::SeenDone;
use super::machine::{Live, Machine};
use super::policy::SETTLE;
use crate::base::clock::between;
use crate::base::ids::StepKey;
use crate::journal::Person;
use crate::journal::event::{ErrorKind, ErrorRecord, Event};
use crate::journal::fold::{Intent, IntentStatus, StepState, StepStatus};

impl Machine {
    /// Whether the run is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.state.paused.is_some()
    }

    pub(super) fn pause(&mut self, by: Person, reason: Option<String>) {
        self.emit(Event::RunPaused { by, reason });
        for step in self.beginning() {
            self.let_go(&step);
        }
    }

    /// Steps that are about to begin and have not.
    pub(super) fn beginning(&self) -> Vec<StepKey> {
        let begins = |(step, live): (&StepKey, &Live)| {
            let pending = *live == Live::Beginning && self.status(step) == StepStatus::Pending;
            pending.then(|| step.clone())
        };
        self.live.iter().filter_map(begins).collect()
    }

    /// Ends the pause. What was held back is looked at now: it may act after that.
    pub(super) fn resume_work(&mut self, by: Person) {
        self.emit(Event::RunContinued { by });
        for step in self.looking() {
            self.look_now(&step);
        }
    }

    pub(super) fn looking(&self) -> Vec<StepKey> {
        let looks =
            |(step, live): (&StepKey, &Live)| (*live == Live::Observing).then(|| step.clone());
        self.live.iter().filter_map(looks).collect()
    }

    /// Ends the run: what has not begun never will, questions need no answer, and what is under way is
    /// looked at once more.
    pub(super) fn abort(&mut self, by: Person, reason: Option<String>, undo: bool) {
        self.emit(Event::AbortRequested { by, reason, undo });
        let flying: Vec<(StepKey, Live)> = self
            .live
            .iter()
            .filter(|(step, _)| self.ends_by_abort(step))
            .map(|(step, live)| (step.clone(), *live))
            .collect();
        for (step, live) in flying {
            match live {
                Live::Beginning if self.status(&step) == StepStatus::Pending => self.let_go(&step),
                // Its look follows; an act is waited for.
                Live::Beginning | Live::Acting => {}
                Live::Observing => self.look_now(&step),
                Live::Asking => self.end_asking(&step),
                Live::Weighing if self.state.steps[&step].question.is_some() => {
                    self.end_asking(&step);
                }
                Live::Weighing => {
                    self.let_go(&step);
                    let error = self.aborted_error("reading what is at stake");
                    self.end_in_failure(&step, error);
                }
            }
        }
    }

    /// Whether an abort ends this step: not what cleans up, and not what is being undone.
    fn ends_by_abort(&self, step: &StepKey) -> bool {
        let under_way = match self.status(step) {
            StepStatus::Pending | StepStatus::Running => true,
            StepStatus::Undoing
            | StepStatus::Succeeded
            | StepStatus::Warned
            | StepStatus::Failed
            | StepStatus::Skipped
            | StepStatus::Undone
            | StepStatus::UndoFailed => false,
        };
        self.state.aborting.is_some() && under_way && !self.step(step).always
    }

    fn end_asking(&mut self, step: &StepKey) {
        let question = self.state.steps[step].question.clone().expect("it asks");
        self.close_question(step);
        let error = question.error.unwrap_or_else(|| self.aborted_error("waiting for a decision"));
        self.end_in_failure(step, error);
    }

    /// Ends a step under way that an abort ends, once it is known what there is: `state` in words.
    /// Whether it did.
    pub(super) fn ended_by_abort(&mut self, step: &StepKey, state: &str) -> bool {
        if !self.ends_by_abort(step) {
            return false;
        }
        let error = self.aborted_error(state);
        self.fail(step, error, SeenDone::default());
        true
    }

    fn aborted_error(&self, state: &str) -> ErrorRecord {
        let abort = self.state.aborting.as_ref().expect("called while aborting");
        let reason = abort.reason.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        ErrorRecord {
            kind: ErrorKind::Rejected,
            message: format!("aborted by {} while {state}{reason}", abort.by),
            code: None,
            help: None,
        }
    }

    /// Whether what the last mutation of the step (or of its undo) asked for may be there although nobody
    /// sees it yet.
    pub(super) fn may_still_appear(&self, step: &StepKey) -> bool {
        let found = &self.state.steps[step];
        self.leaves_a_trace(step) && !found.in_parts && self.is_fresh(found.intent.as_ref())
    }

    /// Whether an undo or a clean-up finds nothing to remove only because nobody sees yet what a step that
    /// did not succeed asked for. What was seen once and is gone now is gone.
    pub(super) fn may_appear_after_all(&self, step: &StepKey) -> bool {
        let (planned, found) = (self.step(step), &self.state.steps[step]);
        let gave_up = |maker: &StepState| maker.error.is_some() || maker.skip.is_some();
        if found.status == StepStatus::Undoing {
            let unseen = gave_up(found) && found.intent.is_none() && !found.in_parts;
            return unseen && self.is_fresh(found.forward_intent.as_ref());
        }
        let unseen = |need: &StepKey| {
            let maker = &self.state.steps[need];
            let asked = maker.forward_intent.as_ref().or(maker.intent.as_ref());
            let blind = gave_up(maker) && maker.may_have_made && maker.last_state.is_none();
            blind && self.leaves_a_trace(need) && self.is_fresh(asked)
        };
        planned.always && !planned.check && planned.needs.iter().any(unseen)
    }

    fn is_fresh(&self, intent: Option<&Intent>) -> bool {
        intent.is_some_and(|intent| {
            intent.status != IntentStatus::Refused && between(intent.at, self.now) < SETTLE
        })
    }
}
