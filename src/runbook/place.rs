//! Finds the places of expressions inside the texts of a file.
//!
//! **Invariant:** a place that cannot be found exactly (escapes, folded lines) is the place of the
//! whole value, never a wrong one; the work is linear in the value.

use crate::base::diagnostic::{Problems, Span, lines_of};
use crate::base::yaml::{Kind, Node};
use crate::runbook::check::Complaint;
use crate::runbook::codes;
use crate::runbook::expression::Expression;
use crate::runbook::scope::ROOTS;
use crate::runbook::syntax::ExpressionError;
use crate::runbook::template::{Placed, Template, TemplateKind, text_kind};
use std::ops::Range;

/// A file's name-less text, and where its problems go.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    pub(crate) problems: &'a mut Problems,
}

impl Reader<'_> {
    /// A value of `with`.
    pub(crate) fn template(&mut self, node: &Node) -> Template {
        let kind = match &node.kind {
            Kind::Float(number) if !number.is_finite() => {
                self.problems.error("DR004", node.span, "the number is not finite");
                TemplateKind::Fixed(node.to_value())
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
                TemplateKind::Fixed(node.to_value())
            }
            Kind::Text(text) => self.text_template(text, node),
            Kind::List(items) => {
                TemplateKind::List(items.iter().map(|item| self.template(item)).collect())
            }
            Kind::Map(entries) => TemplateKind::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.name.clone(), self.template(value)))
                    .collect(),
            ),
        };
        Template { span: node.span, kind }
    }

    fn text_template(&mut self, text: &str, node: &Node) -> TemplateKind {
        if let Some(written) = single_brace(text) {
            let place = self.locate(node.span, written, &mut { node.span });
            let inner = written[2..written.len() - 1].trim();
            self.problems
                .error(codes::SYNTAX, place, "an expression stands in two braces")
                .help(format!("did you mean `${{{{ {inner} }}}}`?"));
            return TemplateKind::Text(text.to_owned());
        }
        let mut cursor = node.span;
        let parsed = text_kind(text, |inner, _| {
            let span = self.locate(node.span, inner, &mut cursor);
            Ok(Placed { expression: self.expression(inner, span), span })
        });
        parsed.unwrap_or_else(|error| {
            self.syntax(&error, node.span, text);
            TemplateKind::Text(text.to_owned())
        })
    }

    /// A bare expression.
    pub(crate) fn bare(&mut self, node: &Node, text: &str) -> Placed {
        let mut cursor = node.span;
        let span = self.locate(node.span, text, &mut cursor);
        Placed { expression: self.expression(text, span), span }
    }

    /// Parses; what cannot be parsed is a problem and reads as `null`.
    fn expression(&mut self, text: &str, span: Span) -> Expression {
        Expression::parse(text).unwrap_or_else(|error| {
            self.syntax(&error, span, text);
            Expression::parse("null").expect("null is an expression")
        })
    }

    fn syntax(&mut self, error: &ExpressionError, span: Span, text: &str) {
        let place = part(span, text, &error.span);
        let problem = self.problems.error(codes::SYNTAX, place, error.message.clone());
        if let Some(help) = &error.help {
            problem.help(help.clone());
        }
    }

    /// Where `inner` stands in the file, searched from `cursor` to the end of the value. What is
    /// not found ends the search for all that follows, so that the work stays linear.
    fn locate(&self, value: Span, inner: &str, cursor: &mut Span) -> Span {
        let end = value.end.min(self.text.len());
        let raw = self.text.get(cursor.start..end).unwrap_or("");
        let Some(offset) = raw.find(inner) else {
            cursor.start = end;
            return value;
        };
        let found = advance(*cursor, &raw[..offset]);
        *cursor = advance(found, inner);
        Span { end: cursor.start, ..found }
    }
}

/// The first `${ root.… }` of a text that has no `${{ }}`: no shell knows variables with a dot, so an
/// expression was meant.
fn single_brace(text: &str) -> Option<&str> {
    if text.contains("${{") {
        return None;
    }
    text.match_indices("${").find_map(|(at, _)| {
        let length = text[at..].find('}')? + 1;
        let inner = text[at + 2..at + length - 1].trim();
        let root = inner.split('.').next().filter(|root| root.len() < inner.len())?;
        ROOTS.contains(&root).then(|| &text[at..at + length])
    })
}

/// Where the expression itself stands, without the space around it.
pub(crate) fn focus(placed: &Placed) -> Span {
    part(placed.span, placed.expression.text(), &placed.expression.tree().span)
}

/// Reports what the checker found in one expression.
pub(crate) fn report(placed: &Placed, complaints: Vec<Complaint>, problems: &mut Problems) {
    for complaint in complaints {
        let place = part(placed.span, placed.expression.text(), &complaint.span);
        let problem = problems.error(complaint.code, place, complaint.message);
        if let Some(help) = complaint.help {
            problem.help(help);
        }
    }
}

/// The bytes `range` of `text`, which stands at `span`; all of `span` when the file writes it
/// differently.
fn part(span: Span, text: &str, range: &Range<usize>) -> Span {
    let same = span.end.saturating_sub(span.start) == text.len();
    let Some(before) = text.get(..range.start).filter(|_| same) else { return span };
    let mut place = advance(span, before);
    place.end = span.start + range.end.min(text.len());
    place
}

/// The place after `before`, which begins at `span`.
fn advance(span: Span, before: &str) -> Span {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (ends, rest) = lines_of(before);
    let column = if ends > 0 { 1 } else { span.column } + number(rest.chars().count());
    let start = span.start + before.len();
    Span { line: span.line + number(ends), column, start, end: span.end }
}
