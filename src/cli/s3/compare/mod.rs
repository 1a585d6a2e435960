//! `drctl s3 compare`: which objects of one bucket are not in another, or differ, and since when.
//!
//! **Invariant:** changes nothing; what was not looked at is not called equal.

mod inventory;
mod lines;
mod progress;
mod report;

use super::session::{Place, S3Session};
use super::{BucketName, SessionArgs};
use crate::base::clock::parse_instant;
use crate::base::duration;
use crate::cli::args::{OutputForm, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::main::block_on_cores;
use crate::cli::out;
use crate::cloud::compare::{
    CheckpointError, Class, CompareError, CompareOptions, Comparison, Ground, Identity, Keeper,
    Totals,
};
use crate::cloud::{CloudError, Overlay};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use lines::Lines;
use progress::{Ended, Ticker};
use report::Compared;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `drctl s3 compare`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing differs but what is on its way or nobody's to copy; 10 \
    objects differ; 11 --max-recovery-point\nis missed; 13 interrupted, the same command with the same \
    --checkpoint goes on; 2 no such bucket; 18 no access.\nKeys in lists are relative to the prefixes. \
    What differs is looked at again before it is told.\n\nExamples:\n  drctl s3 compare s3://data \
    s3://data-replica\n  drctl s3 compare documents documents_west --env production \
    --max-recovery-point 15m\n  drctl s3 compare s3://data s3://data-replica --format jsonl > \
    differences.jsonl"
)]
pub(in crate::cli) struct CompareArgs {
    /// The bucket that is replicated: s3://bucket/prefix, or its key in the estate.
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The bucket that should be like it.
    #[arg(value_name = "DESTINATION")]
    pub destination: String,
    /// Compare S3 Inventories instead of lists: SOURCE and DESTINATION are manifests, files or s3://
    /// addresses.
    #[arg(long, conflicts_with_all = ["env", "sample", "checkpoint", "checksum"])]
    pub inventory: bool,
    #[command(flatten)]
    pub session: SessionArgs,
    /// Compare whole histories: every version and delete marker of each key, by its id.
    #[arg(long, conflicts_with_all = ["inventory", "sample", "checkpoint", "checksum"])]
    pub versions: bool,
    /// Only keys that begin so, behind the prefixes of both sides.
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// Only objects written since then (UTC).
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<String>,
    /// Compare about so many keys, spread over the bucket, instead of all.
    #[arg(long, value_name = "KEYS", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Ask for checksums of contents where ETags do not tell (uploads in parts, KMS).
    #[arg(long)]
    pub checksum: bool,
    /// How long replication may be due before it is overdue.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub pending_after: String,
    /// Fail with exit code 11 when the oldest object that is not at the destination is older.
    #[arg(long, value_name = "DURATION")]
    pub max_recovery_point: Option<String>,
    /// Form of the list of differences: with `text` a report with the first of them; with the others
    /// all of them on standard output, and the report on standard error.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How many differences the report shows.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub show: usize,
    /// Keep in this file how far the comparison is; where it has something, go on from there.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub checkpoint: Option<PathBuf>,
    /// Most requests to one bucket at a time; fewer when it throttles.
    #[arg(long, value_name = "NUMBER", default_value_t = 32,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub concurrency: u64,
    /// Look at so many differences again (HeadObject); those behind are told from the lists.
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000)]
    pub looks: u64,
}

/// Forms of the list of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A report for people (with --output json: one document).
    Text,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated, with a head line.
    Csv,
    /// The symbols of `rclone check --combined`: + - * !
    Combined,
}

/// What is asked, read from the command line.
struct Asked {
    options: CompareOptions,
    max_recovery_point: Option<Duration>,
}

impl CompareArgs {
    fn read(&self) -> Result<Asked, CommandError> {
        let duration = |name: &str, text: &str| {
            duration::parse(text).map_err(|why| {
                CommandError::usage(format!("{name} `{text}` is no duration: {why}"))
            })
        };
        let since = self.since.as_deref().map(|text| {
            parse_instant(text).ok_or_else(|| {
                CommandError::usage(format!("--since `{text}` is no instant"))
                    .help("write it as 2026-03-01T14:05:00Z")
            })
        });
        let max = self.max_recovery_point.as_deref();
        Ok(Asked {
            options: CompareOptions {
                since: since.transpose()?,
                sample: self.sample,
                checksum: self.checksum,
                pending_after: duration("--pending-after", &self.pending_after)?,
                concurrency: usize::try_from(self.concurrency).unwrap_or(1),
                looks: self.looks,
            },
            max_recovery_point: max
                .map(|text| duration("--max-recovery-point", text))
                .transpose()?,
        })
    }

