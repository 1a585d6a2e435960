//! `route53.change_records`: swaps the values of one record set for others, if it has what it should.
//!
//! **Invariant:** compare and swap: one batch that deletes exactly the set that was looked at and creates
//! the new one, so that a zone that moved meanwhile refuses all of it.

use super::ground::{CHANGE, KINDS, LIST, Place, comment, input, one, outputs, told, words};
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::records::{RecordEdit, RecordSet};
use crate::cloud::{AcceptedChange, PredictedEffect};
use crate::estate::AliasTarget;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time to live of a record that is new and says none, seconds.
const DEFAULT_TTL: i64 = 60;

/// The action.
#[derive(Debug)]
pub(crate) struct ChangeRecords {
    spec: ActionSpec,
}

impl Default for ChangeRecords {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "route53.change_records",
            summary: "Gives a record set of Route 53 other values, if it still has the ones named; the \
                      change shows in the API at once and in answers when it is in sync.",
            kind: ActionKind::Mutation,
            role: Role::TrafficSwitch,
            inputs: inputs(),
            outputs: vec![
                Field::optional(
                    "change_id",
                    Type::String,
                    "the change, for route53.wait_in_sync; null when AWS's answer was lost or nothing \
                     had to be changed",
                ),
                Field::required(
                    "was",
                    Type::texts(),
                    "its values before; empty when it was not there",
                ),
                Field::optional("was_ttl", Type::Int, "its time to live before, seconds"),
                Field::optional("changed_at", Type::Time, "when AWS took the change"),
            ],
            calls: &[LIST, CHANGE],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "route53.change_records",
                inputs: |inputs, outputs| {
                    let given = |name: &str| inputs.get(name).cloned().unwrap_or(Value::Null);
                    let found = |name: &str| outputs.get(name).cloned().unwrap_or(Value::Null);
                    let same = ["zone", "name", "type", "set_identifier"];
                    let mut back: Values =
                        same.iter().map(|name| ((*name).to_owned(), given(name))).collect();
                    back.insert("from".to_owned(), given("to"));
                    back.insert("to".to_owned(), found("was"));
                    back.insert("ttl".to_owned(), found("was_ttl"));
                    back
                },
            },
            by_hand: "# Look at {name} first; write its present set as DELETE and the new one as CREATE \
                      into batch.json\n\
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

fn inputs() -> Vec<Field> {
    vec![
        Field::required("zone", Type::String, "hosted zone id"),
        Field::required("name", Type::String, "name of the record"),
        Field::required("type", Type::OneOf(KINDS), "type of record"),
        Field::optional(
            "set_identifier",
            Type::String,
            "which of several sets of that name and type",
        ),
        Field::optional(
            "from",
            Type::texts(),
            "exactly the values that it must have now; null when it must not exist; an alias is \
             `alias:ZONE:NAME`, with `:evaluate` when it is as healthy as its target",
        ),
        Field::required("to", Type::texts(), "its new values; an empty list removes it"),
        Field::optional(
            "ttl",
            Type::Int,
            "its new time to live, seconds; the present one when absent, 60 for a new record",
        ),
    ]
}

/// What a step wants, from its inputs.
struct Wish<'a> {
    place: Place<'a>,
    set_identifier: Option<&'a str>,
    from: Vec<String>,
    to: Vec<String>,
    ttl: Option<i64>,
}

