//! Rows of an inventory in CSV, compressed with gzip, without a head line.
//!
//! **Invariant:** a row that lacks a column, or whose key, size or time cannot be read, is an error that
//! names its place; nothing is skipped.

use super::InventoryError;
use super::row::{Row, Status};
use crate::cloud::listing::{Tag, decoded_key, read_instant};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::{BufReader, Read};

/// Where the columns stand that are used.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    all: usize,
    key: usize,
    size: usize,
    modified: Option<usize>,
    etag: Option<usize>,
    status: Option<usize>,
    encryption: Option<usize>,
    class: Option<usize>,
    latest: Option<usize>,
    marker: Option<usize>,
}

impl Columns {
    pub(super) fn of(columns: &[String]) -> Option<Self> {
        let at = |name: &str| columns.iter().position(|column| column == name);
        Some(Self {
            all: columns.len(),
            key: at("key")?,
            size: at("size")?,
            modified: at("lastmodifieddate"),
            etag: at("etag"),
            status: at("replicationstatus"),
            encryption: at("encryptionstatus"),
            class: at("storageclass"),
            latest: at("islatest"),
            marker: at("isdeletemarker"),
        })
    }
}

/// Gives each current object of a compressed file.
///
/// # Errors
/// The file is no gzip, or a row cannot be read; or `give` failed.
pub(super) fn rows(
    place: &str,
    file: impl Read,
    columns: &Columns,
    give: &mut dyn FnMut(Row) -> Result<(), InventoryError>,
) -> Result<u64, InventoryError> {
    let plain = BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(BufReader::new(file)));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(256 * 1024)
        .from_reader(plain);
    let mut record = csv::ByteRecord::new();
    let mut count = 0;
    loop {
        let more =
            reader.read_byte_record(&mut record).map_err(|error| bad(place, count, error))?;
        if !more {
            return Ok(count);
        }
        count += 1;
        if let Some(row) = row(&record, columns).map_err(|why| bad(place, count, why))? {
            give(row)?;
        }
    }
}

fn bad(place: &str, row: u64, why: impl ToString) -> InventoryError {
    InventoryError::Row { place: place.to_owned(), row, why: why.to_string() }
}

/// The object of a record; `None` for a delete marker or a version that is not current.
fn row(record: &csv::ByteRecord, columns: &Columns) -> Result<Option<Row>, String> {
    if record.len() != columns.all {
        return Err(format!("it has {} columns, not {}", record.len(), columns.all));
    }
    let field = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
    let is_old = columns.latest.is_some() && field(columns.latest) != b"true";
    if is_old || field(columns.marker) == b"true" {
        return Ok(None);
    }
    let key = decoded_key(Cow::Borrowed(field(Some(columns.key)))).map_err(|why| why.0)?;
    let key = String::from_utf8(key.into_owned()).map_err(|_| "its key is no UTF-8".to_owned())?;
    if key.is_empty() {
        return Err("it has no key".to_owned());
    }
    let size = std::str::from_utf8(field(Some(columns.size))).unwrap_or_default();
    let size = size.parse().map_err(|_| format!("its size `{size}` is no number"))?;
    let modified = field(columns.modified);
    let modified_ms = match modified {
        b"" => 0,
        text => read_instant(text).map_err(|why| why.0)?,
    };
    let encryption = field(columns.encryption);
    Ok(Some(Row {
        key,
        size,
        modified_ms,
        tag: Tag::read(field(columns.etag)),
        status: Status::read(field(columns.status)),
        opaque: encryption.ends_with(b"KMS") || encryption == b"SSE-C",
        archived: matches!(field(columns.class), b"GLACIER" | b"DEEP_ARCHIVE"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(text: &str, schema: &str) -> Result<Vec<Row>, InventoryError> {
        let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        file.write_all(text.as_bytes()).expect("room");
        let file = file.finish().expect("room");
        let columns: Vec<String> =
            schema.split(", ").map(super::super::manifest::plain_column).collect();
        let mut found = Vec::new();
        let columns = Columns::of(&columns).expect("key and size");
        rows("f.csv.gz", file.as_slice(), &columns, &mut |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }

    const SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, ReplicationStatus";

    #[test]
    fn current_objects_are_read() {
        let text = "\"b\",\"a+b%2Bc%0A\",\"v2\",\"true\",\"false\",\"5\",\"2026-03-01T10:00:00.000Z\",\"9b2cf535f27731c974343645a3985328\",\"PENDING\"\n\
                    \"b\",\"a+b%2Bc%0A\",\"v1\",\"false\",\"false\",\"4\",\"2026-03-01T09:00:00.000Z\",\"9b2cf535f27731c974343645a3985328\",\"\"\n\
                    \"b\",\"gone\",\"v1\",\"true\",\"true\",\"\",\"2026-03-01T09:00:00.000Z\",\"\",\"\"\n";
        let found = read(text, SCHEMA).expect("readable");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].key.as_str(), found[0].size), ("a b+c\n", 5));
        assert_eq!(found[0].status, Status::Pending);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        for (text, wanted) in [
            ("b,k\n", "row 1: it has 2 columns, not 3"),
            ("b,k,5\nb,k%zz,5\n", "row 2: a key has a percent sign"),
            ("b,k,x\n", "its size `x` is no number"),
            ("b,,5\n", "it has no key"),
            ("b,%FF,5\n", "no UTF-8"),
        ] {
            let error = read(text, "Bucket, Key, Size").expect_err(wanted).to_string();
            assert!(error.contains(wanted) && error.contains("f.csv.gz"), "{error}");
        }
        let columns = Columns::of(&["key".to_owned(), "size".to_owned()]).expect("both");
        for damaged in [&b"no gzip"[..], &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]] {
            let error = rows("f", damaged, &columns, &mut |_| Ok(()));
            assert!(error.is_err());
        }
    }
}