    /// Every option that changes what is found.
    fn identity(&self, place: &str, (source, destination): (&str, &str)) -> Identity {
        let mut identity = Identity::new();
        let mut put = |name: &str, value: &str| identity.insert(name.to_owned(), value.to_owned());
        put("place", place);
        put("source", source);
        put("destination", destination);
        put("pending_after", &self.pending_after);
        put("checksum", if self.checksum { "yes" } else { "no" });
        put("since", self.since.as_deref().unwrap_or("the beginning"));
        identity
    }
}

/// Compares two buckets.
///
/// # Errors
/// A bucket is not there or cannot be listed, or an option is wrong.
pub(super) fn run(
    tools: &Tools,
    args: &CompareArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let asked = args.read()?;
    let place = args.session.place(tools)?;
    if args.inventory {
        return inventory::run(&place, args, &asked, output);
    }
    let name = place.name();
    block_on_cores(place.time(), compare(tools, (place, name), args, asked, output))
}

async fn compare(
    tools: &Tools,
    (place, name): (Place, String),
    args: &CompareArgs,
    asked: Asked,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let session = place.open(tools, &SimulationArgs::default()).await?;
    let ended = compared(&session, &name, args, asked, output).await;
    let kept = session.close();
    let exit = ended?;
    kept.map(|()| exit)
}

async fn compared(
    session: &S3Session,
    name: &str,
    args: &CompareArgs,
    asked: Asked,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let began = session.clock.elapsed();
    let (source, destination) =
        (session.named(&bucket(&args.source)?), session.named(&bucket(&args.destination)?));
    let below = |place: &BucketName| format!("{}{}", place.prefix, args.prefix);
    let prefixes = (below(&source), below(&destination));
    let shown = (
        format!("s3://{}/{}", source.bucket, prefixes.0),
        format!("s3://{}/{}", destination.bucket, prefixes.1),
    );
    if shown.0 == shown.1 {
        return Err(CommandError::usage(format!("{} would be compared with itself", shown.0)));
    }
    let view = session.cloud.view(Overlay::default());
    let named =
        ((source.bucket.as_str(), &*prefixes.0), (destination.bucket.as_str(), &*prefixes.1));
    let ground = view.compare_ground(named.0, named.1).await.map_err(of_bucket)?;
    let head = Head { shown, began, asked: &asked, ground: &ground };
    if args.versions {
        let mut lines = Lines::new(args.format, args.show, output == OutputForm::Json);
        let compared = view.compare_histories(&ground, asked.options.since).await;
        let (totals, sorter) = compared.map_err(|error| of_compare(error, false))?;
        let given = sorter.each(|difference| lines.take(&difference)).map_err(CompareError::from);
        given.map_err(|error| of_compare(error, false))?;
        let mut notes = ground.notes.clone();
        notes.push("keys counted are versions and delete markers".to_owned());
        return Ok(told(session, head, args, (totals, notes, 0), lines, output));
    }
    let comparison = Arc::new(view.compare(&ground, asked.options.clone()));
    let identity = args.identity(name, (&head.shown.0, &head.shown.1));
    let resumed = keep(&comparison, args, identity, session)?;
    let ticker = Ticker::new(Arc::clone(&comparison), session.clock.clone());
    match ticker.watch().await {
        Ended::Done => {}
        Ended::Failed(error) => return Err(of_compare(error, args.checkpoint.is_some())),
        Ended::Interrupted(saved) => return interrupted(saved, args),
    }
    let mut lines = Lines::new(args.format, args.show, output == OutputForm::Json);
    let totals =
        comparison.finish(|difference| lines.take(&difference)).map_err(CompareError::from);
    let totals = totals.map_err(|error| of_compare(error, false))?;
    let throttled = comparison.standing().throttled;
    let notes = notes(&ground.notes, &comparison, resumed);
    Ok(told(session, head, args, (totals, notes, throttled), lines, output))
}

/// What is known of a comparison before its result.
struct Head<'a> {
    shown: (String, String),
    began: Duration,
    asked: &'a Asked,
    ground: &'a Ground,
}

