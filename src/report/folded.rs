//! Long lists made short enough to read: equal events in a row become one line, and what is too much
//! is counted.
//!
//! **Invariant:** nothing disappears without being counted, and no number of events makes a page
//! longer than its limits.

use crate::report::model::TimelineRow;
use chrono::{DateTime, Utc};

/// Most lines of a timeline on a page. The busiest run that people read whole has hundreds.
pub const TIMELINE_LINES: usize = 1_000;

/// A line of a timeline: one event, or several equal ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine<'a> {
    /// The first event.
    pub first: &'a TimelineRow,
    /// Number and time of the last one.
    pub last: (u64, Option<DateTime<Utc>>),
    /// How many events.
    pub count: u64,
}

/// A timeline for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedTimeline<'a> {
    /// The beginning, or everything.
    pub head: Vec<TimelineLine<'a>>,
    /// Events left out between `head` and `tail`.
    pub left_out: u64,
    /// The end, when something was left out.
    pub tail: Vec<TimelineLine<'a>>,
}

/// Folds equal events in a row, then leaves out the middle of what is still longer than `limit`.
pub fn fold_timeline(rows: &[TimelineRow], limit: usize) -> FoldedTimeline<'_> {
    let mut lines: Vec<TimelineLine<'_>> = Vec::new();
    for row in rows {
        match lines.last_mut() {
            Some(line) if line.first.step == row.step && line.first.text == row.text => {
                line.last = (row.seq, row.at);
                line.count += 1;
            }
            Some(_) | None => {
                lines.push(TimelineLine { first: row, last: (row.seq, row.at), count: 1 });
            }
        }
    }
    if lines.len() <= limit {
        return FoldedTimeline { head: lines, left_out: 0, tail: Vec::new() };
    }
    let half = limit / 2;
    let tail = lines.split_off(lines.len() - half);
    let left_out = lines.drain(half..).map(|line| line.count).sum();
    FoldedTimeline { head: lines, left_out, tail }
}

/// Some rows in their order, and how many were left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'a, T> {
    /// The rows.
    pub rows: Vec<&'a T>,
    /// How many others there are.
    pub left_out: usize,
}

/// At most `limit` rows: those that matter first, then the others from the beginning.
pub fn choose<T>(rows: &[T], limit: usize, matters: impl Fn(&T) -> bool) -> Chosen<'_, T> {
    if rows.len() <= limit {
        return Chosen { rows: rows.iter().collect(), left_out: 0 };
    }
    let important = rows.iter().filter(|row| matters(row)).count().min(limit);
    let (mut important_left, mut others_left) = (important, limit - important);
    let mut chosen = Vec::with_capacity(limit);
    for row in rows {
        let left = if matters(row) { &mut important_left } else { &mut others_left };
        if *left > 0 {
            *left -= 1;
            chosen.push(row);
        }
    }
    let left_out = rows.len() - chosen.len();
    Chosen { rows: chosen, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64, text: &str) -> TimelineRow {
        TimelineRow { seq, at: None, step: Some("a".to_owned()), text: text.to_owned() }
    }

    #[test]
    fn equal_events_in_a_row_are_one_line() {
        let rows = [row(1, "x"), row(2, "y"), row(3, "y"), row(4, "y"), row(5, "x")];
        let folded = fold_timeline(&rows, 10);
        let lines: Vec<_> =
            folded.head.iter().map(|line| (line.first.seq, line.last.0, line.count)).collect();
        assert_eq!(lines, [(1, 1, 1), (2, 4, 3), (5, 5, 1)]);
        assert_eq!((folded.left_out, folded.tail.len()), (0, 0));
    }

    #[test]
    fn the_middle_is_counted_when_it_is_left_out() {
        let rows: Vec<_> = (1..=100).map(|seq| row(seq, &format!("event {seq}"))).collect();
        let folded = fold_timeline(&rows, 10);
        assert_eq!((folded.head.len(), folded.left_out, folded.tail.len()), (5, 90, 5));
        assert_eq!((folded.head[4].first.seq, folded.tail[0].first.seq), (5, 96));
    }

    #[test]
    fn what_matters_is_chosen_first_and_order_is_kept() {
        let rows: Vec<u32> = (0..100).collect();
        let chosen = choose(&rows, 4, |number| *number >= 98);
        assert_eq!((chosen.rows, chosen.left_out), (vec![&0, &1, &98, &99], 96));
        assert_eq!(choose(&rows, 3, |_| true).rows, [&0, &1, &2]);
        assert_eq!(choose(&rows[..3], 3, |_| false).left_out, 0);
    }
}
