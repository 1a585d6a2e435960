//! What may start, what is skipped, what is undone, and when the run is over.
//!
//! **Invariant:** a step that did not run says why; root causes are named, not their consequences.

use super::effect::{Effect, Part};
use super::machine::{Live, Machine};
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, SkipReason};
use crate::journal::fold::StepStatus;
use crate::plan::model::{OnFailure, PlannedStep};

impl Machine {
    /// Moves everything that can move, until nothing does.
    pub(super) fn decide(&mut self) {
        if self.state.finished.is_some() {
            return;
        }
        if self.halting.is_some() {
            return self.halt_when_quiet();
        }
        self.settle_unanswered();
        while self.decide_once() {}
        if self.only_people_are_left() {
            self.halting = Some("question".to_owned());
            return self.halt_when_quiet();
        }
        if self.live.is_empty() && self.halting.is_none() && self.all_over() {
            self.finish();
        }
    }

    fn decide_once(&mut self) -> bool {
        let before = self.state.last_seq;
        let stopped_by = self.stopped_by();
        let due = self.agenda.take().into_iter().map(|place| &self.plan.steps[place]);
        let pending: Vec<PlannedStep> = due
            .filter(|step| self.status(&step.key) == StepStatus::Pending)
            .filter(|step| !self.live.contains_key(&step.key))
            .cloned()
            .collect();
        for step in pending {
            self.decide_step(&step, stopped_by.as_ref());
        }
        self.undo_next();
        self.state.last_seq != before
    }

    fn decide_step(&mut self, step: &PlannedStep, stopped_by: Option<&StepKey>) {
        let ended = |key: &StepKey| self.status(key).is_over();
        if step.always {
            if step.needs.iter().all(ended) && !self.undo_pending() {
                self.start(&step.key, Part::Forward);
            }
            return;
        }
        let unmet = step.needs.iter().find(|key| ended(key) && !self.status(key).is_success());
        let reason = match (stopped_by, unmet) {
            (_, Some(need)) => SkipReason::Upstream { step: need.clone() },
            (Some(cause), None) => SkipReason::Stopped { step: cause.clone() },
            (None, None) => {
                if step.needs.iter().all(|key| self.status(key).is_success()) {
                    self.start(&step.key, Part::Forward);
                }
                return;
            }
        };
        self.emit(Event::StepSkipped { step: step.key.clone(), reason });
    }

    fn start(&mut self, step: &StepKey, part: Part) {
        self.live.insert(step.clone(), Live::Beginning);
        self.effect(Effect::Begin { step: step.clone(), part });
    }

    /// The first failed step whose policy stops the run.
    fn stopped_by(&self) -> Option<StepKey> {
        if !self.agenda.is_troubled() {
            return None;
        }
        let stops = |step: &&PlannedStep| {
            let goes_on = self.policy(step) == OnFailure::Continue && !self.was_rejected(&step.key);
            self.status(&step.key) == StepStatus::Failed && !step.always && !goes_on
        };
        self.plan.steps.iter().find(stops).map(|step| step.key.clone())
    }

    /// Whether a person ended the run at this gate.
    pub(super) fn was_rejected(&self, key: &StepKey) -> bool {
        let error = self.state.steps[key].error.as_ref();
        error.is_some_and(|error| error.kind == ErrorKind::Rejected)
    }

    /// What happens because this step failed; for `ask`, what the operator answered.
    fn policy(&self, step: &PlannedStep) -> OnFailure {
        if step.on_failure != OnFailure::Ask {
            return step.on_failure;
        }
        match self.state.steps[&step.key].answer.as_deref() {
            Some("continue") => OnFailure::Continue,
            Some("undo") => OnFailure::Undo,
            _ => OnFailure::Stop,
        }
    }

    /// Whether a failure asks for what was done to be undone.
    pub(super) fn undo_wanted(&self) -> bool {
        self.agenda.is_troubled()
            && self.plan.steps.iter().any(|step| {
                self.status(&step.key) == StepStatus::Failed && self.policy(step) == OnFailure::Undo
            })
    }

    fn undo_candidates(&self) -> Vec<StepKey> {
        let mut done: Vec<&PlannedStep> = self
            .plan
            .steps
            .iter()
            .filter(|step| step.undo.is_some() && !step.always)
            .filter(|step| self.status(&step.key).is_success() || self.left_something(&step.key))
            .collect();
        // Steps of one instant stay in the plan's order, so that nothing is undone before what needs it.
        done.sort_by_key(|step| self.state.steps[&step.key].started_at);
        done.reverse();
        done.into_iter().map(|step| step.key.clone()).collect()
    }

    /// A failed step that had asked AWS to make something may have left it behind.
    fn left_something(&self, key: &StepKey) -> bool {
        self.status(key) == StepStatus::Failed && self.state.steps[key].first_intent_at.is_some()
    }

    fn undo_pending(&self) -> bool {
        self.undo_wanted()
            && (!self.undo_candidates().is_empty()
                || self.plan.steps.iter().any(|step| self.status(&step.key) == StepStatus::Undoing))
    }

    /// Starts the next undo once nothing else is in flight: newest first, one at a time.
    fn undo_next(&mut self) {
        if !self.undo_wanted() || !self.live.is_empty() {
            return;
        }
        if let Some(step) = self.undo_candidates().into_iter().next() {
            self.emit(Event::UndoStarted { step: step.clone() });
            self.start(&step, Part::Undo);
        }
    }

    fn all_over(&self) -> bool {
        // From the end, where a step that is not over is found soonest.
        self.plan.steps.iter().rev().all(|step| self.status(&step.key).is_over())
    }

    pub(super) fn status(&self, key: &StepKey) -> StepStatus {
        self.state.steps[key].status
    }

    /// Once no mutation is in flight, says that the run stops here. Looks that are in flight may be
    /// dropped: resuming looks again.
    fn halt_when_quiet(&mut self) {
        let acting = self.live.values().any(|live| *live == Live::Acting);
        if acting || self.state.interrupted.is_some() {
            return;
        }
        let reason = self.halting.clone().expect("called while halting");
        self.emit(Event::RunInterrupted { reason });
        self.effect(Effect::Halt);
    }
}
