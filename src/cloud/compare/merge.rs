//! Two ordered pages side by side.
//!
//! **Invariant:** every key up to the limit is met once, with what each side has under it.

use crate::cloud::listing::{Object, ObjectPage};

/// A page, and how far it was dealt with.
#[derive(Debug, Default)]
pub struct Cursor {
    page: ObjectPage,
    at: usize,
}

impl Cursor {
    /// At the beginning of a page.
    pub fn new(page: ObjectPage) -> Self {
        Self { page, at: 0 }
    }

    /// Whether all of it was dealt with.
    pub fn is_drained(&self) -> bool {
        self.at >= self.page.len()
    }

    /// The page.
    pub fn page(&self) -> &ObjectPage {
        &self.page
    }

    fn key(&self) -> Option<&str> {
        (self.at < self.page.len()).then(|| self.page.key(self.at))
    }

    fn take(&mut self) -> Object {
        let object = self.page.object(self.at);
        self.at += 1;
        object
    }
}

/// Meets every key of both up to `limit`, inclusive; without one, to the end of both pages.
pub fn merge(
    source: &mut Cursor,
    destination: &mut Cursor,
    limit: Option<&str>,
    mut meet: impl FnMut(&str, Option<Object>, Option<Object>),
) {
    let within = |key: &&str| limit.is_none_or(|limit| *key <= limit);
    loop {
        let left = source.key().filter(within);
        let right = destination.key().filter(within);
        let order = match (left, right) {
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return,
        };
        let (left_at, right_at) = (source.at, destination.at);
        let one = order.is_le().then(|| source.take());
        let other = order.is_ge().then(|| destination.take());
        let key =
            if order.is_le() { source.page.key(left_at) } else { destination.page.key(right_at) };
        meet(key, one, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::listing::{Tag, page_of};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn object(size: u64) -> Object {
        Object { size, modified_ms: 0, tag: Tag::NONE, archived: false }
    }

    proptest! {
        #[test]
        fn every_key_is_met_once_with_what_both_sides_have(
            left in prop::collection::btree_map("[a-e]{1,3}", 0u64..3, 0..40),
            right in prop::collection::btree_map("[a-e]{1,3}", 0u64..3, 0..40),
            limit in prop::option::of("[a-e]{1,3}"),
        ) {
            let page = |of: &BTreeMap<String, u64>| {
                Cursor::new(page_of(of.iter().map(|(key, size)| (key.as_str(), object(*size)))))
            };
            let (mut one, mut other) = (page(&left), page(&right));
            let mut met = Vec::new();
            let size = |object: Option<Object>| object.map(|object| object.size);
            merge(&mut one, &mut other, limit.as_deref(), |key, a, b| {
                met.push((key.to_owned(), size(a), size(b)));
            });
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            let wanted: Vec<_> = keys
                .into_iter()
                .filter(|key| limit.as_ref().is_none_or(|limit| *key <= limit))
                .map(|key| (key.clone(), left.get(key).copied(), right.get(key).copied()))
                .collect();
            prop_assert_eq!(&met, &wanted);
            merge(&mut one, &mut other, None, |_, _, _| ());
            prop_assert!(one.is_drained() && other.is_drained());
        }
    }
}
