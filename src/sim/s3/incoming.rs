//! Reads what a request says about the object that it writes.
//!
//! **Invariant:** what is not understood is refused before anything is written; nothing that was said gets
//! lost.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::encryption;
use crate::sim::s3::lock;
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::state::{STANDARD, Version};
use crate::sim::s3::tags;
use crate::sim::s3::wire::Request;
use crate::sim::s3::{checksums, stored};
use std::collections::BTreeMap;

/// The prefix of user metadata among headers.
pub(super) const METADATA: &str = "x-amz-meta-";

/// Headers that are given back as they came.
pub(super) const KEPT: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// Storage classes that an object may be put into.
const CLASSES: [&str; 8] = [
    STANDARD,
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
];

/// The version that a request with this body makes.
pub(super) fn version(turn: &Turn<'_>, body: Vec<u8>) -> Result<Version, ApiError> {
    let mut version = described(turn)?;
    version.extra.checksum = checksums::kept(&turn.s3, &body);
    version.etag = stored::etag(&body);
    version.body = body;
    encryption::tag(&mut version);
    Ok(version)
}

/// The same without content: what `CreateMultipartUpload` says.
pub(super) fn described(turn: &Turn<'_>) -> Result<Version, ApiError> {
    let request = &turn.s3;
    let mut version = Version::new(Vec::new(), turn.now);
    if let Some(kind) = request.header("content-type") {
        kind.clone_into(&mut version.content_type);
    }
    version.metadata = metadata(request);
    version.extra.headers = kept(request);
    version.extra.class = class(request)?;
    version.tags = tagging(request)?;
    version.extra.kms_key = encryption::of_request(turn)?;
    lock::of_request(turn, bucket(turn)?, &mut version)?;
    Ok(version)
}

/// User metadata under names without their prefix.
pub(super) fn metadata(request: &Request) -> BTreeMap<String, String> {
    let headers = request.headers.iter();
    let named = headers.filter_map(|(name, value)| {
        name.strip_prefix(METADATA).map(|name| (name.to_owned(), value.clone()))
    });
    named.collect()
}

/// Headers that are kept. `aws-chunked` is how the body came, and no property of the object.
pub(super) fn kept(request: &Request) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in KEPT {
        let Some(value) = request.header(name) else { continue };
        let parts = value.split(',').map(str::trim).filter(|part| *part != "aws-chunked");
        let value = match name {
            "content-encoding" => parts.collect::<Vec<_>>().join(","),
            _ => value.to_owned(),
        };
        if !value.is_empty() {
            kept.insert(name.to_owned(), value);
        }
    }
    kept
}

/// `x-amz-storage-class`; `None` for the usual one.
pub(super) fn class(request: &Request) -> Result<Option<String>, ApiError> {
    let Some(class) = request.header("x-amz-storage-class") else { return Ok(None) };
    if !CLASSES.contains(&class) {
        let message = "The storage class you specified is not valid";
        return Err(ApiError::sender("InvalidStorageClass", message)
            .with_detail("StorageClassRequested", class));
    }
    Ok(Some(class.to_owned()).filter(|class| class != STANDARD))
}

/// `x-amz-tagging`.
pub(super) fn tagging(request: &Request) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(text) = request.header("x-amz-tagging") else { return Ok(BTreeMap::new()) };
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let tags: BTreeMap<String, String> = pairs.iter().cloned().collect();
    if tags.len() != pairs.len() {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL \
                       query parameters without tag name duplicates.";
        return Err(invalid_argument(message, "x-amz-tagging", text));
    }
    tags::check(&tags)?;
    Ok(tags)
}
