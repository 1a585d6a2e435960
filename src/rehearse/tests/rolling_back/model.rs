//! A bucket beside its record: every write is made by hand over the wire and kept in a list, from which the
//! state at any instant follows without a look at versions.
//!
//! **Invariant:** nothing here comes from the code that is tested.

use crate::sim::{Simulator, WireRequest, WireResponse};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const BUCKET: &str = "docs-rolled-back";

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Content {
    pub(super) body: String,
    pub(super) content_type: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// A write: an object, or its deletion.
#[derive(Debug, Clone)]
struct Event {
    at: DateTime<Utc>,
    suspended: bool,
    content: Option<Content>,
}

/// The bucket and its record.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) world: Simulator,
    pub(super) now: DateTime<Utc>,
    suspended: bool,
    events: BTreeMap<String, Vec<Event>>,
}

/// One request to the bucket, as it would come over the network.
pub(super) fn send(
    world: &Simulator,
    (method, key, query): (&str, &str, &str),
    headers: &[(&str, String)],
    body: &str,
    now: DateTime<Utc>,
) -> WireResponse {
    let mut path = String::from("/");
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    let request = WireRequest {
        method: method.to_owned(),
        host: format!("{BUCKET}.s3.us-east-1.amazonaws.com"),
        path,
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: body.as_bytes().to_vec(),
    };
    world.handle(&request, now).response
}

impl Recorded {
    pub(super) fn new(world: Simulator) -> Self {
        let now = world.time() + TimeDelta::seconds(1);
        Self { world, now, suspended: false, events: BTreeMap::new() }
    }

    pub(super) fn wait(&mut self, millis: u32) {
        self.now += TimeDelta::milliseconds(millis.into());
    }

    pub(super) fn suspend(&mut self, suspended: bool) {
        let word = if suspended { "Suspended" } else { "Enabled" };
        let body =
            format!("<VersioningConfiguration><Status>{word}</Status></VersioningConfiguration>");
        let answer = send(&self.world, ("PUT", "", "versioning"), &[], &body, self.now);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        self.suspended = suspended;
    }

    pub(super) fn put(&mut self, key: &str, content: &Content) {
        put(&self.world, key, content, self.now);
        self.event(key, Some(content.clone()));
    }

    pub(super) fn delete(&mut self, key: &str) {
        let answer = send(&self.world, ("DELETE", key, ""), &[], "", self.now);
        assert_eq!(answer.status, 204);
        self.event(key, None);
    }

    fn event(&mut self, key: &str, content: Option<Content>) {
        let event = Event { at: self.now, suspended: self.suspended, content };
        self.events.entry(key.to_owned()).or_default().push(event);
    }

    /// Keys that were ever written.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.events.keys()
    }

    /// What a key was at the end of the second of `to`; and whether a listing can still tell that.
    pub(super) fn at(&self, key: &str, to: DateTime<Utc>) -> (Option<Content>, bool) {
        let events = &self.events[key];
        let second = |event: &&Event| event.at.timestamp() <= to.timestamp();
        let then = events.iter().rev().find(second).and_then(|event| event.content.clone());
        let known = !events.iter().any(|event| event.suspended && !second(&event));
        (then, known)
    }
}

/// Puts an object over the wire.
pub(super) fn put(world: &Simulator, key: &str, content: &Content, now: DateTime<Utc>) {
    let mut headers = vec![("content-type", content.content_type.clone())];
    let named: Vec<(String, String)> = content
        .metadata
        .iter()
        .map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone()))
        .collect();
    headers.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
    if !content.tags.is_empty() {
        let tags: Vec<String> =
            content.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        headers.push(("x-amz-tagging", tags.join("&")));
    }
    let answer = send(world, ("PUT", key, ""), &headers, &content.body, now);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// What a reader gets for a key now.
pub(super) fn read(world: &Simulator, key: &str) -> Option<Content> {
    let now = world.time();
    let answer = send(world, ("GET", key, ""), &[], "", now);
    if answer.status == 404 {
        return None;
    }
    assert_eq!(answer.status, 200, "{key:?}: {}", String::from_utf8_lossy(&answer.body));
    let of = |(name, value): (&String, &String)| {
        Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone()))
    };
    let tagging = send(world, ("GET", key, "tagging"), &[], "", now);
    let tagging = String::from_utf8_lossy(&tagging.body).into_owned();
    Some(Content {
        body: String::from_utf8_lossy(&answer.body).into_owned(),
        content_type: answer.headers.get("content-type").cloned().unwrap_or_default(),
        metadata: answer.headers.iter().filter_map(of).collect(),
        tags: texts(&tagging, "Key").zip(texts(&tagging, "Value")).collect(),
    })
}

/// Every version and delete marker that is there: key and version id.
pub(super) fn entries(world: &Simulator) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut query = "versions&encoding-type=url&max-keys=1000".to_owned();
    loop {
        let answer = send(world, ("GET", "", &query), &[], "", world.time());
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{text}");
        found.extend(texts(&text, "Key").zip(texts(&text, "VersionId")));
        let Some(marker) = texts(&text, "NextKeyMarker").next() else { return found };
        let version = texts(&text, "NextVersionIdMarker").next().unwrap_or_default();
        query = format!(
            "versions&encoding-type=url&max-keys=1000&key-marker={marker}&version-id-marker={version}"
        );
    }
}

/// The texts of all elements of a name, in their order.
fn texts<'a>(document: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts: Vec<&str> = document.split(&open as &str).skip(1).collect();
    parts.into_iter().filter_map(move |part| Some(part.split_once(&close as &str)?.0.to_owned()))
}
