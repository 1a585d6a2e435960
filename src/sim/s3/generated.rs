//! Objects that are computed from a seed: millions of them, none of them held.
//!
//! **Invariant:** object number `i` is a function of the seed and `i`; finding a key, and the first key after
//! any text, takes no search.

use crate::base::digest::hex;
use crate::sim::s3::state::{CopyState, Extra, Version};
use crate::sim::s3::stored::etag;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// What stands behind the keys that only a mirror has.
const EXTRA: &str = ".extra";

/// Largest content whose MD5 digest is computed for its tag; the tag of a larger one is that of a
/// multipart upload, which is no digest.
const DIGESTED: u64 = 1 << 20;

/// Bytes of a part of such an upload.
const PART: u64 = 8 << 20;

/// Seconds over which generated objects were put, oldest key first, before the world began.
const SPREAD: i64 = 29 * 86_400;

/// Content that is computed: lines of hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Made {
    pub(in crate::sim) salt: u64,
    pub(in crate::sim) size: u64,
}

impl Made {
    /// Bytes `from` to before `to`.
    pub(super) fn bytes(&self, from: u64, to: u64) -> Vec<u8> {
        let line = format!("{:016x}{:015x}\n", self.salt, mixed(self.salt, "line", 0) >> 4);
        let start = (from % line.len() as u64) as usize;
        let length = to.min(self.size).saturating_sub(from) as usize;
        line.bytes().cycle().skip(start).take(length).collect()
    }

    /// Its ETag.
    pub(super) fn etag(&self) -> String {
        if self.size <= DIGESTED {
            return etag(&self.bytes(0, self.size));
        }
        let high = mixed(self.salt, "tag", self.size);
        format!("\"{high:016x}{:016x}-{}\"", mixed(high, "tag", 1), self.size.div_ceil(PART))
    }
}

/// The generated objects of a bucket. Keys are the prefix and a number with leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Generated {
    pub(super) salt: u64,
    pub(super) keys: u64,
    pub(super) prefix: String,
    pub(super) size: u64,
    /// When the newest was put.
    pub(super) newest: DateTime<Utc>,
    /// In a mirror: how it differs.
    #[serde(default)]
    pub(super) differs: Option<Planted>,
    /// Whether replication put them here.
    #[serde(default)]
    pub(super) replica: bool,
    /// In an original: the bucket that mirrors it, and how that differs.
    #[serde(default)]
    pub(super) mirrored: Option<(String, Planted)>,
}

/// Differences of a mirror: as many of each as were asked for, spread over all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Planted {
    pub(super) salt: u64,
    pub(super) missing: u64,
    pub(super) changed: u64,
    pub(super) extra: u64,
}

/// A number that depends on all three.
fn mixed(salt: u64, name: &str, number: u64) -> u64 {
    let mut state = salt ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in name.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    fastrand::Rng::with_seed(state).u64(..)
}

/// The stratum of `index` when `keys` are cut into `count`, and where it begins and ends.
fn stratum(keys: u64, count: u64, index: u64) -> (u64, u64, u64) {
    let start = |stratum: u64| (u128::from(stratum) * u128::from(keys)).div_ceil(u128::from(count));
    let at = (u128::from(index) * u128::from(count) / u128::from(keys)) as u64;
    (at, start(at) as u64, start(at + 1) as u64)
}

impl Planted {
    /// Whether the one of its stratum that is chosen under `name` is `index`.
    fn chosen(
        &self,
        keys: u64,
        (name, count): (&str, u64),
        index: u64,
        reserve: u64,
    ) -> Option<u64> {
        if count == 0 {
            return None;
        }
        let (at, from, to) = stratum(keys, count, index);
        let room = (to - from).saturating_sub(reserve).max(1);
        Some(from + mixed(self.salt, name, at) % room)
    }

    fn is_missing(&self, keys: u64, index: u64) -> bool {
        self.chosen(keys, ("missing", self.missing), index, 0) == Some(index)
    }

