//! The tree of an expression: a subset of CEL's syntax, every node with its bytes.
//!
//! **Invariant:** a tree is at most [`MAX_DEPTH`] levels deep, so that walking it cannot exhaust the
//! stack; functions are known and have as many arguments as they take.

use std::fmt;
use std::ops::Range;

/// Deepest tree: a person's expressions need fewer than ten levels; a chain of `&&` adds one each.
pub(crate) const MAX_DEPTH: usize = 100;

/// Why text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl ExpressionError {
    /// An error about the bytes `span`.
    pub(crate) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// With what to do next.
    pub(crate) fn helped(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A node of an expression.
#[derive(Debug, Clone)]
pub(crate) struct Ast {
    pub(crate) span: Range<usize>,
    pub(crate) kind: AstKind,
    /// Levels below and including this one.
    pub(crate) depth: usize,
}

/// A range of bytes that does not count when trees are compared.
#[derive(Debug, Clone)]
pub(crate) struct Place(pub(crate) Range<usize>);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AstKind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Ast>),
    /// A root: `params`, `steps`, …
    Name(String),
    /// `base.name`; the range is that of the name.
    Select(Box<Ast>, String, Place),
    /// `base[key]`.
    Index(Box<Ast>, Box<Ast>),
    Not(Box<Ast>),
    Negate(Box<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
    /// `condition ? yes : no`.
    Choose(Box<Ast>, Box<Ast>, Box<Ast>),
    Call(Function, Vec<Ast>),
}

/// Equal trees are equal whatever their places.
impl PartialEq for Ast {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Ast {
    /// The nodes directly below.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            AstKind::Null
            | AstKind::Bool(_)
            | AstKind::Int(_)
            | AstKind::Float(_)
            | AstKind::Text(_)
            | AstKind::Name(_) => Vec::new(),
            AstKind::List(items) | AstKind::Call(_, items) => items.iter().collect(),
            AstKind::Select(base, _, _) => vec![base],
            AstKind::Not(inner) | AstKind::Negate(inner) => vec![inner],
            AstKind::Index(left, right) | AstKind::Binary(_, left, right) => vec![left, right],
            AstKind::Choose(condition, yes, no) => vec![condition, yes, no],
        }
    }

    /// Calls `visit` with every node, parents first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// For `root.name` and `root['name']`: the root and the name.
    pub(crate) fn member(&self) -> Option<(&str, &str)> {
        if let AstKind::Select(base, name, _) = &self.kind {
            return base.root().map(|root| (root, name.as_str()));
        }
        let AstKind::Index(base, key) = &self.kind else { return None };
        let AstKind::Text(name) = &key.kind else { return None };
        base.root().map(|root| (root, name.as_str()))
    }

    fn root(&self) -> Option<&str> {
        if let AstKind::Name(name) = &self.kind { Some(name) } else { None }
    }
}

/// An operator with two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Every operator: how it is written and how tightly it binds.
    pub(crate) const ALL: [(&'static str, Self, u8); 14] = [
        ("||", Self::Or, 1),
        ("&&", Self::And, 2),
        ("==", Self::Equal, 3),
        ("!=", Self::NotEqual, 3),
        ("<", Self::Less, 3),
        ("<=", Self::LessOrEqual, 3),
        (">", Self::Greater, 3),
        (">=", Self::GreaterOrEqual, 3),
        ("in", Self::In, 3),
        ("+", Self::Add, 4),
        ("-", Self::Subtract, 4),
        ("*", Self::Multiply, 5),
        ("/", Self::Divide, 5),
        ("%", Self::Remainder, 5),
    ];

    /// How it is written.
    pub(crate) fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator, _)| *operator == self).map_or("", |(text, _, _)| text)
    }

    /// How tightly it binds.
    pub(crate) fn level(self) -> u8 {
        Self::ALL.iter().find(|(_, operator, _)| *operator == self).map_or(0, |(_, _, l)| *l)
    }
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    Has,
    Duration,
    Timestamp,
    Int,
    Double,
    String,
    Keys,
}

