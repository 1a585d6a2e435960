//! `s3.verify_versions`: whether keys of a bucket are as they were at an instant.
//!
//! **Invariant:** every key is compared; what was written since the roll-back or cannot be brought back is
//! told and no failure, anything else that differs is one.

use super::rollback::{Asked, Foreseen, Ground, Reach, Scan, Tally, ground};
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
pub(crate) struct VerifyVersions {
    spec: ActionSpec,
}

impl Default for VerifyVersions {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "s3.verify_versions",
            summary: "Compares keys of a bucket with how they were at an instant, one by one: content, \
                      headers, metadata, tags.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("bucket", Type::String, "name of the bucket"),
                Field::optional("prefix", Type::String, "only keys that begin so"),
                Field::optional("key", Type::String, "only this key"),
                Field::required("to", Type::Time, "the instant"),
                Field::optional(
                    "as_of",
                    Type::Time,
                    "when the roll-back was planned: what was written later and differs is told, and no \
                     failure",
                ),
                Field::optional(
                    "unrestorable",
                    Type::Int,
                    "how many keys the roll-back could not bring back and has told: as many may differ",
                ),
                Field::optional(
                    "delete_uncertain",
                    Type::Bool,
                    "whether keys of which nobody knows whether they existed should be gone",
                ),
            ],
            outputs: vec![
                Field::required("same", Type::Int, "keys that are as they were"),
                Field::required("differing", Type::Int, "keys that are not, and should be"),
                Field::required("conflicts", Type::Int, "keys that somebody wrote since"),
                Field::required("unrestorable", Type::Int, "keys that cannot be brought back"),
                Field::required("first_problems", Type::texts(), "which ones, and why"),
                Field::optional(
                    "recovery_point",
                    Type::Duration,
                    "0 when every key is as it was; null when some are not, and nobody knows how much that is",
                ),
            ],
            calls: &[
                "s3:GetBucketLifecycleConfiguration",
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketReplication",
                "s3:GetBucketVersioning",
                "s3:GetObjectLockConfiguration",
                "s3:GetObjectTagging",
                "s3:HeadObject",
                "s3:ListObjectVersions",
            ],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws s3api list-object-versions --region {region} --bucket {bucket}[ --prefix {prefix}]\
                      [ --prefix {key}]\n\
                      # Of each key the newest entry should hold what the newest not after {to} holds.",
            default_timeout: Duration::from_secs(4 * 3600),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn outputs(tally: &Tally, same: u64, differing: u64, problems: &[String]) -> Values {
    let problems = problems.iter().map(Value::text).collect();
    // How old what is missing is, is told by nothing: zero is known, anything else is not.
    let whole = differing == 0 && tally.unrestorable == 0;
    let lost = if whole { Value::Duration(Duration::ZERO) } else { Value::Null };
    Values::from([
        ("recovery_point".to_owned(), lost),
        ("same".to_owned(), int(same)),
        ("differing".to_owned(), int(differing)),
        ("conflicts".to_owned(), int(tally.conflicts)),
        ("unrestorable".to_owned(), int(tally.unrestorable)),
        ("first_problems".to_owned(), Value::List(problems)),
    ])
}

#[async_trait]
impl Action for VerifyVersions {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let asked = Asked::read(&context.scope)?;
        let summary = format!("compare {} with {}", asked.place(), format_instant(asked.to));
        let outputs = self.spec.unknown_outputs("it is compared after the roll-back");
        Ok(Preview { summary, outputs, ..Preview::default() })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let asked = Asked::read(scope)?;
        let (place, as_of) = ((context.view, scope.region), scope.time("as_of"));
        let terms = match ground(place, &asked, as_of.or(scope.began), scope.now).await? {
            Ground::Ready(found) => found.0,
            Ground::Never { why, help } => {
                let outputs = self.spec.unknown_outputs(&why);
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { outputs, verdict, ..Done::default() }));
            }
        };
        let reach = Reach { view: context.view, region: scope.region, bucket: &asked.bucket };
        let foreseen = Foreseen::of(Scan::new(reach, &terms, &asked.scope, None)).await?;
        let (tally, differing) = (&foreseen.tally, foreseen.to_do());
        let same = tally.keys() - differing - tally.conflicts - tally.unrestorable;
        let mut problems = foreseen.samples();
        problems.extend(tally.problems.iter().cloned());
        let mut warnings = tally.warnings();
        // What was told already is no news; of more than that nobody knows.
        let told = scope.int("unrestorable").and_then(|told| u64::try_from(told).ok());
        let excused = differing + tally.unrestorable <= told.unwrap_or(0);
        if differing > 0 && excused {
            let samples = foreseen.samples().join("; ");
            warnings.push(format!("{differing} keys differ that could not be changed: {samples}"));
        }
        let verdict = if differing > 0 && !excused {
            let why = format!(
                "{differing} keys are not as they were at {}: {}",
                format_instant(asked.to),
                foreseen.samples().join("; ")
            );
            let help = "look at them; a new roll-back brings back what can be brought back";
            Verdict::Fail { why, help: help.to_owned() }
        } else if warnings.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Warn(warnings)
        };
        let seen = |name: &str, value: u64| {
            (name.to_owned(), value.to_string(), "ListObjectVersions".to_owned())
        };
        Ok(Observation::Done(Done {
            outputs: outputs(tally, same, differing, &problems),
            verdict,
            evidence: vec![seen("versions.same", same), seen("versions.differing", differing)],
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        unreachable!("a check is never absent")
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("s3:ListObjectVersions".to_owned(), Asked::target(scope))
    }
}
