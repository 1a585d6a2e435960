//! What is read first: banner, verdict, its three parts, promises, recovery time and point.
//!
//! **Invariant:** a word says what a colour says.

use crate::base::html::{code, heading, instant, shown};
use crate::report::audit::{Part, PartStatus, part_name};
use crate::report::charts::gantt::{ROWS, gantt_charts};
use crate::report::charts::waterfall::{in_words, waterfall_chart};
use crate::report::markdown::ms;
use crate::report::measure::{RECOVERY_TIME, human_ms};
use crate::report::model::{
    Objective, ObjectiveStatus, RecoveryPoint, Report, VerdictState, WaterfallEnd,
};
use maud::{Markup, html};

/// Banner, verdict, parts, title.
pub fn top(report: &Report) -> Markup {
    let verdict = &report.verdict;
    let (word, why) = verdict.headline.split_once(':').unwrap_or((&verdict.headline, ""));
    let run = &report.run;
    html! {
        @if let Some(banner) = &run.banner { p.banner role="note" { (banner) } }
        div class={ "verdict " (mood(report)) } {
            p.word { (sign(report)) " " (heading(word)) }
            p.why { (heading(why.trim())) }
        }
        ul.parts aria-label="Restore, validation and clean-up" {
            @for part in &report.parts { (card(part)) }
        }
        h1 { (heading(&run.title)) }
        p {
            @if let Some(drill) = &run.drill { "Drill " strong { (heading(drill)) } ", " }
            "run " (code(&run.run)) " in " strong { (heading(&run.environment)) } ", "
            (instant(Some(run.started_at)))
        }
    }
}

fn mood(report: &Report) -> &'static str {
    match (report.verdict.state, report.verdict.outcome.as_deref()) {
        (VerdictState::Interrupted | VerdictState::Unfinished, _) => "open",
        (VerdictState::Finished, Some("succeeded" | "warned"))
            if report.verdict.missed_objectives.is_empty() =>
        {
            "good"
        }
        (VerdictState::Finished, _) => "bad",
    }
}

fn sign(report: &Report) -> &'static str {
    match mood(report) {
        "good" => "✓",
        "bad" => "✗",
        _ => "…",
    }
}

fn card(part: &Part) -> Markup {
    let (class, sign) = match part.status {
        PartStatus::Succeeded => ("good", "✓"),
        PartStatus::Failed => ("bad", "✗"),
        PartStatus::Undone
        | PartStatus::Skipped
        | PartStatus::NotReached
        | PartStatus::NotPlanned => ("open", "–"),
    };
    html! {
        li class=(class) {
            span.name { (part_name(&part.name)) }
            span.state { (sign) " " (part.status.name()) }
            span.why { (heading(&part.why)) }
        }
    }
}

/// Where, when, by whom.
pub fn facts(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        dl {
            dt { "Environment" }
            dd { (shown(&run.environment)) ", account " (shown(&run.account)) ", region " (shown(&run.region)) }
            dt { "Answered by" } dd { (shown(&run.server)) }
            @if !run.faults.is_empty() { dt { "Faults" } dd { (shown(&run.faults.join(", "))) } }
            @if !run.form.is_empty() { dt { "Form" } dd { (shown(&run.form)) } }
            dt { "Operator" } dd { (shown(&run.operators.join(", "))) }
            dt { "Started" } dd { (instant(Some(run.started_at))) }
            dt { "Last event" } dd { (instant(Some(run.last_at))) }
            @if run.attempts > 1 { dt { "Attempts" } dd { (run.attempts) } }
            @if let Some(what) = &report.verdict.waiting_for { dt { "Waits for" } dd { (shown(what)) } }
        }
    }
}

/// Promised against measured.
pub fn objectives(report: &Report) -> Markup {
    html! {
        table.stack {
            thead { tr {
                th { "Objective" } th { "Promised" } th { "Measured" } th { "Verdict" } th { "Why" }
            } }
            tbody {
                @for one in &report.objectives {
                    tr {
                        td.strong { (one.name.replace('_', " ")) }
                        td.figure data-label="promised" { (ms(one.promised_ms)) }
                        td.figure data-label="measured" { (ms(one.measured_ms)) }
                        td.mark { (status(one)) }
                        td { (shown(&one.why)) }
                    }
                }
            }
        }
    }
}

