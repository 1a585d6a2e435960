//! `s3.canary`: how long a copy takes, measured by objects of our own that are removed again.
//!
//! **Invariant:** nothing of anybody else is touched; each sample is removed from both buckets before the
//! next one, also one that failed, and what was measured is in the journal before.

mod ground;
mod watch;

pub(crate) use ground::Ground;
pub(super) use ground::undecided;
pub(crate) use watch::Watch;

use super::check_replication::CALLS;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::duration;
use crate::base::seed::Seed;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{CANARY_RUN, CanaryPut, canaries_of};
use async_trait::async_trait;
use ground::find;
use std::collections::BTreeMap;
use std::time::Duration;
use watch::{Next, Progress, Side, Sight, Step, Terms, percentile};

/// Bytes of a canary.
const SIZE: usize = 1_024;

/// Most samples of one step.
const MOST_SAMPLES: u32 = 100;

/// Samples without `samples`: a median and a worst case, in a minute.
const SAMPLES: u32 = 5;

/// Longest time of a sample without `timeout`: what Replication Time Control promises.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What a copy takes.
const CITED: CitedDuration = (
    Duration::from_secs(1),
    Duration::from_secs(15 * 60),
    "AWS: most objects within seconds, 99.99 % within 15 minutes with Replication Time Control",
);

/// The operations of the action: those of a check, and its own.
const OWN: &[&str] = &[
    "s3:HeadBucket",
    "s3:GetBucketVersioning",
    "s3:GetBucketReplication",
    "s3:GetBucketEncryption",
    "s3:GetPublicAccessBlock",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketLifecycleConfiguration",
    "s3:GetObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:ListBucketInventoryConfigurations",
    "cloudwatch:GetMetricData",
    "s3:ListObjectVersions",
    "s3:HeadObject",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
];

/// The action.
#[derive(Debug)]
pub(crate) struct MeasureCanary {
    spec: ActionSpec,
}

impl Default for MeasureCanary {
    fn default() -> Self {
        debug_assert!(CALLS.iter().all(|call| OWN.contains(call)), "a look needs its reads");
        let spec = ActionSpec {
            name: "s3.canary",
            summary: "Measures how long a copy takes, with objects of its own that it removes again.",
            kind: ActionKind::Mutation,
            role: Role::None,
            inputs: vec![
                Field::required("source", Type::String, "the bucket that is copied"),
                Field::required("destination", Type::String, "the bucket that it is copied to"),
                Field::optional("prefix", Type::String, "what keys of canaries begin with"),
                Field::optional(
                    "samples",
                    Type::Int,
                    "how many are measured, 1 to 100; 5 when absent",
                ),
                Field::optional(
                    "timeout",
                    Type::Duration,
                    "longest time of one; 15 min when absent",
                ),
                Field::optional("max", Type::Duration, "longest time that still passes"),
            ],
            outputs: vec![
                Field::required("p50", Type::Duration, "half of the copies took no longer"),
                Field::required("p95", Type::Duration, "19 of 20 took no longer"),
                Field::required("max", Type::Duration, "the longest took this long"),
                Field::required("samples", Type::Int, "how many were measured"),
                Field::required("keys", Type::String, "what the keys of the canaries begin with"),
            ],
            calls: OWN,
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "s3.remove_canary",
                inputs: |inputs, outputs| {
                    let of = |from: &Values, name: &str| {
                        (name.to_owned(), from.get(name).cloned().unwrap_or(Value::Null))
                    };
                    let (source, destination) = (of(inputs, "source"), of(inputs, "destination"));
                    Values::from([source, destination, of(outputs, "keys")])
                },
            },
            by_hand: "date -u +%s > canary\n\
                      aws s3api put-object --bucket {source} --key drctl-canary/by-hand --body canary\n\
                      # Repeat until it answers with ReplicationStatus REPLICA, and look at the clock.\n\
                      aws s3api head-object --bucket {destination} --key drctl-canary/by-hand\n\
                      # Remove every version of it from both buckets.\n\
                      aws s3api list-object-versions --bucket {source} --prefix drctl-canary/by-hand\n\
                      aws s3api list-object-versions --bucket {destination} --prefix \
                      drctl-canary/by-hand",
            default_timeout: Duration::from_secs(26 * 3600),
            poll_every: Duration::from_millis(500),
        };
        Self { spec }
    }
}

