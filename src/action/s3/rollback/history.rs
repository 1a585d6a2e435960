//! A key's history, gathered from its entries as they pass.
//!
//! **Invariant:** memory does not grow with the number of a key's entries.

use crate::cloud::model::{NULL_VERSION, VersionEntry};
use chrono::{DateTime, Timelike as _, Utc};

/// Most delete markers in a row that are remembered: more of them are covered by a copy, not removed.
const MOST_MARKERS: usize = 100;

/// An instant to the second that listings tell.
pub(super) fn second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_nanosecond(0).unwrap_or(at)
}

/// What matters of a key's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    /// The entry on top.
    pub(super) top: VersionEntry,
    /// The entry that was on top at the instant; `None` when the history begins later.
    pub(super) wanted: Option<VersionEntry>,
    /// The entry that was on top at the other instant, where there is one.
    pub(super) was: Option<VersionEntry>,
    /// When the oldest entry was written.
    pub(super) oldest: DateTime<Utc>,
    /// When an entry without version id was written after the instant: it may have replaced another.
    pub(super) overwritten: Option<DateTime<Utc>>,
    /// How many entries were written in the very second of the instant.
    pub(super) in_second: u32,
    /// Version ids of the delete markers on top, newest first; `None` when there are too many.
    pub(super) markers: Option<Vec<String>>,
    /// The newest entry with data.
    pub(super) newest_data: Option<String>,
    /// Whether the entry under the top one is a delete marker.
    pub(super) over_marker: bool,
    entries: u64,
}

impl History {
    /// The key.
    pub(super) fn key(&self) -> &str {
        &self.top.key
    }

    fn of(top: VersionEntry) -> Self {
        let oldest = top.modified;
        Self {
            top,
            wanted: None,
            was: None,
            oldest,
            overwritten: None,
            in_second: 0,
            markers: Some(Vec::new()),
            newest_data: None,
            over_marker: false,
            entries: 0,
        }
    }

    fn take(&mut self, entry: VersionEntry, (to, other): (DateTime<Utc>, Option<DateTime<Utc>>)) {
        let at = second(entry.modified);
        self.oldest = self.oldest.min(entry.modified);
        self.in_second += u32::from(at == to);
        if at > to && entry.version_id == NULL_VERSION {
            self.overwritten = Some(self.overwritten.map_or(at, |before| before.max(at)));
        }
        if entry.object.is_some() && self.newest_data.is_none() {
            self.newest_data = Some(entry.version_id.clone());
        }
        if entry.object.is_none() && self.newest_data.is_none() {
            self.markers = self.markers.take().filter(|known| known.len() < MOST_MARKERS);
            if let Some(known) = &mut self.markers {
                known.push(entry.version_id.clone());
            }
        }
        if self.entries == 1 {
            self.over_marker = entry.object.is_none();
        }
        self.entries += 1;
        if other.is_some_and(|other| at <= other) && self.was.is_none() {
            self.was = Some(entry.clone());
        }
        if at <= to && self.wanted.is_none() {
            self.wanted = Some(entry);
        }
    }
}

/// Gathers entries, which come key by key and newest first.
#[derive(Debug, Clone)]
pub(super) struct Gatherer {
    instants: (DateTime<Utc>, Option<DateTime<Utc>>),
    open: Option<History>,
}

impl Gatherer {
    /// For the state at `to`, and at `other` where that matters too.
    pub(super) fn new(to: DateTime<Utc>, other: Option<DateTime<Utc>>) -> Self {
        Self { instants: (second(to), other.map(second)), open: None }
    }

    /// One more entry; the history of the key before, when it is another's.
    pub(super) fn push(&mut self, entry: VersionEntry) -> Option<History> {
        let other = self.open.as_ref().is_some_and(|open| open.key() != entry.key);
        let whole = if other { self.open.take() } else { None };
        let open = self.open.get_or_insert_with(|| History::of(entry.clone()));
        open.take(entry, self.instants);
        whole
    }

    /// The last key's history.
    pub(super) fn end(&mut self) -> Option<History> {
        self.open.take()
    }
}
