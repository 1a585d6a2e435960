//! `drctl s3 rollback`: objects of a bucket as they were at an instant.
//!
//! **Invariant:** it runs the shipped runbook `s3-rollback` as `drctl run` would: planned first, agreed to,
//! in a journal, resumable. What is written into a report file is read from the bucket, after the run.

use super::BucketName;
use super::rollback_report::{self as report, Source};
use crate::base::clock::{format_instant, parse_instant};
use crate::base::value::Value;
use crate::cli::args::{EstateArg, LaunchArgs, OutputForm, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, environment, planned};
use crate::cli::main::{Time, block_on, time_of};
use crate::cli::out;
use crate::cli::project::FileKind;
use crate::cli::session::{Session, Since};
use crate::cli::shipped::shipped;
use crate::estate::{Estate, Objectives};
use crate::plan::model::RunMode;
use crate::runbook::{Given, Runbook, load_runbook_in};
use chrono::{DateTime, NaiveDateTime, Utc};
use clap::Args;
use std::path::{Path, PathBuf};

/// The runbook, and where the program has it.
const RUNBOOK: &str = "s3-rollback";

/// `drctl s3 rollback`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl s3 rollback documents --to 2026-03-01T14:05:00Z --env production --dry-run
  drctl s3 rollback documents --prefix clients/ --to 2026-03-01T14:05:00Z --env production
  drctl s3 rollback --of last --report objects.jsonl

What was written within the second of --to counts as before it. No version is destroyed; to take a
roll-back back, roll back to the instant of its plan, which its report names.")]
pub(in crate::cli) struct RollbackArgs {
    /// The bucket: its key in the estate, its name, or s3://bucket/prefix.
    #[arg(value_name = "BUCKET", required_unless_present = "of")]
    pub bucket: Option<BucketName>,
    /// Only keys that begin so.
    #[arg(long, value_name = "PREFIX", conflicts_with = "key", allow_hyphen_values = true)]
    pub prefix: Option<String>,
    /// Only this key.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub key: Option<String>,
    /// The instant, with its zone: 2026-03-01T14:05:00Z.
    #[arg(long, value_name = "INSTANT", required_unless_present = "of")]
    pub to: Option<String>,
    /// Remove delete markers by their version id where that suffices, in place of a copy on top. A
    /// roll-back that takes this one back does not put them back.
    #[arg(long)]
    pub remove_markers: bool,
    /// Delete keys too of which nobody knows whether they existed then, because versions expire.
    #[arg(long)]
    pub delete_uncertain: bool,
    /// Write how every object stands, as JSON Lines read from the bucket, into this new file.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Only write the report of an earlier roll-back: its run, or `last`. Changes nothing.
    #[arg(
        long,
        value_name = "RUN",
        requires = "report",
        conflicts_with_all = ["bucket", "prefix", "key", "to", "remove_markers", "delete_uncertain",
                              "env", "dry_run", "plan_file", "yes", "wait", "region"]
    )]
    pub of: Option<String>,
    /// Region of the bucket, where the estate does not say it.
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    #[command(flatten)]
    pub estate: EstateArg,
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME", required_unless_present = "of")]
    pub env: Option<String>,
    /// Show what would happen to how many objects, and prove that nothing did.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: store the plan here, to run it later with `drctl run --plan FILE`.
    #[arg(long = "out", id = "plan_file", value_name = "FILE", requires = "dry_run")]
    pub plan_file: Option<PathBuf>,
    /// Say yes where a question would be asked; never enough for a protected environment.
    #[arg(long)]
    pub yes: bool,
    /// Without a terminal: wait for answers from other terminals instead of stopping (exit code 13).
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// What is to be done, read before a runtime is chosen.
pub(super) struct Prepared {
    launch: Launch,
    options: LaunchArgs,
    source: Source,
}

impl Prepared {
    /// Whether time jumps: everything is simulated in process.
    pub(super) fn time(&self) -> Result<Time, CommandError> {
        let found = environment(&self.launch.estate, &self.launch.environment)?;
        Ok(time_of(found.is_simulated(), self.options.simulation.pace))
    }
}

