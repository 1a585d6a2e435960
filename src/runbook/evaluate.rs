//! Evaluation of expressions over values.
//!
//! **Invariant:** total. What depends on an unknown value is unknown, except where the answer does not
//! depend on it: `false && unknown` is false.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operation names the types it takes; every other one, also a later one, is refused"
)]

use crate::base::clock::{parse_instant, to_delta};
use crate::base::duration;
use crate::base::value::{Value, Values};
use crate::runbook::expression::FaultKind;
use crate::runbook::operate::{binary, equal};
use crate::runbook::scope::Scope;
use crate::runbook::syntax::{Ast, AstKind, Function, Operator};
use std::borrow::Cow;
use std::ops::Range;

/// An error with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

pub(crate) type Answer<'a> = Result<Cow<'a, Value>, Fault>;

/// The value of `node`.
pub(crate) fn evaluate<'a>(node: &'a Ast, scope: &'a Scope) -> Answer<'a> {
    let owned = |value: Value| Ok(Cow::Owned(value));
    match &node.kind {
        AstKind::Null => owned(Value::Null),
        AstKind::Bool(value) => owned(Value::Bool(*value)),
        AstKind::Int(value) => owned(Value::Int(*value)),
        AstKind::Float(value) => owned(Value::Float(*value)),
        AstKind::Text(text) => owned(Value::text(text)),
        AstKind::List(items) => {
            let items: Result<Vec<Value>, Fault> =
                items.iter().map(|item| evaluate(item, scope).map(Cow::into_owned)).collect();
            owned(Value::List(items?))
        }
        AstKind::Name(name) => match scope.root(name) {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => Err(fault(FaultKind::Type, node, format!("`{name}` is not available here"))),
        },
        AstKind::Select(base, name, _) => select(node, base, name, scope),
        AstKind::Index(base, key) => index(node, base, key, scope),
        AstKind::Not(inner) => match &*evaluate(inner, scope)? {
            Value::Bool(value) => owned(Value::Bool(!value)),
            Value::Unknown(why) => owned(Value::Unknown(why.clone())),
            other => Err(unfit(inner, other, "a boolean")),
        },
        AstKind::Negate(inner) => negate(inner, scope),
        AstKind::Binary(operator @ (Operator::And | Operator::Or), left, right) => {
            logic(*operator, left, right, scope)
        }
        AstKind::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, scope)?, evaluate(right, scope)?);
            binary(*operator, &left, &right)
                .map(Cow::Owned)
                .map_err(|(kind, message)| fault(kind, node, message))
        }
        AstKind::Choose(condition, yes, no) => match &*evaluate(condition, scope)? {
            Value::Bool(true) => evaluate(yes, scope),
            Value::Bool(false) => evaluate(no, scope),
            Value::Unknown(why) => owned(Value::Unknown(why.clone())),
            other => Err(unfit(condition, other, "a boolean")),
        },
        AstKind::Call(function, arguments) => call(node, *function, arguments, scope),
    }
}

fn fault(kind: FaultKind, node: &Ast, message: impl Into<String>) -> Fault {
    Fault { kind, message: message.into(), span: node.span.clone() }
}

/// A value of a type that does not fit; null is a kind of its own.
fn unfit(node: &Ast, value: &Value, wanted: &str) -> Fault {
    match value {
        Value::Null => fault(FaultKind::Null, node, format!("`{node}` is null, not {wanted}")),
        other => {
            let message = format!("`{node}` is {}, not {wanted}", other.type_name());
            fault(FaultKind::Type, node, message)
        }
    }
}

fn negate<'a>(inner: &'a Ast, scope: &'a Scope) -> Answer<'a> {
    let value = match &*evaluate(inner, scope)? {
        Value::Int(value) => value
            .checked_neg()
            .map(Value::Int)
            .ok_or_else(|| fault(FaultKind::Value, inner, "the number is too large"))?,
        Value::Float(value) => Value::Float(-value),
        Value::Unknown(why) => Value::Unknown(why.clone()),
        other => return Err(unfit(inner, other, "a number")),
    };
    Ok(Cow::Owned(value))
}

