//! Inventories made by arithmetic: files of rows and their manifests, two sides with planted differences.
//!
//! **Invariant:** the same number of rows is the same inventory, in another order on each side.

use drctl::cloud::inventory::{InventoryOptions, LocalFiles, compare_inventories, open_local};
use flate2::{Compression, write::GzEncoder};
use md5::{Digest as _, Md5};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// Rows of a file, as S3 writes them.
const ROWS: u64 = 1_000_000;
/// One difference in so many keys.
const EVERY: u64 = 10_000;

const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, ReplicationStatus";

/// Writes two inventories, `a` and `b`, with manifests.
pub(crate) fn write(directory: &Path, rows: u64, form: &str) {
    let (word, end) = match form {
        "csv" => ("CSV", "csv.gz"),
        "parquet" => ("Parquet", "parquet"),
        other => panic!("there is no form {other}"),
    };
    for side in ["a", "b"] {
        let data = directory.join(side).join("data");
        fs::create_dir_all(&data).expect("a directory");
        let mut files = Vec::new();
        for first in (0..rows).step_by(ROWS as usize) {
            let bytes = file(form, &some(side, first, rows.min(first + ROWS), rows));
            let name = format!("{first:012}.{end}");
            fs::write(data.join(&name), &bytes).expect("room");
            let digest: String =
                Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            files.push(serde_json::json!({
                "key": format!("data/{name}"), "size": bytes.len(), "MD5checksum": digest,
            }));
        }
        let manifest = serde_json::json!({
            "sourceBucket": side, "destinationBucket": "arn:aws:s3:::inventories",
            "version": "2016-11-30", "creationTimestamp": "1772500000000", "fileFormat": word,
            "fileSchema": SCHEMA, "files": files,
        });
        let path = directory.join(side).join("manifest.json");
        fs::write(path, manifest.to_string()).expect("room");
    }
}

/// Rows from `first` to `last`, in an order of their own on each side: 7,919 is prime.
fn some(side: &str, first: u64, last: u64, rows: u64) -> Vec<(String, u64, String)> {
    let row = |place: u64| {
        let number = if side == "a" { place } else { place * 7_919 % rows };
        let planted = (side == "b" && number % EVERY == EVERY / 2).then_some(number / EVERY % 2);
        if planted == Some(0) {
            return None;
        }
        let size = 1_000 + number % 9_000 + u64::from(planted == Some(1));
        let tag = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(planted == Some(1));
        Some((format!("prefix/object-{number:010}.dat"), size, format!("{tag:032x}")))
    };
    (first..last).filter_map(row).collect()
}

fn file(form: &str, rows: &[(String, u64, String)]) -> Vec<u8> {
    #[cfg(feature = "parquet")]
    if form == "parquet" {
        return super::columns::file(rows);
    }
    assert_eq!(form, "csv", "build with the feature of the form");
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    for (key, size, tag) in rows {
        let key = key.replace('/', "%2F");
        writeln!(
            out,
            "\"data\",\"{key}\",\"{size}\",\"2026-03-01T10:00:00.000Z\",\"{tag}\",\"STANDARD\",\"\""
        )
        .expect("room");
    }
    out.finish().expect("room")
}

/// Compares both sides of a directory.
pub(crate) fn compare(directory: &Path) -> u64 {
    let open = |side: &str| {
        let path = directory.join(side).join("manifest.json");
        open_local(path.to_str().expect("a path")).expect("a manifest")
    };
    let options = InventoryOptions {
        prefix: String::new(),
        since: None,
        pending_after: Duration::from_secs(900),
    };
    let compared = compare_inventories(&open("a"), &open("b"), &LocalFiles, &options);
    let compared = compared.expect("compared");
    assert_eq!(compared.totals.differing(), compared.totals.source.div_ceil(EVERY));
    compared.totals.source
}
