//! `secrets.switch_endpoint`: a new version of a secret, which names another endpoint.
//!
//! **Invariant:** the version's id is a function of run, step and inputs, so that it is put once; the
//! version before it is kept, and going back to it is refused when another one is current by now.

use super::endpoint::{Endpoint, Unreadable, host, switched};
use super::goal::Goal;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::between;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::SecretVersion;
use crate::cloud::{EffectError, ErrorClass, SecretStage};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const PUT: &str = "secretsmanager:PutSecretValue";
const MOVE: &str = "secretsmanager:UpdateSecretVersionStage";

/// How long a version that Secrets Manager accepted may be missing from its list.
const SHOWN_AFTER: Duration = Duration::from_secs(5 * 60);

/// The action.
#[derive(Debug)]
pub(crate) struct SwitchEndpoint {
    spec: ActionSpec,
}

impl Default for SwitchEndpoint {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "secrets.switch_endpoint",
            summary: "Puts a new version of a database's secret that names another host, and keeps the \
                      version before it.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs: vec![
                Field::required("version", Type::String, "id of the version that is current"),
                Field::required("previous_version", Type::String, "id of the version before it"),
                Field::optional("was", Type::String, "host that the version before names"),
            ],
            calls: &[
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:GetSecretValue",
                PUT,
                MOVE,
            ],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "secrets.switch_endpoint",
                inputs: |inputs, outputs| {
                    let of = |values: &Values, name: &str| {
                        values.get(name).cloned().unwrap_or(Value::Null)
                    };
                    Values::from([
                        ("secret".to_owned(), of(inputs, "secret")),
                        ("version".to_owned(), of(outputs, "previous_version")),
                        ("instead_of".to_owned(), of(outputs, "version")),
                    ])
                },
            },
            role: Role::TrafficSwitch,
            by_hand: "# Change host in the text, and put it back as a new version; never print it.\n\
                      aws secretsmanager get-secret-value --region {region} --secret-id {secret} \
                      --query SecretString --output text > secret.json\n\
                      aws secretsmanager put-secret-value --region {region} --secret-id {secret} \
                      --secret-string file://secret.json && rm secret.json\n\
                      # Back to the version before:\n\
                      aws secretsmanager update-secret-version-stage --region {region} \
                      --secret-id {secret} --version-stage AWSCURRENT \
                      --remove-from-version-id {version} --move-to-version-id {previous_version}",
            default_timeout: Duration::from_secs(900),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required("secret", Type::String, "name or ARN of the secret, in its home region"),
        Field::optional("host", Type::String, "host that it shall name"),
        Field::optional("port", Type::Int, "port, when that changes too"),
        Field::optional("database", Type::String, "database (`dbname`), when that changes too"),
        Field::optional("username", Type::String, "user, when that changes too"),
        Field::optional("version", Type::String, "instead of a host: the version to go back to"),
        Field::optional(
            "instead_of",
            Type::String,
            "with `version`: the version that must be current for it",
        ),
    ]
}

/// The id of the version with a stage.
fn staged(versions: &[SecretVersion], stage: SecretStage) -> Option<&str> {
    let has = |version: &&SecretVersion| version.stages.iter().any(|it| it == stage.label());
    versions.iter().find(has).map(|version| version.id.as_str())
}

fn broken(why: String, help: &str) -> Observation {
    Observation::Broken { why, help: help.to_owned() }
}

const LOOK: &str = "look at its versions (aws secretsmanager list-secret-version-ids) and at who changed \
                    it, in CloudTrail";

impl SwitchEndpoint {
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

    /// What there is to do about a version that is not current.
    async fn behind(
        &self,
        context: &ReadContext<'_>,
        goal: &Goal,
        versions: &[SecretVersion],
    ) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let secret = scope.text("secret").unwrap_or_default();
        let Some(current) = staged(versions, SecretStage::Current) else {
            let why = format!("secret `{secret}` has no current version");
            return Ok(broken(why, "put a value first: there is nothing to change the host in"));
        };
        let accepted = scope.intent.filter(|intent| intent.accepted);
        let may_come = accepted.is_some_and(|it| between(it.at, scope.now) < SHOWN_AFTER);
        let here = versions.iter().any(|version| version.id == goal.version());
        match goal {
            Goal::Back { instead_of, .. } if current != instead_of => {
                let why = format!(
                    "version {current} of secret `{secret}` is current, not {instead_of}: somebody \
                     changed it since, and going back would undo that too"
                );
                Ok(broken(why, LOOK))
            }
            Goal::Back { version, .. } if !here => {
                let why = format!("secret `{secret}` has no version {version} any more");
                Ok(broken(why, LOOK))
            }
            Goal::New { version, .. } if here => {
                let why = format!(
                    "version {version} of secret `{secret}` was put by this step and is current no \
                     more: {current} took its place"
                );
                Ok(broken(why, LOOK))
            }
            Goal::New { .. } | Goal::Back { .. } if may_come => Ok(Observation::InProgress {
                state: "accepted, and not shown as current yet".to_owned(),
                milestone: None,
            }),
            Goal::New { version, .. } if accepted.is_some() => {
                let why = format!("version {version} of secret `{secret}` is gone again");
                Ok(broken(why, LOOK))
            }
            Goal::Back { .. } => Ok(Observation::Absent),
            Goal::New { endpoint, .. } => self.compare(context, endpoint, current).await,
        }
    }

    /// Whether the current version has the endpoint already.
    async fn compare(
        &self,
        context: &ReadContext<'_>,
        endpoint: &Endpoint,
        current: &str,
    ) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let secret = scope.text("secret").unwrap_or_default();
        let text =
            context.effects.secret_version(scope.region, secret, SecretStage::Current).await?;
        let changed = host(&text).and_then(|was| Ok((was, switched(&text, endpoint)?)));
        let (was, wanted) = match changed {
            Ok(changed) => changed,
            Err(unreadable) => {
                let (why, help) = unusable(secret, unreadable);
                return Ok(broken(why, help));
            }
        };
        if endpoint.host == was && same(&text, &wanted) {
            let warning = format!("secret `{secret}` named `{was}` already: nothing was changed");
            let verdict = Verdict::Warn(vec![warning]);
            return Ok(Observation::Done(done(current, current, Some(was), verdict)));
        }
        Ok(Observation::Absent)
    }
}