fn terms(scope: &StepScope<'_>) -> Result<Terms, ActionError> {
    let samples = scope.int_within("samples", 1..=MOST_SAMPLES, SAMPLES)?;
    let timeout = scope.duration("timeout").unwrap_or(TIMEOUT);
    Ok(Terms { samples: samples as usize, timeout })
}

/// Bytes that no earlier object had.
fn body(scope: &StepScope<'_>, key: &str) -> Vec<u8> {
    let mut stream = Seed::new(scope.now.timestamp_millis().unsigned_abs()).stream(key);
    (0..SIZE).map(|_| stream.u8(..)).collect()
}

/// What is written beside a canary: the tags of everything that a run makes, as metadata.
fn marks(scope: &StepScope<'_>) -> BTreeMap<String, String> {
    let all = scope.tags().into_iter();
    let marks: BTreeMap<String, String> = all
        .map(|(tag, value)| (tag.replace(':', "-"), value.replace(|c: char| !c.is_ascii(), "?")))
        .collect();
    debug_assert!(marks.contains_key(CANARY_RUN), "a canary names its run");
    marks
}

fn outputs(progress: &Progress, keys: &str) -> Values {
    let measured = &progress.measured;
    let figure = |percent| percentile(measured, percent).map_or(Value::Null, Value::Duration);
    let samples = i64::try_from(measured.len()).unwrap_or(i64::MAX);
    Values::from([
        ("p50".to_owned(), figure(50)),
        ("p95".to_owned(), figure(95)),
        ("max".to_owned(), figure(100)),
        ("samples".to_owned(), Value::Int(samples)),
        ("keys".to_owned(), Value::text(keys)),
    ])
}

fn verdict(scope: &StepScope<'_>, progress: &Progress) -> Verdict {
    let worst = percentile(&progress.measured, 100).unwrap_or_default();
    if let Some(most) = scope.duration("max").filter(|most| worst > *most) {
        return Verdict::Fail {
            why: format!(
                "the slowest copy took {}, and {} are allowed",
                duration::human(worst),
                duration::human(most)
            ),
            help: "`drctl s3 check-config` tells whether Replication Time Control is on".to_owned(),
        };
    }
    let mut warnings = Vec::new();
    if progress.untold {
        warnings
            .push("the server tells no replication status: bytes were compared alone".to_owned());
    }
    if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) }
}

/// The ground of this step in this process, found once.
async fn ground(
    context: &ReadContext<'_>,
) -> Result<Result<Ground, (String, String)>, ActionError> {
    if let Some(known) = context.memory.canary().ground.clone() {
        return Ok(Ok(known));
    }
    Ok(find(context).await?.map(|(ground, _)| {
        context.memory.canary().ground = Some(ground.clone());
        ground
    }))
}

impl MeasureCanary {
    async fn look(&self, context: &ReadContext<'_>, ground: &Ground) -> Result<Step, ActionError> {
        let (scope, view) = (&context.scope, context.view);
        let terms = terms(scope)?;
        let sample = {
            let mut watch = context.memory.canary();
            if !watch.begun {
                let read =
                    scope.progress.and_then(|json| serde_json::from_value(json.clone()).ok());
                (watch.begun, watch.progress) = (true, read.unwrap_or_default());
            }
            watch.name()
        };
        let left = ground.left(view).await?;
        let key = format!("{}{sample}", ground.keys);
        let is_there = |side| left.iter().any(|it| it.side == side && it.entry.key == key);
        let (mut original, mut copy) = (None, None);
        if is_there(Side::Source) {
            let (region, name) = ground.place(Side::Source);
            original = view.canary(region, (name, &key)).await?;
        }
        if is_there(Side::Destination) {
            let (region, name) = ground.place(Side::Destination);
            copy = view.canary(region, (name, &key)).await?;
        }
        let sight = Sight { left, original, copy, now: scope.now };
        Ok(context.memory.canary().judge(terms, &sight))
    }
}

