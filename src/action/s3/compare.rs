//! `s3.compare`: which objects of a bucket are not in its replica, and since when.
//!
//! **Invariant:** it reads; a recovery point is told only where everything was compared, and what was not
//! proven equal is never counted as equal.

use super::check_replication::bucket;
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{
    Acted, ActionError, CitedDuration, Done, Observation, Preview, Verdict,
};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::duration::human;
use crate::base::value::{Type, Value, Values};
use crate::cloud::compare::{Class, CompareOptions, Ground, Rules, Totals};
use crate::cloud::{CloudError, ErrorClass};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The reads of a comparison.
const CALLS: &[&str] = &[
    "s3:HeadBucket",
    "s3:ListObjectsV2",
    "s3:HeadObject",
    "s3:GetBucketVersioning",
    "s3:GetBucketReplication",
];

/// What is counted, by the output's name.
const COUNTS: [(&str, Class); 4] = [
    ("missing", Class::Missing),
    ("extra", Class::Extra),
    ("different", Class::Different),
    ("failed", Class::Failed),
];

/// The action.
#[derive(Debug)]
pub(crate) struct Compare {
    spec: ActionSpec,
}

impl Default for Compare {
    fn default() -> Self {
        let inputs = vec![
            Field::required("source", Type::String, "the bucket that is replicated"),
            Field::required("destination", Type::String, "the bucket that should be like it"),
            Field::optional("prefix", Type::String, "only keys that begin so"),
            Field::optional("since", Type::Time, "only objects written since then"),
            Field::optional("sample", Type::Int, "about how many keys to compare instead of all"),
            Field::optional(
                "pending_after",
                Type::Duration,
                "how long replication may be due before it is overdue; 15m when absent",
            ),
            Field::optional(
                "max_recovery_point",
                Type::Duration,
                "oldest that an object may be that is not at the destination; any difference fails \
                 when absent",
            ),
        ];
        let int = |name, what| Field::required(name, Type::Int, what);
        let outputs = vec![
            Field::required(
                "recovery_point",
                Type::Duration,
                "age of the oldest object that should be at the destination and is not; 0 when none",
            ),
            Field::optional("oldest_missing", Type::String, "key of that object"),
            int("missing", "objects that are not at the destination"),
            int("extra", "objects that are only there"),
            int("different", "objects that are not the same"),
            int("failed", "objects whose replication S3 gave up"),
            int("pending", "objects whose replication is due"),
            int("equal", "objects that are the same"),
            int("compared", "objects that were compared"),
        ];
        let spec = ActionSpec {
            name: "s3.compare",
            summary: "Compares a bucket with its replica, object by object.",
            kind: ActionKind::Check,
            inputs,
            outputs,
            calls: CALLS,
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws s3 sync --dryrun --delete s3://{source} s3://{destination}",
            default_timeout: Duration::from_secs(4 * 3600),
            poll_every: Duration::from_secs(30),
        };
        Self { spec }
    }
}

/// What a step asks for.
struct Asked {
    source: String,
    destination: String,
    prefix: String,
    options: CompareOptions,
    max: Option<Duration>,
}

fn asked(scope: &StepScope<'_>) -> Result<Asked, ActionError> {
    let source = bucket(scope, "source")?.unwrap_or_default();
    let destination = bucket(scope, "destination")?.unwrap_or_default();
    if source == destination {
        let why = "source and destination are one bucket".to_owned();
        return Err(ActionError::Input { name: "destination".to_owned(), why });
    }
    let usual = CompareOptions::default();
    let sample = match scope.input("sample") {
        Value::Int(count) if *count > 0 => u64::try_from(*count).ok(),
        Value::Int(count) => {
            let (name, why) = ("sample".to_owned(), format!("{count} keys are no sample"));
            return Err(ActionError::Input { name, why });
        }
        _ => None,
    };
    let options = CompareOptions {
        since: scope.time("since"),
        sample,
        pending_after: scope.duration("pending_after").unwrap_or(usual.pending_after),
        ..usual
    };
    let prefix = scope.text("prefix").unwrap_or_default().to_owned();
    Ok(Asked { source, destination, prefix, options, max: scope.duration("max_recovery_point") })
}

async fn ground(context: &ReadContext<'_>, asked: &Asked) -> Result<Ground, CloudError> {
    let side = |bucket| (bucket, asked.prefix.as_str());
    context.view.compare_ground(side(&*asked.source), side(&*asked.destination)).await
}

/// A bucket that is not there is a verdict; whatever else keeps from comparing is an error.
fn missing(error: CloudError) -> Result<String, CloudError> {
    if error.is("NoSuchBucket") && error.class == ErrorClass::Permanent {
        Ok(error.message)
    } else {
        Err(error)
    }
}

