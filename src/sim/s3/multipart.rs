//! Multipart uploads.
//!
//! **Invariant:** an object of parts appears whole, when its upload is completed, under the conditions that hold
//! then; an upload that is not completed is no object.

use crate::base::digest::hex;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::decode::unhex;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::s3::buckets::{bucket, bucket_mut, instant};
use crate::sim::s3::copy::source;
use crate::sim::s3::documents::{all, of_request, text_at};
use crate::sim::s3::list::escaped;
use crate::sim::s3::range::{self, Asked};
use crate::sim::s3::refusals::{invalid_argument, malformed_xml};
use crate::sim::s3::state::{Checksum, Version};
use crate::sim::s3::wire::Request;
use crate::sim::s3::{NAMESPACE, answered, checksums, conditions, document};
use crate::sim::s3::{headers_only, incoming, outgoing, write};
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Least bytes of a part that is not the last.
const LEAST: u64 = 5 << 20;

/// Highest number of a part.
const PARTS: u32 = 10_000;

/// A multipart upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Upload {
    pub(in crate::sim) key: String,
    pub(in crate::sim) begun: DateTime<Utc>,
    /// What it becomes, without content.
    pub(in crate::sim) object: Version,
    /// The checksum that it was begun with, and whether it is one of the whole object.
    pub(in crate::sim) checksum: Option<(String, bool)>,
    /// By number.
    pub(in crate::sim) parts: BTreeMap<u32, Version>,
}

fn no_such_upload(id: &str) -> ApiError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload \
                   may have been aborted or completed.";
    ApiError::not_found("NoSuchUpload", message).with_detail("UploadId", id)
}

fn upload<'a>(turn: &'a Turn<'_>) -> Result<(String, &'a Upload), ApiError> {
    let id = turn.s3.parameter("uploadId").unwrap_or_default();
    let found = bucket(turn)?.uploads.get(id).filter(|upload| upload.key == turn.s3.key);
    found.map(|found| (id.to_owned(), found)).ok_or_else(|| no_such_upload(id))
}

pub(super) fn create(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let object = incoming::described(turn)?;
    let algorithm = checksums::named(&turn.s3)?;
    let whole = match turn.s3.header("x-amz-checksum-type") {
        Some("FULL_OBJECT") => true,
        Some("COMPOSITE") => false,
        Some(other) => {
            return Err(invalid_argument("Unknown checksum type", "x-amz-checksum-type", other));
        }
        None => algorithm.as_deref() == Some("CRC64NVME"),
    };
    let (name, key) = (turn.s3.bucket.clone(), turn.s3.key.clone());
    let entity = format!("s3/{name}/{key}/upload/{}", turn.world.requests);
    let id = uuid(turn.world.seed(), &entity).replace('-', "");
    let mut headers: Vec<(&'static str, String)> = outgoing::encryption(&object);
    if let Some(algorithm) = &algorithm {
        headers.push(("x-amz-checksum-algorithm", algorithm.clone()));
        let kind = if whole { "FULL_OBJECT" } else { "COMPOSITE" };
        headers.push(("x-amz-checksum-type", kind.to_owned()));
    }
    let checksum = algorithm.map(|algorithm| (algorithm, whole));
    let upload =
        Upload { key: key.clone(), begun: turn.now, object, checksum, parts: BTreeMap::new() };
    bucket_mut(turn)?.uploads.insert(id.clone(), upload);
    turn.changed(&format!("{name}/{key}"), "an upload in parts was begun");
    let mut xml = Xml::default();
    xml.element_in("InitiateMultipartUploadResult", NAMESPACE, |xml| {
        xml.leaf("Bucket", &name);
        xml.leaf("Key", &key);
        xml.leaf("UploadId", &id);
    });
    Ok(answered(xml, headers))
}

fn number(request: &Request) -> Result<u32, ApiError> {
    let text = request.parameter("partNumber").unwrap_or_default();
    let number = text.parse::<u32>().ok().filter(|number| (1..=PARTS).contains(number));
    number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        invalid_argument(message, "partNumber", text)
    })
}

