//! The end of a run on a terminal: short plain text.
//!
//! **Invariant:** it says nothing that the report does not say, and no less about what went wrong.

use crate::report::audit::{Part, part_name};
use crate::report::markdown::ms;
use crate::report::measure::human_ms;
use crate::report::model::{ObjectiveStatus, Report, Severity, WaterfallEnd};
use comfy_table::{ContentArrangement, Table, presets};

/// The summary, without colour.
pub fn render_summary(report: &Report) -> String {
    let mut text = format!("{}\n", report.verdict.headline);
    if let Some(banner) = &report.run.banner {
        text.push_str(&format!("{banner}\n"));
    }
    text.push_str(&format!(
        "run {} in {} (answered by {})\n",
        report.run.run, report.run.environment, report.run.server
    ));
    if !report.run.faults.is_empty() {
        text.push_str(&format!("with faults: {}\n", report.run.faults.join(", ")));
    }
    if !report.run.form.is_empty() {
        text.push_str(&format!("form: {}\n", report.run.form));
    }
    let part =
        |part: &Part| format!("{} {}", part_name(&part.name).to_lowercase(), part.status.name());
    text.push_str(&report.parts.iter().map(part).collect::<Vec<_>>().join(", "));
    text.push_str("\n\n");
    text.push_str(&objectives(report));
    text.push_str(&format!("{}\n{}\n", time(report), point(report)));
    for copies in &report.copies {
        text.push_str(&format!("copies {}\n", copies.words()));
    }
    let findings: Vec<_> =
        report.findings.iter().filter(|one| one.severity != Severity::Note).collect();
    if !findings.is_empty() {
        text.push_str("\nfindings:\n");
    }
    for one in findings {
        let step = one.step.as_ref().map_or_else(String::new, |step| format!("{step}: "));
        text.push_str(&format!("  {}: {step}{}\n", one.severity.name(), one.text));
    }
    if let Some(score) = &report.prediction {
        text.push_str(&format!("\nprediction: {} of {} held\n", score.held, score.total));
    }
    text.push_str(&kept(report));
    text.push_str(&format!(
        "\njournal: {} events, {}\n",
        report.run.journal_count, report.run.journal_digest
    ));
    text
}

/// What becomes of what a drill kept.
const KEPT_BY_A_DRILL: &str = "  (24 hours after its plan `drctl sweep` may remove it, unless somebody \
                               gives it the tag drctl:keep)\n";

/// Everything that stays: what can be connected to with its address.
fn kept(report: &Report) -> String {
    let stays = report.left_behind.iter().filter(|left| left.why.starts_with("kept"));
    let lines: Vec<String> = stays
        .map(|left| match &left.endpoint {
            Some(endpoint) => format!("kept: {} at {endpoint}\n", left.what),
            None => format!("kept: {}\n", left.what),
        })
        .collect();
    // What a run made carries `drctl:keep` from its creation on.
    let fate = if report.run.drill.is_some() { KEPT_BY_A_DRILL } else { "" };
    if lines.is_empty() { String::new() } else { format!("\n{}{fate}", lines.concat()) }
}

fn objectives(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["objective", "promised", "measured", "status"]);
    for one in &report.objectives {
        let status = match one.status {
            ObjectiveStatus::Met => "met",
            ObjectiveStatus::Missed => "MISSED",
            ObjectiveStatus::Unknown => "unknown",
            ObjectiveStatus::NotPromised => "not promised",
        };
        let (promised, measured) = (ms(one.promised_ms), ms(one.measured_ms));
        table.add_row([one.name.replace('_', " "), promised, measured, status.to_owned()]);
    }
    let lines = table.to_string();
    let trimmed = lines.lines().map(|line| format!("{}\n", line.trim_end()));
    trimmed.collect::<String>() + "\n"
}

fn time(report: &Report) -> String {
    let waterfall = &report.waterfall;
    let phases = waterfall.phases.iter().map(|one| format!("{} {}", one.phase, human_ms(one.ms)));
    let phases = phases.collect::<Vec<_>>().join(" + ");
    let total = human_ms(waterfall.total_ms);
    let cleanup = human_ms(waterfall.cleanup_ms);
    match waterfall.to_what {
        WaterfallEnd::Recovered => {
            format!("recovery time {total} = {phases}\n  (clean-up {cleanup} not counted)")
        }
        WaterfallEnd::LastEvent => format!("NOT recovered; {total} so far = {phases}"),
        WaterfallEnd::NothingToRecover => format!("nothing to recover; {total} = {phases}"),
    }
}

fn point(report: &Report) -> String {
    let point = &report.recovery_point;
    let each = point.each.iter().map(|one| {
        let proven = one.point.proven_ms.map_or_else(|| "unknown".to_owned(), human_ms);
        format!("\n  {}: {proven}", one.step)
    });
    let each: String = each.collect();
    let claimed = point.claimed_ms.map_or_else(|| "unknown".to_owned(), human_ms);
    match point.proven_ms {
        Some(proven) => format!(
            "recovery point {} proven, {claimed} claimed, counted from {}{each}",
            human_ms(proven),
            point.from_what()
        ),
        None => format!("recovery point {}; claimed {claimed}{each}", point.note),
    }
}
