//! Rows of an inventory in ORC, batch by batch.
//!
//! **Invariant:** as for CSV: a row without key or size is an error that names its place. A batch of rows
//! is in memory and no more.

use super::InventoryError;
use super::manifest::plain_column;
use super::row::{Row, Status};
use crate::cloud::listing::Tag;
use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use orc_rust::arrow_reader::ArrowReaderBuilder;
use std::fs::File;

/// Rows of a batch.
const BATCH: usize = 8_192;

/// Gives each current object of a file.
///
/// # Errors
/// The file is no ORC or has no keys and sizes, or a row cannot be read; or `give` failed.
pub(super) fn rows(
    place: &str,
    file: File,
    give: &mut dyn FnMut(Row) -> Result<(), InventoryError>,
) -> Result<u64, InventoryError> {
    let bad = |why: String| InventoryError::File { place: place.to_owned(), why };
    let builder = ArrowReaderBuilder::try_new(file).map_err(|error| bad(error.to_string()))?;
    let mut count = 0;
    for batch in builder.with_batch_size(BATCH).build() {
        let batch = batch.map_err(|error| bad(error.to_string()))?;
        let columns = Columns::of(&batch).map_err(bad)?;
        for at in 0..batch.num_rows() {
            count += 1;
            let row = columns.row(at).map_err(|why| InventoryError::Row {
                place: place.to_owned(),
                row: count,
                why,
            })?;
            if let Some(row) = row {
                give(row)?;
            }
        }
    }
    Ok(count)
}

/// The columns that are used, of one batch.
struct Columns {
    key: StringArray,
    size: Int64Array,
    modified: Option<TimestampNanosecondArray>,
    etag: Option<StringArray>,
    status: Option<StringArray>,
    encryption: Option<StringArray>,
    class: Option<StringArray>,
    latest: Option<BooleanArray>,
    marker: Option<BooleanArray>,
}

/// A column by its name in the type that is wanted.
fn column<T: Array + Clone + 'static>(
    batch: &RecordBatch,
    name: &str,
    kind: &DataType,
) -> Result<Option<T>, String> {
    let schema = batch.schema();
    let Some(at) = schema.fields().iter().position(|field| plain_column(field.name()) == name)
    else {
        return Ok(None);
    };
    let found: ArrayRef = cast(batch.column(at), kind).map_err(|error| error.to_string())?;
    match found.as_any().downcast_ref::<T>() {
        Some(found) => Ok(Some(found.clone())),
        None => Err(format!("its column `{name}` has another type")),
    }
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let text = |name| column::<StringArray>(batch, name, &DataType::Utf8);
        let flag = |name| column::<BooleanArray>(batch, name, &DataType::Boolean);
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, None);
        let missing = |name: &str| format!("it has no column `{name}`");
        Ok(Self {
            key: text("key")?.ok_or_else(|| missing("key"))?,
            size: column(batch, "size", &DataType::Int64)?.ok_or_else(|| missing("size"))?,
            modified: column(batch, "lastmodifieddate", &instant)?,
            etag: text("etag")?,
            status: text("replicationstatus")?,
            encryption: text("encryptionstatus")?,
            class: text("storageclass")?,
            latest: flag("islatest")?,
            marker: flag("isdeletemarker")?,
        })
    }

    /// The object of a row; `None` for a delete marker or a version that is not current.
    fn row(&self, at: usize) -> Result<Option<Row>, String> {
        let flag = |column: &Option<BooleanArray>| {
            column.as_ref().map(|column| column.is_valid(at) && column.value(at))
        };
        if flag(&self.latest) == Some(false) || flag(&self.marker) == Some(true) {
            return Ok(None);
        }
        let text = |column: &Option<StringArray>| {
            let there = column.as_ref().filter(|column| column.is_valid(at));
            there.map(|column| column.value(at).as_bytes().to_vec()).unwrap_or_default()
        };
        let there = self.key.is_valid(at) && self.size.is_valid(at);
        let key = if there { self.key.value(at) } else { "" };
        let size = if there { u64::try_from(self.size.value(at)).ok() } else { None };
        let (false, Some(size)) = (key.is_empty(), size) else {
            return Err("it has no key or no size".to_owned());
        };
        let modified = self.modified.as_ref().filter(|column| column.is_valid(at));
        let encryption = text(&self.encryption);
        Ok(Some(Row {
            key: key.to_owned(),
            size,
            modified_ms: modified.map_or(0, |column| column.value(at) / 1_000_000),
            tag: Tag::read(&text(&self.etag)),
            status: Status::read(&text(&self.status)),
            opaque: encryption.ends_with(b"KMS") || encryption == b"SSE-C",
            archived: matches!(text(&self.class).as_slice(), b"GLACIER" | b"DEEP_ARCHIVE"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, Schema};
    use orc_rust::ArrowWriterBuilder;
    use std::io::Seek as _;
    use std::sync::Arc;

    /// An object, an older version of it, and a delete marker without a size.
    fn file(size_of_the_first: Option<i64>) -> File {
        let fields = [
            ("key", DataType::Utf8),
            ("size", DataType::Int64),
            ("is_latest", DataType::Boolean),
            ("is_delete_marker", DataType::Boolean),
            ("e_tag", DataType::Utf8),
            ("replication_status", DataType::Utf8),
        ];
        let fields = fields.map(|(name, kind)| Field::new(name, kind, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let etag = Some("9b2cf535f27731c974343645a3985328");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["a b+c%\n", "a b+c%\n", "gone"])),
            Arc::new(Int64Array::from(vec![size_of_the_first, Some(4), None])),
            Arc::new(BooleanArray::from(vec![true, false, true])),
            Arc::new(BooleanArray::from(vec![false, false, true])),
            Arc::new(StringArray::from(vec![etag, etag, None])),
            Arc::new(StringArray::from(vec![Some("FAILED"), None, None])),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("as wide as long");
        let mut file = tempfile::tempfile().expect("room");
        let out = file.try_clone().expect("the same file");
        let mut writer = ArrowWriterBuilder::new(out, schema).try_build().expect("known types");
        writer.write(&batch).expect("written");
        writer.close().expect("whole");
        file.rewind().expect("a file");
        file
    }

    fn read(file: File) -> Result<Vec<Row>, InventoryError> {
        let mut found = Vec::new();
        rows("f.orc", file, &mut |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn current_objects_are_read_whatever_is_left_out() {
        let found = read(file(Some(5))).expect("readable");
        let [row] = &found[..] else { panic!("{found:?}") };
        assert_eq!((row.key.as_str(), row.size), ("a b+c%\n", 5));
        assert_eq!((row.modified_ms, row.status), (0, Status::Failed));
        assert_eq!(row.tag, Tag::read(b"9b2cf535f27731c974343645a3985328"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = read(file(None)).expect_err("no size").to_string();
        assert!(error.contains("f.orc") && error.contains("row 1: it has no key"), "{error}");
        let error = read(tempfile::tempfile().expect("room")).expect_err("empty").to_string();
        assert!(error.contains("f.orc"), "{error}");
    }
}
