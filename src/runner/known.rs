//! What a step can see of the run: its parameters, the steps beside it, the run itself.
//!
//! **Invariant:** a pure function of plan and run state. A step of a called runbook sees that runbook's steps
//! and parameters; what has begun sees the run as it was then, so that a resumed process finds the same.

use super::prepare::{StepsById, planned_json};
use super::running::Running;
use super::standing::standing;
use crate::base::ids::{StepKey, frame_of, frames, joined};
use crate::base::value::{Value, Values};
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, PlannedCall, PlannedStep};
use crate::plan::{Detection, StepResult, mentioned, run_facts, step_scope, typed_outputs};
use crate::runbook::{Expression, RunFacts, Scope};
use std::collections::BTreeSet;

/// A run as its steps are prepared from it.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) running: &'a Running<'a>,
    pub(super) plan: &'a Plan,
    pub(super) by_id: &'a StepsById,
    pub(super) state: &'a RunState,
}

impl Known<'_> {
    /// The scope of a step.
    ///
    /// # Errors
    /// A parameter of the call that it stands in has no usable value, as a sentence fragment.
    pub(super) fn scope(&self, step: &PlannedStep) -> Result<Scope, String> {
        let texts = texts(step);
        let base = self.base(step.key.frame(), step)?;
        let each = step.each.as_ref().map(Value::untyped);
        Ok(self.scope_at(&base, &texts, &step.key, each))
    }

    /// Why the step is left out, if it is: its own condition is false, or that of a call it stands in.
    ///
    /// # Errors
    /// A condition has no value.
    pub(super) fn left_out(&self, step: &PlannedStep) -> Result<Option<String>, String> {
        for frame in frames(step.key.frame()) {
            let call = self.call(frame)?;
            let Some(when) = &call.when else { continue };
            if !holds(when, &self.caller(frame, step)?)? {
                return Ok(Some(when.clone()));
            }
        }
        let Some(when) = &step.when else { return Ok(None) };
        let held = holds(when, &self.scope(step)?)?;
        Ok((!held).then(|| when.clone()))
    }

    /// What a step answered; before that, and where a failure answered nothing, what was known of it at
    /// planning: a clean-up must find by name what a failed restore left behind.
    pub(super) fn outputs(&self, step: &PlannedStep) -> Values {
        let Some(spec) = self.running.catalogue.spec(&step.uses) else { return Values::new() };
        let found = &self.state.steps[&step.key];
        if found.status.is_success() && !step.children.is_empty() {
            // With their types and their secrets, which the journal does not keep.
            self.outputs_of_call(step)
        } else if found.status.is_success() && found.outputs.is_null() {
            // What came of it was not seen.
            spec.outputs.iter().map(|field| (field.name.to_owned(), Value::Null)).collect()
        } else if found.status.is_success() {
            typed_outputs(spec, &found.outputs)
        } else {
            let mut known = typed_outputs(spec, &planned_json(step));
            if found.status.is_over() {
                known.extend(typed_outputs(spec, &found.outputs));
            }
            known
        }
    }

    /// What a called runbook gives, once its steps have ended.
    pub(super) fn outputs_of_call(&self, step: &PlannedStep) -> Values {
        let frame = step.key.as_str();
        let Ok(call) = self.call(frame) else { return Values::new() };
        // Its parameters were good enough for its steps.
        let Ok(base) = self.base(frame, step) else { return Values::new() };
        let inside = StepKey::new(&joined(frame, "outputs"));
        call.outputs(&self.scope_at(&base, &call.output_texts(), &inside, None), false)
    }

    fn call(&self, frame: &str) -> Result<&PlannedCall, String> {
        self.plan.calls.get(frame).ok_or_else(|| format!("the plan has no call `{frame}`"))
    }

    /// Parameters, estate, environment and run as the steps of the call `frame` know them.
    fn base(&self, frame: &str, step: &PlannedStep) -> Result<Scope, String> {
        let running = self.running;
        let base = Scope::of(running.parameters.clone())
            .with_estate(running.estate, running.environment)
            .with_run(&self.facts(step));
        if frame.is_empty() {
            return Ok(base);
        }
        let params = self.call(frame)?.bind(&self.caller(frame, step)?)?;
        Ok(base.with_params(params))
    }

    /// What the call `frame` was made with: its caller's scope when the first of its steps began.
    fn caller(&self, frame: &str, step: &PlannedStep) -> Result<Scope, String> {
        let begun = |it: &&PlannedStep| {
            it.key.is_within(frame) && self.state.steps[&it.key].started_at.is_some()
        };
        let first = self.plan.steps.iter().filter(begun);
        let first = first.min_by_key(|it| self.state.steps[&it.key].started_at).unwrap_or(step);
        let base = self.base(frame_of(frame), first)?;
        Ok(self.scope_at(&base, &self.call(frame)?.texts(), &StepKey::new(frame), None))
    }

    /// `base` with the results of the steps beside `key` that `texts` mention.
    fn scope_at(&self, base: &Scope, texts: &str, key: &StepKey, each: Option<Value>) -> Scope {
        let ids: BTreeSet<String> =
            mentioned(texts).into_iter().map(|id| joined(key.frame(), id)).collect();
        let others = ids.iter().filter_map(|id| self.by_id.get(id)).flatten();
        let results = others.map(|place| {
            let other = &self.plan.steps[*place];
            let status = self.state.steps[&other.key].status.name().to_owned();
            (&other.key, StepResult { status, outputs: self.outputs(other) })
        });
        step_scope(base, results, key, each)
    }

    fn facts(&self, step: &PlannedStep) -> RunFacts {
        let (plan, state) = (self.plan, self.state);
        let started = state.started_at.unwrap_or(plan.created_at);
        // Looks at every step of the plan: only for those who ask.
        let calls = frames(step.key.frame()).filter_map(|frame| plan.calls.get(frame));
        let asks = |texts: &str| texts.contains("status") || texts.contains("failed_steps");
        let asks = asks(&texts(step)) || calls.into_iter().any(|call| asks(&call.texts()));
        let seen = asks.then(|| standing(plan, state, step));
        // What has begun keeps the form that it began in.
        let found = &state.steps[&step.key];
        let form = if found.status == StepStatus::Pending { state.form } else { found.form };
        RunFacts {
            status: seen.as_ref().map(|seen| seen.condition.word()),
            failed_steps: seen.map(|seen| seen.failed.into_iter().map(|(key, _)| key).collect()),
            ..run_facts(&plan.run, (&plan.mode, form), plan.disaster_at, Some(started))
                .noticed(plan.detection.as_ref().map(Detection::told))
        }
    }
}

fn texts(step: &PlannedStep) -> String {
    format!("{} {}", step.with, step.when.as_deref().unwrap_or_default())
}

fn holds(when: &str, scope: &Scope) -> Result<bool, String> {
    let expression = Expression::parse(when).map_err(|error| format!("when: {}", error.message))?;
    match expression.evaluate(scope).map_err(|error| format!("when: {error}"))? {
        Value::Bool(holds) => Ok(holds),
        other => Err(format!("when: expected a boolean, found {other}")),
    }
}
