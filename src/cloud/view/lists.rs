//! Lists of what is in a bucket.
//!
//! **Invariant:** predicted effects are not part of a list: it tells what is there.

use super::EstateView;
use crate::cloud::listing::{ListPlace, ObjectStream, VersionStream, all_objects, all_versions};

impl EstateView {
    /// All objects below a place, in the order of their keys (S3 `ListObjectsV2`).
    pub fn objects(&self, place: ListPlace) -> ObjectStream {
        all_objects(&self.shared, place)
    }

    /// All versions and delete markers below a place, in the order of their keys, of each key the newest
    /// first (S3 `ListObjectVersions`).
    pub fn versions(&self, place: ListPlace) -> VersionStream {
        all_versions(&self.shared, place)
    }
}