/// Reads the command line.
///
/// # Errors
/// The estate, the environment or the bucket's region is not there, or an option is not usable.
pub(super) fn prepare(
    tools: &Tools,
    args: &RollbackArgs,
    output: OutputForm,
) -> Result<Prepared, CommandError> {
    let to = instant(args.to.as_deref().unwrap_or_default())?;
    let estate = tools.estate(&args.estate.name)?;
    let env = args.env.clone().unwrap_or_default();
    let Some(named) = &args.bucket else {
        return Err(CommandError::usage("it names no bucket"));
    };
    let (bucket, region) = bucket_named(&estate, &env, named, args.region.as_deref())?;
    let prefix = prefix(named, args)?;
    if let Some(path) = args.report.as_deref().filter(|path| path.exists()) {
        let message = format!("{} exists already; nothing was changed", path.display());
        return Err(CommandError::usage(message).help("name another file for --report"));
    }
    let text = |text: &Option<String>| text.clone().map(|text| Given::Typed(Value::String(text)));
    let given = [
        ("bucket", Some(Given::Typed(Value::text(&bucket)))),
        ("region", Some(Given::Typed(Value::text(&region)))),
        ("prefix", text(&prefix)),
        ("key", text(&args.key)),
        ("to", Some(Given::Typed(Value::Time(to)))),
        ("remove_markers", Some(Given::Typed(Value::Bool(args.remove_markers)))),
        ("delete_uncertain", Some(Given::Typed(Value::Bool(args.delete_uncertain)))),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let launch = Launch {
        runbook: shipped_runbook(tools, RUNBOOK)?,
        estate,
        environment: env,
        mode: RunMode::Run,
        parameters: given.collect(),
        objectives: Objectives::default(),
        form: None,
        alarm: None,
        notify: None,
        faults: Vec::new(),
        output,
    };
    let options = LaunchArgs {
        dry_run: args.dry_run,
        out: args.plan_file.clone(),
        yes: args.yes,
        wait: args.wait,
        simulation: args.simulation.clone(),
        ..LaunchArgs::default()
    };
    let source = Source {
        bucket,
        region,
        prefix,
        key: args.key.clone(),
        to,
        delete_uncertain: args.delete_uncertain,
    };
    Ok(Prepared { launch, options, source })
}

/// A shipped runbook, whatever the project has under its name.
pub(super) fn shipped_runbook(tools: &Tools, wanted: &str) -> Result<Runbook, CommandError> {
    let texts = shipped(FileKind::Runbook);
    let (_, text) = texts.iter().find(|(name, _)| *name == wanted).expect("it is shipped");
    let file = format!("(shipped) runbooks/{wanted}.yaml");
    let loaded = load_runbook_in(&file, text, &tools.catalogue, &tools.project);
    Ok(loaded.map(|(runbook, _)| runbook)?)
}

/// Name and region of the bucket that was named.
pub(super) fn bucket_named(
    estate: &Estate,
    env: &str,
    named: &BucketName,
    region: Option<&str>,
) -> Result<(String, String), CommandError> {
    let environment = environment(estate, env)?;
    let known = estate.bucket_in(&named.bucket, environment).filter(|_| !named.address);
    // An address, or a name: of a bucket that the estate may have too.
    let known = known.or_else(|| {
        let mut all = estate.buckets.keys().filter_map(|key| estate.bucket_in(key, environment));
        all.find(|bucket| bucket.name == named.bucket)
    });
    let own = known.as_ref().and_then(|bucket| bucket.region.clone());
    if let (Some(said), Some(own)) = (region, &own)
        && said != own
    {
        let message = format!("the estate has bucket `{}` in {own}, not in {said}", named.bucket);
        return Err(CommandError::usage(message).help("leave --region out, or change the estate"));
    }
    let region = region.map(str::to_owned).or(own);
    let name = known.map_or_else(|| named.bucket.clone(), |bucket| bucket.name);
    Ok((name, region.unwrap_or_else(|| environment.region.clone())))
}

/// The prefix of the address, or that of the option.
fn prefix(named: &BucketName, args: &RollbackArgs) -> Result<Option<String>, CommandError> {
    let own = Some(named.prefix.clone()).filter(|prefix| !prefix.is_empty());
    match (&own, &args.prefix, &args.key) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            let message = "the address has a prefix already";
            Err(CommandError::usage(message).help("leave --prefix and --key out, or the prefix"))
        }
        _ => Ok(own.or_else(|| args.prefix.clone())),
    }
}

/// Reads `--to`.
fn instant(text: &str) -> Result<DateTime<Utc>, CommandError> {
    if let Some(found) = parse_instant(text) {
        return Ok(found);
    }
    let local =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let local = local.iter().any(|form| NaiveDateTime::parse_from_str(text, form).is_ok());
    let message = if local {
        format!("--to `{text}` has no zone: nobody knows which instant that is")
    } else {
        format!("--to `{text}` is no instant")
    };
    Err(CommandError::usage(message)
        .help("write it with its zone: 2026-03-01T14:05:00Z, or 2026-03-01T15:05:00+01:00"))
}

/// Plans, and unless it is a dry run, runs; then writes the report that was asked for.
///
/// # Errors
/// Anything that keeps it from ending in good order.
pub(super) async fn run(
    tools: &Tools,
    prepared: Prepared,
    args: &RollbackArgs,
) -> Result<Exit, CommandError> {
    let Prepared { launch: launching, options, source } = prepared;
    let estate = launching.estate.clone();
    let environment = environment(&estate, &launching.environment)?.clone();
    let plan = planned(tools, &launching, &options, Since::default()).await?;
    let now = plan.plan.created_at;
    if source.to > now {
        let message = format!("--to {} lies in the future", format_instant(source.to));
        return Err(CommandError::usage(message)
            .help(format!("now is {} on this environment's clock", format_instant(now))));
    }
    let as_of = report::as_of(&plan.plan);
    let run = plan.plan.run.clone();
    let exit = plan.finish(tools, &launching, &options).await?;
    if let (Some(path), Exit::Waiting | Exit::Credentials) = (&args.report, exit) {
        let path = path.display();
        let later = format!("drctl s3 rollback --of {run} --report {path}");
        out::progress(&format!("no report yet; when the run has ended: {later}"));
        return Ok(exit);
    }
    if let (Some(path), Some(as_of)) = (&args.report, as_of) {
        let since = Since::default();
        let session = Session::open(tools, &estate, &environment, &options.simulation, since)?;
        let written = report::write(path, (&environment, &session), &source, as_of).await;
        session.close()?;
        written?;
    }
    Ok(exit)
}

/// Writes the report of an earlier roll-back.
///
/// # Errors
/// There is no such run, it is of another runbook, the bucket cannot be read, or the file cannot be
/// written.
pub(super) fn report_of(
    tools: &Tools,
    args: &RollbackArgs,
    (run, path): (&str, &Path),
) -> Result<Exit, CommandError> {
    let earlier = report::earlier(tools, run)?;
    if path.exists() {
        let message = format!("{} exists already; nothing was written", path.display());
        return Err(CommandError::usage(message).help("name another file for --report"));
    }
    block_on(earlier.time(), earlier.write(tools, path, &args.simulation))?;
    Ok(Exit::Ok)
}
