//! Objects: put, get, head, with their conditions.
//!
//! **Invariant:** a condition is judged and the object written in one step: of two writers with the same
//! condition one wins.

use crate::sim::answer::{ApiError, Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, bucket_mut};
use crate::sim::s3::headers_only;
use crate::sim::s3::refusals::{no_such_key, not_implemented, precondition_failed};
use crate::sim::s3::state::{Version, etag};
use crate::sim::s3::wire::Request;
use crate::sim::simulator::http_date;

/// The prefix of user metadata among headers.
const METADATA: &str = "x-amz-meta-";

pub(super) fn put(turn: &mut Turn<'_>) -> Outcome {
    let current = bucket(turn)?.current(&turn.s3.key);
    check_put(&turn.s3, current)?;
    let version = version(turn);
    let (key, tag, size) = (turn.s3.key.clone(), version.etag.clone(), version.body.len());
    bucket_mut(turn)?.objects.insert(key.clone(), vec![version]);
    let target = format!("{}/{key}", turn.s3.bucket);
    turn.changed(&target, format!("{size} bytes were put"));
    Ok(headers_only(200, vec![("etag", tag)]))
}

fn version(turn: &mut Turn<'_>) -> Version {
    let body = std::mem::take(&mut turn.s3.body);
    let headers = &turn.s3.headers;
    let metadata = headers.iter().filter_map(|(name, value)| {
        name.strip_prefix(METADATA).map(|name| (name.to_owned(), value.clone()))
    });
    let kind = turn.s3.header("content-type").unwrap_or("binary/octet-stream");
    Version {
        modified: turn.now,
        etag: etag(&body),
        content_type: kind.to_owned(),
        metadata: metadata.collect(),
        body,
    }
}

/// Judges `If-None-Match` and `If-Match` of a write.
fn check_put(request: &Request, current: Option<&Version>) -> Result<(), ApiError> {
    match request.header("if-none-match") {
        Some("*") if current.is_some() => return Err(precondition_failed("If-None-Match")),
        Some("*") | None => {}
        Some(_) => return Err(not_implemented("If-None-Match")),
    }
    check_match(request, current)
}

/// Judges `If-Match` of a write or a deletion.
pub(super) fn check_match(request: &Request, current: Option<&Version>) -> Result<(), ApiError> {
    let Some(wanted) = request.header("if-match") else { return Ok(()) };
    match current {
        None => Err(no_such_key(&request.key)),
        Some(current) if is_one_of(wanted, &current.etag) => Ok(()),
        Some(_) => Err(precondition_failed("If-Match")),
    }
}

/// Whether a header such as `"a", "b"` or `*` names this tag; quotes may be missing.
fn is_one_of(header: &str, tag: &str) -> bool {
    let bare = |text: &str| text.trim().trim_matches('"').to_owned();
    header.trim() == "*" || header.split(',').any(|one| bare(one) == bare(tag))
}

pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    if turn.s3.header("range").is_some() {
        return Err(not_implemented("Range"));
    }
    let version = found(turn)?;
    if is_known(&turn.s3, version) {
        return Ok(headers_only(304, vec![("etag", version.etag.clone())]));
    }
    let (headers, body) = (headers(version), version.body.clone());
    Ok(Body::Rest(RestAnswer { status: 200, headers, body }))
}

pub(super) fn head(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    if is_known(&turn.s3, version) {
        return Ok(headers_only(304, vec![("etag", version.etag.clone())]));
    }
    let mut headers = headers(version);
    headers.push(("content-length".to_owned(), version.body.len().to_string()));
    Ok(Body::Rest(RestAnswer { status: 200, headers, body: Vec::new() }))
}

/// The object, if the reader's `If-Match` holds.
fn found<'a>(turn: &'a Turn<'_>) -> Result<&'a Version, ApiError> {
    let request = &turn.s3;
    let version = bucket(turn)?.current(&request.key).ok_or_else(|| no_such_key(&request.key))?;
    match request.header("if-match") {
        Some(wanted) if !is_one_of(wanted, &version.etag) => Err(precondition_failed("If-Match")),
        Some(_) | None => Ok(version),
    }
}

/// Whether the reader has it already.
fn is_known(request: &Request, version: &Version) -> bool {
    request.header("if-none-match").is_some_and(|known| is_one_of(known, &version.etag))
}

fn headers(version: &Version) -> Vec<(String, String)> {
    let modified = http_date(version.modified);
    let own = [
        ("accept-ranges", "bytes"),
        ("content-type", &version.content_type),
        ("etag", &version.etag),
        ("last-modified", &modified),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let metadata = version.metadata.iter();
    let metadata = metadata.map(|(name, value)| (format!("{METADATA}{name}"), value.clone()));
    own.chain(metadata).collect()
}
