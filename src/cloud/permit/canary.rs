//! Permits to remove canaries: versions that a run of ours put, and nothing else.
//!
//! **Invariant:** the key names the run behind `drctl-canary/`, and the metadata of this very version names
//! it too; a version is removed by its id.

use super::PermitError;
use crate::base::ids::RunId;
use crate::cloud::model::{CANARY_RUN, CanaryEntry, canaries_of};
use std::collections::BTreeMap;

/// Proof that a version is a canary of a run of ours. Only the view makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryPermit {
    region: String,
    bucket: String,
    key: String,
    version_id: String,
    marker: bool,
}

impl CanaryPermit {
    /// Judges an entry; `beside` is the metadata of exactly this version, `None` of a delete marker.
    pub(crate) fn judge(
        (region, bucket): (&str, &str),
        entry: &CanaryEntry,
        beside: Option<&BTreeMap<String, String>>,
        run: &RunId,
    ) -> Result<Self, PermitError> {
        let (what, id) = ("canary", format!("{bucket}/{}", entry.key));
        let region = region.to_owned();
        if !entry.key.contains(&canaries_of("", run)) {
            return Err(PermitError::Untagged { what, region, id });
        }
        if let Some(beside) = beside {
            match beside.get(CANARY_RUN) {
                None => return Err(PermitError::Untagged { what, region, id }),
                Some(other) if other != run.as_str() => {
                    let (run, owner) = (other.clone(), String::new());
                    return Err(PermitError::Foreign { what, region, id, run, owner });
                }
                Some(_) => {}
            }
        } else if !entry.marker {
            return Err(PermitError::Unidentified { what, region, id });
        }
        Ok(Self {
            region,
            bucket: bucket.to_owned(),
            key: entry.key.clone(),
            version_id: entry.version_id.clone(),
            marker: entry.marker,
        })
    }

    /// Region of its bucket.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its version.
    pub fn version_id(&self) -> &str {
        &self.version_id
    }

    /// Whether it is a delete marker.
    pub fn is_marker(&self) -> bool {
        self.marker
    }
}

#[cfg(test)]
mod tests {
    use super::CanaryPermit;
    use crate::cloud::model::{CANARY_RUN, CanaryEntry, canaries_of};
    use crate::cloud::permit::PermitError;
    use crate::cloud::tests::scripted::{other_run, run};
    use std::collections::BTreeMap;

    fn entry(key: String, data: bool) -> CanaryEntry {
        CanaryEntry { key, version_id: "v1".to_owned(), marker: !data }
    }

    fn beside(run: &str) -> BTreeMap<String, String> {
        [(CANARY_RUN.to_owned(), run.to_owned())].into()
    }

    #[test]
    fn only_what_this_run_put_may_go() {
        let place = ("us-east-1", "documents");
        let key = || format!("{}measure/0", canaries_of("clients/", &run()));
        let ours = entry(key(), true);
        let named = beside(run().as_str());
        let permit = CanaryPermit::judge(place, &ours, Some(&named), &run()).expect("ours");
        assert_eq!((permit.version_id(), permit.is_marker()), ("v1", false));
        let marker = entry(key(), false);
        assert!(CanaryPermit::judge(place, &marker, None, &run()).is_ok_and(|it| it.is_marker()));
        // A user's object, also under our prefix; another run's; one whose metadata nobody read.
        let theirs = entry("clients/1.pdf".to_owned(), true);
        let user = CanaryPermit::judge(place, &theirs, Some(&named), &run());
        assert!(matches!(user, Err(PermitError::Untagged { .. })));
        let marker = entry("clients/1.pdf".to_owned(), false);
        let user = CanaryPermit::judge(place, &marker, None, &run());
        assert!(matches!(user, Err(PermitError::Untagged { .. })));
        let bare = CanaryPermit::judge(place, &ours, Some(&BTreeMap::new()), &run());
        assert!(matches!(bare, Err(PermitError::Untagged { .. })));
        let other = beside(other_run().as_str());
        let foreign = CanaryPermit::judge(place, &ours, Some(&other), &run());
        assert!(matches!(foreign, Err(PermitError::Foreign { .. })));
        let unread = CanaryPermit::judge(place, &ours, None, &run());
        assert!(matches!(unread, Err(PermitError::Unidentified { .. })));
    }
}
