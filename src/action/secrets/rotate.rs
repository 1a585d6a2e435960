//! `secrets.rotate`: Secrets Manager rotates a secret now instead of when its schedule says.
//!
//! **Invariant:** the new version's id is a function of run and step, so that a rotation is asked for
//! once; it is done when that version is the current one, and not when AWS has said yes.

use crate::action::context::{PastIntent, ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::between;
use crate::base::digest::Digest;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::SecretVersion;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "secretsmanager:RotateSecret";
const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

/// How long a version may be missing from the list after the call: it is shown within seconds.
const SHOWN_AFTER: Duration = Duration::from_secs(5 * 60);

/// The action.
#[derive(Debug)]
pub(crate) struct Rotate {
    spec: ActionSpec,
}

impl Default for Rotate {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "secrets.rotate",
            summary: "Rotates a secret now, by its rotation function, and waits until the new version is \
                      the current one.",
            kind: ActionKind::Mutation,
            inputs: vec![Field::required(
                "secret",
                Type::String,
                "name or ARN of the secret, in its home region",
            )],
            outputs: vec![
                Field::required(
                    "version",
                    Type::String,
                    "id of the version that the rotation made",
                ),
                Field::optional("previous_version", Type::String, "id of the version before it"),
            ],
            calls: &["secretsmanager:ListSecretVersionIds", OPERATION],
            effects: &[],
            // The old password does not work any more: that is what it is for.
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "aws secretsmanager rotate-secret --region {region} --secret-id {secret} \
                      --rotate-immediately\n\
                      # Until the new version is AWSCURRENT:\n\
                      aws secretsmanager list-secret-version-ids --region {region} \
                      --secret-id {secret}",
            default_timeout: Duration::from_secs(900),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// The id of this step's version: Secrets Manager wants 32 to 64 characters.
fn token(scope: &StepScope<'_>) -> String {
    let secret = scope.text("secret").unwrap_or_default();
    let parts = [scope.run.as_str(), scope.step.as_str(), secret, "rotation"];
    let digest = Digest::of_parts(&parts.map(str::as_bytes));
    digest.as_str().chars().filter(char::is_ascii_hexdigit).take(32).collect()
}

fn has(version: &SecretVersion, stage: &str) -> bool {
    version.stages.iter().any(|found| found == stage)
}

fn waiting(state: &str) -> Observation {
    Observation::InProgress { state: state.to_owned(), milestone: None }
}

const LOOK: &str = "look at the log of the rotation function, and at the secret's versions (aws \
                    secretsmanager list-secret-version-ids)";

/// What the versions tell of the rotation whose version is `token`.
fn judge(
    secret: &str,
    token: &str,
    versions: &[SecretVersion],
    (intent, since): (Option<PastIntent>, Duration),
) -> Observation {
    let ours = versions.iter().find(|version| version.id == token);
    match ours {
        // Somebody may have rotated again since: ours was current.
        Some(version) if has(version, CURRENT) || has(version, PREVIOUS) => {
            done(secret, token, versions)
        }
        Some(_) => waiting("the rotation function is at work"),
        None if versions.iter().any(|it| has(it, PENDING) && !has(it, CURRENT)) => {
            waiting("another rotation has not ended yet")
        }
        None => match intent {
            None => Observation::Absent,
            Some(_) if since < SHOWN_AFTER => waiting("asked for, no new version yet"),
            Some(intent) if intent.accepted => Observation::Broken {
                why: format!("the rotation of `{secret}` was accepted and made no new version"),
                help: LOOK.to_owned(),
            },
            // In doubt, and nothing came of it: the same call again is the same rotation.
            Some(_) => Observation::Absent,
        },
    }
}

fn done(secret: &str, token: &str, versions: &[SecretVersion]) -> Observation {
    let before = versions.iter().find(|version| version.id != token && has(version, PREVIOUS));
    let before = before.map(|version| version.id.clone());
    let source = "ListSecretVersionIds";
    Observation::Done(Done {
        outputs: Values::from([
            ("version".to_owned(), Value::text(token)),
            ("previous_version".to_owned(), Value::optional(before)),
        ]),
        verdict: Verdict::Pass,
        observed: BTreeMap::from([("rotated".to_owned(), json!(secret))]),
        evidence: vec![("secret.version".to_owned(), token.to_owned(), source.to_owned())],
        ..Done::default()
    })
}

fn no_secret(scope: &StepScope<'_>) -> String {
    let secret = scope.text("secret").unwrap_or_default();
    format!("there is no secret `{secret}` in {}", scope.region)
}

impl Rotate {
    /// The versions; `None` when there is no such secret.
    async fn versions(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<Option<Vec<SecretVersion>>, ActionError> {
        let scope = &context.scope;
        let secret = scope.text("secret").unwrap_or_default();
        match context.view.secret_versions(scope.region, secret).await {
            Ok(versions) => Ok(Some(versions)),
            Err(error) if error.is("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Action for Rotate {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(5), Duration::from_secs(120));
        Some((low, high, "users: seconds, a minute or two when the function starts cold"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let secret = scope.text("secret").unwrap_or_default();
        let versions = self.versions(context).await?;
        let current = versions.iter().flatten().find(|version| has(version, CURRENT));
        let details = current.map(|version| format!("version {} is current now", version.id));
        let mut outputs = self.spec.unknown_outputs(&format!("`{secret}` is not rotated yet"));
        outputs.insert("version".to_owned(), Value::text(token(scope)));
        Ok(Preview {
            wont: versions.is_none().then(|| no_secret(scope)),
            summary: format!("rotate secret `{secret}` in {} now", scope.region),
            details: details.into_iter().collect(),
            predictions: BTreeMap::from([("rotated".to_owned(), json!(secret))]),
            outputs,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let Some(versions) = self.versions(context).await? else {
            return Ok(Observation::Broken {
                why: no_secret(scope),
                help: "check `secret` in the estate file, and the region".to_owned(),
            });
        };
        let secret = scope.text("secret").unwrap_or_default();
        let since = scope.intent.map(|intent| between(intent.at, scope.now)).unwrap_or_default();
        Ok(judge(secret, &token(scope), &versions, (scope.intent, since)))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let secret = scope.text("secret").unwrap_or_default();
        let accepted = context.writer.rotate_secret(scope.region, secret, &token(scope)).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("secret").unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    fn version(id: &str, stages: &[&str]) -> SecretVersion {
        SecretVersion {
            id: id.to_owned(),
            stages: stages.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn asked(accepted: bool) -> Option<PastIntent> {
        Some(PastIntent { at: simulated_epoch(), accepted, retried: None })
    }

    fn state(versions: &[SecretVersion], intent: Option<PastIntent>, since: u64) -> String {
        match judge("s", "ours", versions, (intent, Duration::from_secs(since))) {
            Observation::Done(done) => format!("done, before {}", done.outputs["previous_version"]),
            Observation::InProgress { state, .. } => state,
            Observation::Absent => "absent".to_owned(),
            Observation::Broken { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn done_is_our_version_being_current_and_nothing_else() {
        let (old, older) = (version("a", &[CURRENT]), version("b", &[PREVIOUS]));
        let before = [old, older];
        assert_eq!(state(&before, None, 0), "absent");
        assert_eq!(state(&before, asked(true), 60), "asked for, no new version yet");
        assert_eq!(state(&before, asked(false), 60), "asked for, no new version yet");
        assert_eq!(
            state(&before, asked(false), 400),
            "absent",
            "the same call is the same rotation"
        );
        assert!(state(&before, asked(true), 400).contains("made no new version"));
        let pending = [version("a", &[CURRENT]), version("ours", &[PENDING])];
        assert_eq!(state(&pending, asked(true), 400), "the rotation function is at work");
        let after = [version("ours", &[CURRENT, PENDING]), version("a", &[PREVIOUS])];
        assert_eq!(state(&after, asked(false), 0), "done, before a");
        let again = [version("c", &[CURRENT]), version("ours", &[PREVIOUS])];
        assert_eq!(state(&again, asked(true), 0), "done, before null");
    }

    #[test]
    fn somebody_elses_rotation_is_waited_for() {
        let theirs = [version("a", &[CURRENT]), version("x", &[PENDING])];
        assert_eq!(state(&theirs, None, 0), "another rotation has not ended yet");
        // A function that leaves its label behind has ended.
        assert_eq!(state(&[version("a", &[CURRENT, PENDING])], None, 0), "absent");
    }
}
