//! What may start, what is skipped, what is undone, and when the run is over.
//!
//! **Invariant:** a step that did not run says why; root causes are named, not their consequences.

use super::effect::{Effect, Part};
use super::form::left_out_by_form;
use super::machine::{Live, Machine};
use super::undo::undo_plan_within;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, SkipReason};
use crate::journal::fold::{CONTINUE, StepStatus, UNDO};
use crate::plan::depends_on;
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
        let stops = self.stops();
        let due = self.agenda.take().into_iter().map(|place| &self.plan.steps[place]);
        let pending: Vec<PlannedStep> = due
            .filter(|step| self.status(&step.key) == StepStatus::Pending)
            .filter(|step| !self.live.contains_key(&step.key))
            .cloned()
            .collect();
        for step in pending {
            let stopped_by = stops.iter().find(|(frame, _)| step.key.is_within(frame));
            self.decide_step(&step, stopped_by.map(|(_, cause)| cause));
        }
        self.undo_next();
        self.state.last_seq != before
    }

    fn decide_step(&mut self, step: &PlannedStep, stopped_by: Option<&StepKey>) {
        let ended = |key: &StepKey| self.status(key).is_over();
        if step.always {
            if step.needs.iter().all(ended) && !self.undo_pending(step.key.frame()) {
                match self.never_entered(step) {
                    None => self.start(&step.key, Part::Forward),
                    Some(reason) => {
                        self.emit(Event::StepSkipped { step: step.key.clone(), reason })
                    }
                }
            }
            return;
        }
        if !step.children.is_empty() {
            return self.decide_call(step, stopped_by);
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
    pub(super) fn serves(&self, need: &StepKey, step: &PlannedStep) -> Option<bool> {
        let found = &self.state.steps[need];
        if !found.status.is_over() {
            return None;
        }
        if found.status.is_success() {
            return Some(true);
        }
        let skipped = matches!(found.skip, Some(SkipReason::Operator { .. }))
            || left_out_by_form(&self.plan, &self.state, self.step(need));
        if !skipped || depends_on(&self.plan.calls, step, need) {
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

    pub(super) fn start(&mut self, step: &StepKey, part: Part) {
        self.live.insert(step.clone(), Live::Beginning);
        self.effect(Effect::Begin { step: step.clone(), part });
    }

    /// Failed steps whose policy stops the run, or the call that they stand in, with what they stop.
    fn stops(&self) -> Vec<(String, StepKey)> {
        if !self.agenda.is_troubled() {
            return Vec::new();
        }
        let failed =
            self.plan.steps.iter().filter(|step| self.has_failed(&step.key) && !step.always);
        failed
            .filter_map(|step| {
                let rejected = self.was_rejected(&step.key);
                if self.policy(step) == OnFailure::Continue && !rejected {
                    return None;
                }
                Some((self.reach(step).to_owned(), step.key.clone()))
            })
            .collect()
    }

    /// What the failure of the step ends or undoes: the call that it stands in, as a run of its own; where a
    /// person decided it, the whole run.
    fn reach<'a>(&self, step: &'a PlannedStep) -> &'a str {
        let decided = self.was_rejected(&step.key)
            || (step.on_failure == OnFailure::Ask && self.state.steps[&step.key].answer.is_some());
        if decided { "" } else { step.key.frame() }
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
    pub(super) fn policy(&self, step: &PlannedStep) -> OnFailure {
        if step.on_failure != OnFailure::Ask {
            return step.on_failure;
        }
        match self.state.steps[&step.key].answer.as_deref() {
            Some(CONTINUE) => OnFailure::Continue,
            Some(UNDO) => OnFailure::Undo,
            _ => OnFailure::Stop,
        }
    }

    /// Calls whose steps are undone because of a failure; the empty one is the whole run, also by an abort.
    pub(super) fn undo_frames(&self) -> Vec<String> {
        let aborted = self.state.aborting.as_ref().is_some_and(|abort| abort.undo);
        if aborted {
            return vec![String::new()];
        }
        if !self.agenda.is_troubled() {
            return Vec::new();
        }
        let wants = |step: &&PlannedStep| {
            self.has_failed(&step.key) && self.policy(step) == OnFailure::Undo
        };
        let found = self.plan.steps.iter().filter(wants);
        found.map(|step| self.reach(step).to_owned()).collect()
    }

    /// Whether undos are still due that a clean-up in the call `frame` has to wait for.
    fn undo_pending(&self, frame: &str) -> bool {
        let frames = self.undo_frames();
        if frames.is_empty() {
            return false;
        }
        let found = undo_plan_within(&self.plan, &self.state, &frames);
        found.steps().any(|step| step.is_within(frame))
    }

    /// Starts the undos that have nothing to wait for, once no step that they concern is in flight.
    fn undo_next(&mut self) {
        let frames = self.undo_frames();
        let concerned = |step: &StepKey| frames.iter().any(|frame| step.is_within(frame));
        let forward = |step: &StepKey| self.status(step) != StepStatus::Undoing && concerned(step);
        if frames.is_empty() || self.live.keys().any(forward) {
            return;
        }
        let found = undo_plan_within(&self.plan, &self.state, &frames);
        let ready = found.undo.into_iter().next().unwrap_or_default();
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
