//! Where a report comes from, and how to check it.
//!
//! **Invariant:** digests are whole here, ready to be compared.

use crate::base::html::{code, shown};
use crate::report::model::Report;
use maud::{Markup, html};

/// Most lines of a list here.
const LINES: usize = 200;

/// How well the dry run's prediction held.
pub fn prediction(report: &Report) -> Markup {
    let Some(score) = &report.prediction else { return html! {} };
    html! {
        p { strong { (score.held) " of " (score.total) } " predictions held." }
        @if !score.wrong.is_empty() {
            ul.plain {
                @for wrong in score.wrong.iter().take(LINES) { li { "✗ " (shown(wrong)) } }
            }
            (more(score.wrong.len()))
        }
    }
}

fn more(count: usize) -> Markup {
    html! { @if count > LINES { p.small { (count - LINES) " more are in the JSON report." } } }
}

/// What the dry run called.
pub fn certificate(report: &Report) -> Markup {
    let Some(certificate) = &report.certificate else { return html! {} };
    let total: u64 = certificate.calls.values().map(|count| u64::from(*count)).sum();
    html! {
        p {
            "Planning made " strong { (total) " calls" } "; the guard refused "
            strong { (certificate.refused.len()) } "."
        }
        @if !certificate.calls.is_empty() {
            table {
                thead { tr { th { "Call" } th.figure { "Times" } } }
                tbody {
                    @for (call, count) in certificate.calls.iter().take(LINES) {
                        tr { td { (code(call)) } td.figure { (count) } }
                    }
                }
            }
            (more(certificate.calls.len()))
        }
        @if !certificate.refused.is_empty() || !certificate.walls.is_empty() {
            ul.plain {
                @for refused in certificate.refused.iter().take(LINES) { li { "Refused: " (shown(refused)) } }
                @for wall in certificate.walls.iter().take(LINES) { li { "Wall: " (shown(wall)) } }
            }
        }
    }
}

/// With what the run was started.
pub fn parameters(report: &Report) -> Markup {
    if report.parameters.is_empty() {
        return html! {};
    }
    html! {
        dl {
            @for (name, value) in report.parameters.iter().take(LINES) {
                dt { (code(name)) } dd { (shown(value)) }
            }
        }
        (more(report.parameters.len()))
    }
}

/// Digests, and how to check them.
pub fn provenance(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        dl {
            dt { "Run" } dd { (code(&run.run)) }
            dt { "Tool" } dd { (shown(&run.tool)) }
            dt { "Plan" } dd { (code(&run.plan_digest)) }
            @for source in &report.sources {
                dt { (source.what) " file" }
                dd { (shown(&source.file)) " " (code(&source.digest)) }
            }
            dt { "Journal" } dd { (run.journal_count) " events" }
            dt { "Journal's head" } dd { (code(&run.journal_digest)) }
            dt { "To check" }
            dd { (code(&format!("drctl journal verify {} --expect {}", run.run, run.journal_digest))) }
        }
        p.small {
            "The journal holds the plan, the runbook and the estate as they were. Each event's digest "
            "covers the one before it, so the head above stands for all of them; whoever can write the "
            "journal could write another, so keep this page apart from it."
        }
    }
}
