//! One step from its beginning to its end.
//!
//! **Invariant:** observe, act, observe. An intent is recorded in the turn that asks for the act, and
//! nothing counts as done that was not seen.

use super::effect::{ActFailure, Begun, Effect, Part, Seen, SeenDone};
use super::machine::{Live, Machine};
use super::outlook::CHOICES;
use super::policy::{AFTER_ACT, SETTLE, WHILE_PAUSED, backoff};
use crate::base::clock::between;
use crate::base::duration;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, ErrorRecord, Event, SkipReason};
use crate::journal::fold::{IntentStatus, StepStatus};
use crate::plan::model::{OnFailure, Trace};
use serde_json::Value as Json;
use std::time::Duration;

impl Machine {
    pub(super) fn begun(&mut self, step: &StepKey, begun: Begun) {
        self.landed(step, Live::Beginning);
        match begun {
            Begun::Run { inputs, intent } => {
                self.intents.insert(step.clone(), intent);
                if self.state.steps[step].status == StepStatus::Pending {
                    self.emit(Event::StepStarted { step: step.clone(), inputs });
                }
                self.look(step, Duration::ZERO);
            }
            Begun::Skip { when } => self.skip(step, SkipReason::Condition { when }),
            Begun::Nothing { because } => self.skip(step, SkipReason::Nothing { why: because }),
            Begun::Failed(error) => {
                if self.state.steps[step].status == StepStatus::Pending {
                    self.emit(Event::StepStarted {
                        step: step.clone(),
                        inputs: serde_json::Value::Null,
                    });
                }
                self.fail(step, error, SeenDone::default());
            }
        }
    }

    fn skip(&mut self, step: &StepKey, reason: SkipReason) {
        match self.state.steps[step].status {
            StepStatus::Undoing => self.emit(Event::UndoSucceeded { step: step.clone() }),
            StepStatus::Pending => self.emit(Event::StepSkipped { step: step.clone(), reason }),
            // It began under a condition that held; conditions rest on facts that do not change.
            StepStatus::Running
            | StepStatus::Succeeded
            | StepStatus::Warned
            | StepStatus::Failed
            | StepStatus::Skipped
            | StepStatus::Undone
            | StepStatus::UndoFailed => {
                let error = ErrorRecord {
                    kind: ErrorKind::Internal,
                    message: format!("step {step} began, and its condition no longer holds"),
                    code: None,
                    help: Some(
                        "this is a bug in drctl; look at what the step did by hand".to_owned(),
                    ),
                };
                self.fail(step, error, SeenDone::default());
            }
        }
    }

    pub(super) fn look(&mut self, step: &StepKey, delay: Duration) {
        let part = self.part(step);
        self.live.insert(step.clone(), Live::Observing);
        self.effect(Effect::Observe { step: step.clone(), part, delay });
    }

    pub(super) fn observed(&mut self, step: &StepKey, seen: Result<Seen, ErrorRecord>) {
        self.landed(step, Live::Observing);
        match seen {
            // Of a call nothing is seen but its steps.
            Ok(Seen::Done(done)) => match self.failure_within(self.step(step)) {
                Some(error) => self.fail(step, error, SeenDone::default()),
                None => self.done(step, *done),
            },
            Ok(Seen::Broken(error)) => self.fail(step, error, SeenDone::default()),
            Ok(Seen::InProgress { state, milestone }) => self.in_progress(step, state, milestone),
            Ok(Seen::Absent) => self.absent(step),
            Ok(Seen::Partly { state, progress }) => self.next_part(step, state, progress),
            Ok(Seen::Gate(gate)) => self.at_gate(step, gate),
            Ok(Seen::Waiting { until }) => self.waiting(step, until),
            Err(error) => self.look_failed(step, error),
        }
    }

    fn done(&mut self, step: &StepKey, done: SeenDone) {
        if let Some(error) = done.failed.clone() {
            self.fail(step, error, done);
        } else if self.may_appear_after_all(step) {
            // Nothing is there to remove, but what was asked for may only not be visible yet.
            self.look(step, self.poll(step).min(SETTLE));
        } else if self.part(step) == Part::Undo {
            self.emit(Event::UndoSucceeded { step: step.clone() });
        } else {
            if let Some(milestone) = &done.milestone {
                let event = Event::StepObserved {
                    step: step.clone(),
                    state: milestone.clone(),
                    milestone: Some(milestone.clone()),
                    progress: None,
                };
                self.emit(event);
            }
            let adopted = !self.step(step).check && !self.acted_here.contains_key(step);
            self.emit(Event::StepSucceeded {
                step: step.clone(),
                outputs: done.outputs,
                adopted,
                observed: done.observed,
                evidence: done.evidence,
                warnings: done.warnings,
            });
        }
    }

