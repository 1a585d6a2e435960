//! `drctl s3 compare --inventory`: manifests of this machine, whole and damaged.
//!
//! **Invariant:** an inventory that cannot be read whole is never compared.

use crate::env::{Output, TestEnv};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::fs;
use std::io::Write as _;

const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, ReplicationStatus";

fn gzipped(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).expect("room");
    out.finish().expect("room")
}

/// An inventory as S3 lays it out, of rows without the bucket.
fn write(env: &TestEnv, side: &str, rows: &str, change: impl Fn(&mut serde_json::Value)) {
    let text: String = rows.lines().map(|row| format!("\"b\",{row}\n")).collect();
    let data = env.project().join(side).join("b/daily/data");
    fs::create_dir_all(&data).expect("directories");
    fs::write(data.join("x.csv.gz"), gzipped(&text)).expect("room");
    let mut manifest = json!({
        "sourceBucket": side, "destinationBucket": "arn:aws:s3:::i", "version": "2016-11-30",
        "creationTimestamp": "1772500000000", "fileFormat": "CSV", "fileSchema": SCHEMA,
        "files": [{ "key": "b/daily/data/x.csv.gz", "size": 100 }],
    });
    change(&mut manifest);
    env.write(&format!("{side}/b/daily/2026-03-03T00-00Z/manifest.json"), &manifest.to_string());
}

fn compare(env: &TestEnv, more: &[&str]) -> Output {
    let path = |side: &str| format!("{side}/b/daily/2026-03-03T00-00Z/manifest.json");
    let (one, other) = (path("one"), path("two"));
    env.run(&[&["s3", "compare", "--inventory", &one, &other], more].concat())
}

const ROWS: &str = "\"a+b%2B\",\"5\",\"2026-03-01T10:00:00.000Z\",\"9b2cf535f27731c974343645a3985328\",\"COMPLETED\"\n\
                    \"c\",\"6\",\"2026-03-01T11:00:00.000Z\",\"9b2cf535f27731c974343645a3985329\",\"PENDING\"\n\
                    \"d\",\"7\",\"2026-03-05T11:00:00.000Z\",\"9b2cf535f27731c974343645a398532a\",\"\"\n";

#[test]
fn inventories_are_compared_as_of_their_instant() {
    let env = TestEnv::new();
    write(&env, "one", ROWS, |_| ());
    write(&env, "two", ROWS, |_| ());
    compare(&env, &[]).expect(0).shows(&["as of 2026-03-03T01:06:40Z", "3 by size and ETag"]);
    write(&env, "two", ROWS.lines().next().expect("a row"), |_| ());
    let output = compare(&env, &["--format", "combined"]).expect(10);
    assert_eq!(output.stdout, "+ c\n", "{}", output.stderr);
    output.says(&["pending_old", "1 written after the older inventory was", "1d14h"]);
    compare(&env, &["--prefix", "a"]).expect(0);
}

#[test]
fn damaged_inventories_are_refused() {
    let env = TestEnv::new();
    write(&env, "one", ROWS, |_| ());
    type Change = fn(&mut serde_json::Value);
    let changes: [(Change, &str); 6] = [
        (|it| it["files"][0]["MD5checksum"] = json!("00"), "its MD5 is"),
        (|it| it["files"][0]["key"] = json!("b/daily/data/y.csv.gz"), "which is not beside it"),
        (|it| it["fileSchema"] = json!("Bucket, Key, Size"), "it has 6 columns, not 3"),
        (|it| it["fileSchema"] = json!("Bucket, Size"), "no column `key`"),
        (|it| it["fileFormat"] = json!("XML"), "is no manifest"),
        (|it| it["files"] = json!(5), "is no manifest"),
    ];
    for (change, said) in changes {
        write(&env, "two", ROWS, change);
        compare(&env, &[]).expect(2).says(&[said]);
    }
    write(&env, "two", "\"c\",\"x\",\"2026-03-01T11:00:00.000Z\",\"\",\"\"", |_| ());
    compare(&env, &[]).expect(2).says(&["row 1: its size `x` is no number"]);
    write(&env, "two", ROWS, |_| ());
    let data = env.project().join("two/b/daily/data/x.csv.gz");
    let whole = fs::read(&data).expect("it is there");
    for damaged in [&whole[..whole.len() - 9], b"no gzip at all", b""] {
        fs::write(&data, damaged).expect("room");
        let output = compare(&env, &[]);
        if damaged.is_empty() {
            // An empty file is no gzip either: a list that is short is no list.
            output.expect(2);
        } else {
            output.expect(2).says(&["x.csv.gz"]);
        }
    }
    env.write("two/b/daily/2026-03-03T00-00Z/manifest.checksum", "0123\n");
    compare(&env, &[]).expect(2).says(&["manifest.checksum says 0123"]);
    env.run(&["s3", "compare", "--inventory", "nowhere.json", "nowhere.json"])
        .expect(2)
        .says(&["nowhere.json"]);
}
