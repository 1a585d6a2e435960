//! Several runs side by side.
//!
//! **Invariant:** simulated, emulated and real figures are never in one list.

use crate::base::clock::format_instant;
use crate::report::markdown::ms;
use crate::report::measure::{RECOVERY_POINT, RECOVERY_TIME};
use crate::report::model::Report;
use crate::report::table::table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Its id.
    pub run: String,
    /// Drill or title.
    pub name: String,
    /// Where.
    pub environment: String,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// Whether a stand-in for AWS answered.
    pub emulated: bool,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// `succeeded`, …; `None` until it ended.
    pub outcome: Option<String>,
    /// Measured recovery time.
    pub recovery_time_ms: Option<u64>,
    /// Proven recovery point.
    pub recovery_point_ms: Option<u64>,
    /// Objectives that were missed.
    pub missed_objectives: Vec<String>,
    /// What it waits for.
    pub waiting: Option<String>,
}

/// One row a report, in the order given.
pub fn history_rows(reports: &[Report]) -> Vec<HistoryRow> {
    let row = |report: &Report| HistoryRow {
        run: report.run.run.clone(),
        name: report.run.drill.clone().unwrap_or_else(|| report.run.title.clone()),
        environment: report.run.environment.clone(),
        simulated: report.run.simulated,
        emulated: report.run.emulated,
        started_at: Some(report.run.started_at),
        outcome: report.verdict.outcome.clone(),
        recovery_time_ms: measured(report, RECOVERY_TIME),
        recovery_point_ms: measured(report, RECOVERY_POINT),
        missed_objectives: report.verdict.missed_objectives.clone(),
        waiting: report.verdict.waiting_for.clone(),
    };
    reports.iter().map(row).collect()
}

/// The rows as plain text: AWS, stand-ins and the simulator each in a table of their own.
pub fn render_history(rows: &[HistoryRow]) -> String {
    let mut text = String::new();
    for (title, simulated, emulated) in [
        ("Real", false, false),
        ("EMULATED (times say nothing about AWS)", false, true),
        ("SIMULATED (says nothing about AWS)", true, false),
    ] {
        let of_kind = |row: &&HistoryRow| (row.simulated, row.emulated) == (simulated, emulated);
        let rows: Vec<&HistoryRow> = rows.iter().filter(of_kind).collect();
        if !rows.is_empty() {
            let lines: Vec<Vec<String>> = rows.into_iter().map(cells).collect();
            let headers = ["started", "run", "name", "in", "outcome", "time", "point", "missed"];
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{title}\n{}", table(&headers, &lines)));
        }
    }
    if text.is_empty() { "no runs yet\n".to_owned() } else { text }
}

fn cells(row: &HistoryRow) -> Vec<String> {
    let unfinished = row.waiting.as_ref().map_or("unfinished", |_| "waiting");
    vec![
        row.started_at.map_or_else(|| "-".to_owned(), format_instant),
        row.run.clone(),
        row.name.clone(),
        row.environment.clone(),
        row.outcome.clone().unwrap_or_else(|| unfinished.to_owned()),
        ms(row.recovery_time_ms),
        ms(row.recovery_point_ms),
        row.missed_objectives.join(", "),
    ]
}

fn measured(report: &Report, name: &str) -> Option<u64> {
    report.objectives.iter().find(|one| one.name == name)?.measured_ms
}
