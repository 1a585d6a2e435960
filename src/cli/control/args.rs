//! The command line of control. Doc comments here are the help texts.
//!
//! **Invariant:** every command says what it changes and shows an example.

use crate::base::form::Form;
use crate::cli::args::form;
use crate::journal::figure::TWO_WRITERS;
use clap::{Args, Subcommand};

const APPROVE: &str = "Examples:
  drctl status last                                     which gates wait, and for whom
  drctl approve last decide --comment 'row counts agree'
  drctl approve 01kf --output json                      the only gate that waits

A gate that names approvers opens for them only: by their own identity (STS GetCallerIdentity), in a
simulated environment by the declared name (DRCTL_OPERATOR, --as). A gate that needs two approvals
needs two people. At a gate before what cannot be taken back
`drctl status` shows what is at stake; where nothing proves that the old writer is fenced, `--acknowledge
two-writers` says that you know. Exit codes: 0 taken; 2 it cannot be meant; 12 refused; 13 posted, and no process
drives the run: `drctl resume RUN` takes it.";

const REJECT: &str = "Example:
  drctl reject last decide --comment 'wrong restore time'

The run ends as its runbook says for a rejection; its clean-up runs.";

const WITHDRAW: &str = "Example:
  drctl withdraw last decide --comment 'replica lag has grown'

Possible until the gate has opened, that is while it waits for a second approval. An approval that was
used stays: `drctl pause` or `drctl abort` hold the run up.";

const ANSWER: &str = "Examples:
  drctl status last                               what is asked, the answers, what follows each
  drctl answer last verify retry
  drctl answer last verify undo --comment 'wrong data'";

const PAUSE: &str = "Example:
  drctl pause last --reason 'waiting for the network team'

No new step and no new mutation until `drctl continue`; what was sent goes on at AWS, and is looked at.
A pause survives the process: a resumed run stays paused.";

const CONTINUE: &str = "Example:
  drctl continue last";

const SKIP: &str = "Example:
  drctl skip last warm_up --reason 'no traffic tonight'

What needs the step goes on, except what refers to its outputs: that is skipped as well. A step that
has begun to change something cannot be skipped, nor can a gate of a protected environment,
or one with `approvers` or several `approvals` anywhere.";

const RETRY: &str = "Example:
  drctl retry last restore

A step whose failure is asked about is tried again; one that waits before its next look looks now.";

const SWITCH: &str = "Example:
  drctl switch last --to ungraceful --reason 'the region is gone, the replica gets nothing more'

`graceful` waits until nothing is lost, `ungraceful` accepts a loss, shows the figures that the run has
shown last and asks; steps that have no two forms go on as they are. A switch back to graceful is possible until something was done in the ungraceful form that
cannot be taken back.";

const ABORT: &str = "Examples:
  drctl abort last --dry-run                      what would be undone, in which order, and what stays
  drctl abort last --reason 'primary is back'
  drctl abort last --no-undo                      stop here; what was done stays

Nothing new begins; calls in flight end; what was done is undone in reverse order; `always` steps
(clean-up) run. --yes answers the question, except in a protected environment, where its name has to be
typed. Exit code 0 says that the run took it: how the run ends, its own process says.";

/// `drctl approve`, …
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ControlCommand {
    /// Approve a gate that waits, from any terminal.
    #[command(after_help = APPROVE)]
    Approve(ApproveArgs),
    /// Reject a gate that waits, which ends the run.
    #[command(after_help = REJECT)]
    Reject(GateArgs),
    /// Take your approval back before the gate has opened.
    #[command(after_help = WITHDRAW)]
    Withdraw(GateArgs),
    /// Answer what a run asks after a failure or about a step in doubt.
    #[command(after_help = ANSWER)]
    Answer(AnswerArgs),
    /// Hold a run: no new step and no new mutation until it is continued.
    #[command(after_help = PAUSE)]
    Pause(PauseArgs),
    /// End a pause.
    #[command(after_help = CONTINUE)]
    Continue(Target),
    /// Go on without a step.
    #[command(after_help = SKIP)]
    Skip(SkipArgs),
    /// Try a step again, or look now instead of later.
    #[command(after_help = RETRY)]
    Retry(StepArgs),
    /// Switch the form of a run: what waits looks again at once.
    #[command(after_help = SWITCH)]
    Switch(SwitchArgs),
    /// End a run: show what is undone and what stays, ask, then do it.
    #[command(after_help = ABORT)]
    Abort(AbortArgs),
}

/// Which run, and who says so.
#[derive(Debug, Args)]
pub(in crate::cli) struct Target {
    /// The run: its id, the beginning or end of it, or `last` (the newest that has not ended).
    pub run: String,
    /// Who you are; only in simulated environments, where nobody proves it.
    #[arg(long = "as", value_name = "NAME")]
    pub claimed: Option<String>,
}

/// A gate.
#[derive(Debug, Args)]
pub(in crate::cli) struct GateArgs {
    #[command(flatten)]
    pub target: Target,
    /// The gate; not needed when only one waits.
    pub step: Option<String>,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// `drctl approve`
#[derive(Debug, Args)]
pub(in crate::cli) struct ApproveArgs {
    #[command(flatten)]
    pub at: GateArgs,
    /// The danger that you acknowledge: `two-writers` where nothing proves that the old writer is fenced.
    #[arg(long, value_name = "DANGER", value_parser = [TWO_WRITERS])]
    pub acknowledge: Option<String>,
}

/// A step.
#[derive(Debug, Args)]
pub(in crate::cli) struct StepArgs {
    #[command(flatten)]
    pub target: Target,
    /// The step.
    pub step: String,
}

/// `drctl answer`
#[derive(Debug, Args)]
pub(in crate::cli) struct AnswerArgs {
    #[command(flatten)]
    pub target: Target,
    /// The step that asks.
    pub step: String,
    /// One of the answers that it takes.
    pub answer: String,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// `drctl pause`
#[derive(Debug, Args)]
pub(in crate::cli) struct PauseArgs {
    #[command(flatten)]
    pub target: Target,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `drctl switch`
#[derive(Debug, Args)]
pub(in crate::cli) struct SwitchArgs {
    #[command(flatten)]
    pub target: Target,
    /// The form from then on.
    #[arg(long, value_name = "FORM", value_parser = form())]
    pub to: Form,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Do not ask before a loss is accepted; never enough for a protected environment.
    #[arg(long)]
    pub yes: bool,
}

/// `drctl skip`
#[derive(Debug, Args)]
pub(in crate::cli) struct SkipArgs {
    #[command(flatten)]
    pub at: StepArgs,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `drctl abort`
#[derive(Debug, Args)]
pub(in crate::cli) struct AbortArgs {
    #[command(flatten)]
    pub target: Target,
    /// Leave what was done as it is; `always` steps run all the same.
    #[arg(long)]
    pub no_undo: bool,
    /// Why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Show what would happen, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; never enough for a protected environment.
    #[arg(long)]
    pub yes: bool,
}
