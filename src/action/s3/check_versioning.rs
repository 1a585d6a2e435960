//! `s3.check_versioning`: whether a bucket can be brought back to an instant.
//!
//! **Invariant:** what nobody may read is unknown, never fine.

use super::rollback::{Asked, Ground, ground};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use async_trait::async_trait;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckVersioning {
    spec: ActionSpec,
}

impl Default for CheckVersioning {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "s3.check_versioning",
            summary: "Checks that a bucket keeps versions, and that its history reaches back to an instant.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("bucket", Type::String, "name of the bucket"),
                Field::optional("prefix", Type::String, "only keys that begin so"),
                Field::optional("key", Type::String, "only this key"),
                Field::required("to", Type::Time, "the instant"),
                Field::optional(
                    "delete_uncertain",
                    Type::Bool,
                    "whether it is meant that everything younger than the instant is deleted",
                ),
            ],
            outputs: vec![
                Field::required("versioning", Type::String, "Enabled"),
                Field::optional(
                    "history_days",
                    Type::Int,
                    "days after which versions that were replaced are gone, if that is before now",
                ),
            ],
            calls: &[
                "s3:GetBucketLifecycleConfiguration",
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketReplication",
                "s3:GetBucketVersioning",
                "s3:GetObjectLockConfiguration",
                "s3:ListObjectVersions",
            ],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws s3api get-bucket-versioning --region {region} --bucket {bucket}\n\
                      aws s3api get-bucket-lifecycle-configuration --region {region} --bucket {bucket}",
            default_timeout: Duration::from_secs(15 * 60),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

#[async_trait]
impl Action for CheckVersioning {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let asked = Asked::read(&context.scope)?;
        let summary = format!(
            "check that {} can be brought back to {}",
            asked.place(),
            format_instant(asked.to)
        );
        let found = match self.observe(context).await? {
            Observation::Done(done) => done,
            Observation::Absent
            | Observation::InProgress { .. }
            | Observation::Partly { .. }
            | Observation::Gate { .. }
            | Observation::Waiting { .. }
            | Observation::Broken { .. } => {
                return Ok(Preview { summary, ..Preview::default() });
            }
        };
        let (mut wont, mut warnings) = (None, Vec::new());
        match found.verdict {
            Verdict::Pass => {}
            Verdict::Warn(texts) => warnings = texts,
            Verdict::Fail { why, help } => wont = Some(format!("{why}; {help}")),
            Verdict::Unknown { why } => warnings.push(why),
        }
        Ok(Preview { summary, wont, warnings, outputs: found.outputs, ..Preview::default() })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let asked = Asked::read(scope)?;
        let place = (context.view, scope.region);
        let (terms, settings) = match ground(place, &asked, None, scope.now).await? {
            Ground::Ready(found) => *found,
            Ground::Never { why, help } => {
                let outputs = self.spec.unknown_outputs(&why);
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { outputs, verdict, ..Done::default() }));
            }
        };
        let days = terms.history_ends(asked.scope.prefix());
        let mut warnings = Vec::new();
        if let Some(days) = days {
            warnings.push(format!(
                "versions expire {days} days after they were replaced: the history may not be whole"
            ));
        }
        warnings.extend(terms.unread.map(|why| format!("what expires cannot be read: {why}")));
        let word = settings.versioning.known().map_or("", |found| found.word());
        let days = days.map_or(Value::Null, |days| Value::Int(days.into()));
        Ok(Observation::Done(Done {
            outputs: Values::from([
                ("versioning".to_owned(), Value::text(word)),
                ("history_days".to_owned(), days),
            ]),
            verdict: if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) },
            evidence: vec![(
                "bucket.versioning".to_owned(),
                word.to_owned(),
                "GetBucketVersioning".to_owned(),
            )],
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        unreachable!("a check is never absent")
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("s3:GetBucketVersioning".to_owned(), Asked::target(scope))
    }
}
