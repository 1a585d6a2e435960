//! `drctl status` and `drctl history`.
//!
//! **Invariant:** read-only; an unreadable journal is shown with its problem; simulated and real runs are
//! never in one table.

use crate::base::clock::format_instant;
use crate::base::ids::RunId;
use crate::cli::args::{HistoryArgs, OutputForm, StatusArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{find_run, stored};
use crate::cli::progress::{outcome_word, skip_text};
use crate::journal::chain::known;
use crate::journal::fold::{RunState, StepState};
use crate::journal::{RunSummary, list_runs};
use crate::plan::model::Plan;
use crate::report::{build, history_rows, render_history};
use comfy_table::Table;
use serde_json::json;

/// `drctl status`.
///
/// # Errors
/// There is no such run, or its journal cannot be read.
pub(super) fn status(
    tools: &Tools,
    args: &StatusArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    match &args.run {
        Some(run) => one(tools, run, output),
        None => all(tools, output),
    }
}

fn one(tools: &Tools, text: &str, output: OutputForm) -> Result<Exit, CommandError> {
    let run = find_run(&tools.state, text)?;
    let records = known(&stored(&tools.state, &run)?)?;
    let broken = |error: String| CommandError::new(Exit::Journal, format!("run {run}: {error}"));
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    let plan: Plan =
        serde_json::from_value(state.plan.clone()).map_err(|error| broken(error.to_string()))?;
    if output == OutputForm::Json {
        out::result(&status_json(&plan, &state));
        return Ok(Exit::Ok);
    }
    let mut table = plain_table(&["step", "status", "since", "last seen"]);
    for step in &plan.steps {
        let found = &state.steps[&step.key];
        let since = found.finished_at.or(found.started_at).map(format_instant).unwrap_or_default();
        table.add_row([
            step.key.as_str().to_owned(),
            found.status.name().to_owned(),
            since,
            last_seen(found),
        ]);
    }
    let stands = state.finished.map_or_else(
        || match &state.interrupted {
            Some(reason) => format!("stopped ({reason}); `drctl resume {run}`"),
            None => format!("under way, or its process died; `drctl resume {run}` if it did"),
        },
        |outcome| outcome_word(outcome).to_owned(),
    );
    out::result(&format!(
        "run {run}: {}\n{} in {}: {stands}\n{table}",
        plan.title, plan.estate_name, plan.environment.name
    ));
    Ok(Exit::Ok)
}

fn last_seen(step: &StepState) -> String {
    if let Some(error) = &step.error {
        return error.message.clone();
    }
    if let Some(reason) = &step.skip {
        return skip_text(reason);
    }
    step.last_state.clone().unwrap_or_default()
}

fn status_json(plan: &Plan, state: &RunState) -> String {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let found = &state.steps[&step.key];
            json!({
                "step": step.key, "status": found.status.name(), "started_at": found.started_at,
                "finished_at": found.finished_at, "last_seen": last_seen(found),
            })
        })
        .collect();
    let document = json!({
        "schema_version": 1, "run": plan.run, "title": plan.title, "environment": plan.environment.name,
        "simulated": plan.environment.simulated, "outcome": state.finished, "interrupted": state.interrupted,
        "steps": steps,
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

fn all(tools: &Tools, output: OutputForm) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.run.cmp(&a.run));
    if output == OutputForm::Json {
        let list: Vec<_> = runs.iter().map(summary_json).collect();
        let document = json!({ "schema_version": 1, "runs": list });
        out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        out::result(&format!("no runs in {}", tools.state.root().display()));
        return Ok(Exit::Ok);
    }
    let mut table = plain_table(&["run", "what", "where", "started", "steps", "stands"]);
    for run in runs.iter().take(20) {
        table.add_row(summary_row(run));
    }
    out::result(&table.to_string());
    Ok(Exit::Ok)
}

fn summary_row(run: &RunSummary) -> [String; 6] {
    let stands = match (&run.problem, run.outcome) {
        (Some(problem), _) => format!("UNREADABLE: {problem}"),
        (None, Some(outcome)) => outcome_word(outcome).to_owned(),
        (None, None) => "unfinished".to_owned(),
    };
    let simulated = if run.simulated { " (SIMULATED)" } else { "" };
    [
        run.run.clone(),
        run.drill.clone().unwrap_or_else(|| run.title.clone()),
        format!("{}{simulated}", run.environment),
        run.started_at.map(format_instant).unwrap_or_default(),
        format!("{}/{}", run.steps_done, run.steps_total),
        stands,
    ]
}

fn summary_json(run: &RunSummary) -> serde_json::Value {
    json!({
        "run": run.run, "title": run.title, "drill": run.drill, "environment": run.environment,
        "simulated": run.simulated, "started_at": run.started_at, "finished_at": run.finished_at,
        "outcome": run.outcome, "steps_done": run.steps_done, "steps_total": run.steps_total,
        "problem": run.problem,
    })
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    table
}

/// `drctl history`.
///
/// # Errors
/// A journal cannot be read.
pub(super) fn history(
    tools: &Tools,
    args: &HistoryArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.run.cmp(&a.run));
    runs.retain(|run| run.finished_at.is_some() || run.problem.is_some());
    if let Some(name) = &args.name {
        runs.retain(|run| run.drill.as_deref() == Some(name) || run.title == *name);
    }
    runs.truncate(args.limit);
    let reports = runs
        .iter()
        .filter(|run| run.problem.is_none())
        .filter_map(|run| stored(&tools.state, &RunId::parse(&run.run)?).ok())
        .filter_map(|records| build(&records).ok())
        .collect::<Vec<_>>();
    for run in runs.iter().filter(|run| run.problem.is_some()) {
        out::progress(&format!(
            "run {} is not readable: {}",
            run.run,
            run.problem.clone().unwrap_or_default()
        ));
    }
    let rows = history_rows(&reports);
    match output {
        OutputForm::Text if rows.is_empty() => {
            out::result(&format!("no finished runs in {}", tools.state.root().display()));
        }
        OutputForm::Text => out::result(&render_history(&rows)),
        OutputForm::Json => {
            let document = json!({ "schema_version": 1, "runs": rows });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    Ok(Exit::Ok)
}
