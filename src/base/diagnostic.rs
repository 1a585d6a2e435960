//! Problems of files, each with its place, collected so that one pass shows them all.
//!
//! [`Problems`] is the model and holds the text of its file; [`draw`] shows it with snippets.
//!
//! **Invariant:** a reader never stops at the first problem it can step over.

mod draw;

pub use draw::{Shown, draw, lines_of, place_of};

use std::fmt;
use std::sync::Arc;

/// A place in a file. Lines and columns count from 1; bytes from 0, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The part of a one-line span that starts `offset` bytes in and is `length` bytes long.
    pub fn within(self, offset: usize, length: usize) -> Self {
        let column = self.column + u32::try_from(offset).unwrap_or(0);
        Self {
            line: self.line,
            column,
            start: self.start + offset,
            end: self.start + offset + length,
        }
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and probably should be changed.
    Warning,
}

/// One problem of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code such as `DR012`.
    pub code: &'static str,
    /// Where it is.
    pub span: Span,
    /// What is wrong: a lower-case sentence fragment.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

/// All problems found in one file, with the file's name and text for display.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems {
    file: String,
    text: Arc<str>,
    list: Vec<Problem>,
    /// Found after [`MAX_KEPT`], counted and not kept: errors, warnings.
    dropped: (usize, usize),
    /// Takes what is found after [`MAX_KEPT`].
    spare: Option<Problem>,
}

/// Most problems kept of one file: nobody reads more, and a hostile file has a hundred thousand.
pub const MAX_KEPT: usize = 1_000;

impl Problems {
    /// No problem yet in the file called `file`, whose text is not known: places have no snippet.
    pub fn of(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// No problem yet in the file called `file` with the text that all spans refer to.
    pub fn in_text(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.into(), ..Self::default() }
    }

    /// Adds an error.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Error, code, span, message.into())
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Warning, code, span, message.into())
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
    ) -> &mut Problem {
        let problem = Problem { severity, code, span, message, help: None };
        if self.list.len() < MAX_KEPT {
            self.list.push(problem);
            return self.list.last_mut().expect("just pushed");
        }
        match severity {
            Severity::Error => self.dropped.0 += 1,
            Severity::Warning => self.dropped.1 += 1,
        }
        self.spare.insert(problem)
    }

    /// Adds what was found in another pass over the same file.
    pub fn append(&mut self, other: Self) {
        for problem in other.list {
            let kept = self.push(problem.severity, problem.code, problem.span, problem.message);
            kept.help = problem.help;
        }
        self.dropped.0 += other.dropped.0;
        self.dropped.1 += other.dropped.1;
    }

    /// Whether the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.dropped.0 > 0 || self.list.iter().any(|it| it.severity == Severity::Error)
    }

    /// How many there are, those not kept included.
    pub fn count(&self, severity: Severity) -> usize {
        let dropped = match severity {
            Severity::Error => self.dropped.0,
            Severity::Warning => self.dropped.1,
        };
        dropped + self.list.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Whether what is found from here on is counted and not kept: it needs no help.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_KEPT
    }

    /// How many were found and not kept.
    pub fn omitted(&self) -> usize {
        self.dropped.0 + self.dropped.1
    }

    /// Whether there is none, not even a warning.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in file order.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        list.sort_by_key(|problem| (problem.span, problem.severity));
        list
    }

    /// The file's name as given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The file's text; empty when it is not known.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that mends `problem` when it replaces what stands at its span, as far as that is
    /// known: the word of a "did you mean", in the quotes that the file uses.
    pub fn replacement(&self, problem: &Problem) -> Option<String> {
        let word = problem.help.as_deref()?.strip_prefix(MEANT)?.strip_suffix("`?")?;
        let written = self.text.get(problem.span.start..problem.span.end)?;
        let quote = written.chars().next().filter(|first| matches!(first, '"' | '\''));
        let quote = quote.filter(|quote| written.len() > 1 && written.ends_with(*quote));
        let bare = quote.map_or(written, |quote| written.trim_matches(quote));
        // A span may cover more than the misspelt word: replacing all of that would do harm.
        nearest(bare, [word])?;
        let quote = quote.map(String::from).unwrap_or_default();
        Some(format!("{quote}{word}{quote}"))
    }

    /// Line and column (both from 1) of the end of `span`, which is exclusive.
    pub fn end_of(&self, span: Span) -> (u32, u32) {
        let Some(written) = self.text.get(span.start..span.end) else {
            return (span.line, span.column);
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (ends, rest) = lines_of(written);
        let width = number(rest.chars().count());
        let column = if ends > 0 { 1 } else { span.column };
        (span.line + number(ends), column + width)
    }
}

/// How the help of a misspelt word begins.
const MEANT: &str = "did you mean `";

impl Problem {
    /// Says what to do next.
    pub fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }
}

impl Severity {
    /// Its word in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.sorted() {
            let kind = problem.severity.name();
            let Span { line, column, .. } = problem.span;
            writeln!(
                f,
                "{}:{line}:{column}: {kind}[{}]: {}",
                self.file, problem.code, problem.message
            )?;
            if let Some(help) = &problem.help {
                writeln!(f, "  help: {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The candidate nearest to `word`, when one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits of one character between two words; two neighbours that changed places are one edit.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut earlier: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut before = None;
    for (i, a) in left.chars().enumerate() {
        let mut row = Vec::with_capacity(above.len());
        row.push(i + 1);
        for (j, b) in right.iter().enumerate() {
            let substituted = above[j] + usize::from(a != *b);
            let mut least = substituted.min(above[j + 1] + 1).min(row[j] + 1);
            if j > 0 && before == Some(*b) && right[j - 1] == a {
                least = least.min(earlier[j - 1] + 1);
            }
            row.push(least);
        }
        earlier = std::mem::replace(&mut above, row);
        before = Some(a);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests;
