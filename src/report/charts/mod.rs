//! Charts as SVG that stands within a page: bars, spans, trends.
//!
//! Places along the time axis are percentages and everything else is pixels, so that a chart is as
//! wide as its page, on a phone and on paper, while its text keeps its size. Labels stand above their
//! bars for the same reason. No meaning is in colour alone: words and hatching say it too.
//!
//! **Invariant:** the same numbers give the same text; no script, no style, no outside reference.

pub mod axis;
pub mod gantt;
pub mod svg;
pub mod trend;
pub mod waterfall;
