//! What a step sees while planning, and whether it is left out: also as a step of a called runbook.
//!
//! **Invariant:** a called runbook's steps see each other and their parameters, and nothing of the caller.

use super::build::{PlanError, Planner};
use super::scope::{mentioned, step_scope};
use crate::base::ids::{StepKey, frame_of, frames, joined};
use crate::base::value::{Value, Values};
use crate::runbook::{Expression, Scope, Step};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// What the steps of the call `frame` know beside each other; of the run itself for an empty one.
    pub(super) fn base_of(&mut self, frame: &str) -> Result<Scope, String> {
        if frame.is_empty() {
            return Ok(self.base.clone());
        }
        if let Some(base) = self.bases.get(frame) {
            return Ok(base.clone());
        }
        let caller = self.caller_of(frame)?;
        let params = match self.calls[frame].bind(&caller) {
            Ok(params) => params,
            // Nobody misses what a call that is left out would be made with.
            Err(_) if self.is_left_out(frame, &caller) => {
                let why = || Value::Unknown("the call is left out".to_owned());
                let names = self.calls[frame].parameters.iter();
                names.map(|it| (it.name.clone(), why())).collect()
            }
            Err(why) => return Err(why),
        };
        let base = self.base.clone().with_params(params);
        self.bases.insert(frame.to_owned(), base.clone());
        Ok(base)
    }

    /// What the call `frame` is made with: its caller's scope.
    pub(super) fn caller_of(&mut self, frame: &str) -> Result<Scope, String> {
        let key = StepKey::new(frame);
        let base = self.base_of(key.frame())?;
        let texts = format!("{} {}", self.calls[frame].texts(), self.region_text(frame));
        Ok(self.scope_of(&base, &mentioned(&texts), &key, None))
    }

    /// What the called runbook gives, as far as planning knows.
    pub(super) fn outputs_of(&mut self, frame: &str) -> Result<Values, String> {
        let base = self.base_of(frame)?;
        let texts = self.calls[frame].output_texts();
        let key = StepKey::new(&joined(frame, ""));
        let own = self.scope_of(&base, &mentioned(&texts), &key, None);
        Ok(self.calls[frame].outputs(&own, true))
    }

    fn is_left_out(&self, frame: &str, caller: &Scope) -> bool {
        let call = self.request.runbook.calls.get(frame);
        let when = call.and_then(|call| call.when.as_ref());
        when.is_some_and(|when| when.evaluate(caller) == Ok(Value::Bool(false)))
    }

    fn region_text(&self, frame: &str) -> String {
        let region = self.request.runbook.calls.get(frame).and_then(|call| call.region.as_ref());
        region.map(|it| it.to_json().to_string()).unwrap_or_default()
    }

    /// The scope of a step, with the results of those steps that its expressions mention.
    pub(super) fn scope_of(
        &self,
        base: &Scope,
        mentioned: &BTreeSet<&str>,
        key: &StepKey,
        each: Option<Value>,
    ) -> Scope {
        let ids = mentioned.iter().map(|id| joined(key.frame(), id));
        let keys: Vec<&StepKey> = ids.filter_map(|id| self.expansions.get(&id)).flatten().collect();
        let results =
            keys.into_iter().filter_map(|key| Some((key, self.results.get(key)?.clone())));
        step_scope(base, results, key, each)
    }

    /// `Some(false)` when the step's condition, or that of a call it stands in, is false; `None` when it
    /// cannot be known.
    pub(super) fn condition(&mut self, step: &Step) -> Result<Option<bool>, PlanError> {
        let runbook = self.request.runbook;
        let mut held = Some(true);
        for frame in frames(frame_of(&step.id)) {
            let Some(when) = runbook.calls.get(frame).and_then(|call| call.when.as_ref()) else {
                continue;
            };
            let caller = self.caller_of(frame).map_err(|why| bad(step, why))?;
            match holds(step, when, &caller)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => held = None,
            }
        }
        let Some(when) = &step.when else { return Ok(held) };
        Ok(match holds(step, when, &self.scope)? {
            Some(false) => Some(false),
            own => held.and(own),
        })
    }

    /// The condition that is false, its own or that of a call that it stands in.
    pub(super) fn conditions(&self, step: &Step) -> String {
        let calls = frames(frame_of(&step.id)).filter_map(|frame| {
            let when = self.request.runbook.calls.get(frame)?.when.as_ref()?;
            Some(format!("{frame}: {}", when.text()))
        });
        let own = step.when.as_ref().map(|when| when.text().to_owned());
        own.into_iter().chain(calls).collect::<Vec<_>>().join("; ")
    }

    /// Whether the step's condition, or that of a call it stands in, depends on the form of the run.
    pub(super) fn is_by_form(&self, step: &Step) -> bool {
        let calls = frames(frame_of(&step.id));
        let calls = calls.filter_map(|frame| self.request.runbook.calls.get(frame)?.when.as_ref());
        step.when.iter().chain(calls).any(|when| when.members("run").contains(&"form"))
    }
}

/// A problem of a step.
pub(super) fn bad(step: &Step, why: String) -> PlanError {
    PlanError::Step { step: step.id.clone(), why }
}

/// `None` when it cannot be known.
fn holds(step: &Step, when: &Expression, scope: &Scope) -> Result<Option<bool>, PlanError> {
    match when.evaluate(scope) {
        Ok(Value::Bool(holds)) => Ok(Some(holds)),
        Ok(Value::Unknown(_)) => Ok(None),
        Ok(other) => {
            let found = other.type_name();
            Err(bad(step, format!("when: expected a boolean, found {found}")))
        }
        Err(error) => Err(bad(step, format!("when: {error}"))),
    }
}
