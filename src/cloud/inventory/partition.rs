//! Two unsorted inventories brought together without holding either: rows of one key meet in one of many
//! files, and one file after the other is compared in memory.
//!
//! **Invariant:** each key is in exactly one partition, the same for both sides; the files are nobody
//! else's and are gone with the process.

use super::InventoryError;
use super::row::Row;
use std::fs::File;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::io::{self, BufReader, BufWriter, Seek as _};

/// Bytes of compressed rows that one partition is for: some 100,000 rows.
const SHARE: u64 = 3 * 1024 * 1024;
/// Partitions, at least and at most: each is an open file a side.
const FEW: u64 = 8;
const MANY: u64 = 400;

/// How many partitions so many bytes of inventory need.
pub(super) fn partitions(bytes: u64) -> usize {
    usize::try_from((bytes / SHARE).clamp(FEW, MANY)).unwrap_or(1)
}

/// One side, while it is written.
#[derive(Debug)]
pub(super) struct Partitions {
    files: Vec<BufWriter<File>>,
    pub(super) rows: u64,
}

impl Partitions {
    pub(super) fn new(count: usize) -> io::Result<Self> {
        let file = |_| Ok(BufWriter::with_capacity(32 * 1024, tempfile::tempfile()?));
        let files = (0..count).map(file).collect::<io::Result<_>>()?;
        Ok(Self { files, rows: 0 })
    }

    pub(super) fn push(&mut self, row: &Row) -> Result<(), InventoryError> {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(&row.key);
        let count = self.files.len() as u64;
        let at = usize::try_from(hash % count).unwrap_or_default();
        self.rows += 1;
        row.write(&mut self.files[at]).map_err(InventoryError::Temporary)
    }

    /// The files, from their beginnings.
    pub(super) fn read(self) -> io::Result<Vec<File>> {
        let back = |file: BufWriter<File>| {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok(file)
        };
        self.files.into_iter().map(back).collect()
    }
}

/// The rows of a partition in the order of their keys. Of rows with one key the newest counts: an
/// inventory is not written in one instant, and may tell of an object twice.
pub(super) fn sorted(file: File) -> io::Result<Vec<Row>> {
    let mut from = BufReader::with_capacity(256 * 1024, file);
    let mut rows = Vec::new();
    while let Some(row) = Row::read(&mut from)? {
        rows.push(row);
    }
    rows.sort_unstable_by(|one, other| {
        one.key.cmp(&other.key).then(other.modified_ms.cmp(&one.modified_ms))
    });
    rows.dedup_by(|later, first| later.key == first.key);
    Ok(rows)
}
