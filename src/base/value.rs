//! Typed values that flow through parameters, step inputs and outputs, and the types they are checked
//! against before a run.
//!
//! **Invariant:** a secret never leaves through `Debug`, `Display` or JSON; an unknown value stays
//! unknown in everything computed from it.

use crate::base::clock::{format_instant, parse_instant};
use crate::base::duration;
use crate::base::secret::{ExposeSecret, HIDDEN, Secret};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

mod hint;

/// A value of the runbook language.
#[derive(Debug, Clone)]
pub enum Value {
    /// An optional value that is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(String),
    /// An instant, UTC.
    Time(DateTime<Utc>),
    /// A length of time.
    Duration(Duration),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
    /// Text that is never shown.
    Secret(Secret),
    /// A value that planning cannot know, and why: `created by step restore`.
    Unknown(String),
}

/// A named set of values: a step's inputs or outputs.
pub type Values = BTreeMap<String, Value>;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::String(a), Self::String(b)) | (Self::Unknown(a), Self::Unknown(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Secret(a), Self::Secret(b)) => a.expose_secret() == b.expose_secret(),
            (
                Self::Null
                | Self::Bool(_)
                | Self::Int(_)
                | Self::Float(_)
                | Self::String(_)
                | Self::Time(_)
                | Self::Duration(_)
                | Self::List(_)
                | Self::Map(_)
                | Self::Secret(_)
                | Self::Unknown(_),
                _,
            ) => false,
        }
    }
}

impl Value {
    /// Text from anything that becomes a `String`.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// `Null` for `None`.
    pub fn optional<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }

    /// The text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Why it is unknown, when it or anything inside it is.
    pub fn unknown_reason(&self) -> Option<&str> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::List(items) => items.iter().find_map(Self::unknown_reason),
            Self::Map(map) => map.values().find_map(Self::unknown_reason),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Secret(_) => None,
        }
    }

    /// Every text in it, at any depth.
    pub fn all_texts(&self) -> Vec<&str> {
        match self {
            Self::String(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::all_texts).collect(),
            Self::Map(map) => map.values().flat_map(Self::all_texts).collect(),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Secret(_)
            | Self::Unknown(_) => Vec::new(),
        }
    }

    /// The JSON that journals and reports hold: instants and durations as text, secrets hidden,
    /// unknown values as `{"unknown": why}`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::{Value as Json, json};
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Float(value) => json!(value),
            Self::String(value) => json!(value),
            Self::Time(value) => json!(format_instant(*value)),
            Self::Duration(value) => json!(duration::format(*value)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(map) => Json::Object(
                map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
            ),
            Self::Secret(_) => json!(HIDDEN),
            Self::Unknown(why) => json!({ "unknown": why }),
        }
    }

    /// Reads JSON back as a value of the given type. Text where an instant or a duration is wanted is
    /// parsed; `{"unknown": why}` is an unknown of any type.
    ///
    /// # Errors
    /// A sentence fragment: what was expected and what was found.
    pub fn from_json(json: &serde_json::Value, kind: &Type) -> Result<Self, String> {
        Self::untyped(json).coerce(kind)
    }

    /// JSON without a type to guide: text stays text.
    pub fn untyped(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::String(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::untyped).collect()),
            Json::Object(map) => match (map.len(), map.get("unknown")) {
                (1, Some(Json::String(why))) => Self::Unknown(why.clone()),
                _ => Self::Map(
                    map.iter().map(|(key, value)| (key.clone(), Self::untyped(value))).collect(),
                ),
            },
        }
    }

    /// Turns text into the instant, duration or secret that is wanted, whole numbers into numbers, and
    /// checks everything else.
    ///
    /// # Errors
    /// A sentence fragment: what was expected and what was found.
    pub fn coerce(self, kind: &Type) -> Result<Self, String> {
        let found = self.type_name();
        match (kind, self) {
            (_, unknown @ Self::Unknown(_)) => Ok(unknown),
            (Type::Any, value) => Ok(value),
            (Type::Optional(_), Self::Null) => Ok(Self::Null),
            (Type::Optional(inner), value) => value.coerce(inner),
            (Type::Bool, value @ Self::Bool(_))
            | (Type::Int, value @ Self::Int(_))
            | (Type::Float, value @ Self::Float(_))
            | (Type::String, value @ Self::String(_))
            | (Type::Time | Type::LatestOrTime, value @ Self::Time(_))
            | (Type::Duration, value @ Self::Duration(_))
            | (Type::Secret, value @ Self::Secret(_)) => Ok(value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a whole number where a number is wanted"
            )]
            (Type::Float, Self::Int(whole)) => Ok(Self::Float(whole as f64)),
            (Type::Time, Self::String(text)) => {
                parse_instant(&text).map(Self::Time).ok_or_else(|| {
                    format!("expected an instant such as `2026-03-01T10:15:00Z`, found `{text}`")
                })
            }
            (Type::LatestOrTime, Self::String(text)) if text == "latest" => Ok(Self::String(text)),
            (Type::LatestOrTime, Self::String(text)) => {
                parse_instant(&text).map(Self::Time).ok_or_else(|| {
                    format!("expected {kind} such as `2026-03-01T10:15:00Z`, found `{text}`")
                })
            }
            (Type::Duration, Self::String(text)) => duration::parse(&text)
                .map(Self::Duration)
                .map_err(|why| format!("invalid duration `{text}`: {why}")),
            (Type::Secret, Self::String(text)) => Ok(Self::Secret(text.into())),
            (Type::List(inner), Self::List(items)) => items
                .into_iter()
                .map(|item| item.coerce(inner))
                .collect::<Result<_, _>>()
                .map(Self::List),
            (Type::Map(inner), Self::Map(map)) => map
                .into_iter()
                .map(|(key, value)| value.coerce(inner).map(|value| (key, value)))
                .collect::<Result<_, _>>()
                .map(Self::Map),
            (Type::Record(fields), Self::Map(map)) => coerce_record(fields, map).map(Self::Map),
            (Type::OneOf(words), Self::String(text)) => {
                if words.contains(&text.as_str()) {
                    Ok(Self::String(text))
                } else {
                    Err(format!("expected one of {}, found `{text}`", words.join(", ")))
                }
            }
            (kind, _) => Err(format!("expected {kind}, found {found}")),
        }
    }

    /// The name of this value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::String(_) => "text",
            Self::Time(_) => "an instant",
            Self::Duration(_) => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Secret(_) => "a secret",
            Self::Unknown(_) => "an unknown value",
        }
    }
}