#[async_trait]
impl Action for MeasureCanary {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let (source, destination) = (scope.text("source"), scope.text("destination"));
        let summary = format!(
            "measure copies from `{}` to `{}`",
            source.unwrap_or_default(),
            destination.unwrap_or_default()
        );
        if let Some(why) = scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let terms = terms(scope)?;
        let (ground, judgement) = match find(context).await? {
            Ok(found) => found,
            Err((why, help)) => return Ok(Preview::hopeless(&self.spec, summary, &why, &help)),
        };
        let mut outputs = self.spec.unknown_outputs("it is measured when the run gets there");
        outputs.insert("keys".to_owned(), Value::text(&ground.keys));
        let unsure = judgement.replicating.is_none();
        Ok(Preview {
            summary,
            cannot_know: unsure.then(|| "a part of the configuration could not be read".to_owned()),
            details: vec![
                format!(
                    "{} objects of {SIZE} bytes, one after the other, as {}…",
                    terms.samples, ground.keys
                ),
                format!("each may take {}", duration::human(terms.timeout)),
                "each is removed from both buckets by its version id".to_owned(),
            ],
            outputs,
            facts: BTreeMap::from([
                (format!("s3 {} region", ground.source.0), ground.source.1.clone()),
                (format!("s3 {} region", ground.destination.0), ground.destination.1.clone()),
            ]),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let ground = match ground(context).await? {
            Ok(ground) => ground,
            Err((why, help)) => return Ok(Observation::Broken { why, help }),
        };
        match self.look(context, &ground).await? {
            Step::Go(observation) => Ok(observation),
            Step::Measured => {
                let progress = context.memory.canary().progress.clone();
                let millis = progress.measured.iter().map(u64::to_string).collect::<Vec<_>>();
                Ok(Observation::Done(Done {
                    outputs: outputs(&progress, &ground.keys),
                    verdict: verdict(&context.scope, &progress),
                    milestone: None,
                    observed: BTreeMap::new(),
                    evidence: vec![
                        (
                            "canary.milliseconds".to_owned(),
                            millis.join(" "),
                            "s3:PutObject to s3:GetObject of the copy".to_owned(),
                        ),
                        (
                            "canary.discarded".to_owned(),
                            progress.discarded.to_string(),
                            "copied while nobody looked, and taken again".to_owned(),
                        ),
                        (
                            "canary.left".to_owned(),
                            "0".to_owned(),
                            "s3:ListObjectVersions of both buckets".to_owned(),
                        ),
                    ],
                }))
            }
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let Some(ground) = context.read.memory.canary().ground.clone() else {
            return Err(undecided());
        };
        let next = context.read.memory.canary().next.take();
        let request_id = match next {
            None => return Err(undecided()),
            Some(Next::Remove(left)) => ground.remove(context, &left).await?,
            Some(Next::Put(sample)) => {
                let (region, bucket) = ground.place(Side::Source);
                let key = format!("{}{sample}", ground.keys);
                let put = CanaryPut {
                    bucket: bucket.to_owned(),
                    body: body(scope, &key),
                    key,
                    marks: marks(scope),
                    tags: ground.tags.clone(),
                };
                let answer = context.writer.put_canary(region, &put).await;
                context.read.memory.canary().was_put();
                match answer {
                    Ok(accepted) => accepted.request_id,
                    // An earlier try of ours whose answer was lost.
                    Err(error) if error.is("PreconditionFailed") => error.request_id,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        Ok(Acted { request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let source = scope.text("source").unwrap_or_default();
        ("s3:PutObject".to_owned(), format!("{source}/{}", canaries_of("", scope.run)))
    }
}
