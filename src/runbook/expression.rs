//! An expression as the rest of the program sees it: parsed text that can be checked and evaluated.
//!
//! **Invariant:** evaluation is total: it ends, touches nothing but the scope, and answers with a
//! value or an error that has a place in the text.

use crate::base::value::Value;
use crate::runbook::evaluate;
use crate::runbook::parse;
use crate::runbook::scope::Scope;
use crate::runbook::syntax::{Ast, ExpressionError};
use std::ops::Range;

/// A parsed expression. Two are equal when their text is.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    tree: Ast,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Parses `text`, which has no `${{ }}` around it.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let tree = parse::parse(text)?;
        Ok(Self { text: text.to_owned(), tree })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value in `scope`; what depends on an unknown value is unknown.
    ///
    /// # Errors
    /// A null, an ill-typed or an impossible operand (division by zero, no such key), with its place.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, EvaluationError> {
        evaluate::evaluate(&self.tree, scope).map(std::borrow::Cow::into_owned).map_err(|fault| {
            EvaluationError {
                kind: fault.kind,
                message: fault.message,
                expression: self.text.clone(),
                span: fault.span,
            }
        })
    }

    /// Ids of the steps that it refers to, in order of appearance.
    pub fn steps(&self) -> Vec<&str> {
        self.members("steps")
    }

    /// Names after the root `root`: the `a` of `root.a`.
    pub(crate) fn members(&self, root: &str) -> Vec<&str> {
        let mut names = Vec::new();
        self.tree.walk(&mut |node| {
            if let Some((_, name)) = node.member().filter(|(found, _)| *found == root) {
                names.push(name);
            }
        });
        names
    }

    pub(crate) fn tree(&self) -> &Ast {
        &self.tree
    }
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} in `{expression}`")]
pub struct EvaluationError {
    /// What kind of error it is.
    pub kind: FaultKind,
    /// What is wrong.
    pub message: String,
    /// The expression, or the whole text that it stands in.
    pub expression: String,
    /// Bytes of the expression.
    pub span: Range<usize>,
}

/// Kinds of errors of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A value of a type that the operation does not take: the checker finds these before a run,
    /// except where a type is not known then.
    Type,
    /// A null where a value is needed.
    Null,
    /// The right type and an impossible value: division by zero, no such key, overflow.
    Value,
}
