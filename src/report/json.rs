//! A report as JSON.
//!
//! **Invariant:** the text ends with a line feed and reads back to the same report.

use crate::report::model::Report;

/// The report as indented JSON.
pub fn render_json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has string keys only");
    text.push('\n');
    text
}
