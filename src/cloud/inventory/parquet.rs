//! Rows of an inventory in Parquet, column beside column.
//!
//! **Invariant:** as for CSV: a row without key or size is an error that names its place. A batch of rows
//! is in memory and no more.

use super::InventoryError;
use super::manifest::plain_column;
use super::row::{Row, Status};
use crate::cloud::listing::Tag;
use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;
use std::fs::File;

/// Rows of a batch.
const BATCH: usize = 8_192;

/// Gives each current object of a file.
///
/// # Errors
/// The file is no Parquet or has no keys and sizes, or a row cannot be read; or `give` failed.
pub(super) fn rows(
    place: &str,
    file: File,
    give: &mut dyn FnMut(Row) -> Result<(), InventoryError>,
) -> Result<u64, InventoryError> {
    let bad = |why: String| InventoryError::File { place: place.to_owned(), why };
    let reader = SerializedFileReader::new(file).map_err(|error| bad(error.to_string()))?;
    let mut count = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|error| bad(error.to_string()))?;
        let rows = u64::try_from(group.metadata().num_rows()).unwrap_or_default();
        let schema = group.metadata().schema_descr();
        let open = |name: &str| {
            let is = |column: &ColumnDescriptor| plain_column(column.name()) == name;
            let Some(at) = schema.columns().iter().position(|column| is(column)) else {
                return Ok(None);
            };
            Ok(Some((group.get_column_reader(at)?, schema.column(at))))
        };
        let mut columns = Columns::open(&open).map_err(|error| bad(error.to_string()))?;
        let mut left = rows;
        while left > 0 {
            let wanted = BATCH.min(usize::try_from(left).unwrap_or(BATCH));
            columns.read(wanted).map_err(|error| bad(error.to_string()))?;
            for at in 0..wanted {
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
            left -= wanted as u64;
        }
    }
    Ok(count)
}

type Opened = Result<Option<(ColumnReader, std::sync::Arc<ColumnDescriptor>)>, ParquetError>;

/// The columns that are used, with a batch of each.
struct Columns {
    key: Column<ByteArrayType>,
    size: Column<Int64Type>,
    modified: Option<Column<Int64Type>>,
    /// How many of the column's units are a millisecond, times 1,000,000.
    nanos: i64,
    etag: Option<Column<ByteArrayType>>,
    status: Option<Column<ByteArrayType>>,
    encryption: Option<Column<ByteArrayType>>,
    class: Option<Column<ByteArrayType>>,
    latest: Option<Column<BoolType>>,
    marker: Option<Column<BoolType>>,
}

fn needed<T>(column: Option<T>, name: &str) -> Result<T, ParquetError> {
    column.ok_or_else(|| ParquetError::General(format!("it has no column `{name}`")))
}

fn wrong<T>(name: &str) -> Result<T, ParquetError> {
    Err(ParquetError::General(format!("its column `{name}` has another type")))
}

fn text(opened: Opened, name: &str) -> Result<Option<Column<ByteArrayType>>, ParquetError> {
    match opened? {
        None => Ok(None),
        Some((ColumnReader::ByteArrayColumnReader(reader), of)) => {
            Ok(Some(Column::new(reader, &of)))
        }
        Some(_) => wrong(name),
    }
}

fn flag(opened: Opened, name: &str) -> Result<Option<Column<BoolType>>, ParquetError> {
    match opened? {
        None => Ok(None),
        Some((ColumnReader::BoolColumnReader(reader), of)) => Ok(Some(Column::new(reader, &of))),
        Some(_) => wrong(name),
    }
}

fn number(opened: Opened, name: &str) -> Result<Option<(Column<Int64Type>, i64)>, ParquetError> {
    match opened? {
        None => Ok(None),
        Some((ColumnReader::Int64ColumnReader(reader), of)) => {
            let unit = match of.logical_type_ref() {
                Some(LogicalType::Timestamp(time)) => Some(&time.unit),
                _ => None,
            };
            let nanos = match (unit, of.converted_type()) {
                (Some(TimeUnit::NANOS), _) => 1,
                (Some(TimeUnit::MICROS), _) | (None, ConvertedType::TIMESTAMP_MICROS) => 1_000,
                _ => 1_000_000,
            };
            Ok(Some((Column::new(reader, &of), nanos)))
        }
        Some(_) => wrong(name),
    }
}

