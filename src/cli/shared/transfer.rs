//! `drctl journal push` and `drctl journal pull`.
//!
//! **Invariant:** bytes and chain are kept and verified on both sides; done again, nothing changes; where
//! both sides have other events, nothing is written.

use crate::base::clock::Clock;
use crate::base::ids::RunId;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::lock::{Lock, holder};
use crate::cli::out;
use crate::cli::past::{find_run, meant};
use crate::cli::shared::{Shared, joined, lost_region_of, place};
use crate::cli::takeup::lease_time;
use crate::journal::chain::Claim;
use crate::journal::{Head, SqliteStore, Store as _, Takeover, list_runs};
use clap::Args;
use serde_json::json;

/// `drctl journal push`
#[derive(Debug, Args)]
pub(in crate::cli) struct PushArgs {
    /// The run: its id, the beginning or end of it, or `last`.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub run: Option<String>,
    /// All runs of this machine.
    #[arg(long)]
    pub all: bool,
    /// Another place than the configured one.
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub to: Option<String>,
}

/// `drctl journal pull`
#[derive(Debug, Args)]
pub(in crate::cli) struct PullArgs {
    /// The run: its id, or the beginning or end of it.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub run: Option<String>,
    /// All runs that are there.
    #[arg(long)]
    pub all: bool,
    /// Another place than the configured one.
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub from: Option<String>,
}

/// What became of one run.
struct Moved {
    run: RunId,
    head: Head,
    /// Events that were not there before.
    new: u64,
}

/// Brings journals of this machine into a bucket.
///
/// # Errors
/// There is no bucket or no such run; somebody works on the run; both sides have other events.
pub(in crate::cli) fn push(
    tools: &Tools,
    args: &PushArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let shared = &there(tools, args.to.as_deref(), "--to")?;
    let runs = match &args.run {
        Some(text) => vec![find_run(&tools.state, text)?],
        None => {
            let runs = list_runs(tools.state.root());
            runs.iter().filter_map(|run| RunId::parse(&run.run)).collect()
        }
    };
    let moved = runs.into_iter().map(|run| push_one(tools, shared, run));
    tell(moved, ("pushed to", shared), output)
}

fn push_one(tools: &Tools, shared: &Shared, run: RunId) -> Result<Moved, CommandError> {
    let path = tools.state.journal(&run);
    // Nobody of this machine may write what is being read.
    let lock = tools.state.run(&run).join("lock");
    let _lock = Lock::take(&lock, &format!("run {run}"), &holder())?;
    let copy = SqliteStore::open_read_only(&path)?;
    let records = copy.load()?;
    if let Some(lost) = lost_region_of(tools, &records)? {
        shared.outlives(&lost)?;
    }
    let mut segments = shared.segments(&run, &tools.state);
    let before = segments.head()?.count;
    let (name, now, ttl) = (holder(), Clock::real().now(), lease_time()?);
    let claim = Claim { holder: &name, now, ttl, takeover: Takeover::IfExpired };
    segments.bring(&records, (claim, copy.place()))?;
    // Read afresh: what is there, and not what was sent.
    let there = shared.segments(&run, &tools.state);
    there.load()?;
    let head = there.head()?;
    Ok(Moved { run, new: head.count.saturating_sub(before), head })
}

/// Brings journals of a bucket into this machine's state directory.
///
/// # Errors
/// There is no bucket or no such run; both sides have other events.
pub(in crate::cli) fn pull(
    tools: &Tools,
    args: &PullArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let shared = &there(tools, args.from.as_deref(), "--from")?;
    let all = shared.runs()?;
    let runs = match args.run.as_deref() {
        None => all,
        Some(text) => match meant(&all, text).as_slice() {
            [run] => vec![(*run).clone()],
            found => {
                let place = shared.bucket.place();
                let message = format!("`{text}` means {} runs in {place}", found.len());
                return Err(CommandError::usage(message).help("give the whole id, or --all"));
            }
        },
    };
    let moved = runs.into_iter().map(|run| pull_one(tools, shared, run));
    tell(moved, ("pulled from", shared), output)
}

fn pull_one(tools: &Tools, shared: &Shared, run: RunId) -> Result<Moved, CommandError> {
    let path = tools.state.journal(&run);
    let count = || SqliteStore::open_read_only(&path).and_then(|copy| copy.head());
    let before = count().map_or(0, |head| head.count);
    let store = joined(shared.segments(&run, &tools.state), &tools.state, &run)?;
    if !store.is_copied() {
        let message = format!("{} cannot be written", path.display());
        return Err(
            CommandError::new(Exit::Journal, message).help("look at the disk, then pull again")
        );
    }
    drop(store);
    let copy = SqliteStore::open_read_only(&path)?;
    copy.load()?;
    let head = copy.head()?;
    Ok(Moved { run, new: head.count.saturating_sub(before), head })
}

/// The place that was named, else the configured one.
fn there(tools: &Tools, named: Option<&str>, option: &str) -> Result<Shared, CommandError> {
    if let Some(text) = named {
        return Shared::open(&place::place(text, option, tools.journals.config.as_ref())?);
    }
    tools.journals.shared()?.cloned().ok_or_else(|| {
        CommandError::usage("no shared journal is configured").help(format!(
            "say which with {option} s3://bucket/prefix, with DRCTL_JOURNAL, or in drctl.yaml"
        ))
    })
}

/// Says what became of each run; the first failure is the command's, after all were tried.
fn tell(
    moved: impl Iterator<Item = Result<Moved, CommandError>>,
    (done, shared): (&str, &Shared),
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let place = shared.bucket.place().to_string();
    let (mut all, mut failed) = (Vec::new(), None);
    for one in moved {
        match one {
            Ok(one) => all.push(one),
            Err(error) if failed.is_none() => failed = Some(error),
            Err(error) => out::failure(&error.to_string()),
        }
    }
    match output {
        OutputForm::Text => {
            for Moved { run, head, new } in &all {
                let what = match new {
                    0 => format!("nothing new, {done} {place} before"),
                    _ => format!("{new} records {done} {place}"),
                };
                let Head { count, digest } = head;
                out::result(&format!(
                    "run {run}: {what}; {count} records, chain whole, head {digest}"
                ));
            }
            if all.is_empty() && failed.is_none() {
                out::result(&format!("no runs to be {done} {place}"));
            }
        }
        OutputForm::Json => {
            let runs: Vec<_> = all
                .iter()
                .map(|one| {
                    json!({
                        "run": one.run, "new": one.new, "records": one.head.count,
                        "head": one.head.digest,
                    })
                })
                .collect();
            let document = json!({ "schema_version": 1, "place": place, "runs": runs });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    failed.map_or(Ok(Exit::Ok), Err)
}
