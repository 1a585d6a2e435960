//! The port to a store of objects: what a journal in a bucket needs of it, and nothing more.
//!
//! **Invariant:** a write is conditional. An error says whether the write had no effect or may have had
//! one; it never leaves that open.

use std::fmt;

/// Objects below one prefix of one bucket. Keys are relative to the prefix.
pub trait Objects: Send + Sync + fmt::Debug {
    /// The newest object under `key`, which an acknowledged write has reached before this call began.
    ///
    /// # Errors
    /// It cannot be read.
    fn get(&self, key: &str) -> Result<Option<Object>, ObjectError>;

    /// The objects under `keys`, in their order. An implementation may fetch several at once.
    ///
    /// # Errors
    /// One of them cannot be read.
    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Object>>, ObjectError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Writes under a key that nothing is under.
    ///
    /// # Errors
    /// `Taken` when something is, `Unclear`, `Failed`.
    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<Tag, ObjectError>;

    /// Writes over the object with this tag.
    ///
    /// # Errors
    /// `Taken` when another object is there or none, `Unclear`, `Failed`.
    fn put_if_match(&self, key: &str, bytes: &[u8], tag: &Tag) -> Result<Tag, ObjectError>;

    /// All keys that begin with `prefix` and come after `after`, in the order of their bytes.
    ///
    /// # Errors
    /// They cannot be listed.
    fn list_after(&self, prefix: &str, after: &str) -> Result<Vec<String>, ObjectError>;

    /// Names of the directories directly below `prefix`, which ends with a slash or is empty.
    ///
    /// # Errors
    /// They cannot be listed.
    fn directories(&self, prefix: &str) -> Result<Vec<String>, ObjectError>;

    /// What people know the place by: `s3://bucket/prefix`.
    fn place(&self) -> &str;
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// What tells it from every other object that was or will be under its key.
    pub tag: Tag,
}

/// A version of an object, as its store names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub String);

/// Why an object was not read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectError {
    /// The condition of a write does not hold. It may be an earlier try of ours that is in the way.
    Taken,
    /// The write may or may not have had an effect.
    Unclear(String),
    /// There was no effect.
    Failed(BucketProblem, String),
}

/// What is wrong with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketProblem {
    /// There is no such bucket.
    NoSuchBucket,
    /// Credentials are missing, have ended, or do not suffice.
    AccessDenied,
    /// It is in another region than was said.
    WrongRegion,
    /// More requests than it takes, for longer than was waited.
    Throttled,
    /// Nobody answers, or the answer makes no sense.
    Unreachable,
}

impl BucketProblem {
    /// Its code in messages.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSuchBucket => "no-such-bucket",
            Self::AccessDenied => "access-denied",
            Self::WrongRegion => "wrong-region",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
        }
    }

    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::NoSuchBucket => {
                "create the bucket, in a region that no runbook assumes lost, or correct its name"
            }
            Self::AccessDenied => {
                "log in; the caller needs s3:ListBucket on the bucket and s3:GetObject and \
                 s3:PutObject below the prefix"
            }
            Self::WrongRegion => "correct `region` of the journal, or leave it out",
            Self::Throttled => "wait, and try again; a run that stopped can be resumed",
            Self::Unreachable => {
                "check network, endpoint and region; a run that stopped can be resumed"
            }
        }
    }
}

impl fmt::Display for BucketProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
