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
