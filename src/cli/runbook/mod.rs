//! `drctl runbook …`: chooses the command.
//!
//! **Invariant:** changes nothing but the file that `--out` names.

mod doc;
mod graph;
mod lint;
mod list;
mod schema;
mod show;

pub(super) use doc::DocArgs;
pub(super) use graph::GraphArgs;
pub(super) use lint::LintArgs;
pub(super) use schema::{SchemaArgs, SchemaKind};
pub(super) use show::NameArgs;

use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::project::{FileKind, Found};
use crate::cli::validate::{self, ValidateArgs};
use crate::runbook::{Drill, Runbook, load_drill};
use clap::Subcommand;

/// `drctl runbook`
#[derive(Debug, Subcommand)]
pub(super) enum RunbookCommand {
    /// Check files and report all their problems, each drawn where it stands.
    Validate(ValidateArgs),
    /// Judge the order of steps and their regions, and with --assume-lost whether the way leads around a
    /// region that is lost.
    Lint(LintArgs),
    /// List the project's and the shipped runbooks: steps, parameters, whether they are valid.
    List,
    /// Show a runbook: what it is for, its parameters, its steps, which drills use it.
    Show(NameArgs),
    /// Draw a runbook's steps with the critical path: as text, DOT, Mermaid or SVG.
    Graph(GraphArgs),
    /// Write what a person does by hand on the day that drctl is down, with the commands.
    Doc(DocArgs),
    /// Write the JSON Schema that editors check files against.
    Schema(SchemaArgs),
}

/// Runs the command.
///
/// # Errors
/// See each command.
pub(super) fn run(
    tools: &Tools,
    command: &RunbookCommand,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    match command {
        RunbookCommand::Validate(args) => validate::run(tools, args, output),
        RunbookCommand::Lint(args) => lint::run(tools, args, output),
        RunbookCommand::List => list::run(tools, output),
        RunbookCommand::Show(args) => show::run(tools, args, output),
        RunbookCommand::Graph(args) => graph::run(tools, args, output),
        RunbookCommand::Doc(args) => doc::run(tools, args),
        RunbookCommand::Schema(args) => schema::run(tools, args),
    }
}

/// Reads and checks the runbook called `name`; a drill in its place is told apart.
///
/// # Errors
/// It is not there, is a drill, or has problems.
fn read_runbook(tools: &Tools, name: &str) -> Result<Runbook, CommandError> {
    let found = tools.project.read(FileKind::Runbook, name)?;
    if validate::kind_of(&found.text) == Some("Drill") {
        let error = CommandError::usage(format!("{} is a drill, not a runbook", found.file));
        return Err(match load_drill(&found.file, &found.text) {
            Ok(drill) => error.help(format!("its runbook is `{}`", drill.runbook)),
            Err(_) => error.help("give the name of a runbook: `drctl runbook list` shows them"),
        });
    }
    tools.runbook(name)
}

/// The drills that can be read, in order of their names. What is wrong with the others is said by
/// `drctl drill list`.
fn readable_drills(tools: &Tools) -> Vec<Drill> {
    let names = tools.project.names(FileKind::Drill).into_iter();
    let read = |name: String| -> Option<Found> {
        tools.project.examine(FileKind::Drill, &name).ok()?.ok()
    };
    names.filter_map(read).filter_map(|it| load_drill(&it.file, &it.text).ok()).collect()
}
