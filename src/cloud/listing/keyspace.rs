//! Where in the space of keys a key stands, as far as the keys that were seen tell.
//!
//! **Invariant:** a key from here is only a place to begin at: whether there is an object behind it, and
//! how many, nothing relies on.

/// Most characters that are told apart; a space of more is measured roughly.
const MOST: usize = 512;
/// Numbers stay below this, so that they can be added.
const ROOM: u128 = 1 << 120;

/// The characters that keys are made of, in the order of their bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Alphabet {
    characters: Vec<char>,
}

impl Alphabet {
    /// Takes up the characters of a key. Where one digit was seen, all may come.
    pub(super) fn learn(&mut self, key: &str) {
        for character in key.chars() {
            if character.is_ascii_digit() {
                if self.insert('0') {
                    for digit in '1'..='9' {
                        self.insert(digit);
                    }
                }
            } else {
                self.insert(character);
            }
        }
    }

    fn insert(&mut self, character: char) -> bool {
        if self.characters.len() >= MOST {
            return false;
        }
        match self.characters.binary_search(&character) {
            Ok(_) => false,
            Err(at) => {
                self.characters.insert(at, character);
                true
            }
        }
    }

    /// A key behind `low` and before `high` (`None`: the end of all keys), about at this `share` of the way;
    /// `None` where there is no room between them.
    pub(super) fn between(&self, low: &str, high: Option<&str>, share: f64) -> Option<String> {
        if self.characters.len() < 2 {
            return None;
        }
        let frame = Frame::new(self, low, high);
        let (from, to) = (frame.number(low), frame.end(high));
        let way = to.checked_sub(from)?;
        // A part of a number this long, to the precision of a float and no less than a unit.
        let part = ((way as f64 * share) as u128).clamp(1, way.max(1));
        let middle = from.saturating_add(part);
        let digits = frame.digits(middle);
        let mut key = low[..frame.common].to_owned();
        for digit in digits {
            key.push(self.characters[digit]);
            if key.as_str() > low {
                return high.is_none_or(|high| key.as_str() < high).then_some(key);
            }
        }
        None
    }

    /// How far `at` is on the way from `low` to `high`, from 0 to 1.
    pub(super) fn share(&self, low: &str, at: &str, high: Option<&str>) -> f64 {
        if self.characters.len() < 2 {
            return 0.0;
        }
        let frame = Frame::new(self, low, high);
        let (from, to) = (frame.number(low), frame.end(high));
        let (way, whole) = (frame.number(at).saturating_sub(from), to.saturating_sub(from));
        if whole == 0 { 1.0 } else { (way as f64 / whole as f64).min(1.0) }
    }
}

/// Keys as numbers: what two keys have in common left out, then a digit a character.
struct Frame<'a> {
    alphabet: &'a Alphabet,
    common: usize,
    places: usize,
}

impl<'a> Frame<'a> {
    fn new(alphabet: &'a Alphabet, low: &str, high: Option<&str>) -> Self {
        let same = |(a, b): &(char, char)| a == b;
        let common = high.map_or(0, |high| {
            low.chars().zip(high.chars()).take_while(same).map(|(one, _)| one.len_utf8()).sum()
        });
        let (mut places, mut room, base) = (0, ROOM, alphabet.characters.len() as u128);
        while room >= base {
            room /= base;
            places += 1;
        }
        Self { alphabet, common, places }
    }

    fn number(&self, key: &str) -> u128 {
        let base = self.alphabet.characters.len() as u128;
        let mut rest = key.get(self.common..).unwrap_or_default().chars();
        let mut number = 0;
        for _ in 0..self.places {
            let digit = rest.next().map_or(0, |one| {
                let at = self.alphabet.characters.partition_point(|known| *known < one);
                at.min(self.alphabet.characters.len() - 1) as u128
            });
            number = number * base + digit;
        }
        number
    }

    fn end(&self, high: Option<&str>) -> u128 {
        let base = self.alphabet.characters.len() as u128;
        high.map_or_else(
            || (0..self.places).fold(1, |all, _| all * base) - 1,
            |high| self.number(high),
        )
    }

    fn digits(&self, mut number: u128) -> Vec<usize> {
        let base = self.alphabet.characters.len() as u128;
        let mut digits = vec![0; self.places];
        for digit in digits.iter_mut().rev() {
            *digit = (number % base) as usize;
            number /= base;
        }
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alphabet(keys: &[&str]) -> Alphabet {
        let mut alphabet = Alphabet::default();
        keys.iter().for_each(|key| alphabet.learn(key));
        alphabet
    }

    #[test]
    fn half_way_is_half_way() {
        let digits = alphabet(&["0"]);
        for (low, high, share, wanted) in [
            ("1", Some("9"), 0.51, "5"),
            ("1", Some("9"), 0.01, "10"),
            ("data1", Some("data2"), 0.51, "data15"),
            ("", None, 0.45, "4"),
        ] {
            assert_eq!(digits.between(low, high, share).as_deref(), Some(wanted), "{low}");
        }
        assert_eq!(digits.between("5", Some("50"), 0.5), None, "only 5 and 50 themselves");
        let share = digits.share("0", "25", Some("5"));
        assert!((share - 0.5).abs() < 1e-9, "{share}");
        let hex = alphabet(&["0123456789abcdef"]);
        assert_eq!(hex.between("0", None, 0.49).as_deref(), Some("7"));
        assert_eq!(alphabet(&[]).between("a", None, 0.5), None);
    }

    proptest! {
        #[test]
        fn a_place_between_two_keys_is_between_them(
            seen in prop::collection::vec(".{0,12}", 1..6),
            low in ".{0,12}",
            high in prop::option::of(".{1,12}"),
            share in 0.0f64..1.0,
        ) {
            let mut known = Alphabet::default();
            seen.iter().for_each(|key| known.learn(key));
            let high = high.as_deref().filter(|high| *high > low.as_str());
            if let Some(found) = known.between(&low, high, share) {
                prop_assert!(found.as_str() > low.as_str(), "{low:?} {found:?}");
                prop_assert!(high.is_none_or(|high| found.as_str() < high), "{found:?} {high:?}");
                let share = known.share(&low, &found, high);
                prop_assert!((0.0..=1.0).contains(&share), "{share}");
            }
        }
    }
}
