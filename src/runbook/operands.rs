//! Which types an operator takes, what comes of them, and which side to mark when they do not fit.
//!
//! **Invariant:** what is accepted here is what `operate` computes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operation names the types it takes; every other one, also a later one, is refused"
)]

use crate::base::value::Type;
use crate::runbook::kinds::{bare, comparable, joined, present};
use crate::runbook::syntax::{Ast, AstKind, Operator};

/// Which side of an operator to mark when its two types do not go together: the one that goes with
/// nothing, else the one that is written out and easily changed, else the right one.
pub(crate) fn culprit<'a>(
    operator: Operator,
    (left, left_kind): (&'a Ast, &Type),
    (right, right_kind): (&'a Ast, &Type),
) -> &'a Ast {
    let alone = |kind: &Type| match operator {
        Operator::Equal | Operator::NotEqual => *present(kind) == Type::Secret,
        Operator::In => false,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            ordered(bare(kind), bare(kind)).is_none()
        }
        _ => arithmetic(operator, bare(kind), &Type::Any).is_none(),
    };
    let written = |node: &Ast| {
        matches!(
            node.kind,
            AstKind::Bool(_)
                | AstKind::Int(_)
                | AstKind::Float(_)
                | AstKind::Text(_)
                | AstKind::List(_)
        )
    };
    match (alone(left_kind), alone(right_kind)) {
        (true, false) => left,
        (false, true) => right,
        _ if written(left) && !written(right) => left,
        _ => right,
    }
}

/// Whether it is a zero, written out.
pub(crate) fn is_zero(node: &Ast) -> bool {
    match &node.kind {
        AstKind::Int(number) => *number == 0,
        AstKind::Float(number) => *number == 0.0,
        AstKind::Negate(inner) => is_zero(inner),
        _ => false,
    }
}

pub(crate) fn has_size(kind: &Type) -> bool {
    matches!(kind, Type::Any | Type::String | Type::List(_) | Type::Map(_) | Type::Record(_))
}

pub(crate) fn has_number(kind: &Type) -> bool {
    matches!(kind, Type::Any | Type::Int | Type::Float | Type::String)
}

pub(crate) fn comparison(left: &Type, right: &Type) -> Option<Type> {
    // A secret is compared with nothing but null.
    let null = |kind: &Type| *kind == Type::Any.or_null();
    let secret = *present(left) == Type::Secret || *present(right) == Type::Secret;
    if secret && !null(left) && !null(right) {
        return None;
    }
    comparable(left, right).then_some(Type::Bool)
}

pub(crate) fn ordered(left: &Type, right: &Type) -> Option<Type> {
    let has_order = |kind: &Type| {
        matches!(
            kind,
            Type::Any | Type::Int | Type::Float | Type::String | Type::Time | Type::Duration
        )
    };
    (has_order(left) && has_order(right) && comparable(left, right)).then_some(Type::Bool)
}

pub(crate) fn membership(left: &Type, right: &Type) -> Option<Type> {
    if *present(left) == Type::Secret {
        return None;
    }
    let fits = match present(right) {
        Type::Any => true,
        Type::List(inner) => comparable(left, inner),
        Type::Map(_) | Type::Record(_) => matches!(bare(left), Type::String | Type::Any),
        _ => false,
    };
    fits.then_some(Type::Bool)
}

pub(crate) fn arithmetic(operator: Operator, left: &Type, right: &Type) -> Option<Type> {
    let additive = matches!(operator, Operator::Add | Operator::Subtract);
    match (left, right) {
        (Type::Bool | Type::Secret | Type::Map(_) | Type::Record(_), _)
        | (_, Type::Bool | Type::Secret | Type::Map(_) | Type::Record(_)) => None,
        (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
        (Type::Int, Type::Int) => Some(Type::Int),
        (Type::Float, Type::Float) if operator != Operator::Remainder => Some(Type::Float),
        (Type::Time, Type::Duration) if additive => Some(Type::Time),
        (Type::Duration, Type::Time) if operator == Operator::Add => Some(Type::Time),
        (Type::Duration, Type::Duration) if additive => Some(Type::Duration),
        (Type::Time, Type::Time) if operator == Operator::Subtract => Some(Type::Duration),
        (Type::String, Type::String) if operator == Operator::Add => Some(Type::String),
        (Type::List(a), Type::List(b)) if operator == Operator::Add => {
            joined(a, b).map(|inner| Type::List(Box::new(inner)))
        }
        _ => None,
    }
}
