//! The graph as SVG: rows from the top, one box a step.
//!
//! **Invariant:** one file that needs nothing else; what colour says, shape or word says too; all text
//! is escaped.

use crate::base::html::{plain, words};
use crate::runbook::drawing::dot::lines;
use crate::runbook::drawing::layers::{Layers, layers};
use crate::runbook::drawing::place::places;
use crate::runbook::drawing::{Drawing, Edge, Node, NodeKind};
use maud::{Markup, PreEscaped, html};
use std::fmt::Write as _;

/// Longer runbooks are no longer readable as one picture.
pub const MAX_STEPS_AS_SVG: usize = 300;

/// Lengths in pixels: of a line of text, between rows, between boxes, around everything.
const LINE: f64 = 17.0;
const ROW_GAP: f64 = 46.0;
const GAP: f64 = 26.0;
const MARGIN: f64 = 18.0;
/// Widths of an average character, on the wide side: nobody knows the reader's fonts.
const HEAVY: f64 = 9.2;
const LIGHT: f64 = 7.4;
/// The narrowest drawing, so that notes below it can be read.
const NARROWEST: f64 = 560.0;
const FONT: &str = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif";

/// The colours of a picture by itself follow the reader's choice of light or dark.
const STYLE: &str = "
.paper { fill: #ffffff } .box { fill: #ffffff; stroke: #222222 } .line { stroke: #222222 }
.head { fill: #222222 } text { fill: #111111 } .soft { fill: #444444 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #14171a } .box { fill: #1f2429; stroke: #dddddd } .line { stroke: #dddddd }
  .head { fill: #dddddd } text { fill: #f2f2f2 } .soft { fill: #c4c4c4 }
}
";

/// The picture as a file of its own.
pub fn svg(drawing: &Drawing) -> String {
    let style = html! { style { (PreEscaped(STYLE)) } };
    let picture = picture(drawing, &style).into_string();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{picture}\n")
}

/// The picture as part of a page, in the page's light colours: the page's policy allows no style but
/// its own.
pub fn svg_inside(drawing: &Drawing) -> Markup {
    picture(drawing, &html! {})
}

/// A box, laid out.
struct Box<'a> {
    node: &'a Node,
    lines: Vec<String>,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

fn picture(drawing: &Drawing, style: &Markup) -> Markup {
    let edges = drawing.plain_edges();
    let layers = layers(drawing.nodes.len(), &edges);
    let texts: Vec<Vec<String>> = drawing.nodes.iter().map(lines).collect();
    let widths: Vec<f64> = layers
        .items
        .iter()
        .map(|item| item.node.map_or(10.0, |node| box_width(&texts[node])))
        .collect();
    let (middle, inner) = places(&layers, &widths, GAP);
    let inside = inner.max(NARROWEST);
    let width = inside + 2.0 * MARGIN;
    let shift = MARGIN + (inside - inner) / 2.0;
    let (tops, bottoms, end) = rows(&layers, &texts);
    let boxes: Vec<Box<'_>> = drawing
        .nodes
        .iter()
        .zip(&texts)
        .enumerate()
        .map(|(at, (node, lines))| {
            let row = row_of(&layers, at);
            let height = box_height(lines);
            let y = tops[row] + (bottoms[row] - tops[row] - height) / 2.0;
            Box { node, lines: lines.clone(), x: middle[at] + shift, y, width: widths[at], height }
        })
        .collect();
    let below = below(drawing, width);
    let height = end + below.1 + MARGIN;
    let title = format!("{} ({})", plain(&drawing.title), plain(&drawing.name));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (n(width)) " " (n(height)) }
            width=(n(width)) height=(n(height)) role="img"
            aria-labelledby="graph-title graph-description" font-family=(FONT) {
            title id="graph-title" { "Steps of " (title) }
            desc id="graph-description" { (description(drawing, &edges)) }
            (style)
            rect class="paper" x="0" y="0" width=(n(width)) height=(n(height)) fill="#ffffff" {}
            text x=(n(MARGIN)) y=(n(MARGIN + 14.0)) font-size="16" font-weight="700" { (title) }
            @for (edge, path) in edges.iter().zip(&layers.paths) {
                (line(edge, path, &boxes, &layers, &middle, shift, (&tops, &bottoms)))
            }
            @for it in &boxes { (boxed(it)) }
            g transform={ "translate(0 " (n(end)) ")" } { (below.0) }
        }
    }
}

