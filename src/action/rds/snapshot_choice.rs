//! Which snapshot of an instance is meant: the newest, a named one, or one drawn at random.
//!
//! **Invariant:** the same run, step and snapshots give the same draw, and only what can be restored from
//! is drawn.

use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::base::clock::{format_instant, sooner};
use crate::base::duration::human;
use crate::base::seed::Seed;
use crate::cloud::model::DbSnapshot;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How far back a random draw reaches when nothing is said.
const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The one with the newest data.
    Newest,
    /// One of those whose data is not older than this.
    Random(Duration),
    /// The one with this identifier or ARN.
    Named(String),
}

impl Wanted {
    /// From the inputs `snapshot`, `pick` and `window`.
    pub(super) fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let bad = |name: &str, why: &str| {
            Err(ActionError::Input { name: name.to_owned(), why: why.to_owned() })
        };
        let random = scope.text("pick") == Some("random");
        match (scope.text("snapshot"), scope.duration("window")) {
            (Some(_), _) if random => {
                bad("pick", "a snapshot is named, so none can be drawn: leave one of both out")
            }
            (_, Some(window)) if window.is_zero() => {
                bad("window", "it must be longer than nothing")
            }
            (Some(name), _) => Ok(Self::Named(name.to_owned())),
            (None, window) if random => Ok(Self::Random(window.unwrap_or(WINDOW))),
            (None, _) => Ok(Self::Newest),
        }
    }

    /// Whether one is asked for that need not be the newest.
    pub(super) fn is_chosen(&self) -> bool {
        match self {
            Self::Newest => false,
            Self::Random(_) | Self::Named(_) => true,
        }
    }
}

/// The snapshot that is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) snapshot: DbSnapshot,
    /// How it was chosen, in words.
    pub(super) how: String,
}

/// Whether `name` is the identifier or the ARN of `snapshot`.
pub(super) fn is_called(snapshot: &DbSnapshot, name: &str) -> bool {
    snapshot.id.eq_ignore_ascii_case(name) || snapshot.arn == name
}

/// Those of `all` that can be restored from, oldest data first.
pub(super) fn restorable(all: &[DbSnapshot]) -> Vec<(DateTime<Utc>, &DbSnapshot)> {
    let mut list: Vec<_> = all
        .iter()
        .filter(|snapshot| snapshot.is_available())
        .filter_map(|snapshot| Some((snapshot.data_at()?, snapshot)))
        .collect();
    list.sort_by(|(a, first), (b, second)| (a, &first.id).cmp(&(b, &second.id)));
    list
}

/// Chooses among the snapshots of an instance; why there is none to choose otherwise.
pub(super) fn choose(
    scope: &StepScope<'_>,
    wanted: &Wanted,
    all: &[DbSnapshot],
) -> Result<Choice, String> {
    let list = restorable(all);
    let others = all.len() - list.len();
    let (snapshot, how) = match wanted {
        Wanted::Named(name) => {
            let found = all.iter().find(|snapshot| is_called(snapshot, name));
            let newest = || match list.last() {
                Some((_, newest)) => format!("no `{name}`, and `{}` is the newest", newest.id),
                None => format!("no `{name}`"),
            };
            (
                found.ok_or_else(|| format!("there is {} among the snapshots", newest()))?,
                "named".to_owned(),
            )
        }
        Wanted::Newest => {
            let (_, found) = list.last().ok_or_else(|| nothing(others))?;
            (*found, format!("the newest of {}", list.len()))
        }
        Wanted::Random(window) => {
            let since = sooner(scope.now, *window);
            let drawn: Vec<_> = list.into_iter().filter(|(at, _)| *at >= since).collect();
            let mut random = stream(scope);
            let Some((_, found)) = drawn.get(random.usize(0..drawn.len().max(1))) else {
                let (span, count) = (human(*window), all.len());
                return Err(format!(
                    "none of the last {span} is available among the {count} snapshots"
                ));
            };
            let count = drawn.len();
            let since = format_instant(since);
            (*found, format!("drawn at random by the run's id from {count} since {since}"))
        }
    };
    Ok(Choice { snapshot: snapshot.clone(), how })
}

fn nothing(others: usize) -> String {
    match others {
        0 => "there are no snapshots".to_owned(),
        others => format!("none is available among the {others} snapshots"),
    }
}

/// The draw of this step of this run.
fn stream(scope: &StepScope<'_>) -> fastrand::Rng {
    Seed::new(0).stream(&format!("{}/{}/snapshot", scope.run, scope.step))
}
