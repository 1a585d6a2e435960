//! The document for the day that drctl itself is down: what to do by hand, step by step.
//!
//! **Invariant:** made from the runbook and what its actions declare; what is not known is a variable
//! that is explained, never a guess.

mod build;
mod hand;
mod html;
mod markdown;
mod names;

pub use build::{DocRequest, procedure};
pub use html::html;
pub use markdown::markdown;
pub use names::Variable;

use crate::base::duration::format;
use crate::base::value::Value;
use crate::estate::Objectives;
use crate::runbook::model::{Docs, Parameter};

/// A runbook as a procedure for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure {
    /// Name of the runbook.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub purpose: String,
    /// Texts for people.
    pub docs: Docs,
    /// Where it applies, if that was said: estate, environment, account, region.
    pub place: Option<String>,
    /// What was promised, in words.
    pub promised: String,
    /// Parameters: name, declaration, value here (or `None`), description.
    pub parameters: Vec<(String, String, Option<String>, String)>,
    /// What the reader sets before the commands.
    pub variables: Vec<Variable>,
    /// The steps in order.
    pub steps: Vec<HandStep>,
}

/// A step as a person does it.
#[derive(Debug, Clone, PartialEq)]
pub struct HandStep {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The action, and what it does.
    pub action: String,
    /// What must be known before: order, conditions, warnings; sentences.
    pub notes: Vec<String>,
    /// Commands and instructions in words.
    pub commands: Vec<String>,
    /// How it is taken back, when there is a way: the action and its commands.
    pub undo: Option<(String, Vec<String>)>,
}

/// Type, default and choices of a parameter in words.
pub fn declaration(parameter: &Parameter) -> String {
    let mut words = vec![parameter.kind.name().to_owned()];
    match (&parameter.default, parameter.required) {
        (Some(Value::String(text)), _) if text.is_empty() => words.push("default \"\"".to_owned()),
        (Some(default), _) => words.push(format!("default {default}")),
        (None, true) => words.push("required".to_owned()),
        (None, false) => words.push("optional".to_owned()),
    }
    if !parameter.choices.is_empty() {
        let choices: Vec<String> = parameter.choices.iter().map(Value::to_string).collect();
        words.push(format!("one of {}", choices.join(", ")));
    }
    words.join(", ")
}

/// Objectives in words.
pub fn promised(objectives: Objectives) -> String {
    let parts: Vec<String> = [
        ("recovery time", objectives.recovery_time),
        ("recovery point", objectives.recovery_point),
    ]
    .into_iter()
    .filter_map(|(name, promise)| Some(format!("{name} {}", format(promise?))))
    .collect();
    let none = "none of its own: the drill's, the database's or the estate's hold";
    if parts.is_empty() { none.to_owned() } else { parts.join(", ") }
}
