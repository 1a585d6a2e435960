//! Reads S3's requests: bucket and key in either style, chunked bodies, checksums.
//!
//! **Invariant:** the operation is a function of method, address and query alone; a body whose checksum
//! or length does not fit is refused before anything looks at it.

use crate::base::digest::hex;
use crate::sim::answer::ApiError;
use crate::sim::api::WireRequest;
use crate::sim::s3::checksums;
use crate::sim::s3::operations::name;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Longest key, bytes.
const KEY_LIMIT: usize = 1_024;

/// A request to S3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sim) struct Request {
    pub(in crate::sim) method: String,
    /// Whether the host named the region.
    pub(in crate::sim) by_host: bool,
    pub(in crate::sim) bucket: String,
    pub(in crate::sim) key: String,
    pub(in crate::sim) query: BTreeMap<String, String>,
    /// Under lower-case names.
    pub(in crate::sim) headers: BTreeMap<String, String>,
    /// Without the frame of a chunked upload.
    pub(in crate::sim) body: Vec<u8>,
}

impl Request {
    /// The header, if it was sent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The parameter, if it was sent and is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads a request; with the error, as much as could be read.
pub(in crate::sim) fn operation(wire: &WireRequest) -> (String, Request, Option<ApiError>) {
    let host = wire.host.rsplit_once(':').map_or(wire.host.as_str(), |(name, _)| name);
    let by_host = host.ends_with(".amazonaws.com");
    let in_host = by_host.then(|| bucket_of_host(host)).flatten();
    // A key may begin with slashes of its own.
    let path = wire.path.strip_prefix('/').unwrap_or(&wire.path);
    let (bucket, key) = match in_host {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let query = form_urlencoded::parse(wire.query.as_bytes()).into_owned().collect();
    let mut request = Request {
        method: wire.method.clone(),
        by_host,
        bucket: bucket.to_owned(),
        key: String::new(),
        query,
        headers: wire.headers.clone(),
        body: Vec::new(),
    };
    // What answers a HEAD has no body, whatever it is about.
    let nameless = if wire.method == "HEAD" { "Head" } else { "" };
    match unescaped(key) {
        Some(key) if key.len() <= KEY_LIMIT => request.key = key,
        Some(_) => {
            let error = ApiError::sender("KeyTooLongError", "Your key is too long");
            return (nameless.to_owned(), request, Some(error));
        }
        None => {
            let error = ApiError::sender("InvalidURI", "Couldn't parse the specified URI.");
            return (nameless.to_owned(), request, Some(error));
        }
    }
    let name = name(&request).unwrap_or(nameless).to_owned();
    match body(wire) {
        Ok((body, trailers)) => {
            request.body = body;
            // A checksum at the end says what one at the beginning would have said.
            request.headers.extend(trailers);
        }
        Err(error) => return (name, request, Some(error)),
    }
    (name, request, None)
}

/// `bucket.s3.eu-west-1.amazonaws.com`, `s3.eu-west-1.amazonaws.com`.
fn bucket_of_host(host: &str) -> Option<&str> {
    let (bucket, rest) = host.split_once(".s3.").or_else(|| host.split_once(".s3-"))?;
    (!bucket.is_empty() && rest.ends_with("amazonaws.com")).then_some(bucket)
}

/// Undoes percent-encoding; `None` when that gives no text.
pub(in crate::sim) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The body without its frame, if what was said about it holds.
fn body(wire: &WireRequest) -> Result<(Vec<u8>, BTreeMap<String, String>), ApiError> {
    let header = |name: &str| wire.headers.get(name).map(String::as_str);
    let signed = header("x-amz-content-sha256").unwrap_or_default();
    let framed = signed.starts_with("STREAMING-")
        || header("content-encoding").is_some_and(|value| value.contains("aws-chunked"));
    let (body, trailers) = if framed {
        unframed(&wire.body).ok_or_else(incomplete)?
    } else {
        (wire.body.clone(), BTreeMap::new())
    };
    let length = header("x-amz-decoded-content-length").map(str::parse::<usize>);
    if framed && length.is_some_and(|length| length != Ok(body.len())) {
        return Err(incomplete());
    }
    if signed.len() == 64 && signed != hex(&Sha256::digest(&body)) {
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(ApiError::sender("XAmzContentSHA256Mismatch", message));
    }
    let said = |name: &str| header(name).or_else(|| trailers.get(name).map(String::as_str));
    checksums::check(said, &body)?;
    Ok((body, trailers))
}

fn incomplete() -> ApiError {
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    ApiError::sender("IncompleteBody", message)
}

/// What an aws-chunked upload carries, and its trailers. Signatures of chunks are not checked, as no
/// signature is.
fn unframed(framed: &[u8]) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let mut body = Vec::with_capacity(framed.len());
    let mut rest = framed;
    loop {
        let (head, after) = line(rest)?;
        let length = head.split(';').next()?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        if length == 0 {
            return Some((body, trailers(after)));
        }
        body.extend_from_slice(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut rest: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some((text, after)) = line(rest) {
        if let Some((name, value)) = text.split_once(':') {
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        rest = after;
    }
    found
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(method: &str, host: &str, path: &str, query: &str) -> WireRequest {
        WireRequest {
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn operations_in_either_style() {
        let (aws, plain) = ("b.s3.eu-west-1.amazonaws.com", "127.0.0.1:5600");
        for (method, host, path, query, wanted) in [
            ("GET", plain, "/", "", ("ListBuckets", "", "")),
            ("HEAD", plain, "/b", "", ("HeadBucket", "b", "")),
            ("HEAD", aws, "/", "", ("HeadBucket", "b", "")),
            ("GET", aws, "/", "location", ("GetBucketLocation", "b", "")),
            ("GET", plain, "/b/", "list-type=2&prefix=x", ("ListObjectsV2", "b", "")),
            ("PUT", aws, "/x/y%20z", "x-id=PutObject", ("PutObject", "b", "x/y z")),
            ("PUT", "s3.eu-west-1.amazonaws.com", "/b/k", "", ("PutObject", "b", "k")),
            ("GET", "s3.amazonaws.com", "/b.c/k+1", "x-id=GetObject", ("GetObject", "b.c", "k+1")),
            ("DELETE", plain, "/b/k", "x-id=DeleteObject", ("DeleteObject", "b", "k")),
            ("POST", plain, "/b", "delete", ("DeleteObjects", "b", "")),
            ("GET", plain, "/b/k", "torrent", ("", "b", "k")),
            ("PUT", plain, "/b/k", "partNumber=1&uploadId=2", ("UploadPart", "b", "k")),
            ("GET", plain, "/b", "", ("ListObjects", "b", "")),
            ("GET", plain, "/b//k", "", ("GetObject", "b", "/k")),
        ] {
            let (name, request, error) = operation(&wire(method, host, path, query));
            let found = (name.as_str(), request.bucket.as_str(), request.key.as_str());
            assert_eq!((found, error), (wanted, None), "{method} {host}{path}?{query}");
        }
        let code = |path: &str| operation(&wire("GET", plain, path, "")).2.map(|error| error.code);
        assert_eq!(code("/b/%ff").as_deref(), Some("InvalidURI"));
        assert_eq!(code("/b/%4").as_deref(), Some("InvalidURI"));
        assert_eq!(code(&format!("/b/{}", "k".repeat(1_025))).as_deref(), Some("KeyTooLongError"));
    }

    fn sent(headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<u8>, String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (_, request, error) = operation(&WireRequest {
            headers: headers.collect(),
            body: body.to_vec(),
            ..wire("PUT", "127.0.0.1", "/b/k", "")
        });
        error.map_or(Ok(request.body), |error| Err(error.code))
    }

    #[test]
    fn chunked_bodies_lose_their_frame() {
        let frame =
            b"5;chunk-signature=00\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        let streaming = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        assert_eq!(sent(&[streaming], frame), Err("BadDigest".to_owned()));
        let frame = b"5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc64nvme:vC340IRs7Ps=\r\n\r\n";
        assert_eq!(sent(&[streaming], frame), Ok(b"hello!".to_vec()));
        let length = |length| ("x-amz-decoded-content-length", length);
        assert_eq!(sent(&[streaming, length("6")], frame), Ok(b"hello!".to_vec()));
        for (headers, body) in [
            (vec![streaming, length("7")], frame.as_slice()),
            (vec![streaming], b"5\r\nhell".as_slice()),
            (vec![streaming], b"".as_slice()),
            (vec![("content-encoding", "aws-chunked")], b"zz\r\n".as_slice()),
        ] {
            assert_eq!(sent(&headers, body), Err("IncompleteBody".to_owned()), "{headers:?}");
        }
    }

    #[test]
    fn checksums_are_compared() {
        let body = b"hello";
        for (name, right, wrong) in [
            ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", "BadDigest"),
            ("x-amz-checksum-crc32", "NhCmhg==", "BadDigest"),
            ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "BadDigest"),
            (
                "x-amz-content-sha256",
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                "XAmzContentSHA256Mismatch",
            ),
        ] {
            assert_eq!(sent(&[(name, right)], body), Ok(body.to_vec()), "{name}");
            assert_eq!(sent(&[(name, right)], b"hullo"), Err(wrong.to_owned()), "{name}");
        }
        assert_eq!(sent(&[("content-md5", "no")], body), Err("InvalidDigest".to_owned()));
        let none = ("x-amz-checksum-crc32", "?");
        assert_eq!(sent(&[none], body), Err("InvalidRequest".to_owned()));
    }
}
