//! What the verbs of records have in common: which sets a step is about, and how they are told.
//!
//! **Invariant:** a name and type with several sets is never mistaken for one.

use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::base::clock::format_instant;
use crate::base::value::{Value, Values};
use crate::cloud::records::{RecordSet, plain_id, plain_name};
use crate::cloud::{AcceptedChange, CloudError, EstateView};

/// Types of records that steps may change.
pub(super) const KINDS: &[&str] = &["A", "AAAA", "CAA", "CNAME", "MX", "PTR", "SPF", "SRV", "TXT"];

/// Operation that reads records.
pub(super) const LIST: &str = "route53:ListResourceRecordSets";

/// Operation that changes them.
pub(super) const CHANGE: &str = "route53:ChangeResourceRecordSets";

/// The zone, name and type that a step is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) zone: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(scope: &StepScope<'a>) -> Result<Self, ActionError> {
        let text = |name: &str| match scope.inputs.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
            _ => Err(input(name, "it is empty")),
        };
        let (zone, name, kind) = (text("zone")?, text("name")?, text("type")?);
        if name.contains(['/', ' ']) || name.len() > 255 {
            let why = format!("`{name}` is no name: write it as `app.example.com`");
            return Err(input("name", &why));
        }
        Ok(Self { zone: plain_id(zone), name, kind })
    }

    /// Its record sets, through what is predicted.
    pub(super) async fn sets(&self, view: &EstateView) -> Result<Vec<RecordSet>, CloudError> {
        view.record_sets(self.zone, self.name, self.kind).await
    }

    /// `A api.example in zone Z1`.
    pub(super) fn words(&self) -> String {
        format!("{} {} in zone {}", self.kind, plain_name(self.name), self.zone)
    }

    /// What an intent to change it names as its target.
    pub(super) fn target(&self, set_identifier: Option<&str>) -> String {
        let set = set_identifier.map(|id| format!(" {id}")).unwrap_or_default();
        format!("{} {} {}{set}", self.zone, plain_name(self.name), self.kind)
    }
}

/// An input that cannot be used.
pub(super) fn input(name: &str, why: &str) -> ActionError {
    ActionError::Input { name: name.to_owned(), why: why.to_owned() }
}

/// The one set that a step is about; `None` when there is none.
pub(super) fn one<'a>(
    sets: &'a [RecordSet],
    set_identifier: Option<&str>,
    place: Place<'_>,
) -> Result<Option<&'a RecordSet>, ActionError> {
    let found = sets.iter().find(|set| set.set_identifier.as_deref() == set_identifier);
    if found.is_some() || sets.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = sets.iter().filter_map(|set| set.set_identifier.as_deref()).collect();
    let there =
        if names.is_empty() { "one set without identifier".to_owned() } else { names.join(", ") };
    let why = format!("{} has {there}: name one of its sets", place.words());
    Err(input("set_identifier", &why))
}

/// Values in words.
pub(super) fn told(values: &[String]) -> String {
    if values.is_empty() { "no record".to_owned() } else { values.join(", ") }
}

/// A set in words: values, time to live, what routes it.
pub(super) fn words(set: Option<&RecordSet>) -> String {
    let Some(set) = set else { return "no record".to_owned() };
    let ttl = set.ttl.map(|ttl| format!(" for {ttl} s")).unwrap_or_default();
    let weight = set.weight.map(|weight| format!(", weight {weight}")).unwrap_or_default();
    format!("{}{ttl}{weight}", told(&set.values))
}

/// What a change says of itself in AWS's records.
pub(super) fn comment(scope: &StepScope<'_>) -> String {
    format!("drctl run {} step {}", scope.run, scope.step.as_str())
}

/// Outputs and evidence of a change; `None` when its answer was lost, or nothing had to be changed.
pub(super) fn outputs(
    change: Option<&AcceptedChange>,
    more: Values,
) -> (Values, Vec<(String, String, String)>) {
    let submitted = change.and_then(|accepted| accepted.change.submitted_at);
    let mut outputs = more;
    let id = change.map(|accepted| accepted.change.id.clone());
    let mut evidence = Vec::new();
    if let Some(id) = &id {
        let source = CHANGE.to_owned();
        evidence.push(("change.id".to_owned(), id.clone(), source.clone()));
        let at = submitted.map(format_instant);
        evidence.extend(at.map(|at| ("change.submitted_at".to_owned(), at, source)));
    }
    outputs.insert("change_id".to_owned(), Value::optional(id));
    outputs.insert("changed_at".to_owned(), Value::optional(submitted));
    (outputs, evidence)
}
