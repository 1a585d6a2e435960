//! The headers that tell about a version.
//!
//! **Invariant:** a header stands there only when there is something to tell: absent is not "none".

use crate::sim::s3::checksums::header_of;
use crate::sim::s3::incoming::METADATA;
use crate::sim::s3::state::{Bucket, STANDARD, Version};
use crate::sim::simulator::http_date;
use chrono::{DateTime, SecondsFormat, Utc};

/// What the answer to a read tells.
pub(super) fn of_version(
    bucket: &Bucket,
    version: &Version,
    now: DateTime<Utc>,
) -> Vec<(String, String)> {
    let mut headers = vec![
        ("accept-ranges".to_owned(), "bytes".to_owned()),
        ("content-type".to_owned(), version.content_type.clone()),
        ("etag".to_owned(), version.etag.clone()),
        ("last-modified".to_owned(), http_date(version.modified)),
    ];
    let extra = &version.extra;
    let mut add = |name: &str, value: Option<String>| {
        headers.extend(value.map(|value| (name.to_owned(), value)));
    };
    for (name, value) in encryption(version) {
        add(name, Some(value));
    }
    let id = version.id().to_owned();
    add("x-amz-version-id", bucket.is_versioned().then_some(id));
    let class = version.class();
    add("x-amz-storage-class", (class != STANDARD).then(|| class.to_owned()));
    add("x-amz-replication-status", version.replication().map(str::to_owned));
    let count = version.tags.len();
    add("x-amz-tagging-count", (count > 0).then(|| count.to_string()));
    if let Some(lock) = &extra.lock {
        let until = lock.until.to_rfc3339_opts(SecondsFormat::Millis, true);
        add("x-amz-object-lock-mode", Some(lock.mode.clone()));
        add("x-amz-object-lock-retain-until-date", Some(until));
    }
    add("x-amz-object-lock-legal-hold", extra.hold.then(|| "ON".to_owned()));
    add(
        "x-amz-restore",
        extra.restored.as_ref().map(|restored| {
            if now < restored.ready {
                return "ongoing-request=\"true\"".to_owned();
            }
            let until = http_date(restored.until);
            format!("ongoing-request=\"false\", expiry-date=\"{until}\"")
        }),
    );
    if let Some(checksum) = &extra.checksum {
        add(&header_of(&checksum.algorithm), Some(checksum.value.clone()));
        let kind = if checksum.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" };
        add("x-amz-checksum-type", Some(kind.to_owned()));
    }
    for (name, value) in &extra.headers {
        add(name, Some(value.clone()));
    }
    for (name, value) in &version.metadata {
        add(&format!("{METADATA}{name}"), Some(value.clone()));
    }
    headers
}

/// How it is encrypted.
pub(super) fn encryption(version: &Version) -> Vec<(&'static str, String)> {
    let name = "x-amz-server-side-encryption";
    match &version.extra.kms_key {
        None => vec![(name, "AES256".to_owned())],
        Some(key) => vec![
            (name, "aws:kms".to_owned()),
            ("x-amz-server-side-encryption-aws-kms-key-id", key.clone()),
        ],
    }
}

/// What the answer to a write tells besides the version's id.
pub(super) fn of_write(version: &Version) -> Vec<(&'static str, String)> {
    let mut headers = vec![("etag", version.etag.clone())];
    headers.extend(encryption(version));
    if let Some(checksum) = &version.extra.checksum {
        let known = crate::sim::s3::checksums::ALL.iter();
        let name =
            known.map(|(_, header)| *header).find(|it| *it == header_of(&checksum.algorithm));
        headers.extend(name.map(|name| (name, checksum.value.clone())));
    }
    headers
}
