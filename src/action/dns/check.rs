//! `dns.check`: do resolvers answer a name as they should, and for how long do they keep it?
//!
//! **Invariant:** the time to live is what was observed, never what somebody configured.

use super::judge::{Expectation, Heard, Judgement, ttls, values, words};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::dns::{DnsAnswer, DnsQuestion, RecordKind, ResolverName};
use crate::cloud::records::RecordSet;
use crate::cloud::{DNS_READ, ErrorClass};
use async_trait::async_trait;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest time of one question when the step says nothing: what resolvers' own clients wait.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most resolvers that one step asks.
const MAX_RESOLVERS: usize = 20;
/// Names of the types of record.
const KINDS: &[&str] = &["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"];

/// The action.
#[derive(Debug)]
pub(crate) struct DnsCheck {
    spec: ActionSpec,
}

impl Default for DnsCheck {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "dns.check",
            summary: "Asks DNS resolvers for a name and checks their answers and times to live.",
            kind: ActionKind::Check,
            inputs: inputs(),
            outputs: vec![
                Field::required("answers", Type::texts(), "values, of all resolvers together"),
                Field::optional("ttl_lowest", Type::Int, "lowest time to live seen, seconds"),
                Field::optional("ttl_highest", Type::Int, "highest time to live seen, seconds"),
            ],
            calls: &[],
            effects: &[DNS_READ],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# Ask each resolver by itself: dig @RESOLVER …\n\
                      dig {name} [{type}] +noall +answer +comments",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required("name", Type::String, "the whole name; no search domain is added"),
        Field::optional("type", Type::OneOf(KINDS), "type of record; A when absent"),
        Field::optional(
            "resolvers",
            Type::texts(),
            "who is asked, as `192.0.2.53`, `192.0.2.53:5353` or `system`, which it is when absent",
        ),
        Field::optional("expect", Type::texts(), "exactly these values"),
        Field::optional("contains", Type::texts(), "at least these values"),
        Field::optional("points_to", Type::String, "a name or value that the name leads to"),
        Field::optional("absent", Type::Bool, "whether there must be no such record"),
        Field::optional("max_ttl", Type::Duration, "longest time to live that passes"),
        Field::optional("quorum", Type::Int, "how many resolvers must agree; all when absent"),
        Field::optional("time_out", Type::Duration, "longest time of one question; 5s when absent"),
        Field::optional(
            "wait",
            Type::Bool,
            "whether to look again until it passes or the step's time is out",
        ),
    ]
}

/// A check, from the inputs.
struct Check {
    questions: Vec<DnsQuestion>,
    expectation: Expectation,
    wait: bool,
}

impl Check {
    fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let bad = |name: &str, why: String| ActionError::Input { name: name.to_owned(), why };
        let name = scope.text("name").unwrap_or_default();
        if name.is_empty() || name.len() > 255 || name.contains(['/', ':', ' ']) {
            let why = format!("`{name}` is no name: write it as `app.example.com`");
            return Err(bad("name", why));
        }
        let kind = scope.text("type").unwrap_or("A");
        let kind = RecordKind::NAMES.iter().find(|(found, _)| *found == kind);
        let kind = kind.map_or(RecordKind::A, |(_, kind)| *kind);
        let resolvers = resolvers(scope)?;
        let timeout = scope.duration("time_out").unwrap_or(TIMEOUT);
        if timeout.is_zero() {
            return Err(bad("time_out", "it must be longer than nothing".to_owned()));
        }
        let expectation = expectation(scope, kind, resolvers.len())?;
        let question =
            |resolver: ResolverName| DnsQuestion { name: name.to_owned(), kind, resolver, timeout };
        Ok(Self {
            questions: resolvers.into_iter().map(question).collect(),
            expectation,
            wait: scope.boolean("wait").unwrap_or(false),
        })
    }

    /// Asks every resolver, all at once.
    async fn ask(&self, context: &ReadContext<'_>) -> Vec<Heard> {
        let asked = self.questions.iter().map(|question| context.effects.dns(question));
        let answers = join_all(asked).await;
        self.questions.iter().map(|question| question.resolver).zip(answers).collect()
    }

    /// What this run will have changed about the name before it asks, from earlier steps' predictions.
    fn foreseen(&self, context: &ReadContext<'_>) -> Option<String> {
        let question = self.questions.first()?;
        let sets = context.view.overlay().records_named(&question.name, question.kind.name());
        if sets.is_empty() {
            return None;
        }
        let told = |set: &Option<&RecordSet>| match set {
            Some(set) => {
                let weight = set.weight.map(|weight| format!(" (weight {weight})"));
                format!("{}{}", set.values.join(", "), weight.unwrap_or_default())
            }
            None => "no record".to_owned(),
        };
        let will = sets.iter().map(told).collect::<Vec<_>>().join("; ");
        let ttl = sets.iter().flatten().filter_map(|set| set.ttl).max();
        let ttl = ttl.map(|ttl| format!(" of {ttl} s")).unwrap_or_default();
        Some(format!(
            "by then this run will have changed the zone to {will}: resolvers follow once the change is \
             in sync and the time to live{ttl} of what they heard before is over"
        ))
    }

    fn words(&self) -> String {
        let names: Vec<String> = self.questions.iter().map(|q| q.resolver.to_string()).collect();
        let first = self.questions.first().map_or("", |question| question.name.as_str());
        format!("{} {first} at {}", self.expectation.kind.name(), names.join(", "))
    }
}

