//! The procedure as Markdown.
//!
//! **Invariant:** no value can end the block of code that it stands in.

use crate::base::html::{plain, words};
use crate::runbook::doc::{Procedure, Variable};
use std::fmt::Write as _;

/// What stands at the top of every document.
pub(super) const PURPOSE: &str = "For the day that drctl cannot be used. Every step has the commands \
    that a person types in its place; `$NAMES` are set in the section Variables.";

/// The procedure as Markdown; `graph` is the drawing of the steps in text, if there is room for one.
pub fn markdown(procedure: &Procedure, graph: Option<&str>) -> String {
    let mut text = format!("# {} ({}), by hand\n", plain(&procedure.title), procedure.name);
    let _ = writeln!(text, "\n{PURPOSE}");
    if let Some(place) = &procedure.place {
        let _ = writeln!(text, "\nFor {place}.");
    }
    let docs = &procedure.docs;
    section(&mut text, "Purpose", Some(&procedure.purpose));
    section(&mut text, "Objectives", Some(&procedure.promised));
    section(&mut text, "Prerequisites", docs.prerequisites.as_ref());
    if !procedure.parameters.is_empty() {
        text.push_str("\n## Parameters\n\n");
        for (name, declared, value, description) in &procedure.parameters {
            let here = value.as_ref().map(|it| format!(" Here: `{}`.", words(it)));
            let line =
                format!("- `{name}` ({declared}).{} {description}", here.unwrap_or_default());
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    if !procedure.variables.is_empty() {
        text.push_str("\n## Variables\n\nSet these before the commands that use them.\n\n");
        block(&mut text, "sh", &assignments(&procedure.variables));
    }
    text.push_str("\n## Procedure\n");
    if let Some(graph) = graph {
        text.push('\n');
        block(&mut text, "text", &graph.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    for (number, step) in procedure.steps.iter().enumerate() {
        let _ = writeln!(text, "\n### {}. {} ({})\n", number + 1, plain(&step.title), step.id);
        let _ = writeln!(text, "{}\n", words(&step.action));
        for note in &step.notes {
            let _ = writeln!(text, "- {}", words(note));
        }
        if !step.commands.is_empty() {
            text.push('\n');
            block(&mut text, "sh", &step.commands);
        }
    }
    section(&mut text, "Verification", docs.verification.as_ref());
    text.push_str("\n## Rollback\n");
    if let Some(rollback) = &docs.rollback {
        let _ = writeln!(text, "\n{}", rollback.trim_end());
    }
    for (step, undo) in procedure.steps.iter().rev().filter_map(|it| Some((it, it.undo.as_ref()?)))
    {
        let _ = writeln!(text, "\nTo take back `{}` ({}):\n", step.id, undo.0);
        block(&mut text, "sh", &undo.1);
    }
    section(&mut text, "Escalation", docs.escalation.as_ref());
    text
}

fn section(text: &mut String, heading: &str, words: Option<&String>) {
    if let Some(words) = words.filter(|words| !words.trim().is_empty()) {
        let _ = writeln!(text, "\n## {heading}\n\n{}", words.trim_end());
    }
}

/// The assignments that the reader completes, each after what it is.
pub(super) fn assignments(variables: &[Variable]) -> Vec<String> {
    let one = |it: &Variable| {
        let empty = if it.list { "()" } else { "" };
        [format!("# {}", words(&it.why)), format!("{}={empty}", it.name)]
    };
    variables.iter().flat_map(one).collect()
}

/// A fence longer than every run of backquotes inside.
fn block(text: &mut String, language: &str, lines: &[String]) {
    let inside = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
    let fence = "`".repeat(inside.unwrap_or(0).max(2) + 1);
    let _ = writeln!(text, "{fence}{language}\n{}\n{fence}", lines.join("\n"));
}
