//! Objects: put, get, head, with their conditions.
//!
//! **Invariant:** a condition is judged and the object written in one step: of two writers with the same
//! condition one wins.

use crate::sim::answer::{ApiError, Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::conditions::{self, Read};
use crate::sim::s3::headers_only;
use crate::sim::s3::incoming;
use crate::sim::s3::outgoing::{self, of_version};
use crate::sim::s3::range::{self, Asked};
use crate::sim::s3::refusals::precondition_failed;
use crate::sim::s3::state::Version;
use crate::sim::s3::{archive, find, write};

pub(super) fn put(turn: &mut Turn<'_>) -> Outcome {
    let current = bucket(turn)?.current(&turn.s3.key);
    conditions::of_write(&turn.s3, current.as_ref())?;
    let body = std::mem::take(&mut turn.s3.body);
    let version = incoming::version(turn, body)?;
    let (key, size) = (turn.s3.key.clone(), version.size());
    let mut headers = outgoing::of_write(&version);
    let name = turn.s3.bucket.clone();
    let id = write::put(turn.world, (&name, &key), version);
    headers.extend(id.map(|id| ("x-amz-version-id", id)));
    turn.changed(&format!("{name}/{key}"), format!("{size} bytes were put"));
    Ok(headers_only(200, headers))
}

pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    if let Some(answer) = conditional(turn, &version)? {
        return Ok(answer);
    }
    archive::readable(&version, turn.now, &turn.s3.key)?;
    let mut headers = of_version(bucket(turn)?, &version, turn.now);
    overridden(turn, &mut headers);
    let (status, from, to) = span(turn, &version, &mut headers)?;
    without_checksums(turn, status, &mut headers);
    headers.push(("content-length".to_owned(), (to - from).to_string()));
    Ok(Body::Rest(RestAnswer { status, headers, body: version.bytes(from, to) }))
}

pub(super) fn head(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    if let Some(answer) = conditional(turn, &version)? {
        return Ok(answer);
    }
    let mut headers = of_version(bucket(turn)?, &version, turn.now);
    overridden(turn, &mut headers);
    let (status, from, to) = span(turn, &version, &mut headers)?;
    without_checksums(turn, status, &mut headers);
    headers.push(("content-length".to_owned(), (to - from).to_string()));
    Ok(Body::Rest(RestAnswer { status, headers, body: Vec::new() }))
}

/// The version that the request is about.
pub(super) fn found(turn: &Turn<'_>) -> Result<Version, ApiError> {
    find::version(bucket(turn)?, &turn.s3.key, turn.s3.parameter("versionId"))
}

/// The answer when conditions keep the version from being sent.
fn conditional(turn: &Turn<'_>, version: &Version) -> Result<Option<Body>, ApiError> {
    match conditions::of_read(&turn.s3, "", version) {
        Read::Sent => Ok(None),
        Read::Known => Ok(Some(headers_only(304, vec![("etag", version.etag.clone())]))),
        Read::Refused(header) => Err(precondition_failed(header)),
    }
}

/// Status and span of what is sent, noted in the headers.
fn span(
    turn: &Turn<'_>,
    version: &Version,
    headers: &mut Vec<(String, String)>,
) -> Result<(u16, u64, u64), ApiError> {
    let size = version.size();
    match range::asked(&turn.s3, version)? {
        Asked::All => Ok((200, 0, size)),
        Asked::Part { from, to } => {
            let last = to.saturating_sub(1);
            let told = format!("bytes {from}-{last}/{size}");
            headers.push(("content-range".to_owned(), told));
            if turn.s3.parameter("partNumber").is_some() && !version.extra.parts.is_empty() {
                let count = version.extra.parts.len().to_string();
                headers.push(("x-amz-mp-parts-count".to_owned(), count));
            }
            Ok((206, from, to))
        }
    }
}

/// Checksums are told to whoever asks for them, and are those of the whole.
fn without_checksums(turn: &Turn<'_>, status: u16, headers: &mut Vec<(String, String)>) {
    if status != 200 || turn.s3.header("x-amz-checksum-mode") != Some("ENABLED") {
        headers.retain(|(name, _)| !name.starts_with("x-amz-checksum-"));
    }
}

/// Headers that the request wants to be others.
fn overridden(turn: &Turn<'_>, headers: &mut Vec<(String, String)>) {
    for name in incoming::KEPT.into_iter().chain(["content-type"]) {
        if let Some(value) = turn.s3.parameter(&format!("response-{name}")) {
            headers.retain(|(other, _)| other != name);
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
}
