//! `drctl runbook validate`.
//!
//! **Invariant:** reads files and nothing else; every file is checked, whatever the others have.

use crate::base::diagnostic::{Problems, Severity};
use crate::cli::args::{OutputForm, RunbookCommand};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::project::{FileKind, Found};
use crate::runbook::{load_drill, load_runbook};
use serde_json::json;

/// Runs the command.
///
/// # Errors
/// A file cannot be read. Problems inside files are the result, with exit code 2.
pub(super) fn run(
    tools: &Tools,
    command: &RunbookCommand,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let RunbookCommand::Validate { files } = command;
    let mut checked = Vec::new();
    for found in chosen(tools, files)? {
        let problems = check(tools, &found);
        checked.push((found.file, problems));
    }
    let bad = checked.iter().any(|(_, problems)| problems.has_errors());
    match output {
        OutputForm::Text => {
            for (file, problems) in &checked {
                if problems.sorted().is_empty() {
                    out::result(&format!("{file}: valid"));
                } else {
                    out::result(&problems.to_string());
                }
            }
        }
        OutputForm::Json => out::result(&as_json(&checked)),
    }
    Ok(if bad { Exit::Usage } else { Exit::Ok })
}

fn chosen(tools: &Tools, files: &[String]) -> Result<Vec<Found>, CommandError> {
    if files.is_empty() {
        let names =
            |kind: FileKind| tools.project.names(kind).into_iter().map(move |name| (kind, name));
        let all =
            names(FileKind::Runbook).chain(names(FileKind::Drill)).chain(names(FileKind::Estate));
        return all.map(|(kind, name)| tools.project.read(kind, &name)).collect();
    }
    files.iter().map(|name| tools.project.read(FileKind::Runbook, name)).collect()
}

/// Checks a file by the kind that it says it is; a file that says nothing is read as a runbook.
fn check(tools: &Tools, found: &Found) -> Problems {
    let says =
        |kind: &str| found.text.lines().any(|line| line.trim_end() == format!("kind: {kind}"));
    let outcome = if says("Drill") {
        load_drill(&found.file, &found.text).map(|_| Problems::of(&found.file))
    } else if says("Estate") {
        crate::estate::load(&found.file, &found.text).map(|_| Problems::of(&found.file))
    } else {
        load_runbook(&found.file, &found.text, &tools.catalogue).map(|(_, warnings)| warnings)
    };
    outcome.unwrap_or_else(|problems| problems)
}

fn as_json(checked: &[(String, Problems)]) -> String {
    let files: Vec<_> = checked
        .iter()
        .map(|(file, problems)| {
            let list: Vec<_> = problems
                .sorted()
                .iter()
                .map(|problem| {
                    let severity = match problem.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                    };
                    json!({
                        "severity": severity, "code": problem.code, "line": problem.span.line,
                        "column": problem.span.column, "start": problem.span.start, "end": problem.span.end,
                        "message": problem.message, "help": problem.help,
                    })
                })
                .collect();
            json!({ "file": file, "valid": !problems.has_errors(), "problems": list })
        })
        .collect();
    let document = json!({ "schema_version": 1, "files": files });
    serde_json::to_string_pretty(&document).expect("plain data")
}
