//! Counts of a roll-back, and the first things that went wrong.
//!
//! **Invariant:** each key is counted once; what did not happen is never counted as done.

use super::change::{Change, Kind};
use super::reason::Reason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most problems that are kept with their keys; the others are counted.
const MOST_PROBLEMS: usize = 20;

/// Longest key in a text, characters.
const LONGEST_KEY: usize = 120;

/// A key on one line, whatever is in it.
pub(crate) fn shown(key: &str) -> String {
    let mut text: String = key.chars().take(LONGEST_KEY).collect();
    if text.len() < key.len() {
        text.push('…');
    }
    format!("{text:?}")
}

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tally {
    /// Older versions put on top of newer ones.
    pub(crate) restored: u64,
    /// Keys that are seen again.
    pub(crate) undeleted: u64,
    /// Delete markers put.
    pub(crate) deleted: u64,
    /// Keys that were as wanted.
    pub(crate) unchanged: u64,
    /// Keys that somebody wrote since the plan.
    pub(crate) conflicts: u64,
    /// Keys that cannot be brought back.
    pub(crate) unrestorable: u64,
    /// Bytes copied.
    pub(crate) bytes: u64,
    /// Keys with several entries in the very second of the instant.
    pub(crate) close: u64,
    /// Keys of which something is as old as the instant.
    pub(crate) existed: u64,
    /// Why keys cannot be brought back, counted by the reason's code.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// The first of them.
    pub(crate) problems: Vec<String>,
}

impl Tally {
    /// A key that is as wanted, by this run or not.
    pub(crate) fn as_wanted(&mut self, by: Option<(Kind, u64)>) {
        match by {
            Some((kind, bytes)) => self.done(kind, bytes),
            None => self.unchanged += 1,
        }
    }

    /// A change that was made, or will be.
    pub(crate) fn done(&mut self, kind: Kind, bytes: u64) {
        match kind {
            Kind::Restored => self.restored += 1,
            Kind::Undeleted => self.undeleted += 1,
            Kind::Deleted => self.deleted += 1,
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// A change that a plan holds.
    pub(crate) fn planned(&mut self, change: &Change) {
        self.done(change.kind(), change.bytes());
    }

    /// A key that somebody wrote.
    pub(crate) fn conflict(&mut self, key: &str) {
        self.conflicts += 1;
        self.problem(format!("{}: written since the plan, kept", shown(key)));
    }

    /// A key that cannot be brought back.
    pub(crate) fn lost(&mut self, key: &str, reason: &Reason) {
        self.unrestorable += 1;
        *self.reasons.entry(reason.code().to_owned()).or_default() += 1;
        self.problem(format!("{}: {}", shown(key), reason.text()));
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(text);
        }
    }

    /// Keys so far.
    pub(crate) fn keys(&self) -> u64 {
        self.changes() + self.unchanged + self.conflicts + self.unrestorable
    }

    /// Changes so far.
    pub(crate) fn changes(&self) -> u64 {
        self.restored + self.undeleted + self.deleted
    }

    /// `archived 2, denied 1`.
    pub(crate) fn reasons_text(&self) -> String {
        let each = self.reasons.iter().map(|(code, count)| format!("{code} {count}"));
        each.collect::<Vec<_>>().join(", ")
    }

    /// What deserves attention when all is done.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.unrestorable > 0 {
            warnings.push(format!(
                "{} objects cannot be brought back ({})",
                self.unrestorable,
                self.reasons_text()
            ));
        }
        if self.conflicts > 0 {
            warnings
                .push(format!("{} objects were written since the plan and kept", self.conflicts));
        }
        if !warnings.is_empty() {
            warnings.extend(self.problems.iter().cloned());
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Reason, Tally, shown};

    #[test]
    fn keys_are_one_line_and_not_endless() {
        assert_eq!(shown("a\nb"), r#""a\nb""#);
        let long = "ä".repeat(500);
        assert!(shown(&long).chars().count() < 130 && shown(&long).contains('…'));
    }

    #[test]
    fn problems_are_kept_to_a_number_and_all_counted() {
        let mut tally = Tally::default();
        for number in 0..100 {
            tally.lost(&format!("k{number}"), &Reason::CustomerKey);
        }
        tally.conflict("other");
        tally.done(Kind::Restored, 5);
        assert_eq!((tally.unrestorable, tally.conflicts, tally.keys()), (100, 1, 102));
        assert_eq!((tally.problems.len(), tally.reasons_text().as_str()), (20, "customer_key 100"));
        assert_eq!(tally.warnings().len(), 22);
        let json = serde_json::to_value(&tally).expect("plain data");
        assert_eq!(serde_json::from_value::<Tally>(json).expect("reads back"), tally);
    }
}
