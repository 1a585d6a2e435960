//! Shows what the doctor found.
//!
//! **Invariant:** the exit code is that of the worst failure; warnings and unknowns leave it at 0.

use super::{Finding, Patient, State};
use crate::cli::args::OutputForm;
use crate::cli::exit::Exit;
use crate::cli::out;
use serde_json::json;
use std::fmt::Write as _;

/// Shows the findings and tells the exit code.
pub(in crate::cli) fn show(patient: &Patient, findings: &[Finding], output: OutputForm) -> Exit {
    match output {
        OutputForm::Text => out::result(&text(patient, findings)),
        OutputForm::Json => out::result(&as_json(patient, findings)),
    }
    exit(findings)
}

/// The journal's code wins over credentials', as everywhere.
fn exit(findings: &[Finding]) -> Exit {
    let failed: Vec<Exit> = findings
        .iter()
        .filter(|found| found.state == State::Fail)
        .map(|found| found.exit)
        .collect();
    let order = [Exit::Journal, Exit::Credentials, Exit::StepFailed, Exit::Usage];
    order.into_iter().find(|exit| failed.contains(exit)).unwrap_or(Exit::Ok)
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warn => "warn",
        State::Unknown => "unknown",
        State::Fail => "FAIL",
    }
}

fn count(findings: &[Finding], state: State) -> usize {
    findings.iter().filter(|found| found.state == state).count()
}

fn text(patient: &Patient, findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut place = "";
    for found in findings {
        if place != found.place {
            place = &found.place;
            let _ = writeln!(text, "{place}");
        }
        let what = found.what.replace('\n', &format!("\n{:26}", ""));
        let _ = writeln!(text, "  {:<8} {:<16} {what}", word(found.state), found.topic);
        if let Some(help) = &found.help {
            let _ = writeln!(text, "{:28}help: {help}", "");
        }
    }
    if !patient.left_out.is_empty() {
        let names = patient.left_out.join(", ");
        let _ = writeln!(text, "not asked: {names} (name it with --env)");
    }
    let [ok, warn, unknown, fail] =
        [State::Ok, State::Warn, State::Unknown, State::Fail].map(|state| count(findings, state));
    let _ = writeln!(text, "{ok} ok, {warn} to look at, {unknown} unknown, {fail} failed");
    text
}

fn as_json(patient: &Patient, findings: &[Finding]) -> String {
    let one = |found: &Finding| {
        json!({
            "place": found.place,
            "topic": found.topic,
            "state": word(found.state).to_ascii_lowercase(),
            "what": found.what,
            "help": found.help,
        })
    };
    let document = json!({
        "schema_version": 1,
        "estate": patient.estate.name,
        "findings": findings.iter().map(one).collect::<Vec<_>>(),
        "not_asked": patient.left_out,
    });
    format!("{document:#}")
}
