//! Conditions of reads and writes.
//!
//! **Invariant:** a condition is judged in the same step as what it protects, against the object as it is at
//! that instant.

use crate::sim::answer::ApiError;
use crate::sim::s3::refusals::{no_such_key, not_implemented, precondition_failed};
use crate::sim::s3::state::Version;
use crate::sim::s3::wire::Request;
use chrono::{DateTime, Utc};

/// Judges `If-None-Match` and `If-Match` of a write; `current` is no delete marker.
pub(super) fn of_write(request: &Request, current: Option<&Version>) -> Result<(), ApiError> {
    match request.header("if-none-match") {
        Some("*") if current.is_some() => return Err(precondition_failed("If-None-Match")),
        Some("*") | None => {}
        Some(_) => return Err(not_implemented("If-None-Match")),
    }
    of_change(request, current)
}

/// Judges `If-Match` of a write or a deletion.
pub(super) fn of_change(request: &Request, current: Option<&Version>) -> Result<(), ApiError> {
    let Some(wanted) = request.header("if-match") else { return Ok(()) };
    match current {
        None => Err(no_such_key(&request.key)),
        Some(current) if is_one_of(wanted, &current.etag) => Ok(()),
        Some(_) => Err(precondition_failed("If-Match")),
    }
}

/// What a reader's conditions make of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// It is sent.
    Sent,
    /// The reader has it already.
    Known,
    /// The named condition does not hold.
    Refused(&'static str),
}

/// Judges the conditions of a read, or, with the prefix `x-amz-copy-source-`, of the source of a copy.
/// A tag that matches makes the time beside it count for nothing.
pub(super) fn of_read(request: &Request, prefix: &str, version: &Version) -> Read {
    let header = |name: &str| request.header(&format!("{prefix}{name}"));
    let time = |name: &str| header(name).and_then(instant);
    // Times on the wire are whole seconds.
    let modified = version.modified.timestamp();
    match header("if-match") {
        Some(wanted) if !is_one_of(wanted, &version.etag) => return Read::Refused("If-Match"),
        Some(_) => {}
        None => {
            if time("if-unmodified-since").is_some_and(|at| modified > at.timestamp()) {
                return Read::Refused("If-Unmodified-Since");
            }
        }
    }
    let known = match header("if-none-match") {
        Some(known) => is_one_of(known, &version.etag),
        None => time("if-modified-since").is_some_and(|at| modified <= at.timestamp()),
    };
    if known { Read::Known } else { Read::Sent }
}

/// `Thu, 15 Jan 2026 09:00:00 GMT`; what is no such time is no condition.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc())
}

/// Whether a header such as `"a", "b"` or `*` names this tag; quotes may be missing.
fn is_one_of(header: &str, tag: &str) -> bool {
    let bare = |text: &str| text.trim().trim_matches('"').to_owned();
    header.trim() == "*" || header.split(',').any(|one| bare(one) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[test]
    fn tags_go_before_times() {
        let version =
            Version { etag: "\"a\"".to_owned(), ..Version::new(Vec::new(), simulated_epoch()) };
        let (before, after) = ("Thu, 15 Jan 2026 08:59:59 GMT", "Thu, 15 Jan 2026 09:00:01 GMT");
        for (headers, wanted) in [
            (vec![], Read::Sent),
            (vec![("if-match", "\"a\"")], Read::Sent),
            (vec![("if-match", "b")], Read::Refused("If-Match")),
            (vec![("if-match", "a"), ("if-unmodified-since", before)], Read::Sent),
            (vec![("if-unmodified-since", before)], Read::Refused("If-Unmodified-Since")),
            (vec![("if-unmodified-since", after)], Read::Sent),
            (vec![("if-none-match", "a, b")], Read::Known),
            (vec![("if-none-match", "b"), ("if-modified-since", after)], Read::Sent),
            (vec![("if-modified-since", after)], Read::Known),
            (vec![("if-modified-since", before)], Read::Sent),
            (vec![("if-modified-since", "soon")], Read::Sent),
        ] {
            let headers = headers.into_iter();
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let request = Request { headers: headers.collect(), ..Request::default() };
            assert_eq!(of_read(&request, "", &version), wanted, "{:?}", request.headers);
        }
    }
}
