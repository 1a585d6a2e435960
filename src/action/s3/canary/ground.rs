//! Where canaries go: both buckets with their regions, and the keys that a rule selects.
//!
//! **Invariant:** a canary is put only where a rule would copy it and where it can be removed again.

use super::watch::{Left, Side};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::ActionError;
use crate::action::s3::check_replication::bucket;
use crate::action::s3::judge::{Judgement, judge};
use crate::action::s3::subject::{Destination, Question, Subject};
use crate::cloud::model::{BucketSettings, ObjectLock, ReplicationRule, canaries_of};
use crate::cloud::{CloudError, ErrorClass, EstateView, PermitError};
use std::collections::BTreeMap;

/// Both buckets, and what a canary needs to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ground {
    /// The bucket that canaries are put into, and its region.
    pub(crate) source: (String, String),
    /// The bucket that their copies come to, and its region.
    pub(crate) destination: (String, String),
    /// What the keys of this step's canaries begin with.
    pub(crate) keys: String,
    /// Tags that the rule wants.
    pub(crate) tags: BTreeMap<String, String>,
}

/// Why there can be no canary: what, and what to do.
pub(crate) type NoGround = (String, String);

impl Ground {
    /// Region and name of a side.
    pub(crate) fn place(&self, side: Side) -> (&str, &str) {
        let (name, region) = match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        };
        (region, name)
    }

    /// Every version and delete marker under the keys, in both buckets (S3 `ListObjectVersions`).
    pub(crate) async fn left(&self, view: &EstateView) -> Result<Vec<Left>, CloudError> {
        let mut left = Vec::new();
        for side in [Side::Source, Side::Destination] {
            let (region, name) = self.place(side);
            let entries = view.canary_entries(region, (name, &self.keys)).await?;
            left.extend(entries.into_iter().map(|entry| Left { side, entry }));
        }
        Ok(left)
    }

    /// Removes entries, each by its version id and under its own permit.
    pub(crate) async fn remove(
        &self,
        context: &WriteContext<'_>,
        left: &[Left],
    ) -> Result<Option<String>, ActionError> {
        let mut request_id = None;
        for Left { side, entry } in left {
            let (region, name) = self.place(*side);
            let run = context.read.scope.run;
            let permit = match context.read.view.canary_permit(region, name, entry, run).await {
                Ok(permit) => permit,
                Err(PermitError::Absent { .. }) => continue,
                Err(PermitError::Cloud(error)) => return Err(error.into()),
                Err(other) => {
                    let help = "drctl removes only what its own run put: look at it by hand";
                    return Err(ActionError::refused(other.to_string(), help));
                }
            };
            request_id = context.writer.remove_canary(&permit).await?.request_id;
        }
        Ok(request_id)
    }
}

/// What an act that nothing was decided for answers.
pub(crate) fn undecided() -> ActionError {
    CloudError {
        class: ErrorClass::Temporary,
        operation: "s3:PutObject".to_owned(),
        region: String::new(),
        code: None,
        message: "not sent: nothing was looked at before".to_owned(),
        request_id: None,
    }
    .into()
}

/// Reads both buckets and finds a place for canaries.
pub(crate) async fn find(
    context: &ReadContext<'_>,
) -> Result<Result<(Ground, Judgement), NoGround>, ActionError> {
    let scope = &context.scope;
    let source = bucket(scope, "source")?.unwrap_or_default();
    let destination = bucket(scope, "destination")?.unwrap_or_default();
    if source == destination {
        let why = "source and destination are one bucket".to_owned();
        return Err(ActionError::Input { name: "destination".to_owned(), why });
    }
    let question = Question {
        source: source.clone(),
        destination: Some(destination.clone()),
        ..Question::default()
    };
    let subject = match Subject::read(context.view, question).await? {
        Ok(subject) => subject,
        Err(missing) => {
            let why = format!("there is no bucket `{}`", missing.0);
            return Ok(Err((why, "check its name in the estate file".to_owned())));
        }
    };
    let judgement = judge(&subject);
    Ok(match placed(scope, &subject, &judgement) {
        Ok(ground) => Ok((ground, judgement)),
        Err(why) => Err(why),
    })
}

fn placed(
    scope: &StepScope<'_>,
    subject: &Subject,
    judgement: &Judgement,
) -> Result<Ground, NoGround> {
    if judgement.replicating == Some(false) {
        let first = judgement.findings.first();
        let told = first.map(|found| (found.to_string(), found.remedy.clone()));
        return Err(told.unwrap_or_default());
    }
    let name = subject.question.destination.clone().unwrap_or_default();
    let to = match subject.destinations.get(&name) {
        Some(Destination::Settings(to)) => to,
        Some(Destination::Missing | Destination::Unseen(_)) | None => {
            let why = format!("`{name}` cannot be looked at, so no copy could be seen there");
            return Err((why, "let this role read the destination".to_owned()));
        }
    };
    for settings in [&subject.source, &**to] {
        if let Some(why) = keeps(settings) {
            return Err((
                why,
                "measure another bucket, or look at CloudWatch's figures".to_owned(),
            ));
        }
    }
    let asked = scope.text("prefix").unwrap_or_default();
    let Some((prefix, rule)) = chosen(subject, asked) else {
        let why =
            format!("no rule of `{}` copies keys of `{asked}` to `{name}`", subject.source.bucket);
        return Err((why, "name a `prefix` that a rule selects".to_owned()));
    };
    Ok(Ground {
        source: (subject.source.bucket.clone(), subject.source.region.clone()),
        destination: (name, to.region.clone()),
        keys: format!(
            "{}{}/",
            canaries_of(&prefix, scope.run),
            scope.step.as_str().replace('/', ".")
        ),
        tags: rule.tags.clone(),
    })
}

/// Why what is written here could not be removed again.
fn keeps(settings: &BucketSettings) -> Option<String> {
    let lock: &ObjectLock = settings.object_lock.known()?;
    let mode = lock.mode.as_ref().filter(|_| lock.enabled)?;
    let bucket = &settings.bucket;
    Some(format!(
        "`{bucket}` locks every new object ({mode}): a canary could not be removed from it"
    ))
}

/// A rule that copies canaries, and what their keys have to begin with: one without tags before others.
fn chosen<'a>(subject: &'a Subject, asked: &str) -> Option<(String, &'a ReplicationRule)> {
    let mut rules: Vec<&ReplicationRule> = subject.enabled().collect();
    rules.sort_by_key(|rule| (!rule.tags.is_empty(), rule.prefix.len()));
    rules.into_iter().find_map(|rule| {
        if asked.starts_with(&rule.prefix) {
            Some((asked.to_owned(), rule))
        } else if rule.prefix.starts_with(asked) {
            Some((rule.prefix.clone(), rule))
        } else {
            None
        }
    })
}
