//! Several runs side by side.
//!
//! **Invariant:** simulated, emulated and real figures are never in one list.

use crate::report::copies::CopyTimes;
use crate::report::measure::{RECOVERY_POINT, RECOVERY_TIME};
use crate::report::model::{Objective, Report};
use crate::report::trend::Kind;
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
    /// The recovery time that was promised then.
    #[serde(default)]
    pub promised_time_ms: Option<u64>,
    /// The recovery point that was promised then.
    #[serde(default)]
    pub promised_point_ms: Option<u64>,
    /// How long copies between buckets took, of the slowest step that measured any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<CopyTimes>,
}

impl HistoryRow {
    /// Who answered: what it may be compared with.
    pub fn kind(&self) -> Kind {
        Kind::of(self.simulated, self.emulated)
    }

    /// Whether the run ended well.
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome.as_deref(), Some("succeeded" | "warned"))
    }

    /// The outcome in a word, also of a run that has none.
    pub fn word(&self) -> &str {
        let open = if self.waiting.is_some() { "waiting" } else { "unfinished" };
        self.outcome.as_deref().unwrap_or(open)
    }
}

/// A run whose journal cannot be read, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedRow {
    /// Its id, or the directory's name.
    pub run: String,
    /// What is wrong.
    pub problem: String,
}

/// One row a report, in the order given.
pub fn history_rows(reports: &[Report]) -> Vec<HistoryRow> {
    reports.iter().map(history_row).collect()
}

/// The row of one report.
pub fn history_row(report: &Report) -> HistoryRow {
    let objective = |name: &str| -> Option<&Objective> {
        report.objectives.iter().find(|one| one.name == name)
    };
    let (time, point) = (objective(RECOVERY_TIME), objective(RECOVERY_POINT));
    HistoryRow {
        run: report.run.run.clone(),
        name: report.run.drill.clone().unwrap_or_else(|| report.run.title.clone()),
        environment: report.run.environment.clone(),
        simulated: report.run.simulated,
        emulated: report.run.emulated,
        started_at: Some(report.run.started_at),
        outcome: report.verdict.outcome.clone(),
        recovery_time_ms: time.and_then(|one| one.measured_ms),
        recovery_point_ms: point.and_then(|one| one.measured_ms),
        missed_objectives: report.verdict.missed_objectives.clone(),
        waiting: report.verdict.waiting_for.clone(),
        promised_time_ms: time.and_then(|one| one.promised_ms),
        promised_point_ms: point.and_then(|one| one.promised_ms),
        copies: report.copies.iter().max_by_key(|one| one.p95_ms).cloned(),
    }
}
