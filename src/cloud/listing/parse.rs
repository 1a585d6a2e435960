//! Answers of `ListObjectsV2` and `ListObjectVersions`, and S3's errors, from their bytes.
//!
//! **Invariant:** an answer that is cut off, of another operation, or about keys outside the prefix is no
//! page.

use super::page::{Object, ObjectPage};
use super::tag::Tag;
use super::versions::{Version, VersionPage};
use super::xml::{Scanner, TagKind, Unreadable, text, unreadable, url_decoded};
use aws_smithy_types::error::ErrorMetadata;
use chrono::{DateTime, NaiveDate};
use std::borrow::Cow;

/// What a document says, field by field, in the order in which it stands.
trait Reader {
    /// A field of the list itself.
    fn field(&mut self, name: &[u8], raw: &[u8]) -> Result<(), Unreadable>;
    /// A field of an item.
    fn item_field(&mut self, item: &[u8], name: &[u8], raw: &[u8]) -> Result<(), Unreadable>;
    /// An item ends.
    fn item_ends(&mut self, item: &[u8]) -> Result<(), Unreadable>;
}

/// Reads a document with the root `root`: fields, and items with fields. What is nested deeper (`Owner`)
/// is passed over.
fn read(bytes: &[u8], root: &str, reader: &mut impl Reader) -> Result<(), Unreadable> {
    let mut scanner = Scanner::new(bytes);
    let (mut depth, mut item, mut opened): (usize, &[u8], bool) = (0, b"", false);
    while let Some(tag) = scanner.tag()? {
        match tag.kind {
            TagKind::Open => {
                match depth {
                    0 if opened || tag.name != root.as_bytes() => {
                        return unreadable(format!("it is no {root}"));
                    }
                    1 => item = tag.name,
                    _ => {}
                }
                depth += 1;
                opened = true;
            }
            TagKind::Empty if depth == 0 && !opened && tag.name == root.as_bytes() => {
                opened = true;
            }
            TagKind::Empty => {}
            TagKind::Close => {
                let Some(above) = depth.checked_sub(1) else {
                    return unreadable("a tag closes that was not opened");
                };
                match above {
                    1 if item != tag.name => return unreadable("tags are not nested"),
                    1 => {
                        reader.field(tag.name, tag.before)?;
                        reader.item_ends(tag.name)?;
                    }
                    2 => reader.item_field(item, tag.name, tag.before)?,
                    0 if tag.name != root.as_bytes() => return unreadable("tags are not nested"),
                    _ => {}
                }
                depth = above;
            }
        }
    }
    match (opened, depth) {
        (false, _) => unreadable(format!("it is no {root}")),
        (true, 0) => Ok(()),
        (true, _) => unreadable("it is cut off"),
    }
}

/// The page in an answer of `ListObjectsV2`; keys become relative to `prefix`.
pub fn objects(bytes: &[u8], prefix: &str) -> Result<ObjectPage, Unreadable> {
    let mut reader = Objects {
        prefix: prefix.as_bytes(),
        encoded: is_encoded(bytes),
        page: ObjectPage::roomy(bytes.len() / 256),
        key: Vec::new(),
        has_key: false,
        object: NOTHING,
    };
    read(bytes, "ListBucketResult", &mut reader)?;
    Ok(reader.page)
}

const NOTHING: Object =
    Object { size: u64::MAX, modified_ms: i64::MIN, tag: Tag::NONE, archived: false };

/// Whether keys stand in it as they were asked for. A server that does not know the parameter says nothing.
fn is_encoded(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"<EncodingType>url</EncodingType>").is_some()
}

struct Objects<'a> {
    prefix: &'a [u8],
    encoded: bool,
    page: ObjectPage,
    /// The key of the item that is read, in bytes that are used again for the next.
    key: Vec<u8>,
    has_key: bool,
    object: Object,
}

/// The key as it is.
fn key(raw: &[u8], encoded: bool) -> Result<Cow<'_, [u8]>, Unreadable> {
    let found = text(raw)?;
    if encoded { url_decoded(found) } else { Ok(found) }
}

