//! `notify.webhook`: posts how the run stands to an HTTP address.
//!
//! **Invariant:** the address is a secret: of it nothing but the host is ever shown; what was sent once
//! is not sent again unless somebody said that it may be.

use super::{check_message, document};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::digest::signature;
use crate::base::secret::{ExposeSecret as _, Secret};
use crate::base::value::{Type, Value, Values};
use crate::cloud::http::{HttpAddress, HttpAnswer, HttpError, HttpMethod, HttpRequest};
use crate::cloud::{EffectError, HTTP_SEND, VARIABLE_READ};
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// Longest time of one attempt when the step says nothing: chat services answer within a second.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Header with the signature of the body, as `sha256=<hex>`.
const SIGNATURE: &str = "x-drctl-signature";

/// The action.
#[derive(Debug)]
pub(crate) struct NotifyWebhook {
    spec: ActionSpec,
}

impl Default for NotifyWebhook {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "notify.webhook",
            summary: "Posts to an HTTP address how the run stands; best effort.",
            kind: ActionKind::Notice,
            inputs: inputs(),
            outputs: vec![
                Field::optional("status", Type::Int, "status of the answer; null without one"),
                Field::optional("body_sha256", Type::String, "digest of what was sent"),
            ],
            calls: &["secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"],
            effects: &[HTTP_SEND, VARIABLE_READ],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "# Tell them yourself; the address is where the runbook takes it from.\n\
                      # {message}",
            default_timeout: Duration::from_secs(120),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    let map = |inner| Type::Map(Box::new(inner));
    vec![
        Field::required("message", Type::String, "what to say; may be an expression"),
        Field::optional("url", Type::Secret, "the address; never shown"),
        Field::optional("url_from", Type::String, "environment variable with the address"),
        Field::optional("url_secret", Type::String, "Secrets Manager secret with the address"),
        Field::optional("link", Type::String, "where people find more, as an address"),
        Field::optional("headers", map(Type::Secret), "headers to send; never shown"),
        Field::optional(
            "headers_from",
            map(Type::String),
            "headers to send, each from the environment variable named",
        ),
        Field::optional(
            "sign_with",
            Type::String,
            "environment variable with the key of the signature header (HMAC-SHA256)",
        ),
        Field::optional("sign_with_secret", Type::String, "the same, from Secrets Manager"),
        Field::optional("time_out", Type::Duration, "longest time of one attempt; 10s when absent"),
        Field::optional(
            "ca",
            Type::String,
            "PEM file of the authorities to trust, relative to the project; the system's when absent",
        ),
    ]
}

/// Where a secret text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Given,
    Variable(String),
    Secret(String),
}

