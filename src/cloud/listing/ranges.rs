//! A flat space of keys, divided among workers while they read it.
//!
//! A worker that has nothing to do takes a part of what is left of the largest range, from a key in the
//! space of the keys that were seen. Behind a range whose end is known to have keys that is half of it.
//! Where nobody knows how far the keys go, the parts that are taken end nearer and nearer to where the
//! range's worker stands, in even steps of magnitude: wherever the keys really end, a range of about the
//! right size begins there. Ranges of which no key was seen yet are not divided.
//!
//! **Invariant:** ranges never overlap and leave nothing out: each key belongs to exactly one, and what a
//! worker has claimed is never given to another.

use super::keyspace::Alphabet;
use std::collections::BTreeMap;

/// What is left must be worth so many pages before it is divided.
const WORTH: f64 = 2.5;

/// A range as it is handed to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Names it.
    pub id: u64,
    /// It begins behind this key.
    pub after: String,
}

/// What a worker may do with what it has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Up to which key, inclusive; `None` is the end of all keys.
    pub upto: Option<String>,
    /// Whether the range ends there.
    pub last: bool,
}

#[derive(Debug, Clone)]
struct Range {
    begin: String,
    /// Whether keys were seen behind its end: it is full of them as far as its own keys tell.
    solid: bool,
    /// The first key that was seen in it: between it and the range's beginning may be a desert.
    first: Option<String>,
    /// What comes behind it is not claimed yet.
    at: String,
    /// Up to here everything was delivered.
    delivered: String,
    until: Option<String>,
    taken: bool,
    /// Left for now: it may be divided.
    parked: bool,
    ended: bool,
    /// Keys that were seen in it.
    seen: u64,
    /// How many are left.
    guess: f64,
}

/// All ranges that are not done.
#[derive(Debug, Default)]
pub struct Ranges {
    /// Keys of a page.
    page: f64,
    alphabet: Alphabet,
    ranges: BTreeMap<u64, Range>,
    next: u64,
    /// How many halves were taken.
    divided: u64,
}

impl Ranges {
    /// The whole space, or what was left of it: each from behind a key up to a key. `page` is how many keys
    /// a request gives.
    pub fn new(left: impl IntoIterator<Item = (String, Option<String>)>, page: u16) -> Self {
        let mut ranges = Self { page: f64::from(page), ..Self::default() };
        for (after, until) in left {
            let solid = until.is_some();
            ranges.insert((after, until), 0.0, solid);
        }
        ranges
    }

    fn insert(&mut self, (begin, until): (String, Option<String>), guess: f64, solid: bool) -> u64 {
        let id = self.next;
        self.next += 1;
        let (at, delivered) = (begin.clone(), begin.clone());
        let range = Range {
            begin,
            solid,
            first: None,
            at,
            delivered,
            until,
            taken: false,
            parked: false,
            ended: false,
            seen: 0,
            guess,
        };
        self.ranges.insert(id, range);
        id
    }

    /// Work for a worker that has none; `None` where there is none now. One that works `alone` takes up what
    /// was parked when nothing can be divided; `idle` is how many have none.
    pub fn take(&mut self, alone: bool, idle: usize) -> Option<Piece> {
        let free = self.ranges.iter().find(|(_, range)| !range.taken).map(|(id, _)| *id);
        let id = free.or_else(|| self.divide(idle)).or_else(|| {
            let parked = self.ranges.iter().filter(|(_, range)| alone && range.parked);
            let largest = |one: &(&u64, &Range), other: &(&u64, &Range)| {
                one.1.guess.total_cmp(&other.1.guess)
            };
            parked.max_by(largest).map(|(id, _)| *id)
        })?;
        let range = self.ranges.get_mut(&id)?;
        (range.taken, range.parked) = (true, false);
        Some(Piece { id, after: range.at.clone() })
    }

