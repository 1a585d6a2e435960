//! The report of one run as a page, verdict first.
//!
//! **Invariant:** the same journal gives the same bytes; the verdict and the banner come before
//! everything else.

use crate::base::html::page;
use crate::report::html::detail::{
    evidence, findings, hand_over, left_behind, people, skipped, steps, timeline,
};
use crate::report::html::origin::{certificate, parameters, prediction, provenance};
use crate::report::html::verdict::{facts, objectives, point, time, top};
use crate::report::model::Report;
use maud::{Markup, html};

/// The report as one self-contained HTML file.
pub fn render_html(report: &Report) -> String {
    let run = &report.run;
    let name = run.drill.as_ref().unwrap_or(&run.title);
    let title = format!("{}: {name}, run {}", report.verdict.headline, run.run);
    let body = html! {
        (top(report))
        (section("Run", &facts(report)))
        (section("Objectives", &objectives(report)))
        (section("Recovery time", &time(report)))
        (section("Recovery point", &point(report)))
        (section("Findings", &findings(report)))
        (section("Steps", &steps(report)))
        (section("Skipped, and why", &skipped(report)))
        (section("Who approved what", &people(report)))
        (section("Evidence", &evidence(report)))
        (section("Hand-over", &hand_over(report)))
        (section("Left behind", &left_behind(report)))
        (section("Prediction of the dry run", &prediction(report)))
        (section("Certificate of the dry run", &certificate(report)))
        (section("Parameters", &parameters(report)))
        (section("Where this comes from", &provenance(report)))
        (section("Timeline", &timeline(report)))
        (footer(report))
    };
    page(&title, &body)
}

fn section(title: &str, body: &Markup) -> Markup {
    if body.0.is_empty() {
        return html! {};
    }
    let class = (title == "Timeline").then_some("new-page");
    html! {
        section class=[class] {
            h2 { (title) }
            (body)
        }
    }
}

fn footer(report: &Report) -> Markup {
    html! {
        footer {
            p {
                "Made by " (report.run.tool) " from the journal alone: " (report.run.journal_count)
                " events. All times are UTC."
            }
            @if let Some(banner) = &report.run.banner { p.strong { (banner) } }
        }
    }
}
