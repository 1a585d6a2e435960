//! A rehearsal as JUnit XML: what continuous integration reads.
//!
//! One case a scenario, one a part of the runbook, one a guard. A violation and an untested guard are
//! failures; a part that was never exercised is a skipped case.
//!
//! **Invariant:** a rehearsal that did not pass never gives a report without a failure.

use super::model::{GuardVerdict, Rehearsal};
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
    let case = |class: &str, title: String, status: TestCaseStatus| {
        let mut case = TestCase::new(title, status);
        case.set_classname(format!("{name}.{class}"));
        case.set_time(Duration::ZERO);
        case
    };
    let stormy = |point: &String| point.contains("@storm");
    for row in &rehearsal.scenarios {
        let found = rehearsal.violations.iter().filter(|found| {
            found.scenario == row.scenario && !found.point.as_ref().is_some_and(stormy)
        });
        let lines: Vec<String> = found
            .map(|found| format!("{}: {}\nagain: {}", found.property, found.message, found.replay))
            .collect();
        let status = if lines.is_empty() {
            TestCaseStatus::success()
        } else {
            failure("violation", &format!("{} violations", lines.len()), &lines.join("\n"))
        };
        suite.add_test_case(case("scenarios", row.scenario.clone(), status));
    }
    if rehearsal.storms.is_some() {
        let found = rehearsal.violations.iter();
        let lines: Vec<String> = found
            .filter(|found| found.point.as_ref().is_some_and(stormy))
            .map(|found| format!("{}: {}\nagain: {}", found.property, found.message, found.replay))
            .collect();
        let status = if lines.is_empty() {
            TestCaseStatus::success()
        } else {
            failure("violation", &format!("{} violations", lines.len()), &lines.join("\n"))
        };
        suite.add_test_case(case("storms", "storms".to_owned(), status));
    }
    for row in &rehearsal.coverage {
        let status = match &row.scenario {
            Some(_) => TestCaseStatus::success(),
            None => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(format!("never exercised: {}", row.place));
                status
            }
        };
        suite.add_test_case(case("coverage", format!("{}: {}", row.step, row.branch), status));
    }
    for row in rehearsal.guards.iter().flatten() {
        let status = match row.verdict {
            GuardVerdict::Noticed | GuardVerdict::Held => TestCaseStatus::success(),
            GuardVerdict::Untested => {
                failure("untested_guard", &format!("untested: {}", row.place), &row.by)
            }
        };
        suite.add_test_case(case("guards", format!("{}: {}", row.step, row.guard), status));
    }
    junit_document(suite)
}

fn failure(of_type: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(of_type).set_message(message).set_description(description);
    status
}
