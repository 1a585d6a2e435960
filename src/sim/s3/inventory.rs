//! S3 Inventory: files that list what a bucket had at midnight.
//!
//! **Invariant:** a manifest names files that are there with the size and digest that it says; the digest of the
//! manifest itself is written last.

use crate::base::digest::hex;
use crate::sim::genesis::uuid;
use crate::sim::s3::buckets::instant;
use crate::sim::s3::documents::{all, read, text_at};
use crate::sim::s3::list::escaped;
use crate::sim::s3::scan::Scan;
use crate::sim::s3::state::{Bucket, Version};
use crate::sim::s3::write;
use crate::sim::state::World;
use chrono::{DateTime, Datelike as _, Utc, Weekday};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use serde_json::json;
use std::io::Write as _;

/// Largest bucket that inventories are written of, versions: they are kept in the world's file.
const LARGEST: usize = 100_000;

/// Rows of one file.
const ROWS: usize = 50_000;

/// One inventory, as it is configured.
struct Wanted {
    id: String,
    to: String,
    prefix: String,
    all_versions: bool,
    fields: Vec<String>,
    weekly: bool,
}

/// Writes the inventories that are due at a midnight.
pub(super) fn write_all(world: &mut World, night: DateTime<Utc>) {
    let due: Vec<(String, Wanted)> = world
        .services
        .buckets
        .iter()
        .flat_map(|(name, bucket)| wanted(bucket).into_iter().map(|it| (name.clone(), it)))
        .filter(|(_, wanted)| !wanted.weekly || night.weekday() == Weekday::Sun)
        .collect();
    for (name, wanted) in due {
        deliver(world, &name, &wanted, night);
    }
}

/// The inventories in CSV that are on.
fn wanted(bucket: &Bucket) -> Vec<Wanted> {
    let kept = bucket.config.iter().filter(|(name, _)| name.starts_with("inventory/"));
    kept.filter_map(|(_, kept)| {
        let root = read(kept);
        let place = root.child("Destination")?.child("S3BucketDestination")?;
        let on = text_at(&root, &["IsEnabled"]) == Some("true");
        let csv = place.text_of("Format") == Some("CSV");
        let fields = root.child("OptionalFields");
        let fields = fields.into_iter().flat_map(|fields| all(fields, "Field"));
        let wanted = Wanted {
            id: root.text_of("Id")?.to_owned(),
            to: place.text_of("Bucket")?.strip_prefix("arn:aws:s3:::")?.to_owned(),
            prefix: place.text_of("Prefix").unwrap_or_default().trim_matches('/').to_owned(),
            all_versions: root.text_of("IncludedObjectVersions") == Some("All"),
            fields: fields.map(|field| field.text.trim().to_owned()).collect(),
            weekly: text_at(&root, &["Schedule", "Frequency"]) == Some("Weekly"),
        };
        (on && csv).then_some(wanted)
    })
    .collect()
}

fn deliver(world: &mut World, name: &str, wanted: &Wanted, night: DateTime<Utc>) {
    let Some(bucket) = world.services.buckets.get(name) else { return };
    let Some(rows) = rows(bucket, name, wanted) else { return };
    if !world.services.buckets.contains_key(&wanted.to) {
        return;
    }
    let slash = if wanted.prefix.is_empty() { "" } else { "/" };
    let root = format!("{}{slash}{name}/{}", wanted.prefix, wanted.id);
    let mut files = Vec::new();
    let mut links = String::new();
    for (number, rows) in rows.chunks(ROWS).enumerate() {
        let entity = format!("s3/{name}/inventory/{}/{night}/{number}", wanted.id);
        let key = format!("{root}/data/{}.csv.gz", uuid(world.seed(), &entity));
        let body = compressed(&rows.concat());
        files.push(json!({
            "key": key,
            "size": body.len(),
            "MD5checksum": hex(&Md5::digest(&body)),
        }));
        links.push_str(&format!("s3://{}/{key}\n", wanted.to));
        put(world, &wanted.to, &key, body, night);
    }
    let manifest = json!({
        "sourceBucket": name,
        "destinationBucket": format!("arn:aws:s3:::{}", wanted.to),
        "version": "2016-11-30",
        "creationTimestamp": night.timestamp_millis().to_string(),
        "fileFormat": "CSV",
        "fileSchema": columns(wanted).join(", "),
        "files": files,
    });
    let manifest = manifest.to_string().into_bytes();
    let digest = hex(&Md5::digest(&manifest));
    let place = format!("{root}/{}", night.format("%Y-%m-%dT%H-%MZ"));
    let link = format!("{root}/hive/dt={}/symlink.txt", night.format("%Y-%m-%d-%H-%M"));
    put(world, &wanted.to, &link, links.into_bytes(), night);
    put(world, &wanted.to, &format!("{place}/manifest.json"), manifest, night);
    put(world, &wanted.to, &format!("{place}/manifest.checksum"), digest.into_bytes(), night);
}

