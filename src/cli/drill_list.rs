//! `drctl drill list`.
//!
//! **Invariant:** every drill that has a name is listed, also one that is not valid; how it ended on
//! AWS, on a stand-in and on the simulator are three things.

use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::cli::args::OutputForm;
use crate::cli::error::{CommandError, counted};
use crate::cli::exit::Exit;
use crate::cli::history::row;
use crate::cli::launch::{Tools, environment};
use crate::cli::out;
use crate::cli::project::FileKind;
use crate::journal::{RunSummary, list_runs};
use crate::report::HistoryRow;
use crate::runbook::{Drill, check_drill, load_drill, load_runbook_in};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::time::Duration;

/// Most journals that are read for one drill.
const MOST_RUNS: usize = 50;

/// What answered, in order of how much a run there says.
const KINDS: [&str; 3] = ["real", "emulated", "simulated"];

/// A drill of the list.
struct Listed {
    name: String,
    file: String,
    drill: Option<Drill>,
    problems: Vec<String>,
    /// The newest run of each kind.
    last: [Option<HistoryRow>; 3],
}

/// Runs the command.
///
/// # Errors
/// A file is there and the system refuses to read it.
pub(super) fn run(tools: &Tools, output: OutputForm) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.run.cmp(&a.run));
    let names = tools.project.names(FileKind::Drill).into_iter();
    let listed =
        names.map(|name| listed(tools, name, &runs)).collect::<Result<Vec<_>, CommandError>>()?;
    match output {
        OutputForm::Text => {
            let drills: Vec<String> = listed.iter().map(as_text).collect();
            out::result(&drills.join("\n"));
        }
        OutputForm::Json => {
            let drills: Vec<Json> = listed.iter().map(as_json).collect();
            let document = json!({ "schema_version": 1, "drills": drills });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    Ok(Exit::Ok)
}

fn listed(tools: &Tools, name: String, runs: &[RunSummary]) -> Result<Listed, CommandError> {
    let (file, read) = match tools.project.examine(FileKind::Drill, &name)? {
        Ok(found) => (found.file.clone(), load_drill(&found.file, &found.text)),
        Err(problems) => (problems.file().to_owned(), Err(problems)),
    };
    let (drill, problems) = match read {
        Ok(drill) => {
            let problems = problems(tools, &drill);
            (Some(drill), problems)
        }
        Err(problems) => (None, vec![format!("the file has {}", counted(&problems))]),
    };
    let last = newest(tools, drill.as_ref().map_or(&name, |drill| &drill.name), runs);
    Ok(Listed { name, file, drill, problems, last })
}

/// What keeps the drill from being run, each a sentence fragment.
fn problems(tools: &Tools, drill: &Drill) -> Vec<String> {
    let mut problems = Vec::new();
    match tools.project.read(FileKind::Runbook, &drill.runbook) {
        Err(_) => problems.push(format!("there is no runbook `{}`", drill.runbook)),
        Ok(found) => {
            match load_runbook_in(&found.file, &found.text, &tools.catalogue, &tools.project) {
                Err(found) => {
                    problems.push(format!("runbook `{}` has {}", drill.runbook, counted(&found)));
                }
                Ok((runbook, _)) => {
                    let found = check_drill(drill, &runbook);
                    if found.has_errors() {
                        problems.push(format!("the file has {}", counted(&found)));
                    }
                }
            }
        }
    }
    match tools.estate(&drill.estate) {
        Err(_) => problems.push(format!("estate `{}` is missing or not valid", drill.estate)),
        Ok(estate) => {
            if environment(&estate, &drill.environment).is_err() {
                problems.push(format!(
                    "estate `{}` has no environment `{}`",
                    drill.estate, drill.environment
                ));
            }
        }
    }
    problems
}

/// The newest run of each kind. Journals that cannot be read are `drctl history`'s business.
fn newest(tools: &Tools, name: &str, runs: &[RunSummary]) -> [Option<HistoryRow>; 3] {
    let mut last = [None, None, None];
    let own = runs.iter().filter(|run| run.drill.as_deref() == Some(name));
    for found in own.take(MOST_RUNS).filter_map(|run| row(tools, run).ok()) {
        let kind = match (found.simulated, found.emulated) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        last[kind].get_or_insert(found);
    }
    last
}

fn as_text(it: &Listed) -> String {
    let mut text = format!("{}  {}\n", it.name, it.file);
    let mut line = |name: &str, words: &str| {
        let _ = writeln!(text, "  {name:<10} {words}");
    };
    if let Some(drill) = &it.drill {
        let (runbook, estate, environment) = (&drill.runbook, &drill.estate, &drill.environment);
        line("runs", &format!("{runbook} in {estate}/{environment}"));
        line("schedule", drill.schedule.as_deref().unwrap_or("none"));
        let promises = [
            ("recovery time", drill.objectives.recovery_time),
            ("recovery point", drill.objectives.recovery_point),
        ];
        let promises: Vec<String> = promises
            .into_iter()
            .filter_map(|(name, promise)| Some(format!("{name} {}", human(promise?))))
            .collect();
        let none = "nothing of its own";
        let promises = if promises.is_empty() { none.to_owned() } else { promises.join(", ") };
        line("promises", &promises);
    }
    for (kind, last) in KINDS.iter().zip(&it.last) {
        match last {
            Some(row) => line(kind, &last_words(row)),
            // Stand-ins are for those who work on drctl: who has none need not read about them.
            None if *kind == "emulated" => {}
            None => line(kind, "never run"),
        }
    }
    match it.problems.as_slice() {
        [] => line("valid", "yes"),
        problems => line("valid", &format!("NO: {}", problems.join("; "))),
    }
    text
}

fn last_words(row: &HistoryRow) -> String {
    let at = row.started_at.map(format_instant).unwrap_or_default();
    let figure = |what: &str, millis: Option<u64>| {
        millis
            .map(|it| format!(", {what} {}", human(Duration::from_millis(it))))
            .unwrap_or_default()
    };
    let (time, point) =
        (figure("recovered in", row.recovery_time_ms), figure("lost", row.recovery_point_ms));
    let missed = if row.missed_objectives.is_empty() {
        String::new()
    } else {
        format!(", MISSED {}", row.missed_objectives.join(", "))
    };
    format!("{at} in {}: {}{time}{point}{missed}", row.environment, row.word())
}

fn as_json(it: &Listed) -> Json {
    let drill = it.drill.as_ref();
    let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let objectives = drill.map(|drill| {
        json!({
            "recovery_time_ms": drill.objectives.recovery_time.map(millis),
            "recovery_point_ms": drill.objectives.recovery_point.map(millis),
        })
    });
    let last: serde_json::Map<String, Json> =
        KINDS.iter().zip(&it.last).map(|(kind, row)| ((*kind).to_owned(), json!(row))).collect();
    json!({
        "name": it.name, "file": it.file, "runbook": drill.map(|it| &it.runbook),
        "estate": drill.map(|it| &it.estate), "environment": drill.map(|it| &it.environment),
        "schedule": drill.and_then(|it| it.schedule.as_ref()), "objectives": objectives,
        "last": last, "valid": it.problems.is_empty(), "problems": it.problems,
    })
}
