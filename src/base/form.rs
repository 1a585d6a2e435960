//! The form of a run: whether it waits until nothing is lost, or accepts a loss.
//!
//! **Invariant:** the words are those of files, expressions, journals and the command line alike.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The form in which a run does what can be done in two ways.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Waits until nothing is lost: a replica has caught up, a writer has stopped.
    #[default]
    Graceful,
    /// Does not wait for what may never come, and accepts the loss.
    Ungraceful,
}

impl Form {
    /// Both, with their words.
    pub const NAMES: [(&'static str, Self); 2] =
        [("graceful", Self::Graceful), ("ungraceful", Self::Ungraceful)];

    /// The words, in the order of [`Form::NAMES`].
    pub const WORDS: &'static [&'static str] = &["graceful", "ungraceful"];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graceful => Self::WORDS[0],
            Self::Ungraceful => Self::WORDS[1],
        }
    }

    /// The form that a word names; `None` when it names none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, form)| *form)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Graceful => Self::Ungraceful,
            Self::Ungraceful => Self::Graceful,
        }
    }

    /// Whether it is the one that every run had before there were two; for files that leave it out.
    pub fn is_graceful(&self) -> bool {
        *self == Self::Graceful
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_nothing_else_does() {
        for (word, form) in Form::NAMES {
            assert_eq!((form.name(), Form::parse(word)), (word, Some(form)));
            assert_eq!(serde_json::to_value(form).unwrap(), word);
            assert!(Form::WORDS.contains(&word) && form.other() != form);
        }
        for wrong in ["", "Graceful", "forced", "graceful "] {
            assert_eq!(Form::parse(wrong), None, "{wrong}");
        }
    }
}
