//! Asks the person at the terminal.
//!
//! **Invariant:** nobody at the terminal means no; a protected environment is never satisfied by `--yes`.

use crate::base::digest::Digest;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::stored_json;
use crate::cli::out;
use crate::cli::plan_view::{pace_note, plan_text};
use crate::estate::{Environment, EnvironmentKind};
use crate::plan::model::Plan;
use std::io::{BufRead as _, IsTerminal as _};

/// Asks for leave to change something in an environment that is not simulated.
///
/// # Errors
/// The answer is no, or nobody can be asked (exit code 12).
pub(super) fn confirm(
    environment: &Environment,
    plan: &Plan,
    yes: bool,
) -> Result<(), CommandError> {
    let what =
        format!("{} in `{}` (account {})", plan.title, environment.name, environment.account);
    if must_ask(environment, yes) {
        // Nobody agrees to what they have not seen.
        let digest = Digest::of(stored_json(plan).as_bytes());
        out::progress(&plan_text(plan, &digest));
    }
    confirm_change(environment, &what, yes)
}

/// Says when a simulated time goes so fast that nobody has time to answer.
pub(super) fn hurried(plan: &Plan, pace: Option<f64>) {
    if let Some(note) = pace_note(plan, pace) {
        out::progress(&out::fitted(&note));
    }
}

/// Asks for leave to do `what`.
///
/// # Errors
/// The answer is no, or nobody can be asked (exit code 12).
pub(super) fn confirm_change(
    environment: &Environment,
    what: &str,
    yes: bool,
) -> Result<(), CommandError> {
    if must_ask(environment, yes) { ask(environment, what) } else { Ok(()) }
}

fn ask(environment: &Environment, what: &str) -> Result<(), CommandError> {
    let name = &environment.name;
    if !std::io::stdin().is_terminal() {
        let why = if environment.protected {
            format!(
                "`{name}` is protected: a person at a terminal has to type its name; --yes is not enough"
            )
        } else {
            format!("nobody is at the terminal to agree to {what}")
        };
        let help = if environment.protected { "run it from a terminal" } else { "use --yes" };
        return Err(CommandError::new(Exit::Rejected, why).help(help));
    }
    let (question, wanted) = if environment.protected {
        (format!("{what}: type the environment's name, {name}, to go on: "), name.as_str())
    } else {
        (format!("{what}: go on? Type yes: "), "yes")
    };
    match read_line(&question) {
        Some(answer) if answer == wanted => Ok(()),
        _ => Err(CommandError::new(Exit::Rejected, "not agreed to; nothing was changed")),
    }
}

/// Asks for leave to end something that runs: also in a simulated environment, where others may wait for
/// it. `yes` answers, except in a protected environment.
///
/// # Errors
/// The answer is no, or nobody can be asked (exit code 12).
pub(super) fn confirm_ending(
    environment: &Environment,
    what: &str,
    yes: bool,
) -> Result<(), CommandError> {
    if yes && !environment.protected { Ok(()) } else { ask(environment, what) }
}

fn must_ask(environment: &Environment, yes: bool) -> bool {
    let real = matches!(environment.kind, EnvironmentKind::Aws { .. });
    environment.protected || (real && !yes)
}

/// Shows a question and reads one line; `None` at the end of the input.
pub(super) fn read_line(question: &str) -> Option<String> {
    out::prompt(question);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    Some(line.trim().to_owned())
}
