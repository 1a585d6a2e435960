//! What a person writes for a bucket: `s3://bucket/prefix`, `bucket/prefix`, or its key in the estate.
//!
//! **Invariant:** a name that no bucket of S3 can have is refused before anybody is asked.

use std::fmt;
use std::str::FromStr;

/// Longest key of S3, bytes.
const LONGEST_KEY: usize = 1_024;

/// A bucket and what its keys begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct BucketName {
    /// The bucket, or its key in the estate.
    pub bucket: String,
    /// What keys begin with, as it stands; may be empty.
    pub prefix: String,
    /// Whether it was written as an address, and so is no key of an estate.
    pub address: bool,
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl FromStr for BucketName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, address) = match text.split_once("://") {
            Some(("s3", rest)) => (rest, true),
            Some((scheme, _)) => {
                return Err(format!("`{scheme}://` is no bucket: write s3://bucket/prefix"));
            }
            None => (text, false),
        };
        if rest.starts_with("arn:") {
            return Err("an ARN is not read here: write s3://bucket/prefix".to_owned());
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("it names no bucket: write s3://bucket/prefix".to_owned());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if let Some(bad) = bucket.chars().find(|c| !plain(*c)) {
            return Err(format!("no bucket has {bad:?} in its name; a prefix follows after `/`"));
        }
        if bucket.len() > 63 {
            return Err("a bucket's name has at most 63 characters".to_owned());
        }
        if prefix.len() > LONGEST_KEY {
            return Err(format!("a prefix of {} bytes is longer than any key", prefix.len()));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), address })
    }
}

#[cfg(test)]
mod tests {
    use super::BucketName;

    #[test]
    fn addresses_and_names_are_read() {
        for (text, bucket, prefix, address) in [
            ("s3://logs", "logs", "", true),
            ("s3://logs/", "logs", "", true),
            ("s3://logs/a/b", "logs", "a/b", true),
            ("s3://logs//a", "logs", "/a", true),
            ("s3://logs/ä +%", "logs", "ä +%", true),
            ("documents", "documents", "", false),
            ("documents_west/2026/", "documents_west", "2026/", false),
        ] {
            let read: BucketName = text.parse().expect(text);
            let wanted = (bucket.to_owned(), prefix.to_owned(), address);
            assert_eq!((read.bucket, read.prefix, read.address), wanted, "{text}");
        }
        let long = format!("s3://{}", "a".repeat(64));
        for text in ["", "s3://", "s3:///a", "https://logs", "file://a", "s3://a b", "ü", &long] {
            assert!(text.parse::<BucketName>().is_err(), "{text}");
        }
        let arn = "arn:aws:s3:::logs".parse::<BucketName>().expect_err("an ARN");
        assert!(arn.contains("s3://bucket/prefix"), "{arn}");
    }
}
