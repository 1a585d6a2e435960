//! Finds the version that a request is about.
//!
//! **Invariant:** a delete marker is never an object: named or current, it is refused in the two ways of S3.

use crate::sim::answer::ApiError;
use crate::sim::s3::refusals::{no_such_key, no_such_version};
use crate::sim::s3::state::{Bucket, Version};
use crate::sim::simulator::http_date;

/// The version of `key` with this id, or the current one.
pub(super) fn version(bucket: &Bucket, key: &str, id: Option<&str>) -> Result<Version, ApiError> {
    let versions = bucket.versions(key);
    let found = match id {
        Some(id) => {
            let found = versions.iter().find(|version| version.id() == id);
            found.ok_or_else(|| no_such_version(key, id))?
        }
        None => versions.last().ok_or_else(|| no_such_key(key))?,
    };
    if !found.marker {
        return Ok(found.clone());
    }
    let error = match id {
        // What answers is the marker, and it allows nothing but being deleted.
        Some(_) => {
            let message = "The specified method is not allowed against this resource.";
            ApiError::sender("MethodNotAllowed", message)
                .with_status(405)
                .with_detail("allow", "DELETE")
                .with_detail("last-modified", &http_date(found.modified))
        }
        None => no_such_key(key),
    };
    Err(error
        .with_detail("x-amz-delete-marker", "true")
        .with_detail("x-amz-version-id", found.id()))
}
