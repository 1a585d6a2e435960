//! Tags of objects.
//!
//! **Invariant:** changing tags changes no content and makes no version.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::change::change;
use crate::sim::s3::documents::{all, of_request};
use crate::sim::s3::objects::found;
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::{NAMESPACE, document, headers_only};
use crate::sim::xml::{Element, Xml};
use std::collections::BTreeMap;

/// Most tags of an object.
const MOST: usize = 10;

/// Refuses tags that S3 would not take.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > MOST {
        let message = "Object tags cannot be greater than 10";
        return Err(ApiError::sender("BadRequest", message));
    }
    for (key, value) in tags {
        let (name, text) = (key.chars().count(), value.chars().count());
        if name == 0 || name > 128 || key.starts_with("aws:") {
            let message = "The TagKey you have provided is invalid";
            return Err(ApiError::sender("InvalidTag", message).with_detail("TagKey", key));
        }
        if text > 256 {
            let message = "The TagValue you have provided is invalid";
            return Err(ApiError::sender("InvalidTag", message).with_detail("TagKey", key));
        }
    }
    Ok(())
}

/// The tags of a `TagSet`.
pub(super) fn read(root: &Element) -> Result<BTreeMap<String, String>, ApiError> {
    let set = root.child("TagSet").ok_or_else(malformed_xml)?;
    let mut tags = BTreeMap::new();
    for tag in all(set, "Tag") {
        let key = tag.text_of("Key").ok_or_else(malformed_xml)?;
        let value = tag.text_of("Value").unwrap_or_default();
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message = "Cannot provide multiple Tags with the same key";
            return Err(ApiError::sender("InvalidTag", message).with_detail("TagKey", key));
        }
    }
    Ok(tags)
}

pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    let mut xml = Xml::default();
    xml.element_in("Tagging", NAMESPACE, |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in &version.tags {
                xml.element("Tag", |xml| {
                    xml.leaf("Key", key);
                    xml.leaf("Value", value);
                });
            }
        });
    });
    let mut body = document(xml);
    if let crate::sim::answer::Body::Rest(answer) = &mut body
        && bucket(turn)?.is_versioned()
    {
        answer.headers.push(("x-amz-version-id".to_owned(), version.id().to_owned()));
    }
    Ok(body)
}

pub(super) fn put(turn: &mut Turn<'_>) -> Outcome {
    let tags = read(&of_request(&turn.s3, "Tagging")?)?;
    check(&tags)?;
    set(turn, tags, 200)
}

pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    set(turn, BTreeMap::new(), 204)
}

fn set(turn: &mut Turn<'_>, tags: BTreeMap<String, String>, status: u16) -> Outcome {
    let count = tags.len();
    let id = change(turn, &format!("it has {count} tags"), |version| {
        version.tags = tags;
        Ok(())
    })?;
    Ok(headers_only(status, id.map(|id| ("x-amz-version-id", id)).into_iter().collect()))
}
