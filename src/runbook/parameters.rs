//! Reads the parameters that a runbook declares.
//!
//! **Invariant:** defaults and choices have the declared type, and a default is one of the choices.

use crate::base::diagnostic::Problems;
use crate::base::value::Value;
use crate::base::yaml::{Fields, Key, Node};
use crate::runbook::bind::{Given, value_of};
use crate::runbook::codes;
use crate::runbook::document::{Naming, check_name, items, word};
use crate::runbook::model::{Parameter, ParameterKind};
use crate::runbook::shape::PARAMETER;

/// All parameters in file order.
pub(crate) fn read(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<Parameter> {
    fields
        .entries("parameters", problems)
        .into_iter()
        .map(|(key, node)| parameter(key, node, problems))
        .collect()
}

fn parameter(key: &Key, node: &Node, p: &mut Problems) -> Parameter {
    check_name(&key.name, Naming::Id, key.span, p);
    let what = format!("parameter `{}`", key.name);
    let mut f = Fields::of(node, &what, p).shaped(&PARAMETER);
    f.required("type", p);
    let declared = word(&mut f, "type", &ParameterKind::NAMES, p);
    // An unknown type takes every value, so that it is the only problem reported.
    let kind = declared.unwrap_or(ParameterKind::String);
    let typed = |node: &Node, what: &str, p: &mut Problems| {
        let value = value_of(&Given::Typed(node.to_value()), kind);
        match (value, declared) {
            (Ok(value), _) => Some(value),
            (Err(_), None) => None,
            (Err(why), Some(_)) => {
                let problem = p.error(codes::PARAMETER, node.span, format!("{what}: {why}"));
                if let Some(hint) = node.to_value().hint(&kind.value_type()) {
                    problem.help(hint);
                }
                None
            }
        }
    };
    let default_node = f.node("default");
    let default = default_node.and_then(|node| typed(node, "the default", p));
    let choices: Vec<Value> = items(&mut f, "choices", p)
        .iter()
        .filter_map(|node| typed(node, "this choice", p))
        .collect();
    let required = f.node("required").map(|node| node.span);
    let says_required = f.boolean("required", p);
    let description = f.text("description", p).unwrap_or_default();
    f.finish(p);
    if let (Some(node), Some(value)) = (default_node, &default) {
        if !choices.is_empty() && !choices.contains(value) {
            p.error(codes::PARAMETER, node.span, "the default is not one of the choices");
        }
        if kind == ParameterKind::Secret && declared.is_some() {
            p.error(codes::PARAMETER, node.span, "a secret cannot have a default in a file")
                .help("give it when running, with `-p name=value`");
        }
        if let (Some(span), Some(true)) = (required, says_required) {
            p.error(codes::PARAMETER, span, format!("{what} is required and has a default"))
                .help("remove one of the two");
        }
    }
    Parameter {
        name: key.name.clone(),
        kind,
        required: default_node.is_none() && says_required != Some(false),
        default,
        choices,
        description,
        span: key.span,
    }
}
