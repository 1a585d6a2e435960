//! Permits: proof that a database instance is ours to delete.
//!
//! **Invariant:** a permit is made from a fresh answer of AWS, never from a prediction, and names the
//! resource id, so that a namesake created later is not covered.

use crate::base::ids::RunId;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::DbInstance;
use std::collections::BTreeSet;

/// Tag that names the run which created a resource.
pub(crate) const RUN_TAG: &str = "drctl:run";

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

/// Why an instance is not ours to delete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermitError {
    /// AWS could not be asked.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// There is no such instance.
    #[error("database instance `{id}` does not exist in {region}: there is nothing to delete")]
    Absent {
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
        "database instance `{id}` in {region} has no tag `drctl:run`: drctl did not create it, \
         delete it by hand if it is not needed"
    )]
    Untagged {
        /// Region.
        region: String,
        /// Identifier.
        id: String,
    },
    /// Another run created it.
    #[error(
        "database instance `{id}` in {region} belongs to run {run}{owner}, not to this run: \
         let that run clean up"
    )]
    Foreign {
        /// Region.
        region: String,
        /// Identifier.
        id: String,
        /// The run that its tag names.
        run: String,
        /// ` of <owner>` when its tag `drctl:owner` says so, else empty.
        owner: String,
    },
    /// AWS's answer does not identify it.
    #[error("the answer about database instance `{id}` in {region} has no resource id: try again")]
    Unidentified {
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
            Self::Protected { .. } | Self::Untagged { .. } | Self::Foreign { .. } => {
                ErrorClass::Refused
            }
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
    let (region, id) = (region.to_owned(), id.to_ascii_lowercase());
    let Some(instance) = found.filter(|instance| instance.id == id) else {
        return Err(PermitError::Absent { region, id });
    };
    let Some(owner_run) = instance.tags.get(RUN_TAG) else {
        return Err(PermitError::Untagged { region, id });
    };
    if owner_run != run.as_str() {
        let owner = instance.tags.get("drctl:owner");
        let owner = owner.map(|name| format!(" of {name}")).unwrap_or_default();
        return Err(PermitError::Foreign { region, id, run: owner_run.clone(), owner });
    }
    if instance.resource_id.is_empty() {
        return Err(PermitError::Unidentified { region, id });
    }
    Ok(DeletePermit { region, id, resource_id: instance.resource_id, run: run.clone() })
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
}
