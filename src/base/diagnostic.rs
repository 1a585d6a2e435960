//! Problems of files, each with its place, collected so that one pass shows them all.
//!
//! **Invariant:** a reader never stops at the first problem it can step over.

use std::fmt;

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

/// All problems found in one file, with the file's name for display.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems {
    file: String,
    list: Vec<Problem>,
}

impl Problems {
    /// No problem yet in the file called `file`.
    pub fn of(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
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
        self.list.push(Problem { severity, code, span, message, help: None });
        self.list.last_mut().expect("just pushed")
    }

    /// Whether the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
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
}

impl Problem {
    /// Says what to do next.
    pub fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.sorted() {
            let kind = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
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

/// Levenshtein distance in characters.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substitute = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_in_file_order_with_help() {
        let mut problems = Problems::of("a.yaml");
        problems
            .error("DR002", Span { line: 7, column: 3, start: 90, end: 95 }, "unknown field `x`")
            .help("remove it");
        problems.warning("DR001", Span { line: 2, column: 1, start: 5, end: 9 }, "unused");
        let text = problems.to_string();
        assert_eq!(
            text,
            "a.yaml:2:1: warning[DR001]: unused\na.yaml:7:3: error[DR002]: unknown field `x`\n  help: remove it\n"
        );
        assert!(problems.has_errors());
    }

    #[test]
    fn suggests_only_what_is_near() {
        let words = ["restore", "verify", "cleanup"];
        assert_eq!(nearest("restor", words), Some("restore"));
        assert_eq!(nearest("veryfi", words), Some("verify"));
        assert_eq!(nearest("failover", words), None);
    }
}