impl Function {
    /// Every function: its name and how many arguments it takes.
    pub(crate) const ALL: [(&'static str, Self, usize); 11] = [
        ("size", Self::Size, 1),
        ("startsWith", Self::StartsWith, 2),
        ("endsWith", Self::EndsWith, 2),
        ("contains", Self::Contains, 2),
        ("has", Self::Has, 1),
        ("duration", Self::Duration, 1),
        ("timestamp", Self::Timestamp, 1),
        ("int", Self::Int, 1),
        ("double", Self::Double, 1),
        ("string", Self::String, 1),
        ("keys", Self::Keys, 1),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, function, _)| *function == self).map_or("", |(name, _, _)| name)
    }
}

/// Binding of what stands before `.` and `[`.
const TIGHTEST: u8 = 7;

/// The expression as text that parses to the same tree.
impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(f, self, 0)
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, node: &Ast, least: u8) -> fmt::Result {
    let level = match &node.kind {
        AstKind::Choose(..) => 0,
        AstKind::Binary(operator, ..) => operator.level(),
        AstKind::Not(_) | AstKind::Negate(_) => TIGHTEST - 1,
        AstKind::Null
        | AstKind::Bool(_)
        | AstKind::Int(_)
        | AstKind::Float(_)
        | AstKind::Text(_)
        | AstKind::List(_)
        | AstKind::Name(_)
        | AstKind::Select(..)
        | AstKind::Index(..)
        | AstKind::Call(..) => TIGHTEST,
    };
    if level < least {
        f.write_str("(")?;
        write_bare(f, node)?;
        return f.write_str(")");
    }
    write_bare(f, node)
}

fn write_bare(f: &mut fmt::Formatter<'_>, node: &Ast) -> fmt::Result {
    match &node.kind {
        AstKind::Null => f.write_str("null"),
        AstKind::Bool(value) => write!(f, "{value}"),
        AstKind::Int(value) => write!(f, "{value}"),
        AstKind::Float(value) => write!(f, "{value:?}"),
        AstKind::Text(text) => write_text(f, text),
        AstKind::List(items) => {
            f.write_str("[")?;
            write_all(f, items)?;
            f.write_str("]")
        }
        AstKind::Name(name) => f.write_str(name),
        AstKind::Select(base, name, _) => {
            write_node(f, base, TIGHTEST)?;
            write!(f, ".{name}")
        }
        AstKind::Index(base, key) => {
            write_node(f, base, TIGHTEST)?;
            write!(f, "[{key}]")
        }
        AstKind::Not(inner) => {
            f.write_str("!")?;
            write_node(f, inner, TIGHTEST - 1)
        }
        AstKind::Negate(inner) => {
            f.write_str("-")?;
            write_node(f, inner, TIGHTEST - 1)
        }
        AstKind::Binary(operator, left, right) => {
            write_node(f, left, operator.level())?;
            write!(f, " {} ", operator.text())?;
            write_node(f, right, operator.level() + 1)
        }
        AstKind::Choose(condition, yes, no) => {
            write_node(f, condition, 1)?;
            f.write_str(" ? ")?;
            write_node(f, yes, 1)?;
            f.write_str(" : ")?;
            write_node(f, no, 0)
        }
        // As CEL writes them; the language takes both forms.
        AstKind::Call(
            function @ (Function::StartsWith | Function::EndsWith | Function::Contains),
            arguments,
        ) => {
            write_node(f, &arguments[0], TIGHTEST)?;
            write!(f, ".{}(", function.name())?;
            write_all(f, &arguments[1..])?;
            f.write_str(")")
        }
        AstKind::Call(function, arguments) => {
            write!(f, "{}(", function.name())?;
            write_all(f, arguments)?;
            f.write_str(")")
        }
    }
}

fn write_all(f: &mut fmt::Formatter<'_>, items: &[Ast]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write_node(f, item, 0)?;
    }
    Ok(())
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("'")?;
    for character in text.chars() {
        match character {
            '\\' => f.write_str("\\\\")?,
            '\'' => f.write_str("\\'")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("'")
}
