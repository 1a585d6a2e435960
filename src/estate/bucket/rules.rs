//! Reads lifecycle and replication rules of a bucket.
//!
//! **Invariant:** a rule that loads does something, and S3 would take it.

use super::shape::{CLASSES, LIFECYCLE, OWNERS, REPLICATION, STATUSES};
use super::{Bucket, LifecycleRule, ReplicationRule};
use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::{Fields, Node};
use crate::estate::load::{named_texts, whole};
use std::collections::BTreeSet;

const DAY: u64 = 86_400;

/// Reads one lifecycle rule.
pub(super) fn lifecycle(node: &Node, p: &mut Problems) -> LifecycleRule {
    let mut f = Fields::of(node, "a lifecycle rule", p).shaped(&LIFECYCLE);
    let noncurrent = f.node("noncurrent_days").map(|node| node.span);
    let noncurrent_days = noncurrent.map(|_| whole(&mut f, "noncurrent_days", 1, p));
    if let (Some(span), Some(0)) = (noncurrent, noncurrent_days) {
        p.error("DR004", span, "field `noncurrent_days`: expected 1 or more");
    }
    let class = f.word("transition_class", CLASSES, p);
    let rule = LifecycleRule {
        id: f.required_text("id", p).unwrap_or_default(),
        prefix: f.text("prefix", p).unwrap_or_default(),
        noncurrent_days,
        glacier_after: days(&mut f, "glacier_after", p),
        expire_after: days(&mut f, "expire_after", p),
        transition_class: class.unwrap_or_else(|| "GLACIER".to_owned()),
    };
    let given = ["noncurrent_days", "glacier_after", "expire_after"];
    if given.into_iter().all(|name| f.node(name).is_none()) {
        let message = format!("lifecycle rule `{}` does nothing", rule.id);
        p.error("DR003", node.span, message)
            .help("give `noncurrent_days`, `glacier_after` or `expire_after`");
    }
    f.finish(p);
    rule
}

/// Whole days, at least one.
fn days(f: &mut Fields<'_>, name: &'static str, p: &mut Problems) -> Option<u32> {
    let span = f.node(name)?.span;
    let seconds = f.duration(name, p)?.as_secs();
    if seconds == 0 || !seconds.is_multiple_of(DAY) {
        p.error(
            "DR004",
            span,
            format!("field `{name}`: lifecycle rules count whole days, as `90d`"),
        );
    }
    u32::try_from(seconds / DAY).ok()
}

/// Reads the replication rule at this place of the list.
pub(super) fn replication(place: u32, node: &Node, p: &mut Problems) -> ReplicationRule {
    let mut f = Fields::of(node, "a replication rule", p).shaped(&REPLICATION);
    let time_control = f.boolean("time_control", p).unwrap_or(false);
    let metrics = f.boolean("metrics", p);
    let rule = ReplicationRule {
        id: f.required_text("id", p).unwrap_or_default(),
        to: f.required_text("to", p).unwrap_or_default(),
        prefix: f.text("prefix", p).unwrap_or_default(),
        tags: named_texts(&mut f, "tags", "tag", p),
        priority: whole(&mut f, "priority", place, p),
        enabled: f.word("status", STATUSES, p).is_none_or(|status| status == "Enabled"),
        delete_markers: f.boolean("delete_markers", p).unwrap_or(false),
        existing_objects: f.boolean("existing_objects", p).unwrap_or(false),
        storage_class: f.word("storage_class", CLASSES, p),
        kms: f.boolean("kms", p).unwrap_or(false),
        replica_kms_key: f.text("replica_kms_key", p),
        owner_override: f.word("owner", OWNERS, p).is_some_and(|owner| owner == "destination"),
        time_control,
        metrics: metrics.unwrap_or(time_control),
    };
    let refused = [
        (
            rule.delete_markers && !rule.tags.is_empty(),
            "does not replicate delete markers: it filters by tags",
        ),
        (rule.time_control && !rule.metrics, "has Replication Time Control, which needs `metrics`"),
        (rule.replica_kms_key.is_some() && !rule.kms, "has `replica_kms_key`, which needs `kms`"),
    ];
    for (_, why) in refused.into_iter().filter(|(refused, _)| *refused) {
        p.error("DR004", node.span, format!("replication rule `{}` {why}", rule.id));
    }
    f.finish(p);
    rule
}

/// Ids and priorities that two rules share.
pub(super) fn check(bucket: &Bucket, span: Span, p: &mut Problems) {
    let (mut ids, mut priorities) = (BTreeSet::new(), BTreeSet::new());
    for rule in &bucket.replication {
        if !ids.insert(&rule.id) {
            p.error("DR004", span, format!("two replication rules have the id `{}`", rule.id));
        }
        if !priorities.insert(rule.priority) {
            let message = format!("two replication rules have the priority {}", rule.priority);
            p.error("DR004", span, message).help("give each its own: S3 refuses them otherwise");
        }
    }
    let mut ids = BTreeSet::new();
    for rule in &bucket.lifecycle {
        if !ids.insert(&rule.id) {
            p.error("DR004", span, format!("two lifecycle rules have the id `{}`", rule.id));
        }
    }
}