impl<'a> Wish<'a> {
    fn of(scope: &StepScope<'a>) -> Result<Self, ActionError> {
        let place = Place::of(scope)?;
        let set_identifier = match scope.inputs.get("set_identifier") {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let (from, to) = (scope.texts("from").unwrap_or_default(), scope.texts("to"));
        let ttl = scope.int_within("ttl", 0..=2_147_483_647, 0)?;
        let wish = Self {
            place,
            set_identifier,
            from,
            to: to.unwrap_or_default(),
            ttl: scope.int("ttl").map(|_| i64::from(ttl)),
        };
        if wish.from.is_empty() && wish.to.is_empty() {
            return Err(input("to", "it names no value, and `from` none either: nothing to do"));
        }
        let aliases = wish.to.iter().filter(|value| value.starts_with("alias:"));
        let bad = aliases.clone().find(|value| AliasTarget::parse(value).is_none());
        if let Some(value) = bad {
            return Err(input("to", &format!("`{value}` is no alias: write `alias:ZONE:NAME`")));
        }
        if aliases.count() > 0 && (wish.to.len() > 1 || wish.ttl.is_some()) {
            return Err(input("to", "an alias is the only value, and has no `ttl`"));
        }
        Ok(wish)
    }

    /// How the set compares with what is wanted.
    fn judge(&self, current: Option<&RecordSet>) -> Standing {
        let has = |values: &[String]| match current {
            Some(set) => !values.is_empty() && set.has_values(values),
            None => values.is_empty(),
        };
        let ttl_fits = current.is_none_or(|set| self.ttl.is_none_or(|ttl| set.ttl == Some(ttl)));
        if has(&self.to) && ttl_fits {
            Standing::Reached
        } else if has(&self.from) {
            Standing::Ready
        } else {
            Standing::Moved(self.moved(current))
        }
    }

    fn moved(&self, current: Option<&RecordSet>) -> String {
        format!(
            "the zone moved: {} should have {} and has {}",
            self.place.words(),
            told(&self.from),
            words(current)
        )
    }

    /// Why the swap cannot be made, whatever is waited for.
    fn never(&self, current: Option<&RecordSet>) -> Option<String> {
        let told = self.place.words();
        match current {
            Some(set) if set.unsupported.is_some() => {
                let what = set.unsupported.unwrap_or_default();
                Some(format!("{told} has {what}, which drctl cannot write back whole"))
            }
            Some(set) if self.to.is_empty() && (set.is_routed() || set.health_check.is_some()) => {
                Some(format!(
                    "{told} is routed or has a health check: removed, it could not be made again; \
                     shift its weight instead"
                ))
            }
            None if self.set_identifier.is_some() && !self.to.is_empty() => Some(format!(
                "{told} has no set `{}`: a new set needs a routing policy, which this step has not",
                self.set_identifier.unwrap_or_default()
            )),
            Some(_) | None => None,
        }
    }

    /// The set after the swap; `None` when it is gone.
    fn after(&self, current: Option<&RecordSet>) -> Option<RecordSet> {
        let first = self.to.first()?;
        let fallback = || RecordSet {
            name: self.place.name.to_owned(),
            kind: self.place.kind.to_owned(),
            ..RecordSet::default()
        };
        let set = current.cloned().unwrap_or_else(fallback);
        let is_alias = AliasTarget::parse(first).is_some();
        let ttl = self.ttl.or(set.ttl).unwrap_or(DEFAULT_TTL);
        Some(RecordSet { values: self.to.clone(), ttl: (!is_alias).then_some(ttl), ..set })
    }

    fn edits(&self, current: Option<&RecordSet>) -> Vec<RecordEdit> {
        let old = current.cloned().map(RecordEdit::Delete);
        old.into_iter().chain(self.after(current).map(RecordEdit::Create)).collect()
    }
}

enum Standing {
    /// It is as wanted.
    Reached,
    /// It is as it must be before.
    Ready,
    /// It is neither; in words.
    Moved(String),
}

const MOVED_HELP: &str = "somebody else changed it: look at the zone, put the right values into `from`, \
                          and plan anew";

/// The end of the step: the change, and what was there before.
fn done(wish: &Wish<'_>, (was, was_ttl): (Value, Value), change: Option<&AcceptedChange>) -> Done {
    let before = Values::from([("was".to_owned(), was), ("was_ttl".to_owned(), was_ttl)]);
    let (outputs, mut evidence) = outputs(change, before);
    evidence.push(("records".to_owned(), told(&wish.to), LIST.to_owned()));
    Done {
        outputs,
        observed: BTreeMap::from([("records".to_owned(), json!(wish.to))]),
        evidence,
        ..Done::default()
    }
}

/// What the set was before, when only the plan or the runbook can tell.
fn planned(scope: &StepScope<'_>, wish: &Wish<'_>) -> (Value, Value) {
    let known = |name: &str| {
        let value = scope.planned.and_then(|planned| planned.get(name)).cloned();
        value.filter(|value| value.unknown_reason().is_none())
    };
    let was = known("was").unwrap_or_else(|| wish.from.clone().into());
    (was, known("was_ttl").unwrap_or(Value::Null))
}

fn before(current: Option<&RecordSet>) -> (Value, Value) {
    let values = current.map(|set| set.values.clone()).unwrap_or_default();
    (values.into(), Value::optional(current.and_then(|set| set.ttl)))
}

#[async_trait]
impl Action for ChangeRecords {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let later = "Route 53 names the change when it takes it";
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            outputs: self.spec.unknown_outputs(later),
            ..Preview::default()
        };
        let unknown = |name: &str| scope.input(name).unknown_reason().map(str::to_owned);
        let first = ["zone", "name", "from", "set_identifier"];
        if let Some(why) = first.iter().find_map(|name| unknown(name)) {
            preview.cannot_know = Some(why);
            return Ok(preview);
        }
        if let Some(why) = unknown("to").or_else(|| unknown("ttl")) {
            let place = Place::of(scope)?;
            preview.summary = format!("swap the values of {}", place.words());
            preview.details.push(format!("its new values: {why}"));
            preview.cannot_know = Some(why);
            return Ok(preview);
        }
        let wish = Wish::of(scope)?;
        let sets = wish.place.sets(context.view).await?;
        let current = one(&sets, wish.set_identifier, wish.place)?;
        let (zone, name, kind) = (wish.place.zone, wish.place.name, wish.place.kind);
        preview.summary =
            format!("swap {} from {} to {}", wish.place.words(), told(&wish.from), told(&wish.to));
        preview.wont = match wish.judge(current) {
            Standing::Moved(why) => Some(why),
            Standing::Reached => {
                preview.details.push("it has these values already".to_owned());
                None
            }
            Standing::Ready => wish.never(current),
        };
        if let Some(ttl) = current.and_then(|set| set.ttl) {
            let line = "resolvers go on with the old answer until the change is in sync (AWS: generally \
                        within 60 s) and its time to live is over";
            preview.details.push(format!("{line}, {ttl} s"));
        }
        let (was, was_ttl) = before(current);
        preview.outputs.extend([("was".to_owned(), was), ("was_ttl".to_owned(), was_ttl)]);
        preview.predictions.insert("records".to_owned(), json!(wish.to));
        let fact = format!("route53 {}", wish.place.target(wish.set_identifier));
        preview.facts.insert(fact, words(current));
        let effect = PredictedEffect::Records {
            zone: zone.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            set_identifier: wish.set_identifier.map(str::to_owned),
            set: wish.after(current).map(Box::new),
        };
        preview.effects.push(effect);
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let wish = Wish::of(scope)?;
        let sets = wish.place.sets(context.view).await?;
        let current = one(&sets, wish.set_identifier, wish.place)?;
        Ok(match wish.judge(current) {
            Standing::Reached => {
                // Asked for, it is this step's doing, whose answer was lost; else there was nothing to do.
                let asked = scope.intent.is_some() || scope.asked;
                let was = if asked { planned(scope, &wish) } else { before(current) };
                Observation::Done(done(&wish, was, None))
            }
            Standing::Ready => match wish.never(current) {
                Some(why) => Observation::Broken { why, help: "change it by hand".to_owned() },
                None => Observation::Absent,
            },
            Standing::Moved(why) => Observation::Broken { why, help: MOVED_HELP.to_owned() },
        })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let wish = Wish::of(scope)?;
        let view = context.read.view;
        let sets = wish.place.sets(view).await?;
        let current = one(&sets, wish.set_identifier, wish.place)?;
        if let Standing::Moved(why) = wish.judge(current) {
            return Err(ActionError::refused(why, MOVED_HELP));
        }
        if let Some(why) = wish.never(current) {
            return Err(ActionError::refused(why, "change it by hand"));
        }
        let edits = wish.edits(current);
        let sent = context.writer.change_records(wish.place.zone, &comment(scope), &edits).await;
        let accepted = match sent {
            Ok(accepted) => accepted,
            Err(error) if error.is("InvalidChangeBatch") => {
                // The zone moved between look and change, and AWS refused all of it: say what is there now.
                let now = wish.place.sets(view).await.ok();
                let now =
                    now.as_deref().and_then(|sets| one(sets, wish.set_identifier, wish.place).ok());
                let why = match now.map(|current| wish.judge(current)) {
                    Some(Standing::Moved(why)) => {
                        format!("{why}; Route 53 says: {}", error.message)
                    }
                    Some(Standing::Ready | Standing::Reached) | None => {
                        format!("Route 53 refuses the change: {}", error.message)
                    }
                };
                return Err(ActionError::refused(why, MOVED_HELP));
            }
            Err(error) => return Err(error.into()),
        };
        let done = done(&wish, before(current), Some(&accepted));
        Ok(Acted { request_id: accepted.request_id, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let target = Place::of(scope).map(|place| place.target(scope.text("set_identifier")));
        (CHANGE.to_owned(), target.unwrap_or_default())
    }
}
