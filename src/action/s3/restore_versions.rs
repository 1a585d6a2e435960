//! `s3.restore_versions`: keys of a bucket as they were at an instant, by older versions on top.
//!
//! **Invariant:** no version is deleted or overwritten. What was written since the plan stays. Of all
//! entries only delete markers are removed, where a step says so, each by its version id and a permit.

use super::rollback::{
    Asked, Bulk, Direction, End, Foreseen, Ground, Reach, Scan, Tally, Terms, ground, notes,
    perform,
};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::Versioning;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Keys of a batch that are looked at again at a time.
const AGAIN_AT_A_TIME: usize = 16;

/// S3 takes some thousand writes a second for a prefix; a copy of a large object takes minutes.
const CITED: CitedDuration = (
    Duration::from_secs(1),
    Duration::from_secs(4 * 3600),
    "AWS: 3,500 writes a second for a prefix; large objects take as long as their copy",
);

/// The action.
#[derive(Debug)]
pub(crate) struct RestoreVersions {
    spec: ActionSpec,
}

impl Default for RestoreVersions {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "s3.restore_versions",
            summary: "Brings keys of a bucket back to how they were at an instant, by copying the versions of \
                      then on top; destroys none.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs: outputs(),
            calls: &[
                "s3:GetBucketLifecycleConfiguration",
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketReplication",
                "s3:GetBucketVersioning",
                "s3:GetObjectLockConfiguration",
                "s3:GetObjectTagging",
                "s3:HeadObject",
                "s3:ListObjectVersions",
                "s3:AbortMultipartUpload",
                "s3:CompleteMultipartUpload",
                "s3:CopyObject",
                "s3:CreateMultipartUpload",
                "s3:DeleteObject",
                "s3:UploadPartCopy",
            ],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "s3.restore_versions",
                inputs: undo_inputs,
            },
            role: Role::None,
            by_hand: "# Of each key: the newest entry that is not newer than {to} is what it was then.\n\
                      aws s3api list-object-versions --region {region} --bucket {bucket}[ --prefix {prefix}]\
                      [ --prefix {key}]\n\
                      # A version: copy it on top of its own key (KEY with percent signs).\n\
                      aws s3api copy-object --region {region} --bucket {bucket} --key KEY --copy-source \
                      {bucket}/KEY?versionId=VERSION\n\
                      # A delete marker, or nothing: put a delete marker.\n\
                      aws s3api delete-object --region {region} --bucket {bucket} --key KEY",
            default_timeout: Duration::from_secs(24 * 3600),
            poll_every: Duration::from_secs(1),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required("bucket", Type::String, "name of the bucket"),
        Field::optional("prefix", Type::String, "only keys that begin so"),
        Field::optional("key", Type::String, "only this key"),
        Field::required(
            "to",
            Type::Time,
            "the instant, to the second: what was written within that second counts as before it",
        ),
        Field::optional(
            "remove_markers",
            Type::Bool,
            "remove delete markers by their version id where that suffices, in place of a copy on top; an \
             undo does not put them back",
        ),
        Field::optional(
            "delete_uncertain",
            Type::Bool,
            "delete keys too of which older versions may have expired, so that nobody knows whether they \
             existed",
        ),
        Field::optional(
            "undoes",
            Type::Time,
            "the instant of the roll-back that this one takes back",
        ),
        Field::optional(
            "batch",
            Type::Int,
            "keys that are changed between two records, 1 to 10,000",
        ),
    ]
}

fn outputs() -> Vec<Field> {
    vec![
        Field::required("restored", Type::Int, "older versions that were put on top of newer ones"),
        Field::required("deleted", Type::Int, "delete markers that were put"),
        Field::required("undeleted", Type::Int, "deleted keys that are seen again"),
        Field::required("unchanged", Type::Int, "keys that were as wanted"),
        Field::required(
            "conflicts",
            Type::Int,
            "keys that somebody wrote since the plan; they stay",
        ),
        Field::required("unrestorable", Type::Int, "keys that cannot be brought back"),
        Field::required("bytes", Type::Int, "bytes that were copied"),
        Field::required("first_problems", Type::texts(), "what was not brought back, and why"),
        Field::required(
            "as_of",
            Type::Time,
            "when the plan was made, by the clock of S3: what was written later stays",
        ),
    ]
}

