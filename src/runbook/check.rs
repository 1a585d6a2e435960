//! The static checker of expressions: every name exists, every operation fits its types.
//!
//! **Invariant:** what passes here fails at run time only on nulls, on values (division by zero, no
//! such key) and on what has the type `Any`. A problem is reported once: what contains it is `Any`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operation names the types it takes; every other one, also a later one, is refused"
)]

use crate::base::clock::parse_instant;
use crate::base::diagnostic::nearest;
use crate::base::duration;
use crate::base::value::Type;
use crate::runbook::codes;
use crate::runbook::kinds::{bare, joined, present, printable};
use crate::runbook::operands::{
    arithmetic, comparison, culprit, has_number, has_size, is_zero, membership, ordered,
};
use crate::runbook::syntax::{Ast, AstKind, Function, Operator};
use std::collections::BTreeMap;
use std::ops::Range;

/// A problem of an expression, placed in its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Complaint {
    pub(crate) code: &'static str,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A complaint without its place: code, message, help.
pub(crate) type Refusal = (&'static str, String, Option<String>);

/// What the checker asks about names.
pub(crate) trait Shapes {
    /// The type of a root other than `steps`.
    fn root(&self, name: &str) -> Result<Type, Refusal>;
    /// The type of `params.<name>`, without a copy of the types of all parameters.
    fn parameter(&self, _name: &str) -> Option<Result<Type, Refusal>> {
        None
    }
    /// The type of `steps.<id>`.
    fn step(&self, id: &str) -> Result<Type, Refusal>;
}

/// The type of `tree`; problems go to `complaints`.
pub(crate) fn check(tree: &Ast, shapes: &dyn Shapes, complaints: &mut Vec<Complaint>) -> Type {
    Checker { shapes, complaints }.check(tree)
}

/// Most names that one suggestion looks at, so that many errors in a long file stay cheap.
const MAX_NAMES: usize = 1_000;

/// Says which of `names` was probably meant, or lists them.
pub(crate) fn suggestion<'a>(word: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, names.clone().take(MAX_NAMES)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let list: Vec<&str> = names.take(25).collect();
            if list.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there is: {}", list.join(", "))
            }
        }
    }
}

struct Checker<'a> {
    shapes: &'a dyn Shapes,
    complaints: &'a mut Vec<Complaint>,
}