/// A length with one digit after the point.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn chars(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "lengths of lines")]
    let count = text.chars().count() as f64;
    count
}

fn box_width(lines: &[String]) -> f64 {
    let widths = lines.iter().enumerate().map(|(at, line)| {
        let heavy = at == 0 || *line == line.to_uppercase();
        chars(line) * if heavy { HEAVY } else { LIGHT }
    });
    widths.fold(90.0, f64::max) + 34.0
}

fn box_height(lines: &[String]) -> f64 {
    lines.iter().fold(18.0, |height, _| height + LINE)
}

fn row_of(layers: &Layers, item: usize) -> usize {
    layers.rows.iter().position(|row| row.contains(&item)).unwrap_or(0)
}

/// Upper and lower end of every row, and where the drawing ends.
fn rows(layers: &Layers, texts: &[Vec<String>]) -> (Vec<f64>, Vec<f64>, f64) {
    let (mut tops, mut bottoms) = (Vec::new(), Vec::new());
    let mut y = MARGIN + 40.0;
    for row in &layers.rows {
        let nodes = row.iter().filter_map(|item| layers.items[*item].node);
        let height = nodes.map(|node| box_height(&texts[node])).fold(0.0, f64::max);
        tops.push(y);
        bottoms.push(y + height);
        y += height + ROW_GAP;
    }
    (tops, bottoms, y - ROW_GAP + MARGIN)
}

fn boxed(it: &Box<'_>) -> Markup {
    let heavy = if it.node.critical { "3.5" } else { "1.5" };
    let (left, right, top, bottom) =
        (it.x - it.width / 2.0, it.x + it.width / 2.0, it.y, it.y + it.height);
    let middle = it.y + it.height / 2.0;
    html! {
        g {
            title { (plain(&it.node.title)) }
            @match it.node.kind {
                NodeKind::Gate => {
                    polygon class="box" fill="#ffffff" stroke="#222222" stroke-width=(heavy)
                        points={ (n(left)) "," (n(middle)) " " (n(left + 15.0)) "," (n(top)) " "
                            (n(right - 15.0)) "," (n(top)) " " (n(right)) "," (n(middle)) " "
                            (n(right - 15.0)) "," (n(bottom)) " " (n(left + 15.0)) "," (n(bottom)) } {}
                }
                NodeKind::Check => { (rectangle(left, top, it.width, it.height, 20.0, heavy)) }
                NodeKind::Change => { (rectangle(left, top, it.width, it.height, 2.0, heavy)) }
            }
            @if it.node.marks.contains(&"irreversible") {
                (rectangle(left + 5.0, top + 5.0, it.width - 10.0, it.height - 10.0, 2.0, "1.2"))
            }
            @for (at, line) in it.lines.iter().enumerate() {
                @let strong = at == 0 || *line == line.to_uppercase();
                text x=(n(it.x)) y=(n(it.y + 21.0 + LINE * chars_before(at))) text-anchor="middle"
                    font-size=(if at == 0 { "14" } else { "12" })
                    font-weight=(if strong { "700" } else { "400" }) { (line) }
            }
        }
    }
}

fn chars_before(line: usize) -> f64 {
    f64::from(u16::try_from(line).unwrap_or(u16::MAX))
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, round: f64, pen: &str) -> Markup {
    html! {
        rect class="box" x=(n(x)) y=(n(y)) width=(n(width)) height=(n(height)) rx=(n(round))
            fill="#ffffff" stroke="#222222" stroke-width=(pen) {}
    }
}

