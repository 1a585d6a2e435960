//! How every key of a bucket stands against an instant, one by one: for a report of a roll-back.
//!
//! **Invariant:** reads only, and holds a page at a time.

use super::rollback::{Asked, CHUNK, Change, Ground, Reach, Scan, Scope, Standing, ground};
use crate::action::outcome::ActionError;
use crate::cloud::EstateView;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A key in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SurveyedKey {
    /// The key.
    pub key: String,
    /// `unchanged`, `restored`, `undeleted`, `deleted` (this roll-back's doing, as the bucket shows it);
    /// `to_restore`, `to_undelete`, `to_delete` (not done); `conflict`, `unrestorable`.
    pub state: String,
    /// Version id that is, or would be, on top again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Bytes copied, or to be copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Why it cannot be brought back: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl SurveyedKey {
    fn of(key: String, standing: Standing) -> Self {
        let plain = |state: &str| Self {
            key: key.clone(),
            state: state.to_owned(),
            version: None,
            bytes: None,
            reason: None,
            why: None,
        };
        match standing {
            Standing::AsWanted { by: None } => plain("unchanged"),
            Standing::AsWanted { by: Some((kind, bytes)) } => {
                Self { bytes: Some(bytes), ..plain(kind.past()) }
            }
            Standing::ToDo(change) => Self {
                version: change.version().map(str::to_owned),
                bytes: matches!(change, Change::Copy { .. }).then(|| change.bytes()),
                ..plain(&format!("to_{}", change.kind().word()))
            },
            Standing::Conflict => {
                let why = "written since the plan, kept".to_owned();
                Self { why: Some(why), ..plain("conflict") }
            }
            Standing::Lost(reason) => Self {
                reason: Some(reason.code()),
                why: Some(reason.text()),
                ..plain("unrestorable")
            },
        }
    }
}

/// What is surveyed.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'a> {
    /// Reads.
    pub view: &'a EstateView,
    /// Region of the bucket.
    pub region: &'a str,
    /// Its name.
    pub bucket: &'a str,
    /// What keys begin with.
    pub prefix: Option<&'a str>,
    /// The one key.
    pub key: Option<&'a str>,
    /// The instant.
    pub to: DateTime<Utc>,
    /// When the roll-back was planned: what was written later is its own, or a conflict.
    pub as_of: DateTime<Utc>,
    /// Whether keys of which nobody knows whether they existed count as not having existed.
    pub delete_uncertain: bool,
    /// The present instant.
    pub now: DateTime<Utc>,
}

impl Survey<'_> {
    /// Reads every key in order and hands each to `each`.
    ///
    /// # Errors
    /// The bucket cannot be read or has no history, or `each` says so.
    pub async fn each<E: From<ActionError>>(
        &self,
        each: &mut (dyn FnMut(SurveyedKey) -> Result<(), E> + Send),
    ) -> Result<(), E> {
        let asked = Asked {
            bucket: self.bucket.to_owned(),
            scope: Scope::of(self.prefix, self.key)?,
            to: self.to,
            undoes: None,
            remove_markers: false,
            delete_uncertain: self.delete_uncertain,
            batch: 1,
        };
        let place = (self.view, self.region);
        let terms = match ground(place, &asked, Some(self.as_of), self.now).await? {
            Ground::Ready(found) => found.0,
            Ground::Never { why, help } => return Err(ActionError::refused(why, help).into()),
        };
        let reach = Reach { view: self.view, region: self.region, bucket: self.bucket };
        let mut scan = Scan::new(reach, &terms, &asked.scope, None);
        loop {
            let decided = scan.next(CHUNK).await.map_err(ActionError::from)?;
            if decided.is_empty() {
                return Ok(());
            }
            for one in decided {
                each(SurveyedKey::of(one.key, one.standing))?;
            }
        }
    }
}
