//! S3 Inventory: what a bucket held, written by S3 once a day, for buckets too big to list.
//!
//! **Invariant:** streaming: neither side is ever held as a whole; a file that cannot be read whole is an
//! error, never a short list.

mod compare;
mod csv;
mod files;
mod manifest;
#[cfg(feature = "orc")]
mod orc;
#[cfg(feature = "parquet")]
mod parquet;
mod partition;
mod row;

pub use compare::{InventoryCompared, InventoryOptions, compare_inventories};
pub use files::{Fetch, LocalFiles, Opened, open_local};
pub use manifest::{DataFile, FileFormat, Manifest};
pub use row::{Row, Status};

/// Why inventories are not compared.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A manifest is none, or damaged.
    #[error("{place} is no manifest of an inventory: {why}")]
    Manifest {
        /// Where.
        place: String,
        /// Why.
        why: String,
    },
    /// A file of rows is not there.
    #[error(
        "{place} names {file}, which is not beside it: copy it to `data/`, or give the s3:// address"
    )]
    Missing {
        /// The manifest.
        place: String,
        /// The file.
        file: String,
    },
    /// A file cannot be read.
    #[error("{place}: {why}")]
    File {
        /// Where.
        place: String,
        /// Why.
        why: String,
    },
    /// A row cannot be read.
    #[error(
        "{place}, row {row}: {why}; the inventory is damaged, or its columns are not the manifest's"
    )]
    Row {
        /// The file.
        place: String,
        /// Its row, from 1.
        row: u64,
        /// Why.
        why: String,
    },
    /// This program was built without the form.
    #[error(
        "{place} is of form {form}, which this drctl was built without: have S3 write CSV, or build it with the cargo features parquet and orc"
    )]
    Form {
        /// The file.
        place: String,
        /// Its form.
        form: String,
    },
    /// The temporary directory cannot be used.
    #[error("the temporary directory cannot be used: {0}; TMPDIR names another")]
    Temporary(std::io::Error),
}
