//! What may start, what is skipped, what is undone, and when the run is over.
//!
//! **Invariant:** a step that did not run says why; root causes are named, not their consequences.

use super::effect::{Effect, Part};
use super::form::left_out_by_form;
use super::machine::{Live, Machine};
use super::undo::undo_plan;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, SkipReason};
use crate::journal::fold::{CONTINUE, StepStatus, UNDO};
use crate::plan::model::{OnFailure, PlannedStep};
use crate::plan::refers_to;

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
        while !self.is_paused() && self.decide_once() {}
        if self.only_people_are_left() {
            self.halting = Some("question".to_owned());
            return self.halt_when_quiet();
        }
        // In a pause undos may still be due.
        let quiet = self.live.is_empty() && !self.is_paused();
        if quiet && self.halting.is_none() && self.all_over() {
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
        let unmet = step.needs.iter().find(|key| self.serves(key, step) == Some(false));
        let reason = match (&self.state.aborting, stopped_by, unmet) {
            (Some(abort), _, _) => SkipReason::Aborted { operator: abort.by.operator.clone() },
            (None, _, Some(need)) => SkipReason::Upstream { step: need.clone() },
            (None, Some(cause), None) => SkipReason::Stopped { step: cause.clone() },
            (None, None, None) => {
                if step.needs.iter().all(|key| self.serves(key, step) == Some(true)) {
                    self.start(&step.key, Part::Forward);
                }
                return;
            }
        };
        self.emit(Event::StepSkipped { step: step.key.clone(), reason });
    }

    /// Whether `need` ended so that `step` can go on: it succeeded, or it was left out by a
    /// person or by the form of the run, `step` does not refer to it, and what it waited for serves. `None` while that is open.
    fn serves(&self, need: &StepKey, step: &PlannedStep) -> Option<bool> {
        let found = &self.state.steps[need];
        if !found.status.is_over() {
            return None;
        }
        if found.status.is_success() {
            return Some(true);
        }
        let skipped = matches!(found.skip, Some(SkipReason::Operator { .. }))
            || left_out_by_form(self.step(need), found.skip.as_ref());
        if !skipped || refers_to(step, need.id()) {
            return Some(false);
        }
        let further: Vec<Option<bool>> =
            self.step(need).needs.iter().map(|further| self.serves(further, step)).collect();
        // One that never serves decides, then one that is open.
        match further.contains(&Some(false)) {
            true => Some(false),
            false => further.iter().all(Option::is_some).then_some(true),
        }
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
            self.has_failed(&step.key) && !step.always && !goes_on
        };
        self.plan.steps.iter().find(stops).map(|step| step.key.clone())
    }

    /// Whether the step failed; it may have been undone since.
    pub(super) fn has_failed(&self, key: &StepKey) -> bool {
        self.state.steps[key].error.is_some()
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
            Some(CONTINUE) => OnFailure::Continue,
            Some(UNDO) => OnFailure::Undo,
            _ => OnFailure::Stop,
        }
    }

    /// Whether a failure or an abort asks for what was done to be undone.
    pub(super) fn undo_wanted(&self) -> bool {
        let aborted = self.state.aborting.as_ref().is_some_and(|abort| abort.undo);
        let failed = self.agenda.is_troubled()
            && self
                .plan
                .steps
                .iter()
                .any(|step| self.has_failed(&step.key) && self.policy(step) == OnFailure::Undo);
        aborted || failed
    }

    fn undo_pending(&self) -> bool {
        self.undo_wanted() && !undo_plan(&self.plan, &self.state).undo.is_empty()
    }

    /// Starts the undos that have nothing to wait for, once no step of the run is in flight.
    fn undo_next(&mut self) {
        let forward = |step: &StepKey| self.status(step) != StepStatus::Undoing;
        if !self.undo_wanted() || self.live.keys().any(forward) {
            return;
        }
        let ready = undo_plan(&self.plan, &self.state).undo.into_iter().next().unwrap_or_default();
        for step in ready {
            if self.status(&step) != StepStatus::Undoing {
                self.emit(Event::UndoStarted { step: step.clone() });
                self.start(&step, Part::Undo);
            }
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