impl Columns {
    fn open(open: &dyn Fn(&str) -> Opened) -> Result<Self, ParquetError> {
        let modified = number(open("lastmodifieddate"), "last_modified_date")?;
        Ok(Self {
            key: needed(text(open("key"), "key")?, "key")?,
            size: needed(number(open("size"), "size")?, "size")?.0,
            nanos: modified.as_ref().map_or(1_000_000, |(_, nanos)| *nanos),
            modified: modified.map(|(column, _)| column),
            etag: text(open("etag"), "e_tag")?,
            status: text(open("replicationstatus"), "replication_status")?,
            encryption: text(open("encryptionstatus"), "encryption_status")?,
            class: text(open("storageclass"), "storage_class")?,
            latest: flag(open("islatest"), "is_latest")?,
            marker: flag(open("isdeletemarker"), "is_delete_marker")?,
        })
    }

    fn read(&mut self, rows: usize) -> Result<(), ParquetError> {
        self.key.read(rows)?;
        self.size.read(rows)?;
        if let Some(modified) = &mut self.modified {
            modified.read(rows)?;
        }
        let texts = [&mut self.etag, &mut self.status, &mut self.encryption, &mut self.class];
        for column in texts.into_iter().flatten() {
            column.read(rows)?;
        }
        for column in [&mut self.latest, &mut self.marker].into_iter().flatten() {
            column.read(rows)?;
        }
        Ok(())
    }

    /// The object of a row; `None` for a delete marker or a version that is not current.
    fn row(&self, at: usize) -> Result<Option<Row>, String> {
        let flag = |column: &Option<Column<BoolType>>| {
            column.as_ref().map(|column| column.get(at).copied().unwrap_or_default())
        };
        if flag(&self.latest) == Some(false) || flag(&self.marker) == Some(true) {
            return Ok(None);
        }
        let text = |column: &Option<Column<ByteArrayType>>| {
            let found = column.as_ref().and_then(|column| column.get(at));
            found.map(ByteArray::data).unwrap_or_default().to_vec()
        };
        let key = self.key.get(at).map(ByteArray::data).unwrap_or_default();
        let key = std::str::from_utf8(key).map_err(|_| "its key is no UTF-8".to_owned())?;
        let size = self.size.get(at).and_then(|size| u64::try_from(*size).ok());
        let (false, Some(size)) = (key.is_empty(), size) else {
            return Err("it has no key or no size".to_owned());
        };
        let modified = self.modified.as_ref().and_then(|column| column.get(at)).copied();
        let encryption = text(&self.encryption);
        Ok(Some(Row {
            key: key.to_owned(),
            size,
            modified_ms: modified.unwrap_or_default() / (1_000_000 / self.nanos),
            tag: Tag::read(&text(&self.etag)),
            status: Status::read(&text(&self.status)),
            opaque: encryption.ends_with(b"KMS") || encryption == b"SSE-C",
            archived: matches!(text(&self.class).as_slice(), b"GLACIER" | b"DEEP_ARCHIVE"),
        }))
    }
}

/// A column and a batch of it.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// The level at which a value is there.
    there: i16,
    values: Vec<T::T>,
    levels: Vec<i16>,
    /// Where the value of each row is, if it has one.
    places: Vec<Option<usize>>,
}

impl<T: DataType> Column<T> {
    fn new(reader: ColumnReaderImpl<T>, of: &ColumnDescriptor) -> Self {
        let there = of.max_def_level();
        Self { reader, there, values: Vec::new(), levels: Vec::new(), places: Vec::new() }
    }

