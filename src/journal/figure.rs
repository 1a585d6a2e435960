//! Figures that people see before they decide what cannot be taken back.
//!
//! **Invariant:** unknown is said as unknown, and is never zero.

use crate::base::ids::StepKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What has to be acknowledged where nothing proves that the old writer is fenced.
pub const TWO_WRITERS: &str = "two-writers";

/// Name of the figure that says whether the old writer is fenced; it is unknown where nothing proves it.
pub const FENCING: &str = "fencing";

/// Name of the figure of a fence that succeeded and no longer holds.
pub const FENCE_LOST: &str = "fence_lost";

/// Least difference of two lengths of time that is worth a record of its own.
const LEAST_NEWS: Duration = Duration::from_secs(5);

/// A figure as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRecord {
    /// The step that it is about; `None` for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepKey>,
    /// Stable name: `replica_lag`, `fencing`, `undo`, `abort`.
    pub name: String,
    /// The figure for people, one line.
    pub text: String,
    /// Whether it is known.
    pub known: bool,
    /// The same as a length of time, milliseconds, where it is a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
}

impl FigureRecord {
    /// Something known about the whole run.
    pub fn known(name: &str, text: String) -> Self {
        Self { step: None, name: name.to_owned(), text, known: true, time_ms: None }
    }

    /// Something about the whole run that nobody knows.
    pub fn unknown(name: &str, text: String) -> Self {
        Self { known: false, ..Self::known(name, text) }
    }

    /// Whether `other` says nothing that would change a decision: lengths of time may differ a little.
    fn is_like(&self, other: &Self) -> bool {
        let same = (&self.step, &self.name, self.known) == (&other.step, &other.name, other.known);
        same && match (self.time_ms, other.time_ms) {
            (Some(one), Some(other)) => {
                let least = u64::try_from(LEAST_NEWS.as_millis()).unwrap_or(u64::MAX);
                one.abs_diff(other) < least.max(one / 4)
            }
            (None, None) => self.text == other.text,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl fmt::Display for FigureRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "{step}: ")?;
        }
        write!(f, "{}: {}", self.name.replace('_', " "), self.text)
    }
}

/// Whether `new` says nothing that would change a decision made on `old`.
pub fn are_alike(old: &[FigureRecord], new: &[FigureRecord]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.is_like(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(time_ms: Option<u64>) -> FigureRecord {
        let known = time_ms.is_some();
        let text = time_ms.map_or_else(|| "unknown".to_owned(), |ms| format!("{ms} ms"));
        let step = Some(StepKey::new("promote"));
        FigureRecord { step, name: "replica_lag".to_owned(), text, known, time_ms }
    }

    #[test]
    fn small_moves_are_no_news_and_unknown_is() {
        for (old, new, alike) in [
            (Some(1_000), Some(1_400), true),
            (Some(1_000), Some(6_000), false),
            (Some(100_000), Some(120_000), true),
            (Some(100_000), Some(130_000), false),
            (Some(0), None, false),
            (None, Some(0), false),
            (None, None, true),
        ] {
            assert_eq!(are_alike(&[lag(old)], &[lag(new)]), alike, "{old:?} {new:?}");
        }
        assert!(!are_alike(&[lag(None)], &[]));
        let proof = |text: &str| FigureRecord::known(FENCING, text.to_owned());
        assert!(!are_alike(&[proof("fence: 0 tasks")], &[proof("attest: ann")]));
    }

    #[test]
    fn a_figure_reads_as_one_line_and_back() {
        assert_eq!(lag(Some(1_000)).to_string(), "promote: replica lag: 1000 ms");
        let json = serde_json::to_string(&lag(None)).unwrap();
        assert_eq!(serde_json::from_str::<FigureRecord>(&json).unwrap(), lag(None));
        assert!(!json.contains("time_ms"), "{json}");
    }
}