/// Writes what was found; gives what the command ends with.
fn told(
    session: &S3Session,
    head: Head<'_>,
    args: &CompareArgs,
    (totals, notes, throttled): (Totals, Vec<String>, u64),
    mut lines: Lines,
    output: OutputForm,
) -> Exit {
    lines.end();
    let places = &head.ground.places;
    let compared = Compared {
        shown: head.shown,
        labels: (places.0.region.clone(), places.1.region.clone()),
        now: session.clock.now(),
        took: session.clock.elapsed().saturating_sub(head.began),
        sample: args.sample,
        notes,
        throttled,
        max_recovery_point: head.asked.max_recovery_point,
        calls: session.cloud.calls().sent(),
        walls: session.cloud.walls(),
        server: session.cloud.server(),
        totals,
    };
    compared.show(args.format, &lines, output);
    compared.exit()
}

fn notes(
    ground: &[String],
    comparison: &Comparison,
    resumed: Option<DateTime<Utc>>,
) -> Vec<String> {
    let mut notes = ground.to_vec();
    if comparison.was_refused() {
        notes.push(
            "HeadObject is refused: classes are those of the lists; let the role call s3:GetObject"
                .to_owned(),
        );
    }
    if let Some(saved) = resumed {
        let at = crate::base::clock::format_instant(saved);
        notes.push(format!(
            "taken up where a checkpoint of {at} ended: what it had done was not read again"
        ));
    }
    notes
}

fn keep(
    comparison: &Comparison,
    args: &CompareArgs,
    identity: Identity,
    session: &S3Session,
) -> Result<Option<DateTime<Utc>>, CommandError> {
    let Some(path) = &args.checkpoint else { return Ok(None) };
    let opened = Keeper::open(path, identity, session.clock.clone());
    let (keeper, left) = opened.map_err(|error| {
        let exit = match error {
            CheckpointError::Io { .. } => Exit::Journal,
            CheckpointError::Other { .. } | CheckpointError::Damaged { .. } => Exit::Usage,
        };
        CommandError::new(exit, error.to_string())
    })?;
    let saved = left.as_ref().map(|left| {
        DateTime::from_timestamp_millis(left.saved_ms).unwrap_or_else(|| session.clock.now())
    });
    comparison.keep(keeper, left).map_err(|error| of_compare(error.into(), false))?;
    Ok(saved)
}

fn interrupted(saved: std::io::Result<bool>, args: &CompareArgs) -> Result<Exit, CommandError> {
    let what = match (saved, &args.checkpoint) {
        (Ok(_), Some(path)) => {
            format!("stopped; the same command goes on from {}", path.display())
        }
        (Ok(_), None) => "stopped; nothing was kept: --checkpoint FILE would".to_owned(),
        (Err(error), _) => format!("stopped; the checkpoint could not be written: {error}"),
    };
    out::failure(&what);
    Ok(Exit::Waiting)
}

fn bucket(text: &str) -> Result<BucketName, CommandError> {
    text.parse().map_err(|why: String| CommandError::usage(format!("`{text}`: {why}")))
}

/// A bucket that is not there is a wrong command line.
fn of_bucket(error: CloudError) -> CommandError {
    if error.is("NoSuchBucket") {
        return CommandError::usage(error.to_string())
            .help("check the name, and whose account it is in");
    }
    CommandError::from(error)
}

fn of_compare(error: CompareError, kept: bool) -> CommandError {
    let failed = match error {
        CompareError::Cloud(error) => of_bucket(error),
        CompareError::Io(_) => CommandError::new(Exit::Journal, error.to_string()),
    };
    if kept {
        failed.help("what is done is kept: the same command goes on from the checkpoint")
    } else {
        failed
    }
}

/// The age of the oldest object that should be at the destination and is not.
fn recovery_point(totals: &Totals, now: DateTime<Utc>) -> Option<Duration> {
    let (oldest, _) = totals.oldest.as_ref()?;
    let age = now - DateTime::from_timestamp_millis(*oldest)?;
    Some(age.max(TimeDelta::zero()).to_std().unwrap_or_default())
}

/// The classes that occurred, the gravest first.
fn classes(totals: &Totals) -> impl Iterator<Item = (Class, u64)> + '_ {
    Class::ALL.into_iter().map(|class| (class, totals.of(class))).filter(|(_, count)| *count > 0)
}
