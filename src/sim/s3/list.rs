//! `ListObjectsV2`, `ListObjects` and `ListObjectVersions`.
//!
//! **Invariant:** keys come in the order of their UTF-8 bytes, each once over all pages, and a common
//! prefix once; versions of a key come newest first. A page costs what stands on it.

use crate::base::digest::hex;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::decode::unhex;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, instant};
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::scan::{Scan, behind, behind_all};
use crate::sim::s3::state::{Bucket, Version};
use crate::sim::s3::{NAMESPACE, document};
use crate::sim::xml::Xml;

/// Most keys of one page.
const PAGE: usize = 1_000;

/// One line of a list.
#[expect(clippy::large_enum_variant, reason = "a page of them at most, and nearly all are keys")]
enum Item {
    /// A version; whether it is its key's newest.
    Key(String, Version, bool),
    Prefix(String),
}

/// What is listed.
struct Wanted<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    limit: usize,
    /// Whether texts are percent-encoded.
    encodes: bool,
    /// All versions; else current ones.
    versions: bool,
}

/// Where a page begins: not before a text, and behind one version of a key.
#[derive(Default)]
struct Start {
    from: String,
    behind: Option<(String, String)>,
}

impl Start {
    fn at(from: Option<String>) -> Self {
        // Behind everything there is nothing; no key is that long.
        let from = from.unwrap_or_else(|| "\u{10ffff}".repeat(257));
        Self { from, behind: None }
    }
}

impl<'a> Wanted<'a> {
    fn of(turn: &'a Turn<'_>, versions: bool) -> Result<Self, ApiError> {
        let parameter = |name: &str| turn.s3.parameter(name);
        let encodes = match parameter("encoding-type") {
            None => false,
            Some("url") => true,
            Some(other) => {
                let message = "Invalid Encoding Method specified in Request";
                return Err(invalid_argument(message, "encoding-type", other));
            }
        };
        Ok(Self {
            prefix: parameter("prefix").unwrap_or_default(),
            delimiter: parameter("delimiter").unwrap_or_default(),
            limit: limit(turn)?,
            encodes,
            versions,
        })
    }

    fn written(&self, text: &str) -> String {
        if self.encodes { escaped(text) } else { text.to_owned() }
    }

    /// The lines of a page, and whether there are more.
    fn page(&self, bucket: &Bucket, start: Start) -> (Vec<Item>, bool) {
        let mut items = Vec::new();
        if self.limit == 0 {
            return (items, false);
        }
        let from = start.from.as_str().max(self.prefix).to_owned();
        let mut scan = Scan::from(bucket, &from);
        while let Some((key, versions)) = scan.next() {
            let Some(rest) = key.strip_prefix(self.prefix) else { break };
            let skip = start.behind.as_ref().filter(|(other, _)| *other == key);
            let lines = self.lines(&versions, skip.map(|(_, id)| id.as_str()));
            if lines.is_empty() {
                continue;
            }
            let cut = (!self.delimiter.is_empty()).then(|| rest.find(self.delimiter)).flatten();
            if let Some(at) = cut {
                if items.len() == self.limit {
                    return (items, true);
                }
                let common = &key[..self.prefix.len() + at + self.delimiter.len()];
                let next = behind_all(common);
                items.push(Item::Prefix(common.to_owned()));
                let Some(next) = next else { break };
                scan = Scan::from(bucket, &next);
                continue;
            }
            for (version, newest) in lines {
                if items.len() == self.limit {
                    return (items, true);
                }
                items.push(Item::Key(key.to_string(), version, newest));
            }
        }
        (items, false)
    }

