//! Simple Storage Service: buckets of a region and their objects, whole and at once.
//!
//! **Invariant:** what was put is there for the very next read or list, as S3 promises; a conditional
//! write either finds its condition true and writes, or changes nothing.

mod buckets;
mod delete;
mod list;
mod objects;
mod refusals;
mod state;
mod wire;

pub(in crate::sim) use buckets::begin;
pub(in crate::sim) use refusals::{internal, slow_down, unknown};
pub(in crate::sim) use state::{Bucket, Version, etag};
pub(in crate::sim) use wire::{Request, operation, unescaped};

use crate::sim::answer::{Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;

/// The XML namespace of all its answers but errors.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 5] =
    ["CreateBucket", "DeleteBucket", "DeleteObject", "DeleteObjects", "PutObject"];

/// What IAM calls the permission for an action.
pub(in crate::sim) fn permission(action: &str) -> &str {
    match action {
        "HeadBucket" | "ListObjectsV2" => "ListBucket",
        "HeadObject" => "GetObject",
        "DeleteObjects" => "DeleteObject",
        "ListBuckets" => "ListAllMyBuckets",
        other => other,
    }
}

/// Answers one S3 call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "ListBuckets" => buckets::list(turn),
        "CreateBucket" => buckets::create(turn),
        "DeleteBucket" => buckets::delete(turn),
        "HeadBucket" => buckets::head(turn),
        "GetBucketLocation" => buckets::location(turn),
        "ListObjectsV2" => list::objects(turn),
        "GetObject" => objects::get(turn),
        "HeadObject" => objects::head(turn),
        "PutObject" => objects::put(turn),
        "DeleteObject" => delete::one(turn),
        "DeleteObjects" => delete::several(turn),
        _ => Err(unknown(&turn.s3)),
    }
}

/// An answer with these headers and nothing else.
fn headers_only(status: u16, headers: Vec<(&'static str, String)>) -> Body {
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Body::Rest(RestAnswer { status, headers, body: Vec::new() })
}

/// An answer that is an XML document.
fn document(xml: crate::sim::xml::Xml) -> Body {
    let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    Body::Rest(RestAnswer { status: 200, headers, body: xml.document().into_bytes() })
}
