//! `drctl journal`: export, verify; `show`, `push` and `pull` have files of their own.
//!
//! **Invariant:** what is exported or moved are the stored bytes.

use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::journal_show::{ShowArgs, damage_json, damaged, show};
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{find_run, salvaged};
use crate::cli::shared::{PullArgs, PushArgs, pull, push};
use crate::journal::Damage;
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
    /// Show what happened, event by event; of a damaged journal what is sound, and the first bad event.
    Show(ShowArgs),
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
        matches!(self, Self::Export { .. } | Self::Show(_) | Self::Verify { .. })
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
    let run = match command {
        JournalCommand::Export { run } | JournalCommand::Verify { run, .. } => run,
        JournalCommand::Show(args) => return show(tools, args, output),
        JournalCommand::Push(args) => return push(tools, args, output),
        JournalCommand::Pull(args) => return pull(tools, args, output),
    };
    let run = find_run(&tools.state, run)?;
    salvaged(&tools.state, &run)?;
    let store = tools.journals.look(&tools.state, &run)?;
    match command {
        JournalCommand::Show(_) | JournalCommand::Push(_) | JournalCommand::Pull(_) => {}
        JournalCommand::Export { .. } => {
            let mut bytes = Vec::new();
            export_jsonl(&*store, &mut bytes)?;
            out::bytes(&bytes);
        }
        JournalCommand::Verify { expect, .. } => {
            let report = verify(&*store, expect.as_deref())?;
            if let Some((seq, why)) = report.bad {
                let damage = Damage { seq, why };
                if output == OutputForm::Json {
                    let document = serde_json::json!({
                        "schema_version": 1, "run": run, "records": report.sound, "whole": false,
                        "damage": damage_json(&damage),
                    });
                    out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
                }
                return Err(damaged(run.as_str(), &damage));
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