    /// What is listed of one key; of its versions, those behind `skip`.
    fn lines(&self, versions: &[Version], skip: Option<&str>) -> Vec<(Version, bool)> {
        let light = |version: &Version| Version { body: Vec::new(), ..version.clone() };
        let sized = |version: &Version| match version.made {
            Some(_) => version.clone(),
            // Of a body only its size is told.
            None => Version { made: Some(version.measure()), ..light(version) },
        };
        if !self.versions {
            let current = versions.last().filter(|version| !version.marker);
            return current.map(|version| (sized(version), true)).into_iter().collect();
        }
        let newest_first = versions.iter().rev().enumerate();
        let from = match skip {
            None => 0,
            Some(id) => {
                let at = versions.iter().rev().position(|version| version.id() == id);
                at.map_or(0, |at| at + 1)
            }
        };
        newest_first.skip(from).map(|(place, version)| (sized(version), place == 0)).collect()
    }
}

/// `max-keys`, at most a page.
fn limit(turn: &Turn<'_>) -> Result<usize, ApiError> {
    let name = "max-keys";
    let Some(text) = turn.s3.parameter(name) else { return Ok(PAGE) };
    let number = text.parse::<usize>().ok().filter(|number| *number <= i32::MAX as usize);
    let number = number.ok_or_else(|| {
        invalid_argument("Provided max-keys not an integer or within integer range", name, text)
    })?;
    Ok(number.min(PAGE))
}

/// `ListObjectsV2`: `start-after`, which a continuation token replaces.
pub(super) fn objects(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let wanted = Wanted::of(turn, false)?;
    let start = match turn.s3.parameter("continuation-token") {
        None => Start::at(turn.s3.parameter("start-after").map(behind).or(Some(String::new()))),
        Some(token) => continued(token)?,
    };
    let (items, more) = wanted.page(found, start);
    let mut xml = Xml::default();
    xml.element_in("ListBucketResult", NAMESPACE, |xml| {
        head(turn, &wanted, xml);
        let after = turn.s3.parameter("start-after");
        xml.optional("StartAfter", after.map(|text| wanted.written(text)));
        xml.optional("ContinuationToken", turn.s3.parameter("continuation-token"));
        xml.leaf("KeyCount", items.len());
        xml.leaf("IsTruncated", more);
        if let (true, Some(last)) = (more, items.last()) {
            xml.leaf("NextContinuationToken", token(last));
        }
        items.iter().for_each(|item| line(turn, &wanted, item, xml));
    });
    Ok(document(xml))
}

fn token(last: &Item) -> String {
    match last {
        Item::Key(key, ..) => format!("k{}", hex(key.as_bytes())),
        Item::Prefix(prefix) => format!("p{}", hex(prefix.as_bytes())),
    }
}

fn continued(token: &str) -> Result<Start, ApiError> {
    let read = || {
        let (kind, digits) = token.split_at_checked(1)?;
        let text = String::from_utf8(unhex(digits)?).ok()?;
        match kind {
            "k" => Some(Start::at(Some(behind(&text)))),
            "p" => Some(Start::at(behind_all(&text))),
            _ => None,
        }
    };
    let message = "The continuation token provided is incorrect";
    read().ok_or_else(|| invalid_argument(message, "continuation-token", token))
}

/// Where the page behind a marker begins: behind a common prefix when it is one.
fn marked(wanted: &Wanted<'_>, marker: &str) -> Start {
    let is_prefix = !wanted.delimiter.is_empty() && marker.ends_with(wanted.delimiter);
    if is_prefix { Start::at(behind_all(marker)) } else { Start::at(Some(behind(marker))) }
}

/// `ListObjects`, the older one.
pub(super) fn objects_v1(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let wanted = Wanted::of(turn, false)?;
    let marker = turn.s3.parameter("marker");
    let start = marker.map_or_else(Start::default, |marker| marked(&wanted, marker));
    let (items, more) = wanted.page(found, start);
    let mut xml = Xml::default();
    xml.element_in("ListBucketResult", NAMESPACE, |xml| {
        head(turn, &wanted, xml);
        xml.leaf("Marker", wanted.written(marker.unwrap_or_default()));
        xml.leaf("IsTruncated", more);
        // Without a delimiter the last key is the next marker, and is not said.
        if let (true, false, Some(last)) = (more, wanted.delimiter.is_empty(), items.last()) {
            let (Item::Key(text, ..) | Item::Prefix(text)) = last;
            xml.leaf("NextMarker", wanted.written(text));
        }
        items.iter().for_each(|item| line(turn, &wanted, item, xml));
    });
    Ok(document(xml))
}

