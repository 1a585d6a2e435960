//! `drctl s3 canary`: how long a copy takes, measured now.
//!
//! **Invariant:** it runs the shipped runbook `s3-canary` as `drctl run` would: planned first, agreed to, in
//! a journal, resumable; what it puts it removes.

use super::BucketName;
use super::rollback::{bucket_named, shipped_runbook};
use crate::base::duration;
use crate::base::value::Value;
use crate::cli::args::{EstateArg, LaunchArgs, OutputForm, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, environment, planned};
use crate::cli::main::{Time, time_of};
use crate::cli::session::Since;
use crate::estate::{Estate, Objectives};
use crate::plan::model::RunMode;
use crate::runbook::Given;
use clap::Args;
use std::collections::BTreeMap;
use std::time::Duration;

/// The runbook, and where the program has it.
const RUNBOOK: &str = "s3-canary";

/// `drctl s3 canary`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl s3 canary documents documents_west --env production --dry-run
  drctl s3 canary documents documents_west --env production --samples 20 --max 15m
  drctl history s3-canary --env production

Canaries are objects of 1 KiB under drctl-canary/. Every version of them is removed from both buckets,
also after an interruption: `drctl resume` goes on.")]
pub(in crate::cli) struct CanaryArgs {
    /// The bucket that is copied: its key in the estate, its name, or s3://bucket/prefix.
    #[arg(value_name = "SOURCE")]
    pub source: BucketName,
    /// The bucket that it is copied to.
    #[arg(value_name = "DESTINATION")]
    pub destination: BucketName,
    /// How many canaries are measured, one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub samples: u32,
    /// Longest time of one.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub timeout: String,
    /// Fail when a copy took longer.
    #[arg(long, value_name = "DURATION")]
    pub max: Option<String>,
    #[command(flatten)]
    pub estate: EstateArg,
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// Show what would happen, and prove that nothing did.
    #[arg(long)]
    pub dry_run: bool,
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
/// The estate or the environment is not there, or an option is not usable.
pub(super) fn prepare(
    tools: &Tools,
    args: &CanaryArgs,
    output: OutputForm,
) -> Result<Prepared, CommandError> {
    let estate = tools.estate(&args.estate.name)?;
    let launch = Launch {
        runbook: shipped_runbook(tools, RUNBOOK)?,
        parameters: parameters(&estate, args)?,
        estate,
        environment: args.env.clone(),
        mode: RunMode::Run,
        objectives: Objectives::default(),
        form: None,
        alarm: None,
        notify: None,
        faults: Vec::new(),
        output,
    };
    let options = LaunchArgs {
        dry_run: args.dry_run,
        yes: args.yes,
        wait: args.wait,
        simulation: args.simulation.clone(),
        ..LaunchArgs::default()
    };
    Ok(Prepared { launch, options })
}

fn parameters(estate: &Estate, args: &CanaryArgs) -> Result<BTreeMap<String, Given>, CommandError> {
    let named = |place: &BucketName| {
        let (bucket, _) = bucket_named(estate, &args.env, place, None)?;
        Ok::<_, CommandError>(Value::String(bucket))
    };
    if !args.destination.prefix.is_empty() {
        return Err(CommandError::usage("the destination has a prefix")
            .help("S3 copies to the same key: name the prefix at the source"));
    }
    let prefix = Some(args.source.prefix.clone()).filter(|prefix| !prefix.is_empty());
    let max = args.max.as_deref().map(|text| time("--max", text)).transpose()?;
    let given = [
        ("source", Some(named(&args.source)?)),
        ("destination", Some(named(&args.destination)?)),
        ("prefix", prefix.map(Value::String)),
        ("samples", Some(Value::Int(args.samples.into()))),
        ("timeout", Some(Value::Duration(time("--timeout", &args.timeout)?))),
        ("max", max.map(Value::Duration)),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Ok(given.map(|(name, value)| (name.to_owned(), Given::Typed(value))).collect())
}

fn time(option: &str, text: &str) -> Result<Duration, CommandError> {
    match duration::parse(text) {
        Ok(time) if !time.is_zero() => Ok(time),
        Ok(_) => Err(CommandError::usage(format!("{option} is no time"))),
        Err(why) => Err(CommandError::usage(format!("{option} `{text}` is no duration: {why}"))),
    }
}

/// Plans, and unless it is a dry run, runs.
///
/// # Errors
/// Anything that keeps it from ending in good order.
pub(super) async fn run(tools: &Tools, prepared: Prepared) -> Result<Exit, CommandError> {
    let Prepared { launch, options } = prepared;
    let plan = planned(tools, &launch, &options, Since::default()).await?;
    plan.finish(tools, &launch, &options).await
}