fn undo_inputs(inputs: &Values, outputs: &Values) -> Values {
    let from = |values: &Values, name: &str| values.get(name).cloned().unwrap_or(Value::Null);
    let mut undo: Values = ["bucket", "prefix", "key", "batch"]
        .into_iter()
        .map(|name| (name.to_owned(), from(inputs, name)))
        .collect();
    undo.insert("undoes".to_owned(), from(inputs, "to"));
    undo.insert("to".to_owned(), from(outputs, "as_of"));
    undo
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn given(tally: &Tally, as_of: DateTime<Utc>) -> Values {
    let problems = tally.problems.iter().map(Value::text).collect();
    Values::from([
        ("restored".to_owned(), int(tally.restored)),
        ("deleted".to_owned(), int(tally.deleted)),
        ("undeleted".to_owned(), int(tally.undeleted)),
        ("unchanged".to_owned(), int(tally.unchanged)),
        ("conflicts".to_owned(), int(tally.conflicts)),
        ("unrestorable".to_owned(), int(tally.unrestorable)),
        ("bytes".to_owned(), int(tally.bytes)),
        ("first_problems".to_owned(), Value::List(problems)),
        ("as_of".to_owned(), Value::Time(as_of)),
    ])
}

/// What is predicted, and compared after.
fn settled(tally: &Tally) -> BTreeMap<String, serde_json::Value> {
    [
        ("restored", tally.restored),
        ("deleted", tally.deleted),
        ("undeleted", tally.undeleted),
        ("unchanged", tally.unchanged),
        ("conflicts", tally.conflicts),
        ("unrestorable", tally.unrestorable),
        ("bytes", tally.bytes),
    ]
    .into_iter()
    .map(|(name, count)| (name.to_owned(), json!(count)))
    .collect()
}

/// The instant that divides what the plan knew from what came since.
fn edge(terms: &Terms) -> DateTime<Utc> {
    match terms.direction {
        Direction::To { as_of } => as_of,
        Direction::Undo { .. } => terms.to,
    }
}

impl RestoreVersions {
    async fn begun(
        context: &ReadContext<'_>,
        asked: &Asked,
    ) -> Result<Result<Bulk, (String, String)>, ActionError> {
        let scope = &context.scope;
        let known = context.memory.bulk().clone();
        if known.terms.is_some() {
            return Ok(Ok(known));
        }
        let planned = scope.planned_time("as_of").filter(|_| asked.undoes.is_none());
        Ok(
            match ground((context.view, scope.region), asked, planned.or(scope.began), scope.now)
                .await?
            {
                Ground::Ready(found) => Ok(Bulk::begin(found.0, scope.progress)),
                Ground::Never { why, help } => Err((why, help)),
            },
        )
    }

    /// Looks again at what is left of a batch, then reads on until the next one is full.
    async fn advance(bulk: &mut Bulk, asked: &Asked, reach: Reach<'_>) -> Result<(), ActionError> {
        let terms = bulk.terms.clone().expect("it has begun");
        if bulk.acted {
            let left = std::mem::take(&mut bulk.batch);
            let terms = &terms;
            let keys: Vec<String> = left.iter().map(|task| task.key.clone()).collect();
            let looks = futures_util::stream::iter(keys)
                .map(|key| async move { Scan::one(reach, terms, &key).await })
                .buffered(AGAIN_AT_A_TIME);
            let found: Vec<_> = looks.try_collect().await?;
            left.iter().zip(found).for_each(|(task, found)| bulk.again(task, found));
            bulk.acted = false;
        }
        while bulk.batch.is_empty() && !bulk.ended {
            bulk.open();
            let after = bulk.after().map(str::to_owned);
            let mut scan = Scan::new(reach, &terms, &asked.scope, after.as_deref());
            while bulk.batch.len() < asked.batch {
                let decided = scan.next(asked.batch - bulk.batch.len()).await?;
                if decided.is_empty() {
                    bulk.end();
                    break;
                }
                bulk.take(decided);
            }
            bulk.announce();
        }
        Ok(())
    }
}

#[async_trait]
impl Action for RestoreVersions {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let asked = Asked::read(scope)?;
        let summary = format!("bring {} back to {}", asked.place(), format_instant(asked.to));
        let (terms, settings) =
            match ground((context.view, scope.region), &asked, None, scope.now).await? {
                Ground::Ready(found) => *found,
                Ground::Never { why, help } => {
                    return Ok(Preview::hopeless(&self.spec, summary, &why, &help));
                }
            };
        let reach = Reach { view: context.view, region: scope.region, bucket: &asked.bucket };
        let foreseen = Foreseen::of(Scan::new(reach, &terms, &asked.scope, None)).await?;
        let tally = &foreseen.tally;
        let versioning = Versioning::Enabled.word().to_owned();
        Ok(Preview {
            summary: if tally.changes() == 0 {
                format!("{summary}: nothing to do")
            } else {
                summary
            },
            details: foreseen.lines(),
            warnings: notes(&asked, &terms, &settings, tally),
            predictions: settled(tally),
            outputs: given(tally, edge(&terms)),
            facts: BTreeMap::from([(format!("s3.versioning.{}", asked.bucket), versioning)]),
            cited_duration: Some(CITED),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let asked = Asked::read(scope)?;
        let mut bulk = match Self::begun(context, &asked).await? {
            Ok(bulk) => bulk,
            Err((why, help)) => return Ok(Observation::Broken { why, help }),
        };
        let terms = bulk.terms.as_mut().expect("it has begun");
        let edge = edge(terms);
        // Nothing is written within the second of the plan: listings could not tell it from what was there.
        if context.view.their_time(scope.now) <= edge {
            let state = "waiting for the end of the second that the plan was made in".to_owned();
            *context.memory.bulk() = bulk;
            return Ok(Observation::InProgress { state, milestone: None });
        }
        if let Direction::Undo { since, .. } = &mut terms.direction {
            *since = scope.intent.map(|intent| intent.at);
        }
        let reach = Reach { view: context.view, region: scope.region, bucket: &asked.bucket };
        Self::advance(&mut bulk, &asked, reach).await?;
        *context.memory.bulk() = bulk.clone();
        if !bulk.batch.is_empty() {
            let (state, progress) = (bulk.state(), bulk.progress());
            return Ok(Observation::Partly { state, progress });
        }
        let tally = &bulk.tally;
        let warnings = tally.warnings();
        let seen =
            |name: &str, value: String| (name.to_owned(), value, "ListObjectVersions".to_owned());
        Ok(Observation::Done(Done {
            outputs: given(tally, edge),
            verdict: if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) },
            milestone: Some("restored"),
            observed: settled(tally),
            evidence: vec![
                seen("rollback.keys", tally.keys().to_string()),
                seen("rollback.changes", tally.changes().to_string()),
            ],
        }))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let read = &context.read;
        let scope = &read.scope;
        let asked = Asked::read(scope)?;
        let mut bulk = read.memory.bulk().clone();
        if read.view.bucket_versioning(scope.region, &asked.bucket).await?
            != Some(Versioning::Enabled)
        {
            let why = format!("versioning of `{}` was turned off since the plan", asked.bucket);
            return Err(ActionError::refused(why, "turn it on again, then resume"));
        }
        let reach = Reach { view: read.view, region: scope.region, bucket: &asked.bucket };
        let tasks = std::mem::take(&mut bulk.batch);
        let ends: Vec<_> = futures_util::stream::iter(tasks)
            .map(|task| async move {
                let end = perform(reach, context.writer, &task).await;
                (task, end)
            })
            .buffer_unordered(bulk.width.max(1))
            .collect()
            .await;
        let failure = End::failure_of(ends.iter().map(|(_, end)| end), bulk.tally.changes() > 0);
        bulk.ended(ends);
        *read.memory.bulk() = bulk;
        match failure {
            Some(error) => Err(error.into()),
            None => Ok(Acted::default()),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("s3:CopyObject".to_owned(), Asked::target(scope))
    }
}
