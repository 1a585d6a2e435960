//! Trends: the runs of one drill in one environment, oldest first, and what they say together.
//!
//! **Invariant:** a trend holds runs of one kind only: real, emulated or simulated.

use crate::report::history::HistoryRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who answered: figures of different kinds are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// AWS.
    Real,
    /// A stand-in for AWS.
    Emulated,
    /// The simulator.
    Simulated,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Real, Self::Emulated, Self::Simulated];

    /// The kind of a run.
    #[expect(clippy::fn_params_excessive_bools, reason = "the two facts that a journal holds")]
    pub fn of(simulated: bool, emulated: bool) -> Self {
        match (simulated, emulated) {
            (true, _) => Self::Simulated,
            (false, true) => Self::Emulated,
            (false, false) => Self::Real,
        }
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Emulated => "emulated",
            Self::Simulated => "simulated",
        }
    }

    /// What stands above its figures.
    pub fn title(self) -> &'static str {
        match self {
            Self::Real => "Real",
            Self::Emulated => "EMULATED (times say nothing about AWS)",
            Self::Simulated => "SIMULATED (says nothing about AWS)",
        }
    }
}

/// The runs of one drill in one environment, and what they say together. Times are recovery times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// Drill or title.
    pub name: String,
    /// Name of the environment.
    pub environment: String,
    /// Who answered.
    pub kind: Kind,
    /// Ids of the runs, oldest first.
    pub runs: Vec<String>,
    /// Their recovery times, `None` where it was not recovered.
    pub times_ms: Vec<Option<u64>>,
    /// How many runs ended well.
    pub succeeded: u64,
    /// Of a hundred runs, how many ended well.
    pub success_percent: u64,
    /// The newest recovery time; `None` when the newest run did not recover.
    pub last_ms: Option<u64>,
    /// The newest one before it.
    pub previous_ms: Option<u64>,
    /// The middle one of all.
    pub median_ms: Option<u64>,
    /// The newest promise.
    pub promised_ms: Option<u64>,
    /// Runs to which something was promised.
    pub promised_runs: u64,
    /// Those that recovered within what was promised to them.
    pub kept_runs: u64,
}

/// The trends of all rows, which may come in any order.
pub fn trends(rows: &[HistoryRow]) -> Vec<Trend> {
    grouped(rows).into_iter().map(|(trend, _)| trend).collect()
}

/// The trends of all rows, each with its rows, oldest first.
pub fn grouped(rows: &[HistoryRow]) -> Vec<(Trend, Vec<&HistoryRow>)> {
    let mut groups: BTreeMap<(Kind, &str, &str), Vec<&HistoryRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((row.kind(), &row.name, &row.environment)).or_default().push(row);
    }
    let mut found = Vec::new();
    for ((kind, name, environment), mut rows) in groups {
        // Run ids sort by the time at which they were planned.
        rows.sort_by(|a, b| (a.started_at, &a.run).cmp(&(b.started_at, &b.run)));
        found.push((summary(kind, name, environment, &rows), rows));
    }
    found
}

fn summary(kind: Kind, name: &str, environment: &str, rows: &[&HistoryRow]) -> Trend {
    let times_ms: Vec<Option<u64>> = rows.iter().map(|row| row.recovery_time_ms).collect();
    let (last, earlier) = match times_ms.split_last() {
        Some((last, earlier)) => (*last, earlier),
        None => (None, &[][..]),
    };
    let promised: Vec<_> = rows.iter().filter(|row| row.promised_time_ms.is_some()).collect();
    let kept = |row: &&&&HistoryRow| {
        row.recovery_time_ms.zip(row.promised_time_ms).is_some_and(|(took, most)| took <= most)
    };
    let succeeded = rows.iter().filter(|row| row.succeeded()).count() as u64;
    Trend {
        name: name.to_owned(),
        environment: environment.to_owned(),
        kind,
        runs: rows.iter().map(|row| row.run.clone()).collect(),
        succeeded,
        success_percent: succeeded * 100 / (rows.len() as u64).max(1),
        last_ms: last,
        previous_ms: earlier.iter().rev().find_map(|time| *time),
        median_ms: median(&times_ms),
        promised_ms: rows.last().and_then(|row| row.promised_time_ms),
        promised_runs: promised.len() as u64,
        kept_runs: promised.iter().filter(|row| kept(row)).count() as u64,
        times_ms,
    }
}

fn median(times: &[Option<u64>]) -> Option<u64> {
    let mut times: Vec<u64> = times.iter().filter_map(|time| *time).collect();
    times.sort_unstable();
    let middle = times.len() / 2;
    let upper = *times.get(middle)?;
    if times.len() % 2 == 1 {
        return Some(upper);
    }
    times.get(middle.checked_sub(1)?).map(|lower| lower + (upper - lower) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[None]), None);
        assert_eq!(median(&[Some(9), None, Some(1), Some(2)]), Some(2));
        assert_eq!(median(&[Some(4), Some(1), Some(2), Some(9)]), Some(3));
    }
}
