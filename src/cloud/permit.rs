//! Permits: proof that a database instance or a snapshot is ours to delete, and that a delete marker is one.
//!
//! **Invariant:** a permit is made from a fresh answer of AWS, never from a prediction, and names the
//! resource id (of a snapshot: ARN and instant), so that a namesake created later is not covered.

use crate::base::ids::RunId;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{DbInstance, DbSnapshot};
use crate::cloud::tags::{OWNER_TAG, RUN_TAG};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

mod canary;
mod markers;
pub use canary::CanaryPermit;
pub use markers::{MarkerPermit, MarkerProof};

/// Proof that an instance was created by a run of ours. Only the view makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePermit {
    region: String,
    id: String,
    resource_id: String,
    run: RunId,
}

impl DeletePermit {
    /// Region of the instance.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its resource id, which a namesake does not have.
    pub fn resource_id(&self) -> &str {
        &self.resource_id
    }

    /// The run that created it.
    pub fn run(&self) -> &RunId {
        &self.run
    }
}

/// Proof that a snapshot was created by a run of ours. Only the view makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPermit {
    region: String,
    id: String,
    arn: String,
    created_at: Option<DateTime<Utc>>,
    run: RunId,
}

impl SnapshotPermit {
    /// Region of the snapshot.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run that created it.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Whether it was given for this very snapshot. AWS gives snapshots no resource id: a namesake
    /// that was created later has another instant.
    pub(crate) fn covers(&self, found: &DbSnapshot) -> bool {
        found.arn == self.arn
            && found.created_at == self.created_at
            && found.kind == MANUAL
            && found.tags.get(RUN_TAG).is_some_and(|run| run == self.run.as_str())
    }
}

/// The kind of snapshot that `CreateDBSnapshot` makes.
const MANUAL: &str = "manual";

/// Why something is not ours to delete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermitError {
    /// AWS could not be asked.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// There is no such thing.
    #[error("{what} `{id}` does not exist in {region}: there is nothing to delete")]
    Absent {
        /// `database instance` or `snapshot`.
        what: &'static str,
        /// Region.
        region: String,
        /// Identifier.
        id: String,
    },
    /// It belongs to the estate.
    #[error(
        "database instance `{id}` in {region} belongs to the estate: drctl never deletes a source"
    )]
    Protected {
        /// Region.
        region: String,
        /// Identifier.
        id: String,
    },
    /// Nothing says that drctl created it.
    #[error(
        "{what} `{id}` in {region} has no tag `drctl:run`: drctl did not create it, \
         delete it by hand if it is not needed"
    )]
    Untagged {
        /// `database instance` or `snapshot`.
        what: &'static str,
        /// Region.
        region: String,
        /// Identifier.
        id: String,
    },
    /// Another run created it.
    #[error(
        "{what} `{id}` in {region} belongs to run {run}{owner}, not to this run: \
         let that run clean up"
    )]
    Foreign {
        /// `database instance` or `snapshot`.
        what: &'static str,
        /// Region.
        region: String,
        /// Identifier.
        id: String,
        /// The run that its tag names.
        run: String,
        /// ` of <owner>` when its tag `drctl:owner` says so, else empty.
        owner: String,
    },
    /// AWS made it, from the backups of an instance.
    #[error(
        "snapshot `{id}` in {region} is `{kind}`, not one that drctl took: its retention ends it"
    )]
    NotManual {
        /// Region.
        region: String,
        /// Identifier.
        id: String,
        /// Its kind, such as `automated`.
        kind: String,
    },
    /// It is not proven to be a delete marker that may go.
    #[error("delete marker {marker} of {place} is not removed: {why}")]
    NoMarker {
        /// Bucket and key.
        place: String,
        /// Its version id.
        marker: String,
        /// Why not.
        why: String,
    },
    /// AWS's answer does not identify it.
    #[error("the answer about {what} `{id}` in {region} does not identify it: try again")]
    Unidentified {
        /// `database instance` or `snapshot`.
        what: &'static str,
        /// Region.
        region: String,
        /// Identifier.
        id: String,
    },
}

