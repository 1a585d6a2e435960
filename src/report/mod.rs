//! What a run was worth: verdict, measurements, evidence; from the journal alone.
//!
//! [`build::build`] makes a [`model::Report`]; [`markdown`], [`html`], [`json`], [`junit`] and
//! [`terminal`] show it, [`line`](mod@line) in one line; [`history`] puts several side by side, [`trend`] adds
//! them up.
//!
//! **Invariant:** what did not happen is never reported as done; simulated figures say so and are never
//! mixed with real ones.

pub mod audit;
pub mod build;
pub mod charts;
pub mod control;
mod copies;
pub mod cutoff;
pub mod damage;
pub mod findings;
pub mod folded;
pub mod history;
pub mod history_text;
pub mod html;
pub mod json;
pub mod junit;
pub mod line;
pub mod markdown;
pub mod measure;
mod measured;
pub mod model;
pub mod parts;
pub mod people;
pub mod point;
pub mod prometheus;
pub mod steps;
pub mod table;
pub mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod trend;
pub mod verdict;
pub mod waterfall;

pub use build::{ReportError, build, build_salvaged};
pub use damage::DamageRow;
pub use history::{DamagedRow, HistoryRow, history_row, history_rows};
pub use history_text::render_history;
pub use html::{render_history_html, render_html};
pub use json::render_json;
pub use junit::{junit_document, render_junit};
pub use line::{LineState, StatusLine, status_line};
pub use markdown::render_markdown;
pub use model::{Objective, ObjectiveStatus, Report, TimelineRow};
pub use prometheus::render_prometheus;
pub use terminal::render_summary;
pub use timeline::timeline;
pub use trend::{Trend, trends};

#[cfg(test)]
mod tests;