    /// Divides the range with most left, and gives the part behind; `idle` workers could take one.
    fn divide(&mut self, idle: usize) -> Option<u64> {
        let least = WORTH * self.page;
        let worth = |range: &&mut Range| range.seen > 0 && !range.ended && range.guess >= least;
        let range = self
            .ranges
            .values_mut()
            .filter(worth)
            .max_by(|one, other| one.guess.total_cmp(&other.guess))?;
        let stem = range.first.as_deref().filter(|_| range.until.is_none());
        let stem = stem.and_then(|first| behind_stem(first, &range.at));
        let kept = match (range.solid, &stem) {
            (true, _) => 0.5,
            (false, Some(_)) => 1.0,
            (false, None) => {
                let steps = u32::try_from(idle).unwrap_or(1).max(1) + 1;
                (range.guess / self.page).powf(-1.0 / f64::from(steps)).min(0.5)
            }
        };
        let cut = stem.or_else(|| self.alphabet.between(&range.at, range.until.as_deref(), kept));
        let Some(cut) = cut else {
            range.guess = 0.0;
            return self.divide(idle);
        };
        let guess = range.guess * (1.0 - kept);
        range.guess *= kept;
        let (until, solid) = (range.until.replace(cut.clone()), range.solid);
        self.divided += 1;
        Some(self.insert((cut, until), guess, solid))
    }

    /// A worker has read all keys up to `read` (`None`: to the end) and wants to deal with them.
    pub fn claim(&mut self, id: u64, read: Option<&str>) -> Claim {
        let Some(range) = self.ranges.get_mut(&id) else {
            return Claim { upto: read.map(str::to_owned), last: true };
        };
        let last = match (read, range.until.as_deref()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(read), Some(until)) => read >= until,
        };
        range.ended |= last;
        let upto = if last { range.until.clone() } else { read.map(str::to_owned) };
        if let Some(upto) = &upto {
            range.at.clone_from(upto);
        }
        Claim { upto, last }
    }

    /// In what a worker has claimed were `seen` keys, of which `some` are a few: where the space has keys,
    /// and about how many are left.
    pub fn learn<'a>(&mut self, id: u64, seen: u64, some: impl IntoIterator<Item = &'a str>) {
        let Some(range) = self.ranges.get_mut(&id) else { return };
        for key in some {
            self.alphabet.learn(key);
            if range.first.as_deref().is_none_or(|first| key < first) {
                range.first = Some(key.to_owned());
            }
        }
        if range.seen == 0 && seen > 0 {
            let begin = range.begin.clone();
            let before = |range: &&mut Range| range.until.as_ref() == Some(&begin);
            if let Some(before) = self.ranges.values_mut().find(before) {
                before.solid = true;
            }
        }
        let Some(range) = self.ranges.get_mut(&id) else { return };
        range.seen += seen;
        let Some(first) = range.first.as_deref().filter(|first| *first < range.at.as_str()) else {
            return;
        };
        let share = self.alphabet.share(first, &range.at, range.until.as_deref());
        if share > 0.0 && range.seen > 0 {
            range.guess = range.seen as f64 * (1.0 - share) / share;
        }
    }

    /// What was claimed is dealt with.
    pub fn deliver(&mut self, id: u64, claim: &Claim) {
        if claim.last {
            self.ranges.remove(&id);
        } else if let (Some(range), Some(upto)) = (self.ranges.get_mut(&id), &claim.upto) {
            range.delivered.clone_from(upto);
        }
    }

    /// A worker leaves a range as it is, for others to divide.
    pub fn park(&mut self, id: u64) {
        if let Some(range) = self.ranges.get_mut(&id) {
            range.parked = true;
        }
    }

    /// How many keys the next page of a range should have: less than a page near its end.
    pub fn page(&self, id: u64) -> u16 {
        match self.ranges.get(&id) {
            Some(range)
                if range.until.is_some() && range.solid && range.guess < 0.8 * self.page =>
            {
                (range.guess * 1.25).clamp(self.page / 10.0, self.page) as u16
            }
            _ => self.page as u16,
        }
    }

    /// Whether everything is done.
    pub fn is_done(&self) -> bool {
        self.ranges.is_empty()
    }

    /// About how many keys are left.
    pub fn left(&self) -> f64 {
        self.ranges.values().map(|range| range.guess).sum()
    }

    /// Ranges that are read or wait.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How often a range was divided.
    pub fn divided(&self) -> u64 {
        self.divided
    }

    /// What is not delivered, for whoever takes it up later.
    pub fn undelivered(&self) -> Vec<(String, Option<String>)> {
        let left = self.ranges.values();
        left.map(|range| (range.delivered.clone(), range.until.clone())).collect()
    }
}