fn status(objective: &Objective) -> &'static str {
    match objective.status {
        ObjectiveStatus::Met => "✓ met",
        ObjectiveStatus::Missed => "✗ MISSED",
        ObjectiveStatus::Unknown => "? not proven",
        ObjectiveStatus::NotPromised => "– not promised",
    }
}

/// Waterfall and steps over time.
pub fn time(report: &Report) -> Markup {
    let waterfall = &report.waterfall;
    let promise = report.objectives.iter().find(|one| one.name == RECOVERY_TIME);
    let (charts, left_out) = gantt_charts(report);
    html! {
        p {
            "From " (instant(Some(waterfall.from))) " (" (waterfall.from_what.replace('_', " ")) ") to "
            (instant(Some(waterfall.to)))
            @match waterfall.to_what {
                WaterfallEnd::Recovered => { " (recovered): " }
                WaterfallEnd::LastEvent => { " (the last step or event that counts; " strong { "NOT recovered" } "): " }
                WaterfallEnd::NothingToRecover => {
                    " (the last event; this runbook recovers nothing): "
                }
            }
            strong { (human_ms(waterfall.total_ms)) } ". "
            "Clean-up, not counted: " (human_ms(waterfall.cleanup_ms)) "."
        }
        (waterfall_chart(report, promise.and_then(|one| one.promised_ms)))
        @if let Some(promised) = promise.and_then(|one| one.promised_ms)
            && promised > waterfall.total_ms.saturating_mul(3) {
            p.small { "The promise, " (human_ms(promised)) ", lies far beyond the right edge." }
        }
        @for note in &waterfall.notes { p.small { "Note: " (shown(note)) } }
        @if let Some(hydration) = &report.hydration {
            p.small {
                "Storage of " (code(&hydration.step)) ": available after " (ms(hydration.available_ms))
                ", loaded after " (ms(hydration.hydrated_ms)) "; " (shown(&hydration.note)) "."
            }
        }
        @if !charts.is_empty() {
            h3 { "Steps over time" }
            p.small {
                "Solid: done; grey: clean-up; hatched: failed; dashed: under way, skipped or undone; "
                "upright strokes: milestones such as " em { "available" } "."
                @if left_out > 0 {
                    " The " (ROWS) " longest steps; " (left_out) " shorter ones are left out."
                }
            }
            @for chart in &charts { (chart) }
        }
    }
}

/// What loss is counted from; names of steps stay as they are.
fn counted_from(point: &RecoveryPoint) -> String {
    match point.target_step {
        Some(_) => point.from_what(),
        None => point.target.replace('_', " "),
    }
}

/// What was lost.
pub fn point(report: &Report) -> Markup {
    let point = &report.recovery_point;
    let loss = |ms: Option<u64>| ms.map_or_else(|| "unknown".to_owned(), human_ms);
    html! {
        dl {
            dt { "Counted from" }
            dd { (instant(Some(point.target_at))) " (" (counted_from(point)) ")" }
            dt { "Restored to" } dd { (instant(point.restore_time)) }
            dt { "Claimed loss" } dd { (loss(point.claimed_ms)) }
            dt { "Newest data read back" } dd { (instant(point.newest_at)) }
            dt { "Proven loss" } dd.strong { (loss(point.proven_ms)) }
            dt { "Note" } dd { (shown(&point.note)) }
        }
        @if !point.each.is_empty() {
            table.stack {
                thead { tr {
                    th { "Step" } th { "Counted from" } th { "Claimed loss" }
                    th { "Newest data read back" } th { "Proven loss" } th { "Note" }
                } }
                tbody {
                    @for one in &point.each {
                        tr {
                            td data-label="Step" { (code(&one.step)) }
                            td data-label="Counted from" { (instant(Some(one.point.target_at))) }
                            td.figure data-label="Claimed loss" { (loss(one.point.claimed_ms)) }
                            td data-label="Newest data read back" { (instant(one.point.newest_at)) }
                            td.figure data-label="Proven loss" { (loss(one.point.proven_ms)) }
                            td data-label="Note" { (shown(&one.point.note)) }
                        }
                    }
                }
            }
        }
    }
}

/// A phase for people, for the list of steps.
pub fn phase_name(phase: &str) -> &str {
    let words = if phase == "cleanup" { "clean-up" } else { in_words(phase) };
    words.split_once(':').map_or(words, |(name, _)| name)
}
