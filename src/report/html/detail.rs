//! The tables of a report: findings, steps, people, evidence, events.
//!
//! **Invariant:** what is too long for a page is counted, and the journal named where all of it is.

use crate::base::html::{code, instant, shown};
use crate::report::folded::{TIMELINE_LINES, TimelineLine, choose, fold_timeline};
use crate::report::html::verdict::phase_name;
use crate::report::markdown::ms;
use crate::report::model::{Report, Severity, StepRow};
use maud::{Markup, html};

/// Most steps of the list. A runbook that people follow has dozens.
const STEPS: usize = 500;

/// Most findings, skipped steps, decisions: enough to see what is wrong.
const ROWS: usize = 200;

/// Most pieces of evidence.
const EVIDENCE: usize = 1_000;

/// What deserves attention, worst first.
pub fn findings(report: &Report) -> Markup {
    if report.findings.is_empty() {
        return html! { p { "None." } };
    }
    let chosen = choose(&report.findings, ROWS, |_| false);
    html! {
        ul.plain {
            @for one in &chosen.rows {
                li {
                    span.severity {
                        @match one.severity {
                            Severity::Problem => "✗ problem",
                            Severity::Warning => "! warning",
                            Severity::Note => "· note",
                        }
                    }
                    @if let Some(step) = &one.step { " " (code(step)) ": " }
                    (shown(&one.text))
                }
            }
        }
        (others(chosen.left_out, "findings"))
    }
}

fn others(count: usize, what: &str) -> Markup {
    html! {
        @if count > 0 {
            p.small { (count) " more " (what) " are in the JSON report (" code { "--format json" } ")." }
        }
    }
}

/// Every step with its time.
pub fn steps(report: &Report) -> Markup {
    let chosen = choose(&report.steps, STEPS, |step| step.outcome != "succeeded");
    html! {
        table.stack {
            thead { tr {
                th { "Step" } th { "Phase" } th { "Outcome" } th.figure { "Began" } th.figure { "Time" }
            } }
            tbody { @for step in &chosen.rows { (step_row(step)) } }
        }
        (others(chosen.left_out, "steps"))
    }
}

fn step_row(step: &StepRow) -> Markup {
    let sign = match step.outcome.as_str() {
        "succeeded" => "✓",
        "failed" | "undo failed" => "✗",
        "warned" => "!",
        _ => "–",
    };
    let mut notes = Vec::new();
    if step.adopted {
        notes.push("found as wanted, not made by this run".to_owned());
    }
    if step.retries > 0 {
        notes.push(format!("{} looks failed and were repeated", step.retries));
    }
    if step.in_doubt > 0 {
        notes.push(format!("in doubt {} time(s)", step.in_doubt));
    }
    html! {
        tr {
            td {
                strong { (shown(&step.title)) }
                span.note { (code(&step.step)) " · " (code(&step.uses)) }
                @if let Some(account) = &step.account {
                    span.note { "in account " (shown(account)) }
                }
                @if let Some(why) = &step.why { span.note { (shown(why)) } }
                @if let Some(help) = &step.help { span.note { "What to do: " (shown(help)) } }
                @if !notes.is_empty() { span.note { (notes.join("; ")) } }
            }
            td data-label="phase" { (phase_name(&step.phase)) }
            td.mark { (sign) " " (step.outcome) }
            td.figure data-label="began" { (instant(step.started_at)) }
            td.figure data-label="time" { (ms(step.duration_ms)) }
        }
    }
}

/// Steps that did not run.
pub fn skipped(report: &Report) -> Markup {
    let skipped: Vec<&StepRow> =
        report.steps.iter().filter(|step| step.outcome == "skipped").collect();
    if skipped.is_empty() {
        return html! {};
    }
    let chosen = choose(&skipped, ROWS, |_| false);
    html! {
        ul.plain {
            @for step in &chosen.rows {
                li { (code(&step.step)) ": " (shown(step.why.as_deref().unwrap_or("no reason recorded"))) }
            }
        }
        (others(chosen.left_out, "skipped steps"))
    }
}