    fn is_changed(&self, keys: u64, index: u64) -> bool {
        // Of the chosen one and its two neighbours at most two are missing: strata are four wide or more.
        self.chosen(keys, ("changed", self.changed), index, 2).is_some_and(|chosen| {
            (chosen..chosen + 3).find(|near| !self.is_missing(keys, *near)) == Some(index)
        })
    }

    fn has_extra(&self, keys: u64, index: u64) -> bool {
        self.chosen(keys, ("extra", self.extra), index, 0) == Some(index)
    }
}

/// A place among generated keys: a number, and whether the extra key behind it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    index: u64,
    extra: bool,
}

impl Place {
    fn next(self) -> Self {
        match self.extra {
            false => Self { extra: true, ..self },
            true => Self { index: self.index + 1, extra: false },
        }
    }
}

impl Generated {
    fn width(&self) -> usize {
        self.keys.saturating_sub(1).to_string().len().max(8)
    }

    fn key(&self, place: Place) -> String {
        let extra = if place.extra { EXTRA } else { "" };
        format!("{}{:0width$}{extra}", self.prefix, place.index, width = self.width())
    }

    /// The first place whose key is not before `text`.
    pub(super) fn place(&self, text: &str) -> Place {
        let at = |index: u64| Place { index: index.min(self.keys), extra: false };
        let Some(rest) = text.strip_prefix(self.prefix.as_str()) else {
            return at(if text < self.prefix.as_str() { 0 } else { self.keys });
        };
        let width = self.width();
        let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let padded = format!("{:0<width$}", &rest[..digits]);
        let Ok(number) = padded.parse::<u64>() else { return at(self.keys) };
        if digits == width {
            let behind = &rest[width..];
            let extra = Place { index: number, extra: true };
            return match behind {
                "" => at(number),
                _ if number < self.keys && behind <= EXTRA => extra,
                _ => at(number + 1),
            };
        }
        match rest.as_bytes().get(digits) {
            Some(byte) if *byte > b'9' => {
                let step = 10_u64.pow(u32::try_from(width - digits).unwrap_or(u32::MAX));
                at(number.saturating_add(step))
            }
            Some(_) | None => at(number),
        }
    }

    /// The object at `place` or the next one there is: its key, itself, and the place behind it.
    pub(super) fn at_or_after(&self, mut place: Place) -> Option<(String, Version, Place)> {
        while place.index < self.keys {
            if self.is_there(place) {
                return Some((self.key(place), self.version(place), place.next()));
            }
            place = place.next();
        }
        None
    }

    /// The generated object of that key.
    pub(super) fn find(&self, key: &str) -> Option<Version> {
        let place = self.place(key);
        (place.index < self.keys && self.is_there(place) && self.key(place) == key)
            .then(|| self.version(place))
    }

    fn is_there(&self, place: Place) -> bool {
        match (&self.differs, place.extra) {
            (Some(planted), true) => planted.has_extra(self.keys, place.index),
            (Some(planted), false) => !planted.is_missing(self.keys, place.index),
            (None, extra) => !extra,
        }
    }

    fn version(&self, place: Place) -> Version {
        let index = place.index;
        let changed = self.differs.filter(|it| place.extra || it.is_changed(self.keys, index));
        let other = |planted: Planted| mixed(self.salt ^ planted.salt, "changed", index);
        let salt = changed.map_or(self.salt, other);
        let made = Made { salt: mixed(salt, "content", index), size: self.size };
        let ids = [0, 1].map(|half| mixed(salt, "id", index.wrapping_mul(2) + half).to_be_bytes());
        let before = i128::from(SPREAD) * i128::from(self.keys - index) / i128::from(self.keys);
        let mut extra = Extra { replica: self.replica && changed.is_none(), ..Extra::default() };
        if let Some((to, planted)) = &self.mirrored {
            extra.copies.insert(to.clone(), self.copied(planted, index));
        }
        Version {
            modified: self.newest - TimeDelta::seconds(before as i64),
            etag: made.etag(),
            content_type: "binary/octet-stream".to_owned(),
            id: hex(&ids.concat()),
            made: Some(made),
            extra,
            ..Version::default()
        }
    }

