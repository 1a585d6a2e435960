//! What a step can see of the steps before it, while planning and while running.
//!
//! **Invariant:** planning and running build a step's scope with the same function.

use crate::action::spec::{ActionSpec, Need};
use crate::base::ids::StepKey;
use crate::base::value::{Type, Value, Values};
use crate::runbook::{Scope, Step};
use std::collections::BTreeSet;

/// Status and outputs of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Its status in the words of the runbook language.
    pub status: String,
    /// Its outputs.
    pub outputs: Values,
}

/// The scope of the step `key`: for steps expanded alike it sees the same item of them.
pub fn step_scope<'a>(
    base: &Scope,
    results: impl IntoIterator<Item = (&'a StepKey, StepResult)>,
    key: &StepKey,
    each: Option<Value>,
) -> Scope {
    let mut scope = base.clone();
    let suffix = |key: &StepKey| key.as_str()[key.id().len()..].to_owned();
    let own = suffix(key);
    for (other, result) in results {
        let theirs = suffix(other);
        if theirs.is_empty() || theirs == own {
            scope.set_step(other.local(), Value::text(&result.status), result.outputs);
        }
    }
    match each {
        Some(item) => scope.with_each(item),
        None => scope,
    }
}

/// The texts of all expressions of a step.
pub(super) fn expression_texts(step: &Step) -> String {
    let mut texts = String::new();
    let items = step.for_each.as_ref().map(|each| &each.items);
    texts.extend(step.with.values().map(|template| template.to_json().to_string()));
    let others = step.region.as_ref().into_iter().chain(items);
    texts.extend(others.map(|template| template.to_json().to_string()));
    texts.extend(step.when.as_ref().map(|when| when.text().to_owned()));
    texts
}

/// The words in the texts of a step's expressions that may be ids of other steps: all that is named
/// there and more. A scope that holds every result of a long run would be made anew for each step.
pub fn mentioned(texts: &str) -> BTreeSet<&str> {
    if !texts.contains("steps") {
        return BTreeSet::new();
    }
    let part_of_an_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    texts.split(|c| !part_of_an_id(c)).filter(|word| !word.is_empty()).collect()
}

/// Whether the texts of a step's expressions refer to more of the step `id` than its status: without that
/// they cannot be evaluated.
pub(super) fn refers(texts: &str, id: &str) -> bool {
    let part_of_an_id = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // `steps.id.outputs`, `steps['id'].outputs`, and in JSON with its quotes escaped.
    let between = |c: char| c.is_whitespace() || matches!(c, '.' | '[' | ']' | '\'' | '"' | '\\');
    texts.match_indices(id).any(|(at, _)| {
        let (before, after) = (&texts[..at], &texts[at + id.len()..]);
        let whole = !before.ends_with(part_of_an_id) && !after.starts_with(part_of_an_id);
        let path = before.trim_end_matches(between);
        let of_steps = path.len() < before.len() && path.ends_with("steps");
        let rest = after.trim_start_matches(between);
        let status = rest.strip_prefix("status").is_some_and(|it| !it.starts_with(part_of_an_id));
        whole && of_steps && !status
    })
}

/// Inputs coerced to their declared types; optional ones that are absent become null.
///
/// # Errors
/// The first input that is missing, unknown or ill-typed, as a sentence fragment.
pub fn coerce_inputs(spec: &ActionSpec, mut given: Values) -> Result<Values, String> {
    let mut inputs = Values::new();
    for field in &spec.inputs {
        let value = given.remove(field.name).unwrap_or(Value::Null);
        if value == Value::Null && field.need == Need::Required {
            return Err(format!("input `{}` has no value", field.name));
        }
        let value =
            value.coerce(&field.kind).map_err(|why| format!("input `{}`: {why}", field.name))?;
        inputs.insert(field.name.to_owned(), value);
    }
    match given.keys().next() {
        Some(extra) => Err(format!("{} has no input `{extra}`", spec.name)),
        None => Ok(inputs),
    }
}

/// Outputs read back from JSON with their declared types.
pub fn typed_outputs(spec: &ActionSpec, json: &serde_json::Value) -> Values {
    let typed = |name: &str, value: &serde_json::Value| {
        let kind = spec.output(name).map_or(&Type::Any, |field| &field.kind);
        Value::from_json(value, kind).unwrap_or_else(Value::Unknown)
    };
    let Some(map) = json.as_object() else { return Values::new() };
    map.iter().map(|(name, value)| (name.clone(), typed(name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::mentioned;
    use std::collections::BTreeSet;

    #[test]
    fn a_status_is_no_reference_to_outputs() {
        for (text, refers) in [
            ("${{ steps.check.outputs.size }}", true),
            ("${{ steps['check'].outputs.size }}", true),
            (r#"${{ steps["check"].outputs }}"#, true),
            ("${{ steps . check . outputs.size }}", true),
            ("${{ steps.check.status == 'succeeded' }}", false),
            (r#"${{ steps["check"].status }} and ${{ steps.check.outputs.size }}"#, true),
            ("${{ steps.check_source.outputs.size }}", false),
            ("${{ steps.recheck.outputs.check }}", false),
            ("check the steps", false),
            ("steps: check", false),
            ("${{ params.check }}", false),
        ] {
            assert_eq!(super::refers(text, "check"), refers, "{text}");
            let json = serde_json::json!({ "text": text }).to_string();
            assert_eq!(super::refers(&json, "check"), refers, "{text}");
        }
    }

    #[test]
    fn every_id_in_an_expression_is_mentioned() {
        let found = mentioned("${{ steps.check_source.outputs.instance + steps['b2'].status }}");
        assert!(found.is_superset(&BTreeSet::from(["check_source", "b2"])), "{found:?}");
        assert_eq!(mentioned("${{ params.check_source }}"), BTreeSet::new());
    }
}
