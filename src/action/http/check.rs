//! `http.check`: does an HTTP server answer as it should?
//!
//! **Invariant:** a server that does not answer is an error; a wrong answer is a failure; the body
//! leaves only its digest.

use super::expectation::Expectation;
use super::headers::{from_variables, headers};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::secret::Secret;
use crate::base::value::{Type, Value, Values};
use crate::cloud::http::{HttpAddress, HttpAnswer, HttpMethod, HttpRequest};
use crate::cloud::{EffectError, ErrorClass, HTTP_READ, VARIABLE_READ};
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// Longest time of one request when the step says nothing: load balancers give up after as long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most redirects that a step may follow.
const MAX_REDIRECTS: u32 = 10;
/// Most successes in a row that a step may ask for.
const MAX_CONSECUTIVE: u32 = 1_000;

/// The action.
#[derive(Debug)]
pub(crate) struct HttpCheck {
    spec: ActionSpec,
}

impl Default for HttpCheck {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "http.check",
            summary: "Asks an HTTP server and checks status, body and time of its answer.",
            kind: ActionKind::Check,
            inputs: inputs(),
            outputs: vec![
                Field::required("status", Type::Int, "status code"),
                Field::required("latency_ms", Type::Int, "from connecting to the body's end"),
                Field::required("body_sha256", Type::String, "digest of the body"),
                Field::optional(
                    "certificate_ends",
                    Type::Time,
                    "when the server's certificate ends; null without TLS",
                ),
            ],
            calls: &[],
            effects: &[HTTP_READ, VARIABLE_READ],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "curl --silent --show-error --include --max-time 10 {url}",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    let headers = |inner| Type::Map(Box::new(inner));
    vec![
        Field::required("url", Type::String, "address, http or https"),
        Field::optional("method", Type::OneOf(&["GET", "HEAD"]), "GET when absent"),
        Field::optional("status", Type::Any, "200, `2xx`, `200-204` or a list; `2xx` when absent"),
        Field::optional("contains", Type::String, "text that the body must contain"),
        Field::optional(
            "json",
            headers(Type::Any),
            "fields of a JSON body and their values, as `checks.database: up`",
        ),
        Field::optional("headers", headers(Type::Secret), "headers to send; never shown"),
        Field::optional(
            "headers_from",
            headers(Type::String),
            "headers to send, each from the environment variable named",
        ),
        Field::optional("max_latency", Type::Duration, "longest time of an answer that passes"),
        Field::optional("time_out", Type::Duration, "longest time of one request; 10s when absent"),
        Field::optional(
            "consecutive",
            Type::Int,
            "successes in a row that are wanted; 1 when absent",
        ),
        Field::optional(
            "wait",
            Type::Bool,
            "whether to look again until it passes or the step's time is out",
        ),
        Field::optional(
            "redirects",
            Type::Int,
            "how many redirects are followed; none when absent",
        ),
        Field::optional(
            "ca",
            Type::String,
            "PEM file of the authorities to trust, relative to the project; the system's when absent",
        ),
    ]
}

/// A check, from the inputs.
struct Question {
    request: HttpRequest,
    expectation: Expectation,
    consecutive: u32,
    wait: bool,
}

impl Question {
    fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let bad = |name: &str, why: String| ActionError::Input { name: name.to_owned(), why };
        let address = HttpAddress::parse(scope.text("url").unwrap_or_default())
            .map_err(|why| bad("url", why))?;
        let expectation = Expectation::of(scope)?;
        let method = match scope.text("method") {
            Some("HEAD") => HttpMethod::Head,
            _ => HttpMethod::Get,
        };
        if method == HttpMethod::Head && expectation.needs_body() {
            let why = "the answer to HEAD has no body, and `contains` or `json` asks for one";
            return Err(bad("method", why.to_owned()));
        }
        let timeout = scope.duration("time_out").unwrap_or(TIMEOUT);
        if timeout.is_zero() {
            return Err(bad("time_out", "it must be longer than nothing".to_owned()));
        }
        let request = HttpRequest {
            method,
            address,
            headers: Vec::new(),
            body: Secret::default(),
            redirects: scope.int_within("redirects", 0..=MAX_REDIRECTS, 0)?,
            trust: scope.text("ca").map(PathBuf::from),
            timeout,
        };
        Ok(Self {
            request,
            expectation,
            consecutive: scope.int_within("consecutive", 1..=MAX_CONSECUTIVE, 1)?,
            wait: scope.boolean("wait").unwrap_or(false),
        })
    }

    /// Asks once.
    async fn ask(&self, context: &ReadContext<'_>) -> Result<HttpAnswer, EffectError> {
        let headers = headers(context)?;
        context.effects.http(&HttpRequest { headers, ..self.request.clone() }).await
    }

    fn words(&self) -> String {
        let times = match self.consecutive {
            1 => String::new(),
            times => format!(", {times} times in a row"),
        };
        format!("{} {}{times}", self.request.method.name(), self.request.address)
    }
}

