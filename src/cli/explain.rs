//! `drctl explain`.
//!
//! **Invariant:** says what the table of explanations says, and nothing else.

use crate::base::diagnostic::nearest;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::runbook::codes::CODES;
use crate::runbook::explain::{Explanation, explanation};
use clap::Args;
use serde_json::{Value as Json, json};

/// `drctl explain`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl explain            all codes
  drctl explain DR012      one, with a wrong and a mended example")]
pub(super) struct ExplainArgs {
    /// The code, as a problem shows it; without it, all codes are listed.
    pub code: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// There is no such code.
pub(super) fn run(args: &ExplainArgs, output: OutputForm) -> Result<Exit, CommandError> {
    let chosen: Vec<Explanation> = match &args.code {
        Some(code) => vec![find(code)?],
        None => CODES.iter().filter_map(|(code, _)| explanation(code)).collect(),
    };
    match (output, &args.code) {
        (OutputForm::Json, _) => {
            let list: Vec<Json> = chosen.iter().map(as_json).collect();
            let document = json!({ "schema_version": 1, "codes": list });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
        (OutputForm::Text, Some(_)) => chosen.iter().for_each(|it| out::result(&as_text(it))),
        (OutputForm::Text, None) => {
            let line = |it: &Explanation| {
                format!("{}  {:<7}  {}\n", it.code, it.severity.name(), it.title)
            };
            out::result(&chosen.iter().map(line).collect::<String>());
        }
    }
    Ok(Exit::Ok)
}

fn find(word: &str) -> Result<Explanation, CommandError> {
    let code = word.to_ascii_uppercase();
    explanation(&code).ok_or_else(|| {
        let help = match nearest(&code, CODES.iter().map(|(code, _)| *code)) {
            Some(near) => format!("did you mean `{near}`? `drctl explain` lists all"),
            None => "`drctl explain` lists all".to_owned(),
        };
        CommandError::usage(format!("there is no code `{word}`")).help(help)
    })
}

fn as_text(it: &Explanation) -> String {
    let indented =
        |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "{}[{}]: {}\n\n{}\n\nWhy it matters: {}\n\nWrong:\n\n{}\nMended:\n\n{}",
        it.severity.name(),
        it.code,
        it.title,
        it.meaning,
        it.why,
        indented(it.wrong),
        indented(it.mended),
    )
}

fn as_json(it: &Explanation) -> Json {
    json!({
        "code": it.code, "severity": it.severity.name(), "title": it.title, "meaning": it.meaning,
        "why": it.why, "document": it.document.name(), "wrong": it.wrong, "mended": it.mended,
    })
}
