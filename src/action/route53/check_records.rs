//! `route53.check_records`: are the records of a name what they should be?
//!
//! **Invariant:** judged by what the zone holds; what resolvers answer is `dns.check`'s to say.

use super::ground::{KINDS, LIST, Place, told, words};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::records::{RecordSet, plain_value};
use async_trait::async_trait;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckRecords {
    spec: ActionSpec,
}

impl Default for CheckRecords {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "route53.check_records",
            summary: "Checks that a name has records in its Route 53 zone, and which.",
            kind: ActionKind::Check,
            role: Role::None,
            inputs: vec![
                Field::required("zone", Type::String, "hosted zone id"),
                Field::required("name", Type::String, "name of the record"),
                Field::required("type", Type::OneOf(KINDS), "type of record"),
                Field::optional(
                    "values",
                    Type::texts(),
                    "exactly these values, of all its sets together",
                ),
                Field::optional(
                    "weights",
                    Type::Map(Box::new(Type::Int)),
                    "weights by set identifier; sets that are not named may have any",
                ),
            ],
            outputs: vec![
                Field::required("values", Type::texts(), "values of all its sets together"),
                Field::optional("ttl", Type::Int, "lowest time to live of its sets, seconds"),
                Field::required("records", Type::List(Box::new(Type::Any)), "its sets, as maps"),
            ],
            calls: &[LIST],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws route53 list-resource-record-sets --hosted-zone-id {zone} \
                      --start-record-name {name} --start-record-type {type} --max-items 10",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// What is wrong, in words; nothing when it is as it should be.
fn judge(scope: &StepScope<'_>, place: Place<'_>, sets: &[RecordSet]) -> Vec<String> {
    if sets.is_empty() {
        let wanted = scope.texts("values").is_some_and(|values| values.is_empty());
        return if wanted { Vec::new() } else { vec![format!("there is no {}", place.words())] };
    }
    let mut wrong = Vec::new();
    let plain = |values: &[String]| -> BTreeSet<String> {
        values.iter().map(|value| plain_value(place.kind, value)).collect()
    };
    if let Some(wanted) = scope.texts("values") {
        let found = all_values(sets);
        if plain(&wanted) != plain(&found) {
            wrong.push(format!(
                "{} has {} in place of {}",
                place.words(),
                told(&found),
                told(&wanted)
            ));
        }
    }
    if let Value::Map(weights) = scope.input("weights") {
        for (identifier, wanted) in weights {
            let set = sets.iter().find(|set| set.set_identifier.as_ref() == Some(identifier));
            let found = set.map(|set| set.weight);
            match (found, wanted) {
                (Some(Some(weight)), Value::Int(wanted)) if weight == *wanted => {}
                (Some(Some(weight)), _) => wrong.push(format!(
                    "{}: set `{identifier}` has weight {weight} in place of {wanted}",
                    place.words()
                )),
                (Some(None), _) => {
                    wrong.push(format!("{}: set `{identifier}` has no weight", place.words()));
                }
                (None, _) => {
                    wrong.push(format!("{} has no set `{identifier}`", place.words()));
                }
            }
        }
    }
    wrong
}

fn all_values(sets: &[RecordSet]) -> Vec<String> {
    let all: BTreeSet<&String> = sets.iter().flat_map(|set| &set.values).collect();
    all.into_iter().cloned().collect()
}

fn record(set: &RecordSet) -> Value {
    let fields = [
        ("set_identifier", Value::optional(set.set_identifier.clone())),
        ("values", set.values.clone().into()),
        ("ttl", Value::optional(set.ttl)),
        ("weight", Value::optional(set.weight)),
        ("failover", Value::optional(set.failover.clone())),
        ("health_check", Value::optional(set.health_check.clone())),
    ];
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn outputs(sets: &[RecordSet]) -> Values {
    let ttl = sets.iter().filter_map(|set| set.ttl).min();
    Values::from([
        ("values".to_owned(), all_values(sets).into()),
        ("ttl".to_owned(), Value::optional(ttl)),
        ("records".to_owned(), Value::List(sets.iter().map(record).collect())),
    ])
}

#[async_trait]
impl Action for CheckRecords {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            outputs: self.spec.unknown_outputs("the records are read when the run gets there"),
            ..Preview::default()
        };
        let unknown = |name: &str| scope.input(name).unknown_reason().map(str::to_owned);
        if let Some(why) = ["zone", "name"].iter().find_map(|name| unknown(name)) {
            preview.cannot_know = Some(why);
            return Ok(preview);
        }
        let place = Place::of(scope)?;
        let sets = place.sets(context.view).await?;
        preview.summary = format!("check {}", place.words());
        preview.details.extend(sets.iter().map(|set| format!("it has {}", words(Some(set)))));
        preview.outputs = outputs(&sets);
        match unknown("values").or_else(|| unknown("weights")) {
            Some(why) => preview.cannot_know = Some(why),
            None => {
                let wrong = judge(scope, place, &sets);
                preview.wont = (!wrong.is_empty()).then(|| wrong.join("; "));
                preview.predictions.insert("values".to_owned(), json!(all_values(&sets)));
            }
        }
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let place = Place::of(scope)?;
        let sets = place.sets(context.view).await?;
        let wrong = judge(scope, place, &sets);
        let evidence = |set: &RecordSet| {
            let name = set.set_identifier.as_ref();
            let name = name.map_or("record".to_owned(), |name| format!("record.{name}"));
            (name, words(Some(set)), LIST.to_owned())
        };
        let verdict = if wrong.is_empty() {
            Verdict::Pass
        } else {
            let help =
                "compare the zone with the estate file; a change of records shows here at once";
            Verdict::Fail { why: wrong.join("; "), help: help.to_owned() }
        };
        Ok(Observation::Done(Done {
            outputs: outputs(&sets),
            verdict,
            observed: BTreeMap::from([("values".to_owned(), json!(all_values(&sets)))]),
            evidence: sets.iter().map(evidence).collect(),
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("route53.check_records only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let target = Place::of(scope).map(|place| place.target(None));
        (LIST.to_owned(), target.unwrap_or_default())
    }
}
