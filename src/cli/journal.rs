//! `drctl journal`: export, verify; push and pull are beside.
//!
//! **Invariant:** what is exported or moved are the stored bytes.

use crate::base::ids::RunId;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::find_run;
use crate::cli::shared::{PullArgs, PushArgs, pull, push};
use crate::journal::Store;
use crate::journal::verify::{Expected, export_jsonl, verify};
use clap::Subcommand;

/// `drctl journal`
#[derive(Debug, Subcommand)]
pub(super) enum JournalCommand {
    /// Write the events as JSON Lines, byte for byte as stored.
    Export {
        /// The run.
        #[arg(default_value = "last")]
        run: String,
    },
    /// Check the digest chain.
    Verify {
        /// The run.
        #[arg(default_value = "last")]
        run: String,
        /// The head that a report printed: proves that nothing was cut off the end.
        #[arg(long, value_name = "DIGEST")]
        expect: Option<String>,
    },
    /// Bring this machine's journals to the team's bucket, byte for byte.
    Push(PushArgs),
    /// Bring journals of the team's bucket to this machine, byte for byte.
    Pull(PullArgs),
}

impl JournalCommand {
    /// Whether it reads a run, wherever its journal is.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Self::Export { .. } | Self::Verify { .. })
    }
}

/// Runs the command.
///
/// # Errors
/// There is no such run, or its journal cannot be read or is not whole (exit code 16).
pub(super) fn run(
    tools: &Tools,
    command: &JournalCommand,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    match command {
        JournalCommand::Export { run } => {
            let run = find_run(&tools.state, run)?;
            let mut bytes = Vec::new();
            export_jsonl(&*tools.journals.look(&tools.state, &run)?, &mut bytes)?;
            out::bytes(&bytes);
            Ok(Exit::Ok)
        }
        JournalCommand::Verify { run, expect } => {
            let run = find_run(&tools.state, run)?;
            check(&*tools.journals.look(&tools.state, &run)?, &run, expect.as_deref(), output)
        }
        JournalCommand::Push(args) => push(tools, args, output),
        JournalCommand::Pull(args) => pull(tools, args, output),
    }
}

/// Checks the chain of a run's journal.
fn check(
    store: &dyn Store,
    run: &RunId,
    expect: Option<&str>,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let report = verify(store, expect)?;
    if let Some((seq, why)) = &report.bad {
        let place = seq.map_or_else(|| "the file".to_owned(), |seq| format!("record {seq}"));
        let message = format!("run {run}: the journal is not whole: {place}: {why}");
        return Err(CommandError::new(Exit::Journal, message)
            .help("keep the file as it is; reports of this run are not evidence"));
    }
    if report.expected == Expected::Missing {
        let message = format!("run {run}: the expected head was never the head of this journal");
        return Err(CommandError::new(Exit::Journal, message)
            .help("records were cut off or replaced since that head was printed"));
    }
    let (count, head) = (report.head.count, report.head.digest.clone());
    match output {
        OutputForm::Text => {
            out::result(&format!("run {run}: {count} records, chain whole, head {head}"))
        }
        OutputForm::Json => {
            let document = serde_json::json!({
                "schema_version": 1, "run": run, "records": count, "head": head, "whole": true,
            });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    Ok(Exit::Ok)
}
