//! Runbooks that a plan calls: what their steps know as parameters, and what they give.
//!
//! **Invariant:** planning and running bind parameters and make outputs with the same functions; a called
//! runbook's steps see their own steps and parameters, and nothing of the caller.

use super::model::PlannedStep;
use super::scope::refers;
use crate::base::ids::StepKey;
use crate::base::value::{Value, Values};
use crate::runbook::{Call, ParameterKind, Runbook, Scope, Template};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A call, as a plan keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// The called runbook.
    pub runbook: String,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<PlannedParameter>,
    /// What it gives, over its own steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Json>,
    /// The call's condition, over the caller's steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A parameter of a called runbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedParameter {
    /// Its name.
    pub name: String,
    /// Its type as files name it.
    pub kind: String,
    /// Whether it must have a value.
    pub required: bool,
    /// The only values that it may have; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Json>,
    /// What the caller gives, over the caller's steps.
    pub value: Json,
    /// What it is when the caller gives nothing.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub default: Json,
}

impl PlannedCall {
    /// The call as it stands in a runbook.
    pub(super) fn of(call: &Call) -> Self {
        let json = |value: Option<&Value>| value.map(Value::to_json).unwrap_or_default();
        let parameter =
            |(parameter, given): &(crate::runbook::Parameter, Option<Template>)| PlannedParameter {
                name: parameter.name.clone(),
                kind: parameter.kind.name().to_owned(),
                required: parameter.required,
                choices: parameter.choices.iter().map(Value::to_json).collect(),
                value: given.as_ref().map(Template::to_json).unwrap_or_default(),
                default: json(parameter.default.as_ref()),
            };
        let outputs = call.outputs.iter().map(|it| (it.name.clone(), it.value.to_json()));
        Self {
            runbook: call.runbook.clone(),
            parameters: call.parameters.iter().map(parameter).collect(),
            outputs: outputs.collect(),
            when: call.when.as_ref().map(|when| when.text().to_owned()),
        }
    }

    /// The texts in which the caller's steps may be named.
    pub fn texts(&self) -> String {
        let values = self.parameters.iter().map(|it| it.value.to_string());
        values.chain(self.when.clone()).collect::<Vec<_>>().join(" ")
    }

    /// The texts in which the called runbook's own steps may be named.
    pub fn output_texts(&self) -> String {
        self.outputs.values().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The values of its parameters, in the caller's scope.
    ///
    /// # Errors
    /// The first one without a usable value, as a sentence fragment.
    pub fn bind(&self, caller: &Scope) -> Result<Values, String> {
        let one = |it: &PlannedParameter| {
            let wrong = |why: String| format!("parameter `{}`: {why}", it.name);
            Ok((it.name.clone(), it.bind(caller).map_err(wrong)?))
        };
        self.parameters.iter().map(one).collect()
    }

    /// What it gives, in the scope of its own steps. What is not there is null, as the outputs of any step
    /// are that nobody saw.
    pub fn outputs(&self, own: &Scope, planning: bool) -> Values {
        let one = |(name, json): (&String, &Json)| {
            let value = Template::parse_json(json).ok().and_then(|it| it.evaluate(own).ok());
            let value = value.unwrap_or(Value::Null);
            let known = planning || value.unknown_reason().is_none();
            (name.clone(), if known { value } else { Value::Null })
        };
        self.outputs.iter().map(one).collect()
    }
}

impl PlannedParameter {
    fn bind(&self, caller: &Scope) -> Result<Value, String> {
        let template = Template::parse_json(&self.value).map_err(|error| error.message)?;
        let value = template.evaluate(caller).map_err(|error| error.to_string())?;
        if value.unknown_reason().is_some() {
            return Ok(value);
        }
        let kind = ParameterKind::NAMES.iter().find(|(name, _)| *name == self.kind);
        let kind = kind.map(|(_, kind)| kind.value_type()).ok_or("it has an unknown type")?;
        if value == Value::Null {
            return match (&self.default, self.required) {
                (Json::Null, true) => Err("it has no value".to_owned()),
                (Json::Null, false) => Ok(Value::Null),
                (default, _) => Value::untyped(default).coerce(&kind),
            };
        }
        let value = value.coerce(&kind)?;
        if !self.choices.is_empty() && !self.choices.contains(&value.to_json()) {
            let choices = self.choices.iter().map(ToString::to_string).collect::<Vec<_>>();
            return Err(format!("`{value}` is not one of: {}", choices.join(", ")));
        }
        Ok(value)
    }
}

/// All calls of a runbook.
pub(super) fn calls(runbook: &Runbook) -> BTreeMap<String, PlannedCall> {
    runbook.calls.iter().map(|(id, call)| (id.clone(), PlannedCall::of(call))).collect()
}

/// Whether `step` cannot be evaluated without the outputs of `need`: by itself, or by what it was called
/// with.
pub fn depends_on(
    calls: &BTreeMap<String, PlannedCall>,
    step: &PlannedStep,
    need: &StepKey,
) -> bool {
    let texts = format!("{} {}", step.with, step.when.as_deref().unwrap_or_default());
    texts_depend_on(calls, &step.key, &texts, need)
}

/// The same of a step with these texts.
pub(super) fn texts_depend_on(
    calls: &BTreeMap<String, PlannedCall>,
    key: &StepKey,
    texts: &str,
    need: &StepKey,
) -> bool {
    if key.frame() == need.frame() {
        return refers(texts, need.local());
    }
    let given = crate::base::ids::frames(key.frame())
        .filter(|frame| crate::base::ids::frame_of(frame) == need.frame())
        .filter_map(|frame| calls.get(frame));
    given.into_iter().any(|call| refers(&call.texts(), need.local()))
}
