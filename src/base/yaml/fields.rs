//! Reads the fields of a mapping, collecting all problems.
//!
//! **Invariant:** a field that nobody asks for is a problem, never ignored.

use super::{Key, Kind, Node};
use crate::base::diagnostic::{Problems, Span, nearest};
use crate::base::shape::Shape;
use crate::base::value::{Type, Value};

/// Words of other tools, and the field that has their meaning here.
const FOREIGN: [(&str, &str); 12] = [
    ("depends_on", "needs"),
    ("dependsOn", "needs"),
    ("requires", "needs"),
    ("after", "needs"),
    ("if", "when"),
    ("condition", "when"),
    ("action", "uses"),
    ("inputs", "with"),
    ("args", "with"),
    ("with_items", "for_each"),
    ("loop", "for_each"),
    ("params", "parameters"),
];

/// Reads the fields of one mapping; what is missing, ill-typed or unknown becomes a problem.
/// Call [`Fields::finish`] last: it reports the fields nobody asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    span: Span,
    what: &'a str,
    entries: Vec<(&'a Key, &'a Node, bool)>,
    asked: Vec<&'static str>,
    required: Vec<&'static str>,
    shape: Option<&'static Shape>,
}

impl<'a> Fields<'a> {
    /// The fields of `node`, which is called `what` in messages. A node that is no mapping is a
    /// problem and reads as an empty one.
    pub fn of(node: &'a Node, what: &'a str, problems: &mut Problems) -> Self {
        let entries = match &node.kind {
            Kind::Map(entries) => entries.iter().map(|(key, value)| (key, value, false)).collect(),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::List(_) => {
                problems.error(
                    "DR002",
                    node.span,
                    format!("{what} must be a map, found {}", node.kind_name()),
                );
                Vec::new()
            }
        };
        Self {
            span: node.span,
            what,
            entries,
            asked: Vec::new(),
            required: Vec::new(),
            shape: None,
        }
    }

    /// The same, held to `shape`: a reader that asks for other fields than the shape has, or reads one
    /// as another type, fails every test that reaches it.
    #[must_use]
    pub fn shaped(mut self, shape: &'static Shape) -> Self {
        self.shape = Some(shape);
        self
    }

    /// Where the mapping begins.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The field's node and its key, if the file has it.
    pub fn node(&mut self, name: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        debug_assert!(
            self.shape.is_none_or(|shape| shape.field(name).is_some()),
            "{} has no field `{name}` in its shape",
            self.what
        );
        let entry = self.entries.iter_mut().find(|(key, _, _)| key.name == name)?;
        entry.2 = true;
        Some(entry.1)
    }

    /// The field's node; its absence is a problem.
    pub fn required(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        self.required.push(name);
        let found = self.node(name);
        if found.is_none() {
            problems.error("DR003", self.span, format!("{} needs the field `{name}`", self.what));
        }
        found
    }

    /// The field as a value of `kind`; an ill-typed one is a problem and reads as absent.
    pub fn value(
        &mut self,
        name: &'static str,
        kind: &Type,
        problems: &mut Problems,
    ) -> Option<Value> {
        let node = self.node(name);
        let shaped = self.shape.and_then(|shape| shape.field(name));
        debug_assert!(
            shaped.is_none_or(|field| field.is.reads_as(kind)),
            "field `{name}` of {} has another type in its shape",
            self.what
        );
        let node = node?;
        match node.to_value().coerce(kind) {
            Ok(value) => Some(value),
            Err(why) => {
                let problem = problems.error("DR004", node.span, format!("field `{name}`: {why}"));
                if let Some(hint) = node.to_value().hint(kind) {
                    problem.help(hint);
                }
                None
            }
        }
    }

    /// The field as text.
    pub fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        match self.value(name, &Type::String, problems) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The field as text; its absence is a problem too.
    pub fn required_text(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        self.required(name, problems)?;
        self.text(name, problems)
    }

    /// The field as a list of text; absent reads as empty.
    pub fn texts(&mut self, name: &'static str, problems: &mut Problems) -> Vec<String> {
        match self.value(name, &Type::texts(), problems) {
            Some(Value::List(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The field as a boolean.
    pub fn boolean(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        match self.value(name, &Type::Bool, problems) {
            Some(Value::Bool(value)) => Some(value),
            _ => None,
        }
    }

    /// The field as one of some words.
    pub fn word(
        &mut self,
        name: &'static str,
        words: &'static [&'static str],
        problems: &mut Problems,
    ) -> Option<String> {
        self.value(name, &Type::OneOf(words), problems).map(|word| word.to_string())
    }

    /// The field as a whole number.
    pub fn int(&mut self, name: &'static str, problems: &mut Problems) -> Option<i64> {
        match self.value(name, &Type::Int, problems) {
            Some(Value::Int(value)) => Some(value),
            _ => None,
        }
    }

    /// The field as a number.
    pub fn float(&mut self, name: &'static str, problems: &mut Problems) -> Option<f64> {
        match self.value(name, &Type::Float, problems) {
            Some(Value::Float(value)) => Some(value),
            _ => None,
        }
    }

    /// The field as a duration.
    pub fn duration(
        &mut self,
        name: &'static str,
        problems: &mut Problems,
    ) -> Option<std::time::Duration> {
        match self.value(name, &Type::Duration, problems) {
            Some(Value::Duration(value)) => Some(value),
            _ => None,
        }
    }

    /// The field's entries when it is a mapping with free names; absent reads as empty.
    pub fn entries(
        &mut self,
        name: &'static str,
        problems: &mut Problems,
    ) -> Vec<(&'a Key, &'a Node)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        match &node.kind {
            Kind::Map(entries) => entries.iter().map(|(key, value)| (key, value)).collect(),
            Kind::Null => Vec::new(),
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_) | Kind::List(_) => {
                problems.error(
                    "DR004",
                    node.span,
                    format!("field `{name}`: expected a map, found {}", node.kind_name()),
                );
                Vec::new()
            }
        }
    }

    /// Reports every field that was never asked for, with the nearest name that exists.
    pub fn finish(self, problems: &mut Problems) {
        if let Some(shape) = self.shape {
            debug_assert!(
                shape.is_read_by(&self.asked, &self.required),
                "{}: asked for {:?}, of them required {:?}; its shape has others",
                self.what,
                self.asked,
                self.required
            );
        }
        for (key, _, used) in &self.entries {
            if !used {
                if problems.is_full() {
                    problems.error("DR005", key.span, "no such field");
                    continue;
                }
                let foreign = FOREIGN.iter().find(|(word, _)| *word == key.name);
                let near = match foreign.filter(|(_, ours)| self.asked.contains(ours)) {
                    Some((_, ours)) => Some(*ours),
                    None => nearest(&key.name, self.asked.iter().copied()),
                };
                let problem = problems.error(
                    "DR005",
                    key.span,
                    format!("{} has no field `{}`", self.what, key.name),
                );
                match near {
                    Some(name) => problem.help(format!("did you mean `{name}`?")),
                    None => problem.help(format!("it can have: {}", self.asked.join(", "))),
                }
            }
        }
    }
}
