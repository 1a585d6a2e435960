//! Rust source as far as the rules need it: code without comments and literals, and without tests.
//!
//! **Invariant:** lines keep their numbers, so that a violation names the line that a person sees.

use std::iter::Peekable;
use std::str::Chars;

/// Is this file compiled for tests only?
pub(crate) fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.starts_with("benches/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
}

/// The code of a file: comments and the insides of string and character literals become blanks.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => line_comment(&mut rest, &mut out),
            '/' if rest.peek() == Some(&'*') => block_comment(&mut rest, &mut out),
            '"' => string(&mut rest, &mut out),
            'r' if !is_word(last) && matches!(rest.peek(), Some('"' | '#')) => {
                raw_string(&mut rest, &mut out);
            }
            '\'' => character(&mut rest, &mut out),
            _ => out.push(c),
        }
        last = c;
    }
    out
}

/// The code without the items that are compiled for tests only.
pub(crate) fn code_without_tests(text: &str) -> String {
    let code = code(text);
    let mut out = String::with_capacity(code.len());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        out.push('\n');
        let indent = line.len() - line.trim_start().len();
        // The item ends at its own line, or at the bracket that closes it at its own indentation.
        for line in lines.by_ref() {
            out.push('\n');
            let here = line.len() - line.trim_start().len();
            let ends = line.trim_end().ends_with([';', '}']) && here <= indent;
            if ends {
                break;
            }
        }
    }
    out
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank(c: char, out: &mut String) {
    out.push(if c == '\n' { '\n' } else { ' ' });
}

fn line_comment(rest: &mut Peekable<Chars>, out: &mut String) {
    while let Some(c) = rest.next_if(|c| *c != '\n') {
        blank(c, out);
    }
}

fn block_comment(rest: &mut Peekable<Chars>, out: &mut String) {
    let mut depth = 1;
    rest.next();
    while let Some(c) = rest.next() {
        blank(c, out);
        if c == '*' && rest.next_if_eq(&'/').is_some() {
            depth -= 1;
        } else if c == '/' && rest.next_if_eq(&'*').is_some() {
            depth += 1;
        }
        if depth == 0 {
            return;
        }
    }
}

fn string(rest: &mut Peekable<Chars>, out: &mut String) {
    out.push('"');
    while let Some(c) = rest.next() {
        match c {
            '"' => return out.push('"'),
            '\\' => {
                out.push(' ');
                rest.next().inspect(|escaped| blank(*escaped, out));
            }
            _ => blank(c, out),
        }
    }
}

fn raw_string(rest: &mut Peekable<Chars>, out: &mut String) {
    let mut hashes = 0;
    while rest.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    if rest.next_if_eq(&'"').is_none() {
        // `r#name` is an identifier.
        return out.push_str("r#");
    }
    while let Some(c) = rest.next() {
        blank(c, out);
        if c == '"' {
            let mut closing = 0;
            while closing < hashes && rest.next_if_eq(&'#').is_some() {
                closing += 1;
            }
            if closing == hashes {
                return;
            }
        }
    }
}

/// After a quote: a character literal, or a lifetime.
fn character(rest: &mut Peekable<Chars>, out: &mut String) {
    out.push('\'');
    let mut ahead = rest.clone();
    let (first, second) = (ahead.next(), ahead.next());
    match (first, second) {
        (Some('\\'), _) => {
            rest.next();
            rest.next();
            while rest.next_if(|c| *c != '\'').is_some() {}
            rest.next();
        }
        (Some(_), Some('\'')) => {
            rest.next();
            rest.next();
        }
        _ => {}
    }
}

#[test]
fn code_leaves_comments_literals_and_tests_out() {
    let text = "use crate::a; // crate::b\nlet s = \"crate::c\\\" crate::d\"; let q = '\"';\n\
                /* crate::e /* x */ crate::f */ let r = r#\"crate::g\"#;\nfn f<'a>(x: &'a str) {}\n\
                #[cfg(test)]\nmod tests {\n    use crate::h;\n}\nuse crate::i;\n#[cfg(test)]\nmod t;\nuse crate::j;\n";
    let code = code_without_tests(text);
    let seen: Vec<&str> = code.split("crate::").skip(1).map(|rest| &rest[..1]).collect();
    assert_eq!(seen, ["a", "i", "j"]);
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(code.contains("fn f<'a>(x: &'a str) {}"), "{code}");
}
