//! What a run was worth: verdict, measurements, evidence; from the journal alone.
//!
//! [`build::build`] makes a [`model::Report`]; [`markdown`], [`json`] and [`terminal`] show it;
//! [`history`] puts several side by side.
//!
//! **Invariant:** what did not happen is never reported as done; simulated figures say so and are never
//! mixed with real ones.

pub mod build;
pub mod findings;
pub mod history;
pub mod json;
pub mod markdown;
pub mod measure;
pub mod model;
pub mod steps;
pub mod table;
pub mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod waterfall;

pub use build::{ReportError, build};
pub use history::{HistoryRow, history_rows, render_history};
pub use json::render_json;
pub use markdown::render_markdown;
pub use model::{Objective, ObjectiveStatus, Report};
pub use terminal::render_summary;

#[cfg(test)]
mod tests;