pub(super) fn part(turn: &mut Turn<'_>) -> Outcome {
    let number = number(&turn.s3)?;
    let (id, upload) = upload(turn)?;
    let wanted = upload.checksum.clone();
    let body = std::mem::take(&mut turn.s3.body);
    let mut part = Version::new(body, turn.now);
    part.extra.checksum = checksums::kept(&turn.s3, &part.body);
    if let (None, Some((algorithm, _))) = (&part.extra.checksum, wanted) {
        part.extra.checksum = Some(checksums::whole(&algorithm, &part.body));
    }
    let headers = outgoing::of_write(&part);
    keep(turn, &id, number, part)?;
    Ok(headers_only(200, headers))
}

pub(super) fn copied_part(turn: &mut Turn<'_>) -> Outcome {
    let number = number(&turn.s3)?;
    let (id, _) = upload(turn)?;
    let from = source(turn)?;
    let spanned = turn.s3.header("x-amz-copy-source-range").map(|text| {
        let headers = [("range".to_owned(), text.to_owned())].into();
        range::asked(&Request { headers, ..Request::default() }, &from.version)
    });
    let (start, end) = match spanned.transpose()? {
        Some(Asked::Part { from, to }) => (from, to),
        Some(Asked::All) | None => (0, from.version.size()),
    };
    let part = Version::new(from.version.bytes(start, end), turn.now);
    let mut xml = Xml::default();
    xml.element_in("CopyPartResult", NAMESPACE, |xml| {
        xml.leaf("LastModified", instant(part.modified));
        xml.leaf("ETag", &part.etag);
    });
    keep(turn, &id, number, part)?;
    Ok(document(xml))
}

fn keep(turn: &mut Turn<'_>, id: &str, number: u32, part: Version) -> Result<(), ApiError> {
    let (target, size) = (format!("{}/{}", turn.s3.bucket, turn.s3.key), part.size());
    let found = bucket_mut(turn)?.uploads.get_mut(id);
    found.ok_or_else(|| no_such_upload(id))?.parts.insert(number, part);
    turn.changed(&target, format!("its part {number} of {size} bytes was put"));
    Ok(())
}