    fn in_progress(&mut self, step: &StepKey, state: String, milestone: Option<String>) {
        let found = &self.state.steps[step];
        let moved = found.last_state.as_deref() != Some(state.as_str());
        let reached = milestone.as_ref().is_some_and(|name| !found.milestones.contains_key(name));
        if moved || reached {
            self.emit(Event::StepObserved {
                step: step.clone(),
                state: state.clone(),
                milestone,
                progress: None,
            });
        }
        if self.ended_by_abort(step, &format!("`{state}`")) {
            return;
        }
        if let Some(error) = self.timed_out(step, &format!("it is still `{state}`")) {
            return self.fail(step, error, SeenDone::default());
        }
        self.look(step, self.poll(step));
    }

    /// A part is done, or none yet: notes how far it is, so that whoever takes the step up goes on from
    /// there, and acts for the next one.
    fn next_part(&mut self, step: &StepKey, state: String, progress: Json) {
        let known = self.state.steps[step].progress.as_ref() == Some(&progress);
        if !known {
            let (step, progress) = (step.clone(), Some(progress));
            self.emit(Event::StepObserved { step, state, milestone: None, progress });
        }
        self.absent(step);
    }

    fn poll(&self, step: &StepKey) -> Duration {
        Duration::from_millis(self.step(step).poll_ms)
    }

    /// Nothing is there: act, unless an earlier act may just not be visible yet.
    fn absent(&mut self, step: &StepKey) {
        let planned = self.step(step);
        let (retry, check) = (planned.retry, planned.check);
        assert!(!check || self.part(step) == Part::Undo, "a check is never absent: {step}");
        let found = &self.state.steps[step];
        let (tries, last_try) = (found.tries(), found.last_try());
        if self.is_in_doubt(step) {
            return self.doubt(step);
        }
        if self.may_still_appear(step) {
            return self.look(step, self.poll(step).min(SETTLE));
        }
        if self.ended_by_abort(step, "nothing was there yet") {
            return;
        }
        if self.is_paused() {
            return self.look(step, self.poll(step).max(WHILE_PAUSED));
        }
        if let Some(error) = self.timed_out(step, "nothing is there yet") {
            return self.fail(step, error, SeenDone::default());
        }
        if tries >= retry.attempts {
            let error = self.out_of_tries(step, tries);
            return self.fail(step, error, SeenDone::default());
        }
        if self.halting.is_some() {
            // No new mutation leaves once the run is to stop; resuming looks again first.
            return;
        }
        let (operation, target) =
            self.intents.get(step).cloned().expect("a begun step has an intent");
        if let Some(error) = self.asks_for_another(step, &target) {
            return self.fail(step, error, SeenDone::default());
        }
        self.emit(Event::IntentRecorded {
            step: step.clone(),
            attempt: last_try + 1,
            operation,
            target,
        });
        let part = self.part(step);
        self.live.insert(step.clone(), Live::Acting);
        self.effect(Effect::Act { step: step.clone(), part });
    }

    /// An earlier try that may have had its effect asked for something else than `target`: then that would
    /// be left behind, known to nobody.
    fn asks_for_another(&self, step: &StepKey, target: &str) -> Option<ErrorRecord> {
        let earlier = self.state.steps[step].intent.as_ref()?;
        let refused = earlier.status == IntentStatus::Refused && !earlier.made_before;
        (!refused && earlier.target != target).then(|| ErrorRecord {
            kind: ErrorKind::Internal,
            message: format!(
                "try {} asked for {}, which may be there, and the next would ask for {target}",
                earlier.attempt, earlier.target
            ),
            code: None,
            help: Some(format!("look at {} by hand; undo changes to the files", earlier.target)),
        })
    }

