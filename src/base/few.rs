//! None, one or several of something, as files and JSON write them.
//!
//! **Invariant:** none is written as null, one as itself, several as a list: what was written when
//! there could only be one reads as it did, and one is still written so.

use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// None, one or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written<T>", into = "Written<T>")]
#[serde(bound(serialize = "T: Serialize + Clone", deserialize = "T: Deserialize<'de>"))]
pub struct Few<T>(Vec<T>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<T> {
    None,
    One(T),
    Several(Vec<T>),
}

impl<T> From<Written<T>> for Few<T> {
    fn from(written: Written<T>) -> Self {
        match written {
            Written::None => Self(Vec::new()),
            Written::One(one) => Self(vec![one]),
            Written::Several(all) => Self(all),
        }
    }
}

impl<T> From<Few<T>> for Written<T> {
    fn from(Few(mut all): Few<T>) -> Self {
        match (all.pop(), all.is_empty()) {
            (None, _) => Self::None,
            (Some(one), true) => Self::One(one),
            (Some(last), false) => {
                all.push(last);
                Self::Several(all)
            }
        }
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T, const N: usize> From<[T; N]> for Few<T> {
    fn from(items: [T; N]) -> Self {
        Self(items.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn one_is_written_as_before_there_were_several() {
        for (json, items) in
            [("null", vec![]), (r#""a""#, vec!["a"]), (r#"["a","b"]"#, vec!["a", "b"])]
        {
            let few: Few<String> = serde_json::from_str(json).expect("reads");
            assert_eq!(few.to_vec(), items);
            assert_eq!(serde_json::to_string(&few).expect("writes"), json);
        }
        let one: Few<String> = serde_json::from_str(r#"["a"]"#).expect("reads");
        assert_eq!(one, Few::from(["a".to_owned()]));
        for wrong in ["5", "{}", r#"["a", 5]"#, "[null]"] {
            assert!(serde_json::from_str::<Few<String>>(wrong).is_err(), "{wrong}");
        }
    }
}
