//! Whole histories compared: each version and delete marker of a key, by the ids that replication keeps.
//!
//! **Invariant:** both sides are read in order, a page and the versions of one key at a time; what rules
//! do not copy (delete markers, where they say so) is not called missing.

use super::class::{Class, Difference, Seen, Totals};
use super::error::CompareError;
use super::judge::Rules;
use super::sorted::Sorter;
use super::start::Ground;
use crate::cloud::error::CloudError;
use crate::cloud::listing::{Tag, Version, VersionStream};
use crate::cloud::view::EstateView;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};

/// One side, key by key.
struct Histories {
    stream: VersionStream,
    read: VecDeque<Version>,
    ended: bool,
}

impl Histories {
    fn new(stream: VersionStream) -> Self {
        Self { stream, read: VecDeque::new(), ended: false }
    }

    /// All versions of the next key, the newest first; empty behind the last.
    async fn next(&mut self) -> Result<Vec<Version>, CloudError> {
        loop {
            let first = self.read.front().map(|version| &version.key);
            let count = self.read.iter().take_while(|version| Some(&version.key) == first).count();
            if self.ended || count < self.read.len() {
                return Ok(self.read.drain(..count).collect());
            }
            match self.stream.next().await? {
                Some(page) => self.read.extend(page),
                None => self.ended = true,
            }
        }
    }
}

impl EstateView {
    /// Compares the histories of all keys (S3 `ListObjectVersions`); of each key at most one difference is
    /// told, the gravest.
    ///
    /// # Errors
    /// A bucket cannot be listed, or the temporary directory has no room.
    pub async fn compare_histories(
        &self,
        ground: &Ground,
        since: Option<DateTime<Utc>>,
    ) -> Result<(Totals, Sorter), CompareError> {
        let (mut totals, mut sorter) = (Totals::default(), Sorter::default());
        let mut source = Histories::new(self.versions(ground.places.0.clone()));
        let mut destination = Histories::new(self.versions(ground.places.1.clone()));
        let (mut left, mut right) = tokio::try_join!(source.next(), destination.next())?;
        loop {
            let order = match (left.first(), right.first()) {
                (Some(one), Some(other)) => one.key.cmp(&other.key),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return Ok((totals, sorter)),
            };
            let one = if order.is_le() { std::mem::take(&mut left) } else { Vec::new() };
            let other = if order.is_ge() { std::mem::take(&mut right) } else { Vec::new() };
            totals.source += one.len() as u64;
            totals.destination += other.len() as u64;
            let newest = one.iter().chain(&other).map(Version::modified).max();
            if since.is_some_and(|since| newest.is_some_and(|newest| newest < since)) {
                totals.too_old += 1;
            } else if let Some(difference) =
                differ(&one, &other, &ground.rules, &ground.places.0.prefix)
            {
                totals.count(&difference);
                sorter.push(difference)?;
            } else {
                totals.equal += 1;
            }
            if order.is_le() {
                left = source.next().await?;
            }
            if order.is_ge() {
                right = destination.next().await?;
            }
        }
    }
}

fn seen(version: &Version) -> Seen {
    Seen {
        size: version.size,
        modified_ms: version.modified_ms,
        etag: version.etag.clone(),
        version: Some(version.id.clone()),
    }
}

fn same(one: &Version, other: &Version) -> bool {
    one.is_delete_marker == other.is_delete_marker
        && (one.is_delete_marker
            || (one.size == other.size
                && Tag::read(one.etag.as_bytes()) == Tag::read(other.etag.as_bytes())))
}