fn coerce_record(fields: &BTreeMap<String, Type>, mut map: Values) -> Result<Values, String> {
    let mut output = Values::new();
    for (name, kind) in fields {
        let value = map.remove(name).unwrap_or(Value::Null);
        let value = value.coerce(kind).map_err(|why| format!("field `{name}`: {why}"))?;
        output.insert(name.clone(), value);
    }
    match map.keys().next() {
        Some(extra) => Err(format!("unknown field `{extra}`")),
        None => Ok(output),
    }
}

/// What a person sees: text bare, lists and maps as JSON, secrets hidden.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::String(value) => f.write_str(value),
            Self::Time(value) => f.write_str(&format_instant(*value)),
            Self::Duration(value) => f.write_str(&duration::format(*value)),
            Self::List(_) | Self::Map(_) => write!(f, "{}", self.to_json()),
            Self::Secret(_) => f.write_str(HIDDEN),
            Self::Unknown(why) => write!(f, "(unknown: {why})"),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Time(value)
    }
}
impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Duration(value)
    }
}
impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::List(value.into_iter().map(Self::String).collect())
    }
}

/// The type of an input, an output, a parameter or an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Not known before the run; every operation on it is allowed and checked when it happens.
    Any,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text.
    String,
    /// An instant.
    Time,
    /// The word `latest`, or an instant.
    LatestOrTime,
    /// A length of time.
    Duration,
    /// Text that never prints.
    Secret,
    /// Text out of a fixed set.
    OneOf(&'static [&'static str]),
    /// A list of one type.
    List(Box<Type>),
    /// Any names, values of one type.
    Map(Box<Type>),
    /// Known names, each with its type.
    Record(BTreeMap<String, Type>),
    /// The type or null.
    Optional(Box<Type>),
}

impl Type {
    /// The type, or null.
    pub fn or_null(self) -> Self {
        Self::Optional(Box::new(self))
    }

    /// A list of text: the commonest list.
    pub fn texts() -> Self {
        Self::List(Box::new(Self::String))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Bool => f.write_str("a boolean"),
            Self::Int => f.write_str("a whole number"),
            Self::Float => f.write_str("a number"),
            Self::String => f.write_str("text"),
            Self::Time => f.write_str("an instant"),
            Self::LatestOrTime => f.write_str("`latest` or an instant"),
            Self::Duration => f.write_str("a duration"),
            Self::Secret => f.write_str("a secret"),
            Self::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Self::List(inner) => write!(f, "a list of {inner}"),
            Self::Map(inner) => write!(f, "a map of {inner}"),
            Self::Record(fields) => {
                write!(f, "a record with {}", fields.keys().cloned().collect::<Vec<_>>().join(", "))
            }
            Self::Optional(inner) => write!(f, "{inner} or null"),
        }
    }
}

#[cfg(test)]
mod tests;
