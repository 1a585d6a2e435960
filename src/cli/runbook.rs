//! `drctl runbook …`: chooses the command.
//!
//! **Invariant:** changes nothing.

use crate::cli::args::{OutputForm, RunbookCommand};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::validate;

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
    }
}