impl Origin {
    /// The one of the three inputs that is given.
    fn of(scope: &StepScope<'_>, names: [&str; 3]) -> Result<Option<Self>, ActionError> {
        let [given, variable, secret] = names;
        let found: Vec<Self> = [
            matches!(scope.input(given), Value::Secret(_)).then_some(Self::Given),
            scope.text(variable).map(|name| Self::Variable(name.to_owned())),
            scope.text(secret).map(|name| Self::Secret(name.to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect();
        if found.len() > 1 {
            let why =
                format!("only one of {} may be given", names.join(", ").trim_matches([',', ' ']));
            return Err(ActionError::Input { name: variable.to_owned(), why });
        }
        Ok(found.into_iter().next())
    }

    fn words(&self) -> String {
        match self {
            Self::Given => "the address that the runbook names".to_owned(),
            Self::Variable(name) => format!("the address in the variable `{name}`"),
            Self::Secret(name) => format!("the address in the secret `{name}`"),
        }
    }

    async fn value(&self, context: &ReadContext<'_>, given: &str) -> Result<Secret, EffectError> {
        let (scope, effects) = (&context.scope, context.effects);
        match self {
            Self::Given => match scope.input(given) {
                Value::Secret(value) => Ok(value.clone()),
                _ => Ok(Secret::default()),
            },
            Self::Variable(name) => effects.variable(name),
            Self::Secret(name) => effects.secret_text(scope.region, name).await,
        }
    }

    /// Why it would not be there, as far as planning may look.
    async fn missing(&self, context: &ReadContext<'_>) -> Result<Option<String>, ActionError> {
        Ok(match self {
            Self::Given => None,
            Self::Variable(name) => (!context.effects.has_variable(name))
                .then(|| format!("the variable `{name}` is not set where drctl runs")),
            Self::Secret(name) => {
                let versions = context.view.secret_versions(context.scope.region, name).await?;
                versions.is_empty().then(|| format!("secret `{name}` is not there"))
            }
        })
    }
}

fn address(scope: &StepScope<'_>) -> Result<Origin, ActionError> {
    Origin::of(scope, ["url", "url_from", "url_secret"])?.ok_or_else(|| ActionError::Input {
        name: "url_from".to_owned(),
        why: "the address is missing: name the environment variable that holds it, or give \
              `url_secret` or `url`"
            .to_owned(),
    })
}

fn key(scope: &StepScope<'_>) -> Result<Option<Origin>, ActionError> {
    Origin::of(scope, ["", "sign_with", "sign_with_secret"])
}

/// Everything that is sent, put together.
async fn request(context: &ReadContext<'_>) -> Result<HttpRequest, ActionError> {
    let scope = &context.scope;
    let origin = address(scope)?;
    let text = origin.value(context, "url").await?;
    let address = HttpAddress::parse(text.expose_secret().trim()).map_err(|why| {
        ActionError::refused(
            format!("{}: {why}", origin.words()),
            "set it to the webhook's address",
        )
    })?;
    let mut document = document(scope)?;
    // What chat services show.
    let simulated = if scope.environment.is_simulated() { "SIMULATED: " } else { "" };
    let said = scope.text("message").unwrap_or_default();
    document["text"] = format!("{simulated}{said}").into();
    let body = document.to_string();
    let mut headers = vec![("content-type".to_owned(), Secret::from("application/json"))];
    if let Some(key) = key(scope)? {
        let key = key.value(context, "").await?;
        let signed = signature(key.expose_secret().trim_end().as_bytes(), body.as_bytes());
        headers.push((SIGNATURE.to_owned(), format!("sha256={signed}").into()));
    }
    headers.extend(crate::action::http::headers(context)?);
    Ok(HttpRequest {
        method: HttpMethod::Post,
        address: address.confidential(),
        headers,
        body: body.into(),
        redirects: 0,
        trust: scope.text("ca").map(PathBuf::from),
        timeout: scope.duration("time_out").unwrap_or(TIMEOUT),
    })
}

/// What an answer says about the message.
fn accepted(answer: &HttpAnswer) -> Result<(), HttpError> {
    if (200..=299).contains(&answer.status) {
        return Ok(());
    }
    Err(HttpError::Answered { place: answer.place.clone(), status: answer.status })
}

#[async_trait]
impl Action for NotifyWebhook {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        check_message(scope)?;
        let origin = address(scope)?;
        let mut preview = Preview {
            summary: format!("post how the run stands to {}", origin.words()),
            outputs: self.spec.unknown_outputs("nothing is sent in a dry run"),
            details: vec!["best effort: it cannot fail the run".to_owned()],
            ..Preview::default()
        };
        for origin in std::iter::once(origin).chain(key(scope)?) {
            if let Some(why) = origin.missing(context).await? {
                preview.warnings.push(format!("{why}: nothing would be sent"));
            }
        }
        for (header, name) in crate::action::http::from_variables(scope) {
            if !context.effects.has_variable(&name) {
                let why = format!("the variable `{name}` for the header `{header}` is not set");
                preview.warnings.push(format!("{why}: nothing would be sent"));
            }
        }
        if scope.environment.is_simulated() {
            preview
                .details
                .push("recorded instead of sent: the environment is simulated".to_owned());
        }
        Ok(preview)
    }

    async fn observe(&self, _: &ReadContext<'_>) -> Result<Observation, ActionError> {
        Ok(Observation::Absent)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        check_message(&context.read.scope)?;
        let request = request(&context.read).await?;
        let digest = crate::base::digest::Digest::of(request.body.expose_secret().as_bytes());
        let answer = context.read.effects.http(&request).await?;
        accepted(&answer).map_err(EffectError::Http)?;
        let source = match answer.stand_in {
            Some(_) => format!("{}, recorded and not sent", answer.place),
            None => answer.place.clone(),
        };
        let fact = |name: &str, value: String| (name.to_owned(), value, source.clone());
        let mut evidence = vec![
            fact("webhook.status", answer.status.to_string()),
            fact("webhook.body_sha256", digest.to_string()),
        ];
        if let Some(file) = &answer.recorded {
            evidence.push(fact("webhook.recorded_in", file.clone()));
        }
        let done = Done {
            outputs: Values::from([
                ("status".to_owned(), Value::Int(answer.status.into())),
                ("body_sha256".to_owned(), Value::text(digest.as_str())),
            ]),
            verdict: Verdict::Pass,
            evidence,
            ..Done::default()
        };
        Ok(Acted { request_id: None, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let to = address(scope).map_or_else(|_| String::new(), |origin| origin.words());
        (self.spec.name.to_owned(), to)
    }
}