impl Checker<'_> {
    fn check(&mut self, node: &Ast) -> Type {
        match &node.kind {
            AstKind::Null => Type::Any.or_null(),
            AstKind::Bool(_) => Type::Bool,
            AstKind::Int(_) => Type::Int,
            AstKind::Float(_) => Type::Float,
            AstKind::Text(_) => Type::String,
            AstKind::List(items) => self.list(items),
            AstKind::Name(name) if name == "steps" => self.refuse(
                &node.span,
                (codes::TYPE, "`steps` is no value".to_owned(), Some(STEPS.to_owned())),
            ),
            AstKind::Name(name) => match self.shapes.root(name) {
                Ok(kind) => kind,
                Err(refusal) => self.refuse(&node.span, refusal),
            },
            AstKind::Select(base, name, place) => self.select(base, name, &place.0),
            AstKind::Index(base, key) => self.index(base, key),
            AstKind::Not(inner) => self.operand(inner, Type::Bool, "`!`"),
            AstKind::Negate(inner) => {
                let kind = self.check(inner);
                match bare(&kind) {
                    Type::Int | Type::Float | Type::Any => bare(&kind).clone(),
                    other => self.wrong(&inner.span, format!("`-` needs a number, found {other}")),
                }
            }
            AstKind::Binary(operator @ (Operator::And | Operator::Or), left, right) => {
                let what = format!("`{}`", operator.text());
                self.operand(left, Type::Bool, &what);
                self.operand(right, Type::Bool, &what)
            }
            AstKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            AstKind::Choose(condition, yes, no) => {
                self.operand(condition, Type::Bool, "the condition before `?`");
                let (first, second) = (self.check(yes), self.check(no));
                joined(&first, &second).unwrap_or_else(|| {
                    let message = format!("the two sides of `:` are {first} and {second}");
                    self.wrong(&no.span, message)
                })
            }
            AstKind::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn refuse(&mut self, span: &Range<usize>, (code, message, help): Refusal) -> Type {
        self.complaints.push(Complaint { code, span: span.clone(), message, help });
        Type::Any
    }

    fn wrong(&mut self, span: &Range<usize>, message: String) -> Type {
        self.refuse(span, (codes::TYPE, message, None))
    }

    /// Checks that `node` has the type `wanted`, and is that type.
    fn operand(&mut self, node: &Ast, wanted: Type, what: &str) -> Type {
        let found = self.check(node);
        if *bare(&found) != Type::Any && *bare(&found) != wanted {
            self.wrong(&node.span, format!("{what} needs {wanted}, found {found}"));
        }
        wanted
    }

    fn list(&mut self, items: &[Ast]) -> Type {
        let mut kinds = items.iter().map(|item| self.check(item)).collect::<Vec<_>>().into_iter();
        let first = kinds.next().unwrap_or(Type::Any);
        let inner = kinds.try_fold(first, |kind, next| joined(&kind, &next));
        Type::List(Box::new(inner.unwrap_or(Type::Any)))
    }

    fn select(&mut self, base: &Ast, name: &str, place: &Range<usize>) -> Type {
        if matches!(&base.kind, AstKind::Name(root) if root == "steps") {
            return match self.shapes.step(name) {
                Ok(kind) => kind,
                Err(refusal) => self.refuse(place, refusal),
            };
        }
        if matches!(&base.kind, AstKind::Name(root) if root == "params")
            && let Some(known) = self.shapes.parameter(name)
        {
            return known.unwrap_or_else(|refusal| self.refuse(place, refusal));
        }
        let kind = self.check(base);
        match present(&kind) {
            Type::Any => Type::Any,
            Type::Map(inner) => (**inner).clone(),
            Type::Record(fields) => self.field(base, fields, name, place),
            other => self.wrong(place, format!("`{base}` is {other} and has no `{name}`")),
        }
    }

    fn field(
        &mut self,
        base: &Ast,
        fields: &BTreeMap<String, Type>,
        name: &str,
        place: &Range<usize>,
    ) -> Type {
        if let Some(kind) = fields.get(name) {
            return kind.clone();
        }
        let help = suggestion(name, fields.keys().map(String::as_str));
        self.refuse(place, (codes::UNKNOWN_NAME, format!("`{base}` has no `{name}`"), Some(help)))
    }

    fn index(&mut self, base: &Ast, key: &Ast) -> Type {
        if let AstKind::Text(name) = &key.kind {
            return self.select(base, name, &key.span);
        }
        let (kind, key_kind) = (self.check(base), self.check(key));
        match (present(&kind), bare(&key_kind)) {
            (Type::Any, Type::Any | Type::Int | Type::String) => Type::Any,
            (Type::List(inner), Type::Int | Type::Any) => (**inner).clone(),
            (Type::Map(inner), Type::String | Type::Any) => (**inner).clone(),
            (Type::Record(_), Type::String | Type::Any) => Type::Any,
            (kind, key_kind) => {
                let message = format!("`{base}` is {kind} and cannot be indexed with {key_kind}");
                self.wrong(&key.span, message)
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Ast, right: &Ast) -> Type {
        let (left_kind, right_kind) = (self.check(left), self.check(right));
        let result = match operator {
            Operator::Equal | Operator::NotEqual => {
                self.words(left, &right_kind);
                self.words(right, &left_kind);
                comparison(&left_kind, &right_kind)
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => ordered(bare(&left_kind), bare(&right_kind)),
            Operator::In => membership(&left_kind, &right_kind),
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => arithmetic(operator, bare(&left_kind), bare(&right_kind)),
            Operator::And | Operator::Or => Some(Type::Bool),
        };
        let divides = matches!(operator, Operator::Divide | Operator::Remainder);
        if divides && result.is_some() && is_zero(right) {
            let message = format!("`{}` by zero never has a value", operator.text());
            return self.refuse(&right.span, (codes::ZERO, message, None));
        }
        result.unwrap_or_else(|| {
            let text = operator.text();
            let message = format!("`{text}` cannot be applied to {left_kind} and {right_kind}");
            let help = match (bare(&left_kind), bare(&right_kind)) {
                (Type::Int, Type::Float) | (Type::Float, Type::Int) => {
                    Some("write `2.0` for a whole number, or convert with double()".to_owned())
                }
                (Type::Duration, Type::String) | (Type::String, Type::Duration) => {
                    Some("write a duration as duration('30m')".to_owned())
                }
                (Type::Time, Type::String) | (Type::String, Type::Time) => {
                    Some("write an instant as timestamp('2026-03-01T10:15:00Z')".to_owned())
                }
                _ => None,
            };
            let place = culprit(operator, (left, &left_kind), (right, &right_kind));
            self.refuse(&place.span, (codes::TYPE, message, help))
        })
    }

    /// A literal that is compared with words out of a set is one of them.
    fn words(&mut self, literal: &Ast, other: &Type) {
        if let (AstKind::Text(text), Type::OneOf(words)) = (&literal.kind, present(other))
            && !words.contains(&text.as_str())
        {
            let message = format!("it is never `{text}`");
            let help = suggestion(text, words.iter().copied());
            self.refuse(&literal.span, (codes::TYPE, message, Some(help)));
        }
    }

    fn call(&mut self, function: Function, arguments: &[Ast]) -> Type {
        let first = &arguments[0];
        let name = format!("`{}`", function.name());
        match function {
            Function::Size => {
                self.require(first, has_size, &name, "text, a list or a map");
                Type::Int
            }
            Function::StartsWith | Function::EndsWith | Function::Contains => {
                self.operand(first, Type::String, &name);
                self.operand(&arguments[1], Type::String, &name);
                Type::Bool
            }
            Function::Has => {
                self.check(first);
                Type::Bool
            }
            Function::Duration => {
                self.operand(first, Type::String, &name);
                self.literal(first, |text| duration::parse(text).err());
                Type::Duration
            }
            Function::Timestamp => {
                self.operand(first, Type::String, &name);
                let example = "an instant is written `2026-03-01T10:15:00Z`";
                self.literal(first, |text| match parse_instant(text) {
                    Some(_) => None,
                    None => Some(example.to_owned()),
                });
                Type::Time
            }
            Function::Int | Function::Double => {
                self.require(first, has_number, &name, "a number or text");
                if function == Function::Int { Type::Int } else { Type::Float }
            }
            Function::String => {
                self.require(first, printable, &name, "a simple value");
                Type::String
            }
            Function::Keys => {
                let a_map =
                    |kind: &Type| matches!(kind, Type::Any | Type::Map(_) | Type::Record(_));
                self.require(first, a_map, &name, "a map");
                Type::texts()
            }
        }
    }

    /// Checks that the type of `node` is one that `fit` takes.
    fn require(&mut self, node: &Ast, fit: impl Fn(&Type) -> bool, what: &str, wanted: &str) {
        let found = self.check(node);
        if !fit(bare(&found)) {
            self.wrong(&node.span, format!("{what} needs {wanted}, found {found}"));
        }
    }

    /// Checks the value of a text literal.
    fn literal(&mut self, node: &Ast, problem: impl Fn(&str) -> Option<String>) {
        if let AstKind::Text(text) = &node.kind
            && let Some(why) = problem(text)
        {
            self.wrong(&node.span, format!("invalid `{text}`: {why}"));
        }
    }
}

const STEPS: &str = "name a step: `steps.<id>.outputs.<name>` or `steps.<id>.status`";
