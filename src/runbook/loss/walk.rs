//! The steps of a runbook as they would be planned without asking anybody: expanded, each with its region
//! and its inputs as far as files say them.
//!
//! **Invariant:** a step whose condition is known to be false is not on the way; one whose condition is
//! not known is.

use super::Ground;
use crate::action::spec::{ActionKind, ActionSpec};
use crate::base::value::{Value, Values};
use crate::runbook::inputs::expand;
use crate::runbook::model::Step;
use crate::runbook::scope::Scope;

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
    let mut scope = base;
    let mut walked = Vec::new();
    for step in &ground.runbook.steps {
        let Some(spec) = ground.actions.spec(&step.uses) else { continue };
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
            walked.push(one(ground, (step, spec), key.as_deref(), &own));
        }
        let status = Value::Unknown("it is known while the run runs".to_owned());
        let outputs = spec.unknown_outputs("it is known while the run runs");
        scope.set_step(&step.id, status, outputs);
    }
    walked
}

fn one<'a>(
    ground: Ground<'a>,
    (step, spec): (&'a Step, &'a ActionSpec),
    item: Option<&str>,
    scope: &Scope,
) -> Walked<'a> {
    let unknown = |error: String| Value::Unknown(error);
    let value = |template: &crate::runbook::Template| {
        template.evaluate(scope).unwrap_or_else(|error| unknown(error.to_string()))
    };
    let region = match step.region.as_ref().map(value) {
        None | Some(Value::Null) => Ok(ground.environment.region.clone()),
        Some(Value::String(region)) => Ok(region),
        Some(Value::Unknown(why)) => Err(why),
        Some(other) => Err(format!("it is {}", other.type_name())),
    };
    let inputs = step.with.iter().map(|(name, it)| (name.clone(), value(it))).collect();
    let no =
        |when: &crate::runbook::Expression| matches!(when.evaluate(scope), Ok(Value::Bool(false)));
    let runs = !step.when.as_ref().is_some_and(no);
    let key = item.map_or_else(|| step.id.clone(), |item| format!("{}[{item}]", step.id));
    let asks = !spec.calls.is_empty();
    let shown = region.as_ref().ok().filter(|_| asks).cloned();
    Walked {
        way: Way { key, uses: step.uses.clone(), region: shown, runs },
        best_effort: spec.kind == ActionKind::Notice,
        step,
        spec,
        region,
        inputs,
    }
}
