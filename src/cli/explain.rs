//! `drctl explain`.
//!
//! **Invariant:** says what the table of explanations and the catalogue of actions say, and nothing else.

use crate::action::standard;
use crate::base::diagnostic::nearest;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::{explain_action, out};
use crate::runbook::codes::CODES;
use crate::runbook::explain::{Explanation, explanation};
use clap::Args;
use serde_json::{Value as Json, json};

/// `drctl explain`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl explain                  all codes and all actions
  drctl explain DR012            a code, with a wrong and a mended example
  drctl explain gate.approve     an action: its inputs and outputs with their types")]
pub(super) struct ExplainArgs {
    /// A code, as a problem shows it, or an action; without it, all are listed.
    #[arg(value_name = "CODE|ACTION")]
    pub code: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// There is no such code and no such action.
pub(super) fn run(args: &ExplainArgs, output: OutputForm) -> Result<Exit, CommandError> {
    let actions = standard();
    if let Some(spec) = args.code.as_deref().and_then(|name| actions.spec(name)) {
        match output {
            OutputForm::Text => out::prose(&explain_action::as_text(spec)),
            OutputForm::Json => {
                let document = explain_action::as_json(spec);
                out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
            }
        }
        return Ok(Exit::Ok);
    }
    let chosen: Vec<Explanation> = match &args.code {
        Some(code) => vec![find(code)?],
        None => CODES.iter().filter_map(|(code, _)| explanation(code)).collect(),
    };
    match (output, &args.code) {
        (OutputForm::Json, _) => {
            let list: Vec<Json> = chosen.iter().map(as_json).collect();
            let document = json!({
                "schema_version": 1, "codes": list, "actions": actions.names().collect::<Vec<_>>(),
            });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
        (OutputForm::Text, Some(_)) => chosen.iter().for_each(|it| out::prose(&as_text(it))),
        (OutputForm::Text, None) => {
            let line = |it: &Explanation| {
                format!("{}  {:<7}  {}\n", it.code, it.severity.name(), it.title)
            };
            let codes = chosen.iter().map(line).collect::<String>();
            let action = |name: &str| {
                let summary = actions.spec(name).map_or("", |spec| spec.summary);
                format!("{name:<28}  {summary}\n")
            };
            out::prose(&format!("{codes}\n{}", actions.names().map(action).collect::<String>()));
        }
    }
    Ok(Exit::Ok)
}

fn find(word: &str) -> Result<Explanation, CommandError> {
    let code = word.to_ascii_uppercase();
    explanation(&code).ok_or_else(|| {
        let actions = standard();
        let near = if word.contains('.') {
            nearest(word, actions.names())
        } else {
            nearest(&code, CODES.iter().map(|(code, _)| *code))
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`? `drctl explain` lists all"),
            None => "`drctl explain` lists all".to_owned(),
        };
        let what = if word.contains('.') { "action" } else { "code" };
        CommandError::usage(format!("there is no {what} `{word}`")).help(help)
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