    fn read(&mut self, rows: usize) -> Result<(), ParquetError> {
        self.values.clear();
        self.levels.clear();
        self.places.clear();
        while self.places.len() < rows {
            let (values, levels) = (self.values.len(), self.levels.len());
            let wanted = rows - self.places.len();
            let (records, ..) =
                self.reader.read_records(wanted, Some(&mut self.levels), None, &mut self.values)?;
            if records == 0 {
                return Err(ParquetError::General("a column ends early".to_owned()));
            }
            let mut next = values;
            let mut place = |there: bool| {
                let at = there.then_some(next);
                next += usize::from(there);
                at
            };
            if self.there == 0 {
                self.places.extend((0..records).map(|_| place(true)));
            } else {
                let there = self.there;
                self.places
                    .extend(self.levels[levels..].iter().map(|level| place(*level == there)));
            }
        }
        Ok(())
    }

    fn get(&self, at: usize) -> Option<&T::T> {
        self.values.get((*self.places.get(at)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::basic::Compression;
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
    use ::parquet::schema::parser::parse_message_type;
    use std::io::Seek as _;
    use std::sync::Arc;

    const SCHEMA: &str = "message inventory { required binary bucket (STRING); \
        required binary key (STRING); optional boolean is_latest; optional boolean is_delete_marker; \
        optional int64 size; optional int64 last_modified_date (TIMESTAMP(MICROS,true)); \
        optional binary e_tag (STRING); optional binary replication_status (STRING); }";

    fn texts(column: &mut SerializedColumnWriter<'_>, texts: [Option<&str>; 3], optional: bool) {
        let values: Vec<ByteArray> = texts.iter().flatten().map(|text| (*text).into()).collect();
        let levels: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
        let levels = optional.then_some(levels.as_slice());
        column.typed::<ByteArrayType>().write_batch(&values, levels, None).expect("written");
    }

    /// An object, an older version of it, and a delete marker without a size.
    fn file(size_of_the_first: Option<i64>) -> File {
        let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut file = tempfile::tempfile().expect("room");
        let out = file.try_clone().expect("the same file");
        let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties)).expect("new");
        let mut group = writer.next_row_group().expect("new");
        for name in 0.. {
            let Some(mut column) = group.next_column().expect("in order") else { break };
            let etag = Some("9b2cf535f27731c974343645a3985328");
            let numbers = |first: Option<i64>| {
                let levels = [i16::from(first.is_some()), 1, 0];
                (first.into_iter().chain([4]).collect::<Vec<i64>>(), levels)
            };
            match name {
                0 => texts(&mut column, [Some("b"); 3], false),
                1 => texts(&mut column, [Some("a b+c%\n"), Some("a b+c%\n"), Some("gone")], false),
                2 | 3 => {
                    let flags = if name == 2 { [true, false, true] } else { [false, false, true] };
                    let column = column.typed::<BoolType>();
                    column.write_batch(&flags, Some(&[1; 3]), None).expect("written");
                }
                4 | 5 => {
                    let first =
                        if name == 4 { size_of_the_first } else { Some(1_772_359_200_123_456) };
                    let (values, levels) = numbers(first);
                    let column = column.typed::<Int64Type>();
                    column.write_batch(&values, Some(&levels), None).expect("written");
                }
                6 => texts(&mut column, [etag, etag, None], true),
                _ => texts(&mut column, [Some("FAILED"), None, None], true),
            }
            column.close().expect("whole");
        }
        group.close().expect("whole");
        writer.close().expect("whole");
        file.rewind().expect("a file");
        file
    }

    fn read(file: File) -> Result<Vec<Row>, InventoryError> {
        let mut found = Vec::new();
        rows("f.parquet", file, &mut |row| {
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
        assert_eq!((row.modified_ms, row.status), (1_772_359_200_123, Status::Failed));
        assert_eq!(row.tag, Tag::read(b"9b2cf535f27731c974343645a3985328"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = read(file(None)).expect_err("no size").to_string();
        assert!(error.contains("f.parquet") && error.contains("row 1: it has no key"), "{error}");
        let error = read(tempfile::tempfile().expect("room")).expect_err("empty").to_string();
        assert!(error.contains("f.parquet"), "{error}");
    }
}
