//! What the looks of one watch window left, within one process.
//!
//! **Invariant:** time in which nobody looked is never counted as time in which all was well, unless what
//! AWS keeps proves it.

use crate::base::clock::between;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The looks so far.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    last: Option<DateTime<Utc>>,
    /// How many there were.
    pub(super) samples: u32,
    /// Conditions that are not known, and since when.
    unknown: BTreeMap<String, DateTime<Utc>>,
    /// The longest that a condition was not known.
    pub(super) worst: Option<(String, Duration)>,
    /// Times in which nobody looked, longer than the limit: from and to.
    pub(super) gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Since when there is no such gap; `None` without any.
    pub(super) whole_since: Option<DateTime<Utc>>,
    /// Alarms whose data were insufficient when they were seen last.
    undecided: BTreeSet<String>,
}

impl Looks {
    /// A look at `now` of a step that began at `began`; a longer time than `limit` since the last one, or
    /// since the beginning, is a gap.
    pub(super) fn look(&mut self, began: DateTime<Utc>, now: DateTime<Utc>, limit: Duration) {
        let before = self.last.unwrap_or(began);
        if between(before, now) > limit {
            self.gaps.push((before, now));
            self.whole_since = Some(now);
        }
        self.last = Some(now);
        self.samples += 1;
    }

    /// A condition is not known at `now`; for how long it has not been.
    pub(super) fn unknown(&mut self, condition: &str, now: DateTime<Utc>) -> Duration {
        let since = *self.unknown.entry(condition.to_owned()).or_insert(now);
        let lasted = between(since, now);
        if self.worst.as_ref().is_none_or(|(_, worst)| lasted > *worst) {
            self.worst = Some((condition.to_owned(), lasted));
        }
        lasted
    }

    /// A condition is known.
    pub(super) fn known(&mut self, condition: &str) {
        self.unknown.remove(condition);
    }

    /// Notes whether an alarm has data, and says whether it had none when it was seen last.
    pub(super) fn was_undecided(&mut self, alarm: &str, undecided: bool) -> bool {
        let before = self.undecided.contains(alarm);
        if undecided {
            self.undecided.insert(alarm.to_owned());
        } else {
            self.undecided.remove(alarm);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::Looks;
    use crate::base::clock::{later, simulated_epoch};
    use std::time::Duration;

    #[test]
    fn a_gap_is_longer_than_the_limit_and_the_window_is_whole_after_it() {
        let (began, minute) = (simulated_epoch(), Duration::from_secs(60));
        let mut looks = Looks::default();
        looks.look(began, later(began, minute), minute);
        assert_eq!((looks.samples, looks.gaps.len(), looks.whole_since), (1, 0, None));
        let (asleep, awake) = (later(began, minute), later(began, minute * 10));
        looks.look(began, awake, minute);
        assert_eq!(
            (looks.gaps.as_slice(), looks.whole_since),
            (&[(asleep, awake)][..], Some(awake))
        );
        // A process that takes it up has seen nothing: all since the beginning is a gap.
        let mut resumed = Looks::default();
        resumed.look(began, awake, minute);
        assert_eq!(resumed.gaps, [(began, awake)]);
    }

    #[test]
    fn the_longest_unknown_is_kept() {
        let (now, minute) = (simulated_epoch(), Duration::from_secs(60));
        let mut looks = Looks::default();
        assert_eq!(looks.unknown("a", now), Duration::ZERO);
        assert_eq!(looks.unknown("a", later(now, minute)), minute);
        looks.known("a");
        assert_eq!(looks.unknown("a", later(now, minute * 2)), Duration::ZERO);
        assert_eq!(looks.worst, Some(("a".to_owned(), minute)));
    }
}