/// Who did and decided what.
pub fn people(report: &Report) -> Markup {
    if report.approvals.is_empty() {
        return html! {};
    }
    let chosen = choose(&report.approvals, ROWS, |_| false);
    html! {
        table.stack {
            thead { tr { th { "When" } th { "Who" } th { "What" } th { "Decision" } } }
            tbody {
                @for one in &chosen.rows {
                    tr {
                        td.figure { (instant(one.at)) }
                        td.strong {
                            (shown(one.who_text()))
                        }
                        td {
                            @if let Some(step) = &one.step { (code(step)) ": " }
                            (shown(&one.what))
                            @if !one.approvers.is_empty() {
                                span.note { "to be decided by: " (shown(&one.approvers.join(", "))) }
                            }
                            @if let Some(comment) = &one.comment { span.note { (shown(comment)) } }
                            @if !one.figures.is_empty() {
                                span.note { "At stake, as it was shown:" }
                                ul.plain { @for line in &one.figures { li { (shown(line)) } } }
                            }
                        }
                        td.strong { (shown(&one.decision_text())) }
                    }
                }
            }
        }
        (others(chosen.left_out, "decisions"))
        p.small { "Names are as given to drctl on the operator's machine; they are not signatures." }
    }
}

/// What the verdicts rest on.
pub fn evidence(report: &Report) -> Markup {
    if report.evidence.is_empty() {
        return html! {};
    }
    let chosen = choose(&report.evidence, EVIDENCE, |_| false);
    html! {
        table.stack {
            thead { tr { th { "Step" } th { "Fact" } th { "Value" } th { "Read from" } th { "Event" } } }
            tbody {
                @for one in &chosen.rows {
                    tr {
                        td.key { (code(&one.step)) }
                        td.strong.key { (shown(&one.name)) }
                        td { (shown(&one.value)) }
                        td data-label="read from" { (shown(&one.source)) }
                        td data-label="event" { @if one.seq > 0 { (one.seq) " " (short(&one.digest)) } }
                    }
                }
            }
        }
        (others(chosen.left_out, "facts"))
        p.small {
            "Event: the journal's event that recorded the fact, and the beginning of the journal's "
            "digest there; the JSON report has whole digests."
        }
    }
}

fn short(digest: &str) -> Markup {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    code(hex.get(..12).unwrap_or(hex))
}

/// How to reach what was kept.
pub fn hand_over(report: &Report) -> Markup {
    let text = |value: &Option<String>| shown(value.as_deref().unwrap_or("–"));
    html! {
        @for kept in report.hand_over.iter().chain(&report.more_hand_overs) {
            dl {
                dt { "Instance" } dd { (text(&kept.instance)) }
                dt { "Host" } dd { (text(&kept.endpoint_host)) }
                dt { "Port" }
                dd { @match kept.endpoint_port { Some(port) => (port), None => "–" } }
                dt { "Expires" }
                dd { (shown(kept.expires_at.as_deref().unwrap_or("no expiry recorded"))) }
            }
        }
    }
}

/// What is still there.
pub fn left_behind(report: &Report) -> Markup {
    if report.left_behind.is_empty() {
        return html! {};
    }
    let chosen = choose(&report.left_behind, ROWS, |_| false);
    html! {
        ul.plain {
            @for left in &chosen.rows {
                li { strong { (shown(&left.what)) } ", made by " (code(&left.step)) ": " (shown(&left.why)) }
            }
        }
        (others(chosen.left_out, "resources"))
    }
}

/// Every event, equal ones in a row as one line.
pub fn timeline(report: &Report) -> Markup {
    let folded = fold_timeline(&report.timeline, TIMELINE_LINES);
    html! {
        table.stack {
            thead { tr { th { "#" } th.figure { "At" } th { "Step" } th { "Event" } } }
            tbody {
                @for line in &folded.head { (event(line)) }
                @if folded.left_out > 0 {
                    tr { td colspan="4" {
                        strong { (folded.left_out) " events are left out here" }
                        "; all are in " code { "drctl journal export " (report.run.run) }
                    } }
                }
                @for line in &folded.tail { (event(line)) }
            }
        }
    }
}

fn event(line: &TimelineLine<'_>) -> Markup {
    html! {
        tr {
            td.figure {
                (line.first.seq)
                @if line.count > 1 { "–" (line.last.0) }
            }
            td.figure { (instant(line.first.at)) }
            td.key { @if let Some(step) = &line.first.step { (code(step)) } }
            td {
                (shown(&line.first.text))
                @if line.count > 1 {
                    " " strong { (line.count) " times" } ", last " (instant(line.last.1))
                }
            }
        }
    }
}
