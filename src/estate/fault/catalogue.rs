//! All faults: names, values, meanings.
//!
//! **Invariant:** each kind stands here once.

use super::{FaultEntry, FaultKind, Form};

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
    entry(
        FaultKind::ReplicationStopped,
        "replication-stopped",
        Form::Nothing,
        "Objects are not replicated: they stay `PENDING`, and are copied once the fault is off.",
    ),
    entry(
        FaultKind::ReplicationFails,
        "replication-fails",
        Form::CallsOrRate,
        "Replications of so many objects, or this share of them, or all, end `FAILED`.",
    ),
    entry(
        FaultKind::ReplicationSlow,
        "replication-slow",
        Form::Span,
        "Every object that is put is replicated so much later (30m).",
    ),
    entry(
        FaultKind::PrefixRate,
        "prefix-rate",
        Form::Requests,
        "A prefix of a bucket takes so many reads and as many writes a second (100); the rest are answered \
         `SlowDown`.",
    ),
];
