//! `assumes_lost`: the region that a runbook takes for lost, so that nothing which must outlive it is kept
//! there.
//!
//! **Invariant:** its value follows from parameters alone, and is known before anything begins.

use crate::base::diagnostic::Problems;
use crate::base::value::{Type, Value, Values};
use crate::base::yaml::Fields;
use crate::runbook::check::{Refusal, Shapes, suggestion};
use crate::runbook::codes;
use crate::runbook::expression::EvaluationError;
use crate::runbook::model::Runbook;
use crate::runbook::place::Reader;
use crate::runbook::references::Inputs;
use crate::runbook::scope::Scope;
use crate::runbook::template::{Template, TemplateKind};

/// Reads the field `assumes_lost` of the runbook in `text`.
pub(crate) fn read(f: &mut Fields<'_>, text: &str, p: &mut Problems) -> Option<Template> {
    let node = f.node("assumes_lost")?;
    let template = Reader { text, problems: p }.template(node);
    if let TemplateKind::Text(region) = &template.kind
        && !is_region(region)
    {
        let message = format!("field `assumes_lost`: `{region}` is no region");
        p.error("DR004", node.span, message).help("write for example us-east-1");
    }
    Some(template)
}

/// Checks that it is text, and made of parameters.
pub(crate) fn check(template: Option<&Template>, params: &Type, p: &mut Problems) {
    let Some(template) = template else { return };
    Inputs { shapes: &Parameters { params }, problems: p }.template(template, &Type::String);
}

/// The names that are known before planning.
struct Parameters<'a> {
    params: &'a Type,
}

impl Shapes for Parameters<'_> {
    fn root(&self, name: &str) -> Result<Type, Refusal> {
        match name {
            "params" => Ok(self.params.clone()),
            _ => Err(too_early(name)),
        }
    }

    fn parameter(&self, name: &str) -> Option<Result<Type, Refusal>> {
        let Type::Record(parameters) = self.params else { return None };
        Some(parameters.get(name).cloned().ok_or_else(|| {
            let help = suggestion(name, parameters.keys().map(String::as_str));
            (codes::UNKNOWN_NAME, format!("`params` has no `{name}`"), Some(help))
        }))
    }

    fn step(&self, _: &str) -> Result<Type, Refusal> {
        Err(too_early("steps"))
    }
}

fn too_early(name: &str) -> Refusal {
    let message = format!("`{name}` is not known to `assumes_lost`");
    let help = "it can use `params` only: it is judged before anything begins";
    (codes::NOT_HERE, message, Some(help.to_owned()))
}

/// Whether it has the form of a region: two letters, words, a number, as in `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, words @ .., number] = parts.as_slice() else { return false };
    let lower = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    first.len() == 2
        && lower(first)
        && !words.is_empty()
        && words.iter().all(lower)
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}

impl Runbook {
    /// The region that it assumes lost, with these parameters; `None` when it assumes none, or a
    /// parameter that may be absent is.
    ///
    /// # Errors
    /// Its expression has no value.
    pub fn lost_region(&self, parameters: &Values) -> Result<Option<String>, EvaluationError> {
        let Some(template) = &self.assumes_lost else { return Ok(None) };
        let value = template.evaluate(&Scope::of(parameters.clone()))?;
        Ok(match value {
            Value::Null => None,
            value => value.as_str().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn regions_have_a_form() {
        for good in ["us-east-1", "eu-west-3", "us-gov-west-1", "ap-southeast-12"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "useast1", "us-east", "US-EAST-1", "us--1", "eu-west-1a", "west-1", "a"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
