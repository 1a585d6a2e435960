//! Reads drill files.
//!
//! **Invariant:** a drill names its runbook, its estate and its environment; nothing is guessed later.

use crate::base::diagnostic::Problems;
use crate::base::form::Form;
use crate::base::yaml::{self, Fields, Key, Kind, Node};
use crate::estate::{Environment, faults, header, objectives};
use crate::runbook::bind::{Given, bind};
use crate::runbook::check::suggestion;
use crate::runbook::codes;
use crate::runbook::document::{Naming, check_name, name, word};
use crate::runbook::lint::unmeasured;
use crate::runbook::model::{Drill, Runbook};
use crate::runbook::notify;
use crate::runbook::shape::DRILL;

/// Reads the drill in `text`, which came from the file called `file`. Whether its parameters fit the
/// runbook is said by [`check_drill`].
///
/// # Errors
/// All problems of the file, each with its place.
pub fn load_drill(file: &str, text: &str) -> Result<Drill, Problems> {
    let node = yaml::parse(file, text)?;
    let mut problems = Problems::in_text(file, text);
    let p = &mut problems;
    let mut fields = Fields::of(&node, "a drill", p).shaped(&DRILL);
    header(&mut fields, "Drill", p);
    let drill_name = name(&mut fields, "name", Naming::Document, p);
    let scenario = fields.text("scenario", p);
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
    let form = word(&mut fields, "form", &Form::NAMES, p);
    let notify = notify::read(&mut fields, p);
    let alarm = fields.text("alarm", p);
    let schedule = schedule(&mut fields, p);
    let faults = faults(&mut fields, p);
    fields.finish(p);
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(Drill {
        name: drill_name.map(|(name, _)| name).unwrap_or_default(),
        scenario,
        description,
        runbook: runbook.map(|(name, _)| name).unwrap_or_default(),
        estate,
        environment,
        parameters,
        objectives,
        form,
        notify,
        alarm,
        schedule,
        faults,
        file: file.to_owned(),
        text: text.to_owned(),
    })
}

/// Whether the drill fits its runbook: its parameters, and whether its objectives can be measured.
/// Parameters that it does not give are no problem: the command line may.
pub fn check_drill(drill: &Drill, runbook: &Runbook) -> Problems {
    let mut problems = Problems::in_text(&drill.file, &drill.text);
    let Ok(node) = yaml::parse(&drill.file, &drill.text) else { return problems };
    if let Some((_, Node { kind: Kind::Map(entries), .. })) = node.field("parameters") {
        for (key, value) in entries {
            check_parameter(runbook, key, value, &mut problems);
        }
    }
    let measured = [
        ("recovery_time", "recovered", &runbook.measure.recovered),
        ("recovery_point", "recovery_point", &runbook.measure.recovery_point),
    ];
    for (objective, measure, step) in measured {
        let promised = node.field("objectives").and_then(|(_, node)| node.field(objective));
        if let (Some((key, _)), true) = (promised, step.is_empty()) {
            let what = format!("`measure` of runbook `{}`", runbook.name);
            unmeasured(objective, measure, &what, key.span, &mut problems);
        }
    }
    problems
}

/// Whether the drill's faults can be met in `environment`: only a simulated one has any.
pub fn check_drill_faults(drill: &Drill, environment: &Environment) -> Problems {
    let mut problems = Problems::in_text(&drill.file, &drill.text);
    if drill.faults.is_empty() || environment.is_simulated() {
        return problems;
    }
    let Ok(node) = yaml::parse(&drill.file, &drill.text) else { return problems };
    if let Some((key, _)) = node.field("faults") {
        let message =
            format!("`faults` need the simulator: `{}` is not simulated", environment.name);
        let help = "remove them, or let the drill run in a simulated environment (`--env sim`)";
        problems.error("DR004", key.span, message).help(help);
    }
    problems
}

fn check_parameter(runbook: &Runbook, key: &Key, node: &Node, problems: &mut Problems) {
    let Some(parameter) = runbook.parameter(&key.name) else {
        let message = format!("runbook `{}` has no parameter `{}`", runbook.name, key.name);
        let names = runbook.parameters.iter().map(|parameter| parameter.name.as_str());
        let help = suggestion(&key.name, names);
        problems.error(codes::DRILL_PARAMETER, key.span, message).help(help);
        return;
    };
    if node.kind == Kind::Null {
        return;
    }
    if let Err(why) = bind(parameter, Some(&Given::Typed(node.to_value()))) {
        let message = format!("parameter `{}`: {why}", key.name);
        let declared =
            || format!("runbook `{}` declares it as {}", runbook.name, parameter.kind.name());
        let hint = node.to_value().hint(&parameter.kind.value_type());
        let help = hint.unwrap_or_else(declared);
        problems.error(codes::DRILL_PARAMETER, node.span, message).help(help);
    }
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