/// A key behind all that begin as these two do, up to their first digit: where many keys are numbered,
/// what comes before the number is the same in all of them.
fn behind_stem(first: &str, at: &str) -> Option<String> {
    let same = first.char_indices().zip(at.chars()).take_while(|((_, one), other)| one == other);
    let stem: String =
        same.map(|((_, one), _)| one).take_while(|one| !one.is_ascii_digit()).collect();
    let last = stem.chars().next_back()?;
    let next = char::from_u32(u32::from(last) + 1)?;
    let mut behind = stem;
    behind.pop();
    behind.push(next);
    (behind.as_str() > at).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads `keys` with `workers` workers by turns, in pages of `page`; gives what each key was dealt with.
    fn read(keys: &[String], workers: usize, page: usize, order: &[usize]) -> (Vec<String>, u64) {
        let mut ranges = Ranges::new([(String::new(), None)], page as u16);
        let mut working: Vec<Option<Piece>> = vec![None; workers];
        let (mut seen, mut turn) = (Vec::new(), 0);
        while !ranges.is_done() {
            let at = order[turn % order.len()] % workers;
            turn += 1;
            assert!(turn < 1_000_000, "it never ends");
            let Some(piece) = working[at].take().or_else(|| ranges.take(true, workers)) else {
                continue;
            };
            let from = keys.partition_point(|key| *key <= piece.after);
            let to = (from + page).min(keys.len());
            let read = (to < keys.len()).then(|| keys[to - 1].as_str());
            let claim = ranges.claim(piece.id, read);
            let upto = claim.upto.as_deref();
            let mine = keys[from..to]
                .iter()
                .take_while(|key| upto.is_none_or(|upto| key.as_str() <= upto));
            let mine: Vec<&String> = mine.collect();
            seen.extend(mine.iter().map(|key| (*key).clone()));
            ranges.learn(piece.id, mine.len() as u64, mine.iter().map(|key| key.as_str()));
            ranges.deliver(piece.id, &claim);
            if let (false, Some(upto)) = (claim.last, claim.upto) {
                working[at] = Some(Piece { id: piece.id, after: upto });
            }
        }
        seen.sort();
        (seen, ranges.divided())
    }

    #[test]
    fn a_flat_bucket_is_divided_evenly() {
        let keys: Vec<String> = (0..200_000).map(|n| format!("file-{n:012}")).collect();
        let order: Vec<usize> = (0..32).collect();
        let (seen, divided) = read(&keys, 32, 1_000, &order);
        assert_eq!(seen, keys);
        assert!((20..400).contains(&divided), "{divided}");
    }

    #[test]
    fn what_is_left_can_be_taken_up() {
        let mut ranges = Ranges::new([(String::new(), None)], 1_000);
        let piece = ranges.take(false, 1).expect("the whole");
        let claim = ranges.claim(piece.id, Some("a1"));
        assert_eq!(claim, Claim { upto: Some("a1".to_owned()), last: false });
        ranges.learn(piece.id, 5_000, ["a0", "a1", "b"]);
        ranges.deliver(piece.id, &claim);
        let other = ranges.take(false, 1).expect("a half");
        assert!(other.after.as_str() > "a1", "{other:?}");
        // What was claimed and not delivered is read again.
        ranges.claim(piece.id, Some("a2"));
        let left = ranges.undelivered();
        assert_eq!(left[0], ("a1".to_owned(), Some(other.after.clone())));
        assert_eq!(left[1], (other.after, None));
        assert!(ranges.left() > 0.0 && ranges.len() == 2 && !ranges.is_empty());
    }

    proptest! {
        #[test]
        fn every_key_is_dealt_with_once(
            keys in prop::collection::btree_set("[a-c0-3/\u{e4}]{1,6}", 0..300),
            workers in 1usize..6,
            page in 1usize..20,
            order in prop::collection::vec(0usize..6, 6..40),
        ) {
            let keys: Vec<String> = keys.into_iter().collect();
            let mut order = order;
            order.extend(0..6);
            prop_assert_eq!(read(&keys, workers, page, &order).0, keys);
        }
    }
}
