//! Steps over time: when each began, how long it took, how it ended.
//!
//! **Invariant:** at most [`ROWS`] rows; the steps left out are the shortest, and are counted.

use crate::report::charts::axis::axis;
use crate::report::charts::svg::{BLUE, GREY, SKY, hatching, label, percent, span};
use crate::report::measure::human_ms;
use crate::report::model::{Report, StepRow};
use crate::report::waterfall::millis;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// Most rows of one chart: what fits a page of paper.
const ROWS_A_CHART: usize = 24;

/// Most rows of all charts together.
pub const ROWS: usize = 96;

/// Height of a row: its label and its bar.
const ROW: u64 = 34;

/// The charts, one a page of paper, and how many steps they leave out. Empty when no step ran.
pub fn gantt_charts(report: &Report) -> (Vec<Markup>, usize) {
    let mut ran: Vec<&StepRow> = report.steps.iter().filter(|s| s.started_at.is_some()).collect();
    let left_out = ran.len().saturating_sub(ROWS);
    if left_out > 0 {
        ran.sort_by_key(|step| std::cmp::Reverse(step.duration_ms.unwrap_or(u64::MAX)));
        ran.truncate(ROWS);
    }
    ran.sort_by_key(|step| step.started_at);
    let Some(begin) = ran.iter().filter_map(|step| step.started_at).min() else {
        return (Vec::new(), 0);
    };
    let window = Window { begin, end: report.run.last_at.max(begin) };
    let charts = ran.chunks(ROWS_A_CHART).enumerate();
    (charts.map(|(number, steps)| chart(number, steps, &window)).collect(), left_out)
}

struct Window {
    begin: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Window {
    fn whole(&self) -> u64 {
        millis(self.begin, self.end).max(1)
    }

    fn place(&self, at: DateTime<Utc>) -> u64 {
        millis(self.begin, at)
    }

    fn end_of(&self, step: &StepRow) -> u64 {
        let began = step.started_at.map_or(0, |at| self.place(at));
        step.duration_ms.map_or_else(|| self.whole(), |took| began + took)
    }
}

fn chart(number: usize, steps: &[&StepRow], window: &Window) -> Markup {
    let below = steps.len() as u64 * ROW;
    let (title, late) = (format!("gantt-{number}"), format!("failed-{number}"));
    html! {
        svg.chart role="img" width="100%" height=(below + 20) aria-labelledby=(title) {
            title id=(title) { "Steps over time, from the first step's beginning" }
            (hatching(&late))
            (axis(window.whole(), below))
            @for (place, step) in steps.iter().enumerate() {
                (row(step, place as u64 * ROW, window, &late))
            }
        }
    }
}

fn row(step: &StepRow, y: u64, window: &Window, late: &str) -> Markup {
    let whole = window.whole();
    let begin = step.started_at.map_or(0, |at| window.place(at));
    let (x, width) = span(begin, window.end_of(step), whole);
    let look = look(step, late);
    let took = step.duration_ms.map_or_else(|| "under way".to_owned(), human_ms);
    html! {
        g {
            title { (label(&step.step)) ": " (step.outcome) ", " (took) }
            text x="0" y=(y + 13) { (label(&step.step)) }
            text x="100%" y=(y + 13) text-anchor="end" class=(look.class) {
                (step.outcome) ", " (took)
            }
            rect x=(x) y=(y + 18) width=(width) height="11" fill=(look.fill) stroke="#333333"
                stroke-dasharray=[look.dashes] {}
            @for (name, at) in &step.milestones {
                @let x = percent(window.place(*at), whole);
                line x1=(x) x2=(x) y1=(y + 15) y2=(y + 32) stroke="#000000" stroke-width="2" {
                    title { (label(name)) }
                }
            }
            @if let Some((from, to)) = step.undo {
                @let to = to.map_or(whole, |to| window.place(to));
                @let (x, width) = span(window.place(from), to, whole);
                rect x=(x) y=(y + 20) width=(width) height="7" fill="#ffffff" stroke="#333333" {
                    title { "undo" }
                }
            }
        }
    }
}

struct Look<'a> {
    fill: String,
    class: &'a str,
    dashes: Option<&'a str>,
}

fn look(step: &StepRow, late: &str) -> Look<'static> {
    let (fill, class, dashes) = match step.outcome.as_str() {
        "failed" | "undo failed" => (format!("url(#{late})"), "strong", None),
        "running" | "undoing" => (SKY.to_owned(), "", Some("4 2")),
        "skipped" | "undone" => ("#ffffff".to_owned(), "", Some("4 2")),
        _ if step.phase == "cleanup" => (GREY.to_owned(), "", None),
        _ => (BLUE.to_owned(), "", None),
    };
    Look { fill, class, dashes }
}