    /// What an original says of its replication: of those that its mirror has not, some wait and some
    /// failed.
    fn copied(&self, planted: &Planted, index: u64) -> CopyState {
        if !planted.is_missing(self.keys, index) {
            CopyState::Completed
        } else if mixed(planted.salt, "waits", index).is_multiple_of(2) {
            CopyState::Pending
        } else {
            CopyState::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use std::collections::BTreeMap;

    fn original(keys: u64) -> Generated {
        Generated {
            salt: 7,
            keys,
            prefix: "data/".to_owned(),
            size: 100,
            newest: simulated_epoch(),
            differs: None,
            replica: false,
            mirrored: None,
        }
    }

    fn all(generated: &Generated) -> BTreeMap<String, Version> {
        let mut found = BTreeMap::new();
        let mut place = generated.place("");
        let mut last = String::new();
        while let Some((key, version, next)) = generated.at_or_after(place) {
            assert!(last < key, "{last} before {key}");
            last.clone_from(&key);
            found.insert(key, version);
            place = next;
        }
        found
    }

    #[test]
    fn a_mirror_differs_as_planted() {
        for (keys, missing, changed, extra) in [
            (1_000, 10, 5, 3),
            (40, 10, 10, 10),
            (1_001, 250, 250, 250),
            (4, 1, 1, 1),
            (9, 0, 0, 0),
        ] {
            for salt in 0..20 {
                let planted = Planted { salt, missing, changed, extra };
                let left = all(&original(keys));
                let right = all(&Generated { differs: Some(planted), ..original(keys) });
                let gone = left.keys().filter(|key| !right.contains_key(*key)).count() as u64;
                let more = right.keys().filter(|key| !left.contains_key(*key)).count() as u64;
                let other = left.iter().filter(|(key, version)| {
                    right.get(*key).is_some_and(|other| other.etag != version.etag)
                });
                let found = (left.len() as u64, gone, other.count() as u64, more);
                assert_eq!(found, (keys, missing, changed, extra), "salt {salt}");
            }
        }
    }

    #[test]
    fn any_text_has_its_place() {
        let planted = Planted { salt: 3, missing: 9, changed: 0, extra: 12 };
        let generated = Generated { differs: Some(planted), ..original(120) };
        let objects = all(&generated);
        for text in [
            "",
            "a",
            "data",
            "data/",
            "data/0",
            "data/00000010",
            "data/00000010.",
            "data/00000010.extra",
            "data/00000010.extraordinary",
            "data/00000010/x",
            "data/0000001",
            "data/000000119",
            "data/00000119",
            "data/00000120",
            "data/9",
            "data/a",
            "data/00/",
            "data/0000001:",
            "datb",
            "data/00000050\u{0}",
            "data/é",
            "z",
        ] {
            let found = generated.at_or_after(generated.place(text)).map(|(key, ..)| key);
            let wanted = objects.range(text.to_owned()..).next().map(|(key, _)| key.clone());
            assert_eq!(found, wanted, "{text}");
        }
        for (key, version) in &objects {
            assert_eq!(generated.find(key).as_ref(), Some(version));
            assert_eq!(version.etag, etag(&version.content()));
        }
        assert_eq!(generated.find("data/0000001"), None);
    }

    #[test]
    fn content_is_cut_where_it_is_asked_for() {
        let made = Made { salt: 5, size: 100 };
        let whole = made.bytes(0, 100);
        assert_eq!((whole.len(), made.bytes(33, 71)), (100, whole[33..71].to_vec()));
        assert_eq!(made.bytes(90, 500), whole[90..]);
        let large = Made { salt: 5, size: 3 << 30 };
        assert!(large.etag().ends_with("-384\""), "{}", large.etag());
        assert_eq!(large.bytes((3 << 30) - 5, 3 << 30).len(), 5);
    }

    #[test]
    fn the_newest_keys_were_put_last() {
        let generated = original(10_000_000);
        let times = ["data/00000000", "data/05000000", "data/09999999"]
            .map(|key| generated.find(key).expect("a key").modified);
        assert!(times.is_sorted() && times[2] <= simulated_epoch() && times[0] < times[1]);
    }
}
