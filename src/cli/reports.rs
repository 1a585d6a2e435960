//! Reports: written by themselves at the end of a run, and `drctl report`.
//!
//! **Invariant:** rendered from the journal alone.

use crate::base::ids::RunId;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{find_run, salvaged, stored};
use crate::cli::question::open_questions;
use crate::journal::event::{ErrorKind, RunOutcome, SkipReason};
use crate::journal::fold::{RunState, StepStatus};
use crate::journal::{Salvaged, Store};
use crate::plan::model::Plan;
use crate::report::{
    ObjectiveStatus, Report, build, build_salvaged, render_html, render_json, render_junit,
    render_markdown, render_summary,
};
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// `drctl report`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl report                                      the last run, as Markdown
  drctl report last --format html -o report.html    one file that needs nothing else and prints
  drctl report 01kf --format junit -o junit.xml     for continuous integration

Reports are made from the journal alone, so they can be made again at any time, also of runs by older
versions. JUnit: a check that found something wrong and a missed objective are failures; what could
not be judged is an error; what did not run is skipped.")]
pub(super) struct ReportArgs {
    /// The run: its id, the beginning or end of it, or `last`.
    #[arg(default_value = "last")]
    pub run: String,
    /// Also of a damaged journal: what is sound of it, marked as damaged everywhere (exit code 16).
    #[arg(long)]
    pub damaged: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = ReportForm::Md)]
    pub format: ReportForm,
    #[command(flatten)]
    pub target: FileArgs,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportForm {
    /// Markdown.
    Md,
    /// One self-contained HTML file: no scripts, nothing is fetched, prints on A4.
    Html,
    /// JSON.
    Json,
    /// JUnit XML.
    Junit,
}

/// Where a document goes.
#[derive(Debug, Clone, Args)]
pub(super) struct FileArgs {
    /// Write to this file, which must not exist yet; `-` is standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// Overwrite the file if it exists.
    #[arg(long)]
    pub force: bool,
}

impl FileArgs {
    /// Writes a document where it was asked for.
    ///
    /// # Errors
    /// The file exists and may not be overwritten, or cannot be written.
    pub(super) fn write(&self, text: &str) -> Result<(), CommandError> {
        if self.file == Path::new("-") {
            out::result(text);
            return Ok(());
        }
        let path = self.file.display();
        let mut options = std::fs::File::options();
        options.write(true);
        if self.force {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        let written = options.open(&self.file).and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => {
                out::progress(&format!("written: {path}"));
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(CommandError::usage(format!("{path} exists already; nothing was written"))
                    .help("--force overwrites it"))
            }
            Err(error) => Err(CommandError::usage(format!("cannot write {path}: {error}"))),
        }
    }
}

/// Writes the reports of a run beside its journal, shows the summary (without `output` one line of it, on
/// standard error), and says how the run ended.
///
/// # Errors
/// The journal cannot be read back, or the reports cannot be written.
pub(super) fn conclude(
    tools: &Tools,
    plan: &Plan,
    state: &RunState,
    store: &dyn Store,
    output: Option<OutputForm>,
) -> Result<Exit, CommandError> {
    let report = built(&store.load()?)?;
    let directory = tools.state.run(&plan.run);
    for (name, text) in [
        ("report.md", render_markdown(&report)),
        ("report.json", render_json(&report)),
        ("report.html", render_html(&report)),
    ] {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| {
            CommandError::new(Exit::Journal, format!("cannot write {}: {error}", path.display()))
                .help(format!("the journal is complete: `drctl report {}` renders it", plan.run))
        })?;
    }
    match output {
        Some(OutputForm::Text) => out::prose(&render_summary(&report)),
        Some(OutputForm::Json) => out::result(&render_json(&report)),
        None => out::progress(&report.verdict.headline),
    }
    out::progress(open_questions(plan, state, false).trim_end());
    if state.finished.is_none() {
        out::progress(&format!("the run can be resumed: drctl resume {}", plan.run));
    }
    out::progress(&format!("report: {}", directory.join("report.md").display()));
    Ok(exit_of(plan, state, &report))
}

/// The report of a run of this state directory.
///
/// # Errors
/// Its journal cannot be read.
pub(super) fn report_of(tools: &Tools, run: &RunId) -> Result<Report, CommandError> {
    built(&stored(&tools.state, run)?)
}

fn built(records: &[crate::journal::StoredRecord]) -> Result<Report, CommandError> {
    build(records).map_err(|error| CommandError::new(Exit::Journal, error.to_string()))
}

/// The exit code of a run; the precedence is documented with [`Exit`].
pub(super) fn exit_of(plan: &Plan, state: &RunState, report: &Report) -> Exit {
    let Some(outcome) = state.finished else {
        let credentials = state.interrupted.as_deref() == Some("credentials");
        return if credentials { Exit::Credentials } else { Exit::Waiting };
    };
    let failed: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| {
            matches!(state.steps[&step.key].status, StepStatus::Failed | StepStatus::UndoFailed)
        })
        .collect();
    let kind = |kind: ErrorKind| {
        failed.iter().any(|step| {
            state.steps[&step.key].error.as_ref().is_some_and(|error| error.kind == kind)
        })
    };
    let missed =
        report.objectives.iter().any(|objective| objective.status == ObjectiveStatus::Missed);
    let wanting = state.steps.values().any(|step| {
        matches!(
            step.skip,
            Some(
                SkipReason::Upstream { .. }
                    | SkipReason::Stopped { .. }
                    | SkipReason::Operator { .. }
                    | SkipReason::Aborted { .. }
            )
        )
    });
    let cleanup = failed.iter().any(|step| step.always);
    let undo = failed.iter().any(|step| state.steps[&step.key].status == StepStatus::UndoFailed);
    if kind(ErrorKind::Guard) {
        Exit::Refused
    } else if cleanup {
        Exit::CleanupFailed
    } else if undo {
        Exit::UndoFailed
    } else if outcome == RunOutcome::Aborted {
        Exit::Rejected
    } else if !failed.is_empty() || matches!(outcome, RunOutcome::Failed | RunOutcome::Undone) {
        Exit::StepFailed
    } else if missed {
        Exit::ObjectiveMissed
    } else if wanting {
        Exit::CompletedWithSkips
    } else {
        Exit::Ok
    }
}

/// `drctl report`.
///
/// # Errors
/// There is no such run, its journal cannot be read, or the file cannot be written.
pub(super) fn report(
    tools: &Tools,
    args: &ReportArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let run: RunId = find_run(&tools.state, &args.run)?;
    let salvaged = if args.damaged {
        salvaged(&tools.state, &run)?
    } else {
        Salvaged { records: stored(&tools.state, &run)?, damage: None }
    };
    let report = build_salvaged(&salvaged)
        .map_err(|error| CommandError::new(Exit::Journal, format!("run {run}: {error}")))?;
    let text = match (args.format, output) {
        (ReportForm::Json, _) | (ReportForm::Md, OutputForm::Json) => render_json(&report),
        (ReportForm::Md, OutputForm::Text) => render_markdown(&report),
        (ReportForm::Html, _) => render_html(&report),
        (ReportForm::Junit, _) => render_junit(&report),
    };
    args.target.write(&text)?;
    Ok(if report.damage.is_some() { Exit::Journal } else { Exit::Ok })
}
