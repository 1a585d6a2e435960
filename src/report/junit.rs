//! A run as JUnit XML: what continuous integration and its dashboards read.
//!
//! One suite a run. A case for the run itself, one a step, one an objective. A check that looked and
//! found it wrong, and an objective that was missed, are failures; everything that could not be judged
//! is an error: nothing is known then.
//!
//! **Invariant:** a run that is not known to have ended well never gives a report without a failure, an
//! error or a skipped case.

use crate::report::model::{Objective, ObjectiveStatus, Report, StepRow, VerdictState};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The report as JUnit XML.
pub fn render_junit(report: &Report) -> String {
    let run = &report.run;
    let name = run.drill.as_ref().unwrap_or(&run.title);
    let mut suite = TestSuite::new(name);
    suite.set_timestamp(run.started_at);
    suite.set_time(Duration::from_millis(report.waterfall.total_ms));
    for (name, value) in properties(report) {
        suite.add_property((name.as_str(), value.as_str()));
    }
    suite.add_test_case(run_case(report, name));
    suite.add_test_cases(report.steps.iter().map(|step| step_case(step, name)));
    suite.add_test_cases(report.objectives.iter().map(|one| objective_case(report, one, name)));
    junit_document(suite)
}

/// The document with one suite.
///
/// # Panics
/// Never: it is written in memory.
pub fn junit_document(suite: TestSuite) -> String {
    let skipped = suite.disabled;
    let mut document = quick_junit::Report::new("drctl");
    document.add_test_suite(suite);
    let text = document.to_string().expect("a report in memory can be written");
    // Jenkins, GitLab and others count `skipped`; `disabled` is not in their schema. The first place is
    // the suite's own tag: names before it have their quotes escaped.
    let disabled = format!(" disabled=\"{skipped}\"");
    let mut text = text.replacen(&disabled, &format!(" skipped=\"{skipped}\""), 1);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn properties(report: &Report) -> Vec<(String, String)> {
    let run = &report.run;
    let mut properties = vec![
        ("run".to_owned(), run.run.clone()),
        ("title".to_owned(), run.title.clone()),
        ("environment".to_owned(), run.environment.clone()),
        ("account".to_owned(), run.account.clone()),
        ("region".to_owned(), run.region.clone()),
        ("answered_by".to_owned(), run.server.clone()),
        ("simulated".to_owned(), run.simulated.to_string()),
        ("emulated".to_owned(), run.emulated.to_string()),
        (
            "form".to_owned(),
            if run.form.is_empty() { "graceful".to_owned() } else { run.form.clone() },
        ),
        ("headline".to_owned(), report.verdict.headline.clone()),
        ("plan_digest".to_owned(), run.plan_digest.clone()),
        ("journal_digest".to_owned(), run.journal_digest.clone()),
    ];
    for one in &report.objectives {
        let figures = [("promised_ms", one.promised_ms), ("measured_ms", one.measured_ms)];
        for (figure, ms) in figures {
            let name = format!("{}.{figure}", one.name);
            properties.extend(ms.map(|ms| (name, ms.to_string())));
        }
    }
    if let Some(damage) = &report.damage {
        properties.push(("journal_damaged".to_owned(), damage.banner()));
    }
    for part in &report.parts {
        properties.push((format!("verdict.{}", part.name), part.status.name().to_lowercase()));
    }
    properties
}

fn status(kind: NonSuccessKind, of_type: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of_type).set_message(message);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn run_case(report: &Report, suite: &str) -> TestCase {
    let verdict = &report.verdict;
    let outcome = verdict.outcome.as_deref().unwrap_or("unfinished");
    let damage = report.damage.as_ref().map(|damage| damage.banner());
    let status = match (verdict.state, outcome, &damage) {
        (_, _, Some(damage)) => status(NonSuccessKind::Error, "journal_damaged", damage),
        (VerdictState::Finished, "succeeded" | "warned", None) => TestCaseStatus::success(),
        (VerdictState::Finished, _, None) => {
            status(NonSuccessKind::Failure, outcome, &verdict.headline)
        }
        (VerdictState::Interrupted | VerdictState::Unfinished, _, None) => {
            status(NonSuccessKind::Error, "unfinished", &verdict.headline)
        }
    };
    let mut case = TestCase::new("the run ended well", status);
    case.set_classname(format!("{suite}.run"));
    case.set_time(Duration::ZERO);
    case
}

fn step_case(step: &StepRow, suite: &str) -> TestCase {
    let why = step.why.as_deref().unwrap_or("no reason recorded");
    let kind = step.error_kind.as_deref().unwrap_or("unknown");
    let mut status = match step.outcome.as_str() {
        "succeeded" | "warned" => TestCaseStatus::success(),
        "skipped" => skipped(why),
        "pending" => skipped("not reached"),
        "failed" if matches!(kind, "check_failed" | "rejected") => {
            status(NonSuccessKind::Failure, kind, why)
        }
        "failed" => status(NonSuccessKind::Error, kind, why),
        // The failure that made the run take it back is told where it happened.
        "undone" => skipped("it was done and taken back"),
        "undo failed" => status(NonSuccessKind::Error, "undo_failed", why),
        other => status(NonSuccessKind::Error, "unfinished", other),
    };
    if let (Some(help), TestCaseStatus::NonSuccess { .. }) = (&step.help, &status) {
        status.set_description(format!("{why}\nhelp: {help}"));
    }
    let mut case = TestCase::new(format!("{}: {}", step.step, step.title), status);
    case.set_classname(format!("{suite}.{}", step.phase));
    case.set_time(Duration::from_millis(step.duration_ms.unwrap_or(0)));
    if step.outcome == "warned" {
        case.set_system_out(format!("warning: {why}"));
    }
    case
}

fn objective_case(report: &Report, objective: &Objective, suite: &str) -> TestCase {
    let ended = report.verdict.state == VerdictState::Finished;
    let status = match objective.status {
        ObjectiveStatus::Met => TestCaseStatus::success(),
        ObjectiveStatus::Missed => {
            status(NonSuccessKind::Failure, "objective_missed", &objective.why)
        }
        ObjectiveStatus::Unknown if ended => {
            status(NonSuccessKind::Error, "objective_not_proven", &objective.why)
        }
        ObjectiveStatus::Unknown | ObjectiveStatus::NotPromised => skipped(&objective.why),
    };
    let mut case = TestCase::new(objective.name.replace('_', " "), status);
    case.set_classname(format!("{suite}.objectives"));
    case.set_time(Duration::ZERO);
    case
}
