//! `ListObjectsV2`.
//!
//! **Invariant:** keys come in the order of their UTF-8 bytes, each once over all pages, and a common
//! prefix once.

use crate::base::digest::hex;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::decode::unhex;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, instant};
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::state::Version;
use crate::sim::s3::{NAMESPACE, document};
use crate::sim::xml::Xml;
use std::ops::Bound;

/// Most keys of one page.
const PAGE: usize = 1_000;

/// One line of a list.
enum Item<'a> {
    Key(&'a str, &'a Version),
    Prefix(String),
}

impl Item<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Key(key, _) => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// Where a page begins: after this key, or after all keys with this common prefix.
struct After {
    text: String,
    whole_prefix: bool,
}

pub(super) fn objects(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let prefix = turn.s3.parameter("prefix").unwrap_or_default();
    let delimiter = turn.s3.parameter("delimiter").unwrap_or_default();
    let limit = limit(turn)?;
    let after = after(turn)?;
    let encodes = match turn.s3.parameter("encoding-type") {
        None => false,
        Some("url") => true,
        Some(other) => {
            let message = "Invalid Encoding Method specified in Request";
            return Err(invalid_argument(message, "encoding-type", other));
        }
    };
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut more = false;
    let start = Bound::Excluded(after.text.as_str());
    let start = if after.text.is_empty() { Bound::Unbounded } else { start };
    for (key, versions) in found.objects.range::<str, _>((start, Bound::Unbounded)) {
        let (Some(version), Some(rest)) = (versions.last(), key.strip_prefix(prefix)) else {
            continue;
        };
        let cut = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
        let common = cut.map(|at| &key[..prefix.len() + at + delimiter.len()]);
        let seen = match (common, items.last()) {
            (Some(common), Some(Item::Prefix(last))) => last == common,
            (Some(common), _) => after.whole_prefix && after.text == common,
            (None, _) => false,
        };
        if seen {
            continue;
        }
        if items.len() == limit {
            more = true;
            break;
        }
        items.push(match common {
            Some(common) => Item::Prefix(common.to_owned()),
            None => Item::Key(key, version),
        });
    }
    let written = |text: &str| if encodes { escaped(text) } else { text.to_owned() };
    Ok(document(page(turn, &items, (limit, more && limit > 0), &written)))
}

/// `max-keys`, at most a page.
fn limit(turn: &Turn<'_>) -> Result<usize, ApiError> {
    let name = "max-keys";
    let Some(text) = turn.s3.parameter(name) else { return Ok(PAGE) };
    let number = text.parse::<usize>().map_err(|_| {
        invalid_argument("Provided max-keys not an integer or within integer range", name, text)
    })?;
    Ok(number.min(PAGE))
}

/// `start-after`, which a continuation token replaces.
fn after(turn: &Turn<'_>) -> Result<After, ApiError> {
    let Some(token) = turn.s3.parameter("continuation-token") else {
        let text = turn.s3.parameter("start-after").unwrap_or_default().to_owned();
        return Ok(After { text, whole_prefix: false });
    };
    let read = || {
        let (kind, digits) = token.split_at_checked(1)?;
        let text = String::from_utf8(unhex(digits)?).ok()?;
        ["k", "p"].contains(&kind).then_some(After { text, whole_prefix: kind == "p" })
    };
    let message = "The continuation token provided is incorrect";
    read().ok_or_else(|| invalid_argument(message, "continuation-token", token))
}

fn page(
    turn: &Turn<'_>,
    items: &[Item<'_>],
    (limit, more): (usize, bool),
    written: &dyn Fn(&str) -> String,
) -> Xml {
    let request = &turn.s3;
    let mut xml = Xml::default();
    xml.element_in("ListBucketResult", NAMESPACE, |xml| {
        xml.leaf("Name", &request.bucket);
        xml.leaf("Prefix", written(request.parameter("prefix").unwrap_or_default()));
        xml.optional("StartAfter", request.parameter("start-after").map(written));
        xml.optional("ContinuationToken", request.parameter("continuation-token"));
        xml.leaf("KeyCount", items.len());
        xml.leaf("MaxKeys", limit);
        xml.optional("Delimiter", request.parameter("delimiter").map(written));
        xml.optional("EncodingType", request.parameter("encoding-type"));
        xml.leaf("IsTruncated", more);
        if let (true, Some(last)) = (more, items.last()) {
            let kind = if matches!(last, Item::Prefix(_)) { "p" } else { "k" };
            xml.leaf("NextContinuationToken", format!("{kind}{}", hex(last.text().as_bytes())));
        }
        for item in items {
            match item {
                Item::Key(key, version) => xml.element("Contents", |xml| {
                    xml.leaf("Key", written(key));
                    xml.leaf("LastModified", instant(version.modified));
                    xml.leaf("ETag", &version.etag);
                    xml.leaf("Size", version.body.len());
                    xml.leaf("StorageClass", "STANDARD");
                }),
                Item::Prefix(prefix) => {
                    xml.element("CommonPrefixes", |xml| xml.leaf("Prefix", written(prefix)));
                }
            }
        }
    });
    xml
}

/// With percent signs for all but unreserved characters and slashes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/*".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
