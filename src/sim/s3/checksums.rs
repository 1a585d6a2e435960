//! Checksums that clients send along, and those that they want to be told.
//!
//! **Invariant:** a checksum that does not fit refuses the request before anything looks at its body.

use crate::sim::answer::ApiError;
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::state::Checksum;
use crate::sim::s3::wire::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

/// Algorithms, and the headers that carry them.
pub(super) const ALL: [(&str, &str); 5] = [
    ("CRC32", "x-amz-checksum-crc32"),
    ("CRC32C", "x-amz-checksum-crc32c"),
    ("CRC64NVME", "x-amz-checksum-crc64nvme"),
    ("SHA1", "x-amz-checksum-sha1"),
    ("SHA256", "x-amz-checksum-sha256"),
];

/// The header of an algorithm.
pub(super) fn header_of(algorithm: &str) -> String {
    format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase())
}

/// The checksum of some bytes; `None` for an algorithm that nobody knows.
pub(super) fn of(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    // CRCs of 32 bits stand in the lower half.
    let crc32 = |kind| (crc_fast::checksum(kind, bytes) as u32).to_be_bytes().to_vec();
    Some(match algorithm {
        "CRC32" => crc32(CrcAlgorithm::Crc32IsoHdlc),
        "CRC32C" => crc32(CrcAlgorithm::Crc32Iscsi),
        "CRC64NVME" => crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes).to_be_bytes().to_vec(),
        "SHA1" => Sha1::digest(bytes).to_vec(),
        "SHA256" => Sha256::digest(bytes).to_vec(),
        _ => return None,
    })
}

/// Compares what `said` tells of headers and trailers with the body.
pub(super) fn check<'a>(
    said: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
) -> Result<(), ApiError> {
    compare("content-md5", said("content-md5"), || Md5::digest(body).to_vec())?;
    for (algorithm, header) in ALL {
        compare(header, said(header), || of(algorithm, body).unwrap_or_default())?;
    }
    Ok(())
}

fn compare(
    name: &str,
    said: Option<&str>,
    found: impl FnOnce() -> Vec<u8>,
) -> Result<(), ApiError> {
    let Some(said) = said else { return Ok(()) };
    let found = found();
    let Some(decoded) = BASE64.decode(said).ok().filter(|bytes| bytes.len() == found.len()) else {
        let message = format!("Value for {name} header is invalid.");
        return Err(match name {
            "content-md5" => ApiError::sender("InvalidDigest", message),
            _ => ApiError::sender("InvalidRequest", message),
        });
    };
    if decoded == found {
        return Ok(());
    }
    let message = format!("The {name} you specified did not match what we received.");
    Err(ApiError::sender("BadDigest", message))
}

/// The checksum that is kept with an object: the one that was sent, or else the one that was named.
pub(super) fn kept(request: &Request, body: &[u8]) -> Option<Checksum> {
    let sent = ALL.iter().find(|(_, header)| request.header(header).is_some());
    let named = || {
        let wanted = request.header("x-amz-sdk-checksum-algorithm")?;
        ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let (algorithm, _) = sent.or_else(named)?;
    Some(whole(algorithm, body))
}

/// The checksum of a whole object.
pub(super) fn whole(algorithm: &str, body: &[u8]) -> Checksum {
    let value = BASE64.encode(of(algorithm, body).unwrap_or_default());
    Checksum { algorithm: algorithm.to_owned(), value }
}

/// The checksum of checksums of parts.
pub(super) fn composite(algorithm: &str, parts: &[&[u8]]) -> Checksum {
    let digests: Vec<u8> = parts.iter().filter_map(|part| of(algorithm, part)).flatten().collect();
    let whole = whole(algorithm, &digests);
    Checksum { value: format!("{}-{}", whole.value, parts.len()), ..whole }
}

/// The algorithm that `CreateMultipartUpload` or `CopyObject` names.
pub(super) fn named(request: &Request) -> Result<Option<String>, ApiError> {
    let header = "x-amz-checksum-algorithm";
    let Some(named) = request.header(header) else { return Ok(None) };
    let known = ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(named));
    known.map(|(name, _)| Some((*name).to_owned())).ok_or_else(|| {
        invalid_argument("Checksum algorithm provided is unsupported.", header, named)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_standards() {
        // The check values of the catalogue of CRCs, and of FIPS 180.
        for (algorithm, wanted) in [
            ("CRC32", "cbf43926"),
            ("CRC32C", "e3069283"),
            ("CRC64NVME", "ae8b14860a799888"),
            ("SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            ("SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let found = of(algorithm, b"123456789").expect("known");
            assert_eq!(crate::base::digest::hex(&found), wanted, "{algorithm}");
        }
        assert_eq!(of("MD4", b""), None);
    }

    #[test]
    fn checksums_of_parts_end_with_their_number() {
        let both = composite("CRC32", &[b"a", b"b"]);
        assert!(both.value.ends_with("==-2"), "{}", both.value);
        assert_ne!(both, composite("CRC32", &[b"ab"]));
    }
}
