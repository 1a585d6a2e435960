//! YAML as a tree in which every key and value knows its place, and a reader of its fields that
//! collects all problems. The only module that knows the YAML library.
//!
//! **Invariant:** hostile input is refused with bounded work: size, depth, nodes and aliases have
//! limits, duplicate keys are errors, and a file is one document.

use crate::base::diagnostic::{Problems, Span};
use crate::base::value::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use std::fmt;

mod fields;
mod source;

pub use fields::Fields;
use source::check_text;
pub use source::{MAX_BYTES, decode, too_large};

/// Deepest nesting: real files need fewer than ten levels.
const MAX_DEPTH: usize = 64;
/// Most nodes after aliases are expanded: the longest runbook has 15 a step, and this many take
/// a tenth of a second and some 150 MB.
const MAX_NODES: usize = 500_000;
/// Most anchors, and most aliases: nobody keeps track of more.
const MAX_ALIASES: usize = 1_000;
/// Most nodes that aliases stand for, all in all: a bomb ends here.
const MAX_REPLAYED: usize = 50_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in file order.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key itself.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// Parses one YAML document of the file called `file`.
///
/// # Errors
/// The problem that makes it unreadable as YAML, with its place (code `DR001`), or unreadable at all
/// (code `DR009`).
pub fn parse(file: &str, text: &str) -> Result<Node, Problems> {
    check_text(file, text)?;
    let budget = serde_yaml::budget! {
        max_nodes: MAX_NODES, max_events: 2 * MAX_NODES, max_depth: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH, max_aliases: MAX_ALIASES, max_anchors: MAX_ALIASES,
        max_recorded_anchor_events: MAX_REPLAYED, max_recorded_anchor_bytes: MAX_BYTES,
        max_documents: 1, max_inclusion_depth: 0,
        // One `&retry` for two hundred steps is no bomb: what aliases stand for is counted.
        enforce_alias_anchor_ratio: false,
    };
    let limits = serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED };
    // Only `true` and `false` are booleans: `no`, `on` and `y` stay text, as YAML 1.2 says.
    let options =
        serde_yaml::options! { budget: budget, alias_limits: limits, strict_booleans: true };
    serde_yaml::from_str_with_options::<Spanned<Kind>>(text, options).map(place).map_err(|error| {
        let span = error.location().map(|location| span_of(&location)).unwrap_or_default();
        let full = error.without_snippet().to_string();
        let line = full.lines().next().unwrap_or("not readable as YAML");
        let message = line.split(" at line ").next().unwrap_or(line);
        let mut problems = Problems::in_text(file, text);
        let limit = source::limit(message);
        let said = limit.clone().unwrap_or_else(|| message.to_owned());
        let problem = problems.error("DR001", source::found(text, span), said);
        if limit.is_some() {
            problem.help("is it the right file? No runbook, drill or estate needs as much");
        } else if let Some(help) = source::help(message, text, problem.span) {
            problem.help(help);
        }
        problems
    })
}

fn span_of(location: &serde_yaml::Location) -> Span {
    let span = location.span();
    let start = usize::try_from(span.byte_offset().unwrap_or_else(|| span.offset())).unwrap_or(0);
    let length = usize::try_from(span.byte_len().unwrap_or_else(|| span.len())).unwrap_or(0);
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Span {
        line: number(location.line()),
        column: number(location.column()),
        start,
        end: start + length,
    }
}

fn place(spanned: Spanned<Kind>) -> Node {
    Node { span: span_of(&spanned.referenced), kind: spanned.value }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }
    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Int(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Kind, E> {
        i64::try_from(value)
            .map(Kind::Int)
            .map_err(|_| E::custom(format!("the number {value} is too large")))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Kind>>()? {
            list.push(place(item));
        }
        Ok(Kind::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Kind>>()? {
            let span = span_of(&key.referenced);
            map.push((Key { name: key.value, span }, place(value)));
        }
        Ok(Kind::Map(map))
    }
}

impl Node {
    /// The name of what it is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The key and value of the field `name` of a mapping.
    pub fn field(&self, name: &str) -> Option<(&Key, &Self)> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// The plain value: text stays text, whatever type is wanted later.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            Kind::Map(entries) => Value::Map(
                entries.iter().map(|(key, value)| (key.name.clone(), value.to_value())).collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
