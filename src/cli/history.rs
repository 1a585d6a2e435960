//! `drctl history`: what was measured, drill by drill, and where it goes.
//!
//! **Invariant:** read-only; a journal that cannot be read is listed as damaged; simulated, emulated and
//! real runs are never in one table.

use crate::base::ids::RunId;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::stored;
use crate::cli::reports::FileArgs;
use crate::journal::{RunSummary, list_runs};
use crate::report::{
    DamagedRow, HistoryRow, build, history_row, render_history, render_history_html,
    render_prometheus, trends,
};
use clap::{Args, ValueEnum};
use serde_json::json;

/// `drctl history`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl history                                 every drill: sparkline, change, promise, runs
  drctl history restore-db --limit 100          one drill, further back
  drctl history --format html -o history.html   with charts; one file that needs nothing else
  drctl history --format prometheus --force -o /var/lib/node_exporter/drctl.prom

Everything is read from the journals, also those of older versions. Simulated, emulated and real runs
are kept apart; a journal that cannot be read is listed as damaged.")]
pub(super) struct HistoryArgs {
    /// Only this drill or runbook.
    pub name: Option<String>,
    /// How many, newest first.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Form of the history; `--output json` is the same as `--format json`.
    #[arg(long, value_enum, default_value_t = HistoryForm::Text)]
    pub format: HistoryForm,
    #[command(flatten)]
    pub target: FileArgs,
}

/// Forms of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HistoryForm {
    /// For a terminal of 80 columns.
    Text,
    /// One self-contained HTML file with charts.
    Html,
    /// JSON.
    Json,
    /// Gauges of each drill's newest run, for the textfile collector of Prometheus.
    Prometheus,
}

/// `drctl history`.
///
/// # Errors
/// The file cannot be written. Journals that cannot be read are no error: they are listed.
pub(super) fn history(
    tools: &Tools,
    args: &HistoryArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.run.cmp(&a.run));
    runs.retain(|run| run.finished_at.is_some() || run.problem.is_some());
    if let Some(name) = &args.name {
        // What a damaged journal was of may not be known: it is listed in any case.
        let is = |run: &RunSummary| run.drill.as_ref() == Some(name) || run.title == *name;
        runs.retain(|run| is(run) || (run.problem.is_some() && run.title.is_empty()));
    }
    let (mut rows, mut damaged) = (Vec::new(), Vec::new());
    for run in runs {
        if rows.len() == args.limit && run.problem.is_none() {
            continue;
        }
        match row(tools, &run) {
            Ok(row) => rows.push(row),
            Err(problem) => damaged.push(DamagedRow { run: run.run, problem }),
        }
    }
    let text = match (args.format, output) {
        (HistoryForm::Json, _) | (HistoryForm::Text, OutputForm::Json) => {
            let document = json!({
                "schema_version": 1, "runs": rows, "trends": trends(&rows), "damaged": damaged,
            });
            serde_json::to_string_pretty(&document).expect("plain data") + "\n"
        }
        (HistoryForm::Prometheus, _) => render_prometheus(&rows, &damaged),
        (HistoryForm::Html, _) => render_history_html(&rows, &damaged),
        (HistoryForm::Text, OutputForm::Text) if rows.is_empty() && damaged.is_empty() => {
            format!("no finished runs in {}\n", tools.state.root().display())
        }
        (HistoryForm::Text, OutputForm::Text) => render_history(&rows, &damaged),
    };
    if output == OutputForm::Text && args.format == HistoryForm::Text {
        for row in &damaged {
            out::progress(&format!("run {} is not readable; it is listed as damaged", row.run));
        }
    }
    args.target.write(&text)?;
    Ok(Exit::Ok)
}

/// The row of one run; why its journal cannot be read, if it cannot.
pub(super) fn row(tools: &Tools, run: &RunSummary) -> Result<HistoryRow, String> {
    if let Some(problem) = &run.problem {
        return Err(problem.clone());
    }
    let id = RunId::parse(&run.run).ok_or_else(|| "its name is no run id".to_owned())?;
    let records = stored(&tools.state, &id).map_err(|error| error.to_string())?;
    build(&records).map(|report| history_row(&report)).map_err(|error| error.to_string())
}
