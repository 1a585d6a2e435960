//! The journal's port over the cloud's bucket.
//!
//! **Invariant:** an error without effect and one that may have had one are never mixed up.

use crate::cloud::bucket::{Bucket, BucketObject, Written};
use crate::cloud::{CloudError, ErrorClass};
use crate::journal::objects::{BucketProblem, Object, ObjectError, Objects, Tag};

/// A bucket, as journals use it.
#[derive(Debug)]
pub(super) struct BucketObjects {
    bucket: Bucket,
    place: String,
}

impl BucketObjects {
    pub(super) fn new(bucket: Bucket) -> Self {
        let place = bucket.place().to_string();
        Self { bucket, place }
    }
}

/// What is wrong, in the journal's words.
pub(super) fn problem(error: &CloudError) -> BucketProblem {
    match (error.code.as_deref(), error.class) {
        (Some("NoSuchBucket"), _) => BucketProblem::NoSuchBucket,
        (
            Some(
                "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
            ),
            _,
        ) => BucketProblem::WrongRegion,
        (_, ErrorClass::Credentials | ErrorClass::Refused) => BucketProblem::AccessDenied,
        (Some("SlowDown" | "Throttling" | "ThrottlingException"), _) => BucketProblem::Throttled,
        (
            _,
            ErrorClass::Temporary
            | ErrorClass::Permanent
            | ErrorClass::InDoubt
            | ErrorClass::Unreachable,
        ) => BucketProblem::Unreachable,
    }
}

fn failed(error: CloudError) -> ObjectError {
    if error.class == ErrorClass::InDoubt {
        return ObjectError::Unclear(error.to_string());
    }
    ObjectError::Failed(problem(&error), error.to_string())
}

fn object(found: BucketObject) -> Object {
    Object { bytes: found.bytes, tag: Tag(found.tag) }
}

fn written(answer: Result<Written, CloudError>) -> Result<Tag, ObjectError> {
    match answer.map_err(failed)? {
        Written::Done(tag) => Ok(Tag(tag)),
        Written::Refused => Err(ObjectError::Taken),
    }
}

impl Objects for BucketObjects {
    fn get(&self, key: &str) -> Result<Option<Object>, ObjectError> {
        self.bucket.get(key).map(|found| found.map(object)).map_err(failed)
    }

    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Object>>, ObjectError> {
        let found = self.bucket.get_all(keys).map_err(failed)?;
        Ok(found.into_iter().map(|found| found.map(object)).collect())
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<Tag, ObjectError> {
        written(self.bucket.put(key, bytes, None))
    }

    fn put_if_match(&self, key: &str, bytes: &[u8], tag: &Tag) -> Result<Tag, ObjectError> {
        written(self.bucket.put(key, bytes, Some(&tag.0)))
    }

    fn list_after(&self, prefix: &str, after: &str) -> Result<Vec<String>, ObjectError> {
        self.bucket.list(prefix, after, false).map(|listed| listed.keys).map_err(failed)
    }

    fn directories(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let listed = self.bucket.list(prefix, "", true).map_err(failed)?;
        let names = listed.prefixes.iter().filter_map(|name| name.strip_prefix(prefix));
        Ok(names.map(|name| name.trim_end_matches('/').to_owned()).collect())
    }

    fn place(&self) -> &str {
        &self.place
    }
}
