//! What documents look like: the fields of every mapping, with types, limits and a sentence for people.
//! The readers of documents are held to it, and the JSON Schemas are made from it.
//!
//! **Invariant:** a reader and its shape agree; `Fields::shaped` holds them together in every test.

mod schema;

pub use schema::{duration_schema, or_expression, schema, type_schema};

use crate::base::value::Type;

/// A mapping with known fields.
#[derive(Debug)]
pub struct Shape {
    /// One sentence for people.
    pub summary: &'static str,
    /// Its fields.
    pub fields: &'static [FieldShape],
    /// Fields that depend on the word in another field.
    pub cases: Option<Cases>,
}

/// Fields that a mapping has only when one of its fields holds a certain word.
#[derive(Debug)]
pub struct Cases {
    /// The field that decides.
    pub by: &'static str,
    /// Its words, and the fields of each.
    pub of: &'static [(&'static str, &'static [FieldShape])],
}

/// One field.
#[derive(Debug)]
pub struct FieldShape {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub is: Is,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for people, shown by editors.
    pub summary: &'static str,
    /// What its absence means, as written in a file.
    pub default: Option<&'static str>,
}

/// What a field holds.
#[derive(Debug)]
pub enum Is {
    /// Text.
    Text,
    /// Text that a regular expression describes.
    Matching(&'static str),
    /// One text and no other.
    Exactly(&'static str),
    /// One of some words.
    Words(fn() -> Vec<&'static str>),
    /// `true` or `false`.
    Bool,
    /// A whole number within limits.
    Int(i64, i64),
    /// A length of time such as `1h30m`.
    Duration,
    /// A length of time that is not zero.
    SomeTime,
    /// A list of text.
    Texts,
    /// Text, or a list of distinct texts with at least one.
    TextOrTexts,
    /// A list with at least so many items.
    List(usize, &'static Self),
    /// A mapping with known fields.
    Record(&'static Shape),
    /// A mapping with free names, which a regular expression describes.
    Map(&'static str, &'static Self),
    /// A list of text, or a mapping with free names.
    TextsOrMap(&'static Self),
    /// A condition: an expression without `${{ }}`.
    Condition,
    /// Text that may hold `${{ expressions }}`.
    Template,
    /// Items of a repeated step: a list, or an expression that gives one.
    Items,
    /// Inputs of an action: what they are follows from the action.
    Inputs,
    /// Any value.
    Anything,
    /// Part of the language, and not executable yet.
    NotYet,
}

/// Names that nothing is known about.
pub const ANY_NAME: &str = "";

impl FieldShape {
    /// A field that may be left out.
    pub const fn optional(name: &'static str, is: Is, summary: &'static str) -> Self {
        Self { name, is, required: false, summary, default: None }
    }

    /// A field that must be there.
    pub const fn required(name: &'static str, is: Is, summary: &'static str) -> Self {
        Self { name, is, required: true, summary, default: None }
    }

    /// With what its absence means.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

impl Shape {
    /// The field called `name`, also one that only some cases have.
    pub fn field(&self, name: &str) -> Option<&'static FieldShape> {
        let cases = self.cases.iter().flat_map(|cases| cases.of).flat_map(|(_, fields)| *fields);
        self.fields.iter().chain(cases).find(|field| field.name == name)
    }

    /// Whether a reader that asked for these fields, some of them as required, reads this shape: all
    /// fields of it and of one case, and no others.
    pub fn is_read_by(&self, asked: &[&str], required: &[&str]) -> bool {
        let reads = |case: &'static [FieldShape]| {
            let fields = || self.fields.iter().chain(case);
            fields().count() == asked.len()
                && fields().all(|field| asked.contains(&field.name))
                && fields().all(|field| field.required == required.contains(&field.name))
        };
        match &self.cases {
            None => reads(&[]),
            // Without the word that decides, no case is read.
            Some(cases) => reads(&[]) || cases.of.iter().any(|(_, fields)| reads(fields)),
        }
    }
}

impl Is {
    /// Whether a reader may read it as `kind`.
    pub fn reads_as(&self, kind: &Type) -> bool {
        match self {
            Self::Text | Self::Matching(_) | Self::Exactly(_) => *kind == Type::String,
            Self::Words(words) => match kind {
                Type::OneOf(named) => *named == words().as_slice(),
                other => *other == Type::String,
            },
            Self::Bool => *kind == Type::Bool,
            Self::Int(..) => *kind == Type::Int,
            Self::Duration | Self::SomeTime => *kind == Type::Duration,
            Self::Texts => *kind == Type::texts(),
            Self::TextOrTexts
            | Self::List(..)
            | Self::Record(_)
            | Self::Map(..)
            | Self::TextsOrMap(_)
            | Self::Condition
            | Self::Template
            | Self::Items
            | Self::Inputs
            | Self::Anything
            | Self::NotYet => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cases, FieldShape, Is, Shape};

    static SHAPE: Shape = Shape {
        summary: "of a test",
        fields: &[
            FieldShape::required("kind", Is::Text, "a"),
            FieldShape::optional("b", Is::Bool, "b"),
        ],
        cases: Some(Cases {
            by: "kind",
            of: &[("x", &[FieldShape::optional("c", Is::Duration, "c")]), ("y", &[])],
        }),
    };

    #[test]
    fn a_reader_that_differs_from_its_shape_is_found() {
        assert!(SHAPE.is_read_by(&["kind", "b", "c"], &["kind"]));
        assert!(SHAPE.is_read_by(&["b", "kind"], &["kind"]));
        for (asked, required) in [
            (&["kind"][..], &["kind"][..]),
            (&["kind", "b"], &["b"]),
            (&["kind", "b", "c", "d"], &["kind"]),
            (&["kind", "b", "d"], &["kind"]),
        ] {
            assert!(!SHAPE.is_read_by(asked, required), "{asked:?}");
        }
    }
}
