//! The graph for Mermaid, which many wikis and code hosts draw.
//!
//! **Invariant:** everything but letters, digits and a few signs is a character code, so no text of a
//! runbook can mean something to Mermaid.

use crate::base::html::{plain, words};
use crate::runbook::drawing::dot::lines;
use crate::runbook::drawing::{Drawing, NodeKind};
use std::fmt::Write as _;

/// The graph as a Mermaid flow chart, with one edge for every need.
pub fn mermaid(drawing: &Drawing) -> String {
    let title = plain(&format!("{} ({})", drawing.title, drawing.name));
    let title = serde_json::Value::String(title);
    let mut text = format!("---\ntitle: {title}\n---\nflowchart TD\n");
    for note in &drawing.notes {
        // A comment ends with its line; `{` would begin a directive.
        let _ = writeln!(text, "  %% {}", words(note).replace(['{', '}'], "'"));
    }
    for node in &drawing.nodes {
        let lines: Vec<String> = lines(node).iter().map(|line| coded(line)).collect();
        let label = lines.join("<br/>");
        let for_good = node.marks.contains(&"irreversible");
        let (open, close) = match (node.kind, for_good) {
            (NodeKind::Gate, _) => ("{{", "}}"),
            (NodeKind::Check, _) => ("([", "])"),
            (NodeKind::Change, true) => ("[[", "]]"),
            (NodeKind::Change, false) => ("[", "]"),
        };
        let _ = writeln!(text, "  {}{open}\"{label}\"{close}", name(&node.id));
    }
    let mut heavy = Vec::new();
    for (number, edge) in drawing.edges.iter().enumerate() {
        let (from, to) = (&drawing.nodes[edge.from].id, &drawing.nodes[edge.to].id);
        let arrow = if edge.dashed { "-.->" } else { "-->" };
        let _ = writeln!(text, "  {} {arrow} {}", name(from), name(to));
        if edge.critical {
            heavy.push(number.to_string());
        }
    }
    if !heavy.is_empty() {
        let _ = writeln!(text, "  linkStyle {} stroke-width:4px", heavy.join(","));
    }
    let critical = drawing.nodes.iter().filter(|node| node.critical);
    let critical: Vec<String> = critical.map(|node| name(&node.id)).collect();
    if !critical.is_empty() {
        text.push_str("  classDef critical stroke-width:4px\n");
        let _ = writeln!(text, "  class {} critical", critical.join(","));
    }
    text
}

/// A step's id as Mermaid's: some words, such as `end`, mean something there.
fn name(id: &str) -> String {
    // A slash begins a shape there.
    format!("step_{}", id.replace('/', "__of__"))
}

fn coded(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._,-".contains(c);
    text.chars()
        .map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) })
        .collect()
}
