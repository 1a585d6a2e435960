//! The recovery-time waterfall: each phase begins where the one before it ended.
//!
//! **Invariant:** the bars add up to the last one, the total.

use crate::report::charts::axis::axis;
use crate::report::charts::svg::{BLUE, GREY, hatching, label, percent, span};
use crate::report::measure::human_ms;
use crate::report::model::{Report, Waterfall, WaterfallEnd};
use maud::{Markup, html};

/// Height of a row: its label and its bar.
const ROW: u64 = 36;

/// A promise further away than this many totals would make the bars too small to read.
const FARTHEST_PROMISE: u64 = 3;

/// The chart; empty when no time passed.
pub fn waterfall_chart(report: &Report, promised_ms: Option<u64>) -> Markup {
    let waterfall = &report.waterfall;
    if waterfall.total_ms == 0 {
        return html! {};
    }
    let near = waterfall.total_ms.saturating_mul(FARTHEST_PROMISE);
    let promise = promised_ms.filter(|promised| *promised <= near);
    let whole = promise.unwrap_or(0).max(waterfall.total_ms);
    let rows = bars(waterfall);
    let below = rows.len() as u64 * ROW;
    let height = below + if promise.is_some() { 38 } else { 20 };
    html! {
        svg.chart role="img" width="100%" height=(height) aria-labelledby="waterfall-title" {
            title id="waterfall-title" { "Recovery time by phase: " (sentence(waterfall)) }
            (hatching("late"))
            (axis(whole, below))
            @for (place, bar) in rows.iter().enumerate() {
                @let y = place as u64 * ROW;
                @let (x, width) = span(bar.from, bar.to, whole);
                g {
                    title { (bar.name) ": " (human_ms(bar.to - bar.from)) }
                    text x="0" y=(y + 13) class=(bar.class) { (label(&bar.name)) }
                    text x="100%" y=(y + 13) class=(bar.class) text-anchor="end" { (bar.figure) }
                    rect x=(x) y=(y + 18) width=(width) height="13" fill=(bar.fill) stroke="#333333" {}
                }
            }
            @if let Some(promised) = promise {
                @let x = percent(promised, whole);
                line x1=(x) x2=(x) y1="0" y2=(below + 20) stroke="#000000" stroke-width="2"
                    stroke-dasharray="6 3" {}
                text x=(x) y=(below + 33) text-anchor=(side(promised, whole)) {
                    "promised " (human_ms(promised))
                }
            }
        }
    }
}

/// The text of the promise stays inside.
fn side(promised: u64, whole: u64) -> &'static str {
    if promised < whole / 4 {
        "start"
    } else if promised > whole / 4 * 3 {
        "end"
    } else {
        "middle"
    }
}

struct Bar {
    name: String,
    from: u64,
    to: u64,
    figure: String,
    fill: &'static str,
    class: &'static str,
}

fn bars(waterfall: &Waterfall) -> Vec<Bar> {
    let mut from = 0;
    let mut bars = Vec::new();
    for phase in &waterfall.phases {
        let to = from + phase.ms;
        let share = phase.ms.saturating_mul(100) / waterfall.total_ms.max(1);
        let waits = ["wait", "tool"].contains(&phase.phase.as_str());
        bars.push(Bar {
            name: in_words(&phase.phase).to_owned(),
            from,
            to,
            figure: format!("{} ({share}%)", human_ms(phase.ms)),
            fill: if waits { GREY } else { BLUE },
            class: "",
        });
        from = to;
    }
    let (name, fill) = match waterfall.to_what {
        WaterfallEnd::Recovered => ("recovered after", "#ffffff"),
        WaterfallEnd::LastEvent => ("NOT recovered after", "url(#late)"),
        WaterfallEnd::NothingToRecover => ("the whole run", "#ffffff"),
    };
    let total = waterfall.total_ms;
    let (name, figure) = (name.to_owned(), human_ms(total));
    bars.push(Bar { name, from: 0, to: total, figure, fill, class: "strong" });
    bars
}

/// A phase as people say it.
pub fn in_words(phase: &str) -> &str {
    match phase {
        "detect" => "detect: until it was declared",
        "decide" => "decide and check",
        "wait" => "wait for people or an instant",
        "provision" => "provision: restore",
        "replay" => "replay: catch up",
        "verify" => "verify: prove it works",
        "warm" => "warm up",
        "dns" => "move names and clients",
        "tool" => "drctl itself",
        other => other,
    }
}

fn sentence(waterfall: &Waterfall) -> String {
    let phases = waterfall.phases.iter().map(|one| format!("{} {}", one.phase, human_ms(one.ms)));
    format!("{}; total {}", phases.collect::<Vec<_>>().join(", "), human_ms(waterfall.total_ms))
}
