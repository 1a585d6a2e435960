//! Permits for delete markers: proof that what is removed by its version id holds no data.
//!
//! **Invariant:** a marker that is written without a version id has no permit: between the look and the
//! removal a version with data may have taken its place.

use super::PermitError;
use crate::cloud::model::{NULL_VERSION, VersionEntry};

/// What is to be proven of a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerProof {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Version id of the marker that is on top.
    pub marker: String,
    /// Version id of the version that is to be seen again.
    pub wanted: String,
}

/// Proof that an entry is a delete marker on top of its key, with nothing but markers between it and the
/// version that is to be seen again. Only the view makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerPermit {
    region: String,
    proof: MarkerProof,
}

impl MarkerPermit {
    /// Region of the bucket.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The marker, and where it is.
    pub fn proof(&self) -> &MarkerProof {
        &self.proof
    }
}

impl MarkerProof {
    /// Judges a fresh listing, which may hold other keys too.
    pub(crate) fn judge(
        &self,
        region: &str,
        entries: &[VersionEntry],
    ) -> Result<MarkerPermit, PermitError> {
        let refused = |why: &str| PermitError::NoMarker {
            place: format!("{}/{}", self.bucket, self.key),
            marker: self.marker.clone(),
            why: why.to_owned(),
        };
        if self.marker == NULL_VERSION {
            return Err(refused("it has no version id, and data may take its place"));
        }
        let mut history = entries.iter().filter(|entry| entry.key == self.key);
        let Some(top) = history.next() else {
            return Err(refused("the key has no history any more"));
        };
        if top.version_id != self.marker || !top.latest {
            return Err(refused("it is not on top of its key any more"));
        }
        if top.object.is_some() {
            return Err(refused("it is a version with data and no delete marker"));
        }
        let under = history.find(|entry| entry.object.is_some());
        if under.is_none_or(|entry| entry.version_id != self.wanted) {
            return Err(refused("under it is not the version that is to be seen again"));
        }
        Ok(MarkerPermit { region: region.to_owned(), proof: self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::{MarkerProof, PermitError, VersionEntry};
    use crate::base::clock::simulated_epoch;
    use crate::cloud::error::ErrorClass;
    use crate::cloud::model::VersionFacts;

    fn proof(marker: &str) -> MarkerProof {
        MarkerProof {
            bucket: "docs".to_owned(),
            key: "a".to_owned(),
            marker: marker.to_owned(),
            wanted: "v1".to_owned(),
        }
    }

    /// Entries of `a`, newest first: `m…` is a marker, `v…` a version.
    fn history(ids: &[&str]) -> Vec<VersionEntry> {
        let facts =
            || VersionFacts { etag: String::new(), size: 1, storage_class: "STANDARD".to_owned() };
        let entry = |(place, id): (usize, &&str)| VersionEntry {
            key: "a".to_owned(),
            version_id: (*id).to_owned(),
            latest: place == 0,
            modified: simulated_epoch(),
            object: id.starts_with('v').then(facts),
        };
        ids.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn only_a_marker_on_top_of_the_wanted_version_gets_a_permit() {
        let judged = |marker: &str, ids: &[&str]| proof(marker).judge("us-east-1", &history(ids));
        assert!(judged("m1", &["m1", "v1"]).is_ok());
        assert!(judged("m2", &["m2", "m1", "v1", "v0"]).is_ok());
        for (marker, ids, why) in [
            ("m1", vec!["v2", "m1", "v1"], "not on top"),
            ("m1", vec!["m2", "m1", "v1"], "not on top"),
            ("v1", vec!["v1"], "version with data"),
            ("m1", vec!["m1", "v2", "v1"], "under it"),
            ("m1", vec!["m1"], "under it"),
            ("m1", vec![], "no history"),
            ("null", vec!["null", "v1"], "no version id"),
        ] {
            let refused = judged(marker, &ids).expect_err(why);
            assert_eq!(refused.class(), ErrorClass::Refused, "{refused}");
            assert!(refused.to_string().contains(why), "{refused}");
        }
    }

    #[test]
    fn another_key_with_the_same_beginning_is_no_proof() {
        let mut entries = history(&["m1", "v1"]);
        entries.iter_mut().for_each(|entry| entry.key = "ab".to_owned());
        let refused = proof("m1").judge("us-east-1", &entries);
        assert!(matches!(refused, Err(PermitError::NoMarker { .. })), "{refused:?}");
    }
}