fn resolvers(scope: &StepScope<'_>) -> Result<Vec<ResolverName>, ActionError> {
    let bad = |why: String| ActionError::Input { name: "resolvers".to_owned(), why };
    let given = scope.texts("resolvers").unwrap_or_else(|| vec!["system".to_owned()]);
    let read: Result<BTreeSet<ResolverName>, String> =
        given.iter().map(|text| ResolverName::parse(text)).collect();
    let read = read.map_err(bad)?;
    if read.is_empty() || read.len() > MAX_RESOLVERS || read.len() < given.len() {
        return Err(bad(format!("it must name 1 to {MAX_RESOLVERS} resolvers, each once")));
    }
    Ok(read.into_iter().collect())
}

fn expectation(
    scope: &StepScope<'_>,
    kind: RecordKind,
    resolvers: usize,
) -> Result<Expectation, ActionError> {
    let bad =
        |name: &str, why: &str| ActionError::Input { name: name.to_owned(), why: why.to_owned() };
    let plain = |values: Vec<String>| values.iter().map(|value| kind.plain(value)).collect();
    let most = u32::try_from(resolvers).unwrap_or(u32::MAX);
    let quorum = scope.int_within("quorum", 1..=most, most)?;
    let expectation = Expectation {
        kind,
        exactly: scope.texts("expect").map(plain),
        contains: scope.texts("contains").map(plain).unwrap_or_default(),
        points_to: scope.text("points_to").map(|target| match target.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => RecordKind::Cname.plain(target),
        }),
        absent: scope.boolean("absent").unwrap_or(false),
        max_ttl: scope
            .duration("max_ttl")
            .map(|limit| u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)),
        quorum: Some(usize::try_from(quorum).unwrap_or(resolvers)),
    };
    let wants_values = expectation.exactly.as_ref().is_some_and(|wanted| !wanted.is_empty())
        || !expectation.contains.is_empty()
        || expectation.points_to.is_some()
        || expectation.max_ttl.is_some();
    if expectation.absent && wants_values {
        return Err(bad("absent", "a record that must not be there has no values to expect"));
    }
    Ok(expectation)
}

/// What was heard: outputs and evidence.
fn done(heard: &[Heard]) -> Done {
    let answers: Vec<(&ResolverName, &DnsAnswer)> = heard
        .iter()
        .filter_map(|(resolver, answer)| Some((resolver, answer.as_ref().ok()?)))
        .collect();
    let all: BTreeSet<String> = answers.iter().flat_map(|(_, answer)| values(answer)).collect();
    let seen: Vec<(u32, u32)> = answers.iter().filter_map(|(_, answer)| ttls(answer)).collect();
    let lowest = seen.iter().map(|(low, _)| i64::from(*low)).min();
    let highest = seen.iter().map(|(_, high)| i64::from(*high)).max();
    let mut evidence = Vec::new();
    for (resolver, answer) in heard {
        let source = format!("resolver {resolver}");
        let name = format!("dns.{resolver}");
        match answer {
            Ok(answer) => {
                evidence.push((name.clone(), words(answer), source.clone()));
                if let Some((low, high)) = ttls(answer) {
                    evidence.push((format!("{name}.ttl"), format!("{low} to {high} s"), source));
                }
            }
            Err(error) => evidence.push((name, error.to_string(), source)),
        }
    }
    let outputs = Values::from([
        ("answers".to_owned(), all.into_iter().collect::<Vec<_>>().into()),
        ("ttl_lowest".to_owned(), Value::optional(lowest)),
        ("ttl_highest".to_owned(), Value::optional(highest)),
    ]);
    Done { outputs, evidence, ..Done::default() }
}

#[async_trait]
impl Action for DnsCheck {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let later = "what resolvers answer is known when the run gets there";
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
        let check = Check::of(scope)?;
        preview.summary = check.words();
        preview.details.extend(check.foreseen(context));
        let heard = check.ask(context).await;
        for (resolver, answer) in &heard {
            let said = match answer {
                Ok(answer) => words(answer),
                Err(error) => error.to_string(),
            };
            preview.details.push(format!("today {resolver} says: {said}"));
        }
        let today = match check.expectation.judge(heard) {
            Judgement::Passes(_) => "today it would pass".to_owned(),
            Judgement::Fails(wrong) => format!("today it would fail: {}", wrong.join("; ")),
            Judgement::Undecided(error) => format!("today it could not be said: {error}"),
        };
        preview.details.push(today);
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let check = Check::of(&context.scope)?;
        let heard = check.ask(context).await;
        let done = done(&heard);
        let again = |state: String| Ok(Observation::InProgress { state, milestone: None });
        match check.expectation.judge(heard) {
            Judgement::Passes(notes) => {
                let verdict = if notes.is_empty() { Verdict::Pass } else { Verdict::Warn(notes) };
                Ok(Observation::Done(Done { verdict, ..done }))
            }
            Judgement::Fails(wrong) if check.wait => again(wrong.join("; ")),
            Judgement::Fails(wrong) => {
                let verdict = Verdict::Fail {
                    why: format!("{}: {}", check.words(), wrong.join("; ")),
                    help: "a change needs as long as the old time to live; with `wait: true` the \
                           step gives it time"
                        .to_owned(),
                };
                Ok(Observation::Done(Done { verdict, ..done }))
            }
            Judgement::Undecided(error) => {
                let may_come =
                    matches!(error.class(), ErrorClass::Unreachable | ErrorClass::Temporary);
                if check.wait && may_come { again(error.to_string()) } else { Err(error.into()) }
            }
        }
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("dns.check only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("name").unwrap_or_default().to_owned())
    }
}
