//! Simple Storage Service: buckets, objects and their versions, replication between buckets.
//!
//! **Invariant:** what was put is there for the very next read or list, as S3 promises; a conditional
//! write either finds its condition true and writes, or changes nothing.

mod archive;
mod attributes;
mod begin;
mod buckets;
mod change;
mod checksums;
mod conditions;
mod config;
mod copy;
mod delete;
mod documents;
mod encryption;
mod facts;
mod find;
mod generated;
mod incoming;
mod inventory;
mod judged;
mod lifecycle;
mod limit;
mod list;
mod lock;
mod multipart;
mod objects;
mod operations;
mod outgoing;
mod passing;
mod policy;
mod range;
mod refusals;
mod replicate;
mod rules;
mod scan;
mod state;
mod stored;
mod tags;
mod wire;
mod write;

pub(in crate::sim) use begin::begin;
pub(in crate::sim) use encryption::keys;
pub(in crate::sim) use limit::Rates;
pub(in crate::sim) use operations::permission;
pub(in crate::sim) use passing::advance;
pub(in crate::sim) use refusals::{internal, slow_down, unknown};
pub(in crate::sim) use replicate::{Replications, Task, resume};
pub(in crate::sim) use rules::of_bucket as replication_rules;
pub(in crate::sim) use state::{Bucket, Version};
pub(in crate::sim) use wire::{Request, operation, unescaped};

use crate::sim::answer::{Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;
use crate::sim::xml::Xml;

/// The XML namespace of all its answers but errors.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Whether an action changes something.
pub(in crate::sim) fn mutates(action: &str) -> bool {
    operations::MUTATING.contains(&action) || operations::MOVING.contains(&action)
}

/// Answers one S3 call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    limit::count(turn)?;
    if let Some(answer) = config::inventories(turn) {
        return answer;
    }
    if let Some(answer) = config::answer(turn) {
        return answer;
    }
    match turn.action.as_str() {
        "ListBuckets" => buckets::list(turn),
        "CreateBucket" => buckets::create(turn),
        "DeleteBucket" => buckets::delete(turn),
        "HeadBucket" => buckets::head(turn),
        "GetBucketLocation" => buckets::location(turn),
        "ListObjects" => list::objects_v1(turn),
        "ListObjectsV2" => list::objects(turn),
        "ListObjectVersions" => list::versions(turn),
        "GetObject" => objects::get(turn),
        "HeadObject" => objects::head(turn),
        "GetObjectAttributes" => attributes::get(turn),
        "PutObject" => objects::put(turn),
        "CopyObject" => copy::copy(turn),
        "RestoreObject" => archive::restore(turn),
        "DeleteObject" => delete::one(turn),
        "DeleteObjects" => delete::several(turn),
        "GetObjectTagging" => tags::get(turn),
        "PutObjectTagging" => tags::put(turn),
        "DeleteObjectTagging" => tags::delete(turn),
        "GetObjectRetention" => lock::get_retention(turn),
        "PutObjectRetention" => lock::put_retention(turn),
        "GetObjectLegalHold" => lock::get_hold(turn),
        "PutObjectLegalHold" => lock::put_hold(turn),
        "CreateMultipartUpload" => multipart::create(turn),
        "UploadPart" => multipart::part(turn),
        "UploadPartCopy" => multipart::copied_part(turn),
        "CompleteMultipartUpload" => multipart::complete(turn),
        "AbortMultipartUpload" => multipart::abort(turn),
        "ListParts" => multipart::parts(turn),
        "ListMultipartUploads" => multipart::uploads(turn),
        _ => Err(unknown(&turn.s3)),
    }
}

/// An answer with these headers and nothing else.
fn headers_only(status: u16, headers: Vec<(&'static str, String)>) -> Body {
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Body::Rest(RestAnswer { status, headers, body: Vec::new() })
}

/// An answer that is an XML document.
fn document(xml: Xml) -> Body {
    answered(xml, Vec::new())
}

/// The same with more headers.
fn answered(xml: Xml, headers: Vec<(&'static str, String)>) -> Body {
    let own = ("content-type", "application/xml".to_owned());
    let headers = std::iter::once(own).chain(headers);
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
    Body::Rest(RestAnswer { status: 200, headers, body: xml.document().into_bytes() })
}
