//! Values of `with`: as written, with `${{ expression }}` inside their texts.
//!
//! **Invariant:** a text that is nothing but one `${{ }}` keeps the expression's type; a secret, a list
//! or a map never becomes part of a text.

use crate::base::diagnostic::Span;
use crate::base::value::{Value, Values};
use crate::runbook::evaluate::{PRINTABLE, text_of};
use crate::runbook::expression::{EvaluationError, Expression};
use crate::runbook::scope::Scope;
use crate::runbook::syntax::ExpressionError;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A parsed value. Two are equal when they are written alike, wherever they stand.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) span: Span,
    pub(crate) kind: TemplateKind,
}

/// What a template is.
#[derive(Debug, Clone)]
pub(crate) enum TemplateKind {
    /// Null, a boolean or a number.
    Fixed(Value),
    /// Text without expressions.
    Text(String),
    /// One expression and the text that it stands in.
    Sole(Placed, String),
    /// Text with expressions inside, and the same as written.
    Mixed(Vec<Part>, String),
    List(Vec<Template>),
    Map(BTreeMap<String, Template>),
}

/// An expression and where it begins in the file.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) expression: Expression,
    pub(crate) span: Span,
}

/// A part of a mixed text.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String),
    Expression(Placed),
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl Template {
    /// Reads what [`Template::to_json`] gave.
    ///
    /// # Errors
    /// An expression inside that cannot be parsed.
    pub fn parse_json(json: &Json) -> Result<Self, ExpressionError> {
        let kind = match json {
            Json::Null | Json::Bool(_) | Json::Number(_) => {
                TemplateKind::Fixed(Value::untyped(json))
            }
            Json::String(text) => text_kind(text, |inner, _| {
                Ok(Placed { expression: Expression::parse(inner)?, span: Span::default() })
            })?,
            Json::Array(items) => {
                let items: Result<_, _> = items.iter().map(Self::parse_json).collect();
                TemplateKind::List(items?)
            }
            Json::Object(map) => {
                let map: Result<_, ExpressionError> = map
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Self::parse_json(value)?)))
                    .collect();
                TemplateKind::Map(map?)
            }
        };
        Ok(Self { span: Span::default(), kind })
    }

    /// The value as written, expressions as text.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            TemplateKind::Fixed(value) => value.to_json(),
            TemplateKind::Text(text)
            | TemplateKind::Sole(_, text)
            | TemplateKind::Mixed(_, text) => Json::String(text.clone()),
            TemplateKind::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            TemplateKind::Map(map) => {
                Json::Object(map.iter().map(|(name, it)| (name.clone(), it.to_json())).collect())
            }
        }
    }

    /// The value in `scope`. Text stays text: coerce it to the type of the input afterwards, as
    /// [`crate::runbook::evaluate_inputs`] does.
    ///
    /// # Errors
    /// An expression without a value, or one that cannot stand inside text.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, EvaluationError> {
        match &self.kind {
            TemplateKind::Fixed(value) => Ok(value.clone()),
            TemplateKind::Text(text) => Ok(Value::text(text)),
            TemplateKind::Sole(placed, _) => placed.expression.evaluate(scope),
            TemplateKind::Mixed(parts, text) => interpolate(parts, text, scope),
            TemplateKind::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| item.evaluate(scope)).collect();
                Ok(Value::List(items?))
            }
            TemplateKind::Map(map) => {
                let map: Result<Values, EvaluationError> = map
                    .iter()
                    .map(|(name, item)| Ok((name.clone(), item.evaluate(scope)?)))
                    .collect();
                Ok(Value::Map(map?))
            }
        }
    }

    /// All expressions inside, in order.
    pub fn expressions(&self) -> Vec<&Expression> {
        match &self.kind {
            TemplateKind::Fixed(_) | TemplateKind::Text(_) => Vec::new(),
            TemplateKind::Sole(placed, _) => vec![&placed.expression],
            TemplateKind::Mixed(parts, _) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Text(_) => None,
                    Part::Expression(placed) => Some(&placed.expression),
                })
                .collect(),
            TemplateKind::List(items) => items.iter().flat_map(Self::expressions).collect(),
            TemplateKind::Map(map) => map.values().flat_map(Self::expressions).collect(),
        }
    }
}

fn interpolate(parts: &[Part], text: &str, scope: &Scope) -> Result<Value, EvaluationError> {
    let mut output = String::new();
    let mut unknown = None;
    for part in parts {
        match part {
            Part::Text(text) => output.push_str(text),
            Part::Expression(placed) => {
                let value = placed.expression.evaluate(scope)?;
                if let Value::Unknown(why) = value {
                    unknown = unknown.or(Some(why));
                    continue;
                }
                let part = text_of(&value).map_err(|kind| EvaluationError {
                    kind,
                    message: format!("{} is not {PRINTABLE}", value.type_name()),
                    expression: text.to_owned(),
                    span: 0..text.len(),
                })?;
                output.push_str(&part);
            }
        }
    }
    Ok(unknown.map_or(Value::String(output), Value::Unknown))
}

/// Splits text at its `${{ }}`; `place` parses one inner text that begins at the given byte.
pub(crate) fn text_kind(
    text: &str,
    mut place: impl FnMut(&str, usize) -> Result<Placed, ExpressionError>,
) -> Result<TemplateKind, ExpressionError> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${{") {
        let open = at + found;
        let start = open + 3;
        let Some(length) = closing(&text[start..]) else {
            return Err(ExpressionError::at(open..text.len(), "`${{` is not closed with `}}`"));
        };
        if open > at {
            parts.push(Part::Text(text[at..open].to_owned()));
        }
        parts.push(Part::Expression(place(&text[start..start + length], start)?));
        at = start + length + 2;
    }
    if parts.is_empty() {
        return Ok(TemplateKind::Text(text.to_owned()));
    }
    if at < text.len() {
        parts.push(Part::Text(text[at..].to_owned()));
    }
    let sole = text.trim().starts_with("${{")
        && parts.iter().all(|part| match part {
            Part::Text(text) => text.trim().is_empty(),
            Part::Expression(_) => true,
        })
        && parts.iter().filter(|part| matches!(part, Part::Expression(_))).count() == 1;
    if sole {
        let only = parts.into_iter().find_map(|part| match part {
            Part::Expression(placed) => Some(placed),
            Part::Text(_) => None,
        });
        return Ok(TemplateKind::Sole(only.expect("one was counted"), text.to_owned()));
    }
    Ok(TemplateKind::Mixed(parts, text.to_owned()))
}

/// Bytes before the `}}` that closes an expression; quoted text is stepped over.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut quote = None;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
