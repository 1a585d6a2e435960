//! A rehearsal as JUnit XML: what continuous integration reads.
//!
//! One case a scenario, one a part of the runbook, one a guard, one for all storms. A violation and an
//! untested guard are failures; a part that was never exercised is a skipped case.
//!
//! **Invariant:** a rehearsal that did not pass never gives a report without a failure.

use super::model::{CoverageRow, GuardRow, GuardVerdict, Rehearsal, Violation};
use crate::report::junit_document;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The rehearsal as JUnit XML.
pub fn render_junit(rehearsal: &Rehearsal) -> String {
    let subject = &rehearsal.subject;
    let name = format!("rehearse {}", subject.name);
    let mut suite = TestSuite::new(name.clone());
    suite.set_time(Duration::ZERO);
    let seed = subject.seed.to_string();
    for (key, value) in [
        ("runbook", subject.file.as_str()),
        ("estate", &subject.estate),
        ("environment", &subject.environment),
        ("seed", &seed),
        ("simulated", "true"),
    ] {
        suite.add_property((key, value));
    }
    let mut add = |class: &str, title: String, status: TestCaseStatus| {
        let mut case = TestCase::new(title, status);
        case.set_classname(format!("{name}.{class}"));
        case.set_time(Duration::ZERO);
        suite.add_test_case(case);
    };
    let all = || rehearsal.violations.iter();
    for row in &rehearsal.scenarios {
        let ours = |found: &&Violation| found.scenario == row.scenario && !stormy(found);
        add("scenarios", row.scenario.clone(), judged(all().filter(ours)));
    }
    if rehearsal.storms.is_some() {
        add("storms", "storms".to_owned(), judged(all().filter(|found| stormy(found))));
    }
    for row in &rehearsal.coverage {
        add("coverage", format!("{}: {}", row.step, row.branch), exercised(row));
    }
    for row in rehearsal.guards.iter().flatten() {
        add("guards", format!("{}: {}", row.step, row.guard), tested(row));
    }
    junit_document(suite)
}

/// Whether a storm found it.
fn stormy(found: &Violation) -> bool {
    found.point.as_ref().is_some_and(|point| point.contains("@storm"))
}

fn judged<'a>(found: impl Iterator<Item = &'a Violation>) -> TestCaseStatus {
    let told = |found: &Violation| {
        format!("{}: {}\nagain: {}", found.property, found.message, found.replay)
    };
    let lines: Vec<String> = found.map(told).collect();
    if lines.is_empty() {
        return TestCaseStatus::success();
    }
    failure("violation", &format!("{} violations", lines.len()), &lines.join("\n"))
}

fn exercised(row: &CoverageRow) -> TestCaseStatus {
    if row.scenario.is_some() {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!("never exercised: {}", row.place));
    status
}

fn tested(row: &GuardRow) -> TestCaseStatus {
    match row.verdict {
        GuardVerdict::Noticed | GuardVerdict::Held => TestCaseStatus::success(),
        GuardVerdict::Untested => {
            failure("untested_guard", &format!("untested: {}", row.place), &row.by)
        }
    }
}

fn failure(of_type: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(of_type).set_message(message).set_description(description);
    status
}