/// `&&` and `||` of three values: the side that decides does so whatever the other one is, an error
/// on the left included, as in CEL.
fn logic<'a>(operator: Operator, left: &'a Ast, right: &'a Ast, scope: &'a Scope) -> Answer<'a> {
    let deciding = operator == Operator::Or;
    let truth = |node: &'a Ast| match &*evaluate(node, scope)? {
        Value::Bool(value) => Ok(Ok(*value)),
        Value::Unknown(why) => Ok(Err(why.clone())),
        other => Err(unfit(node, other, "a boolean")),
    };
    let answer = match truth(left) {
        Ok(Ok(value)) if value == deciding => Ok(deciding),
        Ok(Ok(_)) => truth(right)?,
        // An error on the right may never be reached in the run: the answer is unknown.
        Ok(Err(why)) => match truth(right) {
            Ok(Ok(value)) if value == deciding => Ok(deciding),
            Ok(_) | Err(_) => Err(why),
        },
        Err(error) => match truth(right) {
            Ok(Ok(value)) if value == deciding => Ok(deciding),
            Ok(Err(why)) => Err(why),
            Ok(Ok(_)) | Err(_) => return Err(error),
        },
    };
    Ok(Cow::Owned(answer.map_or_else(Value::Unknown, Value::Bool)))
}

fn select<'a>(node: &'a Ast, base: &'a Ast, name: &str, scope: &'a Scope) -> Answer<'a> {
    if matches!(&base.kind, AstKind::Name(root) if root == "steps") {
        return Ok(step(name, scope));
    }
    match evaluate(base, scope)? {
        Cow::Borrowed(Value::Map(map)) => match map.get(name) {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => absent(node, base, name, map),
        },
        Cow::Owned(Value::Map(mut map)) => match map.remove(name) {
            Some(value) => Ok(Cow::Owned(value)),
            None => absent(node, base, name, &map),
        },
        value => match &*value {
            Value::Unknown(why) => Ok(Cow::Owned(Value::Unknown(why.clone()))),
            other => Err(unfit(base, other, "something with members")),
        },
    }
}

/// Status and outputs of a step; all of it unknown while it has none.
fn step<'a>(id: &str, scope: &'a Scope) -> Cow<'a, Value> {
    match scope.step(id) {
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(Value::Unknown(format!("step `{id}` has not run"))),
    }
}

/// A member that is not there: unknown when it is a step's output (the step failed or was skipped),
/// an error otherwise.
fn absent<'a>(node: &Ast, base: &Ast, name: &str, map: &Values) -> Answer<'a> {
    let of_step = match &base.kind {
        AstKind::Select(step, outputs, _) if outputs == "outputs" => step.member(),
        _ => None,
    };
    if let Some(("steps", id)) = of_step {
        let why = format!("step `{id}` has no output `{name}`");
        return Ok(Cow::Owned(Value::Unknown(why)));
    }
    let known: Vec<&str> = map.keys().map(String::as_str).take(20).collect();
    let message = format!("`{base}` has no `{name}`; it has: {}", known.join(", "));
    Err(fault(FaultKind::Value, node, message))
}

fn index<'a>(node: &'a Ast, base: &'a Ast, key: &'a Ast, scope: &'a Scope) -> Answer<'a> {
    match &*evaluate(key, scope)? {
        Value::Unknown(why) => Ok(Cow::Owned(Value::Unknown(why.clone()))),
        Value::String(name) => select(node, base, name, scope),
        Value::Int(position) => {
            let list = evaluate(base, scope)?;
            let found = usize::try_from(*position).ok();
            let item = match &*list {
                Value::List(items) => found.and_then(|at| items.get(at)).cloned(),
                Value::Unknown(why) => Some(Value::Unknown(why.clone())),
                other => return Err(unfit(base, other, "a list")),
            };
            item.map(Cow::Owned).ok_or_else(|| {
                fault(FaultKind::Value, node, format!("`{base}` has no item {position}"))
            })
        }
        other => Err(unfit(key, other, "text or a whole number")),
    }
}

