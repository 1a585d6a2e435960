//! The same rows in Parquet.
//!
//! **Invariant:** as S3 writes them: `last_modified_date` in milliseconds, keys as they are, snappy.

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

const SCHEMA: &str = "message s3.inventory {
    required binary bucket (UTF8);
    required binary key (UTF8);
    optional int64 size;
    optional int64 last_modified_date (TIMESTAMP_MILLIS);
    optional binary e_tag (UTF8);
    optional binary replication_status (UTF8);
}";

/// Rows of a group: what the writer holds in memory.
const GROUP: usize = 100_000;

/// A file of rows: key, size, ETag.
pub(crate) fn file(rows: &[(String, u64, String)]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut out = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut out, schema, Arc::new(properties)).expect("a writer");
    for group in rows.chunks(GROUP) {
        let mut columns = writer.next_row_group().expect("a group");
        let text = |value: &dyn Fn(&(String, u64, String)) -> ByteArray| -> Vec<ByteArray> {
            group.iter().map(value).collect()
        };
        let number = |value: &dyn Fn(&(String, u64, String)) -> i64| -> Vec<i64> {
            group.iter().map(value).collect()
        };
        let there = vec![1; group.len()];
        let texts =
            [text(&|_| ByteArray::from("data")), text(&|row| ByteArray::from(row.0.as_str()))];
        for values in texts {
            let mut column = columns.next_column().expect("a column").expect("it is there");
            column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("room");
            column.close().expect("room");
        }
        let numbers =
            [number(&|row| i64::try_from(row.1).expect("small")), number(&|_| 1_772_359_200_000)];
        for values in numbers {
            let mut column = columns.next_column().expect("a column").expect("it is there");
            column.typed::<Int64Type>().write_batch(&values, Some(&there), None).expect("room");
            column.close().expect("room");
        }
        let texts = [(text(&|row| ByteArray::from(row.2.as_str())), 1), (Vec::new(), 0)];
        for (values, level) in texts {
            let mut column = columns.next_column().expect("a column").expect("it is there");
            let levels = vec![level; group.len()];
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&levels), None)
                .expect("room");
            column.close().expect("room");
        }
        columns.close().expect("room");
    }
    writer.close().expect("room");
    out
}