    fn look_failed(&mut self, step: &StepKey, error: ErrorRecord) {
        let planned = self.step(step);
        let (retry, check) = (planned.retry, planned.check);
        let failures = self.state.steps[step].retries;
        let again = match error.kind {
            ErrorKind::Temporary | ErrorKind::Unreachable | ErrorKind::CheckError => {
                // What is under way is watched until its time is out; a check has its number of tries.
                !check || failures + 1 < retry.attempts
            }
            ErrorKind::Credentials => {
                self.halting = Some("credentials".to_owned());
                return;
            }
            ErrorKind::CheckFailed
            | ErrorKind::Refused
            | ErrorKind::Broken
            | ErrorKind::TimedOut
            | ErrorKind::InDoubt
            | ErrorKind::Guard
            | ErrorKind::Input
            | ErrorKind::Rejected
            | ErrorKind::Internal => false,
        };
        if !again {
            return self.fail(step, error, SeenDone::default());
        }
        let unseen = format!("nobody could look ({})", error.message);
        if !self.may_still_appear(step) && self.ended_by_abort(step, &unseen) {
            return;
        }
        if let Some(late) = self.timed_out(step, &error.message) {
            return self.fail(step, late, SeenDone::default());
        }
        let delay = backoff(retry, failures);
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.emit(Event::StepRetried { step: step.clone(), error, delay_ms });
        self.look(step, delay);
    }

    pub(super) fn acted(
        &mut self,
        step: &StepKey,
        result: Result<Option<String>, ActFailure>,
        done: Option<Box<SeenDone>>,
    ) {
        self.landed(step, Live::Acting);
        let planned = self.step(step);
        let (retry, best_effort) = (planned.retry, planned.trace == Trace::BestEffort);
        match result {
            Ok(request_id) => {
                self.acted_here.insert(step.clone(), ());
                self.emit(Event::ActAccepted { step: step.clone(), request_id });
                match done {
                    Some(done) => self.done(step, *done),
                    // Of what is done in parts looking tells at once what is left.
                    None if self.state.steps[step].in_parts => self.look(step, Duration::ZERO),
                    None => self.look(step, AFTER_ACT),
                }
            }
            Err(ActFailure::InDoubt(error)) => {
                self.emit(Event::ActInDoubt { step: step.clone(), error });
                self.look(step, AFTER_ACT);
            }
            Err(ActFailure::Refused(error)) => {
                self.emit(Event::ActRefused { step: step.clone(), error: error.clone() });
                let tries = self.state.steps[step].tries();
                match error.kind {
                    ErrorKind::Temporary | ErrorKind::Unreachable if tries < retry.attempts => {
                        self.look(step, backoff(retry, tries.saturating_sub(1)));
                    }
                    ErrorKind::Credentials if !best_effort => {
                        self.halting = Some("credentials".to_owned());
                    }
                    ErrorKind::CheckFailed
                    | ErrorKind::Credentials
                    | ErrorKind::CheckError
                    | ErrorKind::Refused
                    | ErrorKind::Broken
                    | ErrorKind::TimedOut
                    | ErrorKind::Temporary
                    | ErrorKind::InDoubt
                    | ErrorKind::Unreachable
                    | ErrorKind::Guard
                    | ErrorKind::Input
                    | ErrorKind::Rejected
                    | ErrorKind::Internal => self.fail(step, error, SeenDone::default()),
                }
            }
        }
    }

    /// The step's time is out: the error that says so.
    fn timed_out(&self, step: &StepKey, last: &str) -> Option<ErrorRecord> {
        let limit = Duration::from_millis(self.step(step).timeout_ms);
        // No time runs out while people hold the run up.
        let began = self.counted_from(step).filter(|_| !self.is_paused())?;
        (between(began, self.now) >= limit).then(|| ErrorRecord {
            kind: ErrorKind::TimedOut,
            message: format!("the step's {} are over: {last}", duration::human(limit)),
            code: None,
            help: Some("look at the resource; raise `timeout` if it only needs longer".to_owned()),
        })
    }

    pub(super) fn fail(&mut self, step: &StepKey, error: ErrorRecord, seen: SeenDone) {
        if self.part(step) == Part::Undo {
            return self.emit(Event::UndoFailed { step: step.clone(), error });
        }
        if self.step(step).trace == Trace::BestEffort {
            return self.give_up(step, format!("not sent: {}", error.message), seen);
        }
        if self.step(step).on_failure == OnFailure::Ask && self.state.aborting.is_none() {
            let question = format!("step {step} failed: {}. What now?", error.message);
            let choices = CHOICES.map(str::to_owned).to_vec();
            return self.ask(step, question, choices, error);
        }
        let (evidence, outputs) = (seen.evidence, seen.outputs);
        self.emit(Event::StepFailed { step: step.clone(), error, evidence, outputs });
    }
}
