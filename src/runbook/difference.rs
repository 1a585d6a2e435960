//! What differs between two versions of a runbook, step by step.
//!
//! **Invariant:** what would make a run do something else has a line; what is for people only (comments,
//! layout, descriptions) has none.

use crate::base::duration;
use crate::runbook::model::{Parameter, Runbook, Step};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// One line a step or setting: `+ step x`, `- step y`, `~ step z: timeout 30m -> 1h`.
    pub lines: Vec<String>,
    /// Ids of steps that changed or are gone.
    pub touched: BTreeSet<String>,
}

/// Longest value that a line shows.
const SHOWN: usize = 60;

/// What `new` changes in `old`.
pub fn difference(old: &Runbook, new: &Runbook) -> Difference {
    let mut found = Difference::default();
    for step in &new.steps {
        if old.step(&step.id).is_none() {
            found.lines.push(format!("+ step {} ({})", step.id, step.uses));
        }
    }
    for step in &old.steps {
        let Some(now) = new.step(&step.id) else {
            found.lines.push(format!("- step {} ({})", step.id, step.uses));
            found.touched.insert(step.id.clone());
            continue;
        };
        let changes = changes(&facets(step), &facets(now));
        if !changes.is_empty() {
            found.lines.push(format!("~ step {}: {}", step.id, changes.join("; ")));
            found.touched.insert(step.id.clone());
        }
    }
    let parameters = |runbook: &Runbook| -> BTreeMap<String, String> {
        runbook.parameters.iter().map(|one| (one.name.clone(), parameter(one))).collect()
    };
    for change in changes(&parameters(old), &parameters(new)) {
        found.lines.push(format!("~ parameter {change}"));
    }
    let form = |runbook: &Runbook| runbook.form.unwrap_or_default();
    if form(old) != form(new) {
        let (old, new) = (form(old), form(new));
        found.lines.push(format!("~ form {old} -> {new}; a run keeps the form that it has"));
    }
    for change in changes(&measures(old), &measures(new)) {
        found.lines.push(format!("~ measure {change}"));
    }
    for change in changes(&assumed(old), &assumed(new)) {
        found.lines.push(format!("~ {change}"));
    }
    found
}

/// The values that differ: `timeout 30m -> 1h`, `with.class (none) -> "db.m5"`.
fn changes(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let shown = |value: Option<&String>| match value {
        None => "(none)".to_owned(),
        Some(text) if text.chars().count() > SHOWN => {
            text.chars().take(SHOWN).chain(['…']).collect()
        }
        Some(text) => text.clone(),
    };
    let differ = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differ
        .map(|name| format!("{name} {} -> {}", shown(old.get(name)), shown(new.get(name))))
        .collect()
}

/// Everything about a step that a run obeys, by name.
fn facets(step: &Step) -> BTreeMap<String, String> {
    let mut facets: BTreeMap<String, String> = step
        .with
        .iter()
        .map(|(name, value)| (format!("with.{name}"), value.to_json().to_string()))
        .collect();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facets.insert(name.to_owned(), value);
        }
    };
    let json = |value: Json| value.to_string();
    put("uses", Some(step.uses.clone()));
    put("needs", (!step.needs.is_empty()).then(|| step.needs.join(", ")));
    put("when", step.when.as_ref().map(|when| when.text().to_owned()));
    put("region", step.region.as_ref().map(|region| json(region.to_json())));
    put("account", step.account.clone());
    put("for_each", step.for_each.as_ref().map(|each| json(each.items.to_json())));
    put("phase", Some(step.phase.name().to_owned()));
    put("timeout", step.timeout.map(duration::format));
    put(
        "retry",
        step.retry.map(|retry| {
            format!("{} times, {} apart", retry.attempts, duration::format(retry.backoff))
        }),
    );
    put("on_failure", Some(step.on_failure.name().to_owned()));
    for (name, on) in [
        ("always", step.always),
        ("idempotent", step.idempotent),
        ("irreversible", step.irreversible),
    ] {
        put(name, on.then(|| "true".to_owned()));
    }
    facets
}

