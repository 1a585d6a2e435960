//! Where the parts of a runbook stand in its file.
//!
//! **Invariant:** a place is the file's name and a line of it; what has no line of its own has its step's.

use crate::runbook::Runbook;
use std::collections::BTreeMap;

/// Lines of a runbook's steps.
#[derive(Debug)]
pub(super) struct Places<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
    /// First line of each step, from 1, and the first line after it.
    steps: BTreeMap<&'a str, (usize, usize)>,
}

impl<'a> Places<'a> {
    /// The places of `runbook`.
    pub(super) fn of(runbook: &'a Runbook) -> Self {
        let lines: Vec<&str> = runbook.text.lines().collect();
        let mut begins: Vec<(usize, &str)> =
            runbook.steps.iter().map(|step| (step.span.line as usize, step.id.as_str())).collect();
        begins.sort_unstable();
        let ends = begins.iter().skip(1).map(|(line, _)| *line).chain([lines.len() + 1]);
        let steps = begins.iter().zip(ends).map(|((line, id), end)| (*id, (*line, end))).collect();
        Self { file: &runbook.file, lines, steps }
    }

    /// `runbooks/x.yaml:12`: where `field` of the step stands, else where the step begins.
    pub(super) fn of_field(&self, step: &str, field: Option<&str>) -> String {
        let (begin, end) = self.steps.get(step).copied().unwrap_or((1, 1));
        let found = field.and_then(|field| {
            let label = format!("{field}:");
            (begin..end).find(|line| {
                let text = self.lines.get(line - 1).copied().unwrap_or_default().trim_start();
                text.trim_start_matches("- ").starts_with(&label)
            })
        });
        format!("{}:{}", self.file, found.unwrap_or(begin))
    }
}