impl PermitError {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Cloud(error) => error.class,
            Self::Absent { .. } => ErrorClass::Permanent,
            Self::Unidentified { .. } => ErrorClass::Temporary,
            Self::Protected { .. }
            | Self::Untagged { .. }
            | Self::Foreign { .. }
            | Self::NotManual { .. }
            | Self::NoMarker { .. } => ErrorClass::Refused,
        }
    }
}

/// Refuses what belongs to the estate, whatever AWS would say about it.
pub(crate) fn refuse_protected(
    region: &str,
    id: &str,
    protected: &BTreeSet<String>,
) -> Result<(), PermitError> {
    let (region, id) = (region.to_owned(), id.to_ascii_lowercase());
    if protected.contains(&id) { Err(PermitError::Protected { region, id }) } else { Ok(()) }
}

/// Judges a fresh answer of AWS about `id`.
pub(crate) fn judge(
    region: &str,
    id: &str,
    found: Option<DbInstance>,
    run: &RunId,
) -> Result<DeletePermit, PermitError> {
    let what = "database instance";
    let (region, id) = (region.to_owned(), id.to_ascii_lowercase());
    let Some(instance) = found.filter(|instance| instance.id == id) else {
        return Err(PermitError::Absent { what, region, id });
    };
    owned(what, &region, &id, &instance.tags, run)?;
    if instance.resource_id.is_empty() {
        return Err(PermitError::Unidentified { what, region, id });
    }
    Ok(DeletePermit { region, id, resource_id: instance.resource_id, run: run.clone() })
}

/// Judges a fresh answer of AWS about the snapshot `id`. Tags alone do not make it ours: an instance of
/// ours hands its tags on to its automated snapshots.
pub(crate) fn judge_snapshot(
    region: &str,
    id: &str,
    found: Option<DbSnapshot>,
    run: &RunId,
) -> Result<SnapshotPermit, PermitError> {
    let what = "snapshot";
    let (region, id) = (region.to_owned(), id.to_ascii_lowercase());
    let Some(snapshot) = found.filter(|snapshot| snapshot.id == id) else {
        return Err(PermitError::Absent { what, region, id });
    };
    if snapshot.kind != MANUAL {
        return Err(PermitError::NotManual { region, id, kind: snapshot.kind });
    }
    owned(what, &region, &id, &snapshot.tags, run)?;
    if snapshot.arn.is_empty() || (snapshot.created_at.is_none() && !snapshot.is_broken()) {
        return Err(PermitError::Unidentified { what, region, id });
    }
    let DbSnapshot { arn, created_at, .. } = snapshot;
    Ok(SnapshotPermit { region, id, arn, created_at, run: run.clone() })
}

