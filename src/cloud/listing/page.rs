//! One page of a list of objects, in as few bytes as it needs.
//!
//! **Invariant:** keys come in the order of their UTF-8 bytes, each once; a page that has them otherwise
//! is not read, because everything behind it relies on the order.

use super::tag::Tag;
use super::xml::{NOT_IN_ORDER, Unreadable, unreadable};
use chrono::{DateTime, TimeZone as _, Utc};

/// An object as a list tells it, without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Bytes.
    pub size: u64,
    /// When it was written, milliseconds since 1970.
    pub modified_ms: i64,
    /// Its ETag.
    pub tag: Tag,
    /// Whether its storage class is one whose objects are not replicated and not read at once.
    pub archived: bool,
}

impl Object {
    /// When it was written; S3 tells it to the second.
    pub fn modified(&self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.modified_ms).single().unwrap_or_default()
    }
}

/// Keys and objects of one answer of `ListObjectsV2`; keys are relative to the prefix that was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPage {
    keys: String,
    objects: Vec<(u32, Object)>,
    /// Whether more follow.
    pub more: bool,
    /// Where the server says that the next page begins.
    pub(crate) token: Option<String>,
}

impl ObjectPage {
    /// How many objects it has.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The key at a place below [`len`](Self::len).
    pub fn key(&self, at: usize) -> &str {
        let from = at.checked_sub(1).map_or(0, |before| self.objects[before].0 as usize);
        &self.keys[from..self.objects[at].0 as usize]
    }

    /// The object at a place below [`len`](Self::len).
    pub fn object(&self, at: usize) -> Object {
        self.objects[at].1
    }

    /// The last key.
    pub fn last(&self) -> Option<&str> {
        self.len().checked_sub(1).map(|at| self.key(at))
    }

    /// Takes up an object behind those that are there.
    pub(super) fn push(&mut self, key: &[u8], object: Object) -> Result<(), Unreadable> {
        let Ok(key) = std::str::from_utf8(key) else { return unreadable("a key is no UTF-8") };
        if self.last().is_some_and(|last| last.as_bytes() >= key.as_bytes()) {
            return unreadable(NOT_IN_ORDER);
        }
        self.keys.push_str(key);
        let Ok(end) = u32::try_from(self.keys.len()) else { return unreadable("it is too long") };
        self.objects.push((end, object));
        Ok(())
    }

    /// Room for a whole page.
    pub(super) fn roomy(objects: usize) -> Self {
        let objects = objects.min(1_000);
        let keys = String::with_capacity(objects * 32);
        Self { keys, objects: Vec::with_capacity(objects), ..Self::default() }
    }
}

/// A page of these.
#[cfg(test)]
pub(crate) fn page_of<'a>(objects: impl IntoIterator<Item = (&'a str, Object)>) -> ObjectPage {
    let mut page = ObjectPage::default();
    for (key, object) in objects {
        page.push(key.as_bytes(), object).expect("in order");
    }
    page
}
