//! How far a read replica is behind, as far as anybody knows.
//!
//! **Invariant:** no figure, an old figure and AWS's -1 are all *unknown*, and unknown is never zero.

use crate::action::context::ReadContext;
use crate::action::outcome::{ActionError, Figure};
use crate::base::clock::{between, format_instant, sooner};
use crate::base::duration::human;
use crate::base::value::Value;
use crate::cloud::model::{DbInstance, MeasuredLag};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How old a figure may be that still counts. There is one a minute, shown a minute or two later.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// In steps of how much a lag is told while it is waited for.
const STEP: Duration = Duration::from_secs(30);

/// What is known of a lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    /// It was measured.
    Known {
        /// How far behind.
        lag: Duration,
        /// The minute it was measured in.
        at: DateTime<Utc>,
    },
    /// AWS measured -1: replication was not active.
    Inactive {
        /// The minute it was measured in.
        at: DateTime<Utc>,
        /// Until when older figures say that it has everything.
        has_until: Option<DateTime<Utc>>,
    },
    /// The newest figure is too old to say how things are.
    Old {
        /// The minute it was measured in.
        at: DateTime<Utc>,
        /// Until when it and older ones say that it has everything.
        has_until: Option<DateTime<Utc>>,
    },
    /// There is no figure.
    Nothing,
}

impl Lag {
    /// Judges the newest figure at `now`.
    fn of(measured: Option<MeasuredLag>, now: DateTime<Utc>) -> Self {
        match measured {
            None => Self::Nothing,
            Some(MeasuredLag { at, has_until, .. }) if at < sooner(now, FRESH) => {
                Self::Old { at, has_until }
            }
            Some(MeasuredLag { at, lag: None, has_until }) => Self::Inactive { at, has_until },
            Some(MeasuredLag { at, lag: Some(lag), .. }) => Self::Known { lag, at },
        }
    }

    /// Reads the lag of a replica of this step's region, as it was at `until` or is now.
    pub(super) async fn read(
        context: &ReadContext<'_>,
        id: &str,
        until: Option<DateTime<Utc>>,
    ) -> Result<Self, ActionError> {
        let scope = &context.scope;
        let measured = context.view.replica_lag(scope.region, id, until).await?;
        Ok(Self::of(measured, until.unwrap_or(scope.now)))
    }

    /// The lag, when it is known.
    pub(super) fn known(self) -> Option<Duration> {
        if let Self::Known { lag, .. } = self { Some(lag) } else { None }
    }

    /// When it was measured.
    pub(super) fn measured_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Known { at, .. } | Self::Inactive { at, .. } | Self::Old { at, .. } => Some(at),
            Self::Nothing => None,
        }
    }

    /// The newest instant that it is known to have everything until. Of a source that is gone this stays
    /// as it is, while the lag grows with the clock.
    pub(super) fn has_until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Known { lag, at } => Some(sooner(at, lag)),
            Self::Inactive { has_until, .. } | Self::Old { has_until, .. } => has_until,
            Self::Nothing => None,
        }
    }

    /// What is lost at most when it is promoted at `now`. A replica that `follows` lacks its lag; one that
    /// follows no more lacks what was written from [`Self::has_until`] to the disaster, where somebody said
    /// when that was, else to now.
    pub(super) fn loss(
        self,
        follows: bool,
        now: DateTime<Utc>,
        disaster: Option<DateTime<Utc>>,
    ) -> Option<Duration> {
        if follows {
            return self.known();
        }
        let ended = disaster.filter(|at| *at <= now).unwrap_or(now);
        self.has_until().map(|until| between(until, ended))
    }

    /// The lag as an output: null when it is unknown.
    pub(super) fn value(self) -> Value {
        self.known().map_or(Value::Null, Value::Duration)
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Known { lag, at } => {
                format!("{} behind, measured {}", human(lag), format_instant(at))
            }
            Self::Inactive { at, has_until } => format!(
                "behind by an unknown time: AWS measured -1 at {}, replication is not active{}",
                format_instant(at),
                at_least(has_until)
            ),
            Self::Old { at, has_until } => format!(
                "behind by an unknown time: the newest figure is of {}{}",
                format_instant(at),
                at_least(has_until)
            ),
            Self::Nothing => "behind by an unknown time: CloudWatch has no figure".to_owned(),
        }
    }

    /// What is at stake when a replica that far behind is promoted.
    pub(super) fn figure(self, name: &str) -> Figure {
        match self {
            Self::Known { lag, at } => Figure::of_time(
                "replica_lag",
                lag,
                format!(
                    "`{name}` has what was written until {} and lacks the last {}, measured {}",
                    format_instant(sooner(at, lag)),
                    human(lag),
                    format_instant(at)
                ),
            ),
            Self::Inactive { .. } | Self::Old { .. } | Self::Nothing => {
                Figure::unknown("replica_lag", format!("`{name}` is {}", self.words()))
            }
        }
    }

    /// In words for the state of a step that waits: they change only when something moved, not with each
    /// figure.
    pub(super) fn state(self) -> String {
        match self {
            Self::Known { lag, .. } if lag < STEP => "a few seconds behind".to_owned(),
            Self::Known { lag, .. } => {
                let whole = lag.as_secs() / STEP.as_secs() * STEP.as_secs();
                format!("more than {} behind", human(Duration::from_secs(whole)))
            }
            Self::Inactive { .. } => "its lag is unknown, replication is not active".to_owned(),
            Self::Old { .. } | Self::Nothing => {
                "its lag is unknown, there is no new figure".to_owned()
            }
        }
    }

    /// Whether the replica has everything that was written before `instant`. A replica that follows a
    /// writer is never exactly at zero; what counts is how new its data is.
    pub(super) fn has_all_before(self, instant: DateTime<Utc>) -> bool {
        let Self::Known { lag, at } = self else { return false };
        at >= instant && (lag.is_zero() || sooner(at, lag) >= instant)
    }
}

