//! Switching the form of a run while it is open.
//!
//! **Invariant:** whatever looks after a switch looks in the new form; what was done for good in the
//! ungraceful form is never called graceful afterwards.

use super::effect::{Effect, Part};
use super::machine::{Live, Machine};
use crate::base::clock::format_instant;
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::journal::Person;
use crate::journal::event::{Event, SkipReason};
use crate::journal::fold::RunState;
use crate::plan::model::{Plan, PlannedStep, Trace};

/// Whether the step was left out because the run has the other form: then it stops nobody. So was one with
/// the same condition that refers to it, and that never came to look at its own.
pub(super) fn left_out_by_form(plan: &Plan, state: &RunState, step: &PlannedStep) -> bool {
    let skip = state.steps.get(&step.key).and_then(|found| found.skip.as_ref());
    step.by_form
        && match skip {
            Some(SkipReason::Condition { .. }) => true,
            Some(SkipReason::Upstream { step: need }) => {
                let need = plan.steps.iter().find(|it| it.key == *need);
                need.is_some_and(|need| {
                    need.when == step.when && left_out_by_form(plan, state, need)
                })
            }
            Some(
                SkipReason::Stopped { .. }
                | SkipReason::Nothing { .. }
                | SkipReason::Operator { .. }
                | SkipReason::Aborted { .. },
            )
            | None => false,
        }
}

impl Machine {
    /// Whether the run can go on in the form `to`.
    pub(super) fn judge_switch(&self, to: Form) -> Result<(), String> {
        if let Some(abort) = &self.state.aborting {
            let (by, at) = (&abort.by, format_instant(abort.at));
            return Err(format!("{by} aborted the run, {at}: nothing waits for a form any more"));
        }
        if to == self.state.form {
            return Err(match &self.state.switched {
                Some(last) => {
                    format!("{} switched it to {to} already, {}", last.by, format_instant(last.at))
                }
                None => format!("the run is {to} already, from its beginning"),
            });
        }
        match (to, self.done_for_good()) {
            (Form::Graceful, Some(step)) => Err(format!(
                "step {step} was done in the {} form and cannot be taken back: the run stays {}",
                self.state.form, self.state.form
            )),
            (Form::Graceful | Form::Ungraceful, _) => Ok(()),
        }
    }

    /// A step that cannot be taken back and that asked for its mutation since the run has this form.
    fn done_for_good(&self) -> Option<&StepKey> {
        let since = self.state.switched.as_ref().map(|last| last.at).or(self.state.started_at);
        let asked = |step: &&PlannedStep| {
            let found = &self.state.steps[&step.key];
            found.may_have_made && found.first_intent_at.is_some_and(|at| Some(at) >= since)
        };
        let for_good = |step: &&PlannedStep| {
            let acts = !step.check && step.trace != Trace::BestEffort && !step.always;
            acts && (step.irreversible || step.undo.is_none())
        };
        let found = self.plan.steps.iter().filter(for_good).find(asked);
        found.map(|step| &step.key)
    }

    /// Switches, and has everything that waits look again at once.
    pub(super) fn switch(&mut self, to: Form, by: Person, reason: Option<String>) {
        let from = self.state.form;
        self.emit(Event::FormSwitched { from, to, by, reason });
        // What is about to begin begins in the new form.
        for step in self.beginning() {
            self.let_go(&step);
            self.begin_anew(&step);
        }
        for step in self.looking() {
            self.look_now(&step);
        }
    }

    fn begin_anew(&mut self, step: &StepKey) {
        self.live.insert(step.clone(), Live::Beginning);
        self.effect(Effect::Begin { step: step.clone(), part: Part::Forward });
    }
}
