//! `ecs.wait_stable`: waits until a service rests.
//!
//! **Invariant:** a service rests with one deployment, COMPLETED, of the task definition that was named,
//! and exactly the tasks that are wanted.

use super::target::{self, Target};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{EcsService, Rollout};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct WaitStable {
    spec: ActionSpec,
}

impl Default for WaitStable {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        let what = "family:revision that has to run; any when absent";
        inputs.push(Field::optional("task_definition", Type::String, what));
        let spec = ActionSpec {
            name: "ecs.wait_stable",
            summary: "Waits until a service has one deployment, completed, and all its tasks.",
            kind: ActionKind::Check,
            inputs,
            outputs: vec![
                Field::required("running", Type::Int, "tasks that run"),
                Field::required("task_definition", Type::String, "family:revision that runs"),
            ],
            calls: &["ecs:DescribeServices"],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws ecs wait services-stable --region {region} --cluster {cluster} \
                      --services {service}",
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

fn outputs(found: &EcsService) -> Values {
    Values::from([
        ("running".to_owned(), Value::Int(found.running.into())),
        ("task_definition".to_owned(), Value::text(&found.task_definition)),
    ])
}

/// What keeps the service from resting, in words.
fn unrest(found: &EcsService) -> String {
    let deployments = found.deployments.len();
    let reason = found.primary().map(|primary| primary.reason.as_str()).unwrap_or_default();
    match deployments {
        0 | 1 => format!("{}; {reason}", target::tasks(found)),
        _ => format!("{deployments} deployments, {}; {reason}", target::tasks(found)),
    }
}

fn failed(why: String, help: &str) -> Observation {
    let verdict = Verdict::Fail { why, help: help.to_owned() };
    Observation::Done(Done { verdict, ..Done::default() })
}

#[async_trait]
impl Action for WaitStable {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(900), "users: up to 15 min after a change"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let summary = format!("wait until `{}` in {} rests", target.path(), target.region);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.wont(&self.spec, summary)),
        };
        let wanted = target::definition(&context.scope, "task_definition");
        let other = wanted.filter(|wanted| found.is_stable() && *wanted != found.task_definition);
        Ok(Preview {
            wont: other.map(|wanted| {
                format!("`{}` rests with {}, not {wanted}", target.path(), found.task_definition)
            }),
            cannot_know: (!found.is_stable())
                .then(|| format!("it does not rest now: {}", unrest(&found))),
            summary,
            details: vec![target::foreseen_tasks(context, &target, &found)],
            predictions: BTreeMap::from([(
                "task_definition".to_owned(),
                json!(found.task_definition),
            )]),
            outputs: outputs(&found),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(failed(trouble.why, trouble.help)),
        };
        if let Some(primary) = found.primary().filter(|primary| primary.state == Rollout::Failed) {
            let why = format!("deployment {} failed: {}", primary.id, primary.reason);
            return Ok(failed(why, "read the service's events; `ecs.rollback` goes back"));
        }
        if !found.is_stable() {
            return Ok(Observation::InProgress { state: unrest(&found), milestone: None });
        }
        let wanted = target::definition(&context.scope, "task_definition");
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found.task_definition) {
            let why = format!(
                "`{}` rests with {}, not {wanted}: a deployment was rolled back, or never began",
                target.path(),
                found.task_definition
            );
            return Ok(failed(why, "read the service's events (DescribeServices)"));
        }
        let seen =
            |name: &str, value: String| (name.to_owned(), value, "DescribeServices".to_owned());
        let zero = (found.desired == 0).then(|| format!("`{}` rests with no task", target.path()));
        Ok(Observation::Done(Done {
            outputs: outputs(&found),
            verdict: zero.map_or(Verdict::Pass, |line| Verdict::Warn(vec![line])),
            milestone: None,
            observed: BTreeMap::from([(
                "task_definition".to_owned(),
                json!(found.task_definition),
            )]),
            evidence: vec![
                seen("service.running", found.running.to_string()),
                seen("service.task_definition", found.task_definition.clone()),
            ],
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("ecs.wait_stable only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), Target::of(scope).path())
    }
}
