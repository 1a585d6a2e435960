//! Relations between types: what may stand where.
//!
//! **Invariant:** `Any` goes with everything; a type that may be null goes where its inner type goes,
//! and the null is found when the expression is evaluated.

use crate::base::value::Type;

/// The type without "or null".
pub(crate) fn present(kind: &Type) -> &Type {
    if let Type::Optional(inner) = kind { present(inner) } else { kind }
}

/// The type for operations: without "or null", words out of a set as text, and what may be a word or an
/// instant as anything.
pub(crate) fn bare(kind: &Type) -> &Type {
    match present(kind) {
        Type::OneOf(_) => &Type::String,
        Type::LatestOrTime => &Type::Any,
        kind => kind,
    }
}

/// Whether a value of type `from` may be given where `to` is wanted; agrees with `Value::coerce`.
pub(crate) fn fits(from: &Type, to: &Type) -> bool {
    match (present(from), present(to)) {
        (Type::Any, _)
        | (_, Type::Any)
        | (Type::Int, Type::Float)
        | (Type::String, Type::Secret | Type::OneOf(_) | Type::LatestOrTime)
        | (Type::Time, Type::LatestOrTime)
        | (Type::OneOf(_), Type::String | Type::Secret) => true,
        (Type::OneOf(some), Type::OneOf(all)) => some.iter().all(|word| all.contains(word)),
        (Type::List(from), Type::List(to)) | (Type::Map(from), Type::Map(to)) => fits(from, to),
        (Type::Record(fields), Type::Map(to)) => fields.values().all(|kind| fits(kind, to)),
        (Type::Record(from), Type::Record(to)) => {
            from.iter().all(|(name, kind)| to.get(name).is_some_and(|to| fits(kind, to)))
                && to.iter().all(|(name, kind)| {
                    from.contains_key(name) || matches!(kind, Type::Optional(_) | Type::Any)
                })
        }
        (from, to) => from == to,
    }
}

/// Whether text that is put together may be given where `to` is wanted.
pub(crate) fn text_fits(to: &Type) -> bool {
    matches!(
        present(to),
        Type::Any
            | Type::String
            | Type::Time
            | Type::LatestOrTime
            | Type::Duration
            | Type::Secret
            | Type::OneOf(_)
    )
}

/// Whether two values may be compared with `==`.
pub(crate) fn comparable(left: &Type, right: &Type) -> bool {
    match (bare(left), bare(right)) {
        (Type::Any, _) | (_, Type::Any) | (Type::Int | Type::Float, Type::Int | Type::Float) => {
            true
        }
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => comparable(a, b),
        (Type::Record(_) | Type::Map(_), Type::Record(_) | Type::Map(_)) => true,
        (a, b) => a == b,
    }
}

/// The one type of two values of which either may come out; `None` when there is none.
pub(crate) fn joined(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (left, right) if left == right => Some(left.clone()),
        (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
        // The literal `null`.
        (Type::Optional(any), other) | (other, Type::Optional(any)) if **any == Type::Any => {
            Some(present(other).clone().or_null())
        }
        (Type::Optional(_), _) | (_, Type::Optional(_)) => {
            joined(present(left), present(right)).map(Type::or_null)
        }
        (Type::LatestOrTime, Type::String | Type::Time)
        | (Type::String | Type::Time, Type::LatestOrTime) => Some(Type::LatestOrTime),
        (Type::List(a), Type::List(b)) => joined(a, b).map(|inner| Type::List(Box::new(inner))),
        (left, right) if bare(left) == bare(right) => Some(bare(left).clone()),
        _ => None,
    }
}

/// Whether a value may stand inside text.
pub(crate) fn printable(kind: &Type) -> bool {
    match bare(kind) {
        Type::Any
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::String
        | Type::Time
        | Type::Duration => true,
        // `bare` leaves neither of the two in the middle.
        Type::Secret
        | Type::OneOf(_)
        | Type::LatestOrTime
        | Type::List(_)
        | Type::Map(_)
        | Type::Record(_)
        | Type::Optional(_) => false,
    }
}
