//! `drctl drill`.
//!
//! **Invariant:** the environment is the drill file's unless `--env` says otherwise.

use crate::cli::args::{LaunchArgs, OutputForm};
use crate::cli::drill_all::AllArgs;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, launch, tell_warnings};
use crate::cli::project::FileKind;
use crate::plan::model::RunMode;
use crate::runbook::{check_drill, check_drill_faults, load_drill};
use clap::{Args, Subcommand};

/// `drctl drill`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct DrillArgs {
    /// Another work on drills than running one.
    #[command(subcommand)]
    pub command: Option<DrillCommand>,
    /// Name of the drill (drills/NAME.yaml) or path of a drill file.
    #[arg(required = true)]
    pub name: Option<String>,
    /// Another environment than the drill file's.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Keep what the drill creates; it carries an expiry tag.
    #[arg(long)]
    pub keep: bool,
    #[command(flatten)]
    pub launch: LaunchArgs,
}

/// `drctl drill …`
#[derive(Debug, Subcommand)]
pub(super) enum DrillCommand {
    /// List the drills: what they run and promise, how they last ended, whether they are valid.
    /// Changes nothing.
    List,
    /// Run every drill of an estate, one after the other, each in a simulated world of its own, and
    /// show one table: outcome, measured recovery time and point, objectives, verdict, prediction.
    All(AllArgs),
}

/// Reads the drill's files: everything that is decided before an environment is opened.
///
/// # Errors
/// A file is not there or has problems.
pub(super) fn prepare(
    tools: &Tools,
    args: &DrillArgs,
    output: OutputForm,
) -> Result<Launch, CommandError> {
    let name = args.name.as_deref().unwrap_or_default();
    read(tools, name, args.env.as_deref(), args.keep, output)
}

/// The same of the drill called `name`, in the environment `env` if not in that of its file.
///
/// # Errors
/// A file is not there or has problems.
pub(super) fn read(
    tools: &Tools,
    name: &str,
    env: Option<&str>,
    keep: bool,
    output: OutputForm,
) -> Result<Launch, CommandError> {
    let found = tools.project.read(FileKind::Drill, name)?;
    let drill = load_drill(&found.file, &found.text)?;
    let runbook = tools.runbook(&drill.runbook)?;
    let problems = check_drill(&drill, &runbook);
    if problems.has_errors() {
        return Err(problems.into());
    }
    tell_warnings(&problems);
    let estate = tools.estate(&drill.estate)?;
    let place = env.unwrap_or(&drill.environment).to_owned();
    if let Some(environment) = estate.environments.get(&place) {
        let problems = check_drill_faults(&drill, environment);
        if problems.has_errors() {
            return Err(problems.into());
        }
    }
    Ok(Launch {
        runbook,
        estate,
        environment: place,
        mode: RunMode::Drill { name: drill.name.clone(), keep },
        parameters: drill.parameters.clone(),
        objectives: drill.objectives,
        form: drill.form,
        alarm: drill.alarm,
        notify: drill.notify,
        faults: drill.faults,
        output,
    })
}

/// Plans and runs.
///
/// # Errors
/// See [`launch`].
pub(super) async fn run(
    tools: &Tools,
    prepared: Launch,
    args: &DrillArgs,
) -> Result<Exit, CommandError> {
    launch(tools, prepared, &args.launch).await
}