fn done(answer: &HttpAnswer, verdict: Verdict) -> Done {
    let latency = i64::try_from(answer.took.as_millis()).unwrap_or(i64::MAX);
    let digest = answer.digest().to_string();
    let outputs = Values::from([
        ("status".to_owned(), Value::Int(answer.status.into())),
        ("latency_ms".to_owned(), Value::Int(latency)),
        ("body_sha256".to_owned(), Value::text(&digest)),
        ("certificate_ends".to_owned(), Value::optional(answer.certificate_ends)),
    ]);
    let source = match answer.stand_in {
        Some(stand_in) => format!("{} as {stand_in} has it", answer.place),
        None => answer.place.clone(),
    };
    let fact = |name: &str, value: String| (name.to_owned(), value, source.clone());
    let mut evidence = vec![
        fact("http.status", answer.status.to_string()),
        fact("http.latency_ms", latency.to_string()),
        fact("http.body_sha256", digest),
    ];
    if let Some(end) = answer.certificate_ends {
        evidence.push(fact("http.certificate_ends", crate::base::clock::format_instant(end)));
    }
    Done { outputs, verdict, evidence, ..Done::default() }
}

/// Why a dry run does not ask, when it does not: it sends nothing that could log in.
fn unasked(scope: &StepScope<'_>, question: &Question) -> Option<&'static str> {
    let given = |input| matches!(scope.input(input), Value::Map(map) if !map.is_empty());
    if given("headers") {
        Some("not asked today: a dry run sends no headers of the step, because they may log in")
    } else if given("headers_from") {
        Some("not asked today: a dry run reads no values for its headers")
    } else if question.request.address.has_secret() {
        Some("not asked today: a dry run sends no secret, and its address holds one")
    } else {
        None
    }
}

/// What a dry run sees today, in words.
fn today(question: &Question, asked: Result<HttpAnswer, EffectError>) -> String {
    match asked {
        Ok(answer) => {
            let status = answer.status;
            match question.request.onward(&answer) {
                Ok(None) => {}
                Ok(Some(next)) => {
                    return format!(
                        "today the first answer is status {status} and leads to {}; a dry run \
                         follows no redirect",
                        next.address
                    );
                }
                Err(error) => return format!("today it would fail: status {status}: {error}"),
            }
            let wrong = question.expectation.judge(&answer);
            let took = crate::base::duration::human(answer.took);
            if wrong.is_empty() {
                format!("today it would pass: status {} after {took}", answer.status)
            } else {
                format!("today it would fail: {}", wrong.join("; "))
            }
        }
        Err(error) => format!("today it could not be asked: {error}"),
    }
}

#[async_trait]
impl Action for HttpCheck {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let later = "what it answers is known when the run gets there";
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            cannot_know: Some(later.to_owned()),
            outputs: self.spec.unknown_outputs(later),
            ..Preview::default()
        };
        if let Some(why) = scope.unknown() {
            preview.cannot_know = Some(why.to_owned());
            return Ok(preview);
        }
        let question = Question::of(scope)?;
        preview.summary = question.words();
        let named = from_variables(scope);
        if let Some((header, variable)) =
            named.iter().find(|(_, name)| !context.effects.has_variable(name))
        {
            preview.wont = Some(format!(
                "the variable `{variable}` for the header `{header}` is not set where drctl runs"
            ));
        } else if let Some(why) = unasked(scope, &question) {
            preview.details.push(why.to_owned());
            preview.cannot_know = Some(format!("{later}; {why}"));
        } else {
            preview.details.push(today(&question, question.ask(context).await));
        }
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let question = Question::of(&context.scope)?;
        let again = |state: String| Observation::InProgress { state, milestone: None };
        let answer = match question.ask(context).await {
            Ok(answer) => answer,
            Err(error) => {
                context.memory.broke();
                let may_come =
                    matches!(error.class(), ErrorClass::Unreachable | ErrorClass::Temporary);
                if question.wait && may_come {
                    return Ok(again(error.to_string()));
                }
                return Err(error.into());
            }
        };
        let wrong = question.expectation.judge(&answer);
        if wrong.is_empty() {
            let streak = context.memory.went_well();
            if streak < question.consecutive {
                return Ok(again(format!("{streak} of {} in a row", question.consecutive)));
            }
            return Ok(Observation::Done(done(&answer, Verdict::Pass)));
        }
        context.memory.broke();
        let why = wrong.join("; ");
        if question.wait {
            return Ok(again(why));
        }
        let verdict = Verdict::Fail {
            why: format!("{}: {why}", question.request.address),
            help: "look at the service itself; with `wait: true` the step gives it time".to_owned(),
        };
        Ok(Observation::Done(done(&answer, verdict)))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("http.check only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let address = HttpAddress::parse(scope.text("url").unwrap_or_default());
        (self.spec.name.to_owned(), address.map_or_else(|_| String::new(), |url| url.to_string()))
    }
}
