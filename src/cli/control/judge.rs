//! Refuses at once what the run would refuse anyway.
//!
//! **Invariant:** only what the journal says already; the run has the last word.

use crate::base::clock::{Clock, format_instant};
use crate::base::ids::StepKey;
use crate::cli::control::subject::Subject;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::question::elsewhere;
use crate::engine::{approval_by, is_reserved, may_decide};
use crate::journal::fold::{Question, StepStatus};
use crate::journal::{Command, Person};
use crate::plan::model::GateKind;

/// Whether the run could take `command` from `by`.
///
/// # Errors
/// It cannot be meant (exit code 2), or they may not decide (12).
pub(super) fn judge(subject: &Subject, command: &Command, by: &Person) -> Result<(), CommandError> {
    match command {
        Command::Approve { step, .. } => {
            let question = gate(subject, step)?;
            allowed(subject, step, question, by)?;
            match approval_by(&subject.state.steps[step], by) {
                None => Ok(()),
                Some(given) => {
                    let at = format_instant(given.at);
                    Err(CommandError::usage(format!("{by} approved {step} already, {at}"))
                        .help("the gate needs another person"))
                }
            }
        }
        Command::Reject { step, .. } => allowed(subject, step, gate(subject, step)?, by),
        Command::Withdraw { step, .. } => {
            gate(subject, step)?;
            match approval_by(&subject.state.steps[step], by) {
                Some(_) => Ok(()),
                // It may be on its way in the inbox.
                None if subject.has_unread()? => Ok(()),
                None => {
                    let message = format!("{by} has given no approval to {step} that still counts");
                    Err(CommandError::usage(message)
                        .help(format!("`drctl status {}` shows who has approved", subject.run)))
                }
            }
        }
        Command::Answer { step, answer, .. } => {
            let question = subject.question(step)?;
            if !question.choices.contains(answer) {
                let message = format!("`{answer}` is no answer to {step}: {}", question.question);
                let help = format!("it takes: {}", question.choices.join(", "));
                return Err(CommandError::usage(message).help(help));
            }
            allowed(subject, step, question, by)
        }
        Command::Pause { .. } => match &subject.state.paused {
            None => Ok(()),
            Some(pause) => {
                let since = format_instant(pause.since);
                let message =
                    format!("run {} is paused by {} since {since}", subject.run, pause.by);
                Err(CommandError::usage(message).help(format!("`drctl continue {}`", subject.run)))
            }
        },
        Command::Switch { to, .. } if *to == subject.state.form => {
            Err(CommandError::usage(format!("run {} is {to} already", subject.run))
                .help(format!("`drctl status {}` shows who switched it", subject.run)))
        }
        // A pause, or another switch, may be on its way in the inbox.
        Command::Continue | Command::Switch { .. } => Ok(()),
        Command::Skip { step, .. } => judge_skip(subject, step),
        Command::Retry { step } => match subject.state.steps[step].status {
            StepStatus::Running | StepStatus::Undoing => Ok(()),
            status => {
                let message =
                    format!("step {step} is {}: there is nothing to retry", status.name());
                Err(CommandError::usage(message)
                    .help("a step that waits, or whose failure is asked about, can be retried"))
            }
        },
        Command::Abort { undo, .. } => match &subject.state.aborting {
            Some(first) if first.undo || !undo => {
                let at = format_instant(first.at);
                let message = format!("run {} was aborted by {} at {at}", subject.run, first.by);
                Err(CommandError::usage(message)
                    .help(format!("`drctl status {} --watch` shows how it ends", subject.run)))
            }
            Some(_) | None => Ok(()),
        },
    }
}

/// The question of a gate that waits.
fn gate<'a>(subject: &'a Subject, step: &StepKey) -> Result<&'a Question, CommandError> {
    let question = subject.question(step)?;
    let Some(gate) = &question.gate else {
        let help = elsewhere(&subject.plan, step, question);
        return Err(CommandError::usage(format!(
            "step {step} is no gate: it asks about a failure"
        ))
        .help(help));
    };
    // A simulated run has a time of its own, which has nothing to do with ours.
    if !subject.environment.is_simulated() && gate.deadline <= Clock::real().now() {
        let over = format_instant(gate.deadline);
        let message = format!("gate {step} could be decided until {over}");
        return Err(CommandError::usage(message).help(format!(
            "then {}: `drctl status {}`",
            gate.on_timeout.phrase(),
            subject.run
        )));
    }
    Ok(question)
}

/// Whether this person may decide.
fn allowed(
    subject: &Subject,
    step: &StepKey,
    question: &Question,
    by: &Person,
) -> Result<(), CommandError> {
    let Some(gate) = &question.gate else { return Ok(()) };
    let simulated = subject.environment.is_simulated();
    if may_decide(by, &gate.approvers, simulated) {
        return Ok(());
    }
    let message =
        format!("{step} is to be decided by {}, and you are {by}", gate.approvers.join(", "));
    let help = if simulated {
        "in a simulated environment DRCTL_OPERATOR or --as says who you are"
    } else {
        "nothing was posted; use your own credentials, for example with AWS_PROFILE, or ask one of them"
    };
    Err(CommandError::new(Exit::Rejected, message).help(help))
}

fn judge_skip(subject: &Subject, step: &StepKey) -> Result<(), CommandError> {
    let planned = subject.plan.steps.iter().find(|planned| planned.key == *step);
    let (always, gate) = planned
        .map(|planned| (planned.always, planned.gate == Some(GateKind::Person)))
        .unwrap_or_default();
    let status = subject.state.steps[step].status;
    if status.is_over() || status == StepStatus::Undoing {
        let message = format!("step {step} is {}: there is nothing to skip", status.name());
        return Err(CommandError::usage(message)
            .help(format!("`drctl status {}` shows what is still to come", subject.run)));
    }
    if always {
        let message = format!("step {step} cleans up and runs whatever happens");
        return Err(CommandError::usage(message).help("it cannot be skipped"));
    }
    let found = &subject.state.steps[step];
    if planned.is_some_and(|planned| is_reserved(planned, found)) {
        let message = format!("gate {step} cannot be skipped: it is for certain people");
        return Err(CommandError::new(Exit::Rejected, message).help("approve or reject it"));
    }
    if gate && subject.environment.protected {
        let name = &subject.environment.name;
        let message = format!("gate {step} cannot be skipped: `{name}` is protected");
        return Err(CommandError::new(Exit::Rejected, message).help("approve or reject it"));
    }
    Ok(())
}
