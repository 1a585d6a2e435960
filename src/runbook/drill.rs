//! Reads drill files.
//!
//! **Invariant:** a drill names its runbook, its estate and its environment; nothing is guessed later.

use crate::base::diagnostic::Problems;
use crate::base::yaml::{self, Fields};
use crate::estate::{header, objectives};
use crate::runbook::bind::Given;
use crate::runbook::codes;
use crate::runbook::document::{Naming, check_name, name};
use crate::runbook::model::Drill;

/// Reads the drill in `text`, which came from the file called `file`. Whether its parameters fit the
/// runbook is said by [`crate::runbook::bind_parameters`].
///
/// # Errors
/// All problems of the file, each with its place.
pub fn load_drill(file: &str, text: &str) -> Result<Drill, Problems> {
    let node = yaml::parse(file, text)?;
    let mut problems = Problems::of(file);
    let p = &mut problems;
    let mut fields = Fields::of(&node, "a drill", p);
    header(&mut fields, "Drill", p);
    let drill_name = name(&mut fields, "name", Naming::Document, p);
    let description = fields.text("description", p).unwrap_or_default();
    let runbook = name(&mut fields, "runbook", Naming::Document, p);
    let estate = fields.required_text("estate", p).unwrap_or_default();
    let environment = fields.text("environment", p).unwrap_or_else(|| "sim".to_owned());
    let parameters = fields
        .entries("parameters", p)
        .into_iter()
        .map(|(key, node)| {
            check_name(&key.name, Naming::Id, key.span, p);
            (key.name.clone(), Given::Typed(node.to_value()))
        })
        .collect();
    let objectives = objectives(fields.node("objectives"), p);
    let schedule = schedule(&mut fields, p);
    fields.finish(p);
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(Drill {
        name: drill_name.map(|(name, _)| name).unwrap_or_default(),
        description,
        runbook: runbook.map(|(name, _)| name).unwrap_or_default(),
        estate,
        environment,
        parameters,
        objectives,
        schedule,
        file: file.to_owned(),
        text: text.to_owned(),
    })
}

/// Least and greatest number of each cron field.
const CRON: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
];

fn schedule(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<String> {
    let span = fields.node("schedule")?.span;
    let text = fields.text("schedule", problems)?;
    if let Err(why) = check_cron(&text) {
        problems
            .error(codes::SCHEDULE, span, format!("`{text}` is no schedule: {why}"))
            .help("write five fields, as in `0 6 1 * *`: at 06:00 on the first of every month");
    }
    Some(text)
}

fn check_cron(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != CRON.len() {
        return Err(format!("it has {} fields, not five", fields.len()));
    }
    for (field, (name, least, most)) in fields.iter().zip(CRON) {
        for part in field.split(',') {
            check_part(part, least, most)
                .ok_or_else(|| format!("`{part}` is no {name} ({least} to {most})"))?;
        }
    }
    Ok(())
}

/// `*`, `n`, `n-m`, each with an optional `/step`.
fn check_part(part: &str, least: u32, most: u32) -> Option<()> {
    let (range, step) =
        part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if let Some(step) = step {
        step.parse::<u32>().ok().filter(|step| (1..=most).contains(step))?;
    }
    if range == "*" {
        return Some(());
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|n| (least..=most).contains(n));
    match range.split_once('-') {
        None => number(range).map(|_| ()),
        Some((from, to)) => (number(from)? <= number(to)?).then_some(()),
    }
}
