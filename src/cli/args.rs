//! The command line. Doc comments here are the help texts.
//!
//! **Invariant:** every command says what it changes; whatever changes nothing says so too.

use crate::cli::doctor::DoctorArgs;
use crate::cli::explain::ExplainArgs;
use crate::cli::history::HistoryArgs;
use crate::cli::init::InitArgs;
use crate::cli::reports::ReportArgs;
use crate::cli::runbook::{DocArgs, GraphArgs, NameArgs, SchemaArgs};
use crate::cli::shell::{CompletionsArgs, ManArgs};
use crate::cli::status::StatusArgs;
use crate::cli::sweep::SweepArgs;
use crate::cli::validate::ValidateArgs;
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
    /// Take up a run that was interrupted or whose process died.
    Resume(ResumeArgs),
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

/// Options that drills and runs share.
#[derive(Debug, Clone, Args)]
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
    /// When it was declared (UTC).
    #[arg(long, value_name = "INSTANT")]
    pub declared_at: Option<String>,
    /// Say yes where a question would be asked, and approve every gate; never enough for a protected
    /// environment.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// Options for simulated environments.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SimulationArgs {
    /// Simulated time runs this many times faster than real time, and you can watch; without it, time
    /// jumps and the run takes milliseconds.
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

/// `drctl drill`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct DrillArgs {
    /// Another work on drills than running one.
    #[command(subcommand)]
    pub command: Option<DrillCommand>,
    /// Name of the drill (drills/NAME.yaml) or path of a drill file.
    #[arg(required = true)]
    pub name: Option<String>,
    /// Another environment than the drill file's.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Keep what the drill creates; it carries an expiry tag.
    #[arg(long)]
    pub keep: bool,
    #[command(flatten)]
    pub launch: LaunchArgs,
}

/// `drctl drill …`
#[derive(Debug, Subcommand)]
pub(super) enum DrillCommand {
    /// List the drills: what they run and promise, how they last ended, whether they are valid.
    /// Changes nothing.
    List,
}

/// `drctl run`
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    pub runbook: Option<String>,
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME", required_unless_present = "plan", conflicts_with = "plan")]
    pub env: Option<String>,
    /// The estate; without it the project's only one, else the shipped `techcorp`.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "DRCTL_ESTATE"
    )]
    pub estate: String,
    /// Run this stored plan: once, unchanged, before it expires, and only if no fact has moved.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub launch: LaunchArgs,
}

/// `drctl resume`
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// The run: its id, the beginning or end of it, or `last`.
    #[arg(default_value = "last")]
    pub run: String,
    /// Answer the question that the run waits for: approve or reject at a gate; retry, continue, stop
    /// or undo after a failure.
    #[arg(long, value_name = "ANSWER")]
    pub answer: Option<String>,
    /// With --answer: why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT", requires = "answer")]
    pub comment: Option<String>,
    /// With --answer: the step whose question it answers, when several wait.
    #[arg(long, value_name = "STEP", requires = "answer")]
    pub step: Option<String>,
    /// Approve every gate on the way; never enough for a protected environment.
    #[arg(long, conflicts_with = "answer")]
    pub yes: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

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

/// `drctl runbook`
#[derive(Debug, Subcommand)]
pub(super) enum RunbookCommand {
    /// Check files and report all their problems, each drawn where it stands.
    Validate(ValidateArgs),
    /// List the project's and the shipped runbooks: steps, parameters, whether they are valid.
    List,
    /// Show a runbook: what it is for, its parameters, its steps, which drills use it.
    Show(NameArgs),
    /// Draw a runbook's steps with the critical path: as text, DOT, Mermaid or SVG.
    Graph(GraphArgs),
    /// Write what a person does by hand on the day that drctl is down, with the commands.
    Doc(DocArgs),
    /// Write the JSON Schema that editors check files against.
    Schema(SchemaArgs),
}

