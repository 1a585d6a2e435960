//! `route53.invert_health_check`: makes a health check say the opposite, and with it traffic move.
//!
//! **Invariant:** a check is changed under the version that was read; one that somebody changed meanwhile
//! is looked at again.

use super::ground::input;
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::records::HealthCheck;
use crate::cloud::{CloudError, ErrorClass, PredictedEffect};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const GET: &str = "route53:GetHealthCheck";
const UPDATE: &str = "route53:UpdateHealthCheck";

/// The action.
#[derive(Debug)]
pub(crate) struct InvertHealthCheck {
    spec: ActionSpec,
}

impl Default for InvertHealthCheck {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "route53.invert_health_check",
            summary: "Inverts a health check of Route 53, so that records that depend on it are answered \
                      or left out, whatever it finds.",
            kind: ActionKind::Mutation,
            role: Role::TrafficSwitch,
            inputs: vec![
                Field::required("health_check", Type::String, "id of the health check"),
                Field::required("inverted", Type::Bool, "whether it shall say the opposite"),
            ],
            outputs: vec![
                Field::required("was", Type::Bool, "whether it was inverted before"),
                Field::optional("version", Type::Int, "version of the health check now"),
            ],
            calls: &[GET, UPDATE],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "route53.invert_health_check",
                inputs: |inputs, outputs| {
                    let check = inputs.get("health_check").cloned().unwrap_or(Value::Null);
                    let was = outputs.get("was").cloned().unwrap_or(Value::Null);
                    Values::from([("health_check".to_owned(), check), ("inverted".to_owned(), was)])
                },
            },
            by_hand: "# With --no-inverted it says again what it finds\n\
                      aws route53 update-health-check --health-check-id {health_check} --inverted",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn wish<'a>(scope: &StepScope<'a>) -> Result<(&'a str, bool), ActionError> {
    let id = match scope.inputs.get("health_check") {
        Some(Value::String(id)) if !id.is_empty() => id.as_str(),
        _ => return Err(input("health_check", "it is empty")),
    };
    Ok((id, scope.boolean("inverted").unwrap_or(false)))
}

fn no_such(id: &str) -> (String, String) {
    let why = format!("Route 53 has no health check `{id}`");
    (why, "check its id in the estate file".to_owned())
}

fn done((inverted, was): (bool, bool), version: Option<i64>) -> Done {
    let outputs = Values::from([
        ("was".to_owned(), Value::Bool(was)),
        ("version".to_owned(), Value::optional(version)),
    ]);
    Done {
        outputs,
        observed: BTreeMap::from([("inverted".to_owned(), json!(inverted))]),
        evidence: vec![("inverted".to_owned(), inverted.to_string(), GET.to_owned())],
        ..Done::default()
    }
}

/// What it was before this step asked, which only the plan can tell.
fn planned(scope: &StepScope<'_>) -> Option<bool> {
    match scope.planned?.get("was")? {
        Value::Bool(was) => Some(*was),
        _ => None,
    }
}

#[async_trait]
impl Action for InvertHealthCheck {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let mut preview = Preview {
            summary: self.spec.summary.to_owned(),
            outputs: self.spec.unknown_outputs("the health check is read when the run gets there"),
            ..Preview::default()
        };
        if let Some(why) = scope.unknown() {
            preview.cannot_know = Some(why.to_owned());
            return Ok(preview);
        }
        let (id, inverted) = wish(scope)?;
        let verb = if inverted { "invert" } else { "stop inverting" };
        preview.summary = format!("{verb} health check {id}");
        let Some(found) = context.view.health_check(id).await? else {
            preview.wont = Some(no_such(id).0);
            return Ok(preview);
        };
        if found.inverted == inverted {
            preview.details.push("it is so already".to_owned());
        }
        if found.disabled {
            let line =
                "it is disabled: it asks nobody and says healthy, or unhealthy when inverted";
            preview.warnings.push(line.to_owned());
        }
        preview.outputs.insert("was".to_owned(), Value::Bool(found.inverted));
        preview.predictions.insert("inverted".to_owned(), json!(inverted));
        preview.facts.insert(format!("route53 health check {id}"), found.inverted.to_string());
        let after = HealthCheck { inverted, version: found.version + 1, ..found };
        preview.effects.push(PredictedEffect::HealthCheckChanged(Box::new(after)));
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let (id, inverted) = wish(scope)?;
        let Some(found) = context.view.health_check(id).await? else {
            let (why, help) = no_such(id);
            return Ok(Observation::Broken { why, help });
        };
        if found.inverted != inverted {
            return Ok(Observation::Absent);
        }
        let asked = scope.intent.is_some() || scope.asked;
        let was = if asked { planned(scope).unwrap_or(!inverted) } else { found.inverted };
        Ok(Observation::Done(done((inverted, was), Some(found.version))))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let (id, inverted) = wish(scope)?;
        let Some(found) = context.read.view.health_check(id).await? else {
            let (why, help) = no_such(id);
            return Err(ActionError::refused(why, help));
        };
        let sent = context.writer.invert_health_check(id, found.version, inverted).await;
        let updated = sent.map_err(|error| {
            let moved = error.is("HealthCheckVersionMismatch");
            let class = if moved { ErrorClass::Temporary } else { error.class };
            CloudError { class, ..error }
        })?;
        let done = done((inverted, found.inverted), updated.version);
        Ok(Acted { request_id: updated.request_id, done: Some(done) })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (UPDATE.to_owned(), scope.text("health_check").unwrap_or_default().to_owned())
    }
}
