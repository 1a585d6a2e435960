//! `CopyObject`, and where the bytes of copies come from.
//!
//! **Invariant:** a copy has the content and, unless it is told otherwise, all that the source's version says of
//! itself; it is a new version, and the source stays as it was.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::conditions::{self, Read};
use crate::sim::s3::generated::Made;
use crate::sim::s3::refusals::{invalid_argument, no_such_bucket, precondition_failed};
use crate::sim::s3::state::Version;
use crate::sim::s3::wire::unescaped;
use crate::sim::s3::{NAMESPACE, answered, archive, checksums, encryption, find, incoming, write};
use crate::sim::s3::{buckets::instant, outgoing, stored};
use crate::sim::xml::Xml;

/// Largest source that is copied in one piece, bytes.
const LARGEST: u64 = 5 << 30;

/// What `x-amz-copy-source` names.
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    /// As it was asked for.
    id: Option<String>,
    pub(super) version: Version,
}

/// The source of a copy, if its conditions hold and it can be read.
pub(super) fn source(turn: &Turn<'_>) -> Result<Source, ApiError> {
    let header = "x-amz-copy-source";
    let text = turn.s3.header(header).unwrap_or_default();
    let wrong = || {
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        invalid_argument(message, header, text)
    };
    let (path, id) = match text.split_once("?versionId=") {
        Some((path, id)) => (path, Some(id.to_owned())),
        None => (text, None),
    };
    let path = unescaped(path).ok_or_else(wrong)?;
    let (name, key) = path.trim_start_matches('/').split_once('/').ok_or_else(wrong)?;
    if key.is_empty() {
        return Err(wrong());
    }
    let from = turn.world.services.buckets.get(name).ok_or_else(|| no_such_bucket(name))?;
    turn.reach(&from.region)?;
    let version = find::version(from, key, id.as_deref()).map_err(|error| match error.status {
        405 => {
            let message = "The source of a copy request may not specifically refer to a delete \
                           marker by version id.";
            ApiError::sender("InvalidRequest", message)
        }
        _ => error,
    })?;
    match conditions::of_read(&turn.s3, "x-amz-copy-source-", &version) {
        Read::Sent => {}
        Read::Known => return Err(precondition_failed("x-amz-copy-source-If-None-Match")),
        Read::Refused(_) => return Err(precondition_failed("x-amz-copy-source-If-Match")),
    }
    archive::readable(&version, turn.now, key).map_err(|error| {
        let message = "The source object of the COPY action is not in the active tier";
        let other = ApiError::sender("ObjectNotInActiveTierError", message).with_status(403);
        ApiError { details: error.details, ..other }
    })?;
    encryption::usable(turn.world, version.extra.kms_key.as_deref(), &from.region)?;
    let (bucket, key) = (name.to_owned(), key.to_owned());
    Ok(Source { bucket, key, id, version })
}

/// Whether the request says `REPLACE` in this header; else `COPY`.
fn replaces(turn: &Turn<'_>, header: &str) -> Result<bool, ApiError> {
    match turn.s3.header(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(invalid_argument("Unknown directive", header, other)),
    }
}

pub(super) fn copy(turn: &mut Turn<'_>) -> Outcome {
    let current = bucket(turn)?.current(&turn.s3.key);
    let found = source(turn)?;
    conditions::of_write(&turn.s3, current.as_ref())?;
    if found.version.size() > LARGEST {
        let message = "The specified copy source is larger than the maximum allowable size for a \
                       copy source: 5368709120";
        return Err(ApiError::sender("InvalidRequest", message));
    }
    let metadata = replaces(turn, "x-amz-metadata-directive")?;
    let tags = replaces(turn, "x-amz-tagging-directive")?;
    let told = incoming::described(turn)?;
    changes_something(turn, &found, &told, metadata || tags)?;
    let version = copied(turn, &found.version, told, (metadata, tags))?;
    let mut headers = outgoing::encryption(&version);
    let (name, key) = (turn.s3.bucket.clone(), turn.s3.key.clone());
    let told = turn.world.services.buckets.get(&found.bucket);
    if told.is_some_and(crate::sim::s3::Bucket::is_versioned) {
        headers.push(("x-amz-copy-source-version-id", found.version.id().to_owned()));
    }
    let mut xml = Xml::default();
    xml.element_in("CopyObjectResult", NAMESPACE, |xml| {
        xml.leaf("LastModified", instant(version.modified));
        xml.leaf("ETag", &version.etag);
        if let Some(checksum) = &version.extra.checksum {
            xml.leaf(&format!("Checksum{}", checksum.algorithm), &checksum.value);
        }
    });
    let id = write::put(turn.world, (&name, &key), version);
    headers.extend(id.map(|id| ("x-amz-version-id", id)));
    let effect = format!("{}/{} was copied to it", found.bucket, found.key);
    turn.changed(&format!("{name}/{key}"), effect);
    Ok(answered(xml, headers))
}

/// Refuses a copy of the current object onto itself that would change nothing.
fn changes_something(
    turn: &Turn<'_>,
    found: &Source,
    told: &Version,
    replaces: bool,
) -> Result<(), ApiError> {
    let itself = found.bucket == turn.s3.bucket && found.key == turn.s3.key && found.id.is_none();
    let class = turn
        .s3
        .header("x-amz-storage-class")
        .is_some_and(|_| told.class() != found.version.class());
    let key = turn.s3.header("x-amz-server-side-encryption").is_some();
    if itself && !replaces && !class && !key {
        let message = "This copy request is illegal because it is trying to copy an object to itself \
                       without changing the object's metadata, storage class, website redirect \
                       location or encryption attributes.";
        return Err(ApiError::sender("InvalidRequest", message));
    }
    Ok(())
}

/// The new version: what was told where it replaces, the source's where not.
fn copied(
    turn: &Turn<'_>,
    from: &Version,
    told: Version,
    (metadata, tags): (bool, bool),
) -> Result<Version, ApiError> {
    let named = checksums::named(&turn.s3)?;
    let mut version = Version { made: from.made.clone(), body: from.body.clone(), ..told };
    if !metadata {
        version.content_type.clone_from(&from.content_type);
        version.metadata.clone_from(&from.metadata);
        version.extra.headers.clone_from(&from.extra.headers);
    }
    if !tags {
        version.tags.clone_from(&from.tags);
    }
    // In one piece now, whatever the source came in.
    version.etag = version.made.as_ref().map_or_else(|| stored::etag(&version.body), Made::etag);
    encryption::tag(&mut version);
    let whole = from.extra.checksum.clone().filter(|checksum| !checksum.value.contains('-'));
    version.extra.checksum = match (named, &from.extra.checksum) {
        (Some(algorithm), _) => Some(checksums::whole(&algorithm, &version.content())),
        (None, Some(old)) if whole.is_none() => {
            Some(checksums::whole(&old.algorithm, &version.content()))
        }
        (None, _) => whole,
    };
    Ok(version)
}
