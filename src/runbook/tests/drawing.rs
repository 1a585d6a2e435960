//! Graphs drawn: lanes that meet, pass behind each other and run out of room.

use super::actions;
use crate::runbook::drawing::{Drawing, dot, mermaid, svg, svg_inside, text};
use crate::runbook::load_runbook;
use std::collections::{BTreeMap, BTreeSet};

/// A drawing of steps written as `id: needs`; an id that ends with `!` runs always.
pub(super) fn drawing(steps: &[(&str, &[&str])]) -> Drawing {
    let mut yaml = "apiVersion: drctl/v1\nkind: Runbook\nname: drawn\nsteps:\n".to_owned();
    for (id, needs) in steps {
        let (id, always) = id.strip_suffix('!').map_or((*id, false), |id| (id, true));
        let needs = needs.join(", ");
        yaml.push_str(&format!(
            "  - {{ id: {id}, uses: rds.check_source, needs: [{needs}], always: {always}, \
             with: {{ instance: x }} }}\n"
        ));
    }
    let (runbook, _) = load_runbook("drawn.yaml", &yaml, &actions()).expect("valid");
    Drawing::of(&runbook, &actions())
}

/// The drawn rows, without title, legend and the actions' names.
fn rows(drawing: &Drawing) -> String {
    let text = text(drawing, 80);
    let body = text.split("\n\n").nth(1).expect("rows").to_owned();
    let cut = |line: &str| line.split("rds.").next().unwrap_or("").trim_end().to_owned();
    body.lines().map(cut).map(|line| line + "\n").collect()
}

#[test]
fn lanes_part_and_meet() {
    let diamond = drawing(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["a", "b", "c"])]);
    // That `d` needs `a` follows from the rest, and is not drawn.
    let expected = "  ○ a\n  ├─╮\n  ○ │ b\n  │ │\n  │ ○ c\n  ├─╯\n  ○ d\n\n";
    assert_eq!(rows(&diamond), expected);
}

#[test]
fn a_line_passes_behind_a_lane_and_always_is_dashed() {
    let crossed = drawing(&[
        ("a", &[]),
        ("b", &["a"]),
        ("c", &["a"]),
        ("d", &["a"]),
        ("e!", &["b", "d"]),
        ("f", &["c"]),
    ]);
    let shown = rows(&crossed);
    assert!(shown.contains("┊ │ ○ d\n  ├╌│╌╯\n  ○ │ e [always]"), "{shown}");
}

#[test]
fn steps_that_nothing_joins_are_not_drawn_joined() {
    let apart = drawing(&[("a", &[]), ("b", &[])]);
    assert_eq!(rows(&apart), "  ○ a\n\n  ○ b\n\n");
}

#[test]
fn without_room_for_lanes_needs_are_words() {
    let ids: Vec<String> = (0..30).map(|number| format!("s{number}")).collect();
    let (ends, none): (Vec<String>, &[&str]) =
        ((0..30).map(|number| format!("e{number}")).collect(), &[]);
    let needs: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
    let first = ids.iter().map(|id| (id.as_str(), none));
    let last = ends.iter().zip(&needs).map(|(id, needs)| (id.as_str(), needs.as_slice()));
    let wide = drawing(&first.chain(last).collect::<Vec<_>>());
    let text = text(&wide, 80);
    assert!(text.contains("after s29\n"), "{text}");
    assert!(!text.contains('│'), "{text}");
}

/// A drawing of one step whose title is `title`.
fn titled(title: &str) -> Drawing {
    let mut drawing = drawing(&[("end", &[])]);
    drawing.title = title.to_owned();
    drawing.nodes[0].title = title.to_owned();
    drawing.nodes[0].figure = title.to_owned();
    drawing
}