/// The gravest difference of two histories of one key.
fn differ(one: &[Version], other: &[Version], rules: &Rules, prefix: &str) -> Option<Difference> {
    let by_id = |of: &'_ [Version]| -> BTreeMap<String, Version> {
        of.iter().map(|version| (version.id.clone(), version.clone())).collect()
    };
    let (there, here) = (by_id(other), by_id(one));
    let key = one.first().or(other.first())?.key.clone();
    let missing: Vec<&Version> =
        one.iter().filter(|version| !there.contains_key(&version.id)).collect();
    let objects: Vec<&&Version> =
        missing.iter().filter(|version| !version.is_delete_marker).collect();
    let changed = one.iter().find_map(|version| {
        let found = there.get(&version.id)?;
        (!same(version, found)).then_some((version, found))
    });
    let extra = other.iter().find(|version| !here.contains_key(&version.id));
    let told = |class, how: String, source: Option<&Version>, destination: Option<&Version>| {
        let (source, destination) = (source.map(seen), destination.map(seen));
        Some(Difference {
            key: key.clone(),
            class,
            how: how.into(),
            source,
            destination,
            status: None,
        })
    };
    if let Some(oldest) = objects.last() {
        let how = format!("{} of {} versions are not at the destination", objects.len(), one.len());
        let whole = format!("{prefix}{key}");
        let class = match rules {
            Rules::Known(rules) if !rules.iter().any(|rule| whole.starts_with(&rule.prefix)) => {
                Class::NotEligible
            }
            Rules::Known(_) | Rules::Unknown => Class::Missing,
        };
        return told(class, how, Some(**oldest), None);
    }
    if let Some((version, found)) = changed {
        let how = format!("version {} is not the same", version.id);
        return told(Class::Different, how, Some(version), Some(found));
    }
    if let Some(marker) = missing.first() {
        let copied = match rules {
            Rules::Unknown => true,
            Rules::Known(rules) => rules.iter().any(|rule| rule.delete_markers || rule.first_kind),
        };
        let class = if copied { Class::DeletedAtSource } else { Class::NotEligible };
        let how = format!("{} delete markers are not at the destination", missing.len());
        return told(class, how, Some(*marker), None);
    }
    let extra = extra?;
    let class = if extra.is_delete_marker { Class::DeletedAtDestination } else { Class::Extra };
    let kind = if extra.is_delete_marker { "delete marker" } else { "version" };
    told(class, format!("{kind} {} is only at the destination", extra.id), None, Some(extra))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::model::ReplicationRule;

    fn version(id: &str, etag: &str) -> Version {
        let (key, id, etag) = ("k".to_owned(), id.to_owned(), etag.to_owned());
        Version { key, id, etag, size: 1, ..Version::default() }
    }

    fn marker(id: &str) -> Version {
        Version { is_delete_marker: true, size: 0, ..version(id, "") }
    }

    #[test]
    fn histories_are_compared_by_version() {
        let class = |one: &[Version], other: &[Version], rules: &Rules| {
            differ(one, other, rules, "docs/").map(|difference| difference.class)
        };
        let (v1, v2, changed) = (version("1", "a"), version("2", "b"), version("1", "c"));
        let both = [v2.clone(), v1.clone()];
        let unknown = Rules::Unknown;
        assert_eq!(class(&both, &both, &unknown), None);
        assert_eq!(class(&both, std::slice::from_ref(&v2), &unknown), Some(Class::Missing));
        assert_eq!(class(&both, &[], &unknown), Some(Class::Missing));
        assert_eq!(class(&[], &both, &unknown), Some(Class::Extra));
        assert_eq!(class(std::slice::from_ref(&v1), &[changed], &unknown), Some(Class::Different));
        let deleted = [marker("m"), v1.clone()];
        assert_eq!(
            class(&deleted, std::slice::from_ref(&v1), &unknown),
            Some(Class::DeletedAtSource)
        );
        assert_eq!(
            class(std::slice::from_ref(&v1), &deleted, &unknown),
            Some(Class::DeletedAtDestination)
        );
        let rules = Rules::Known(vec![ReplicationRule::default()]);
        assert_eq!(class(&deleted, std::slice::from_ref(&v1), &rules), Some(Class::NotEligible));
        assert_eq!(class(std::slice::from_ref(&v1), &[], &rules), Some(Class::Missing));
        let logs = ReplicationRule { prefix: "logs/".to_owned(), ..ReplicationRule::default() };
        let logs = Rules::Known(vec![logs]);
        assert_eq!(class(&[v1], &[], &logs), Some(Class::NotEligible));
    }
}