/// The parts that a completion names, in order.
fn named(turn: &Turn<'_>, upload: &Upload) -> Result<Vec<Version>, ApiError> {
    let root = of_request(&turn.s3, "CompleteMultipartUpload")?;
    let mut parts: Vec<(u32, Version)> = Vec::new();
    for one in all(&root, "Part") {
        let number: u32 = text_at(one, &["PartNumber"])
            .and_then(|text| text.parse().ok())
            .ok_or_else(malformed_xml)?;
        let tag = text_at(one, &["ETag"]).unwrap_or_default().trim_matches('"').to_owned();
        if parts.last().is_some_and(|(last, _)| *last >= number) {
            let message = "The list of parts was not in ascending order. Parts must be ordered by \
                           part number.";
            return Err(ApiError::sender("InvalidPartOrder", message));
        }
        let found = upload.parts.get(&number).filter(|part| part.etag.trim_matches('"') == tag);
        let Some(found) = found else {
            let message = "One or more of the specified parts could not be found. The part may not \
                           have been uploaded, or the specified entity tag may not match the part's \
                           entity tag.";
            return Err(ApiError::sender("InvalidPart", message)
                .with_detail("PartNumber", &number.to_string()));
        };
        parts.push((number, found.clone()));
    }
    let Some((_, before)) = parts.split_last() else { return Err(malformed_xml()) };
    if before.iter().any(|(_, part)| part.size() < LEAST) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(ApiError::sender("EntityTooSmall", message));
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

pub(super) fn complete(turn: &mut Turn<'_>) -> Outcome {
    let (id, upload) = upload(turn)?;
    let parts = named(turn, upload)?;
    let object = upload.object.clone();
    let checksum = upload.checksum.clone();
    let current = bucket(turn)?.current(&turn.s3.key);
    conditions::of_write(&turn.s3, current.as_ref())?;
    let mut version = Version { modified: turn.now, ..object };
    version.extra.parts = parts.iter().map(Version::size).collect();
    version.extra.checksum = checksum.map(|checksum| joined(&checksum, &parts));
    let digests: Vec<u8> =
        parts.iter().filter_map(|part| unhex(part.etag.trim_matches('"'))).flatten().collect();
    version.etag = format!("\"{}-{}\"", hex(&Md5::digest(&digests)), parts.len());
    version.body = parts.into_iter().flat_map(|part| part.body).collect();
    let size = version.size();
    let mut headers = outgoing::encryption(&version);
    let (name, key) = (turn.s3.bucket.clone(), turn.s3.key.clone());
    let mut xml = Xml::default();
    xml.element_in("CompleteMultipartUploadResult", NAMESPACE, |xml| {
        xml.leaf("Location", format!("/{name}/{}", escaped(&key)));
        xml.leaf("Bucket", &name);
        xml.leaf("Key", &key);
        xml.leaf("ETag", &version.etag);
        if let Some(checksum) = &version.extra.checksum {
            xml.leaf(&format!("Checksum{}", checksum.algorithm), &checksum.value);
            let composite = checksum.value.contains('-');
            xml.leaf("ChecksumType", if composite { "COMPOSITE" } else { "FULL_OBJECT" });
        }
    });
    bucket_mut(turn)?.uploads.remove(&id);
    let told = write::put(turn.world, (&name, &key), version);
    headers.extend(told.map(|id| ("x-amz-version-id", id)));
    turn.changed(&format!("{name}/{key}"), format!("{size} bytes were put in parts"));
    Ok(answered(xml, headers))
}

fn joined((algorithm, whole): &(String, bool), parts: &[Version]) -> Checksum {
    let bodies: Vec<&[u8]> = parts.iter().map(|part| part.body.as_slice()).collect();
    if *whole {
        checksums::whole(algorithm, &bodies.concat())
    } else {
        checksums::composite(algorithm, &bodies)
    }
}

pub(super) fn abort(turn: &mut Turn<'_>) -> Outcome {
    let (id, _) = upload(turn)?;
    let target = format!("{}/{}", turn.s3.bucket, turn.s3.key);
    bucket_mut(turn)?.uploads.remove(&id);
    turn.changed(&target, "an upload in parts was given up");
    Ok(headers_only(204, Vec::new()))
}

/// `ListParts`, all on one page.
pub(super) fn parts(turn: &mut Turn<'_>) -> Outcome {
    let (id, upload) = upload(turn)?;
    let after = turn.s3.parameter("part-number-marker").and_then(|text| text.parse::<u32>().ok());
    let after = after.unwrap_or_default();
    let mut xml = Xml::default();
    xml.element_in("ListPartsResult", NAMESPACE, |xml| {
        xml.leaf("Bucket", &turn.s3.bucket);
        xml.leaf("Key", &turn.s3.key);
        xml.leaf("UploadId", &id);
        xml.leaf("StorageClass", upload.object.class());
        xml.leaf("PartNumberMarker", after);
        xml.leaf("MaxParts", PARTS);
        xml.leaf("IsTruncated", false);
        for (number, part) in upload.parts.iter().filter(|(number, _)| **number > after) {
            xml.element("Part", |xml| {
                xml.leaf("PartNumber", number);
                xml.leaf("LastModified", instant(part.modified));
                xml.leaf("ETag", &part.etag);
                xml.leaf("Size", part.size());
            });
        }
    });
    Ok(document(xml))
}

/// `ListMultipartUploads`, all on one page.
pub(super) fn uploads(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let prefix = turn.s3.parameter("prefix").unwrap_or_default();
    let encodes = turn.s3.parameter("encoding-type") == Some("url");
    let written = |text: &str| if encodes { escaped(text) } else { text.to_owned() };
    let mut listed: Vec<_> =
        found.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix)).collect();
    listed.sort_by_key(|(id, upload)| (&upload.key, upload.begun, *id));
    let mut xml = Xml::default();
    xml.element_in("ListMultipartUploadsResult", NAMESPACE, |xml| {
        xml.leaf("Bucket", &turn.s3.bucket);
        xml.leaf("KeyMarker", "");
        xml.leaf("UploadIdMarker", "");
        xml.leaf("Prefix", written(prefix));
        xml.optional("EncodingType", turn.s3.parameter("encoding-type"));
        xml.leaf("MaxUploads", 1_000);
        xml.leaf("IsTruncated", false);
        for (id, upload) in listed {
            xml.element("Upload", |xml| {
                xml.leaf("Key", written(&upload.key));
                xml.leaf("UploadId", id);
                xml.leaf("StorageClass", upload.object.class());
                xml.leaf("Initiated", instant(upload.begun));
            });
        }
    });
    Ok(document(xml))
}