/// The region that it takes for lost: where its journal must not be.
fn assumed(runbook: &Runbook) -> BTreeMap<String, String> {
    let lost = runbook.assumes_lost.as_ref();
    lost.map(|lost| ("assumes_lost".to_owned(), lost.to_json().to_string())).into_iter().collect()
}

fn parameter(parameter: &Parameter) -> String {
    let mut text = parameter.kind.name().to_owned();
    if let Some(default) = &parameter.default {
        text.push_str(&format!(", default {}", default.to_json()));
    }
    if parameter.required {
        text.push_str(", required");
    }
    if !parameter.choices.is_empty() {
        let choices = parameter.choices.iter().map(|one| one.to_json().to_string());
        text.push_str(&format!(", one of {}", choices.collect::<Vec<_>>().join(", ")));
    }
    text
}

fn measures(runbook: &Runbook) -> BTreeMap<String, String> {
    let measure = &runbook.measure;
    let named = [
        ("recovered", &measure.recovered),
        ("recovery_point", &measure.recovery_point),
        ("restored", &measure.restored),
    ];
    named
        .into_iter()
        .map(|(name, steps)| {
            let steps = steps.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            (name.to_owned(), steps)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::standard;
    use crate::runbook::load_runbook;

    fn runbook(steps: &str) -> Runbook {
        let text = format!(
            "apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nparameters:\n  \
             database: {{ type: string, default: orders }}\nsteps:\n{steps}"
        );
        let loaded = load_runbook("r.yaml", &text, &standard());
        loaded.unwrap_or_else(|problems| panic!("{problems:?}")).0
    }

    const WAIT: &str =
        "  - { id: ask, uses: gate.approve, with: { message: go on? }, timeout: 30m }\n";
    const REST: &str =
        "  - { id: rest, uses: gate.wait_until, needs: [ask], with: { for: 1m }, timeout: 2m }\n";

    #[test]
    fn steps_that_come_go_and_change_have_a_line_each() {
        let old = runbook(&format!("{WAIT}{REST}"));
        assert_eq!(difference(&old, &old), Difference::default());
        let new = runbook(
            "  - { id: ask, uses: gate.approve, with: { message: really? }, timeout: 1h }\n  \
             - { id: last, uses: gate.approve, needs: [ask], with: { message: and now? } }\n",
        );
        let found = difference(&old, &new);
        assert_eq!(
            found.lines,
            [
                "+ step last (gate.approve)",
                "~ step ask: timeout 30m -> 1h; with.message \"go on?\" -> \"really?\"",
                "- step rest (gate.wait_until)",
            ]
        );
        let touched: Vec<&String> = found.touched.iter().collect();
        assert_eq!(touched, ["ask", "rest"]);
    }

    #[test]
    fn another_region_that_is_taken_for_lost_is_a_difference() {
        let old = runbook(WAIT);
        let assuming = |region: &str| {
            let text = old.text.replace("steps:", &format!("assumes_lost: {region}\nsteps:"));
            load_runbook("r.yaml", &text, &standard()).expect("valid").0
        };
        let (east, west) = (assuming("us-east-1"), assuming("us-west-2"));
        let lines = |old: &Runbook, new: &Runbook| difference(old, new).lines;
        assert_eq!(lines(&old, &east), ["~ assumes_lost (none) -> \"us-east-1\""]);
        assert_eq!(lines(&east, &west), ["~ assumes_lost \"us-east-1\" -> \"us-west-2\""]);
        assert_eq!(lines(&east, &east), Vec::<String>::new());
    }

    #[test]
    fn what_is_for_people_only_is_no_difference() {
        let old = runbook(WAIT);
        let new =
            runbook(&format!("  # Ask first.\n{WAIT}").replace("id: ask,", "id: ask, title: Ask,"));
        assert_ne!(old.text, new.text);
        assert_eq!(difference(&old, &new), Difference::default());
    }
}
