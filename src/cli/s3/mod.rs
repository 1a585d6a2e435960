//! `drctl s3`: buckets and their replicas.
//!
//! **Invariant:** what only looks opens a session that can only read; what changes something goes through
//! a plan, a person's word and the journal as every run does.

mod compare;
mod place;
mod session;

pub(super) use compare::CompareArgs;
pub(super) use place::BucketName;
pub(super) use session::{S3Session, SessionArgs};

use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use clap::Subcommand;

/// `drctl s3`
#[derive(Debug, Subcommand)]
pub(super) enum S3Command {
    /// Tell which objects of one bucket are not in another, or differ, and since when. Changes nothing.
    Compare(CompareArgs),
}

/// Runs one of the commands.
///
/// # Errors
/// As the command says.
pub(super) fn run(
    tools: &Tools,
    command: &S3Command,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    match command {
        S3Command::Compare(args) => compare::run(tools, args, output),
    }
}
