//! Faults of a simulated environment: their names, values and meanings.
//!
//! **Invariant:** the names here are all there are; a file, an option and a request are checked
//! against the same list.

use serde::{Deserialize, Serialize};

/// A fault's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Calls are answered `Throttling`.
    Throttled,
    /// An error before the call took effect.
    ErrorBeforeEffect,
    /// An error although the call took effect.
    ErrorAfterEffect,
    /// The call took effect and its answer never arrives.
    LostAnswer,
    /// Reads show the old state for a while.
    StaleRead,
    /// Restores never leave `creating`.
    StuckCreating,
    /// Restores end in `incompatible-restore`.
    RestoreFailed,
    /// Restores are refused for want of quota.
    QuotaExceeded,
    /// The latest restorable time falls behind.
    WindowMoved,
    /// The estate's instances are gone.
    SourceGone,
    /// The customer's keys are disabled.
    KmsDisabled,
    /// Replicas fall far behind.
    ReplicaLagCliff,
    /// Nobody knows how far behind replicas are.
    ReplicaLagUnknown,
    /// Promotions never end.
    PromotionStuck,
    /// The newest exports failed.
    ExportFailed,
    /// A region's control plane does not answer.
    ControlPlaneDown,
    /// A region is lost with all that is in it.
    RegionLost,
    /// The server's clock is off.
    ClockSkew,
    /// Everything takes longer.
    Slow,
    /// Restores bring back wrong data.
    WrongRestore,
    /// Credentials have expired.
    ExpiredCredentials,
    /// Calls are denied.
    AccessDenied,
    /// The run's journal finds no room.
    JournalDiskFull,
    /// The tasks of a new deployment exit at once.
    DeploymentFails,
    /// Tasks stay pending.
    TasksNeverStart,
    /// Tasks run on after they were told to stop.
    TasksLinger,
    /// A service's tasks run and answer badly.
    ServiceUnhealthy,
    /// Buckets are not replicated for now.
    ReplicationStopped,
    /// Replications of objects fail.
    ReplicationFails,
    /// Replications of objects take longer.
    ReplicationSlow,
    /// Prefixes of buckets take few requests.
    PrefixRate,
}

impl FaultKind {
    /// Whether it strikes single calls or appends, which can be counted; the others are how the world is.
    pub fn strikes(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::ErrorBeforeEffect
                | Self::ErrorAfterEffect
                | Self::LostAnswer
                | Self::WindowMoved
                | Self::JournalDiskFull
                | Self::DeploymentFails
                | Self::ReplicationFails
                | Self::PrefixRate
        )
    }
}

/// What may stand after a fault's `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    CallsOrRate,
    Operation,
    Span,
    SignedSpan,
    Factor,
    Region,
    Loss,
    Wrong,
    Append,
    Service,
    Requests,
}

impl Form {
    /// As people write it.
    fn text(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::CallsOrRate => "[=CALLS|=RATE]",
            Self::Operation => "[=OPERATION]",
            Self::Span => "[=DURATION]",
            Self::SignedSpan => "[=[-]DURATION]",
            Self::Factor => "[=FACTOR]",
            Self::Region => "[=REGION][/hang]",
            Self::Loss => "=REGION[/hang][/after=DURATION][/for=DURATION]",
            Self::Wrong => "=stale|empty-table|missing-schema|wrong-database",
            Self::Append => "[=APPEND]",
            Self::Service => "=SERVICE[/after=DURATION]",
            Self::Requests => "[=REQUESTS]",
        }
    }

    /// What it must be, for a message.
    fn wanted(self) -> &'static str {
        match self {
            Self::Nothing => "nothing: the fault takes no value",
            Self::CallsOrRate => "a number of calls such as `3` or a rate such as `0.2`",
            Self::Operation => "the name of an operation such as `DeleteDBInstance`",
            Self::Span => "seconds or a duration such as `90s`",
            Self::SignedSpan => "seconds or a duration such as `10m` or `-10m`",
            Self::Factor => "a factor such as `3`",
            Self::Region => "a region such as `us-east-1`, or `us-east-1/hang`",
            Self::Loss => "a region such as `us-east-1`, or `us-east-1/hang/after=5m/for=2h`",
            Self::Wrong => "`stale`, `empty-table`, `missing-schema` or `wrong-database`",
            Self::Append => "the number of an append, from 1",
            Self::Requests => "a number of requests a second, from 1",
            Self::Service => "the name of an ECS service such as `web`, or `web/after=10m`",
        }
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::CallsOrRate => {
                value.parse::<u32>().is_ok() || rate(value).is_some_and(|rate| rate <= 1.0)
            }
            Self::Operation => {
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
            Self::Span => span(value).is_some(),
            Self::SignedSpan => span(value.strip_prefix('-').unwrap_or(value)).is_some(),
            Self::Factor => rate(value).is_some_and(|factor| factor > 0.0),
            Self::Append | Self::Requests => value.parse::<u32>().is_ok_and(|number| number > 0),
            Self::Region => {
                value == "hang" || is_region(value.strip_suffix("/hang").unwrap_or(value))
            }
            Self::Loss => loss(value).is_some(),
            Self::Service => unhealthy(value).is_some(),
            Self::Wrong => {
                ["stale", "empty-table", "missing-schema", "wrong-database"].contains(&value)
            }
        }
    }
}

/// A fault as the catalogue describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultEntry {
    /// Which one it is.
    pub kind: FaultKind,
    /// As people write it: `lost-answer`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub meaning: &'static str,
    form: Form,
}

impl FaultEntry {
    /// What may stand behind the name, such as `[=OPERATION]`; empty when nothing may.
    pub fn value(&self) -> &'static str {
        self.form.text()
    }
}

/// The names of all faults.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().map(|entry| entry.name)
}

mod catalogue;
mod lost;
mod spec;
mod unhealthy;
mod value;

pub use catalogue::FAULTS;
pub use lost::{Loss, loss};
pub use spec::FaultSpec;
pub use unhealthy::unhealthy;
use value::is_region;
pub use value::{rate, span};

#[cfg(test)]
mod tests;
