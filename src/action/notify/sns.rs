//! `notify.sns`: publishes how the run stands to an SNS topic.
//!
//! **Invariant:** what does not fit into a message is refused before anything is sent, never cut
//! silently.

use super::{check_message, document};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::digest::Digest;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::Publication;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest subject that SNS takes, characters.
const MAX_SUBJECT: usize = 100;
/// Most attributes that are sent: those that filter policies of subscribers use.
const MAX_ATTRIBUTES: usize = 10;

/// The action.
#[derive(Debug)]
pub(crate) struct NotifySns {
    spec: ActionSpec,
}

impl Default for NotifySns {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "notify.sns",
            summary: "Publishes to an SNS topic how the run stands; best effort.",
            kind: ActionKind::Notice,
            inputs: vec![
                Field::required("topic", Type::String, "ARN of the topic"),
                Field::required("message", Type::String, "what to say; may be an expression"),
                Field::optional("subject", Type::String, "for e-mail; at most 100 characters"),
                Field::optional(
                    "attributes",
                    Type::Map(Box::new(Type::String)),
                    "attributes for filter policies",
                ),
                Field::optional(
                    "structured",
                    Type::Bool,
                    "whether the message is a JSON document about the run",
                ),
                Field::optional("link", Type::String, "where people find more, as an address"),
            ],
            outputs: vec![Field::optional("message_id", Type::String, "SNS's id of the message")],
            calls: &["sns:Publish"],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "aws sns publish --region {region} --topic-arn {topic} [--subject {subject}] \
                      --message {message}",
            default_timeout: Duration::from_secs(120),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn bad(name: &str, why: String) -> ActionError {
    ActionError::Input { name: name.to_owned(), why }
}

/// The topic's region and the topic.
fn topic<'a>(scope: &StepScope<'a>) -> Result<(&'a str, &'a str), ActionError> {
    let Value::String(arn) = scope.inputs.get("topic").unwrap_or(&Value::Null) else {
        return Ok((scope.region, ""));
    };
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if !region.is_empty() && account.len() == 12 && !name.is_empty() =>
        {
            Ok((region, arn))
        }
        _ => {
            let why = format!(
                "`{arn}` is no topic: write its ARN, as arn:aws:sns:us-east-1:123456789012:alerts"
            );
            Err(bad("topic", why))
        }
    }
}

fn subject(scope: &StepScope<'_>) -> Result<Option<String>, ActionError> {
    let Some(subject) = scope.text("subject") else { return Ok(None) };
    let simulated = if scope.environment.is_simulated() { "SIMULATED: " } else { "" };
    let whole = format!("{simulated}{subject}");
    let length = whole.chars().count();
    let fits = !subject.is_empty()
        && length <= MAX_SUBJECT
        && whole.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        && whole.starts_with(|c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation());
    if fits {
        return Ok(Some(whole));
    }
    let why = format!(
        "a subject has 1 to {MAX_SUBJECT} ASCII characters in one line and begins with a letter, a \
         digit or punctuation; this one has {length}"
    );
    Err(bad("subject", why))
}

fn attributes(scope: &StepScope<'_>) -> Result<BTreeMap<String, String>, ActionError> {
    let Value::Map(given) = scope.input("attributes") else { return Ok(BTreeMap::new()) };
    if given.len() > MAX_ATTRIBUTES {
        let why = format!("at most {MAX_ATTRIBUTES} attributes are sent, found {}", given.len());
        return Err(bad("attributes", why));
    }
    let good = |name: &str| {
        name.len() <= 256 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    let mut found = BTreeMap::new();
    for (name, value) in given {
        let value = value.as_str().unwrap_or_default();
        if name.is_empty() || !good(name) || value.is_empty() {
            let why = format!(
                "`{name}`: a name has letters, digits, `_`, `-` and `.`, and a value is not empty"
            );
            return Err(bad("attributes", why));
        }
        found.insert(name.clone(), value.to_owned());
    }
    Ok(found)
}

/// A function of run and step, so that a repetition is known as one.
fn token(scope: &StepScope<'_>) -> String {
    format!("{}-{}", scope.run, Digest::of(scope.step.as_str().as_bytes()).short())
}

/// The message's text.
fn text(scope: &StepScope<'_>) -> Result<String, ActionError> {
    if scope.boolean("structured").unwrap_or(false) {
        return Ok(document(scope)?.to_string());
    }
    let simulated = if scope.environment.is_simulated() { "SIMULATED: " } else { "" };
    let said = scope.text("message").unwrap_or_default();
    let link = scope.text("link").map(|link| format!("\n{link}")).unwrap_or_default();
    Ok(format!("{simulated}{said}{link}"))
}

#[async_trait]
impl Action for NotifySns {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        check_message(scope)?;
        let (region, arn) = topic(scope)?;
        subject(scope)?;
        attributes(scope)?;
        Ok(Preview {
            summary: format!("publish how the run stands to {arn} in {region}"),
            outputs: self.spec.unknown_outputs("nothing is sent in a dry run"),
            details: vec!["best effort: it cannot fail the run".to_owned()],
            ..Preview::default()
        })
    }

    async fn observe(&self, _: &ReadContext<'_>) -> Result<Observation, ActionError> {
        Ok(Observation::Absent)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        check_message(scope)?;
        let (region, arn) = topic(scope)?;
        let publication = Publication {
            topic: arn.to_owned(),
            subject: subject(scope)?,
            message: text(scope)?,
            attributes: attributes(scope)?,
            token: token(scope),
        };
        let published = context.writer.publish(region, &publication).await?;
        let done = Done {
            outputs: Values::from([("message_id".to_owned(), Value::text(&published.message_id))]),
            verdict: Verdict::Pass,
            evidence: vec![("sns.message_id".to_owned(), published.message_id, arn.to_owned())],
            ..Done::default()
        };
        Ok(Acted { request_id: published.request_id, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("sns:Publish".to_owned(), scope.text("topic").unwrap_or_default().to_owned())
    }
}
