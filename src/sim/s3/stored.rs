//! Bodies of objects in the world's file, and their tags.
//!
//! **Invariant:** any bytes survive the file; text in it stays readable.

use crate::base::digest::hex;
use crate::sim::decode::unhex;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

pub(super) fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.to_owned()),
        Err(_) => Written::Hex(hex(bytes)),
    };
    written.serialize(serializer)
}

pub(super) fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
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
    use crate::sim::s3::state::Version;

    #[test]
    fn tags_are_those_of_md5() {
        assert_eq!(etag(b"hello"), "\"5d41402abc4b2a76b9719d911017c592\"");
        assert_eq!(etag(b""), "\"d41d8cd98f00b204e9800998ecf8427e\"");
    }

    #[test]
    fn any_bytes_survive_the_file() {
        for body in [b"text".to_vec(), vec![0xff, 0x00, 0x80], Vec::new()] {
            let version = Version::new(body, simulated_epoch());
            let text = serde_json::to_string(&version).unwrap();
            assert_eq!(serde_json::from_str::<Version>(&text).unwrap(), version, "{text}");
        }
        assert_eq!((unhex("0g"), unhex("abc")), (None, None));
    }

    #[test]
    fn objects_of_before_there_were_versions_are_read() {
        let old = r#"{"modified":"2026-01-15T09:00:00Z","etag":"\"x\"","content_type":"a/b","body":{"text":"y"}}"#;
        let version: Version = serde_json::from_str(old).expect("an old object");
        assert_eq!(
            (version.id(), version.marker, version.size(), version.class()),
            ("null", false, 1, "STANDARD")
        );
        assert_eq!(serde_json::to_string(&version).expect("text"), old);
    }
}
