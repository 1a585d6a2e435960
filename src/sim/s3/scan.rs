//! Walks the keys of a bucket in order: what is stored laid over what is computed.
//!
//! **Invariant:** each key comes once, in the order of its UTF-8 bytes; a walk may begin at any text and costs
//! what it passes.

use crate::sim::s3::generated::{Generated, Place};
use crate::sim::s3::state::{Bucket, Version};
use std::borrow::Cow;
use std::collections::btree_map::Range;
use std::iter::Peekable;

/// A walk over keys and their versions, oldest first.
pub(super) struct Scan<'a> {
    stored: Peekable<Range<'a, String, Vec<Version>>>,
    generated: Option<&'a Generated>,
    ahead: Option<(String, Version, Place)>,
}

impl<'a> Scan<'a> {
    /// From the first key that is not before `start`.
    pub(super) fn from(bucket: &'a Bucket, start: &str) -> Self {
        let stored = bucket.objects.range(start.to_owned()..).peekable();
        let generated = bucket.generated.as_ref();
        let ahead = generated.and_then(|made| made.at_or_after(made.place(start)));
        Self { stored, generated, ahead }
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = (Cow<'a, str>, Cow<'a, [Version]>);

    fn next(&mut self) -> Option<Self::Item> {
        let computed_first = match (self.stored.peek(), &self.ahead) {
            (Some((stored, _)), Some((computed, ..))) => computed < *stored,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !computed_first {
            let (key, versions) = self.stored.next()?;
            if self.ahead.as_ref().is_some_and(|(computed, ..)| computed == key) {
                self.step();
            }
            return Some((Cow::Borrowed(key), Cow::Borrowed(versions)));
        }
        let (key, version) = self.step()?;
        Some((Cow::Owned(key), Cow::Owned(vec![version])))
    }
}

impl Scan<'_> {
    fn step(&mut self) -> Option<(String, Version)> {
        let (key, version, next) = self.ahead.take()?;
        self.ahead = self.generated.and_then(|made| made.at_or_after(next));
        Some((key, version))
    }
}

/// The first text behind `key`.
pub(super) fn behind(key: &str) -> String {
    format!("{key}\0")
}

/// The first text that is behind everything that begins with `prefix`; `None` when nothing is.
pub(super) fn behind_all(prefix: &str) -> Option<String> {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        let next = u32::from(last) + 1;
        // Surrogates are no characters.
        let next = if next == 0xd800 { 0xe000 } else { next };
        if let Some(next) = char::from_u32(next) {
            text.push(next);
            return Some(text.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_behind_a_prefix() {
        for (prefix, wanted) in [
            ("a/", Some("a0")),
            ("", None),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(behind_all(prefix).as_deref(), wanted, "{prefix:?}");
        }
        assert!(*behind("a") > *"a" && *behind("a") < *"a\u{1}");
    }
}
