//! The graph as text: one lane down the page for every step that is waited for.
//!
//! **Invariant:** a lane belongs to the one step that it ends at, so lanes that meet go to the same
//! step, and a line that passes behind another one is not joined to it.

use crate::runbook::drawing::{Drawing, Edge, Node, NodeKind};

/// Longer runbooks are no longer readable as text.
pub const MAX_STEPS_AS_TEXT: usize = 1_000;

/// Most lanes beside each other; with more of them there is no room for words.
const MAX_LANES: usize = 20;

/// A line down to the step `to`.
#[derive(Debug, Clone, Copy)]
struct Lane {
    to: usize,
    dashed: bool,
}

/// The graph in lines of at most `width` columns (a word that is longer than the room for it is not
/// cut). Steps whose lanes would leave no room say in words what they need.
pub fn text(drawing: &Drawing, width: usize) -> String {
    let mut page = Page { width, text: String::new() };
    page.line("", &format!("{} ({})", drawing.title, drawing.name));
    page.text.push('\n');
    let edges = drawing.plain_edges();
    match rows(drawing, &edges) {
        Some(rows) => rows.iter().for_each(|row| page.row(row)),
        None => listed(drawing, &edges, &mut page),
    }
    page.text.push('\n');
    legend(drawing, &mut page);
    drawing.notes.iter().for_each(|note| page.line("", note));
    page.text
}

/// What one step fills: its own line, the line of its joints, and lanes for further words.
struct Row<'a> {
    node: &'a Node,
    own: String,
    joints: String,
    lanes: String,
}

/// The rows of all steps; `None` when there are too many lanes.
fn rows<'a>(drawing: &'a Drawing, edges: &[Edge]) -> Option<Vec<Row<'a>>> {
    let mut lanes: Vec<Option<Lane>> = Vec::new();
    let mut rows = Vec::with_capacity(drawing.nodes.len());
    for (at, node) in drawing.nodes.iter().enumerate() {
        let leads_here = |lane: &Option<Lane>| lane.is_some_and(|lane| lane.to == at);
        let column = lanes.iter().position(leads_here).unwrap_or_else(|| free(&mut lanes));
        lanes[column] = None;
        let own = cells(lanes.len(), |it| if it == column { glyph(node) } else { line(lanes[it]) });
        let before = lanes.clone();
        let mut ends = Vec::new();
        let mut next: Vec<&Edge> = edges.iter().filter(|edge| edge.from == at).collect();
        // The step's own lane goes on along the critical path, else to the step that comes next.
        next.sort_by_key(|edge| (!edge.critical, edge.to));
        for edge in next {
            let known = lanes.iter().position(|it| it.is_some_and(|lane| lane.to == edge.to));
            let end = known.unwrap_or_else(|| {
                let place = if lanes[column].is_none() { column } else { free(&mut lanes) };
                lanes[place] = Some(Lane { to: edge.to, dashed: edge.dashed });
                place
            });
            ends.push(end);
        }
        if lanes.len() > MAX_LANES {
            return None;
        }
        let joints = joints(&before, &lanes, column, &ends);
        while lanes.last().is_some_and(Option::is_none) {
            lanes.pop();
        }
        let after = cells(lanes.len(), |it| line(lanes[it]));
        rows.push(Row { node, own, joints, lanes: after });
    }
    Some(rows)
}

/// The first lane that nothing runs in.
fn free(lanes: &mut Vec<Option<Lane>>) -> usize {
    lanes.iter().position(Option::is_none).unwrap_or_else(|| {
        lanes.push(None);
        lanes.len() - 1
    })
}

fn cells(count: usize, cell: impl Fn(usize) -> char) -> String {
    (0..count).flat_map(|at| [cell(at), ' ']).collect()
}

fn line(lane: Option<Lane>) -> char {
    match lane {
        None => ' ',
        Some(Lane { dashed: true, .. }) => '┊',
        Some(Lane { dashed: false, .. }) => '│',
    }
}

fn glyph(node: &Node) -> char {
    match (node.kind, node.marks.contains(&"irreversible")) {
        (NodeKind::Gate, _) => '◆',
        (NodeKind::Check, _) => '○',
        (NodeKind::Change, true) => '■',
        (NodeKind::Change, false) => '●',
    }
}

