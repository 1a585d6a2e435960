//! The graph for Graphviz.
//!
//! **Invariant:** no text of a runbook can end the string that it stands in.

use crate::base::html::{plain, words};
use crate::runbook::drawing::{Drawing, Node, NodeKind};
use std::fmt::Write as _;

/// The graph in the DOT language, with one edge for every need.
pub fn dot(drawing: &Drawing) -> String {
    let label = format!("{} ({})", drawing.title, drawing.name);
    let mut text = format!("digraph {} {{\n", quoted(&drawing.name));
    let _ = writeln!(text, "  graph [labelloc=t, fontname=sans, label={}];", quoted(&label));
    text.push_str("  node [fontname=sans, fontsize=11]; edge [fontname=sans, fontsize=10];\n");
    for note in &drawing.notes {
        let _ = writeln!(text, "  // {}", words(note));
    }
    for node in &drawing.nodes {
        let shape = match node.kind {
            NodeKind::Check => "box, style=rounded",
            NodeKind::Change => "box",
            NodeKind::Gate => "hexagon",
        };
        let lines: Vec<String> = lines(node).iter().map(|line| escaped(line)).collect();
        let rims = if node.marks.contains(&"irreversible") { ", peripheries=2" } else { "" };
        let pen = if node.critical { ", penwidth=3" } else { "" };
        let (id, label, tip) = (quoted(&node.id), lines.join("\\n"), quoted(&node.title));
        let _ =
            writeln!(text, "  {id} [label=\"{label}\", tooltip={tip}, shape={shape}{rims}{pen}];");
    }
    for edge in &drawing.edges {
        let (from, to) = (&drawing.nodes[edge.from].id, &drawing.nodes[edge.to].id);
        let style = if edge.dashed { "dashed" } else { "solid" };
        let pen = if edge.critical { ", penwidth=3" } else { "" };
        let _ = writeln!(text, "  {} -> {} [style={style}{pen}];", quoted(from), quoted(to));
    }
    text.push_str("}\n");
    text
}

/// What stands in a step's box, line by line.
pub(super) fn lines(node: &Node) -> Vec<String> {
    let mut lines = vec![plain(&node.id), plain(&node.uses)];
    let kind = (node.kind == NodeKind::Gate).then_some("gate");
    let words: Vec<String> =
        kind.iter().chain(&node.marks).map(|word| word.to_uppercase()).collect();
    if !words.is_empty() {
        lines.push(words.join(", "));
    }
    if !node.figure.is_empty() {
        lines.push(plain(&node.figure));
    }
    lines
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(&plain(text)))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
