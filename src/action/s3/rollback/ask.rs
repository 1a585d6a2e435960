//! What a step asks for, and whether the bucket can give it.
//!
//! **Invariant:** a bucket that keeps no versions now is not written to: a write would replace the version
//! without an id.

use super::history::second;
use super::look::Reach;
use super::scan::Scope;
use super::terms::{Direction, Terms};
use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::base::clock::format_instant;
use crate::cloud::model::{BucketKeeping, Setting, Versioning};
use crate::cloud::{CloudError, EstateView};
use chrono::{DateTime, TimeDelta, Utc};

/// Objects of a batch, unless the step says otherwise.
const BATCH: u32 = 1_000;

/// What a step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The bucket.
    pub(crate) bucket: String,
    /// Which keys.
    pub(crate) scope: Scope,
    /// The instant.
    pub(crate) to: DateTime<Utc>,
    /// The instant of the roll-back that is taken back.
    pub(crate) undoes: Option<DateTime<Utc>>,
    /// Whether delete markers are removed where that suffices.
    pub(crate) remove_markers: bool,
    /// Whether keys are deleted of which it is not certain that they did not exist.
    pub(crate) delete_uncertain: bool,
    /// Objects of a batch.
    pub(crate) batch: usize,
}

/// Whether the bucket can give it.
#[derive(Debug, Clone)]
pub(crate) enum Ground {
    /// It can, on these terms.
    Ready(Box<(Terms, BucketKeeping)>),
    /// It never will.
    Never {
        /// Why.
        why: String,
        /// What to do next.
        help: String,
    },
}

fn never(why: String, help: &str) -> Ground {
    Ground::Never { why, help: help.to_owned() }
}

impl Asked {
    /// Reads the inputs of a step.
    ///
    /// # Errors
    /// They are not usable.
    pub(crate) fn read(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let wrong = |name: &str, why: String| ActionError::Input { name: name.to_owned(), why };
        let given = |name: &str| scope.text(name).filter(|text| !text.is_empty());
        let keys = Scope::of(given("prefix"), given("key"))?;
        let to = scope.time("to").ok_or_else(|| wrong("to", "it is no instant".to_owned()))?;
        if to > scope.now {
            let now = format_instant(scope.now);
            return Err(wrong("to", format!("{} is later than now, {now}", format_instant(to))));
        }
        Ok(Self {
            bucket: scope.text("bucket").unwrap_or_default().to_owned(),
            scope: keys,
            to: second(to),
            undoes: scope.time("undoes").map(second),
            remove_markers: scope.boolean("remove_markers").unwrap_or(false),
            delete_uncertain: scope.boolean("delete_uncertain").unwrap_or(false),
            batch: scope.int_within("batch", 1..=10_000, BATCH)? as usize,
        })
    }

    /// Bucket and keys, for people.
    pub(crate) fn place(&self) -> String {
        match &self.scope {
            Scope::Prefix(prefix) if prefix.is_empty() => format!("bucket `{}`", self.bucket),
            Scope::Prefix(prefix) => {
                format!("keys of `{}` that begin with {}", self.bucket, super::shown(prefix))
            }
            Scope::Key(key) => format!("key {} of `{}`", super::shown(key), self.bucket),
        }
    }

    /// The same for the recorded intent.
    pub(crate) fn target(scope: &StepScope<'_>) -> String {
        let text = |name: &str| scope.text(name).unwrap_or_default();
        let to = scope.time("to").map(format_instant).unwrap_or_default();
        let key = if text("key").is_empty() { text("prefix") } else { text("key") };
        format!("{}/{key} as of {to}", text("bucket"))
    }

    /// Whether everything of the bucket is asked for.
    fn is_whole(&self) -> bool {
        self.scope.prefix().is_empty() && self.scope.key().is_none()
    }
}

/// Reads what the bucket is like. `as_of` is the instant of the plan, where that is known.
///
/// # Errors
/// S3 cannot say.
pub(crate) async fn ground(
    (view, region): (&EstateView, &str),
    asked: &Asked,
    as_of: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Ground, ActionError> {
    let settings = match view.bucket_keeping(region, &asked.bucket).await {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            let why = format!("there is no bucket `{}`", asked.bucket);
            return Ok(never(why, "check the name and the account"));
        }
        Err(error) => match elsewhere(&error, asked) {
            Some(ground) => return Ok(ground),
            None => return Err(error.into()),
        },
    };
    let bucket = &asked.bucket;
    match &settings.versioning {
        Setting::Known(Versioning::Enabled) => {}
        Setting::Known(Versioning::Suspended) => {
            let why = format!(
                "versioning of `{bucket}` is suspended: every write would replace the version without an \
                 id for good"
            );
            let help = "turn it on first: aws s3api put-bucket-versioning --versioning-configuration \
                        Status=Enabled";
            return Ok(never(why, help));
        }
        Setting::Absent => {
            let why = format!("versioning of `{bucket}` was never turned on: it has no history");
            return Ok(never(why, "restore from another copy: a replica, AWS Backup"));
        }
        Setting::Denied { operation, why } => {
            let why = format!("nobody knows whether `{bucket}` keeps versions: {operation}: {why}");
            return Ok(never(why, "let the role of this environment call the operation"));
        }
    }
    let as_of = as_of.unwrap_or_else(|| view.their_time(now));
    let direction = match asked.undoes {
        None => Direction::To { as_of: second(as_of) },
        Some(of) => Direction::Undo { of, since: None },
    };
    let mut terms = Terms {
        to: asked.to,
        direction,
        remove_markers: asked.remove_markers,
        delete_uncertain: asked.delete_uncertain,
        now,
        expiry: Vec::new(),
        unread: None,
    };
    terms.read(&settings);
    let reach = Reach { view, region, bucket };
    if asked.is_whole() && !asked.delete_uncertain && nothing_so_old(reach, &terms).await? {
        let why = format!(
            "nothing in `{bucket}` is as old as {}: all of it would be deleted",
            format_instant(asked.to)
        );
        let help =
            "check the instant; name a prefix or a key, or add --delete-uncertain if that is meant";
        return Ok(never(why, help));
    }
    Ok(Ground::Ready(Box::new((terms, settings))))
}

/// A bucket that is in another region.
fn elsewhere(error: &CloudError, asked: &Asked) -> Option<Ground> {
    let codes = ["PermanentRedirect", "AuthorizationHeaderMalformed"];
    codes.iter().any(|code| error.is(code)).then(|| {
        let why = format!("bucket `{}` is not in {}", asked.bucket, error.region);
        never(why, "say its region: `region` of the step, or of the bucket in the estate")
    })
}

/// Whether all entries are younger than the instant, and there are some.
async fn nothing_so_old(reach: Reach<'_>, terms: &Terms) -> Result<bool, CloudError> {
    let (mut next, mut any) = (None, false);
    let edge = terms.to + TimeDelta::seconds(1);
    loop {
        let page = reach.view.histories(reach.region, (reach.bucket, ""), next.as_ref()).await?;
        any |= !page.entries.is_empty();
        if page.entries.iter().any(|entry| entry.modified < edge) {
            return Ok(false);
        }
        next = page.next;
        if next.is_none() {
            return Ok(any);
        }
    }
}