#[test]
fn no_text_of_a_runbook_gets_out_of_its_place() {
    let hostile = titled("\"] ; x \\\" --> y </text><script>1</script> %%{init} #lt;\u{1}\n}");
    let picture = svg(&hostile);
    assert!(!picture.contains("<script>") && !picture.contains('\u{1}'), "{picture}");
    let graph = dot(&hostile);
    // Inside of a string every quote has a backslash before it, and every backslash another one.
    assert!(graph.contains(r#"label="\"] ; x \\\" --> y"#), "{graph}");
    let chart = mermaid(&hostile);
    let body = chart.split("flowchart TD\n").nth(1).expect("a chart");
    assert!(!body.contains("-->") && !body.contains("%%{"), "{chart}");
    assert!(body.contains("#34;#93; #59; x #92;#34; --#62; y"), "{chart}");
    // `end` by itself would end a block of Mermaid's.
    assert!(body.starts_with("  step_end(["), "{chart}");
}

#[test]
fn pictures_say_by_shape_and_word_what_they_say_by_weight() {
    let mut drawn = drawing(&[("a", &[]), ("b!", &["a"])]);
    drawn.mark(&["a".to_owned(), "b".to_owned()], &BTreeMap::new());
    let picture = svg(&drawn);
    for part in [
        "<desc id=\"graph-description\">a (check, on the critical path). b (check, always, on",
        "stroke-dasharray=\"6 4\"",
        "stroke-width=\"3.5\"",
        ">ALWAYS</text>",
        "heavy: critical path",
        "prefers-color-scheme: dark",
    ] {
        assert!(picture.contains(part), "no {part} in {picture}");
    }
    assert!(dot(&drawn).contains("\"a\" -> \"b\" [style=dashed, penwidth=3];"));
    assert!(mermaid(&drawn).contains("step_a -.-> step_b\n  linkStyle 0 stroke-width:4px"));
    let inside = svg_inside(&drawn).into_string();
    assert!(!inside.contains("<style>"), "a page's policy would refuse it: {inside}");
}

/// Rectangles of the boxes in an SVG: left, top, width, height.
fn rectangles(picture: &str) -> Vec<[f64; 4]> {
    let number = |tag: &str, name: &str| -> f64 {
        let value = tag.split(&format!(" {name}=\"")).nth(1).and_then(|it| it.split('"').next());
        value.and_then(|it| it.parse().ok()).expect("a number")
    };
    let tags = picture.split("<rect class=\"box\"").skip(1);
    tags.map(|tag| ["x", "y", "width", "height"].map(|name| number(tag, name))).collect()
}

#[test]
fn boxes_do_not_overlap_and_stand_below_what_they_wait_for() {
    let ids: Vec<String> = (0..24).map(|number| format!("step_{number}")).collect();
    let needs = |at: usize| {
        let back = BTreeSet::from([at * 7 % 5 + 1, at * 3 % 4 + 1]);
        back.into_iter().filter_map(|back| Some(ids[at.checked_sub(back)?].as_str())).collect()
    };
    let needs: Vec<Vec<&str>> = (0..24).map(needs).collect();
    let steps: Vec<(&str, &[&str])> =
        ids.iter().zip(&needs).map(|(id, needs)| (id.as_str(), needs.as_slice())).collect();
    let drawn = drawing(&steps);
    let boxes = rectangles(&svg(&drawn));
    assert_eq!(boxes.len(), 24);
    for (at, [x, y, width, height]) in boxes.iter().enumerate() {
        for [left, top, wide, high] in &boxes[at + 1..] {
            let apart =
                x + width <= *left || left + wide <= *x || y + height <= *top || top + high <= *y;
            assert!(apart, "box {at}");
        }
    }
    for edge in &drawn.edges {
        assert!(boxes[edge.from][1] + boxes[edge.from][3] < boxes[edge.to][1]);
    }
}

#[test]
fn an_order_without_crossings_is_found() {
    // In file order the lines of these would all cross.
    let crossed =
        drawing(&[("a", &[]), ("b", &[]), ("c", &[]), ("x", &["c"]), ("y", &["b"]), ("z", &["a"])]);
    let boxes = rectangles(&svg(&crossed));
    for edge in &crossed.edges {
        let middle = |at: usize| boxes[at][0] + boxes[at][2] / 2.0;
        assert!((middle(edge.from) - middle(edge.to)).abs() < 0.5, "{boxes:?}");
    }
}
