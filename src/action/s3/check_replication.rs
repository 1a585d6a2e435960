//! `s3.check_replication`: is a bucket copied to another region, and are the copies safe there?
//!
//! **Invariant:** read-only; what could not be read is told as unknown and is never well.

use super::finding::{Finding, Severity};
use super::judge::{Judgement, judge};
use super::subject::{Measured, Question, Subject};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{
    Acted, ActionError, CitedDuration, Done, Observation, Preview, Verdict,
};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{MeasuredFigure, ReplicationFigures};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The reads of a look.
pub(super) const CALLS: &[&str] = &[
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
];

/// The action.
#[derive(Debug)]
pub(crate) struct CheckReplication {
    spec: ActionSpec,
}

impl Default for CheckReplication {
    fn default() -> Self {
        let figure = |name, what| Field::optional(name, Type::Float, what);
        let spec = ActionSpec {
            name: "s3.check_replication",
            summary: "Checks that a bucket is replicated, and that its copies are safe.",
            kind: ActionKind::Check,
            role: Role::None,
            inputs: vec![
                Field::required("source", Type::String, "the bucket that is copied"),
                Field::optional(
                    "destination",
                    Type::String,
                    "the bucket that it is copied to; all that its rules name when absent",
                ),
                Field::optional("prefix", Type::String, "only keys that begin with this matter"),
                Field::optional(
                    "keep",
                    Type::Duration,
                    "how long old versions have to be kept on both sides",
                ),
                Field::optional(
                    "max_severity",
                    Type::OneOf(Severity::WORDS),
                    "worst finding that still passes; `warning` when absent",
                ),
            ],
            outputs: vec![
                Field::required("findings", Type::texts(), "what was found, worst first, with ids"),
                Field::required("errors", Type::Int, "findings that are errors"),
                Field::required("warnings", Type::Int, "findings that are warnings"),
                Field::optional(
                    "replicating",
                    Type::Bool,
                    "whether new objects are copied; null when that could not be read",
                ),
                Field::optional(
                    "latency",
                    Type::Duration,
                    "how far the slowest rule is behind, as CloudWatch says",
                ),
                figure("pending_operations", "operations that wait, as CloudWatch says"),
                figure("pending_bytes", "bytes that wait, as CloudWatch says"),
                figure("failed", "operations that failed in the last hour, as CloudWatch says"),
            ],
            calls: CALLS,
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws s3api get-bucket-versioning --bucket {source}\n\
                      aws s3api get-bucket-replication --bucket {source}\n\
                      [aws s3api get-bucket-versioning --bucket {destination}]\n\
                      [aws s3api get-bucket-lifecycle-configuration --bucket {destination}]",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// What was found: the subject and what it is worth.
struct Looked {
    subject: Subject,
    judgement: Judgement,
}

/// What is asked by a step.
fn question(scope: &StepScope<'_>) -> Result<Question, ActionError> {
    let environment = scope.environment;
    let allowed = environment.allowed_regions.iter().chain([&environment.region]);
    Ok(Question {
        source: bucket(scope, "source")?.unwrap_or_default(),
        destination: bucket(scope, "destination")?,
        prefix: scope.text("prefix").unwrap_or_default().to_owned(),
        allowed_regions: allowed.cloned().collect(),
        keep: scope.duration("keep"),
    })
}

/// An input that names a bucket.
pub(super) fn bucket(scope: &StepScope<'_>, name: &str) -> Result<Option<String>, ActionError> {
    let Some(text) = scope.text(name) else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || text.len() > 63 || !text.chars().all(plain) {
        let why = format!("`{text}` is no name of a bucket: write the name alone, without `s3://`");
        return Err(ActionError::Input { name: name.to_owned(), why });
    }
    Ok(Some(text.to_owned()))
}

/// Reads and judges; why not when the source is not there.
async fn look(context: &ReadContext<'_>) -> Result<Result<Looked, (String, String)>, ActionError> {
    let question = question(&context.scope)?;
    if question.destination.as_ref() == Some(&question.source) {
        let why = "source and destination are one bucket".to_owned();
        return Err(ActionError::Input { name: "destination".to_owned(), why });
    }
    Ok(match Subject::read(context.view, question).await? {
        Ok(subject) => {
            let judgement = judge(&subject);
            Ok(Looked { subject, judgement })
        }
        Err(missing) => Err((
            format!("there is no bucket `{}`", missing.0),
            "check its name in the estate file, and the account".to_owned(),
        )),
    })
}

/// The worst severity that passes.
fn tolerated(scope: &StepScope<'_>) -> Severity {
    scope.text("max_severity").and_then(Severity::of_word).unwrap_or(Severity::Warning)
}

fn verdict(judgement: &Judgement, tolerated: Severity) -> Verdict {
    let findings = &judgement.findings;
    let bad: Vec<&Finding> =
        findings.iter().filter(|found| found.rule.severity > tolerated).collect();
    if let Some(first) = bad.first() {
        let all: Vec<String> = bad.iter().map(ToString::to_string).collect();
        return Verdict::Fail { why: all.join("; "), help: first.remedy.clone() };
    }
    if judgement.replicating.is_none() {
        let unread = findings.iter().find(|found| found.rule.severity == Severity::Warning);
        let why = unread.map_or_else(|| "a part was not read".to_owned(), |it| it.what.clone());
        return Verdict::Unknown { why };
    }
    let notable = findings.iter().filter(|found| found.rule.severity > Severity::Info);
    let notable: Vec<String> = notable.map(ToString::to_string).collect();
    if notable.is_empty() { Verdict::Pass } else { Verdict::Warn(notable) }
}

/// The worst of a figure over all rules; `None` when no rule has one.
fn worst(
    subject: &Subject,
    of: fn(&ReplicationFigures) -> Option<MeasuredFigure>,
    join: fn(f64, f64) -> f64,
) -> Option<f64> {
    let known = subject.figures.values().filter_map(|measured| match measured {
        Measured::Figures(figures) => of(figures).map(|figure| figure.value),
        Measured::Unseen(_) => None,
    });
    known.reduce(join)
}

fn sum(one: f64, other: f64) -> f64 {
    one + other
}

fn outputs(looked: &Looked) -> Values {
    let Looked { subject, judgement } = looked;
    let count = |severity| Value::Int(i64::try_from(judgement.count(severity)).unwrap_or(i64::MAX));
    let texts: Vec<String> = judgement.findings.iter().map(ToString::to_string).collect();
    let latency = worst(subject, |it| it.latency, f64::max);
    let latency = latency.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let figure = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    Values::from([
        ("findings".to_owned(), texts.into()),
        ("errors".to_owned(), count(Severity::Error)),
        ("warnings".to_owned(), count(Severity::Warning)),
        ("replicating".to_owned(), judgement.replicating.map_or(Value::Null, Value::Bool)),
        ("latency".to_owned(), latency.map_or(Value::Null, Value::Duration)),
        ("pending_operations".to_owned(), figure(worst(subject, |it| it.pending_operations, sum))),
        ("pending_bytes".to_owned(), figure(worst(subject, |it| it.pending_bytes, sum))),
        ("failed".to_owned(), figure(worst(subject, |it| it.failed, sum))),
    ])
}

/// What the verdict rests on: the answer to each finding, and what was looked at.
fn evidence(looked: &Looked) -> Vec<(String, String, String)> {
    let Looked { subject, judgement } = looked;
    let said = |name: &str, value: String, call: &str| (name.to_owned(), value, call.to_owned());
    let mut all = vec![said("source.region", subject.source.region.clone(), "s3:HeadBucket")];
    if let Some(settings) = subject.source.replication.known() {
        all.push(said("replication.role", settings.role.clone(), "s3:GetBucketReplication"));
    }
    for to in subject.seen() {
        let name = format!("destination.{}.region", to.bucket);
        all.push(said(&name, to.region.clone(), "s3:HeadBucket"));
    }
    let found = judgement.findings.iter();
    all.extend(found.map(|found| said(found.rule.id, found.evidence.1.clone(), &found.evidence.0)));
    all
}

#[async_trait]
impl Action for CheckReplication {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(15), "some twenty read calls"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let source = context.scope.text("source").unwrap_or_default();
        let summary = format!("check the replication of bucket `{source}`");
        if let Some(why) = context.scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let looked = match look(context).await? {
            Ok(looked) => looked,
            Err((why, help)) => return Ok(Preview::hopeless(&self.spec, summary, &why, &help)),
        };
        let (wont, cannot_know, warnings) =
            match verdict(&looked.judgement, tolerated(&context.scope)) {
                Verdict::Fail { why, help } => (Some(format!("{why}; {help}")), None, Vec::new()),
                Verdict::Unknown { why } => (None, Some(why), Vec::new()),
                Verdict::Warn(warnings) => (None, None, warnings),
                Verdict::Pass => (None, None, Vec::new()),
            };
        let to = looked.subject.destinations.keys().cloned().collect::<Vec<_>>().join(", ");
        let errors = looked.judgement.count(Severity::Error);
        Ok(Preview {
            wont,
            cannot_know,
            summary,
            details: vec![format!("copied to {}", if to.is_empty() { "nowhere" } else { &to })],
            warnings,
            predictions: BTreeMap::from([
                ("errors".to_owned(), json!(errors)),
                ("replicating".to_owned(), json!(looked.judgement.replicating)),
            ]),
            outputs: outputs(&looked),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let looked = match look(context).await? {
            Ok(looked) => looked,
            Err((why, help)) => {
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let errors = looked.judgement.count(Severity::Error);
        Ok(Observation::Done(Done {
            outputs: outputs(&looked),
            verdict: verdict(&looked.judgement, tolerated(&context.scope)),
            milestone: None,
            observed: BTreeMap::from([
                ("errors".to_owned(), json!(errors)),
                ("replicating".to_owned(), json!(looked.judgement.replicating)),
            ]),
            evidence: evidence(&looked),
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("s3.check_replication only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("source").unwrap_or_default().to_owned())
    }
}