/// Refuses what does not carry the tag of `run`.
fn owned(
    what: &'static str,
    region: &str,
    id: &str,
    tags: &BTreeMap<String, String>,
    run: &RunId,
) -> Result<(), PermitError> {
    let (region, id) = (region.to_owned(), id.to_owned());
    let Some(owner_run) = tags.get(RUN_TAG) else {
        return Err(PermitError::Untagged { what, region, id });
    };
    if owner_run == run.as_str() {
        return Ok(());
    }
    let owner = tags.get(OWNER_TAG).map(|name| format!(" of {name}")).unwrap_or_default();
    Err(PermitError::Foreign { what, region, id, run: owner_run.clone(), owner })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::base::seed::Seed;

    fn run(seed: u64) -> RunId {
        RunId::mint(simulated_epoch(), &mut Seed::new(seed).stream("run"))
    }

    fn instance(tags: &[(&str, &str)]) -> DbInstance {
        DbInstance {
            id: "drctl-a".to_owned(),
            resource_id: "db-1".to_owned(),
            tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..DbInstance::default()
        }
    }

    fn judged(found: Option<DbInstance>) -> Result<DeletePermit, PermitError> {
        judge("us-east-1", "DRCTL-a", found, &run(1))
    }

    #[test]
    fn only_our_own_instance_gets_a_permit() {
        let ours = run(1);
        let permit = judged(Some(instance(&[(RUN_TAG, ours.as_str())])));
        assert_eq!(permit.as_ref().map(DeletePermit::resource_id), Ok("db-1"));
        assert_eq!(permit.as_ref().map(DeletePermit::id), Ok("drctl-a"));
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let (ours, theirs) = (run(1), run(2));
        let text = |error: PermitError| (error.class(), error.to_string());
        let foreign = instance(&[(RUN_TAG, theirs.as_str()), ("drctl:owner", "ada")]);
        let (class, said) = text(judged(Some(foreign)).expect_err("foreign"));
        assert_eq!(class, ErrorClass::Refused);
        assert!(said.contains(theirs.as_str()) && said.contains("of ada"), "{said}");
        let (class, said) = text(judged(Some(instance(&[]))).expect_err("untagged"));
        assert!(class == ErrorClass::Refused && said.contains("no tag `drctl:run`"), "{said}");
        let tagged = instance(&[(RUN_TAG, ours.as_str())]);
        let protected = BTreeSet::from(["drctl-a".to_owned()]);
        let refused = refuse_protected("us-east-1", "DRCTL-a", &protected);
        let (class, said) = text(refused.expect_err("estate"));
        assert!(class == ErrorClass::Refused && said.contains("estate"), "{said}");
        assert!(matches!(judged(None), Err(PermitError::Absent { .. })));
        let namesake = DbInstance { id: "other".to_owned(), ..tagged.clone() };
        assert!(matches!(judged(Some(namesake)), Err(PermitError::Absent { .. })));
        let nameless = DbInstance { resource_id: String::new(), ..tagged };
        assert!(matches!(judged(Some(nameless)), Err(PermitError::Unidentified { .. })));
    }

    fn snapshot(run: &RunId) -> DbSnapshot {
        DbSnapshot {
            id: "drctl-s".to_owned(),
            arn: "arn:aws:rds:us-east-1:123456789012:snapshot:drctl-s".to_owned(),
            kind: "manual".to_owned(),
            status: "available".to_owned(),
            created_at: Some(simulated_epoch()),
            tags: BTreeMap::from([(RUN_TAG.to_owned(), run.to_string())]),
            ..DbSnapshot::default()
        }
    }

    #[test]
    fn a_snapshot_gets_a_permit_only_when_this_run_took_it() {
        let judged = |found| judge_snapshot("us-east-1", "DRCTL-s", Some(found), &run(1));
        let ours = snapshot(&run(1));
        let permit = judged(ours.clone()).expect("ours");
        assert!(permit.covers(&ours) && permit.id() == "drctl-s");
        let automated = DbSnapshot { kind: "automated".to_owned(), ..ours.clone() };
        assert!(matches!(judged(automated), Err(PermitError::NotManual { .. })));
        let untagged = DbSnapshot { tags: BTreeMap::new(), ..ours.clone() };
        assert!(matches!(judged(untagged), Err(PermitError::Untagged { .. })));
        assert!(matches!(judged(snapshot(&run(2))), Err(PermitError::Foreign { .. })));
        let timeless = DbSnapshot { created_at: None, ..ours.clone() };
        assert!(matches!(judged(timeless.clone()), Err(PermitError::Unidentified { .. })));
        let failed = DbSnapshot { status: "failed".to_owned(), ..timeless };
        assert!(judged(failed).is_ok(), "a failed one has no instant and may go");
        let namesake = DbSnapshot { id: "other".to_owned(), ..ours };
        assert!(matches!(judged(namesake), Err(PermitError::Absent { .. })));
    }

    #[test]
    fn a_permit_does_not_cover_a_namesake_that_was_taken_later() {
        let ours = snapshot(&run(1));
        let permit = judge_snapshot("us-east-1", "drctl-s", Some(ours.clone()), &run(1));
        let permit = permit.expect("ours");
        let later = ours.created_at.map(|at| at + chrono::TimeDelta::seconds(1));
        assert!(!permit.covers(&DbSnapshot { created_at: later, ..ours.clone() }));
        assert!(!permit.covers(&DbSnapshot { kind: "automated".to_owned(), ..ours.clone() }));
        assert!(!permit.covers(&DbSnapshot { arn: "arn:other".to_owned(), ..ours.clone() }));
        assert!(!permit.covers(&DbSnapshot { tags: BTreeMap::new(), ..ours }));
    }
}
