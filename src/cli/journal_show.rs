//! `drctl journal show`: the events of a run as sentences, also of a damaged journal.
//!
//! **Invariant:** read-only; where a journal is damaged, what is sound is shown and the damage named.

use crate::base::clock::format_instant;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{find_run, salvaged};
use crate::journal::{Damage, Salvaged};
use crate::report::timeline;
use clap::Args;
use serde_json::{Value as Json, json};

/// `drctl journal show`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl journal show               what happened in the last run, event by event
  drctl journal show --from 40     from event 40 on
  drctl journal show 01kf --output json

A damaged journal is shown as far as it is sound, then its first bad event is named (exit code 16).")]
pub(super) struct ShowArgs {
    /// The run.
    #[arg(default_value = "last")]
    pub run: String,
    /// The first event to show.
    #[arg(long, value_name = "SEQUENCE", default_value_t = 1)]
    pub from: u64,
    /// The last event to show.
    #[arg(long, value_name = "SEQUENCE")]
    pub to: Option<u64>,
}

/// Shows the events.
///
/// # Errors
/// There is no such run, nothing of its journal can be read, or it is damaged (exit code 16).
pub(super) fn show(
    tools: &Tools,
    args: &ShowArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let run = find_run(&tools.state, &args.run)?;
    let Salvaged { records, damage } = salvaged(&tools.state, &run)?;
    let last = args.to.unwrap_or(u64::MAX);
    let wanted = |seq: u64| (args.from..=last).contains(&seq);
    let rows = timeline(&records).into_iter().zip(&records).filter(|(row, _)| wanted(row.seq));
    match output {
        OutputForm::Text => {
            let line = |(row, stored): (crate::report::TimelineRow, _)| {
                let stored: &crate::journal::StoredRecord = stored;
                let at = row.at.map_or_else(|| "no time is known".to_owned(), format_instant);
                let step = row.step.map_or_else(String::new, |step| format!("{step}: "));
                format!("{:>6}  {at}  {:<18} {step}{}\n", row.seq, stored.kind, row.text)
            };
            let text: String = rows.map(line).collect();
            out::result(if text.is_empty() { "no such events" } else { &text });
        }
        OutputForm::Json => {
            let events = rows.map(|(row, stored)| {
                json!({
                    "seq": row.seq, "type": stored.kind, "version": stored.version, "at": row.at,
                    "step": row.step, "text": row.text, "digest": stored.digest,
                })
            });
            let document = json!({
                "schema_version": 1, "run": run, "sound": records.len(),
                "events": events.collect::<Vec<_>>(),
                "damage": damage.as_ref().map(damage_json),
            });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    match damage {
        None => Ok(Exit::Ok),
        Some(damage) => Err(damaged(&run.to_string(), &damage)),
    }
}

/// Damage for programs.
pub(super) fn damage_json(damage: &Damage) -> Json {
    json!({ "first_bad": damage.seq, "why": damage.why })
}

/// What is said of a damaged journal.
pub(super) fn damaged(run: &str, damage: &Damage) -> CommandError {
    let place = damage.seq.map_or_else(|| "the file".to_owned(), |seq| format!("record {seq}"));
    let message = format!("run {run}: the journal is not whole: {place}: {}", damage.why);
    CommandError::new(Exit::Journal, message).help(format!(
        "keep the file as it is and put a copy from a backup in its place; `drctl journal show {run}` \
         and `drctl report {run} --damaged` tell what is sound, and are no evidence"
    ))
}