fn call<'a>(
    node: &'a Ast,
    function: Function,
    arguments: &'a [Ast],
    scope: &'a Scope,
) -> Answer<'a> {
    if function == Function::Has {
        return has(&arguments[0], scope);
    }
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let value = evaluate(argument, scope)?;
        if let Value::Unknown(why) = &*value {
            return Ok(Cow::Owned(Value::Unknown(why.clone())));
        }
        values.push(value);
    }
    let first = &*values[0];
    let wrong = |wanted: &str| Err(unfit(&arguments[0], first, wanted));
    let impossible = |message: String| fault(FaultKind::Value, node, message);
    let value = match (function, first) {
        (Function::Size, Value::String(text)) => count(text.chars().count()),
        (Function::Size, Value::List(items)) => count(items.len()),
        (Function::Size, Value::Map(map)) => count(map.len()),
        (Function::Size, _) => return wrong("text, a list or a map"),
        (Function::StartsWith | Function::EndsWith | Function::Contains, Value::String(text)) => {
            let Value::String(part) = &*values[1] else {
                return Err(unfit(&arguments[1], &values[1], "text"));
            };
            Value::Bool(match function {
                Function::StartsWith => text.starts_with(part.as_str()),
                Function::EndsWith => text.ends_with(part.as_str()),
                _ => text.contains(part.as_str()),
            })
        }
        (Function::Duration, Value::String(text)) => duration::parse(text)
            .map(Value::Duration)
            .map_err(|why| impossible(format!("invalid duration `{text}`: {why}")))?,
        (Function::Timestamp, Value::String(text)) => parse_instant(text)
            .map(Value::Time)
            .ok_or_else(|| impossible(format!("`{text}` is no instant")))?,
        (Function::Int | Function::Double, value) => match number(function, value) {
            Some(Some(number)) => number,
            Some(None) => return Err(impossible(format!("`{value}` is no such number"))),
            None => return wrong("a number or text"),
        },
        (Function::Keys, Value::Map(map)) => map.keys().cloned().collect::<Vec<_>>().into(),
        (Function::Keys, _) => return wrong("a map"),
        (Function::String, value) => {
            Value::String(text_of(value).map_err(|_| unfit(&arguments[0], value, PRINTABLE))?)
        }
        (Function::StartsWith | Function::EndsWith | Function::Contains, _)
        | (Function::Duration | Function::Timestamp | Function::Has, _) => return wrong("text"),
    };
    Ok(Cow::Owned(value))
}

fn count(items: usize) -> Value {
    Value::Int(i64::try_from(items).unwrap_or(i64::MAX))
}

/// `None`: not a type that has a number; `Some(None)`: the value is none.
#[expect(clippy::cast_precision_loss, reason = "double() of a whole number, as in CEL")]
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn number(function: Function, value: &Value) -> Option<Option<Value>> {
    let whole = function == Function::Int;
    Some(match value {
        Value::Int(number) if whole => Some(Value::Int(*number)),
        Value::Int(number) => Some(Value::Float(*number as f64)),
        Value::Float(number) if whole => {
            (number.abs() < 9.0e18).then_some(Value::Int(*number as i64))
        }
        Value::Float(number) => Some(Value::Float(*number)),
        Value::String(text) if whole => text.parse().ok().map(Value::Int),
        Value::String(text) => {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
        }
        _ => return None,
    })
}

/// What can stand inside text.
pub(crate) const PRINTABLE: &str = "something that can stand in text";

/// The text of a value that can stand inside text.
pub(crate) fn text_of(value: &Value) -> Result<String, FaultKind> {
    match value {
        Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Time(_)
        | Value::Duration(_) => Ok(value.to_string()),
        Value::Null => Err(FaultKind::Null),
        Value::List(_) | Value::Map(_) | Value::Secret(_) | Value::Unknown(_) => {
            Err(FaultKind::Type)
        }
    }
}

/// Whether a member is there and not null.
fn has<'a>(member: &'a Ast, scope: &'a Scope) -> Answer<'a> {
    let answer = match evaluate(member, scope) {
        Ok(value) => match &*value {
            Value::Unknown(why) => Value::Unknown(why.clone()),
            value => Value::Bool(!equal(value, &Value::Null)),
        },
        Err(Fault { kind: FaultKind::Null | FaultKind::Value, .. }) => Value::Bool(false),
        Err(error) => return Err(error),
    };
    Ok(Cow::Owned(answer))
}

/// An instant moved by a duration, `None` when out of range.
pub(crate) fn moved(
    instant: chrono::DateTime<chrono::Utc>,
    by: std::time::Duration,
    operator: Operator,
) -> Option<Value> {
    let delta = to_delta(by);
    let moved = match operator {
        Operator::Subtract => instant.checked_sub_signed(delta),
        _ => instant.checked_add_signed(delta),
    };
    moved.map(Value::Time)
}
