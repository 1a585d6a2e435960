//! Whether what a drill refers to is there, and whether the runbook's own expressions have values with
//! what the drill gives.
//!
//! **Invariant:** every problem stands in the drill's file, at the field that refers; what may still
//! come from the command line or from a run is no problem.

use crate::base::diagnostic::{Problems, Span};
use crate::base::ids::frame_of;
use crate::base::value::{Value, Values};
use crate::base::yaml::{self, Node};
use crate::estate::{Environment, Estate};
use crate::runbook::bind::bind;
use crate::runbook::check::suggestion;
use crate::runbook::codes;
use crate::runbook::expression::{EvaluationError, Expression};
use crate::runbook::model::{Drill, Runbook, Step};
use crate::runbook::scope::Scope;
use crate::runbook::syntax::AstKind;
use std::collections::{BTreeMap, BTreeSet};

/// Why a file that a drill names cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// Nothing has that name; these are the names that exist.
    Missing(BTreeSet<String>),
    /// The file of this name has errors of its own.
    Broken(String),
}

/// What is said of a drill whose field `field` (`runbook` or `estate`) names a file that cannot be used.
pub fn unusable_reference(drill: &Drill, field: &str, why: &Unusable) -> Problems {
    report(drill, |node, problems| {
        let Some((_, named)) = node.field(field) else { return };
        let name = named.to_value();
        let (message, help) = match why {
            Unusable::Missing(names) => {
                let near = suggestion(&name.to_string(), names.iter().map(String::as_str));
                (format!("there is no {field} called `{name}`"), near)
            }
            Unusable::Broken(file) => (
                format!("{field} `{name}` has errors of its own"),
                format!("`drctl runbook validate {file}` shows them"),
            ),
        };
        problems.error(codes::DRILL_REFERENCE, named.span, message).help(help);
    })
}

/// Whether the estate has the drill's environment.
pub fn check_drill_environment(drill: &Drill, estate: &Estate) -> Problems {
    report(drill, |node, problems| {
        if estate.environments.contains_key(&drill.environment) {
            return;
        }
        // Without the field it is `sim`, and the estate's name is what does not go with that.
        let place = node.field("environment").or_else(|| node.field("estate"));
        let span = place.map_or(node.span, |(_, node)| node.span);
        let message =
            format!("estate `{}` has no environment `{}`", estate.name, drill.environment);
        let names = estate.environments.keys().map(String::as_str);
        let help = suggestion(&drill.environment, names);
        problems.error(codes::DRILL_REFERENCE, span, message).help(help);
    })
}

/// Whether the expressions of the runbook that can be known before a run have values with the drill's
/// parameters: the database that a parameter names exists in the estate, and the like. Gives nothing
/// for parameters that [`crate::runbook::check_drill`] refuses.
pub fn check_drill_values(
    drill: &Drill,
    runbook: &Runbook,
    estate: &Estate,
    environment: &Environment,
) -> Problems {
    let mut params = Values::new();
    for parameter in &runbook.parameters {
        let given = drill.parameters.get(&parameter.name);
        let value = match bind(parameter, given) {
            Ok(value) => value,
            Err(_) if given.is_some() => return Problems::in_text(&drill.file, &drill.text),
            Err(_) => Value::Unknown("it is given when the drill runs".to_owned()),
        };
        params.insert(parameter.name.clone(), value);
    }
    let scope = Scope::of(params.clone()).with_estate(estate, environment);
    let mut found: BTreeMap<&str, EvaluationError> = BTreeMap::new();
    // Steps come after those that they need.
    let mut certain: BTreeSet<&str> = BTreeSet::new();
    for step in &runbook.steps {
        let needed = step.needs.iter().all(|id| certain.contains(id.as_str()));
        // A called runbook's steps have parameters of their own, which may hang on what the run finds.
        let called = !frame_of(&step.id).is_empty();
        if !needed || called || step.for_each.is_some() || !surely_runs(step, &scope) {
            continue;
        }
        certain.insert(&step.id);
        let templates = step.with.values().chain(&step.region);
        let expressions = templates.flat_map(|template| template.expressions());
        for expression in expressions.filter(|it| is_known_before(it)) {
            let Err(error) = expression.evaluate(&scope) else { continue };
            let mut names = expression.members("params").into_iter();
            if let Some(name) = names.find(|name| drill.parameters.contains_key(*name)) {
                found.entry(name).or_insert(error);
            }
        }
    }
    report(drill, |node, problems| {
        let Some((_, given)) = node.field("parameters") else { return };
        for (name, error) in found {
            let span = given.field(name).map_or(Span::default(), |(_, node)| node.span);
            let message = format!("parameter `{name}`: {error}");
            let problem = problems.error(codes::DRILL_PARAMETER, span, message);
            if let Some(near) = near_database(params.get(name), &error, estate) {
                problem.help(near);
            }
        }
    })
}

/// Whether nothing can keep the step from running that is known only in a run.
fn surely_runs(step: &Step, scope: &Scope) -> bool {
    let Some(when) = &step.when else { return true };
    is_known_before(when) && when.evaluate(scope) == Ok(Value::Bool(true))
}

/// Whether it names nothing but what is known before a run.
fn is_known_before(expression: &Expression) -> bool {
    let mut known = true;
    expression.tree().walk(&mut |node| {
        if let AstKind::Name(name) = &node.kind {
            known &= matches!(name.as_str(), "params" | "estate" | "env");
        }
    });
    known
}

/// Which database was probably meant by a parameter that names none.
fn near_database(
    value: Option<&Value>,
    error: &EvaluationError,
    estate: &Estate,
) -> Option<String> {
    let failed = error.expression.get(error.span.clone())?;
    let word = value?.as_str().filter(|_| failed.starts_with("estate.databases["))?;
    Some(suggestion(word, estate.databases.keys().map(String::as_str)))
}

/// The problems that `find` finds in the drill's file.
fn report(drill: &Drill, find: impl FnOnce(&Node, &mut Problems)) -> Problems {
    let mut problems = Problems::in_text(&drill.file, &drill.text);
    if let Ok(node) = yaml::parse(&drill.file, &drill.text) {
        find(&node, &mut problems);
    }
    problems
}
