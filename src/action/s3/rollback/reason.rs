//! Why a key is not brought back.
//!
//! **Invariant:** each says what is missing and what would help.

use crate::base::clock::format_instant;
use crate::base::redact::redact_line;
use chrono::{DateTime, Utc};

/// Longest text of a server in a reason, characters.
const LONGEST: usize = 200;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It was written without version ids since: what was there before is overwritten.
    Overwritten(DateTime<Utc>),
    /// Its history begins after the instant, and older versions may have expired after so many days.
    HistoryExpired(i32),
    /// Its history begins after the instant, and nobody may read what expires.
    HistoryUnknown(String),
    /// The version lies in an archive.
    Archived(String),
    /// It is encrypted with a key that only its owner has.
    CustomerKey,
    /// It is larger than what can be copied in parts.
    TooLarge(u64),
    /// These credentials may not.
    Denied(String),
    /// S3 refused for good: code and words.
    Refused(String, String),
    /// The version is gone since it was listed.
    Gone,
    /// It was never found as it had been seen, in so many tries.
    Restless(u32),
}

impl Reason {
    /// Its name in reports.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Overwritten(_) => "overwritten",
            Self::HistoryExpired(_) => "history_expired",
            Self::HistoryUnknown(_) => "history_unknown",
            Self::Archived(_) => "archived",
            Self::CustomerKey => "customer_key",
            Self::TooLarge(_) => "too_large",
            Self::Denied(_) => "denied",
            Self::Refused(..) => "refused",
            Self::Gone => "gone",
            Self::Restless(_) => "restless",
        }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Overwritten(at) => format!(
                "written without a version id at {}: what it was before may be overwritten",
                format_instant(*at)
            ),
            Self::HistoryExpired(days) => format!(
                "its history begins later, and older versions expire after {days} days: whether it existed \
                 is not known; --delete-uncertain deletes it"
            ),
            Self::HistoryUnknown(why) => format!(
                "its history begins later, and what expires cannot be read ({}); --delete-uncertain \
                 deletes it",
                redact_line(why, LONGEST)
            ),
            Self::Archived(class) => {
                format!("the version lies in {class}: restore it first (aws s3api restore-object)")
            }
            Self::CustomerKey => {
                "encrypted with a customer's key (SSE-C), which drctl does not have".to_owned()
            }
            Self::TooLarge(bytes) => {
                format!("{bytes} bytes: more than can be copied in parts")
            }
            Self::Denied(what) => format!("not allowed: {}", redact_line(what, LONGEST)),
            Self::Refused(code, message) => {
                format!("S3 refused: {code}: {}", redact_line(message, LONGEST))
            }
            Self::Gone => "the version was removed for good since it was listed".to_owned(),
            Self::Restless(tries) => {
                format!("{tries} tries found something else on top each time: try again later")
            }
        }
    }
}
