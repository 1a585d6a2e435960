//! Which key encrypts an object.
//!
//! **Invariant:** an object says what it is encrypted with as it was when it was put, whatever the bucket's
//! default becomes.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::key_arn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::documents::{read, text_at};
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::rules;
use crate::sim::s3::state::{Bucket, Version};
use crate::sim::s3::stored::etag;
use crate::sim::state::World;

/// AWS's own key for S3.
const OWN_KEY: &str = "alias/aws/s3";

const HEADER: &str = "x-amz-server-side-encryption";

/// ARN of the key that encrypts what the request writes; `None` is S3's own encryption.
pub(super) fn of_request(turn: &Turn<'_>) -> Result<Option<String>, ApiError> {
    let found = bucket(turn)?;
    let key = match turn.s3.header(HEADER) {
        None => default_key(turn.world, found),
        Some("AES256") => None,
        Some("aws:kms" | "aws:kms:dsse") => {
            let key = turn.s3.header("x-amz-server-side-encryption-aws-kms-key-id");
            Some(key_arn(turn.world, &found.region, key.unwrap_or(OWN_KEY)))
        }
        Some(other) => {
            let message = "The encryption method specified is not supported";
            return Err(invalid_argument(message, HEADER, other));
        }
    };
    usable(turn.world, key.as_deref(), &found.region)?;
    Ok(key)
}

/// The bucket's default.
pub(super) fn default_key(world: &World, bucket: &Bucket) -> Option<String> {
    let root = read(bucket.config.get("encryption")?);
    let way = ["Rule", "ApplyServerSideEncryptionByDefault"];
    let default = way.iter().try_fold(&root, |at, name| at.child(name))?;
    if !text_at(default, &["SSEAlgorithm"])?.starts_with("aws:kms") {
        return None;
    }
    let key = text_at(default, &["KMSMasterKeyID"]).unwrap_or(OWN_KEY);
    Some(key_arn(world, &bucket.region, key))
}

/// Names of the customer's keys that buckets of a region are encrypted with, or replicas there.
pub(in crate::sim) fn keys(world: &World, region: &str) -> Vec<String> {
    let buckets = &world.services.buckets;
    let mut names = Vec::new();
    for bucket in buckets.values() {
        let kept = bucket.config.get("encryption").filter(|_| bucket.region == region);
        let way = ["Rule", "ApplyServerSideEncryptionByDefault", "KMSMasterKeyID"];
        names.extend(kept.and_then(|kept| text_at(&read(kept), &way).map(str::to_owned)));
        let here = |name: &str| buckets.get(name).is_some_and(|to| to.region == region);
        let rules = rules::of_bucket(bucket).into_iter().filter(|rule| here(&rule.to));
        names.extend(rules.filter_map(|rule| rule.replica_key));
    }
    names
}

/// Refuses a customer's key while those are disabled.
pub(super) fn usable(world: &World, key: Option<&str>, region: &str) -> Result<(), ApiError> {
    let Some(key) = key else { return Ok(()) };
    let disabled = world.fault(FaultKind::KmsDisabled).is_some();
    if disabled && key != key_arn(world, region, OWN_KEY) {
        let message = format!("{key} is disabled.");
        return Err(ApiError::sender("KMS.DisabledException", message));
    }
    Ok(())
}

/// The tag of what a key of KMS encrypts is no digest of its content.
pub(super) fn tag(version: &mut Version) {
    if let Some(key) = &version.extra.kms_key {
        version.etag = etag(format!("{}{key}", version.etag).as_bytes());
    }
}
