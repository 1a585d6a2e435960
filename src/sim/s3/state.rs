//! What S3 keeps: buckets, and the versions of their objects.
//!
//! **Invariant:** an object is a list of versions, oldest first; in a bucket without versioning there is
//! one at most.

use crate::base::digest::hex;
use crate::sim::decode::unhex;
use chrono::{DateTime, Utc};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A bucket. Its name is its key in the world: names are global.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Bucket {
    pub(in crate::sim) region: String,
    pub(in crate::sim) created: DateTime<Utc>,
    /// Versions by key, oldest first, never an empty list.
    #[serde(default)]
    pub(in crate::sim) objects: BTreeMap<String, Vec<Version>>,
}

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Version {
    pub(in crate::sim) modified: DateTime<Utc>,
    /// Quoted, as on the wire.
    pub(in crate::sim) etag: String,
    pub(in crate::sim) content_type: String,
    /// User metadata, under names without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::sim) metadata: BTreeMap<String, String>,
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    pub(in crate::sim) body: Vec<u8>,
}

impl Bucket {
    /// The version that a read without a version id gets.
    pub(in crate::sim) fn current(&self, key: &str) -> Option<&Version> {
        self.objects.get(key).and_then(|versions| versions.last())
    }
}

/// The ETag of an object that was put in one piece.
pub(in crate::sim) fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::digest(body)))
}

/// Text stays readable in the world's file; other bytes become hex digits.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Text(String),
    Hex(String),
}

fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.to_owned()),
        Err(_) => Written::Hex(hex(bytes)),
    };
    written.serialize(serializer)
}

fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(text.into_bytes()),
        Written::Hex(text) => {
            unhex(&text).ok_or_else(|| serde::de::Error::custom("no pairs of hex digits"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[test]
    fn tags_are_those_of_md5() {
        assert_eq!(etag(b"hello"), "\"5d41402abc4b2a76b9719d911017c592\"");
        assert_eq!(etag(b""), "\"d41d8cd98f00b204e9800998ecf8427e\"");
    }

    #[test]
    fn any_bytes_survive_the_file() {
        for body in [b"text".to_vec(), vec![0xff, 0x00, 0x80], Vec::new()] {
            let version = Version {
                modified: simulated_epoch(),
                etag: etag(&body),
                content_type: "binary/octet-stream".to_owned(),
                metadata: BTreeMap::new(),
                body,
            };
            let text = serde_json::to_string(&version).unwrap();
            assert_eq!(serde_json::from_str::<Version>(&text).unwrap(), version, "{text}");
        }
        assert_eq!((unhex("0g"), unhex("abc")), (None, None));
    }
}
