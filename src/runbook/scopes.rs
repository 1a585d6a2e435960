//! What the steps of a runbook, and of those that it calls, know as long as nothing runs: for documents and
//! for lint.
//!
//! **Invariant:** a called runbook's steps see their own parameters and steps, as in a run.

use crate::action::spec::ActionSpec;
use crate::base::ids::{frame_of, local_of};
use crate::base::value::{Value, Values};
use crate::runbook::model::{Parameter, Runbook, Step};
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use std::collections::BTreeMap;

/// Why nothing is known of what a run finds.
const LATER: &str = "only a run knows it";

/// Scopes by call; the empty one is the runbook's own.
pub(super) struct Scopes<'a> {
    runbook: &'a Runbook,
    /// Estate and environment, without any step.
    bare: Scope,
    known: BTreeMap<String, Scope>,
}

impl<'a> Scopes<'a> {
    /// Of a runbook whose own steps know `own` at first.
    pub(super) fn of(runbook: &'a Runbook, own: Scope) -> Self {
        Self { runbook, bare: own.clone(), known: BTreeMap::from([(String::new(), own)]) }
    }

    /// The scope of a step.
    pub(super) fn at(&mut self, step: &Step) -> Scope {
        self.frame(frame_of(&step.id))
    }

    /// What the steps of a call know; the runbook's own where `frame` is empty.
    pub(super) fn frame(&mut self, frame: &str) -> Scope {
        if let Some(found) = self.known.get(frame) {
            return found.clone();
        }
        let caller = self.frame(frame_of(frame));
        let call = self.runbook.calls.get(frame);
        let params = call.into_iter().flat_map(|call| &call.parameters);
        let params: Values = params.map(|one| bound(one, &caller)).collect();
        let scope = self.bare.clone().with_params(params);
        self.known.insert(frame.to_owned(), scope.clone());
        scope
    }

    /// Whoever comes after `step` may refer to it.
    pub(super) fn passed(&mut self, step: &Step, spec: &ActionSpec) {
        let unknown = || Value::Unknown(LATER.to_owned());
        let outputs = match self.runbook.calls.get(&step.id) {
            Some(call) => call.outputs.iter().map(|it| (it.name.clone(), unknown())).collect(),
            None => spec.unknown_outputs(LATER),
        };
        let mut scope = self.at(step);
        scope.set_step(local_of(&step.id), unknown(), outputs);
        self.known.insert(frame_of(&step.id).to_owned(), scope);
    }
}

fn bound((parameter, given): &(Parameter, Option<Template>), caller: &Scope) -> (String, Value) {
    let unknown = || Value::Unknown(format!("parameter `{}` hangs on the run", parameter.name));
    let value = match given {
        None => parameter.default.clone().unwrap_or(Value::Null),
        Some(template) => match template.evaluate(caller) {
            Ok(Value::Null) => parameter.default.clone().unwrap_or(Value::Null),
            Ok(value) => value.coerce(&parameter.value_type()).unwrap_or_else(|_| unknown()),
            Err(_) => unknown(),
        },
    };
    (parameter.name.clone(), value)
}
