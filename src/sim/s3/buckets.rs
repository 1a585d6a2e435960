//! Buckets: making, finding and removing them.
//!
//! **Invariant:** a name belongs to one region for as long as the bucket is there; a request to another
//! region is told which.

use crate::estate::Versioning;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::birth;
use crate::sim::s3::refusals::{malformed_xml, no_such_bucket, wrong_region};
use crate::sim::s3::scan::Scan;
use crate::sim::s3::state::Bucket;
use crate::sim::s3::{NAMESPACE, config, document, headers_only};
use crate::sim::state::World;
use crate::sim::xml::{Xml, texts_of};

/// The region that has no name in location constraints.
const CLASSIC: &str = "us-east-1";

/// Object Lock without a default retention.
const LOCKED: &str = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

/// Gives a world the buckets that its environment begins with; one that is there is kept.
pub(in crate::sim) fn begin(world: &mut World, region: &str, names: &[String]) {
    for name in names {
        let bucket = Bucket { config: config::of_new(), ..Bucket::new(region, birth()) };
        world.services.buckets.entry(name.clone()).or_insert(bucket);
    }
}

/// The request's bucket, which must be in the request's region.
pub(super) fn bucket<'a>(turn: &'a Turn<'_>) -> Result<&'a Bucket, ApiError> {
    let name = &turn.s3.bucket;
    let found = turn.world.services.buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
    if found.region != turn.region {
        return Err(wrong_region(&turn.s3, &turn.region, name, &found.region));
    }
    Ok(found)
}

/// The same, to change it.
pub(super) fn bucket_mut<'a>(turn: &'a mut Turn<'_>) -> Result<&'a mut Bucket, ApiError> {
    bucket(turn)?;
    let name = turn.s3.bucket.clone();
    turn.world.services.buckets.get_mut(&name).ok_or_else(|| no_such_bucket(&name))
}

pub(super) fn list(turn: &mut Turn<'_>) -> Outcome {
    let mut xml = Xml::default();
    xml.element_in("ListAllMyBucketsResult", NAMESPACE, |xml| {
        xml.element("Owner", |xml| xml.leaf("ID", &turn.world.account));
        xml.element("Buckets", |xml| {
            for (name, bucket) in &turn.world.services.buckets {
                xml.element("Bucket", |xml| {
                    xml.leaf("Name", name);
                    xml.leaf("CreationDate", instant(bucket.created));
                    xml.leaf("BucketRegion", &bucket.region);
                });
            }
        });
    });
    Ok(document(xml))
}

pub(super) fn create(turn: &mut Turn<'_>) -> Outcome {
    let name = turn.s3.bucket.clone();
    check_name(&name)?;
    let region = constraint(turn)?;
    if region != turn.region {
        let message = format!(
            "The {region} location constraint is incompatible for the region specific endpoint this \
             request was sent to."
        );
        return Err(ApiError::sender("IllegalLocationConstraintException", message));
    }
    if let Some(found) = turn.world.services.buckets.get(&name) {
        // In the oldest region a bucket of one's own is made again without complaint.
        if region == CLASSIC && found.region == CLASSIC {
            return Ok(created(&name));
        }
        let message =
            "Your previous request to create the named bucket succeeded and you already own it.";
        let error = ApiError::sender("BucketAlreadyOwnedByYou", message).with_status(409);
        return Err(error.with_detail("BucketName", &name));
    }
    let mut bucket = Bucket { config: config::of_new(), ..Bucket::new(&region, turn.now) };
    if turn.s3.header("x-amz-bucket-object-lock-enabled") == Some("true") {
        // Object Lock needs versions, and turns them on.
        bucket.versioning = Versioning::Enabled;
        bucket.config.insert("object-lock".to_owned(), LOCKED.to_owned());
    }
    turn.world.services.buckets.insert(name.clone(), bucket);
    turn.changed(&name, "a bucket was made");
    Ok(created(&name))
}

fn created(name: &str) -> Body {
    headers_only(200, vec![("location", format!("/{name}"))])
}

/// The region in `CreateBucketConfiguration`.
fn constraint(turn: &Turn<'_>) -> Result<String, ApiError> {
    if turn.s3.body.is_empty() {
        return Ok(CLASSIC.to_owned());
    }
    let texts = texts_of(&turn.s3.body).ok_or_else(malformed_xml)?;
    let said = texts.into_iter().find(|(path, _)| path.ends_with("/LocationConstraint"));
    Ok(said.map_or_else(|| CLASSIC.to_owned(), |(_, region)| region))
}

/// 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends.
fn check_name(name: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = (3..=63).contains(&name.len())
        && name.chars().all(|c| plain(c) || c == '-' || c == '.')
        && name.starts_with(plain)
        && name.ends_with(plain)
        && !name.contains("..");
    let error = || ApiError::sender("InvalidBucketName", "The specified bucket is not valid.");
    if valid { Ok(()) } else { Err(error().with_detail("BucketName", name)) }
}

pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    if Scan::from(bucket(turn)?, "").any(|(_, versions)| !versions.is_empty()) {
        let message = "The bucket you tried to delete is not empty";
        return Err(ApiError::sender("BucketNotEmpty", message).with_status(409));
    }
    let name = turn.s3.bucket.clone();
    turn.world.services.buckets.remove(&name);
    turn.changed(&name, "the bucket was removed");
    Ok(headers_only(204, Vec::new()))
}

pub(super) fn head(turn: &mut Turn<'_>) -> Outcome {
    let region = bucket(turn)?.region.clone();
    Ok(headers_only(200, vec![("x-amz-bucket-region", region)]))
}

/// Answers in every region.
pub(super) fn location(turn: &mut Turn<'_>) -> Outcome {
    let name = &turn.s3.bucket;
    let found = turn.world.services.buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
    let region = if found.region == CLASSIC { "" } else { &found.region };
    let mut xml = Xml::default();
    xml.element_in("LocationConstraint", NAMESPACE, |xml| xml.text(region));
    Ok(document(xml))
}

/// As documents carry it: whole seconds with a fraction of zeros.
pub(super) fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
