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
            Self::Append => value.parse::<u32>().is_ok_and(|append| append > 0),
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

const fn entry(
    kind: FaultKind,
    name: &'static str,
    form: Form,
    meaning: &'static str,
) -> FaultEntry {
    FaultEntry { kind, name, meaning, form }
}

/// The catalogue.
pub const FAULTS: &[FaultEntry] = &[
    entry(
        FaultKind::Throttled,
        "throttled",
        Form::CallsOrRate,
        "The first so many calls, or a share of all (0.2 when not said), are answered `Throttling`.",
    ),
    entry(
        FaultKind::ErrorBeforeEffect,
        "error-before-effect",
        Form::Operation,
        "The first mutation, or the first call of the operation, fails with HTTP 503 and has no \
         effect.",
    ),
    entry(
        FaultKind::ErrorAfterEffect,
        "error-after-effect",
        Form::Operation,
        "The first mutation, or the first call of the operation, takes effect and is answered HTTP \
         500.",
    ),
    entry(
        FaultKind::LostAnswer,
        "lost-answer",
        Form::Operation,
        "The first mutation, or the first call of the operation, takes effect and the connection \
         breaks.",
    ),
    entry(
        FaultKind::StaleRead,
        "stale-read",
        Form::Span,
        "After a mutation, reads show the state before it for so long (90s).",
    ),
    entry(
        FaultKind::StuckCreating,
        "stuck-creating",
        Form::Nothing,
        "Restores, from a point in time or a snapshot, never leave `creating`.",
    ),
    entry(
        FaultKind::RestoreFailed,
        "restore-failed",
        Form::Nothing,
        "Restores, from a point in time or a snapshot, end in `incompatible-restore`.",
    ),
    entry(
        FaultKind::QuotaExceeded,
        "quota-exceeded",
        Form::Nothing,
        "Restores are refused with `InstanceQuotaExceeded`.",
    ),
    entry(
        FaultKind::WindowMoved,
        "window-moved",
        Form::Span,
        "From the first point-in-time restore on, the latest restorable time is so far behind (2h).",
    ),
    entry(
        FaultKind::SourceGone,
        "source-gone",
        Form::Nothing,
        "The estate's instances are gone; their automated backups are retained.",
    ),
    entry(
        FaultKind::KmsDisabled,
        "kms-disabled",
        Form::Nothing,
        "The customer's keys are `Disabled`: restores of encrypted data are refused with \
         `KMSKeyNotAccessibleFault`.",
    ),
    entry(
        FaultKind::ReplicaLagCliff,
        "replica-lag-cliff",
        Form::Span,
        "From now on every replica is so far behind its source (30m).",
    ),
    entry(
        FaultKind::ReplicaLagUnknown,
        "replica-lag-unknown",
        Form::Nothing,
        "CloudWatch has no figure of the lag of replicas.",
    ),
    entry(
        FaultKind::PromotionStuck,
        "promotion-stuck",
        Form::Nothing,
        "Promotions of read replicas never leave `modifying`.",
    ),
    entry(
        FaultKind::ExportFailed,
        "export-failed",
        Form::Nothing,
        "The three newest exports of snapshots to S3 have failed.",
    ),
    entry(
        FaultKind::ControlPlaneDown,
        "control-plane-down",
        Form::Region,
        "Every call to the region, or to all of them, is answered HTTP 503 or hangs; STS and SQL still \
         answer. The control planes of IAM and Route 53 are in us-east-1 and go with it; DNS and health \
         checks do not.",
    ),
    entry(
        FaultKind::RegionLost,
        "region-lost",
        Form::Loss,
        "The region is gone, from now or after a while, for good or for a while: nothing in it answers, \
         STS, buckets and SQL included; what runs there does nothing; its replicas elsewhere get nothing \
         more and catch up when it is back. With us-east-1 go IAM's and Route 53's control planes.",
    ),
    entry(
        FaultKind::ClockSkew,
        "clock-skew",
        Form::SignedSpan,
        "The server's clock is so far ahead (10m) or behind: `Date` says so, and from 5 minutes on \
         signed calls are refused with `RequestExpired` or `RequestTimeTooSkewed`.",
    ),
    entry(
        FaultKind::Slow,
        "slow",
        Form::Factor,
        "Restores, backups, changes and deletions take so many times as long (5).",
    ),
    entry(
        FaultKind::WrongRestore,
        "wrong-restore",
        Form::Wrong,
        "Restores bring back wrong data: an hour too old, without rows, without tables, or another \
         database's.",
    ),
    entry(
        FaultKind::ExpiredCredentials,
        "expired-credentials",
        Form::Operation,
        "Every call, or the first of the operation, is answered `ExpiredToken`.",
    ),
    entry(
        FaultKind::AccessDenied,
        "access-denied",
        Form::Operation,
        "Every call but `GetCallerIdentity`, or the first of the operation, is answered \
         `AccessDenied`.",
    ),
    entry(
        FaultKind::JournalDiskFull,
        "journal-disk-full",
        Form::Append,
        "Once, the append of that number, or one of the first, finds no room in the run's journal: the \
         run stops before what it would have done next, and is resumed when there is room.",
    ),
    entry(
        FaultKind::DeploymentFails,
        "deployment-fails",
        Form::Nothing,
        "The tasks of the first new deployment of an ECS service exit at once: the circuit breaker \
         rolls it back, and the service ends stable on its old task definition.",
    ),
    entry(
        FaultKind::TasksNeverStart,
        "tasks-never-start",
        Form::Nothing,
        "ECS tasks that are started stay `PENDING`, as without capacity.",
    ),
    entry(
        FaultKind::TasksLinger,
        "tasks-linger",
        Form::Span,
        "ECS tasks that are to stop run on for so long (5m).",
    ),
    entry(
        FaultKind::ServiceUnhealthy,
        "service-unhealthy",
        Form::Service,
        "The tasks of an ECS service run and answer badly, from now or after a while: alarms and health \
         checks that follow it break.",
    ),
];

/// The names of all faults.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().map(|entry| entry.name)
}

mod lost;
mod spec;
mod unhealthy;
mod value;

pub use lost::{Loss, loss};
pub use spec::FaultSpec;
pub use unhealthy::unhealthy;
use value::is_region;
pub use value::{rate, span};

#[cfg(test)]
mod tests;
