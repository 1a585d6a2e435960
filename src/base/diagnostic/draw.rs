//! Draws problems as compilers do: message, place, the line with a caret below it, help.
//!
//! **Invariant:** the work for one problem is bounded, however long its line is; a span that does
//! not fit the text loses its snippet and never the message.

use crate::base::diagnostic::{Problem, Problems, Severity, Span};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::fmt::Write as _;
use std::ops::Range;

/// Columns of a drawn line: what a terminal of 100 columns shows beside the line number.
const WIDTH: usize = 96;
/// Characters of a longer line that are kept before the caret.
const BEFORE: usize = 50;
/// Characters of a longer line that are kept from the caret on.
const AFTER: usize = 90;

/// What ends a colour.
const RESET: &str = "\u{1b}[0m";

/// Most problems of one file that are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown(pub usize);

impl Default for Shown {
    /// Two screens: who has more mends these first.
    fn default() -> Self {
        Self(50)
    }
}

/// The problems with their snippets, in file order, with colours (ANSI); printing takes the colours
/// away where they are not wanted. Ends with a line that says how many more there are.
pub fn draw(problems: &Problems, most: Shown) -> String {
    let sorted = problems.sorted();
    let mut output = String::new();
    for problem in sorted.iter().take(most.0) {
        output.push_str(&one(problems, problem));
        output.push_str("\n\n");
    }
    let more = sorted.len().saturating_sub(most.0) + problems.omitted();
    if more > 0 {
        let noun = if more == 1 { "problem" } else { "problems" };
        let _ = writeln!(output, "… and {more} more {noun} in {}\n", problems.file());
    }
    output
}

fn one(problems: &Problems, problem: &Problem) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // Messages quote the file: what it holds must not steer the terminal.
    let message = harmless(&problem.message);
    let title = level.primary_title(message).id(problem.code);
    let file = harmless(problems.file());
    let Span { line, column, .. } = problem.span;
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let window = Window::of(problems.text(), problem.span);
    let mut group = match &window {
        None if line == 0 => title.element(Origin::path(file.as_str())),
        None => title
            .element(Origin::path(file.as_str()).line(number(line)).char_column(number(column))),
        Some(window) => {
            let mark = AnnotationKind::Primary.span(window.mark.clone());
            let snippet = Snippet::source(&window.text).line_start(number(line));
            title.element(snippet.path(&file).annotation(mark))
        }
    };
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    let drawn = without_trailing_blanks(&Renderer::styled().term_width(WIDTH).render(&[group]));
    match window {
        // The renderer counts the columns of what it is given.
        Some(window) if window.column != number(column) => {
            let given = format!("{file}:{line}:{}", window.column);
            drawn.replacen(&given, &format!("{file}:{line}:{column}"), 1)
        }
        Some(_) | None => drawn,
    }
}

/// The lines without the blanks at their ends, some of which stand before a colour's end.
fn without_trailing_blanks(drawn: &str) -> String {
    let line = |line: &str| match line.strip_suffix(RESET) {
        Some(coloured) => format!("{}{RESET}", coloured.trim_end_matches(' ')),
        None => line.trim_end_matches(' ').to_owned(),
    };
    drawn.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Text without control characters, on one line.
fn harmless(text: &str) -> String {
    let blank = |c: char| c.is_control();
    if text.contains(blank) { text.replace(blank, " ") } else { text.to_owned() }
}

/// The part of a line that is shown, and the bytes of it that are marked.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    text: String,
    mark: Range<usize>,
    /// Column of the mark in `text`, from 1.
    column: usize,
}

impl Window {
    /// The first line of `span`, cut around its beginning when it is long.
    fn of(text: &str, span: Span) -> Option<Self> {
        if span.line == 0 || text.is_empty() || !text.is_char_boundary(span.start) {
            return None;
        }
        let (before, after) = text.split_at(span.start.min(text.len()));
        let breaks = ['\n', '\r'];
        let left = before.rfind(breaks).map_or(before, |at| &before[at + 1..]);
        let right = after.find(breaks).map_or(after, |at| &after[..at]);
        let marked = span.end.saturating_sub(span.start).min(right.len());
        let marked = right.get(..marked).unwrap_or(right).trim_end().len();
        let whole = left.len() + right.len() <= BEFORE + AFTER;
        let cut_left = cut(whole, left.char_indices().rev().nth(BEFORE - 1).map(|(at, _)| at));
        let cut_right = cut(whole, right.char_indices().nth(AFTER).map(|(at, _)| at));
        let left = cut_left.map_or(left.to_owned(), |at| format!("…{}", &left[at..]));
        let shown = cut_right.map_or(right.to_owned(), |at| format!("{}…", &right[..at]));
        let start = left.len();
        // A caret needs a character, also at the end of a line.
        let least = shown.chars().next().map_or(1, char::len_utf8);
        let end = start + cut_right.map_or(marked, |at| marked.min(at)).max(least);
        let column = 1 + left.chars().count();
        // The renderer replaces control characters, but not these, which terminals obey too. The
        // dot has as many bytes.
        let text = format!("{left}{shown} ").replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "·");
        Some(Self { text, mark: start..end, column })
    }
}

fn cut(whole: bool, at: Option<usize>) -> Option<usize> {
    at.filter(|at| !whole && *at > 0)
}

/// Line and column, from 1, of the byte `at` of `text`.
pub fn place_of(text: &str, at: usize) -> Span {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (ends, line) = lines_of(&text[..at]);
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    Span {
        line: 1 + number(ends),
        column: 1 + number(line.chars().count()),
        start: at,
        end: at + width,
    }
}

/// How many lines end in `text`, and what stands behind the last end. As in YAML, `\n`, `\r\n` and
/// `\r` end a line.
pub fn lines_of(text: &str) -> (usize, &str) {
    let count = |end: &str| text.matches(end).count();
    let ends = count("\n") + count("\r") - count("\r\n");
    (ends, text.rfind(['\n', '\r']).map_or(text, |last| &text[last + 1..]))
}
