//! Reports: written by themselves at the end of a run, and `drctl report`.
//!
//! **Invariant:** rendered from the journal alone.

use crate::base::ids::RunId;
use crate::cli::args::{OutputForm, ReportArgs, ReportForm};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{find_run, stored};
use crate::journal::Store;
use crate::journal::event::{ErrorKind, RunOutcome, SkipReason};
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::Plan;
use crate::report::{ObjectiveStatus, Report, build, render_json, render_markdown, render_summary};

/// Writes the reports of a run beside its journal, shows the summary, and says how the run ended.
///
/// # Errors
/// The journal cannot be read back, or the reports cannot be written.
pub(super) fn conclude(
    tools: &Tools,
    plan: &Plan,
    state: &RunState,
    store: &dyn Store,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let report = built(&store.load()?)?;
    let directory = tools.state.run(&plan.run);
    for (name, text) in
        [("report.md", render_markdown(&report)), ("report.json", render_json(&report))]
    {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| {
            CommandError::new(Exit::Journal, format!("cannot write {}: {error}", path.display()))
                .help(format!("the journal is complete: `drctl report {}` renders it", plan.run))
        })?;
    }
    match output {
        OutputForm::Text => out::result(&render_summary(&report)),
        OutputForm::Json => out::result(&render_json(&report)),
    }
    if state.finished.is_none() {
        out::progress(&format!("the run can be resumed: drctl resume {}", plan.run));
    }
    out::progress(&format!("report: {}", directory.join("report.md").display()));
    Ok(exit_of(plan, state, &report))
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
            )
        )
    });
    if kind(ErrorKind::Guard) {
        Exit::Refused
    } else if outcome == RunOutcome::Aborted {
        Exit::Rejected
    } else if failed
        .iter()
        .any(|step| step.always || state.steps[&step.key].status == StepStatus::UndoFailed)
    {
        Exit::CleanupFailed
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
/// There is no such run, or its journal cannot be read.
pub(super) fn report(
    tools: &Tools,
    args: &ReportArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let run: RunId = find_run(&tools.state, &args.run)?;
    let report = built(&stored(&tools.state, &run)?)?;
    match (args.format, output) {
        (ReportForm::Json, _) | (_, OutputForm::Json) => out::result(&render_json(&report)),
        (ReportForm::Md, OutputForm::Text) => out::result(&render_markdown(&report)),
    }
    Ok(Exit::Ok)
}
