//! What every code means, why it matters, and how it is mended: the table behind `drctl explain`.
//!
//! **Invariant:** every code of [`CODES`] is here; its wrong example has exactly that problem, and
//! its mended example has none. Tests load them all.

use crate::base::diagnostic::Severity;
use crate::runbook::codes::{CODES, WARNINGS};

mod expressions;
mod files;
mod order;
mod places;
mod steps;
mod together;
mod warnings;

/// What a code means, with examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence.
    pub title: &'static str,
    /// What it means, in a few sentences.
    pub meaning: &'static str,
    /// Why drctl insists.
    pub why: &'static str,
    /// What kind of document the examples are.
    pub document: Document,
    /// An example that has the problem.
    pub wrong: &'static str,
    /// The same without it.
    pub mended: &'static str,
}

/// What an example is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// A whole file.
    File,
    /// A runbook without its first three lines.
    Runbook,
    /// A drill without its first three lines.
    Drill,
    /// An estate without its first three lines.
    Estate,
}

impl Document {
    /// The word for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Runbook => "runbook",
            Self::Drill => "drill",
            Self::Estate => "estate",
        }
    }

    /// The whole file that the example is a part of.
    pub fn complete(self, example: &str) -> String {
        let kind = match self {
            Self::File => return example.to_owned(),
            Self::Runbook => "Runbook",
            Self::Drill => "Drill",
            Self::Estate => "Estate",
        };
        format!("apiVersion: drctl/v1\nkind: {kind}\nname: example\n{example}")
    }
}

/// What the files below hold for one code.
struct Entry {
    code: &'static str,
    meaning: &'static str,
    why: &'static str,
    document: Document,
    wrong: &'static str,
    mended: &'static str,
}

const TABLES: &[&[Entry]] = &[
    files::ENTRIES,
    steps::ENTRIES,
    expressions::ENTRIES,
    warnings::ENTRIES,
    order::ENTRIES,
    places::ENTRIES,
    together::ENTRIES,
];

/// The explanation of `code`.
pub fn explanation(code: &str) -> Option<Explanation> {
    let (code, title) = CODES.iter().find(|(known, _)| *known == code)?;
    let entry = TABLES.iter().flat_map(|table| table.iter()).find(|entry| entry.code == *code)?;
    let warning = WARNINGS.contains(code);
    Some(Explanation {
        code: entry.code,
        severity: if warning { Severity::Warning } else { Severity::Error },
        title,
        meaning: entry.meaning,
        why: entry.why,
        document: entry.document,
        wrong: entry.wrong,
        mended: entry.mended,
    })
}