fn recovery_point(totals: &Totals, now: DateTime<Utc>) -> Duration {
    let oldest = totals.oldest.as_ref().and_then(|(ms, _)| DateTime::from_timestamp_millis(*ms));
    let age = oldest.map_or(TimeDelta::zero(), |oldest| now - oldest);
    age.max(TimeDelta::zero()).to_std().unwrap_or_default()
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn outputs(totals: &Totals, now: DateTime<Utc>) -> Values {
    let pending = totals.of(Class::PendingYoung) + totals.of(Class::PendingOld);
    let equal = totals.compared() - totals.differing();
    let mut outputs = Values::from([
        ("recovery_point".to_owned(), Value::Duration(recovery_point(totals, now))),
        (
            "oldest_missing".to_owned(),
            totals.oldest.as_ref().map_or(Value::Null, |(_, key)| Value::String(key.clone())),
        ),
        ("pending".to_owned(), int(pending)),
        ("equal".to_owned(), int(equal)),
        ("compared".to_owned(), int(totals.compared())),
    ]);
    outputs.extend(COUNTS.map(|(name, class)| (name.to_owned(), int(totals.of(class)))));
    outputs
}

/// The classes that occurred, in words.
fn told(totals: &Totals) -> String {
    let each = Class::ALL.into_iter().filter(|class| totals.of(*class) > 0);
    let words: Vec<String> =
        each.map(|class| format!("{} {}", totals.of(class), class.word())).collect();
    words.join(", ")
}

fn verdict(asked: &Asked, totals: &Totals, now: DateTime<Utc>, notes: &[String]) -> Verdict {
    let point = recovery_point(totals, now);
    let help = "`drctl s3 compare` names each object and why";
    match asked.max {
        Some(max) if point > max => {
            let oldest = totals.oldest.as_ref().map_or("", |(_, key)| key.as_str());
            let why = format!(
                "`{oldest}` is not in `{}` and is {} old, allowed are {}: {}",
                asked.destination,
                human(point),
                human(max),
                told(totals)
            );
            return Verdict::Fail { why, help: help.to_owned() };
        }
        None if totals.unexpected() > 0 => {
            let why = format!(
                "`{}` differs from `{}`: {}",
                asked.destination,
                asked.source,
                told(totals)
            );
            return Verdict::Fail { why, help: help.to_owned() };
        }
        _ => {}
    }
    let mut warnings = Vec::new();
    if totals.unexpected() > 0 {
        warnings.push(format!("`{}` differs: {}", asked.destination, told(totals)));
    }
    if asked.options.sample.is_some() {
        warnings.push(format!("a sample of {} keys: the rest may differ", totals.compared()));
    }
    warnings.extend_from_slice(notes);
    if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) }
}

#[async_trait]
impl Action for Compare {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3600));
        Some((least, most, "a list of a million keys takes seconds, of a thousand million an hour"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let asked = asked(&context.scope)?;
        let summary = format!("compare bucket `{}` with `{}`", asked.source, asked.destination);
        let found = match ground(context, &asked).await {
            Ok(found) => found,
            Err(error) => {
                let why = missing(error)?;
                let outputs = self.spec.unknown_outputs(&why);
                return Ok(Preview { wont: Some(why), summary, outputs, ..Preview::default() });
            }
        };
        let place = |bucket: &str, region: &str| format!("`{bucket}` is in {region}");
        let rules = match &found.rules {
            Rules::Known(rules) => format!("{} rules copy one to the other", rules.len()),
            Rules::Unknown => "no rule is known that copies one to the other".to_owned(),
        };
        let cannot = "what differs is known when it is compared".to_owned();
        Ok(Preview {
            outputs: self.spec.unknown_outputs(&cannot),
            cannot_know: Some(cannot),
            summary,
            details: vec![
                place(&asked.source, &found.places.0.region),
                place(&asked.destination, &found.places.1.region),
                rules,
            ],
            warnings: found.notes,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let asked = asked(&context.scope)?;
        let found = match ground(context, &asked).await {
            Ok(found) => found,
            Err(error) => {
                let why = missing(error)?;
                let help = "check its name in the estate file, and the account".to_owned();
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let comparison = Arc::new(context.view.compare(&found, asked.options.clone()));
        Arc::clone(&comparison).run().await.map_err(|error| error.into_cloud())?;
        let mut first = Vec::new();
        let totals = comparison.finish(|difference| {
            if first.len() < 5 {
                first.push((difference.key, difference.class.word(), difference.how.into_owned()));
            }
            Ok(())
        });
        let totals = totals.map_err(|error| {
            ActionError::refused(format!("differences cannot be kept: {error}"), "look at TMPDIR")
        })?;
        let now = context.scope.now;
        let mut notes = found.notes;
        if comparison.was_refused() {
            notes.push("HeadObject is refused: classes are those of the lists".to_owned());
        }
        let counted = |class: Class| (class.word().to_owned(), json!(totals.of(class)));
        let mut evidence: Vec<(String, String, String)> = first
            .into_iter()
            .map(|(key, class, how)| (format!("{class} {key}"), how, "HeadObject".to_owned()))
            .collect();
        let compared = format!("{} and {} keys", totals.source, totals.destination);
        evidence.push(("compared".to_owned(), compared, "ListObjectsV2".to_owned()));
        Ok(Observation::Done(Done {
            outputs: outputs(&totals, now),
            verdict: verdict(&asked, &totals, now, &notes),
            milestone: None,
            observed: Class::ALL.into_iter().map(counted).collect::<BTreeMap<_, _>>(),
            evidence,
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("s3.compare only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("source").unwrap_or_default().to_owned())
    }
}
