//! Reads the parts of CloudWatch's inputs, whichever protocol they came in.
//!
//! **Invariant:** a number or an instant may be a text (query protocol); what is neither is refused
//! under the name that the query protocol has for it.

use crate::base::clock::parse_instant;
use crate::sim::answer::ApiError;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most dimensions of a metric.
const DIMENSIONS: usize = 30;

pub(super) fn invalid(name: &str, why: &str) -> ApiError {
    let message = format!("The value for parameter {name} is invalid: {why}");
    ApiError::sender("InvalidParameterValue", message)
}

pub(super) fn missing(name: &str) -> ApiError {
    ApiError::sender("MissingParameter", format!("The parameter {name} is required."))
}

/// A text that may be absent; an empty one is.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        _ => Err(invalid(name, "it must be a text")),
    }
}

pub(super) fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name)?.ok_or_else(|| missing(name))
}

/// A number, finite and within CloudWatch's range of 2^360 either way.
pub(super) fn number(value: &Value, name: &str) -> Result<Option<f64>, ApiError> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let most = 2.0_f64.powi(360);
    match number.filter(|number| number.abs() <= most) {
        Some(number) => Ok(Some(number)),
        None => Err(invalid(name, "it must be a number from -2^360 to 2^360")),
    }
}

/// A whole number of seconds, queries or points, from 1.
pub(super) fn whole(input: &Value, name: &str) -> Result<Option<u32>, ApiError> {
    let Some(number) = number(&input[name], name)? else { return Ok(None) };
    let fits = number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
    if fits { Ok(Some(number as u32)) } else { Err(invalid(name, "it must be a whole number")) }
}

pub(super) fn instant(input: &Value, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
    let found = match &input[name] {
        Value::Null => return Ok(None),
        Value::Number(seconds) => seconds
            .as_f64()
            .map(|seconds| (seconds * 1000.0).round())
            .filter(|millis| millis.abs() < 1e15)
            .and_then(|millis| DateTime::from_timestamp_millis(millis as i64)),
        Value::String(text) => parse_instant(text),
        _ => None,
    };
    found.map(Some).ok_or_else(|| invalid(name, "it must be a timestamp"))
}

/// A list that may be absent.
pub(super) fn list<'a>(input: &'a Value, name: &str) -> Result<&'a [Value], ApiError> {
    match &input[name] {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        // An empty list in the query protocol.
        Value::String(text) if text.is_empty() => Ok(&[]),
        _ => Err(invalid(name, "it must be a list")),
    }
}

/// `Dimensions`, by name.
pub(super) fn dimensions(input: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let items = list(input, "Dimensions")?;
    if items.len() > DIMENSIONS {
        return Err(invalid("Dimensions", "a metric has at most 30"));
    }
    let mut dimensions = BTreeMap::new();
    for item in items {
        let (name, value) = (required(item, "Name")?, required(item, "Value")?);
        if name.len() > 255 || value.len() > 1024 || name.starts_with(':') {
            return Err(invalid(
                "Dimensions",
                "a name or value is too long, or begins with a colon",
            ));
        }
        if dimensions.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(invalid("Dimensions", "a name stands twice"));
        }
    }
    Ok(dimensions)
}
