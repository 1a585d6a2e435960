//! Typed values: JSON and back, types, secrets.

use super::*;
use serde_json::json;

#[test]
fn json_round_trip_by_type() {
    let cases = [
        (Type::Time, json!("2026-03-01T10:15:00Z")),
        (Type::Duration, json!("1h15m")),
        (Type::LatestOrTime, json!("latest")),
        (Type::LatestOrTime, json!("2026-03-01T10:15:00Z")),
        (Type::Int.or_null(), json!(null)),
        (Type::texts(), json!(["a", "b"])),
        (Type::Bool, json!({ "unknown": "made by step restore" })),
    ];
    for (kind, json) in cases {
        assert_eq!(Value::from_json(&json, &kind).map(|value| value.to_json()), Ok(json));
    }
}

#[test]
fn wrong_types_say_what_was_expected() {
    let cases = [
        (Type::Int, json!("5"), "expected a whole number, found text"),
        (
            Type::Time,
            json!("soon"),
            "expected an instant such as `2026-03-01T10:15:00Z`, found `soon`",
        ),
        (Type::Duration, json!("5"), "invalid duration `5`: `5` needs a unit: d, h, m, s or ms"),
        (Type::OneOf(&["a", "b"]), json!("c"), "expected one of a, b, found `c`"),
        (Type::String, json!(null), "expected text, found null"),
        (Type::LatestOrTime, json!(7), "expected `latest` or an instant, found a whole number"),
        (
            Type::LatestOrTime,
            json!("newest"),
            "expected `latest` or an instant such as `2026-03-01T10:15:00Z`, found `newest`",
        ),
    ];
    for (kind, json, message) in cases {
        assert_eq!(Value::from_json(&json, &kind), Err(message.to_owned()));
    }
}

#[test]
fn secrets_do_not_print() {
    let value = Value::text("hunter2").coerce(&Type::Secret).expect("text becomes a secret");
    assert!(!format!("{value} {value:?} {}", value.to_json()).contains("hunter2"));
}

/// What a hint shows has the wanted type.
#[test]
fn hints_say_how_it_is_written() {
    let texts = Type::texts();
    for (kind, json, hint) in [
        (&Type::Duration, json!(3), Some("write a unit, such as `3m` or `3h`")),
        (&Type::Duration, json!(-3), None),
        (&Type::Bool, json!("Yes"), Some("write `true`")),
        (&Type::Bool, json!("off"), Some("write `false`")),
        (&Type::Bool, json!("maybe"), None),
        (
            &Type::String.or_null(),
            json!(15.4),
            Some("put it in quotes: YAML reads it as something else than text"),
        ),
        (&Type::String, json!([1]), None),
        (&texts, json!("reachable"), Some("write `[reachable]`")),
        (&texts, json!("a, b"), None),
        (&Type::List(Box::new(Type::Int)), json!("reachable"), None),
        (&Type::List(Box::new(Type::Secret)), json!("hidden"), None),
        (
            &Type::Time,
            json!("2026-01-15T08:00:00"),
            Some("say the offset: `2026-01-15T08:00:00Z` is UTC"),
        ),
        (
            &Type::LatestOrTime,
            json!("2026-01-15 08:00:00"),
            Some("say the offset: `2026-01-15T08:00:00Z` is UTC"),
        ),
        (&Type::Time, json!("yesterday"), None),
    ] {
        let value = Value::untyped(&json);
        assert!(value.clone().coerce(kind).is_err(), "{json} is no {kind}");
        assert_eq!(value.hint(kind).as_deref(), hint, "{json} as {kind}");
    }
}
