//! `GetObjectAttributes`.
//!
//! **Invariant:** only what was asked for is told, and only what there is.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::objects::found;
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::{NAMESPACE, answered};
use crate::sim::simulator::http_date;
use crate::sim::xml::Xml;

const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    let header = "x-amz-object-attributes";
    let text = turn.s3.header(header).unwrap_or_default();
    let wanted: Vec<&str> = text.split(',').map(str::trim).collect();
    if wanted.iter().any(|name| !KNOWN.contains(name)) {
        return Err(invalid_argument("Invalid attribute name specified.", header, text));
    }
    let wants = |name: &str| wanted.contains(&name);
    let mut xml = Xml::default();
    xml.element_in("GetObjectAttributesResponse", NAMESPACE, |xml| {
        if wants("ETag") {
            xml.leaf("ETag", version.etag.trim_matches('"'));
        }
        if let (true, Some(checksum)) = (wants("Checksum"), &version.extra.checksum) {
            xml.element("Checksum", |xml| {
                xml.leaf(&format!("Checksum{}", checksum.algorithm), &checksum.value);
                let composite = checksum.value.contains('-');
                xml.leaf("ChecksumType", if composite { "COMPOSITE" } else { "FULL_OBJECT" });
            });
        }
        if wants("ObjectParts") && !version.extra.parts.is_empty() {
            xml.element("ObjectParts", |xml| {
                xml.leaf("PartsCount", version.extra.parts.len());
                for (number, size) in (1_u32..).zip(&version.extra.parts) {
                    xml.element("Part", |xml| {
                        xml.leaf("PartNumber", number);
                        xml.leaf("Size", size);
                    });
                }
            });
        }
        if wants("StorageClass") {
            xml.leaf("StorageClass", version.class());
        }
        if wants("ObjectSize") {
            xml.leaf("ObjectSize", version.size());
        }
    });
    let mut headers = vec![("last-modified", http_date(version.modified))];
    if bucket(turn)?.is_versioned() {
        headers.push(("x-amz-version-id", version.id().to_owned()));
    }
    Ok(answered(xml, headers))
}
