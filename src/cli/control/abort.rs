//! `drctl abort`: shows what ending the run means, asks, and posts it.
//!
//! **Invariant:** nobody ends a run without having seen what is undone and what stays.

use crate::cli::args::OutputForm;
use crate::cli::confirm::confirm_ending;
use crate::cli::control::args::AbortArgs;
use crate::cli::control::judge::judge;
use crate::cli::control::post::post;
use crate::cli::control::subject::Subject;
use crate::cli::control::who;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::undo_view::{ending_json, ending_text};
use crate::engine::undo_plan;
use crate::journal::Command;

/// Shows, asks, posts.
///
/// # Errors
/// See [`super::run`]; not agreed to (exit code 12).
pub(super) async fn run(
    tools: &Tools,
    subject: Subject,
    wish: Command,
    args: &AbortArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let undo = !args.no_undo;
    let found = undo_plan(&subject.plan, &subject.state);
    let text = ending_text(&subject.plan, &subject.state, &found, undo);
    if args.dry_run {
        match output {
            OutputForm::Text => out::prose(&text),
            OutputForm::Json => {
                out::result(&ending_json(&subject.plan, &subject.state, &found, undo));
            }
        }
        return Ok(Exit::Ok);
    }
    let by = who(tools, &subject, &args.target).await?;
    judge(&subject, &wish, &by)?;
    out::progress(&out::fitted(&text));
    let what = format!("abort run {} of {}", subject.run, subject.plan.title);
    confirm_ending(&subject.environment, &what, args.yes)?;
    post(tools, subject, wish, by, output).await
}
