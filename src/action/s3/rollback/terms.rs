//! What keys are brought back to, and what is known of the bucket they are in.
//!
//! **Invariant:** a lifecycle that nobody may read counts as one that may have eaten history.

use super::history::second;
use super::reason::Reason;
use crate::base::clock::to_delta;
use crate::cloud::model::{BucketKeeping, Setting, VersionEntry};
use chrono::{DateTime, Utc};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// There, or back again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the instant; what was written after `as_of` is somebody else's and stays.
    To {
        /// When the plan was made.
        as_of: DateTime<Utc>,
    },
    /// Back to the instant before a roll-back to `of`: what is not as that one left it is somebody else's
    /// and stays.
    Undo {
        /// The instant that was rolled back to.
        of: DateTime<Utc>,
        /// Since when copies are this undo's; `None` before its first.
        since: Option<DateTime<Utc>>,
    },
}

/// What keys are brought back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The instant.
    pub(crate) to: DateTime<Utc>,
    /// There, or back again.
    pub(crate) direction: Direction,
    /// Whether delete markers are removed where that suffices.
    pub(crate) remove_markers: bool,
    /// Whether keys are deleted of which it is not certain that they did not exist.
    pub(crate) delete_uncertain: bool,
    /// The present instant.
    pub(crate) now: DateTime<Utc>,
    /// Prefix, and days after which a version that is not current is gone.
    pub(crate) expiry: Vec<(String, i32)>,
    /// Why nobody knows what expires.
    pub(crate) unread: Option<String>,
}

impl Terms {
    /// Whether an entry was written after everything that the plan knew.
    pub(super) fn is_since(&self, entry: &VersionEntry) -> bool {
        let edge = match self.direction {
            Direction::To { as_of } => as_of,
            Direction::Undo { .. } => self.to,
        };
        second(entry.modified) > second(edge)
    }

    /// Whether a copy that cannot be told from another may be taken for this run's.
    pub(super) fn may_be_ours(&self, entry: &VersionEntry) -> bool {
        match self.direction {
            Direction::To { .. } => self.is_since(entry),
            Direction::Undo { since, .. } => {
                since.is_some_and(|since| second(entry.modified) >= second(since))
            }
        }
    }

    /// Why a key whose oldest entry was written at `oldest`, after the instant, may have existed before.
    pub(super) fn may_have_existed(&self, key: &str, oldest: DateTime<Utc>) -> Option<Reason> {
        if self.delete_uncertain {
            return None;
        }
        if let Some(why) = &self.unread {
            return Some(Reason::HistoryUnknown(why.clone()));
        }
        let gone = |days: i32| {
            let days = DAY * u32::try_from(days).unwrap_or(0);
            oldest + to_delta(days) <= self.now
        };
        let rules = self.expiry.iter().filter(|(prefix, _)| key.starts_with(prefix.as_str()));
        let days = rules.map(|(_, days)| *days).filter(|days| gone(*days)).min();
        days.map(Reason::HistoryExpired)
    }

    /// The fewest days after which versions of the keys below `prefix` are gone, if that is before now.
    pub(crate) fn history_ends(&self, prefix: &str) -> Option<i32> {
        let touches = |rule: &str| rule.starts_with(prefix) || prefix.starts_with(rule);
        let rules = self.expiry.iter().filter(|(rule, _)| touches(rule));
        let days = rules.map(|(_, days)| *days).min()?;
        let gone = self.to + to_delta(DAY * u32::try_from(days).unwrap_or(0)) <= self.now;
        gone.then_some(days)
    }

    /// Takes what the bucket's lifecycle says.
    pub(crate) fn read(&mut self, settings: &BucketKeeping) {
        match &settings.lifecycle {
            Setting::Known(rules) => {
                let rules = rules.iter().filter(|rule| rule.enabled);
                let expiring =
                    rules.filter_map(|rule| Some((rule.prefix.clone(), rule.noncurrent_days?)));
                self.expiry = expiring.collect();
            }
            Setting::Absent => {}
            Setting::Denied { operation, why } => {
                self.unread = Some(format!("{operation}: {why}"));
            }
        }
    }
}
