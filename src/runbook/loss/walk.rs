//! The steps of a runbook and of those that it calls as they would be planned without asking anybody:
//! expanded, each with its region and its inputs as far as files say them.
//!
//! **Invariant:** a step whose condition is known to be false is not on the way; one whose condition is
//! not known is.

use super::Ground;
use crate::action::spec::{ActionKind, ActionSpec};
use crate::base::ids::{frame_of, frames};
use crate::base::value::{Value, Values};
use crate::runbook::expression::Expression;
use crate::runbook::inputs::expand;
use crate::runbook::model::Step;
use crate::runbook::scope::Scope;
use crate::runbook::scopes::Scopes;
use crate::runbook::template::Template;

/// A step of the way, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Its key, as in a plan: `scale[web]`.
    pub key: String,
    /// Its action.
    pub uses: String,
    /// Where it acts; `None` for one that asks nothing of AWS, and where only the run can know.
    pub region: Option<String>,
    /// Whether it runs as far as is known.
    pub runs: bool,
}

/// A step with what is known of it.
pub(super) struct Walked<'a> {
    pub(super) way: Way,
    pub(super) step: &'a Step,
    pub(super) spec: &'a ActionSpec,
    /// Its region: known, or why not.
    pub(super) region: Result<String, String>,
    /// Inputs by name; unknown ones are.
    pub(super) inputs: Values,
    /// Whatever becomes of it, the run goes on.
    pub(super) best_effort: bool,
}

impl Walked<'_> {
    /// Whether it asks anything of AWS.
    pub(super) fn calls_aws(&self) -> bool {
        !self.spec.calls.is_empty()
    }
}

/// Walks through the runbook.
pub(super) fn walk(ground: Ground<'_>) -> Vec<Walked<'_>> {
    let base = Scope::of(ground.parameters.clone())
        .with_estate(ground.estate, ground.environment)
        .ungraceful();
    let mut scopes = Scopes::of(ground.runbook, base);
    let mut walked = Vec::new();
    for step in &ground.runbook.steps {
        let Some(spec) = ground.actions.spec(&step.uses) else { continue };
        let scope = scopes.at(step);
        let items = match expand(step, &scope) {
            Ok(Some(items)) => {
                items.into_iter().map(|(key, item)| (Some(key), Some(item))).collect()
            }
            // What its list is cannot be known, or it has none.
            Ok(None) | Err(_) => vec![(None, None)],
        };
        for (key, item) in items {
            let own = match item {
                Some(item) => scope.clone().with_each(item),
                None => scope.clone(),
            };
            let mut found = one(ground, (step, spec), key.as_deref(), &own);
            found.of_its_calls(ground, &mut scopes);
            walked.push(found);
        }
        scopes.passed(step, spec);
    }
    walked
}

impl Walked<'_> {
    /// A call whose condition is false is no way for its steps, and its region is that of those that name
    /// none.
    fn of_its_calls(&mut self, ground: Ground<'_>, scopes: &mut Scopes<'_>) {
        let mut named = self.step.region.is_some();
        for frame in frames(frame_of(&self.step.id)) {
            let Some(call) = ground.runbook.calls.get(frame) else { continue };
            let caller = scopes.frame(frame_of(frame));
            if is_false(call.when.as_ref(), &caller) {
                self.way.runs = false;
            }
            if let (Some(region), false) = (&call.region, named) {
                self.region = region_of(ground, Some(region), &caller);
                named = true;
            }
        }
        self.way.region = self.region.as_ref().ok().filter(|_| self.calls_aws()).cloned();
    }
}

fn one<'a>(
    ground: Ground<'a>,
    (step, spec): (&'a Step, &'a ActionSpec),
    item: Option<&str>,
    scope: &Scope,
) -> Walked<'a> {
    let inputs = step.with.iter().map(|(name, it)| (name.clone(), value(it, scope))).collect();
    let runs = !is_false(step.when.as_ref(), scope);
    let key = item.map_or_else(|| step.id.clone(), |item| format!("{}[{item}]", step.id));
    Walked {
        way: Way { key, uses: step.uses.clone(), region: None, runs },
        best_effort: spec.kind == ActionKind::Notice,
        step,
        spec,
        region: region_of(ground, step.region.as_ref(), scope),
        inputs,
    }
}

fn value(template: &Template, scope: &Scope) -> Value {
    template.evaluate(scope).unwrap_or_else(|error| Value::Unknown(error.to_string()))
}

fn is_false(when: Option<&Expression>, scope: &Scope) -> bool {
    when.is_some_and(|when| matches!(when.evaluate(scope), Ok(Value::Bool(false))))
}

/// The region that a template says; the environment's where there is none.
fn region_of(
    ground: Ground<'_>,
    template: Option<&Template>,
    scope: &Scope,
) -> Result<String, String> {
    match template.map(|template| value(template, scope)) {
        None | Some(Value::Null) => Ok(ground.environment.region.clone()),
        Some(Value::String(region)) => Ok(region),
        Some(Value::Unknown(why)) => Err(why),
        Some(other) => Err(format!("it is {}", other.type_name())),
    }
}
