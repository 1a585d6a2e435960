//! Answers of a service that speaks several protocols: one value, written as CBOR, JSON or XML.
//!
//! **Invariant:** an instant is written as its protocol writes instants: CBOR tag 1, epoch seconds,
//! or ISO 8601.

use crate::base::clock::format_instant;
use crate::sim::answer::epoch_seconds;
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};
use ciborium::Value as Cbor;
use serde_json::Value as Json;

/// CBOR's tag for seconds since 1970.
const EPOCH_TAG: u64 = 1;

/// A value in an answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim) enum Shape {
    Text(String),
    Number(f64),
    Int(i64),
    Bool(bool),
    Time(DateTime<Utc>),
    List(Vec<Shape>),
    Map(Vec<(&'static str, Shape)>),
    /// A map whose keys are data: entries with key and value in XML.
    Entries(Vec<(String, Shape)>),
}

impl FromIterator<Shape> for Shape {
    fn from_iter<T: IntoIterator<Item = Shape>>(items: T) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl Shape {
    /// A text.
    pub(in crate::sim) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// As JSON.
    pub(in crate::sim) fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => Json::from(text.as_str()),
            Self::Number(number) => Json::from(*number),
            Self::Int(number) => Json::from(*number),
            Self::Bool(value) => Json::from(*value),
            Self::Time(instant) => Json::from(epoch_seconds(*instant)),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(fields) => {
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_json())).collect()
            }
            Self::Entries(entries) => {
                entries.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
        }
    }

    fn to_cbor(&self) -> Cbor {
        match self {
            Self::Text(text) => Cbor::from(text.as_str()),
            Self::Number(number) => Cbor::from(*number),
            Self::Int(number) => Cbor::from(*number),
            Self::Bool(value) => Cbor::from(*value),
            Self::Time(instant) => {
                Cbor::Tag(EPOCH_TAG, Box::new(Cbor::from(epoch_seconds(*instant))))
            }
            Self::List(items) => Cbor::Array(items.iter().map(Self::to_cbor).collect()),
            Self::Map(fields) => Cbor::Map(
                fields.iter().map(|(name, value)| (Cbor::from(*name), value.to_cbor())).collect(),
            ),
            Self::Entries(entries) => Cbor::Map(
                entries
                    .iter()
                    .map(|(name, value)| (Cbor::from(name.as_str()), value.to_cbor()))
                    .collect(),
            ),
        }
    }

    /// As the bytes of a CBOR document.
    pub(in crate::sim) fn to_cbor_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(&self.to_cbor(), &mut bytes).expect("a vector takes every byte");
        bytes
    }

    /// Writes it inside an element: fields by name, items of lists as `<member>`.
    pub(in crate::sim) fn write_xml(&self, xml: &mut Xml) {
        match self {
            Self::Text(text) => xml.text(text),
            Self::Number(number) => xml.text(&number.to_string()),
            Self::Int(number) => xml.text(&number.to_string()),
            Self::Bool(value) => xml.text(&value.to_string()),
            Self::Time(instant) => xml.text(&format_instant(*instant)),
            Self::List(items) => {
                for item in items {
                    xml.element("member", |xml| item.write_xml(xml));
                }
            }
            Self::Map(fields) => {
                for (name, value) in fields {
                    xml.element(name, |xml| value.write_xml(xml));
                }
            }
            Self::Entries(entries) => {
                for (name, value) in entries {
                    xml.element("entry", |xml| {
                        xml.leaf("key", name);
                        xml.element("value", |xml| value.write_xml(xml));
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_in_three_protocols() {
        let at = DateTime::from_timestamp_millis(1_772_359_200_500).expect("an instant");
        let shape = Shape::Map(vec![
            ("Label", Shape::text("a<b")),
            ("Points", Shape::List(vec![Shape::Number(2.0), Shape::Time(at)])),
        ]);
        let json = serde_json::json!({ "Label": "a<b", "Points": [2.0, 1_772_359_200.5] });
        assert_eq!(shape.to_json(), json);
        let mut xml = Xml::default();
        shape.write_xml(&mut xml);
        assert_eq!(
            xml.finish(),
            "<Label>a&lt;b</Label><Points><member>2</member>\
             <member>2026-03-01T10:00:00.500Z</member></Points>"
        );
        let bytes = shape.to_cbor_bytes();
        // Tag 1 and a 64-bit float: what the SDK's own reader takes for an instant.
        assert!(bytes.windows(2).any(|pair| pair == [0xc1, 0xfb]), "{bytes:02x?}");
        let read: Cbor = ciborium::from_reader(bytes.as_slice()).expect("CBOR");
        assert_eq!(read.as_map().map(Vec::len), Some(2));
    }
}
