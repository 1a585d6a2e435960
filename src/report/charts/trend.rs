//! Recovery times of run after run, with the promise as a line.
//!
//! **Invariant:** runs that did not recover keep their place and have a cross in place of a bar.

use crate::report::charts::svg::{BLUE, RED, hatching, percent};
use crate::report::measure::human_ms;
use maud::{Markup, html};

/// Height of the bars.
const HEIGHT: u64 = 140;

/// Room above the bars, for the label of the promise.
const ABOVE: u64 = 18;

/// Room for at least this many bars, so that two runs do not look like walls.
const BARS: usize = 12;

/// A run in a trend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What a pointer shows: date and run.
    pub name: String,
    /// The measurement, if there is one.
    pub ms: Option<u64>,
    /// What was promised then.
    pub promised_ms: Option<u64>,
}

/// The chart, oldest first; `id` is unique in the page.
pub fn trend_chart(id: &str, title: &str, points: &[Point]) -> Markup {
    let count = points.len().max(BARS) as u64;
    let measured = points.iter().filter_map(|point| point.ms).max().unwrap_or(0);
    let promised = points.last().and_then(|point| point.promised_ms);
    // A promise far above would press the bars flat: then it is said, not drawn.
    let drawn = promised.filter(|promised| *promised <= measured.saturating_mul(3));
    let top = measured.max(drawn.unwrap_or(0)).max(1);
    let y_of = |ms: u64| ABOVE + HEIGHT - scaled(ms, top);
    let (title_id, late) = (format!("{id}-title"), format!("{id}-late"));
    html! {
        svg.chart role="img" width="100%" height=(ABOVE + HEIGHT + 4) aria-labelledby=(title_id) {
            title id=(title_id) { (title) }
            (hatching(&late))
            line x1="0" x2="100%" y1=(ABOVE + HEIGHT) y2=(ABOVE + HEIGHT) stroke="#333333" {}
            @for (place, point) in points.iter().enumerate() {
                @let x = percent(place as u64 * 10 + 1, count * 10);
                @let width = percent(8, count * 10);
                @let middle = percent(place as u64 * 10 + 5, count * 10);
                g {
                    title {
                        (point.name) ": " (point.ms.map_or_else(|| "not recovered".to_owned(), human_ms))
                    }
                    @if let Some(ms) = point.ms {
                        @let missed = point.promised_ms.is_some_and(|promised| ms > promised);
                        rect x=(x) y=(y_of(ms)) width=(width) height=(scaled(ms, top))
                            fill=(if missed { format!("url(#{late})") } else { BLUE.to_owned() })
                            stroke="#333333" {}
                    } @else {
                        text x=(middle) y=(ABOVE + HEIGHT - 4) text-anchor="middle" fill=(RED)
                            class="strong" { "✕" }
                    }
                }
            }
            @if let Some(promised) = drawn {
                line x1="0" x2="100%" y1=(y_of(promised)) y2=(y_of(promised)) stroke="#000000"
                    stroke-width="2" stroke-dasharray="6 3" {}
                text x="0" y=(y_of(promised) - 4) { "promised " (human_ms(promised)) }
            }
        }
    }
}

fn scaled(ms: u64, top: u64) -> u64 {
    let height = u128::from(ms) * u128::from(HEIGHT) / u128::from(top.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).max(1)
}
