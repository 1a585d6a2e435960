//! `drctl journal export` and `drctl journal verify`.
//!
//! **Invariant:** read-only; exported bytes are the stored bytes.

use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::find_run;
use crate::journal::SqliteStore;
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
    let (JournalCommand::Export { run } | JournalCommand::Verify { run, .. }) = command;
    let run = find_run(&tools.state, run)?;
    let store = SqliteStore::open_read_only(&tools.state.journal(&run))?;
    match command {
        JournalCommand::Export { .. } => {
            let mut bytes = Vec::new();
            export_jsonl(&store, &mut bytes)?;
            out::bytes(&bytes);
        }
        JournalCommand::Verify { expect, .. } => {
            let report = verify(&store, expect.as_deref())?;
            if let Some((seq, why)) = &report.bad {
                let place =
                    seq.map_or_else(|| "the file".to_owned(), |seq| format!("record {seq}"));
                let message = format!("run {run}: the journal is not whole: {place}: {why}");
                return Err(CommandError::new(Exit::Journal, message)
                    .help("keep the file as it is; reports of this run are not evidence"));
            }
            if report.expected == Expected::Missing {
                let message =
                    format!("run {run}: the expected head was never the head of this journal");
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
        }
    }
    Ok(Exit::Ok)
}
