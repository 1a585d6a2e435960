//! Splits expression text into tokens with byte ranges.
//!
//! **Invariant:** every input gives tokens or one error; nothing panics, and the work is linear.

use crate::runbook::syntax::ExpressionError;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A name, including `true`, `false`, `null` and `in`.
    Name(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text, escapes resolved.
    Text(String),
    /// An operator or a bracket.
    Mark(&'static str),
}

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

/// Operators and brackets, longer ones first.
const MARKS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]",
];

/// All tokens of `text`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut list = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let kind = if first.is_ascii_alphabetic() || first == '_' {
            at += run(text, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
            TokenKind::Name(text[start..at].to_owned())
        } else if first.is_ascii_digit() {
            number(text, &mut at)?
        } else if first == '\'' || first == '"' {
            TokenKind::Text(quoted(text, &mut at, first)?)
        } else {
            TokenKind::Mark(mark(text, &mut at)?)
        };
        list.push(Token { kind, span: start..at });
    }
    Ok(list)
}

/// How many bytes from `at` on satisfy `wanted`.
fn run(text: &str, at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    text.as_bytes()[at..].iter().take_while(|byte| wanted(**byte)).count()
}

fn number(text: &str, at: &mut usize) -> Result<TokenKind, ExpressionError> {
    let start = *at;
    let bytes = text.as_bytes();
    let digits = |from: usize| run(text, from, |byte| byte.is_ascii_digit());
    *at += digits(*at);
    let mut whole = true;
    if bytes.get(*at) == Some(&b'.') && digits(*at + 1) > 0 {
        whole = false;
        *at += 1 + digits(*at + 1);
    }
    if matches!(bytes.get(*at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(*at + 1), Some(b'+' | b'-')));
        let exponent = digits(*at + 1 + sign);
        if exponent > 0 {
            whole = false;
            *at += 1 + sign + exponent;
        }
    }
    if matches!(bytes.get(*at), Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_') {
        let end = *at + run(text, *at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return Err(ExpressionError::at(
            start..end,
            format!("`{}` is neither a number nor a name", &text[start..end]),
        )
        .helped("durations are written `duration(\"30m\")`"));
    }
    let source = &text[start..*at];
    let too_large = || ExpressionError::at(start..start + source.len(), "the number is too large");
    if whole {
        source.parse().map(TokenKind::Int).map_err(|_| too_large())
    } else {
        match source.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(TokenKind::Float(value)),
            _ => Err(too_large()),
        }
    }
}

fn quoted(text: &str, at: &mut usize, quote: char) -> Result<String, ExpressionError> {
    let start = *at;
    let mut output = String::new();
    let mut rest = text[start + 1..].char_indices();
    while let Some((offset, character)) = rest.next() {
        let here = start + 1 + offset;
        if character == quote {
            *at = here + 1;
            return Ok(output);
        }
        if character != '\\' {
            output.push(character);
            continue;
        }
        match rest.next() {
            Some((_, same @ ('\\' | '\'' | '"'))) => output.push(same),
            Some((_, 'n')) => output.push('\n'),
            Some((_, 'r')) => output.push('\r'),
            Some((_, 't')) => output.push('\t'),
            Some((_, other)) => {
                let end = here + 1 + other.len_utf8();
                return Err(ExpressionError::at(here..end, format!("unknown escape `\\{other}`"))
                    .helped("known are \\\\, \\', \\\", \\n, \\r and \\t"));
            }
            None => break,
        }
    }
    Err(ExpressionError::at(start..text.len(), "the text is not closed")
        .helped(format!("end it with {quote}")))
}

fn mark(text: &str, at: &mut usize) -> Result<&'static str, ExpressionError> {
    let rest = &text[*at..];
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        *at += mark.len();
        return Ok(mark);
    }
    let first = rest.chars().next().unwrap_or(' ');
    let error = ExpressionError::at(*at..*at + first.len_utf8(), format!("unexpected `{first}`"));
    Err(match first {
        '=' => error.helped("equality is written `==`"),
        '&' => error.helped("and is written `&&`"),
        '|' => error.helped("or is written `||`"),
        _ => error,
    })
}
