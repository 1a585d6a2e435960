//! The time axis: a handful of round instants.
//!
//! **Invariant:** at most six marks, none beyond the end.

use crate::base::duration::human;
use crate::report::charts::svg::percent;
use maud::{Markup, html};
use std::time::Duration;

/// Distances between marks that people find round, milliseconds.
const STEPS: [u64; 22] = [
    1,
    5,
    10,
    50,
    100,
    500,
    1_000,
    5_000,
    10_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    7_200_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_592_000_000,
];

/// Most marks beside the zero.
const MARKS: u64 = 5;

/// Milliseconds of the marks on an axis of `total_ms`.
pub fn marks(total_ms: u64) -> Vec<u64> {
    let found = STEPS.iter().copied().find(|step| total_ms / step <= MARKS);
    let step = found.unwrap_or(total_ms / MARKS).max(1);
    (0..=MARKS).map(|count| count * step).take_while(|mark| *mark <= total_ms).collect()
}

/// Thin lines down the chart and the times below them, at `y`.
pub fn axis(total_ms: u64, y: u64) -> Markup {
    html! {
        @for mark in marks(total_ms) {
            @let x = percent(mark, total_ms);
            line x1=(x) x2=(x) y1="0" y2=(y) stroke="#cccccc" {}
            text x=(x) y=(y + 15) class="tick" text-anchor=(anchor(mark, total_ms)) {
                (short(mark))
            }
        }
    }
}

/// Text at an edge stays inside.
fn anchor(mark: u64, total_ms: u64) -> &'static str {
    match (mark, mark >= total_ms / 20 * 19) {
        (0, _) => "start",
        (_, true) => "end",
        (_, false) => "middle",
    }
}

/// `0`, `30s`, `5m`, `2h`: marks are round, so smaller units add nothing.
fn short(mark: u64) -> String {
    let text = human(Duration::from_millis(mark));
    match mark {
        0 => "0".to_owned(),
        60_000.. => trim(&text),
        1_000..10_000 => text.replace(".0s", "s"),
        1..1_000 | 10_000..60_000 => text,
    }
}

fn trim(text: &str) -> String {
    let trimmed = ["00s", "00m", "00h"].iter().find_map(|zero| text.strip_suffix(zero));
    trimmed.unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_few_and_round() {
        assert_eq!(marks(640_000), [0, 120_000, 240_000, 360_000, 480_000, 600_000]);
        assert_eq!(marks(0), [0]);
        assert_eq!(marks(4), [0, 1, 2, 3, 4]);
        for total in [7, 999, 61_000, 3_599_999, 86_400_001, 40_000_000_000, u64::MAX / 2] {
            let marks = marks(total);
            assert!((2..=6).contains(&marks.len()), "{total}: {marks:?}");
            assert!(marks.iter().all(|mark| *mark <= total), "{total}: {marks:?}");
        }
    }

    #[test]
    fn times_are_short() {
        let marks = [0, 500, 5_000, 30_000, 120_000, 5_400_000, 7_200_000, 86_400_000];
        let texts = marks.map(short);
        assert_eq!(texts, ["0", "500ms", "5s", "30s", "2m", "1h30m", "2h", "1d"]);
    }
}
