//! `route53.shift_weights`: shares the answers of a name anew among its weighted sets.
//!
//! **Invariant:** all weights change in one batch or none; each set keeps everything but its weight.

use super::ground::{CHANGE, KINDS, LIST, Place, comment, input, outputs};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::records::{RecordEdit, RecordSet};
use crate::cloud::{AcceptedChange, PredictedEffect};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Weights by set identifier.
type Weights = BTreeMap<String, i64>;

/// The action.
#[derive(Debug)]
pub(crate) struct ShiftWeights {
    spec: ActionSpec,
}

impl Default for ShiftWeights {
    fn default() -> Self {
        let weights = || Type::Map(Box::new(Type::Int));
        let spec = ActionSpec {
            name: "route53.shift_weights",
            summary: "Changes the weights of a name's record sets in Route 53, all at once.",
            kind: ActionKind::Mutation,
            role: Role::TrafficSwitch,
            inputs: vec![
                Field::required("zone", Type::String, "hosted zone id"),
                Field::required("name", Type::String, "name of the records"),
                Field::required("type", Type::OneOf(KINDS), "type of record"),
                Field::required("weights", weights(), "0 to 255 by set identifier"),
            ],
            outputs: vec![
                Field::optional(
                    "change_id",
                    Type::String,
                    "the change, for route53.wait_in_sync; null when AWS's answer was lost or nothing \
                     had to be changed",
                ),
                Field::required("was", weights(), "weights before"),
                Field::optional("changed_at", Type::Time, "when AWS took the change"),
            ],
            calls: &[LIST, CHANGE],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "route53.shift_weights",
                inputs: |inputs, outputs| {
                    let given = |name: &str| inputs.get(name).cloned().unwrap_or(Value::Null);
                    let same = ["zone", "name", "type"];
                    let mut back: Values =
                        same.iter().map(|name| ((*name).to_owned(), given(name))).collect();
                    let was = outputs.get("was").cloned().unwrap_or(Value::Null);
                    back.insert("weights".to_owned(), was);
                    back
                },
            },
            by_hand: "# Write every set of {name} as UPSERT with its new weight into batch.json\n\
                      aws route53 list-resource-record-sets --hosted-zone-id {zone} \
                      --start-record-name {name} --start-record-type {type} --max-items 10\n\
                      aws route53 change-resource-record-sets --hosted-zone-id {zone} \
                      --change-batch file://batch.json",
            default_timeout: Duration::from_secs(600),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

/// The weights wanted.
fn wanted(scope: &StepScope<'_>) -> Result<Weights, ActionError> {
    let Value::Map(given) = scope.input("weights") else {
        return Err(input("weights", "it is no map"));
    };
    let mut weights = Weights::new();
    for (identifier, value) in given {
        let weight = if let Value::Int(weight) = value { *weight } else { -1 };
        if !(0..=255).contains(&weight) {
            let why = format!("the weight of `{identifier}` must be 0 to 255, found {value}");
            return Err(input("weights", &why));
        }
        weights.insert(identifier.clone(), weight);
    }
    if weights.is_empty() {
        return Err(input("weights", "it names no set"));
    }
    Ok(weights)
}

/// The weights of the sets that are named, as they are; or why they cannot be shifted.
fn found(sets: &[RecordSet], wanted: &Weights, place: Place<'_>) -> Result<Weights, String> {
    let mut weights = Weights::new();
    for identifier in wanted.keys() {
        let set = sets.iter().find(|set| set.set_identifier.as_ref() == Some(identifier));
        let told = format!("{}: set `{identifier}`", place.words());
        match set {
            None => {
                let there = sets.iter().filter_map(|set| set.set_identifier.as_deref());
                let there = there.collect::<Vec<_>>().join(", ");
                let there = if there.is_empty() { "none".to_owned() } else { there };
                return Err(format!("{told} does not exist; its weighted sets: {there}"));
            }
            Some(RecordSet { unsupported: Some(what), .. }) => {
                return Err(format!("{told} has {what}, which drctl cannot write back whole"));
            }
            Some(RecordSet { weight: None, .. }) => return Err(format!("{told} has no weight")),
            Some(RecordSet { weight: Some(weight), .. }) => {
                weights.insert(identifier.clone(), *weight);
            }
        }
    }
    Ok(weights)
}

/// The sets whose weight is another, before and after.
fn differing(sets: &[RecordSet], wanted: &Weights) -> Vec<(RecordSet, RecordSet)> {
    let changed = sets.iter().filter_map(|set| {
        let weight = wanted.get(set.set_identifier.as_ref()?)?;
        let after = RecordSet { weight: Some(*weight), ..set.clone() };
        (set.weight != Some(*weight)).then(|| (set.clone(), after))
    });
    changed.collect()
}

fn value(weights: &Weights) -> Value {
    Value::Map(weights.iter().map(|(id, weight)| (id.clone(), Value::Int(*weight))).collect())
}

fn told(weights: &Weights) -> String {
    let each = weights.iter().map(|(id, weight)| format!("{id} {weight}"));
    each.collect::<Vec<_>>().join(", ")
}

fn done(wanted: &Weights, was: Value, change: Option<&AcceptedChange>) -> Done {
    let (outputs, mut evidence) = outputs(change, Values::from([("was".to_owned(), was)]));
    evidence.push(("weights".to_owned(), told(wanted), LIST.to_owned()));
    Done {
        outputs,
        observed: BTreeMap::from([("weights".to_owned(), json!(wanted))]),
        evidence,
        ..Done::default()
    }
}

#[async_trait]
impl Action for ShiftWeights {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            outputs: self.spec.unknown_outputs("Route 53 names the change when it takes it"),
            ..Preview::default()
        };
        if let Some(why) = scope.unknown() {
            preview.cannot_know = Some(why.to_owned());
            return Ok(preview);
        }
        let (place, wanted) = (Place::of(scope)?, wanted(scope)?);
        let sets = place.sets(context.view).await?;
        preview.summary = format!("shift the weights of {} to {}", place.words(), told(&wanted));
        let was = match found(&sets, &wanted, place) {
            Ok(was) => was,
            Err(why) => return Ok(Preview { wont: Some(why), ..preview }),
        };
        preview.details.push(format!("they are {} now", told(&was)));
        let all = sets.iter().map(|set| {
            let id = set.set_identifier.clone().unwrap_or_default();
            wanted.get(&id).copied().or(set.weight).unwrap_or_default()
        });
        if all.sum::<i64>() == 0 {
            let line = "every weight will be 0: Route 53 then answers with all sets alike";
            preview.warnings.push(line.to_owned());
        }
        preview.outputs.insert("was".to_owned(), value(&was));
        preview.predictions.insert("weights".to_owned(), json!(wanted));
        preview.facts.insert(format!("route53 {}", place.target(None)), told(&was));
        let effects =
            differing(&sets, &wanted).into_iter().map(|(_, after)| PredictedEffect::Records {
                zone: place.zone.to_owned(),
                name: place.name.to_owned(),
                kind: place.kind.to_owned(),
                set_identifier: after.set_identifier.clone(),
                set: Some(Box::new(after)),
            });
        preview.effects.extend(effects);
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let (place, wanted) = (Place::of(scope)?, wanted(scope)?);
        let sets = place.sets(context.view).await?;
        let now = match found(&sets, &wanted, place) {
            Ok(now) => now,
            Err(why) => {
                let help = "compare `weights` with the zone's record sets";
                return Ok(Observation::Broken { why, help: help.to_owned() });
            }
        };
        if now != wanted {
            return Ok(Observation::Absent);
        }
        let known = scope.planned.and_then(|planned| planned.get("was")).cloned();
        let known = known.filter(|was| was.unknown_reason().is_none());
        // Asked for, it is this step's doing, and only the plan knows what was before.
        let asked = scope.intent.is_some() || scope.asked;
        let was = known.filter(|_| asked).unwrap_or_else(|| value(&now));
        Ok(Observation::Done(done(&wanted, was, None)))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let (place, wanted) = (Place::of(scope)?, wanted(scope)?);
        let sets = place.sets(context.read.view).await?;
        let help = "compare `weights` with the zone's record sets";
        let was = found(&sets, &wanted, place).map_err(|why| ActionError::refused(why, help))?;
        let edits: Vec<RecordEdit> = differing(&sets, &wanted)
            .into_iter()
            .flat_map(|(old, new)| [RecordEdit::Delete(old), RecordEdit::Create(new)])
            .collect();
        if edits.is_empty() {
            let done = done(&wanted, value(&was), None);
            return Ok(Acted { request_id: None, done: Some(done) });
        }
        let sent = context.writer.change_records(place.zone, &comment(scope), &edits).await;
        let accepted = sent.map_err(|error| {
            if !error.is("InvalidChangeBatch") {
                return ActionError::Cloud(error);
            }
            let why = format!(
                "the zone moved between look and change, and nothing was changed; Route 53 says: {}",
                error.message
            );
            ActionError::refused(why, "look at the zone, then try again")
        })?;
        let done = done(&wanted, value(&was), Some(&accepted));
        Ok(Acted { request_id: accepted.request_id, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let target = Place::of(scope).map(|place| place.target(None));
        (CHANGE.to_owned(), target.unwrap_or_default())
    }
}
