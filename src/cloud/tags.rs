//! The tags of everything that drctl creates: whose it is, and from when on it may be swept.
//!
//! **Invariant:** a creating call carries all four tags or does not leave, and what is read back from
//! AWS is whole or named as what it lacks.

use crate::base::clock::{format_instant, parse_instant};
use crate::base::ids::{RunId, StepKey};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Tag that names the run which created a resource.
pub const RUN_TAG: &str = "drctl:run";

/// Tag that names the step which created it.
pub const STEP_TAG: &str = "drctl:step";

/// Tag that names who ran that run.
pub const OWNER_TAG: &str = "drctl:owner";

/// Tag with the instant from which on it may be swept.
pub const EXPIRES_TAG: &str = "drctl:expires";

/// Tag of what shall never be swept; its value says why. `drctl run` gives it to what it makes, and people
/// give it to what they want to keep.
pub const KEEP_TAG: &str = "drctl:keep";

/// What all tags of ours begin with.
const PREFIX: &str = "drctl:";

/// Longest value of a tag that AWS takes, characters.
const LONGEST: usize = 256;

/// What the four tags of a resource say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The run that created it.
    pub run: RunId,
    /// The step that created it.
    pub step: StepKey,
    /// Who ran that run.
    pub owner: String,
    /// From when on it may be swept.
    pub expires: DateTime<Utc>,
}

/// Why tags of ours say nothing that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarksError {
    /// A tag is not there.
    #[error("it has drctl's tags, but `{0}` is not among them")]
    Missing(&'static str),
    /// A tag's value is none that drctl writes.
    #[error("its tag `{tag}` is `{value}`, which is no {wanted}")]
    Malformed {
        /// The tag.
        tag: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Marks {
    /// The tags as a creating call carries them.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let expires = format_instant(self.expires);
        let step = self.step.as_str().replace('[', "/").replace(']', "");
        [
            (RUN_TAG, self.run.as_str()),
            (STEP_TAG, &step),
            (OWNER_TAG, &self.owner),
            (EXPIRES_TAG, &expires),
        ]
        .into_iter()
        .map(|(tag, value)| (tag.to_owned(), tag_value(value)))
        .collect()
    }

    /// The tags of what a run hands over: those of [`Self::tags`], and that no sweep removes it.
    pub fn kept(&self) -> BTreeMap<String, String> {
        let why = tag_value(&format!("run {} made it to be used", self.run));
        let mut tags = self.tags();
        tags.insert(KEEP_TAG.to_owned(), why);
        tags
    }

    /// What the tags of a resource say; `None` when none of them is ours.
    ///
    /// # Errors
    /// The first of the four that is missing or malformed.
    pub fn read(tags: &BTreeMap<String, String>) -> Result<Option<Self>, MarksError> {
        if !tags.keys().any(|tag| tag.starts_with(PREFIX)) {
            return Ok(None);
        }
        let value = |tag: &'static str| {
            let found = tags.get(tag).map(String::as_str).filter(|value| !value.is_empty());
            found.ok_or(MarksError::Missing(tag))
        };
        let malformed = |tag: &'static str, value: &str, wanted: &'static str| {
            MarksError::Malformed { tag, value: value.to_owned(), wanted }
        };
        let (run, step) = (value(RUN_TAG)?, value(STEP_TAG)?);
        let (owner, expires) = (value(OWNER_TAG)?, value(EXPIRES_TAG)?);
        Ok(Some(Self {
            run: RunId::parse(run).ok_or_else(|| malformed(RUN_TAG, run, "id of a run"))?,
            step: match step.split_once('/') {
                None => StepKey::new(step),
                Some((id, item)) => StepKey::item(id, item),
            },
            owner: owner.to_owned(),
            expires: parse_instant(expires)
                .ok_or_else(|| malformed(EXPIRES_TAG, expires, "instant"))?,
        }))
    }
}

/// `text` with an underscore for each character that RDS takes in no tag (it takes letters, digits,
/// blanks and `_.:/=+-@`), and cut to the length that it takes.
pub fn tag_value(text: &str) -> String {
    let taken = |character: char| {
        character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
    };
    let clean: String = text
        .chars()
        .map(|character| if taken(character) { character } else { '_' })
        .take(LONGEST)
        .collect();
    if clean.trim().is_empty() { "unknown".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::base::seed::Seed;

    fn marks(step: StepKey, owner: &str) -> Marks {
        let run = RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"));
        Marks { run, step, owner: owner.to_owned(), expires: simulated_epoch() }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for marks in [
            marks(StepKey::new("restore"), "ada"),
            marks(StepKey::item("restore", "orders"), "ada@example.com"),
        ] {
            assert_eq!(Marks::read(&marks.tags()), Ok(Some(marks.clone())));
            let kept = marks.kept();
            assert!(kept[KEEP_TAG].contains(marks.run.as_str()) && kept.len() == 5, "{kept:?}");
            assert_eq!(Marks::read(&kept), Ok(Some(marks)));
        }
    }

    #[test]
    fn every_value_is_one_that_rds_takes() {
        let tags = marks(StepKey::item("restore", "a[b]"), "Ada (on call) 'x' ü").tags();
        assert_eq!(tags[OWNER_TAG], "Ada _on call_ _x_ ü");
        assert_eq!(tags[STEP_TAG], "restore/a/b");
        assert_eq!(marks(StepKey::new("a"), "").tags()[OWNER_TAG], "unknown");
        assert_eq!(marks(StepKey::new("a"), &"x".repeat(999)).tags()[OWNER_TAG].len(), 256);
    }

    #[test]
    fn tags_that_are_not_whole_are_named_and_others_are_nothing() {
        let whole = marks(StepKey::new("restore"), "ada").tags();
        for tag in [RUN_TAG, STEP_TAG, OWNER_TAG, EXPIRES_TAG] {
            let mut tags = whole.clone();
            tags.remove(tag);
            assert_eq!(Marks::read(&tags), Err(MarksError::Missing(tag)));
            tags.insert(tag.to_owned(), String::new());
            assert_eq!(Marks::read(&tags), Err(MarksError::Missing(tag)));
        }
        for (tag, value) in
            [(RUN_TAG, "not a run"), (EXPIRES_TAG, "tomorrow"), (EXPIRES_TAG, "2026-13-01")]
        {
            let mut tags = whole.clone();
            tags.insert(tag.to_owned(), value.to_owned());
            let error = Marks::read(&tags).expect_err("malformed").to_string();
            assert!(error.contains(tag) && error.contains(value), "{error}");
        }
        let others = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        assert_eq!(Marks::read(&others), Ok(None));
        assert_eq!(Marks::read(&BTreeMap::new()), Ok(None));
        let kept = BTreeMap::from([(KEEP_TAG.to_owned(), "yes".to_owned())]);
        assert_eq!(Marks::read(&kept), Err(MarksError::Missing(RUN_TAG)));
    }
}
