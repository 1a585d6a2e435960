//! Judges what carries drctl's tags: what may be removed, and why the rest stays.
//!
//! **Invariant:** whatever is not proven to be a drill's, expired and unused stays, with its reason.

use crate::base::clock::{between, format_instant, to_delta};
use crate::base::duration::human;
use crate::base::ids::{RunId, is_rds_name};
use crate::cloud::model::{DbInstance, DbSnapshot};
use crate::cloud::tags::{KEEP_TAG, Marks, MarksError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What kind of resource it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A database instance.
    Instance,
    /// A snapshot of one.
    Snapshot,
}

impl Kind {
    /// As people write it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Snapshot => "snapshot",
        }
    }
}

/// A resource with at least one of drctl's tags, as AWS answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    pub(super) region: String,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) tags: BTreeMap<String, String>,
    /// Whether it is protected from deletion.
    protected: bool,
    /// What replicates from it.
    replicas: Vec<String>,
    /// Whether it replicates from something.
    pub(super) is_replica: bool,
    /// The kind of a snapshot that AWS made, and ends, by itself.
    automatic: Option<String>,
}

impl Resource {
    /// An instance; `None` when it has no tag of drctl's.
    pub(super) fn of_instance(region: &str, found: DbInstance) -> Option<Self> {
        ours(&found.tags).then(|| Self {
            kind: Kind::Instance,
            region: region.to_owned(),
            id: found.id,
            status: found.status,
            created_at: found.created_at,
            tags: found.tags,
            protected: found.deletion_protection,
            replicas: found.replicas,
            is_replica: found.replica_source.is_some(),
            automatic: None,
        })
    }

    /// A snapshot; `None` when it has no tag of drctl's.
    pub(super) fn of_snapshot(region: &str, found: DbSnapshot) -> Option<Self> {
        ours(&found.tags).then(|| Self {
            kind: Kind::Snapshot,
            region: region.to_owned(),
            id: found.id,
            status: found.status,
            created_at: found.created_at,
            tags: found.tags,
            protected: false,
            replicas: Vec::new(),
            is_replica: false,
            automatic: (found.kind != "manual").then_some(found.kind),
        })
    }

    /// What its tag says, or a dash.
    pub(super) fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map_or("-", String::as_str)
    }

    /// How long it has existed.
    pub(super) fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.created_at.map(|at| between(at, now))
    }
}

fn ours(tags: &BTreeMap<String, String>) -> bool {
    Marks::read(tags) != Ok(None)
}

/// What is to become of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judgement {
    /// It may be removed.
    Remove(Marks),
    /// AWS is deleting it already.
    UnderWay(Marks),
    /// It stays.
    Stay(Reason),
}

/// Why a resource stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// For programs; one word, one meaning.
    pub(super) code: &'static str,
    /// For people.
    pub(super) text: String,
}

/// What judging rests on beside the resource itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Grounds {
    /// The present instant.
    pub(super) now: DateTime<Utc>,
    /// Identifiers of the estate's own instances.
    pub(super) estate: BTreeSet<String>,
    /// Runs that have not ended, or of which that is not known, and why.
    pub(super) open: BTreeMap<RunId, String>,
    /// Only what this person made.
    pub(super) owner: Option<String>,
    /// Only what has existed for longer than this.
    pub(super) older_than: Option<Duration>,
}

/// Judges `resource`. The first reason to stay is given: what cannot be ours before what is not yet due,
/// and that before what stands in the way.
pub(super) fn judge(resource: &Resource, grounds: &Grounds) -> Judgement {
    let marks = match Marks::read(&resource.tags) {
        Ok(Some(marks)) => marks,
        Ok(None) => return stay("tags_missing", "it has no tag of drctl's"),
        Err(error) => {
            return stay(code(&error), &format!("{error}; whose it is must be found out"));
        }
    };
    if let Some(reason) = not_ours(resource, &marks, grounds)
        .or_else(|| not_due(resource, &marks, grounds))
        .or_else(|| in_use(resource))
    {
        return Judgement::Stay(reason);
    }
    match resource.status.as_str() {
        "deleting" | "delete-precheck" => Judgement::UnderWay(marks),
        _ => Judgement::Remove(marks),
    }
}

fn code(error: &MarksError) -> &'static str {
    match error {
        MarksError::Missing(_) => "tags_incomplete",
        MarksError::Malformed { .. } => "tags_malformed",
    }
}

fn stay(code: &'static str, text: &str) -> Judgement {
    Judgement::Stay(Reason { code, text: text.to_owned() })
}

fn reason(code: &'static str, text: impl Into<String>) -> Option<Reason> {
    Some(Reason { code, text: text.into() })
}

fn not_ours(resource: &Resource, marks: &Marks, grounds: &Grounds) -> Option<Reason> {
    let id = resource.id.to_ascii_lowercase();
    if resource.kind == Kind::Instance && grounds.estate.contains(&id) {
        return reason("estate", "it belongs to the estate: drctl never deletes a source");
    }
    if let Some(kind) = &resource.automatic {
        let text = format!("AWS made this {kind} snapshot by itself: its retention ends it");
        return reason("not_manual", text);
    }
    // AWS copies tags to what is restored or copied from something, and people do.
    if !is_rds_name(&id, &marks.run, &marks.step) {
        let text = format!(
            "no drill gave it this name: its tags were copied from what step {} of run {} made",
            marks.step, marks.run
        );
        return reason("foreign", text);
    }
    let other = grounds.owner.as_ref().filter(|owner| **owner != marks.owner)?;
    reason("other_owner", format!("it is {}'s, and --owner says {other}", marks.owner))
}

fn not_due(resource: &Resource, marks: &Marks, grounds: &Grounds) -> Option<Reason> {
    if let Some(why) = resource.tags.get(KEEP_TAG) {
        return reason("kept", format!("its tag {KEEP_TAG} says that it is kept: {why}"));
    }
    if let Some(why) = grounds.open.get(&marks.run) {
        return reason("open_run", why.clone());
    }
    if marks.expires > grounds.now {
        let left = human(between(grounds.now, marks.expires));
        let at = format_instant(marks.expires);
        return reason("not_expired", format!("it expires at {at}, in {left}"));
    }
    let wanted = grounds.older_than?;
    let Some(created) = resource.created_at else {
        return reason("too_young", "AWS does not say how old it is");
    };
    (created + to_delta(wanted) > grounds.now).then(|| Reason {
        code: "too_young",
        text: format!("it is not older than {}", human(wanted)),
    })
}

fn in_use(resource: &Resource) -> Option<Reason> {
    if resource.protected {
        let text = "it is protected from deletion, which drctl does not do: somebody wants it";
        return reason("deletion_protection", text);
    }
    if !resource.replicas.is_empty() {
        let text = format!("{} replicates from it", resource.replicas.join(", "));
        return reason("replicas", text);
    }
    None
}

#[cfg(test)]
mod tests;
