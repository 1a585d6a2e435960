//! Graphs drawn: lanes that meet, pass behind each other and run out of room.

use super::actions;
use crate::runbook::drawing::{Drawing, text};
use crate::runbook::load_runbook;

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