/// `ListObjectVersions`.
pub(super) fn versions(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let wanted = Wanted::of(turn, true)?;
    let (key, id) = (turn.s3.parameter("key-marker"), turn.s3.parameter("version-id-marker"));
    let start = match (key, id) {
        (None, None) => Start::default(),
        (None, Some(id)) => {
            let message = "A version-id marker cannot be specified without a key marker.";
            return Err(invalid_argument(message, "version-id-marker", id));
        }
        (Some(key), None) => marked(&wanted, key),
        (Some(key), Some(id)) => {
            Start { from: key.to_owned(), behind: Some((key.to_owned(), id.to_owned())) }
        }
    };
    let (items, more) = wanted.page(found, start);
    let mut xml = Xml::default();
    xml.element_in("ListVersionsResult", NAMESPACE, |xml| {
        head(turn, &wanted, xml);
        xml.leaf("KeyMarker", wanted.written(key.unwrap_or_default()));
        xml.leaf("VersionIdMarker", id.unwrap_or_default());
        xml.leaf("IsTruncated", more);
        match items.last().filter(|_| more) {
            Some(Item::Key(key, version, _)) => {
                xml.leaf("NextKeyMarker", wanted.written(key));
                xml.leaf("NextVersionIdMarker", version.id());
            }
            Some(Item::Prefix(prefix)) => xml.leaf("NextKeyMarker", wanted.written(prefix)),
            None => {}
        }
        items.iter().for_each(|item| line(turn, &wanted, item, xml));
    });
    Ok(document(xml))
}

fn head(turn: &Turn<'_>, wanted: &Wanted<'_>, xml: &mut Xml) {
    xml.leaf("Name", &turn.s3.bucket);
    xml.leaf("Prefix", wanted.written(wanted.prefix));
    xml.leaf("MaxKeys", wanted.limit);
    let delimiter = turn.s3.parameter("delimiter");
    xml.optional("Delimiter", delimiter.map(|text| wanted.written(text)));
    xml.optional("EncodingType", turn.s3.parameter("encoding-type"));
}

fn line(turn: &Turn<'_>, wanted: &Wanted<'_>, item: &Item, xml: &mut Xml) {
    let (key, version, newest) = match item {
        Item::Prefix(prefix) => {
            xml.element("CommonPrefixes", |xml| xml.leaf("Prefix", wanted.written(prefix)));
            return;
        }
        Item::Key(key, version, newest) => (key, version, newest),
    };
    let name = match (wanted.versions, version.marker) {
        (false, _) => "Contents",
        (true, false) => "Version",
        (true, true) => "DeleteMarker",
    };
    xml.element(name, |xml| {
        xml.leaf("Key", wanted.written(key));
        if wanted.versions {
            xml.leaf("VersionId", version.id());
            xml.leaf("IsLatest", newest);
        }
        xml.leaf("LastModified", instant(version.modified));
        if wanted.versions {
            xml.element("Owner", |xml| xml.leaf("ID", &turn.world.account));
        }
        if version.marker {
            return;
        }
        xml.leaf("ETag", &version.etag);
        if let Some(checksum) = &version.extra.checksum {
            xml.leaf("ChecksumAlgorithm", &checksum.algorithm);
        }
        xml.leaf("Size", version.size());
        xml.leaf("StorageClass", version.class());
    });
}

/// With percent signs for all but unreserved characters and slashes; a space is a plus sign, as in forms.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/*".contains(&byte) {
            escaped.push(char::from(byte));
        } else if byte == b' ' {
            escaped.push('+');
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