fn at_least(has_until: Option<DateTime<Utc>>) -> String {
    let said = |at| format!("; it has everything until {} at least", format_instant(at));
    has_until.map(said).unwrap_or_default()
}

/// The identifier in an identifier or an ARN, lower case.
pub(super) fn id_of(id_or_arn: &str) -> String {
    let id = if id_or_arn.starts_with("arn:") {
        id_or_arn.rsplit(':').next().unwrap_or(id_or_arn)
    } else {
        id_or_arn
    };
    id.to_ascii_lowercase()
}

/// Whether `found` is a replica of `wanted`: the same ARN, or the same identifier when one of both is
/// none.
pub(super) fn is_source(found: &str, wanted: &str) -> bool {
    let both = found.starts_with("arn:") && wanted.starts_with("arn:");
    if both { found.eq_ignore_ascii_case(wanted) } else { id_of(found) == id_of(wanted) }
}

/// How a replica's replication stands, in one word.
pub(super) fn replication(instance: &DbInstance) -> &str {
    instance.replication.as_ref().map_or("not told", |found| found.status.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use chrono::TimeDelta;

    #[test]
    fn only_a_fresh_figure_is_a_lag() {
        let now = simulated_epoch();
        let at = |seconds| now - TimeDelta::seconds(seconds);
        let of = |seconds, lag: Option<u64>| {
            let (at, lag) = (at(seconds), lag.map(Duration::from_secs));
            let has_until = lag.map(|lag| sooner(at, lag));
            Lag::of(Some(MeasuredLag { at, lag, has_until }), now)
        };
        assert_eq!(Lag::of(None, now), Lag::Nothing);
        assert_eq!(of(301, Some(0)), Lag::Old { at: at(301), has_until: Some(at(301)) });
        assert_eq!(of(60, None), Lag::Inactive { at: at(60), has_until: None });
        assert_eq!(of(60, Some(3)).known(), Some(Duration::from_secs(3)));
        for unknown in [Lag::Nothing, of(301, Some(0)), of(60, None)] {
            assert_eq!((unknown.known(), unknown.value()), (None, Value::Null), "{unknown:?}");
            assert!(unknown.words().contains("unknown"), "{unknown:?}");
            assert!(!unknown.has_all_before(at(3_600)), "{unknown:?}");
        }
        // Three seconds behind at 60 s ago: it has what was written until 63 s ago.
        assert!(of(60, Some(3)).has_all_before(at(63)));
        assert!(!of(60, Some(3)).has_all_before(at(62)));
        assert!(of(60, Some(0)).has_all_before(at(60)) && !of(60, Some(0)).has_all_before(at(59)));
    }

    #[test]
    fn the_loss_of_a_dead_source_does_not_grow_with_the_clock() {
        let now = simulated_epoch();
        let at = |seconds| now - TimeDelta::seconds(seconds);
        let lag = |seconds| Lag::Known { lag: Duration::from_secs(seconds), at: at(60) };
        let seconds = |loss: Option<Duration>| loss.map(|loss| loss.as_secs());
        // The disaster was 40 minutes ago, the replica has everything until 5 s before it.
        let dead = lag(40 * 60 - 60 + 5);
        assert_eq!(seconds(dead.loss(false, now, Some(at(40 * 60)))), Some(5));
        assert_eq!(seconds(dead.loss(false, now, None)), Some(40 * 60 + 5), "nobody said when");
        assert_eq!(dead.loss(true, now, Some(at(40 * 60))), dead.known(), "its source is there");
        let later = Some(now + TimeDelta::hours(1));
        assert_eq!(seconds(dead.loss(false, now, later)), Some(40 * 60 + 5), "no disaster yet");
        // AWS says -1, and older figures say what it has.
        let silent = Lag::Inactive { at: at(60), has_until: Some(at(2_405)) };
        assert_eq!(seconds(silent.loss(false, now, Some(at(2_400)))), Some(5));
        assert!(silent.words().contains("everything until"), "{}", silent.words());
        // What it had before the disaster needs no loss; what nobody measured is unknown.
        assert_eq!(seconds(lag(0).loss(false, now, Some(at(600)))), Some(0));
        assert_eq!(Lag::Nothing.loss(false, now, Some(at(600))), None);
        assert_eq!(Lag::Inactive { at: at(60), has_until: None }.loss(false, now, None), None);
    }

    #[test]
    fn sources_are_named_by_identifier_or_arn() {
        let arn = "arn:aws:rds:us-east-1:123456789012:db:orders";
        assert_eq!((id_of(arn), id_of("Orders")), ("orders".to_owned(), "orders".to_owned()));
        assert!(is_source(arn, "ORDERS") && is_source("orders", arn) && is_source(arn, arn));
        assert!(!is_source(arn, "arn:aws:rds:us-west-2:123456789012:db:orders"));
        assert!(!is_source(arn, "other"));
    }
}
