//! Reads histories in order and decides about each, some at a time.
//!
//! **Invariant:** what comes out is in the order of keys, and none is left out.

use super::change::Standing;
use super::history::History;
use super::look::Reach;
use super::standing::standing;
use super::terms::Terms;
use super::walk::Walker;
use crate::action::outcome::ActionError;
use crate::cloud::CloudError;
use futures_util::{StreamExt as _, TryStreamExt as _};

/// Keys that are decided about together.
pub(crate) const CHUNK: usize = 64;

/// Keys that are looked at further at a time.
const AT_A_TIME: usize = 16;

/// Which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that begin so; all of them, when it is empty.
    Prefix(String),
    /// One.
    Key(String),
}

/// Longest key of S3, bytes.
const LONGEST_KEY: usize = 1_024;

impl Scope {
    /// Of a prefix or a key; of all keys when neither is given.
    ///
    /// # Errors
    /// Both are given, or one is longer than any key.
    pub(crate) fn of(prefix: Option<&str>, key: Option<&str>) -> Result<Self, ActionError> {
        let wrong = |name: &str, why: String| ActionError::Input { name: name.to_owned(), why };
        let (name, scope) = match (prefix, key) {
            (Some(_), Some(_)) => {
                return Err(wrong("key", "give a prefix or one key, not both".to_owned()));
            }
            (_, Some(key)) => ("key", Self::Key(key.to_owned())),
            (prefix, None) => ("prefix", Self::Prefix(prefix.unwrap_or_default().to_owned())),
        };
        if scope.prefix().len() > LONGEST_KEY {
            return Err(wrong(name, format!("no key of S3 is longer than {LONGEST_KEY} bytes")));
        }
        Ok(scope)
    }

    /// What the keys begin with.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Prefix(text) | Self::Key(text) => text,
        }
    }

    /// The one key.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Prefix(_) => None,
            Self::Key(key) => Some(key),
        }
    }
}

/// A key, decided about.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    /// The key.
    pub(crate) key: String,
    /// How it stands.
    pub(crate) standing: Standing,
    /// Whether several entries were written in the very second of the instant.
    pub(crate) close: bool,
    /// Whether anything of it is as old as the instant.
    pub(crate) existed: bool,
}

/// Reads keys in order.
pub(crate) struct Scan<'a> {
    reach: Reach<'a>,
    terms: &'a Terms,
    walker: Walker,
}

impl<'a> Scan<'a> {
    /// Of `scope`, from the first key after `after` on.
    pub(crate) fn new(
        reach: Reach<'a>,
        terms: &'a Terms,
        scope: &Scope,
        after: Option<&str>,
    ) -> Self {
        Self { reach, terms, walker: Walker::new(scope, terms, after) }
    }

    /// The next keys, at most `most`; none is the end.
    ///
    /// # Errors
    /// S3 cannot say.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Decided>, CloudError> {
        let histories = self.walker.take(self.reach, most.clamp(1, CHUNK)).await?;
        let (reach, terms) = (self.reach, self.terms);
        futures_util::stream::iter(histories)
            .map(|history| decided(history, terms, reach))
            .buffered(AT_A_TIME)
            .try_collect()
            .await
    }

    /// One key alone; `None` when it has no history.
    ///
    /// # Errors
    /// S3 cannot say.
    pub(crate) async fn one(
        reach: Reach<'a>,
        terms: &'a Terms,
        key: &str,
    ) -> Result<Option<Decided>, CloudError> {
        let mut scan = Self::new(reach, terms, &Scope::Key(key.to_owned()), None);
        Ok(scan.next(1).await?.into_iter().next())
    }
}

async fn decided(history: History, terms: &Terms, reach: Reach<'_>) -> Result<Decided, CloudError> {
    let standing = standing(&history, terms, &reach).await?;
    let (close, existed) = (history.in_second > 1, history.wanted.is_some());
    Ok(Decided { key: history.key().to_owned(), standing, close, existed })
}