/// A key without the prefix.
fn below<'a>(key: &'a [u8], prefix: &[u8]) -> Result<&'a [u8], Unreadable> {
    match key.strip_prefix(prefix) {
        Some(rest) => Ok(rest),
        None => unreadable("it has a key outside the prefix"),
    }
}

impl Reader for Objects<'_> {
    fn field(&mut self, name: &[u8], raw: &[u8]) -> Result<(), Unreadable> {
        match name {
            b"IsTruncated" => self.page.more = raw == b"true",
            b"NextContinuationToken" => self.page.token = Some(plain(raw)?),
            _ => {}
        }
        Ok(())
    }

    fn item_field(&mut self, item: &[u8], name: &[u8], raw: &[u8]) -> Result<(), Unreadable> {
        if item != b"Contents" {
            return Ok(());
        }
        match name {
            b"Key" => {
                self.key.clear();
                self.key.extend_from_slice(below(&key(raw, self.encoded)?, self.prefix)?);
                self.has_key = true;
            }
            b"Size" => self.object.size = number(raw)?,
            b"LastModified" => self.object.modified_ms = instant(raw)?,
            b"ETag" => {
                let quoted =
                    raw.strip_prefix(b"&quot;").and_then(|raw| raw.strip_suffix(b"&quot;"));
                self.object.tag = Tag::read(&text(quoted.unwrap_or(raw))?);
            }
            b"StorageClass" => self.object.archived = is_archive(raw),
            _ => {}
        }
        Ok(())
    }

    fn item_ends(&mut self, item: &[u8]) -> Result<(), Unreadable> {
        if item != b"Contents" {
            return Ok(());
        }
        let object = std::mem::replace(&mut self.object, NOTHING);
        if !std::mem::take(&mut self.has_key) {
            return unreadable("an object has no key");
        }
        if object.size == u64::MAX || object.modified_ms == i64::MIN {
            return unreadable("an object has no size or no time");
        }
        self.page.push(&self.key, object)
    }
}

/// The page in an answer of `ListObjectVersions`; keys become relative to `prefix`.
pub fn versions(bytes: &[u8], prefix: &str) -> Result<VersionPage, Unreadable> {
    let mut reader = Versions {
        prefix: prefix.as_bytes(),
        encoded: is_encoded(bytes),
        page: VersionPage::default(),
        version: Version::default(),
        whole: 0,
    };
    read(bytes, "ListVersionsResult", &mut reader)?;
    Ok(reader.page)
}

struct Versions<'a> {
    prefix: &'a [u8],
    encoded: bool,
    page: VersionPage,
    version: Version,
    /// Bits of what was told of the version: its key, its id, its time, its size.
    whole: u8,
}

impl Reader for Versions<'_> {
    fn field(&mut self, name: &[u8], raw: &[u8]) -> Result<(), Unreadable> {
        match name {
            b"IsTruncated" => self.page.more = raw == b"true",
            b"NextKeyMarker" => {
                self.page.next.0 = utf8(key(raw, self.encoded)?.into_owned())?;
            }
            b"NextVersionIdMarker" => self.page.next.1 = plain(raw)?,
            _ => {}
        }
        Ok(())
    }

    fn item_field(&mut self, item: &[u8], name: &[u8], raw: &[u8]) -> Result<(), Unreadable> {
        if item != b"Version" && item != b"DeleteMarker" {
            return Ok(());
        }
        let version = &mut self.version;
        match name {
            b"Key" => {
                version.key = utf8(below(&key(raw, self.encoded)?, self.prefix)?.to_vec())?;
                self.whole |= 1;
            }
            b"VersionId" => {
                version.id = plain(raw)?;
                self.whole |= 2;
            }
            b"LastModified" => {
                version.modified_ms = instant(raw)?;
                self.whole |= 4;
            }
            b"Size" => {
                version.size = number(raw)?;
                self.whole |= 8;
            }
            b"IsLatest" => version.is_latest = raw == b"true",
            b"ETag" => version.etag = plain(raw)?.trim_matches('"').to_owned(),
            b"StorageClass" => version.storage_class = plain(raw)?,
            _ => {}
        }
        Ok(())
    }

    fn item_ends(&mut self, item: &[u8]) -> Result<(), Unreadable> {
        let marker = item == b"DeleteMarker";
        if item != b"Version" && !marker {
            return Ok(());
        }
        let wanted = if marker { 7 } else { 15 };
        if std::mem::take(&mut self.whole) & wanted != wanted {
            return unreadable("a version has no key, id, time or size");
        }
        let version = std::mem::take(&mut self.version);
        self.page.push(Version { is_delete_marker: marker, ..version })
    }
}

