//! A server of S3's lists whose keys are made by arithmetic: as many as are asked for, without a load.
//!
//! Two buckets, `a` and `b`, hold the same keys but for planted differences: of every so many keys one is
//! missing in `b`, or has another size there, or has a neighbour that is only there. `b` is younger, so that
//! tools that go by times see no other differences.
//!
//! **Invariant:** keys are in the order of their bytes; an answer depends on the request alone.

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// Most keys of a page.
const PAGE: u64 = 1_000;

/// How keys look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// `object-0000000042.dat`: they have a long beginning in common.
    Numbers,
    /// `00a3f5…`: all over the space of keys.
    Hashes,
}

/// What the server holds.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Keys of a bucket.
    pub(crate) keys: u64,
    /// One difference in so many keys.
    pub(crate) every: u64,
    /// How long an answer takes.
    pub(crate) delay: Duration,
    /// How keys look.
    pub(crate) names: Names,
    /// Requests so far.
    pub(crate) asked: AtomicU64,
}

/// What a place of a bucket holds. There are two places a key: the second is for extra neighbours.
struct Entry {
    key: String,
    size: u64,
    tag: u64,
}

impl Shape {
    /// The key at a place.
    pub(crate) fn key(&self, place: u64) -> String {
        let number = place / 2;
        let end = if place % 2 == 1 { ".extra" } else { "" };
        match self.names {
            Names::Numbers => format!("object-{number:010}.dat{end}"),
            Names::Hashes => {
                let spread = u64::MAX / self.keys.max(1);
                format!("{:016x}{end}", number * spread)
            }
        }
    }

    /// What differs at a key: 0 missing, 1 another size, 2 an extra neighbour.
    fn planted(&self, number: u64) -> Option<u64> {
        (number % self.every == self.every / 2).then(|| number / self.every % 3)
    }

    fn entry(&self, second: bool, place: u64) -> Option<Entry> {
        let number = place / 2;
        if number >= self.keys {
            return None;
        }
        let planted = if second { self.planted(number) } else { None };
        match (place % 2, planted) {
            (0, Some(0)) => return None,
            (1, Some(2)) | (0, _) => {}
            _ => return None,
        }
        let changed = u64::from(place.is_multiple_of(2) && planted == Some(1));
        let tag = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ changed;
        Some(Entry { key: self.key(place), size: 1_000 + number % 9_000 + changed, tag })
    }

    /// The first place whose key is behind `after`.
    fn behind(&self, after: &str) -> u64 {
        let (mut low, mut high) = (0, self.keys * 2);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle).as_str() <= after { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// Serves until the process ends.
#[expect(clippy::disallowed_methods, reason = "its clients are processes, which live in real time")]
pub(crate) async fn serve(shape: Arc<Shape>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let shape = Arc::clone(&shape);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let shape = Arc::clone(&shape);
                async move {
                    shape.asked.fetch_add(1, Ordering::Relaxed);
                    if !shape.delay.is_zero() {
                        tokio::time::sleep(shape.delay).await;
                    }
                    Ok::<_, Infallible>(answer(&shape, &request))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/xml"));
    headers.insert("x-amz-bucket-region", http::HeaderValue::from_static("us-east-1"));
    headers.insert("server", http::HeaderValue::from_static("arithmetic"));
    response
}

fn error(status: u16, code: &str) -> Response<Full<Bytes>> {
    response(status, format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn answer(shape: &Shape, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let second = match bucket {
        "a" => false,
        "b" => true,
        _ => return error(404, "NoSuchBucket"),
    };
    let query = request.uri().query().unwrap_or_default();
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let parameter =
        |name: &str| parameters.iter().find(|(given, _)| given == name).map(|(_, value)| &**value);
    match (request.method(), key.is_empty()) {
        (&Method::HEAD, true) => response(200, String::new()),
        (&Method::GET, true) if parameter("list-type") == Some("2") => {
            response(200, page(shape, second, &parameter))
        }
        (&Method::GET, true) if parameter("location").is_some() => {
            response(200, "<LocationConstraint/>".to_owned())
        }
        (&Method::HEAD, false) => head(shape, second, key),
        _ => error(501, "NotImplemented"),
    }
}

fn head(shape: &Shape, second: bool, key: &str) -> Response<Full<Bytes>> {
    let place = shape.behind(key).checked_sub(1);
    let found = place.and_then(|place| shape.entry(second, place)).filter(|found| found.key == key);
    let Some(found) = found else { return response(404, String::new()) };
    let mut response = response(200, String::new());
    let headers = response.headers_mut();
    let modified =
        if second { "Mon, 02 Mar 2026 10:00:00 GMT" } else { "Sun, 01 Mar 2026 10:00:00 GMT" };
    headers.insert("last-modified", http::HeaderValue::from_static(modified));
    for (name, value) in
        [("etag", format!("\"{:032x}\"", found.tag)), ("content-length", found.size.to_string())]
    {
        headers.insert(name, value.parse().expect("a value"));
    }
    response
}

fn page<'a>(shape: &Shape, second: bool, parameter: &impl Fn(&str) -> Option<&'a str>) -> String {
    let most = parameter("max-keys").and_then(|text| text.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let prefix = parameter("prefix").unwrap_or_default();
    let after = parameter("continuation-token").or_else(|| parameter("start-after"));
    let after = after.unwrap_or_default();
    let mut place =
        if after < prefix { shape.behind(prefix).saturating_sub(1) } else { shape.behind(after) };
    let modified = if second { "2026-03-02T10:00:00.000Z" } else { "2026-03-01T10:00:00.000Z" };
    let mut xml = String::with_capacity(280 * most as usize + 512);
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    let _ = write!(xml, "<Name>{}</Name><Prefix>{prefix}</Prefix>", if second { "b" } else { "a" });
    if parameter("encoding-type").is_some() {
        xml.push_str("<EncodingType>url</EncodingType>");
    }
    let (mut count, mut last, end) = (0, String::new(), shape.keys * 2);
    while place < end && count < most {
        let entry = shape.entry(second, place);
        place += 1;
        let Some(entry) = entry.filter(|entry| entry.key.as_str() > after) else { continue };
        if !entry.key.starts_with(prefix) {
            if entry.key.as_str() > prefix {
                place = end;
                break;
            }
            continue;
        }
        let Entry { key, size, tag } = entry;
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>&quot;{tag:032x}\
             &quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        );
        count += 1;
        last = key;
    }
    let more = (place..end).any(|place| shape.entry(second, place).is_some()) && count == most;
    let _ = write!(
        xml,
        "<KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>"
    );
    if more {
        let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
    }
    xml.push_str("</ListBucketResult>");
    xml
}
