//! The manifest of an S3 inventory: which files, in which form, with which columns.
//!
//! **Invariant:** a manifest that its checksum does not fit, that lacks what is needed, or that names files
//! outside its own place, is refused before a row is read.

use super::InventoryError;
use md5::{Digest as _, Md5};
use serde::Deserialize;

/// Form of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum FileFormat {
    /// Comma-separated and compressed with gzip.
    #[serde(rename = "CSV")]
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    #[serde(rename = "ORC")]
    Orc,
}

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DataFile {
    /// Its key in the bucket of the inventory.
    pub key: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// MD5 of its bytes.
    #[serde(rename = "MD5checksum")]
    pub md5: Option<String>,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that was listed.
    pub bucket: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// Form of the files.
    pub format: FileFormat,
    /// Columns of CSV in their order, in lower case without blanks and underscores.
    pub columns: Vec<String>,
    /// The files.
    pub files: Vec<DataFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    source_bucket: String,
    #[serde(default)]
    creation_timestamp: String,
    file_format: FileFormat,
    file_schema: String,
    files: Vec<DataFile>,
}

/// A column by one name whatever the form: `ReplicationStatus` and `replication_status` are the same.
pub(super) fn plain_column(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase()
}

impl Manifest {
    /// Reads a manifest; `checksum` is what stands in the `manifest.checksum` beside it.
    ///
    /// # Errors
    /// It is damaged, no manifest, or without keys and sizes.
    pub fn read(place: &str, bytes: &[u8], checksum: Option<&str>) -> Result<Self, InventoryError> {
        let bad = |why: String| InventoryError::Manifest { place: place.to_owned(), why };
        if let Some(wanted) = checksum {
            let found = crate::base::digest::hex(&Md5::digest(bytes));
            if !wanted.trim().eq_ignore_ascii_case(&found) {
                return Err(bad(format!(
                    "its MD5 is {found}, and manifest.checksum says {}",
                    wanted.trim()
                )));
            }
        }
        let stored: Stored =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        let columns: Vec<String> = match stored.file_format {
            FileFormat::Csv => stored.file_schema.split(',').map(plain_column).collect(),
            FileFormat::Parquet | FileFormat::Orc => Vec::new(),
        };
        if stored.file_format == FileFormat::Csv {
            for needed in ["key", "size"] {
                if !columns.iter().any(|column| column == needed) {
                    return Err(bad(format!("its rows have no column `{needed}`")));
                }
            }
        }
        for file in &stored.files {
            let odd = file.key.is_empty() || file.key.split('/').any(|part| part == "..");
            if odd {
                return Err(bad(format!("it names a file `{}`", file.key)));
            }
        }
        Ok(Self {
            bucket: stored.source_bucket,
            created_ms: stored.creation_timestamp.parse().unwrap_or_default(),
            format: stored.file_format,
            columns,
            files: stored.files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"sourceBucket":"data","destinationBucket":"arn:aws:s3:::inv","version":"2016-11-30",
        "creationTimestamp":"1772359200000","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, ETag",
        "files":[{"key":"p/data/x.csv.gz","size":9,"MD5checksum":"00"}]}"#;

    #[test]
    fn a_manifest_is_read_and_a_damaged_one_refused() {
        let read = Manifest::read("m", GOOD.as_bytes(), None).expect("good");
        assert_eq!((read.bucket.as_str(), read.created_ms), ("data", 1_772_359_200_000));
        assert_eq!(read.columns, ["bucket", "key", "size", "etag"]);
        let digest = crate::base::digest::hex(&Md5::digest(GOOD.as_bytes()));
        Manifest::read("m", GOOD.as_bytes(), Some(&format!("{digest}\n"))).expect("it fits");
        for (text, checksum, wanted) in [
            (GOOD.to_owned(), Some("00"), "manifest.checksum says 00"),
            (GOOD.replace("Key, ", ""), None, "no column `key`"),
            (GOOD.replace("Size, ", ""), None, "no column `size`"),
            (GOOD.replace("p/data", "p/../data"), None, "names a file"),
            (GOOD.replace("CSV", "XML"), None, "unknown variant"),
            (GOOD[..100].to_owned(), None, "EOF"),
            ("[]".to_owned(), None, "invalid"),
        ] {
            let error = Manifest::read("m.json", text.as_bytes(), checksum).expect_err(wanted);
            let told = error.to_string();
            assert!(told.contains(wanted) && told.contains("m.json"), "{told}");
        }
    }
}