fn put(world: &mut World, bucket: &str, key: &str, body: Vec<u8>, at: DateTime<Utc>) {
    write::put(world, (bucket, key), Version::new(body, at));
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes every byte.
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn columns(wanted: &Wanted) -> Vec<String> {
    let versions = ["VersionId", "IsLatest", "IsDeleteMarker"];
    let versions = versions.into_iter().filter(|_| wanted.all_versions);
    let own = ["Bucket", "Key"].into_iter().chain(versions).map(str::to_owned);
    own.chain(wanted.fields.iter().cloned()).collect()
}

/// The lines of an inventory; `None` for a bucket that is too large.
fn rows(bucket: &Bucket, name: &str, wanted: &Wanted) -> Option<Vec<String>> {
    let columns = columns(wanted);
    let mut rows = Vec::new();
    for (key, versions) in Scan::from(bucket, "") {
        for (place, version) in versions.iter().rev().enumerate() {
            let listed = wanted.all_versions || (place == 0 && !version.marker);
            if !listed {
                continue;
            }
            if rows.len() == LARGEST {
                return None;
            }
            let cells = columns.iter().map(|column| {
                let value = cell(column, (name, &key), version, place == 0);
                format!("\"{}\"", value.replace('"', "\"\""))
            });
            rows.push(format!("{}\n", cells.collect::<Vec<_>>().join(",")));
        }
    }
    Some(rows)
}

fn cell(column: &str, (bucket, key): (&str, &str), version: &Version, newest: bool) -> String {
    let own = !version.marker;
    match column {
        "Bucket" => bucket.to_owned(),
        "Key" => escaped(key),
        // A version without an id has none in an inventory either.
        "VersionId" => version.id.clone(),
        "IsLatest" => newest.to_string(),
        "IsDeleteMarker" => version.marker.to_string(),
        "LastModifiedDate" => instant(version.modified),
        "Size" if own => version.size().to_string(),
        "ETag" if own => version.etag.trim_matches('"').to_owned(),
        "StorageClass" if own => version.class().to_owned(),
        "IsMultipartUploaded" if own => version.etag.contains('-').to_string(),
        "ReplicationStatus" => version.replication().unwrap_or_default().to_owned(),
        "EncryptionStatus" if own => match version.extra.kms_key {
            Some(_) => "SSE-KMS".to_owned(),
            None => "SSE-S3".to_owned(),
        },
        "ObjectLockMode" => {
            version.extra.lock.as_ref().map(|lock| lock.mode.clone()).unwrap_or_default()
        }
        "ObjectLockRetainUntilDate" => {
            version.extra.lock.as_ref().map(|lock| instant(lock.until)).unwrap_or_default()
        }
        "ObjectLockLegalHoldStatus" if own => {
            if version.extra.hold {
                "On".to_owned()
            } else {
                "Off".to_owned()
            }
        }
        "ChecksumAlgorithm" => {
            let checksum = version.extra.checksum.as_ref();
            checksum.map(|checksum| checksum.algorithm.clone()).unwrap_or_default()
        }
        _ => String::new(),
    }
}
