//! `drctl runbook show`.
//!
//! **Invariant:** says what the file and the actions' declarations say, and nothing else.

use crate::action::spec::{ActionSpec, Reversibility};
use crate::base::duration::format;
use crate::base::value::Value;
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::runbook::{read_runbook, readable_drills};
use crate::runbook::doc::{declaration, promised};
use crate::runbook::drawing::{kind_of, marks};
use crate::runbook::{Drill, OnFailure, Runbook, Step};
use clap::Args;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// Which runbook.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    pub name: String,
}

/// Runs the command.
///
/// # Errors
/// There is no such runbook, or it has problems.
pub(super) fn run(
    tools: &Tools,
    args: &NameArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let runbook = read_runbook(tools, &args.name)?;
    let mut drills = readable_drills(tools);
    drills.retain(|drill| drill.runbook == runbook.name);
    match output {
        OutputForm::Text => out::prose(&as_text(&runbook, &drills, tools)),
        OutputForm::Json => {
            let document = as_json(&runbook, &drills, tools);
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    Ok(Exit::Ok)
}

fn as_text(runbook: &Runbook, drills: &[Drill], tools: &Tools) -> String {
    let mut text = format!("{}: {}\n{}\n", runbook.name, runbook.title, runbook.file);
    if !runbook.description.is_empty() {
        let _ = writeln!(text, "\n{}", runbook.description.trim_end());
    }
    let docs = &runbook.docs;
    for (heading, words) in [
        ("Prerequisites", &docs.prerequisites),
        ("Verification", &docs.verification),
        ("Rollback", &docs.rollback),
        ("Escalation", &docs.escalation),
    ] {
        if let Some(words) = words {
            let _ = writeln!(text, "\n{heading}: {}", words.trim_end());
        }
    }
    if !runbook.parameters.is_empty() {
        text.push_str("\nParameters\n");
        for parameter in &runbook.parameters {
            let words = declaration(parameter);
            let _ = writeln!(text, "  {}: {words}", parameter.name);
            if !parameter.description.is_empty() {
                let _ = writeln!(text, "      {}", parameter.description.trim_end());
            }
        }
    }
    text.push_str("\nSteps\n");
    for (number, step) in runbook.steps.iter().enumerate() {
        step_text(&mut text, number + 1, step, tools.catalogue.spec(&step.uses));
    }
    let _ = writeln!(text, "\nObjectives: {}", promised(runbook.objectives));
    let _ = writeln!(text, "Measured: {}", measured(runbook));
    let names: Vec<&str> = drills.iter().map(|drill| drill.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let _ = writeln!(text, "Drills that use it: {names}");
    text
}

fn step_text(text: &mut String, number: usize, step: &Step, spec: Option<&ActionSpec>) {
    let kind = kind_of(step, spec).word();
    let marks = marks(step, spec).into_iter().map(|mark| format!(" [{mark}]")).collect::<String>();
    let _ = writeln!(text, "  {number}. {} ({kind}){marks}", step.id);
    let _ = writeln!(text, "      {}", step.title);
    let _ = writeln!(text, "      uses {}, phase {}", step.uses, step.phase.name());
    let needs = step.needs.join(", ");
    let after = match (step.needs.is_empty(), step.always) {
        (true, _) => "begins at once".to_owned(),
        (false, false) => format!("after {needs}"),
        (false, true) => format!("after {needs} have ended, whatever became of them"),
    };
    let when = step.when.as_ref().map(|it| format!(", when {}", it.text())).unwrap_or_default();
    let _ = writeln!(text, "      {after}{when}");
    if let Some(timeout) = step.timeout.or(spec.map(|spec| spec.default_timeout)) {
        let own = if step.timeout.is_some() { "" } else { " (the action's)" };
        let _ = writeln!(text, "      time-out {}{own}{}", format(timeout), failure(step));
    }
    if let Some(Reversibility::UndoneBy { action, .. }) = spec.map(|spec| spec.reversibility) {
        let _ = writeln!(text, "      undone by {action}");
    }
}

fn failure(step: &Step) -> String {
    match step.on_failure {
        OnFailure::Stop => String::new(),
        other => format!(", on failure {}", other.name()),
    }
}

fn measured(runbook: &Runbook) -> String {
    let measure = &runbook.measure;
    let several = measure.recovered.len() > 1;
    let parts: Vec<String> = [
        ("recovered when", &measure.recovered, if several { "have succeeded" } else { "succeeds" }),
        ("recovery point from", &measure.recovery_point, ""),
        ("restored to the instant of", &measure.restored, ""),
    ]
    .into_iter()
    .filter(|(_, steps, _)| !steps.is_empty())
    .map(|(what, steps, end)| format!("{what} {} {end}", steps.join(" and ")))
    .map(|words| words.trim_end().to_owned())
    .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

fn as_json(runbook: &Runbook, drills: &[Drill], tools: &Tools) -> Json {
    let parameters: Vec<Json> = runbook
        .parameters
        .iter()
        .map(|it| {
            let choices: Vec<Json> = it.choices.iter().map(Value::to_json).collect();
            json!({
                "name": it.name, "type": it.kind.name(), "required": it.required,
                "default": it.default.as_ref().map(Value::to_json), "choices": choices,
                "description": it.description,
            })
        })
        .collect();
    let steps: Vec<Json> =
        runbook.steps.iter().map(|it| step_json(it, tools.catalogue.spec(&it.uses))).collect();
    let (docs, measure) = (&runbook.docs, &runbook.measure);
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let objectives = runbook.objectives;
    json!({
        "schema_version": 1, "name": runbook.name, "title": runbook.title, "file": runbook.file,
        "description": runbook.description,
        "docs": {
            "prerequisites": docs.prerequisites, "verification": docs.verification,
            "rollback": docs.rollback, "escalation": docs.escalation,
        },
        "parameters": parameters, "steps": steps,
        "objectives": {
            "recovery_time_ms": objectives.recovery_time.map(millis),
            "recovery_point_ms": objectives.recovery_point.map(millis),
        },
        "measure": {
            "recovered": measure.recovered, "recovery_point": measure.recovery_point,
            "restored": measure.restored,
        },
        "drills": drills.iter().map(|drill| &drill.name).collect::<Vec<_>>(),
    })
}

fn step_json(step: &Step, spec: Option<&ActionSpec>) -> Json {
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let undo = match spec.map(|spec| spec.reversibility) {
        Some(Reversibility::UndoneBy { action, .. }) => Some(action),
        Some(Reversibility::ReadOnly | Reversibility::Irreversible) | None => None,
    };
    let with: Json = step.with.iter().map(|(name, it)| (name.clone(), it.to_json())).collect();
    json!({
        "id": step.id, "title": step.title, "uses": step.uses, "with": with,
        "kind": kind_of(step, spec).word(), "marks": marks(step, spec), "needs": step.needs,
        "phase": step.phase.name(), "when": step.when.as_ref().map(|it| it.text().to_owned()),
        "timeout_ms": step.timeout.or(spec.map(|spec| spec.default_timeout)).map(millis),
        "on_failure": step.on_failure.name(), "undone_by": undo,
        "for_each": step.for_each.as_ref().map(|it| it.items.to_json()),
    })
}
