//! The table of all drills: for people, for programs, for continuous integration.
//!
//! **Invariant:** simulated figures say so; a drill that did not end well never looks like one that did.

use crate::base::duration::human;
use crate::cli::drill_all::row::{Body, Row};
use crate::cli::exit::Exit;
use crate::plan::predicted_failures;
use crate::report::junit_document;
use comfy_table::{ContentArrangement, Table, presets};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::time::Duration;

const NONE: &str = "-";

fn span(ms: Option<u64>) -> String {
    ms.map_or_else(|| NONE.to_owned(), |ms| human(Duration::from_millis(ms)))
}

/// The table for people, and below it what is not as it should be.
pub(super) fn text(estate: &str, rows: &[Row], dry_run: bool) -> String {
    let mut text = String::new();
    let banners: BTreeSet<&str> = rows.iter().filter_map(Row::banner).collect();
    for banner in banners {
        text.push_str(&format!("{banner}\n"));
    }
    let what = if dry_run { "DRY RUN of the drills" } else { "drills" };
    text.push_str(&format!("{what} of {estate}\n\n"));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let (time, point) = match dry_run {
        true => ("recovery time at most", "recovery point claimed"),
        false => ("recovery time", "recovery point"),
    };
    table.set_header(["scenario", "outcome", time, point, "objective", "verdict", "prediction"]);
    for row in rows {
        let scenario = match row.scenario == row.drill {
            true => row.drill.clone(),
            false => format!("{} ({})", row.scenario, row.drill),
        };
        let (time, point) = row.figures();
        let (promised_time, promised_point) = row.promised();
        let objective = match (promised_time, promised_point) {
            (None, None) => NONE.to_owned(),
            (time, point) => format!("{} / {}", span(time), span(point)),
        };
        let prediction = row.prediction().map(|(held, total)| format!("{held} of {total}"));
        table.add_row([
            scenario,
            row.outcome.clone(),
            span(time),
            span(point),
            objective,
            row.kept().map_or(NONE, |kept| kept.word()).to_owned(),
            prediction.unwrap_or_else(|| NONE.to_owned()),
        ]);
    }
    let lines = table.to_string();
    text.extend(lines.lines().map(|line| format!("{}\n", line.trim_end())));
    let told = rows.iter().filter_map(|row| Some((row, row.why.as_ref()?)));
    let told: Vec<String> =
        told.map(|(row, why)| format!("  {}: {why}{}\n", row.drill, then(row))).collect();
    if !told.is_empty() {
        text.push_str(&format!("\n{}", told.concat()));
    }
    text
}

/// What to type next.
fn then(row: &Row) -> String {
    match (&row.run, row.exit) {
        (Some(run), Exit::Waiting | Exit::Credentials) => format!("; drctl resume {run}"),
        (Some(run), _) => format!("; drctl report {run}"),
        (None, _) => String::new(),
    }
}

/// The table for programs.
pub(super) fn json(estate: &str, rows: &[Row], dry_run: bool, exit: Exit) -> String {
    let document = json!({
        "schema_version": 1, "estate": estate, "dry_run": dry_run, "exit_code": exit as u8,
        "drills": rows.iter().map(row_json).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

fn row_json(row: &Row) -> Json {
    let (time, point) = row.figures();
    let (promised_time, promised_point) = row.promised();
    let ran = matches!(row.body, Body::Ran(_));
    let measured = |ms: Option<u64>| ms.filter(|_| ran);
    let predicted = |ms: Option<u64>| ms.filter(|_| !ran);
    let failures = match &row.body {
        Body::Planned(plan) => predicted_failures(plan),
        Body::Nothing | Body::Ran(_) => Vec::new(),
    };
    let (simulated, emulated) = match &row.body {
        Body::Nothing => (None, None),
        Body::Planned(plan) => (Some(plan.environment.simulated), None),
        Body::Ran(report) => (Some(report.run.simulated), Some(report.run.emulated)),
    };
    json!({
        "drill": row.drill, "scenario": row.scenario, "run": row.run.as_ref().map(|it| it.as_str()),
        "environment": row.environment(), "simulated": simulated, "emulated": emulated,
        "outcome": row.outcome, "exit_code": row.exit as u8, "why": row.why,
        "recovery_time_ms": measured(time), "recovery_point_ms": measured(point),
        "predicted_recovery_time_ms": predicted(time),
        "predicted_recovery_point_ms": predicted(point),
        "promised_recovery_time_ms": promised_time,
        "promised_recovery_point_ms": promised_point,
        "verdict": row.kept().map(|kept| kept.word().to_lowercase()),
        "predicted_failures": failures,
        "prediction": row.prediction().map(|(held, total)| json!({ "held": held, "total": total })),
    })
}

/// The table as JUnit XML: a case a drill. One that failed or missed an objective is a failure, one of
/// which nothing is known an error, one that was not begun skipped.
pub(super) fn junit(estate: &str, rows: &[Row]) -> String {
    let name = format!("drills of {estate}");
    let mut suite = TestSuite::new(name.clone());
    suite.set_time(Duration::ZERO);
    for row in rows {
        let mut case = TestCase::new(row.scenario.clone(), status(row));
        case.set_classname(format!("{name}.{}", row.drill));
        let took = match &row.body {
            Body::Ran(report) => report.waterfall.total_ms,
            Body::Nothing | Body::Planned(_) => 0,
        };
        case.set_time(Duration::from_millis(took));
        suite.add_test_case(case);
    }
    junit_document(suite)
}

fn status(row: &Row) -> TestCaseStatus {
    let why = row.why.as_deref().unwrap_or(&row.outcome);
    let kind = match row.exit {
        Exit::Ok => return TestCaseStatus::success(),
        Exit::Waiting if matches!(row.body, Body::Nothing) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why);
            return status;
        }
        Exit::StepFailed
        | Exit::ObjectiveMissed
        | Exit::Rejected
        | Exit::CleanupFailed
        | Exit::UndoFailed
        | Exit::CompletedWithSkips => NonSuccessKind::Failure,
        Exit::Internal
        | Exit::Usage
        | Exit::Waiting
        | Exit::Journal
        | Exit::Refused
        | Exit::Credentials => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(row.outcome.clone()).set_message(why);
    status
}
