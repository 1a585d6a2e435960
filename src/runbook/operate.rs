//! Operators over two values.
//!
//! **Invariant:** the pairs of types accepted here are exactly those that `check` accepts.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operation names the types it takes; every other one, also a later one, is refused"
)]

use crate::base::value::Value;
use crate::runbook::evaluate::moved;
use crate::runbook::expression::FaultKind;
use crate::runbook::syntax::Operator;
use std::cmp::Ordering;

type Failure = (FaultKind, String);

/// The value of `left operator right`, both known or not.
pub(crate) fn binary(operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
    for side in [left, right] {
        if let Value::Unknown(why) = side {
            return Ok(Value::Unknown(why.clone()));
        }
    }
    match operator {
        Operator::Equal | Operator::NotEqual => equality(operator, left, right),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let order = compare(left, right).ok_or_else(|| mismatch(operator, left, right))?;
            Ok(Value::Bool(match operator {
                Operator::Less => order == Ordering::Less,
                Operator::LessOrEqual => order != Ordering::Greater,
                Operator::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }))
        }
        Operator::In => contained(left, right),
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => arithmetic(operator, left, right),
        // The evaluator handles these itself, because they do not always look at both sides.
        Operator::And | Operator::Or => Err(mismatch(operator, left, right)),
    }
}

fn mismatch(operator: Operator, left: &Value, right: &Value) -> Failure {
    let kind = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => FaultKind::Null,
        _ => FaultKind::Type,
    };
    let (left, right) = (left.type_name(), right.type_name());
    (kind, format!("`{}` cannot be applied to {left} and {right}", operator.text()))
}

fn equality(operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
    let secret = |value: &Value| matches!(value, Value::Secret(_));
    if (secret(left) || secret(right)) && *left != Value::Null && *right != Value::Null {
        return Err((FaultKind::Type, "a secret cannot be compared".to_owned()));
    }
    if let Some(why) = left.unknown_reason().or_else(|| right.unknown_reason()) {
        return Ok(Value::Unknown(why.to_owned()));
    }
    Ok(Value::Bool(equal(left, right) == (operator == Operator::Equal)))
}

/// Equality of values: numbers by size, everything else only to its like. Values of unlike types are
/// not equal, so that `params.restore_time == 'latest'` works for an instant too.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            compare(left, right) == Some(Ordering::Equal)
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((name, a), (other, b))| name == other && equal(a, b))
        }
        (left, right) => left == right,
    }
}

/// The order of two values of like types that have one.
#[expect(clippy::cast_precision_loss, reason = "a whole number beside one with a fraction")]
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => (*a as f64).partial_cmp(b),
        (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn contained(left: &Value, right: &Value) -> Result<Value, Failure> {
    match (left, right) {
        (Value::Secret(_), _) => Err(mismatch(Operator::In, left, right)),
        (_, Value::List(items)) => {
            if items.iter().any(|item| equal(left, item)) {
                return Ok(Value::Bool(true));
            }
            let unknown = left.unknown_reason().or_else(|| right.unknown_reason());
            Ok(unknown.map_or(Value::Bool(false), |why| Value::Unknown(why.to_owned())))
        }
        (Value::String(key), Value::Map(map)) => Ok(Value::Bool(map.contains_key(key))),
        _ => Err(mismatch(Operator::In, left, right)),
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
    let impossible =
        |why: &str| (FaultKind::Value, format!("`{left} {} {right}` {why}", operator.text()));
    match (operator, left, right) {
        (_, Value::Int(a), Value::Int(b)) => {
            if *b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
                return Err(impossible("divides by zero"));
            }
            let result = match operator {
                Operator::Add => a.checked_add(*b),
                Operator::Subtract => a.checked_sub(*b),
                Operator::Multiply => a.checked_mul(*b),
                Operator::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Value::Int).ok_or_else(|| impossible("is too large"))
        }
        (
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide,
            Value::Float(a),
            Value::Float(b),
        ) => {
            let result = match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                _ => a / b,
            };
            let finite = result.is_finite().then_some(Value::Float(result));
            finite.ok_or_else(|| impossible("is not a finite number"))
        }
        (Operator::Add, Value::String(a), Value::String(b)) => Ok(Value::String(format!("{a}{b}"))),
        (Operator::Add, Value::List(a), Value::List(b)) => {
            Ok(Value::List(a.iter().chain(b).cloned().collect()))
        }
        (Operator::Add | Operator::Subtract, Value::Time(a), Value::Duration(b)) => {
            moved(*a, *b, operator).ok_or_else(|| impossible("is out of range"))
        }
        (Operator::Add, Value::Duration(a), Value::Time(b)) => {
            moved(*b, *a, operator).ok_or_else(|| impossible("is out of range"))
        }
        (Operator::Subtract, Value::Time(a), Value::Time(b)) => (*a - *b)
            .to_std()
            .map(Value::Duration)
            .map_err(|_| impossible("is negative: a duration is not")),
        (Operator::Add, Value::Duration(a), Value::Duration(b)) => {
            a.checked_add(*b).map(Value::Duration).ok_or_else(|| impossible("is too long"))
        }
        (Operator::Subtract, Value::Duration(a), Value::Duration(b)) => a
            .checked_sub(*b)
            .map(Value::Duration)
            .ok_or_else(|| impossible("is negative: a duration is not")),
        _ => Err(mismatch(operator, left, right)),
    }
}
