//! Commands to a run from any terminal: approve, reject, withdraw, answer, pause, continue, skip, retry,
//! switch, abort.
//!
//! **Invariant:** a command changes nothing by itself: it is posted into the run's inbox, and the process
//! that drives the run takes or refuses it. What cannot be taken is refused before it is posted.

mod abort;
mod args;
mod judge;
mod post;
mod subject;
mod switch;

pub(super) use args::ControlCommand;

use crate::base::ids::StepKey;
use crate::cli::args::OutputForm;
use crate::cli::control::args::{GateArgs, StepArgs, Target};
use crate::cli::control::judge::judge;
use crate::cli::control::post::post;
use crate::cli::control::subject::Subject;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::person::person;
use crate::journal::{Command, Person};

/// Runs the command.
///
/// # Errors
/// There is no such run or step, the run has ended, or the command cannot be meant (exit code 2); the
/// person may not decide, or the run refused it (12); credentials (18); the journal (16).
pub(super) async fn run(
    tools: &Tools,
    command: &ControlCommand,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let subject = Subject::open(tools, &target(command).run)?;
    let wish = wish(&subject, command)?;
    if let ControlCommand::Abort(args) = command {
        return abort::run(tools, subject, wish, args, output).await;
    }
    if let ControlCommand::Switch(args) = command {
        return switch::run(tools, subject, wish, args, output).await;
    }
    let by = who(tools, &subject, target(command)).await?;
    judge(&subject, &wish, &by)?;
    post(tools, subject, wish, by, output).await
}

/// Whoever types, proven as far as the run's environment wants it.
async fn who(tools: &Tools, subject: &Subject, target: &Target) -> Result<Person, CommandError> {
    person(tools, &subject.estate, &subject.environment, target.claimed.as_deref()).await
}

fn target(command: &ControlCommand) -> &Target {
    match command {
        ControlCommand::Approve(args) => &args.at.target,
        ControlCommand::Reject(args) | ControlCommand::Withdraw(args) => &args.target,
        ControlCommand::Answer(args) => &args.target,
        ControlCommand::Pause(args) => &args.target,
        ControlCommand::Continue(target) => target,
        ControlCommand::Skip(args) => &args.at.target,
        ControlCommand::Retry(args) => &args.target,
        ControlCommand::Switch(args) => &args.target,
        ControlCommand::Abort(args) => &args.target,
    }
}

/// The command as the run will read it.
fn wish(subject: &Subject, command: &ControlCommand) -> Result<Command, CommandError> {
    let gate = |args: &GateArgs| match &args.step {
        Some(step) => subject.step(step),
        None => subject.only_gate(),
    };
    let at = |args: &StepArgs| -> Result<StepKey, CommandError> { subject.step(&args.step) };
    Ok(match command {
        ControlCommand::Approve(args) => {
            let (step, comment) = (gate(&args.at)?, args.at.comment.clone());
            Command::Approve { step, comment, acknowledge: args.acknowledge.clone() }
        }
        ControlCommand::Reject(args) => {
            Command::Reject { step: gate(args)?, comment: args.comment.clone() }
        }
        ControlCommand::Withdraw(args) => {
            Command::Withdraw { step: gate(args)?, comment: args.comment.clone() }
        }
        ControlCommand::Answer(args) => Command::Answer {
            step: subject.step(&args.step)?,
            answer: args.answer.clone(),
            comment: args.comment.clone(),
        },
        ControlCommand::Pause(args) => Command::Pause { reason: args.reason.clone() },
        ControlCommand::Continue(_) => Command::Continue,
        ControlCommand::Skip(args) => {
            Command::Skip { step: at(&args.at)?, reason: args.reason.clone() }
        }
        ControlCommand::Retry(args) => Command::Retry { step: at(args)? },
        ControlCommand::Switch(args) => {
            Command::Switch { to: args.to, reason: Some(args.reason.clone()) }
        }
        ControlCommand::Abort(args) => {
            Command::Abort { reason: args.reason.clone(), undo: !args.no_undo }
        }
    })
}
