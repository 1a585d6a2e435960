//! `drctl runbook list`.
//!
//! **Invariant:** every runbook that has a name is listed, also one that is not valid.

use crate::base::diagnostic::{Problems, Severity};
use crate::cli::args::OutputForm;
use crate::cli::error::{CommandError, counted};
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::project::FileKind;
use crate::cli::status::plain_table;
use crate::runbook::{Runbook, load_runbook_in};
use serde_json::{Value as Json, json};

/// A runbook of the list.
struct Listed {
    name: String,
    file: String,
    outcome: Result<(Runbook, Problems), Problems>,
}

/// Runs the command.
///
/// # Errors
/// A file is there and the system refuses to read it.
pub(super) fn run(tools: &Tools, output: OutputForm) -> Result<Exit, CommandError> {
    let names = tools.project.names(FileKind::Runbook).into_iter();
    let listed = names
        .map(|name| {
            let read = tools.project.examine(FileKind::Runbook, &name)?;
            let file =
                read.as_ref().map_or_else(|problems| problems.file(), |it| &it.file).to_owned();
            let outcome = read.and_then(|found| {
                load_runbook_in(&found.file, &found.text, &tools.catalogue, &tools.project)
            });
            Ok(Listed { name, file, outcome })
        })
        .collect::<Result<Vec<_>, CommandError>>()?;
    match output {
        OutputForm::Text => out::result(&as_text(&listed)),
        OutputForm::Json => {
            let runbooks: Vec<Json> = listed.iter().map(as_json).collect();
            let document = json!({ "schema_version": 1, "runbooks": runbooks });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    Ok(Exit::Ok)
}

fn as_text(listed: &[Listed]) -> String {
    let mut table = plain_table(&["runbook", "title", "from", "steps", "params", "valid"]);
    for Listed { name, file, outcome } in listed {
        table.add_row(match outcome {
            Ok((runbook, warnings)) => [
                name.clone(),
                runbook.title.clone(),
                file.clone(),
                runbook.steps.len().to_string(),
                runbook.parameters.len().to_string(),
                if warnings.is_empty() { "yes".to_owned() } else { counted(warnings) },
            ],
            Err(problems) => {
                let state = format!("NO: {}", counted(problems));
                let unknown = || "-".to_owned();
                [name.clone(), unknown(), file.clone(), unknown(), unknown(), state]
            }
        });
    }
    let more = "`drctl runbook show NAME` shows one, `drctl runbook validate NAME` its problems";
    format!("{table}\n\n{more}")
}

fn as_json(it: &Listed) -> Json {
    let problems = match &it.outcome {
        Ok((_, problems)) | Err(problems) => problems,
    };
    let runbook = it.outcome.as_ref().ok().map(|(runbook, _)| runbook);
    json!({
        "name": it.name, "file": it.file, "shipped": it.file.starts_with("(shipped)"),
        "title": runbook.map(|it| &it.title), "steps": runbook.map(|it| it.steps.len()),
        "parameters": runbook.map(|it| it.parameters.len()), "valid": runbook.is_some(),
        "errors": problems.count(Severity::Error), "warnings": problems.count(Severity::Warning),
    })
}
