//! `drctl runbook validate`.
//!
//! **Invariant:** reads files and nothing else; every file is checked, whatever the others have.

use crate::base::diagnostic::{Problem, Problems, Severity, Shown, draw};
use crate::base::redact::redact;
use crate::cli::args::OutputForm;
use crate::cli::config;
use crate::cli::error::{CommandError, counted};
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::project::{FileKind, Found};
use crate::runbook::{
    Drill, Unusable, check_drill, check_drill_environment, check_drill_faults, check_drill_values,
    check_file_name, load_drill, load_runbook_in, unusable_reference,
};
use clap::Args;
use serde_json::{Value as Json, json};
use std::path::Path;

/// `drctl runbook validate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl runbook validate                           all files of the project
  drctl runbook validate restore-db                one runbook, by its name
  drctl runbook validate drills/*.yaml --deny-warnings
  drctl runbook validate --output json FILE        for editors: ranges, codes, replacements

Exit codes: 0 valid, 2 not. `drctl explain CODE` says what a code means.")]
pub(super) struct ValidateArgs {
    /// Runbook, drill, estate or configuration files, or names of runbooks; all of the project's when
    /// none is given.
    pub files: Vec<String>,
    /// Exit with 2 also when there are only warnings.
    #[arg(long)]
    pub deny_warnings: bool,
}

/// One file and what was found in it.
struct Checked {
    file: String,
    problems: Problems,
}

/// Runs the command.
///
/// # Errors
/// A file is not there. Problems inside files are the result, with exit code 2.
pub(super) fn run(
    tools: &Tools,
    args: &ValidateArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let checked = chosen(tools, &args.files)?
        .into_iter()
        .map(|read| match read {
            Ok(found) => Checked { problems: check(tools, &found), file: found.file },
            Err(problems) => Checked { file: problems.file().to_owned(), problems },
        })
        .collect::<Vec<_>>();
    match output {
        OutputForm::Text => checked.iter().for_each(show),
        OutputForm::Json => out::result(&as_json(&checked)),
    }
    let denied =
        |it: &Checked| it.problems.has_errors() || args.deny_warnings && !it.problems.is_empty();
    Ok(if checked.iter().any(denied) { Exit::Usage } else { Exit::Ok })
}

type Read = Result<Found, Problems>;

fn chosen(tools: &Tools, files: &[String]) -> Result<Vec<Read>, CommandError> {
    let project = &tools.project;
    if !files.is_empty() {
        return files.iter().map(|name| project.examine(FileKind::Runbook, name)).collect();
    }
    let kinds = [FileKind::Runbook, FileKind::Drill, FileKind::Estate];
    let names = kinds
        .into_iter()
        .flat_map(|kind| project.names(kind).into_iter().map(move |it| (kind, it)));
    let mut all: Vec<Read> =
        names.map(|(kind, name)| project.examine(kind, &name)).collect::<Result<_, _>>()?;
    let configuration = project.root().join("drctl.yaml");
    if configuration.exists() {
        all.push(project.examine(FileKind::Runbook, &configuration.display().to_string())?);
    }
    Ok(all)
}

/// Checks a file by the kind that it says it is; a file that says nothing is read as a runbook.
fn check(tools: &Tools, found: &Found) -> Problems {
    let Found { file, text } = found;
    let none = || Problems::in_text(file, text);
    let outcome = match kind_of(text) {
        Some("Drill") => load_drill(file, text).map(|drill| check_referred(tools, &drill)),
        Some("Estate") => crate::estate::load(file, text).map(|_| none()),
        Some("Config") => config::load(Path::new("."), file, text).map(|_| none()),
        _ => load_runbook_in(file, text, &tools.catalogue, &tools.project)
            .map(|(_, warnings)| warnings),
    };
    let mut problems = outcome.unwrap_or_else(|problems| problems);
    let kind = match kind_of(text) {
        Some("Drill") => FileKind::Drill,
        Some("Estate") => FileKind::Estate,
        _ => FileKind::Runbook,
    };
    if tools.project.finds(kind, Path::new(file)) {
        problems.append(check_file_name(file, text));
    }
    problems
}

/// Checks a drill with its runbook, its estate and its environment; what one of them lacks does not
/// keep the others from being checked.
fn check_referred(tools: &Tools, drill: &Drill) -> Problems {
    let mut problems = Problems::in_text(&drill.file, &drill.text);
    let runbook = referred(tools, FileKind::Runbook, &drill.runbook, |it| {
        load_runbook_in(&it.file, &it.text, &tools.catalogue, &tools.project)
            .map(|(runbook, _)| runbook)
    });
    match &runbook {
        Ok(runbook) => problems.append(check_drill(drill, runbook)),
        Err(why) => problems.append(unusable_reference(drill, "runbook", why)),
    }
    let load = |it: &Found| crate::estate::load(&it.file, &it.text);
    let estate = match referred(tools, FileKind::Estate, &drill.estate, load) {
        Ok(estate) => estate,
        Err(why) => {
            problems.append(unusable_reference(drill, "estate", &why));
            return problems;
        }
    };
    problems.append(check_drill_environment(drill, &estate));
    let Some(environment) = estate.environments.get(&drill.environment) else { return problems };
    problems.append(check_drill_faults(drill, environment));
    if let Ok(runbook) = &runbook {
        problems.append(check_drill_values(drill, runbook, &estate, environment));
    }
    problems
}

fn referred<T>(
    tools: &Tools,
    kind: FileKind,
    name: &str,
    load: impl Fn(&Found) -> Result<T, Problems>,
) -> Result<T, Unusable> {
    let broken = |problems: Problems| Unusable::Broken(problems.file().to_owned());
    match tools.project.examine(kind, name) {
        Ok(Ok(found)) => load(&found).map_err(broken),
        Ok(Err(problems)) => Err(broken(problems)),
        Err(_) => Err(Unusable::Missing(tools.project.names(kind))),
    }
}

/// What the file's first unindented `kind:` says.
pub(super) fn kind_of(text: &str) -> Option<&str> {
    let value = text.split(['\n', '\r']).find_map(|line| line.strip_prefix("kind:"))?;
    let value = value.split(" #").next().unwrap_or(value).trim();
    Some(value.trim_matches(['"', '\'']))
}

fn show(checked: &Checked) {
    let Checked { file, problems } = checked;
    let drawn = redact(&draw(problems, Shown::default()));
    let verdict = match (problems.has_errors(), problems.is_empty()) {
        (true, _) => format!("not valid, {}", counted(problems)),
        (false, false) => format!("valid, {}", counted(problems)),
        (false, true) => "valid".to_owned(),
    };
    out::result(&format!("{drawn}{file}: {verdict}"));
}

fn as_json(checked: &[Checked]) -> String {
    let files: Vec<_> = checked
        .iter()
        .map(|Checked { file, problems }| {
            let list: Vec<_> =
                problems.sorted().into_iter().map(|it| problem_json(problems, it)).collect();
            json!({
                "file": file, "valid": !problems.has_errors(), "problems": list,
                "errors": problems.count(Severity::Error),
                "warnings": problems.count(Severity::Warning),
                "omitted": problems.omitted(),
            })
        })
        .collect();
    let document = json!({ "schema_version": 2, "files": files });
    serde_json::to_string_pretty(&document).expect("plain data")
}

/// Lines and columns count from 1, columns in characters; bytes count from 0, without a byte order
/// mark; ends are exclusive. A problem of the file as a whole has no range.
pub(super) fn problem_json(problems: &Problems, problem: &Problem) -> Json {
    let span = problem.span;
    let (end_line, end_column) = problems.end_of(span);
    let range = json!({
        "start": { "line": span.line, "column": span.column, "byte": span.start },
        "end": { "line": end_line, "column": end_column, "byte": span.end },
    });
    json!({
        "file": problems.file(), "severity": problem.severity.name(), "code": problem.code,
        "message": redact(&problem.message), "help": problem.help.as_deref().map(redact),
        "suggestion": problems.replacement(problem),
        "range": if span.line == 0 { Json::Null } else { range },
    })
}
