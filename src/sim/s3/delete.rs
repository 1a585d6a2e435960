//! Deleting objects and versions, one or several.
//!
//! **Invariant:** deleting what is not there succeeds, as with S3, unless the caller insisted on a tag; a
//! version goes only when it is named.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::conditions::of_change;
use crate::sim::s3::documents::{all, of_request};
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::wire::Request;
use crate::sim::s3::{NAMESPACE, document, headers_only, lock, write};
use crate::sim::xml::Xml;

/// Most keys of one call.
const KEYS: usize = 1_000;

/// What one deletion left.
struct Deleted {
    /// Of the delete marker that was made or taken away.
    marker: Option<String>,
    /// Of the version that was named.
    id: Option<String>,
}

pub(super) fn one(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let key = turn.s3.key.clone();
    let id = turn.s3.parameter("versionId").map(str::to_owned);
    let done = remove(turn, &key, id.as_deref(), None)?;
    let mut headers = Vec::new();
    if done.marker.is_some() {
        headers.push(("x-amz-delete-marker", "true".to_owned()));
    }
    headers.extend(done.id.or(done.marker).map(|id| ("x-amz-version-id", id)));
    Ok(headers_only(204, headers))
}

pub(super) fn several(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let root = of_request(&turn.s3, "Delete")?;
    let quiet = root.text_of("Quiet").is_some_and(|text| text.trim() == "true");
    let objects: Vec<_> = all(&root, "Object").collect();
    if objects.is_empty() || objects.len() > KEYS {
        return Err(malformed_xml());
    }
    let mut xml = Xml::default();
    let mut lines = Xml::default();
    for object in objects {
        let key = object.text_of("Key").filter(|key| !key.is_empty()).ok_or_else(malformed_xml)?;
        let id = object.text_of("VersionId").map(str::trim).filter(|id| !id.is_empty());
        match remove(turn, key, id, object.text_of("ETag")) {
            Ok(done) if !quiet => lines.element("Deleted", |xml| {
                xml.leaf("Key", key);
                xml.optional("VersionId", done.id);
                if done.marker.is_some() {
                    xml.leaf("DeleteMarker", true);
                }
                xml.optional("DeleteMarkerVersionId", done.marker);
            }),
            Ok(_) => {}
            Err(error) => lines.element("Error", |xml| {
                xml.leaf("Key", key);
                xml.optional("VersionId", id);
                xml.leaf("Code", error.code);
                xml.leaf("Message", error.message);
            }),
        }
    }
    xml.element_in("DeleteResult", NAMESPACE, |xml| xml.append(lines));
    Ok(document(xml))
}

/// Deletes a key or one version of it, if the condition holds.
fn remove(
    turn: &mut Turn<'_>,
    key: &str,
    id: Option<&str>,
    tag: Option<&str>,
) -> Result<Deleted, ApiError> {
    let found = bucket(turn)?;
    let versions = found.versions(key).into_owned();
    let told = found.is_versioned();
    let subject = match id {
        Some(id) => versions.iter().find(|version| version.id() == id),
        None => versions.last().filter(|version| !version.marker),
    };
    match tag {
        Some(tag) => {
            let headers = [("if-match".to_owned(), tag.to_owned())].into();
            of_change(&Request { key: key.to_owned(), headers, ..Request::default() }, subject)?;
        }
        None => of_change(&turn.s3, subject)?,
    }
    let name = turn.s3.bucket.clone();
    let target = format!("{name}/{key}");
    let Some(id) = id else {
        if told || subject.is_some() {
            let marker = write::delete(turn.world, (&name, key));
            let effect = if marker.is_some() { "it has a delete marker" } else { "it was deleted" };
            turn.changed(&target, effect);
            return Ok(Deleted { marker, id: None });
        }
        return Ok(Deleted { marker: None, id: None });
    };
    if let Some(version) = subject {
        lock::deletable(turn, version)?;
    }
    let marker = write::remove(turn.world, (&name, key), id);
    if let Some(was_marker) = marker {
        let what = if was_marker { "delete marker" } else { "version" };
        turn.changed(&target, format!("its {what} {id} was removed"));
    }
    let marker = marker.filter(|was| *was).map(|_| id.to_owned());
    Ok(Deleted { marker, id: Some(id.to_owned()) })
}
