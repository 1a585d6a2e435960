//! The parser of expressions: precedence climbing over the tokens.
//!
//! **Invariant:** it never panics and never recurses deeper than the tree's limit.

use crate::base::diagnostic::nearest;
use crate::runbook::syntax::{Ast, AstKind, ExpressionError, Function, MAX_DEPTH, Operator, Place};
use crate::runbook::token::{Token, TokenKind, tokens};
use std::ops::Range;

/// Longest expression in bytes: what is longer belongs into a check of its own.
const MAX_BYTES: usize = 4_096;

/// Parses a whole expression.
pub(crate) fn parse(text: &str) -> Result<Ast, ExpressionError> {
    if text.len() > MAX_BYTES {
        return Err(ExpressionError::at(
            0..text.len(),
            format!("the expression has {} bytes; the limit is {MAX_BYTES}", text.len()),
        ));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(ExpressionError::at(0..text.len(), "the expression is empty"));
    }
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let tree = parser.expression()?;
    match parser.tokens.get(parser.at) {
        None => Ok(tree),
        Some(token) => Err(ExpressionError::at(
            token.span.clone(),
            format!("expected an operator or the end, found `{}`", &text[token.span.clone()]),
        )),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn expression(&mut self) -> Result<Ast, ExpressionError> {
        self.nested(|parser| {
            let condition = parser.binary(1)?;
            if !parser.take("?") {
                return Ok(condition);
            }
            let yes = parser.binary(1)?;
            parser.expect(":")?;
            let no = parser.expression()?;
            let span = condition.span.start..no.span.end;
            node(AstKind::Choose(Box::new(condition), Box::new(yes), Box::new(no)), span)
        })
    }

    fn binary(&mut self, least: u8) -> Result<Ast, ExpressionError> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator(least) {
            self.at += 1;
            let right = self.binary(operator.level() + 1)?;
            let span = left.span.start..right.span.end;
            left = node(AstKind::Binary(operator, Box::new(left), Box::new(right)), span)?;
        }
        Ok(left)
    }

    /// The operator that comes next, when it binds at least as tightly as `least`.
    fn operator(&self, least: u8) -> Option<Operator> {
        let text = match &self.tokens.get(self.at)?.kind {
            TokenKind::Mark(mark) => mark,
            TokenKind::Name(name) if name == "in" => "in",
            TokenKind::Name(_) | TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Text(_) => {
                return None;
            }
        };
        Operator::ALL
            .iter()
            .find(|(name, _, level)| *name == text && *level >= least)
            .map(|(_, operator, _)| *operator)
    }

    fn unary(&mut self) -> Result<Ast, ExpressionError> {
        let start = self.place().start;
        if self.take("!") {
            let inner = self.nested(Self::unary)?;
            let span = start..inner.span.end;
            return node(AstKind::Not(Box::new(inner)), span);
        }
        if self.take("-") {
            let inner = self.nested(Self::unary)?;
            let span = start..inner.span.end;
            return node(AstKind::Negate(Box::new(inner)), span);
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Ast, ExpressionError> {
        let mut base = self.primary()?;
        loop {
            let start = base.span.start;
            if self.take(".") {
                let (name, place) = self.name()?;
                base = if self.take("(") {
                    let mut arguments = vec![base];
                    self.items(")", &mut arguments)?;
                    self.call(&name, place, arguments, start)?
                } else {
                    let span = start..place.end;
                    node(AstKind::Select(Box::new(base), name, Place(place)), span)?
                };
            } else if self.take("[") {
                let key = self.expression()?;
                let end = self.expect("]")?.end;
                base = node(AstKind::Index(Box::new(base), Box::new(key)), start..end)?;
            } else {
                return Ok(base);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast, ExpressionError> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            let end = self.text.len();
            return Err(ExpressionError::at(end..end, "expected a value, found the end"));
        };
        self.at += 1;
        let span = token.span;
        match token.kind {
            TokenKind::Int(value) => node(AstKind::Int(value), span),
            TokenKind::Float(value) => node(AstKind::Float(value), span),
            TokenKind::Text(text) => node(AstKind::Text(text), span),
            TokenKind::Name(name) if self.take("(") => {
                let mut arguments = Vec::new();
                self.items(")", &mut arguments)?;
                let start = span.start;
                self.call(&name, span, arguments, start)
            }
            TokenKind::Name(name) => match name.as_str() {
                "true" => node(AstKind::Bool(true), span),
                "false" => node(AstKind::Bool(false), span),
                "null" => node(AstKind::Null, span),
                "in" => Err(ExpressionError::at(span, "expected a value, found `in`")),
                _ => node(AstKind::Name(name), span),
            },
            TokenKind::Mark("(") => {
                let mut inner = self.expression()?;
                inner.span = span.start..self.expect(")")?.end;
                Ok(inner)
            }
            TokenKind::Mark("[") => {
                let mut items = Vec::new();
                let end = self.items("]", &mut items)?.end;
                node(AstKind::List(items), span.start..end)
            }
            TokenKind::Mark(mark) => {
                Err(ExpressionError::at(span, format!("expected a value, found `{mark}`")))
            }
        }
    }

    /// Expressions with commas between them, up to `close`.
    fn items(
        &mut self,
        close: &'static str,
        into: &mut Vec<Ast>,
    ) -> Result<Range<usize>, ExpressionError> {
        let place = self.place();
        if self.take(close) {
            return Ok(place);
        }
        loop {
            into.push(self.expression()?);
            if !self.take(",") {
                return self.expect(close);
            }
        }
    }

    fn call(
        &self,
        name: &str,
        place: Range<usize>,
        arguments: Vec<Ast>,
        start: usize,
    ) -> Result<Ast, ExpressionError> {
        let found = Function::ALL.iter().find(|(known, _, _)| *known == name);
        let Some((_, function, count)) = found else {
            let names = || Function::ALL.iter().map(|(name, _, _)| *name);
            let error = ExpressionError::at(place, format!("unknown function `{name}`"));
            return Err(match nearest(name, names()) {
                Some(near) => error.helped(format!("did you mean `{near}`?")),
                None => {
                    error.helped(format!("known are {}", names().collect::<Vec<_>>().join(", ")))
                }
            });
        };
        let end = self.tokens[self.at - 1].span.end;
        if arguments.len() != *count {
            let message = format!("`{name}` takes {count} values, found {}", arguments.len());
            return Err(ExpressionError::at(start..end, message));
        }
        if *function == Function::Has
            && !matches!(arguments[0].kind, AstKind::Select(..) | AstKind::Index(..))
        {
            return Err(ExpressionError::at(start..end, "`has` takes a member such as `a.b`"));
        }
        node(AstKind::Call(*function, arguments), start..end)
    }

    fn name(&mut self) -> Result<(String, Range<usize>), ExpressionError> {
        let place = self.place();
        if let Some(Token { kind: TokenKind::Name(name), .. }) = self.tokens.get(self.at) {
            let name = name.clone();
            self.at += 1;
            return Ok((name, place));
        }
        Err(ExpressionError::at(place, "expected a name after `.`"))
    }

    /// Where the next token is, or the end.
    fn place(&self) -> Range<usize> {
        let end = self.text.len();
        self.tokens.get(self.at).map_or(end..end, |token| token.span.clone())
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token { kind: TokenKind::Mark(next), .. }) if *next == mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Result<Range<usize>, ExpressionError> {
        let place = self.place();
        if self.take(mark) {
            return Ok(place);
        }
        let found = match &self.text[place.clone()] {
            "" => "the end".to_owned(),
            text => format!("`{text}`"),
        };
        Err(ExpressionError::at(place, format!("expected `{mark}`, found {found}")))
    }

    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Ast, ExpressionError>,
    ) -> Result<Ast, ExpressionError> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(self.place()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

fn node(kind: AstKind, span: Range<usize>) -> Result<Ast, ExpressionError> {
    let mut node = Ast { span, kind, depth: 0 };
    node.depth = 1 + node.children().iter().map(|child| child.depth).max().unwrap_or(0);
    if node.depth > MAX_DEPTH { Err(too_deep(node.span)) } else { Ok(node) }
}

fn too_deep(span: Range<usize>) -> ExpressionError {
    ExpressionError::at(span, format!("the expression is more than {MAX_DEPTH} levels deep"))
}