/// The line of one edge: straight through the rows that it passes, bent between them.
fn line(
    edge: &Edge,
    path: &[usize],
    boxes: &[Box<'_>],
    layers: &Layers,
    middle: &[f64],
    shift: f64,
    (tops, bottoms): (&[f64], &[f64]),
) -> Markup {
    let (from, to) = (&boxes[edge.from], &boxes[edge.to]);
    let mut d = format!("M{} {}", n(from.x), n(from.y + from.height));
    let mut at = (from.x, from.y + from.height);
    for item in path {
        let end = match layers.items[*item].node {
            Some(node) if node == edge.from => continue,
            Some(_) => (to.x, to.y - 7.0),
            None => (middle[*item] + shift, tops[row_of(layers, *item)]),
        };
        let half = (at.1 + end.1) / 2.0;
        let _ = write!(
            d,
            " C{} {} {} {} {} {}",
            n(at.0),
            n(half),
            n(end.0),
            n(half),
            n(end.0),
            n(end.1)
        );
        at = end;
        if layers.items[*item].node.is_none() {
            at.1 = bottoms[row_of(layers, *item)];
            let _ = write!(d, " V{}", n(at.1));
        }
    }
    let (x, y) = (to.x, to.y);
    let tip =
        format!("{},{} {},{} {},{}", n(x), n(y), n(x - 4.5), n(y - 9.0), n(x + 4.5), n(y - 9.0));
    html! {
        path class="line" d=(d) fill="none" stroke="#222222"
            stroke-width=(if edge.critical { "3.5" } else { "1.5" })
            stroke-dasharray=[edge.dashed.then_some("6 4")] {}
        polygon class="head" points=(tip) fill="#222222" {}
    }
}

/// Legend and notes, and how high they are.
fn below(drawing: &Drawing, width: f64) -> (Markup, f64) {
    let any = |wanted: NodeKind| drawing.nodes.iter().any(|node| node.kind == wanted);
    let marked = |mark: &str| drawing.nodes.iter().any(|node| node.marks.contains(&mark));
    let legend = [
        ("rounded box: check, only reads", any(NodeKind::Check)),
        ("box: changes something", any(NodeKind::Change)),
        ("double box: irreversible", marked("irreversible")),
        ("six corners: gate", any(NodeKind::Gate)),
        ("dashed: waits for the end, not for success", drawing.edges.iter().any(|it| it.dashed)),
        ("heavy: critical path", drawing.nodes.iter().any(|node| node.critical)),
    ];
    let legend: Vec<&str> =
        legend.iter().filter(|(_, shown)| *shown).map(|(words, _)| *words).collect();
    let notes = std::iter::once(legend.join("; ")).chain(drawing.notes.iter().map(|it| words(it)));
    let lines: Vec<String> = notes.flat_map(|note| broken(&note, width - 2.0 * MARGIN)).collect();
    let markup = html! {
        @for (at, line) in lines.iter().enumerate() {
            text class="soft" x=(n(MARGIN)) y=(n(20.0 + LINE * chars_before(at))) font-size="12"
                fill="#444444" { (line) }
        }
    };
    let height = lines.iter().fold(20.0, |height, _| height + LINE);
    (markup, height)
}

/// Words in lines that fit `room`.
fn broken(text: &str, room: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && (chars(line) + 1.0 + chars(word)) * LIGHT > room {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// The graph in words, for who cannot see it.
fn description(drawing: &Drawing, edges: &[Edge]) -> String {
    let mut text = String::new();
    for (at, node) in drawing.nodes.iter().enumerate() {
        let needs = edges.iter().filter(|edge| edge.to == at);
        let needs: Vec<&str> = needs.map(|edge| drawing.nodes[edge.from].id.as_str()).collect();
        let critical = if node.critical { ", on the critical path" } else { "" };
        let marks = node.marks.iter().map(|mark| format!(", {mark}")).collect::<String>();
        let after =
            if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
        let kind = node.kind.word();
        let _ = write!(text, "{} ({kind}{marks}{critical}){after}. ", plain(&node.id));
    }
    text.trim_end().to_owned()
}
