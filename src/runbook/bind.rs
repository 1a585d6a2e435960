//! Gives a runbook's parameters their values.
//!
//! **Invariant:** the result has every declared parameter, each of its declared type or null.

use crate::base::value::{Type, Value, Values};
use crate::runbook::check::suggestion;
use crate::runbook::model::{Parameter, ParameterKind, Runbook};
use std::collections::BTreeMap;

/// A value that is given for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// From a file: has a type of its own.
    Typed(Value),
    /// From the command line (`-p name=value`): read as the declared type.
    Text(String),
}

/// Binds all parameters of `runbook`.
///
/// # Errors
/// All problems, one sentence fragment each: missing, unknown, ill-typed, not among the choices.
/// Values of secrets do not appear in them.
pub fn bind_parameters(
    runbook: &Runbook,
    given: &BTreeMap<String, Given>,
) -> Result<Values, Vec<String>> {
    let mut problems = Vec::new();
    for name in given.keys() {
        if runbook.parameter(name).is_none() {
            let names = runbook.parameters.iter().map(|parameter| parameter.name.as_str());
            problems.push(format!(
                "runbook `{}` has no parameter `{name}`; {}",
                runbook.name,
                suggestion(name, names)
            ));
        }
    }
    let mut values = Values::new();
    for parameter in &runbook.parameters {
        match bind(parameter, given.get(&parameter.name)) {
            Ok(value) => {
                values.insert(parameter.name.clone(), value);
            }
            Err(why) => problems.push(format!("parameter `{}`: {why}", parameter.name)),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// Values of the parameters as far as they are known before a run: one that is required and not given is
/// unknown.
///
/// # Errors
/// All problems of what is given, one sentence fragment each.
pub fn known_parameters(
    runbook: &Runbook,
    given: &BTreeMap<String, Given>,
) -> Result<Values, Vec<String>> {
    let missing =
        |it: &&Parameter| it.required && it.default.is_none() && !given.contains_key(&it.name);
    let (missing, rest): (Vec<_>, Vec<_>) = runbook.parameters.iter().partition(|it| missing(it));
    let parameters = rest.into_iter().cloned().collect();
    let names = runbook.parameters.iter().map(|it| it.name.as_str());
    let unknown = given.keys().find(|name| runbook.parameter(name).is_none());
    if let Some(name) = unknown {
        let near = suggestion(name, names);
        return Err(vec![format!("runbook `{}` has no parameter `{name}`; {near}", runbook.name)]);
    }
    let mut values = bind_parameters(&Runbook { parameters, ..runbook.clone() }, given)?;
    for parameter in missing {
        let why = format!("parameter `{}` is given when it runs", parameter.name);
        values.insert(parameter.name.clone(), Value::Unknown(why));
    }
    Ok(values)
}

/// The value of one parameter.
pub(crate) fn bind(parameter: &Parameter, given: Option<&Given>) -> Result<Value, String> {
    let value = match given {
        None | Some(Given::Typed(Value::Null)) => match &parameter.default {
            Some(default) => return Ok(default.clone()),
            None if parameter.required => {
                let name = &parameter.name;
                return Err(format!("it is required; give it with `-p {name}=…`"));
            }
            None => return Ok(Value::Null),
        },
        Some(given) => value_of(given, parameter.kind)?,
    };
    if !parameter.choices.is_empty() && !parameter.choices.contains(&value) {
        let choices: Vec<String> = parameter.choices.iter().map(Value::to_string).collect();
        return Err(format!("`{value}` is not one of: {}", choices.join(", ")));
    }
    Ok(value)
}

/// The given value as a value of `kind`.
pub(crate) fn value_of(given: &Given, kind: ParameterKind) -> Result<Value, String> {
    let value = match given {
        Given::Typed(value) => value.clone(),
        Given::Text(text) => read_text(text, kind)?,
    };
    value.coerce(&kind.value_type())
}

/// Text of the command line: numbers and booleans as they are written, a list with commas or as JSON.
fn read_text(text: &str, kind: ParameterKind) -> Result<Value, String> {
    let wrong = || format!("expected {}, found `{text}`", kind.value_type());
    match kind {
        ParameterKind::String
        | ParameterKind::Duration
        | ParameterKind::Instant
        | ParameterKind::InstantOrLatest
        | ParameterKind::Secret => Ok(Value::text(text)),
        ParameterKind::Int => text.parse().map(Value::Int).map_err(|_| wrong()),
        ParameterKind::Float => {
            let finite = text.parse().ok().filter(|number: &f64| number.is_finite());
            finite.map(Value::Float).ok_or_else(wrong)
        }
        ParameterKind::Bool => text.parse().map(Value::Bool).map_err(|_| wrong()),
        ParameterKind::List if text.trim_start().starts_with('[') => {
            let json = serde_json::from_str(text).map_err(|_| wrong())?;
            Value::from_json(&json, &Type::List(Box::new(Type::Any)))
        }
        ParameterKind::List if text.trim().is_empty() => Ok(Value::List(Vec::new())),
        ParameterKind::List => {
            Ok(Value::List(text.split(',').map(|item| Value::text(item.trim())).collect()))
        }
    }
}
