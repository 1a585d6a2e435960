//! A rehearsal for people.
//!
//! **Invariant:** what was never exercised and what is untested is told by name and place, also where
//! nothing was violated.

use super::model::{CrashRow, GuardVerdict, Rehearsal, ScenarioRow, Violation};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most violations that are told one by one; the JSON has all.
const MOST: usize = 20;

/// The rehearsal as text.
pub fn render_text(rehearsal: &Rehearsal) -> String {
    let mut text = String::new();
    let subject = &rehearsal.subject;
    line(&mut text, &format!("Rehearsal of {}: {}", subject.name, subject.title));
    labelled(&mut text, "runbook", &subject.file);
    let place =
        format!("{} in {}, simulated, seed {}", subject.estate, subject.environment, subject.seed);
    labelled(&mut text, "where", &place);
    scenarios(&mut text, &rehearsal.scenarios);
    crashes(&mut text, &rehearsal.scenarios);
    storms(&mut text, rehearsal);
    looks(&mut text, rehearsal);
    coverage(&mut text, rehearsal);
    guards(&mut text, rehearsal);
    violations(&mut text, &rehearsal.violations);
    text
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{content}").expect("a text takes text");
}

fn labelled(text: &mut String, label: &str, content: &str) {
    line(text, &format!("{label:<13}{content}"));
}

fn scenarios(text: &mut String, rows: &[ScenarioRow]) {
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *ends.entry(&row.outcome).or_default() += 1;
    }
    let ends: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    if rows.is_empty() {
        return;
    }
    labelled(text, "scenarios", &format!("{} played: {}", rows.len(), ends.join(", ")));
    let width = rows.iter().map(|row| row.scenario.len()).max().unwrap_or(0);
    for row in rows {
        let mut words = vec![row.outcome.clone()];
        if !row.stops.is_empty() {
            words.push(format!("stopped for {} until it was mended", row.stops.join(", ")));
        }
        if row.as_without_faults {
            words.push("as without faults".to_owned());
        }
        if let Some(crashes) = row.crashes {
            words.push(format!("killed at {} points", crashes.points));
        }
        if row.violations > 0 {
            words.push(format!("VIOLATIONS: {}", row.violations));
        }
        line(text, &format!("  {:<width$}  {}", row.scenario, words.join("; ")));
    }
}

fn crashes(text: &mut String, rows: &[ScenarioRow]) {
    let rows: Vec<CrashRow> = rows.iter().filter_map(|row| row.crashes).collect();
    if rows.is_empty() {
        return;
    }
    let points: usize = rows.iter().map(|row| row.points).sum();
    let second: usize = rows.iter().map(|row| row.second).sum();
    let instants: u64 = rows.iter().map(|row| row.instants).sum();
    let folded: u64 = rows.iter().map(|row| row.folded).sum();
    let told = format!(
        "{points} points for {instants} instants ({folded} differ from one of them in time alone), \
         {second} second crashes"
    );
    labelled(text, "killed", &told);
}

fn storms(text: &mut String, rehearsal: &Rehearsal) {
    let Some(row) = &rehearsal.storms else { return };
    let met: Vec<String> = row.met.iter().map(|(what, count)| format!("{what} {count}")).collect();
    labelled(text, "storms", &format!("{}: {}", row.storms, met.join(", ")));
}

fn looks(text: &mut String, rehearsal: &Rehearsal) {
    if rehearsal.looked_at == 0 {
        return;
    }
    let told = format!(
        "writers and names looked at in {} instants, where anything could change",
        rehearsal.looked_at
    );
    labelled(text, "split brain", &told);
    for row in &rehearsal.scenarios {
        for agreed in &row.agreed {
            line(text, &format!("  - NOTE {}: {agreed}", row.scenario));
        }
    }
}

fn coverage(text: &mut String, rehearsal: &Rehearsal) {
    let rows = &rehearsal.coverage;
    if rows.is_empty() {
        return;
    }
    let never: Vec<_> = rows.iter().filter(|row| row.scenario.is_none()).collect();
    let told = format!("{} of {} parts of the runbook", rows.len() - never.len(), rows.len());
    labelled(text, "exercised", &told);
    if !never.is_empty() {
        line(text, "never exercised:");
    }
    for row in never {
        line(text, &format!("  - {}: {} ({})", row.step, row.branch, row.place));
    }
}

fn guards(text: &mut String, rehearsal: &Rehearsal) {
    let Some(guards) = &rehearsal.guards else { return };
    let count = |verdict| guards.iter().filter(|guard| guard.verdict == verdict).count();
    let told = format!(
        "{}: removing {} is noticed, {} are held by the language, {} UNTESTED",
        guards.len(),
        count(GuardVerdict::Noticed),
        count(GuardVerdict::Held),
        count(GuardVerdict::Untested)
    );
    labelled(text, "guards", &told);
    for guard in rehearsal.untested() {
        let told = format!(
            "  - this guard is untested: {}: {} ({})",
            guard.step, guard.guard, guard.place
        );
        line(text, &told);
    }
}

fn violations(text: &mut String, violations: &[Violation]) {
    if violations.is_empty() {
        labelled(text, "violations", "none");
        return;
    }
    labelled(text, "VIOLATIONS", &violations.len().to_string());
    for found in violations.iter().take(MOST) {
        let place = found.point.as_ref().unwrap_or(&found.scenario);
        let at = found.at.as_ref().map(|at| format!(", killed {at}")).unwrap_or_default();
        line(text, &format!("  - {}: {place}{at}: {}", found.property, found.message));
        line(text, &format!("    again: {}", found.replay));
    }
    if violations.len() > MOST {
        line(text, &format!("  and {} more: --output json has all", violations.len() - MOST));
    }
}
