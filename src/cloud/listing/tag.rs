//! ETags in seventeen bytes and a number: thousands of pages of them are compared.
//!
//! **Invariant:** two ETags are the same here exactly when they are the same text, up to quotation marks
//! and to a collision of 128 bits of SHA-256 for those of no known form.

use super::xml::nibble;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// An ETag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    bytes: [u8; 16],
    kind: TagForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TagForm {
    /// 32 digits: an MD5 of the content, unless it is encrypted with KMS or a customer's key.
    Digest,
    /// A digest of the digests of so many parts.
    Parts(u32),
    /// Anything else; what is kept is a digest of it.
    Other,
}

impl Tag {
    /// What a server that tells no ETag means.
    pub const NONE: Self = Self { bytes: [0; 16], kind: TagForm::Other };

    /// Reads an ETag with or without quotation marks.
    pub fn read(text: &[u8]) -> Self {
        let plain = text.strip_prefix(b"\"").unwrap_or(text);
        let plain = plain.strip_suffix(b"\"").unwrap_or(plain);
        if plain.is_empty() {
            return Self::NONE;
        }
        let known = match plain.len() {
            32 => digits(plain).map(|bytes| Self { bytes, kind: TagForm::Digest }),
            34.. => parts(plain),
            _ => None,
        };
        known.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&Sha256::digest(plain)[..16]);
            Self { bytes, kind: TagForm::Other }
        })
    }

    /// Whether there is one.
    pub fn is_told(&self) -> bool {
        *self != Self::NONE
    }

    /// In bytes of a file that nobody keeps.
    pub(crate) fn to_bytes(self) -> [u8; 21] {
        let (kind, parts) = match self.kind {
            TagForm::Digest => (0, 0),
            TagForm::Parts(parts) => (1, parts),
            TagForm::Other => (2, 0),
        };
        let mut bytes = [kind; 21];
        bytes[1..17].copy_from_slice(&self.bytes);
        bytes[17..].copy_from_slice(&u32::to_le_bytes(parts));
        bytes
    }

    /// From [`to_bytes`](Self::to_bytes).
    pub(crate) fn from_bytes(from: [u8; 21]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&from[1..17]);
        let parts = u32::from_le_bytes([from[17], from[18], from[19], from[20]]);
        let kind = match from[0] {
            0 => TagForm::Digest,
            1 => TagForm::Parts(parts),
            _ => TagForm::Other,
        };
        Self { bytes, kind }
    }

    /// Whether it may be the MD5 of the content. S3 does not tell: with KMS it has the form and is none.
    pub fn may_be_digest(&self) -> bool {
        self.kind == TagForm::Digest
    }
}

/// Lower-case digits only, so that one text has one value.
fn digits(text: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        if pair.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn parts(text: &[u8]) -> Option<Tag> {
    let (digest, rest) = text.split_at(32);
    let count = std::str::from_utf8(rest.strip_prefix(b"-")?).ok()?;
    if count.starts_with(['0', '+']) {
        return None;
    }
    Some(Tag { bytes: digits(digest)?, kind: TagForm::Parts(count.parse().ok()?) })
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == TagForm::Other {
            write!(f, "sha256:")?;
        }
        for byte in self.bytes {
            write!(f, "{byte:02x}")?;
        }
        match self.kind {
            TagForm::Parts(count) => write!(f, "-{count}"),
            TagForm::Digest | TagForm::Other => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tag;

    #[test]
    fn one_text_is_one_tag() {
        let digest = "9b2cf535f27731c974343645a3985328";
        let texts = [
            digest,
            "9B2CF535F27731C974343645A3985328",
            "9b2cf535f27731c974343645a3985328-1",
            "9b2cf535f27731c974343645a3985328-10",
            "9b2cf535f27731c974343645a3985328-010",
            "9b2cf535f27731c974343645a3985328-",
            "9b2cf535f27731c974343645a398532g",
            "",
            "x",
        ];
        for (at, one) in texts.iter().enumerate() {
            for (other_at, other) in texts.iter().enumerate() {
                let same = Tag::read(one.as_bytes()) == Tag::read(other.as_bytes());
                assert_eq!(same, at == other_at, "{one} {other}");
            }
            let quoted = format!("\"{one}\"");
            assert_eq!(Tag::read(quoted.as_bytes()), Tag::read(one.as_bytes()), "{one}");
        }
        assert_eq!(Tag::read(digest.as_bytes()).to_string(), digest);
        assert_eq!(Tag::read(texts[3].as_bytes()).to_string(), texts[3]);
        assert!(Tag::read(digest.as_bytes()).may_be_digest());
        assert!(!Tag::read(texts[2].as_bytes()).may_be_digest());
    }
}
