//! The procedure as one HTML file, to be printed before it is needed.
//!
//! **Invariant:** everything that comes from a file is escaped; a box to tick stands at every step.

use crate::base::html::{code, heading, page, shown};
use crate::runbook::doc::markdown::{PURPOSE, assignments};
use crate::runbook::doc::{HandStep, Procedure};
use crate::runbook::drawing::{Drawing, MAX_STEPS_AS_SVG, svg_inside};
use maud::{Markup, html as markup};

/// The procedure as a page, with the drawing of its steps.
pub fn html(procedure: &Procedure, drawing: &Drawing) -> String {
    let docs = &procedure.docs;
    let body = markup! {
        h1 { (heading(&procedure.title)) " (" (procedure.name) "), by hand" }
        p.banner { (PURPOSE) }
        @if let Some(place) = &procedure.place { p.strong { "For " (shown(place)) "." } }
        (section("Purpose", Some(&procedure.purpose)))
        (section("Objectives", Some(&procedure.promised)))
        (section("Prerequisites", docs.prerequisites.as_ref()))
        (parameters(procedure))
        @if !procedure.variables.is_empty() {
            h2 { "Variables" }
            p { "Set these before the commands that use them." }
            (block(&assignments(&procedure.variables)))
        }
        h2 { "Steps" }
        @if drawing.nodes.len() <= MAX_STEPS_AS_SVG { div.wide { (svg_inside(drawing)) } }
        h2.new-page { "Procedure" }
        @for (number, it) in procedure.steps.iter().enumerate() { (step(number + 1, it)) }
        (section("Verification", docs.verification.as_ref()))
        (rollback(procedure))
        (section("Escalation", docs.escalation.as_ref()))
        footer { p { "Made by drctl " (env!("CARGO_PKG_VERSION")) " from runbook "
            (procedure.name) ". Make it again when the runbook changes." } }
    };
    page(&format!("{} by hand", procedure.title), &body)
}

fn section(title: &str, text: Option<&String>) -> Markup {
    let text = text.filter(|text| !text.trim().is_empty());
    markup! {
        @if let Some(text) = text {
            h2 { (title) }
            @for paragraph in text.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
                p { (shown(paragraph)) }
            }
        }
    }
}

fn parameters(procedure: &Procedure) -> Markup {
    markup! {
        @if !procedure.parameters.is_empty() {
            h2 { "Parameters" }
            table.stack {
                thead { tr { th { "name" } th { "declared" } th { "here" } th { "what it is" } } }
                tbody {
                    @for (name, declared, value, description) in &procedure.parameters {
                        tr {
                            td.key { (code(name)) }
                            td data-label="declared" { (shown(declared)) }
                            td data-label="here" {
                                @if let Some(value) = value { (code(value)) } @else { "–" }
                            }
                            td data-label="what it is" { (shown(description)) }
                        }
                    }
                }
            }
        }
    }
}

fn step(number: usize, step: &HandStep) -> Markup {
    markup! {
        section.step {
            h3 { "☐ " (number) ". " (heading(&step.title)) " (" (step.id) ")" }
            p { (shown(&step.action)) }
            ul { @for note in &step.notes { li { (shown(note)) } } }
            (block(&step.commands))
        }
    }
}

fn rollback(procedure: &Procedure) -> Markup {
    let undone = procedure.steps.iter().rev().filter_map(|it| Some((it, it.undo.as_ref()?)));
    markup! {
        (section("Rollback", procedure.docs.rollback.as_ref()))
        @if procedure.docs.rollback.is_none() { h2 { "Rollback" } }
        @for (step, (action, commands)) in undone {
            p { "To take back " (code(&step.id)) " (" (action) "):" }
            (block(commands))
        }
    }
}

/// Commands; control characters are shown as such, lines stay lines.
fn block(lines: &[String]) -> Markup {
    let clean = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
    let text: String = lines.join("\n").chars().map(clean).collect();
    markup! { @if !lines.is_empty() { pre { code { (text) } } } }
}