/// The line below a step: from its column to the lanes at `ends`.
fn joints(
    before: &[Option<Lane>],
    after: &[Option<Lane>],
    column: usize,
    ends: &[usize],
) -> String {
    let reach = ends.iter().chain([&column]);
    let (first, last) = (reach.clone().min().copied(), reach.max().copied());
    let (first, last) = (first.unwrap_or(column), last.unwrap_or(column));
    let others = ends.iter().filter(|end| **end != column);
    let dashed = others.clone().count() > 0
        && others.clone().all(|end| after[*end].is_some_and(|lane| lane.dashed));
    let bar = if dashed { '╌' } else { '─' };
    let mut text = String::new();
    for (at, lane) in after.iter().copied().enumerate() {
        let (left, right) = (at > first, at < last);
        let inside = at >= first && at <= last && first < last;
        let joined = at == column || ends.contains(&at);
        let up = at == column || before.get(at).copied().flatten().is_some();
        let down = lane.is_some();
        text.push(match (inside && joined, up, down) {
            (true, _, _) => corner([left, right, up, down]),
            // Behind a lane that it has nothing to do with.
            (false, true, true) => line(lane),
            (false, _, _) if inside => bar,
            (false, _, _) => line(lane),
        });
        text.push(if at >= first && at < last { bar } else { ' ' });
    }
    text
}

/// What joins lines to the left, to the right, upwards and downwards.
fn corner(ways: [bool; 4]) -> char {
    match ways {
        [false, true, true, true] => '├',
        [true, false, true, true] => '┤',
        [true, true, true, true] => '┼',
        [false, true, true, false] => '╰',
        [true, false, true, false] => '╯',
        [true, true, true, false] => '┴',
        [false, true, false, _] => '╭',
        [true, false, false, _] => '╮',
        [true, true, false, _] => '┬',
        [false, false, _, true] => '│',
        [false, false, _, false] => ' ',
    }
}

/// Without lanes: every step with what it needs.
fn listed(drawing: &Drawing, edges: &[Edge], page: &mut Page) {
    for (at, node) in drawing.nodes.iter().enumerate() {
        let needs = edges.iter().filter(|edge| edge.to == at);
        let needs: Vec<&str> = needs.map(|edge| drawing.nodes[edge.from].id.as_str()).collect();
        let own = format!("{} ", glyph(node));
        page.row(&Row { node, own, joints: "  ".to_owned(), lanes: "  ".to_owned() });
        if !needs.is_empty() {
            page.line("      ", &format!("after {}", needs.join(", ")));
        }
    }
}

fn legend(drawing: &Drawing, page: &mut Page) {
    let any = |wanted: char| drawing.nodes.iter().any(|node| glyph(node) == wanted);
    let dashed = drawing.edges.iter().any(|edge| edge.dashed);
    let critical = drawing.nodes.iter().any(|node| node.critical);
    let words = [
        ("○ check", any('○')),
        ("● change", any('●')),
        ("■ irreversible", any('■')),
        ("◆ gate", any('◆')),
        ("┊ waits for the end, not for success", dashed),
        ("* critical path", critical),
    ];
    let words: Vec<&str> = words.iter().filter(|(_, shown)| *shown).map(|(it, _)| *it).collect();
    page.line("", &words.join("   "));
}

struct Page {
    width: usize,
    text: String,
}

impl Page {
    fn row(&mut self, row: &Row<'_>) {
        let node = row.node;
        let star = if node.critical { "* " } else { "  " };
        let marks = node.marks.iter().map(|mark| format!(" [{mark}]")).collect::<String>();
        self.line(&format!("{star}{}", row.own), &format!("{}{marks}", node.id));
        let figure = if node.figure.is_empty() { "" } else { ", " };
        let words = format!("{}{figure}{}", node.uses, node.figure);
        let (first, rest) = (format!("  {}  ", row.joints), format!("  {}  ", row.lanes));
        self.wrapped(&first, &rest, &words);
    }

    /// Words behind lanes, broken where the line is full.
    fn wrapped(&mut self, first: &str, rest: &str, words: &str) {
        let mut prefix = first;
        let mut line = String::new();
        for word in words.split(' ') {
            let room = self.width.saturating_sub(prefix.chars().count());
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.push(prefix, &line);
                prefix = rest;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.push(prefix, &line);
    }

    fn line(&mut self, prefix: &str, words: &str) {
        self.wrapped(prefix, prefix, words);
    }

    fn push(&mut self, prefix: &str, words: &str) {
        let line = format!("{prefix}{words}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}