/// Whether two texts are the same object.
fn same(one: &crate::base::secret::Secret, other: &crate::base::secret::Secret) -> bool {
    use crate::base::secret::ExposeSecret as _;
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    read(one.expose_secret()) == read(other.expose_secret())
}

fn unusable(secret: &str, why: Unreadable) -> (String, &'static str) {
    let why = format!("secret `{secret}` cannot be switched: {}", why.words());
    (
        why,
        "give it the form that RDS writes (host, port, username, password, dbname), or switch it by hand",
    )
}

fn done(version: &str, previous: &str, was: Option<String>, verdict: Verdict) -> Done {
    let source = "ListSecretVersionIds";
    Done {
        outputs: Values::from([
            ("version".to_owned(), Value::text(version)),
            ("previous_version".to_owned(), Value::text(previous)),
            ("was".to_owned(), Value::optional(was)),
        ]),
        verdict,
        milestone: None,
        observed: BTreeMap::from([("secret_version".to_owned(), json!(version))]),
        evidence: vec![
            ("secret.current_version".to_owned(), version.to_owned(), source.to_owned()),
            ("secret.previous_version".to_owned(), previous.to_owned(), source.to_owned()),
        ],
    }
}

#[async_trait]
impl Action for SwitchEndpoint {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::from_secs(1), Duration::from_secs(15), "three calls"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let secret = scope.text("secret").unwrap_or("a secret");
        let summary = format!("switch secret `{secret}` in {}", scope.region);
        if let Some(why) = scope.unknown() {
            return Ok(Preview {
                summary,
                cannot_know: Some(why.to_owned()),
                outputs: self.spec.unknown_outputs(why),
                cited_duration: self.cited_duration(),
                ..Preview::default()
            });
        }
        let goal = Goal::of(scope)?;
        let versions = self.versions(context).await?;
        let current = versions.as_deref().and_then(|them| staged(them, SecretStage::Current));
        let Some(current) = current else {
            let why = match versions {
                None => format!("there is no secret `{secret}` in {}", scope.region),
                Some(_) => format!("secret `{secret}` has no current version"),
            };
            return Ok(Preview {
                summary,
                outputs: self.spec.unknown_outputs(&why),
                wont: Some(why),
                ..Preview::default()
            });
        };
        let hidden =
            "what it names now is not read: a dry run discloses no secret (GetSecretValue)";
        let (summary, cannot_know) = match &goal {
            Goal::New { endpoint, .. } => (
                format!("let secret `{secret}` in {} name `{}`", scope.region, endpoint.host),
                Some(hidden.to_owned()),
            ),
            Goal::Back { version, .. } => (
                format!("make version {version} of secret `{secret}` in {} current", scope.region),
                None,
            ),
        };
        let mut outputs = self.spec.unknown_outputs(hidden);
        outputs.insert("version".to_owned(), Value::text(goal.version()));
        outputs.insert("previous_version".to_owned(), Value::text(current));
        Ok(Preview {
            summary,
            cannot_know,
            details: vec![
                format!("new version {}; {current} stays as AWSPREVIOUS", goal.version()),
                "password, user and all other fields stay as they are".to_owned(),
                "applications see it when they read the secret again: redeploy those that do not"
                    .to_owned(),
            ],
            predictions: BTreeMap::from([("secret_version".to_owned(), json!(goal.version()))]),
            outputs,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let goal = Goal::of(scope)?;
        let secret = scope.text("secret").unwrap_or_default();
        let Some(versions) = self.versions(context).await? else {
            let why = format!("there is no secret `{secret}` in {}", scope.region);
            return Ok(broken(why, "check the name and the region: a replica of it is read-only"));
        };
        if staged(&versions, SecretStage::Current) != Some(goal.version()) {
            return self.behind(context, &goal, &versions).await;
        }
        let previous = staged(&versions, SecretStage::Previous).unwrap_or_default();
        // What was there before is told, and nothing depends on it.
        let text =
            context.effects.secret_version(scope.region, secret, SecretStage::Previous).await;
        let was = match text {
            Ok(text) => host(&text).ok(),
            Err(EffectError::Secret(error)) if error.class == ErrorClass::Permanent => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Observation::Done(done(goal.version(), previous, was, Verdict::Pass)))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let read = &context.read;
        let scope = &read.scope;
        let secret = scope.text("secret").unwrap_or_default();
        let accepted = match Goal::of(scope)? {
            Goal::Back { version, instead_of } => {
                let stages = (instead_of.as_str(), version.as_str());
                context.writer.move_secret_stage(scope.region, secret, stages).await?
            }
            Goal::New { version, endpoint } => {
                let stage = SecretStage::Current;
                let text = read.effects.secret_version(scope.region, secret, stage).await?;
                let text = switched(&text, &endpoint).map_err(|why| {
                    let (why, help) = unusable(secret, why);
                    ActionError::refused(why, help)
                })?;
                context.writer.put_secret_value(scope.region, secret, &version, &text).await?
            }
        };
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let operation = if scope.text("version").is_some() { MOVE } else { PUT };
        (operation.to_owned(), scope.text("secret").unwrap_or_default().to_owned())
    }
}
