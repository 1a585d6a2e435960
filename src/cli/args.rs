//! The command line: all commands, and the options that several of them share. Doc comments here are
//! the help texts; the options of one command stand in its own file.
//!
//! **Invariant:** every command says what it changes; whatever changes nothing says so too.

use crate::base::form::Form;
use crate::cli::control::ControlCommand;
use crate::cli::doctor::DoctorArgs;
use crate::cli::drill::DrillArgs;
use crate::cli::explain::ExplainArgs;
use crate::cli::heartbeat::HeartbeatCommand;
use crate::cli::history::HistoryArgs;
use crate::cli::init::InitArgs;
use crate::cli::journal::JournalCommand;
use crate::cli::link::LinkArgs;
use crate::cli::rehearse::RehearseArgs;
use crate::cli::reports::ReportArgs;
use crate::cli::resume::ResumeArgs;
use crate::cli::run::RunArgs;
use crate::cli::runbook::RunbookCommand;
use crate::cli::s3::S3Command;
use crate::cli::shell::{CompletionsArgs, ManArgs};
use crate::cli::sim::SimCommand;
use crate::cli::status::StatusArgs;
use crate::cli::sweep::SweepArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Disaster recovery for AWS: runbooks that run, drills that measure, dry runs that cannot mutate.
///
/// Try `drctl drill restore-db --dry-run`, then `drctl drill restore-db`: both run on the embedded
/// simulator and need no account. Exit codes are in `drctl exit-codes`.
#[derive(Debug, Parser)]
#[command(name = "drctl", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Form of the result on standard output; progress goes to standard error.
    #[arg(long, global = true, value_enum, default_value_t = OutputForm::Text)]
    pub output: OutputForm,
    /// Only results and errors: no progress, no status.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log to standard error: -v what is recorded, -vv each call to AWS, -vvv everything of drctl's own.
    /// RUST_LOG says it finer and wins.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputForm {
    /// For people.
    Text,
    /// For programs; every document has `schema_version`.
    Json,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a drill: restore, verify, measure, clean up, report. Its file names the environment
    /// (shipped drills: the simulator).
    Drill(DrillArgs),
    /// Run a runbook and keep what it makes; or run a stored plan once.
    Run(RunArgs),
    /// Print a link that names a runbook and what to run it with, for messages and alarms. Changes nothing.
    Link(LinkArgs),
    /// Take up a run that was interrupted or whose process died.
    Resume(ResumeArgs),
    /// Prove a runbook offline, without an account: play every fault, kill it everywhere, remove its
    /// guards. Changes nothing.
    Rehearse(RehearseArgs),
    #[command(flatten)]
    Control(ControlCommand),
    /// Show runs and where they are. Changes nothing.
    Status(StatusArgs),
    /// Show finished runs with what was measured, simulated and real apart. Changes nothing.
    History(HistoryArgs),
    /// Render a run's report from its journal. Changes nothing.
    Report(ReportArgs),
    /// Export or verify a run's journal. Changes nothing.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Find what drills left behind, from AWS's tags alone, and with --execute remove what has expired.
    /// Without it, changes nothing.
    Sweep(SweepArgs),
    /// Write a new project: configuration, estate, runbook, drill, schemas. Overwrites nothing.
    Init(InitArgs),
    /// Work on runbook files. Changes nothing.
    #[command(subcommand)]
    Runbook(RunbookCommand),
    /// Explain a code such as DR012 (what it means, how to mend it) or an action such as gate.approve
    /// (its inputs and outputs).
    Explain(ExplainArgs),
    /// Write the heartbeat that proves recovery points.
    #[command(subcommand)]
    Heartbeat(HeartbeatCommand),
    /// Buckets and their replicas: compare, check, measure, bring back.
    #[command(subcommand)]
    S3(S3Command),
    /// The embedded simulator.
    #[command(subcommand)]
    Sim(SimCommand),
    /// Check machine, credentials, permissions, clocks and databases before they are needed.
    /// Changes nothing.
    Doctor(DoctorArgs),
    /// Write the completions of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual page to standard output, or one page a command into a directory.
    Man(ManArgs),
    /// The exit codes and what they mean.
    #[command(name = "exit-codes")]
    ExitCodes,
}

/// Which estate.
#[derive(Debug, Clone, Args)]
pub(super) struct EstateArg {
    /// The estate; without it the project's only one, else the shipped `techcorp`.
    #[arg(
        id = "estate",
        long = "estate",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "DRCTL_ESTATE"
    )]
    pub name: String,
}

/// Reads the form of a run.
pub(super) fn form() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::WORDS)
        .map(|word| Form::parse(&word).expect("one of the possible values"))
}

/// Options that drills and runs share.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct LaunchArgs {
    /// Show what would happen, with exact names, and prove that nothing did.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: store the plan here, to run it later with `drctl run --plan FILE`.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub out: Option<PathBuf>,
    /// Set a parameter of the runbook (repeatable).
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// When the disaster happened (UTC): recovery time and data loss are counted from here.
    #[arg(long, value_name = "INSTANT")]
    pub disaster_at: Option<String>,
    /// The CloudWatch alarm that called for this run: its ARN, its name, or its name in the estate. Its
    /// change of state is when the disaster was noticed; one that is OK starts nothing.
    #[arg(long, value_name = "ARN|NAME")]
    pub alarm: Option<String>,
    /// With --alarm: start although the alarm is OK.
    #[arg(long)]
    pub alarm_ok: bool,
    /// When it was noticed (UTC): in place of what an alarm says, or when CloudWatch cannot be asked.
    #[arg(long, value_name = "INSTANT")]
    pub detected_at: Option<String>,
    /// An SNS topic (name or ARN) that is told how the run goes: started, waiting, failed, finished.
    /// Best effort; it wins over `notify` of drill and runbook.
    #[arg(long, value_name = "TOPIC")]
    pub notify: Option<String>,
    /// When it was declared (UTC).
    #[arg(long, value_name = "INSTANT")]
    pub declared_at: Option<String>,
    /// `graceful` waits until nothing is lost, `ungraceful` accepts a loss; without it the form of the
    /// drill, else of the runbook, else graceful. `drctl switch` changes it while the run is open.
    #[arg(long, value_name = "FORM", value_parser = form())]
    pub form: Option<Form>,
    /// Say yes where a question would be asked, and approve every gate; never enough for a protected
    /// environment.
    #[arg(long)]
    pub yes: bool,
    /// Without a terminal: wait at gates and questions for answers from other terminals (`drctl
    /// approve`), instead of stopping there with exit code 13.
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// Options for simulated environments.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SimulationArgs {
    /// Simulated time runs this many times faster than real time, and you can watch; without it, time
    /// jumps and the run takes milliseconds. With endpoints: the speed of `drctl sim serve --speed`.
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub pace: Option<f64>,
    /// Switch a fault on in the simulator (repeatable), for example `throttled`, `restore-failed`,
    /// `wrong-restore=stale`; `drctl sim faults` lists them.
    #[arg(long = "fault", value_name = "NAME[=VALUE]")]
    pub faults: Vec<String>,
    /// Seed of a new simulated world.
    #[arg(long)]
    pub seed: Option<u64>,
}

impl SimulationArgs {
    /// These, with `faults` of a file before those of the command line, which has the last word.
    pub(super) fn after(&self, faults: &[String]) -> Self {
        let faults = faults.iter().chain(&self.faults).cloned().collect();
        Self { faults, ..self.clone() }
    }
}
