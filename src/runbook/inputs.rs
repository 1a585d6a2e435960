//! What the planner and the runner do with a step's templates: inputs of an action, items of a list.
//!
//! **Invariant:** inputs have exactly the names that the action declares, each of its declared type,
//! null where an optional one is absent, unknown where it is not known yet.

use crate::action::spec::ActionSpec;
use crate::base::value::{Value, Values};
use crate::runbook::expression::EvaluationError;
use crate::runbook::model::Step;
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use std::collections::{BTreeMap, BTreeSet};

/// Why a step has no usable inputs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    /// An expression has no value.
    #[error("input `{input}`: {error}")]
    Evaluation {
        /// The input.
        input: String,
        /// Why.
        error: EvaluationError,
    },
    /// The value does not have the declared type.
    #[error("input `{input}`: {why}")]
    Type {
        /// The input.
        input: String,
        /// What was expected and what was found.
        why: String,
    },
    /// The action has no such input.
    #[error("`{action}` has no input `{input}`")]
    Unknown {
        /// The action.
        action: &'static str,
        /// The input.
        input: String,
    },
}

/// The inputs of the action that declares `spec`, from `with` in `scope`.
///
/// # Errors
/// The first input without a usable value.
pub fn evaluate_inputs(
    with: &BTreeMap<String, Template>,
    spec: &ActionSpec,
    scope: &Scope,
) -> Result<Values, InputError> {
    if let Some(input) = with.keys().find(|name| spec.input(name).is_none()) {
        return Err(InputError::Unknown { action: spec.name, input: input.clone() });
    }
    let mut values = Values::new();
    for field in &spec.inputs {
        let input = || field.name.to_owned();
        let value = match with.get(field.name) {
            None => Value::Null,
            Some(template) => template
                .evaluate(scope)
                .map_err(|error| InputError::Evaluation { input: input(), error })?,
        };
        let value =
            value.coerce(&field.kind).map_err(|why| InputError::Type { input: input(), why })?;
        values.insert(input(), value);
    }
    Ok(values)
}

/// Why a step cannot be expanded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExpandError {
    /// The expression has no value.
    #[error("`for_each`: {0}")]
    Evaluation(#[from] EvaluationError),
    /// The value is no list, or an item is neither text nor a whole number.
    #[error("`for_each` needs a list of text or whole numbers, found {found}")]
    Type {
        /// What was found.
        found: &'static str,
    },
    /// Two items are written alike.
    #[error("`for_each` has the item `{key}` twice")]
    Twice {
        /// The item.
        key: String,
    },
}

/// The items of an expanded step with their keys (`scale[key]`); `None` for a step without `for_each`.
///
/// # Errors
/// A value that is no list of distinct texts or whole numbers.
pub fn expand(step: &Step, scope: &Scope) -> Result<Option<Vec<(String, Value)>>, ExpandError> {
    let Some(for_each) = &step.for_each else { return Ok(None) };
    let value = for_each.items.evaluate(scope)?;
    let Value::List(items) = value else {
        return Err(ExpandError::Type { found: value.type_name() });
    };
    let mut keys = BTreeSet::new();
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        if !matches!(item, Value::String(_) | Value::Int(_)) {
            return Err(ExpandError::Type { found: item.type_name() });
        }
        let key = item.to_string();
        if !keys.insert(key.clone()) {
            return Err(ExpandError::Twice { key });
        }
        list.push((key, item));
    }
    Ok(Some(list))
}
