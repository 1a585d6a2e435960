//! `drctl s3`: buckets and their replicas.
//!
//! **Invariant:** what only looks opens a session that can only read; what changes something goes through
//! a plan, a person's word and the journal as every run does.

mod canary;
mod check_config;
mod compare;
mod place;
mod rollback;
mod rollback_report;
mod session;

pub(super) use canary::CanaryArgs;
pub(super) use check_config::CheckConfigArgs;
pub(super) use compare::CompareArgs;
pub(super) use place::BucketName;
pub(super) use rollback::RollbackArgs;
pub(super) use session::SessionArgs;

use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::main::block_on;
use clap::Subcommand;

/// `drctl s3`
#[derive(Debug, Subcommand)]
pub(super) enum S3Command {
    /// Tell which objects of one bucket are not in another, or differ, and since when. Changes nothing.
    Compare(CompareArgs),
    /// Look whether a bucket is replicated, and whether its copies are safe. Changes nothing.
    CheckConfig(CheckConfigArgs),
    /// Measure how long a copy takes, with objects of drctl's own that are removed again. Shows a plan first,
    /// asks, keeps a journal.
    Canary(Box<CanaryArgs>),
    /// Bring objects back to how they were at an instant, by copying the versions of then on top. Destroys
    /// no version; shows a plan first, asks, keeps a journal.
    Rollback(Box<RollbackArgs>),
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
        S3Command::CheckConfig(args) => check_config::run(tools, args, output),
        S3Command::Canary(args) => {
            let prepared = canary::prepare(tools, args, output)?;
            block_on(prepared.time()?, canary::run(tools, prepared))
        }
        S3Command::Rollback(args) => match (&args.of, &args.report) {
            (Some(run), Some(path)) => rollback::report_of(tools, args, (run, path)),
            _ => {
                let prepared = rollback::prepare(tools, args, output)?;
                block_on(prepared.time()?, rollback::run(tools, prepared, args))
            }
        },
    }
}