/// `drctl heartbeat`
#[derive(Debug, Subcommand)]
pub(super) enum HeartbeatCommand {
    /// Create the heartbeat table (schema `drctl`) in a database.
    Init(HeartbeatArgs),
    /// Write heartbeats until stopped, or `--count` of them.
    Run {
        #[command(flatten)]
        target: HeartbeatArgs,
        /// Time between two heartbeats.
        #[arg(long, default_value = "1s")]
        every: String,
        /// How many; without it, until Ctrl-C.
        #[arg(long)]
        count: Option<u64>,
    },
}

/// Which database to write heartbeats into.
#[derive(Debug, Clone, Args)]
pub(super) struct HeartbeatArgs {
    /// The estate; without it the project's only one, else the shipped `techcorp`.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "DRCTL_ESTATE"
    )]
    pub estate: String,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// The database's name in the estate.
    #[arg(long, value_name = "NAME")]
    pub database: String,
    /// Say yes to writing; never enough for a protected environment.
    #[arg(long)]
    pub yes: bool,
}

/// `drctl sim`
#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    /// Answer AWS requests on loopback until stopped (Ctrl-C, SIGTERM); then the world is saved.
    ///
    /// Point clients at it with `AWS_ENDPOINT_URL=http://127.0.0.1:4577` and any credentials; a
    /// region comes from the client's signature. Besides AWS it answers, in JSON:
    ///
    ///   GET    /_drctl/world         time, seed, speed and counts
    ///   GET    /_drctl/faults        faults that are on, and the catalogue
    ///   PUT    /_drctl/faults        switch on exactly {"faults": ["throttled=3"]}
    ///   POST   /_drctl/faults        switch these on besides
    ///   DELETE /_drctl/faults        switch all off; /_drctl/faults/NAME: one
    ///   GET    /_drctl/mutations     calls that changed the world; ?after=SEQUENCE
    ///   GET    /_drctl/published     messages that SNS topics accepted
    ///
    /// `-v` logs every request.
    #[command(verbatim_doc_comment)]
    Serve {
        /// The estate; without it the project's only one, else the shipped `techcorp`.
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true,
            env = "DRCTL_ESTATE"
        )]
        estate: String,
        /// The simulated environment.
        #[arg(long, value_name = "NAME", default_value = "sim")]
        env: String,
        /// TCP port; 0 chooses a free one.
        #[arg(long, default_value_t = 4577)]
        port: u16,
        /// Keep the world in memory instead of the state directory.
        #[arg(long)]
        ephemeral: bool,
        /// Simulated time runs this many times faster than real time.
        #[arg(
            long,
            visible_alias = "pace",
            value_name = "FACTOR",
            default_value_t = 1.0,
            allow_negative_numbers = true
        )]
        speed: f64,
        /// Seed of a new simulated world.
        #[arg(long)]
        seed: Option<u64>,
        /// Switch a fault on (repeatable); `drctl sim faults` lists them.
        #[arg(long = "fault", value_name = "NAME[=VALUE]")]
        faults: Vec<String>,
    },
    /// List the faults that can be switched on: name, value, meaning.
    Faults,
    /// Let simulated time pass in the kept world: what was to happen meanwhile happens.
    Advance {
        /// How far, for example 3d or 90m.
        #[arg(value_name = "DURATION")]
        by: String,
        /// The estate; without it the project's only one, else the shipped `techcorp`.
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true,
            env = "DRCTL_ESTATE"
        )]
        estate: String,
        /// The simulated environment.
        #[arg(long, value_name = "NAME", default_value = "sim")]
        env: String,
    },
    /// Forget the simulated world: the next command starts a new one.
    Reset {
        /// The estate; without it the project's only one, else the shipped `techcorp`.
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true,
            env = "DRCTL_ESTATE"
        )]
        estate: String,
        /// The simulated environment.
        #[arg(long, value_name = "NAME", default_value = "sim")]
        env: String,
    },
}
