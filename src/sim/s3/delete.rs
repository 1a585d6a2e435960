//! Deleting objects, one or several.
//!
//! **Invariant:** deleting what is not there succeeds, as with S3, unless the caller insisted on a tag.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, bucket_mut};
use crate::sim::s3::objects::check_match;
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::{NAMESPACE, document, headers_only};
use crate::sim::xml::{Xml, texts_of};

/// Most keys of one call.
const KEYS: usize = 1_000;

pub(super) fn one(turn: &mut Turn<'_>) -> Outcome {
    let current = bucket(turn)?.current(&turn.s3.key);
    check_match(&turn.s3, current)?;
    let key = turn.s3.key.clone();
    remove(turn, &key)?;
    Ok(headers_only(204, Vec::new()))
}

pub(super) fn several(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let texts = texts_of(&turn.s3.body).ok_or_else(malformed_xml)?;
    let mut keys = Vec::new();
    let mut quiet = false;
    for (path, text) in texts {
        match path.as_str() {
            "Delete/Object/Key" => keys.push(text),
            "Delete/Quiet" => quiet = text == "true",
            _ => {}
        }
    }
    if keys.is_empty() || keys.len() > KEYS {
        return Err(malformed_xml());
    }
    for key in &keys {
        remove(turn, key)?;
    }
    let mut xml = Xml::default();
    xml.element_in("DeleteResult", NAMESPACE, |xml| {
        for key in keys.iter().filter(|_| !quiet) {
            xml.element("Deleted", |xml| xml.leaf("Key", key));
        }
    });
    Ok(document(xml))
}

fn remove(turn: &mut Turn<'_>, key: &str) -> Result<(), crate::sim::answer::ApiError> {
    if bucket_mut(turn)?.objects.remove(key).is_some() {
        let target = format!("{}/{key}", turn.s3.bucket);
        turn.changed(&target, "it was deleted");
    }
    Ok(())
}