/// The error that S3 wrote, if it wrote one.
pub(super) fn error(bytes: &[u8]) -> Option<ErrorMetadata> {
    let mut reader = Told::default();
    read(bytes, "Error", &mut reader).ok()?;
    let code = reader.0.filter(|code| !code.is_empty())?;
    Some(ErrorMetadata::builder().code(code).message(reader.1.unwrap_or_default()).build())
}

#[derive(Default)]
struct Told(Option<String>, Option<String>);

impl Reader for Told {
    fn field(&mut self, name: &[u8], raw: &[u8]) -> Result<(), Unreadable> {
        match name {
            b"Code" => self.0 = Some(plain(raw)?),
            b"Message" => self.1 = Some(plain(raw)?),
            _ => {}
        }
        Ok(())
    }

    fn item_field(&mut self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), Unreadable> {
        Ok(())
    }

    fn item_ends(&mut self, _: &[u8]) -> Result<(), Unreadable> {
        Ok(())
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, Unreadable> {
    String::from_utf8(bytes).or_else(|_| unreadable("a key is no UTF-8"))
}

fn plain(raw: &[u8]) -> Result<String, Unreadable> {
    utf8(text(raw)?.into_owned())
}

fn number(raw: &[u8]) -> Result<u64, Unreadable> {
    let digits = !raw.is_empty() && raw.len() < 20 && raw.iter().all(u8::is_ascii_digit);
    if !digits {
        return unreadable("a size is no number");
    }
    Ok(raw.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Classes whose objects have to be restored before they can be read, and are not replicated.
fn is_archive(raw: &[u8]) -> bool {
    matches!(raw, b"GLACIER" | b"DEEP_ARCHIVE")
}

/// Milliseconds since 1970 of `2026-03-01T10:00:00.000Z` or any other form of RFC 3339.
pub(crate) fn instant(raw: &[u8]) -> Result<i64, Unreadable> {
    if let Some(found) = usual_instant(raw) {
        return Ok(found);
    }
    let text = std::str::from_utf8(raw).unwrap_or_default();
    match DateTime::parse_from_rfc3339(text) {
        Ok(found) => Ok(found.timestamp_millis()),
        Err(_) => unreadable("a time is none"),
    }
}

fn usual_instant(raw: &[u8]) -> Option<i64> {
    let fixed = raw.len() >= 20
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
            .iter()
            .all(|(at, byte)| raw[*at] == *byte);
    if !fixed {
        return None;
    }
    let two = |at: usize| {
        let (high, low) = (raw[at], raw[at + 1]);
        let digits = high.is_ascii_digit() && low.is_ascii_digit();
        digits.then(|| u32::from(high - b'0') * 10 + u32::from(low - b'0'))
    };
    let millis = match &raw[19..] {
        b"Z" => 0,
        [b'.', a, b, c, b'Z'] if [a, b, c].iter().all(|digit| digit.is_ascii_digit()) => {
            u32::from(a - b'0') * 100 + u32::from(b - b'0') * 10 + u32::from(c - b'0')
        }
        _ => return None,
    };
    let year = i32::try_from(two(0)? * 100 + two(2)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, two(5)?, two(8)?)?;
    let time = date.and_hms_milli_opt(two(11)?, two(14)?, two(17)?, millis)?;
    Some(time.and_utc().timestamp_millis())
}
