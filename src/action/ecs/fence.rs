//! `fence.ecs`: no task of a service writes any more.
//!
//! **Invariant:** a service counts as fenced when nothing is wanted, running or pending, no task is left
//! that may still be at work, and a second look some seconds later says the same.

use super::scale::{at_rest, back};
use super::target::{self, Target};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration, Figure};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::EcsService;
use crate::cloud::{PredictedEffect, ServiceChange};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ecs:UpdateService";

/// How long nothing may be seen of the service before it counts as fenced: longer than reads are stale
/// after a change, and long enough for an auto scaler that was about to act.
const CONFIRMED_AFTER: Duration = Duration::from_secs(10);

/// The action.
#[derive(Debug)]
pub(crate) struct Fence {
    spec: ActionSpec,
}

impl Default for Fence {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "fence.ecs",
            summary: "Scales a service to 0 and proves that none of its tasks is left, so that it \
                      writes nothing any more.",
            kind: ActionKind::Mutation,
            inputs: target::inputs().to_vec(),
            outputs: vec![
                Field::required("proof", Type::String, "what proves that nothing of it is left"),
                Field::required("fenced_at", Type::Time, "when that was seen"),
                Field::optional("was", Type::Int, "tasks that were wanted before"),
            ],
            calls: &["ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks", OPERATION],
            effects: &[],
            role: Role::Fence,
            reversibility: Reversibility::UndoneBy { action: "ecs.scale", inputs: back },
            by_hand: "aws ecs update-service --region {region} --cluster {cluster} \
                      --service {service} --desired-count 0\n\
                      aws ecs wait services-stable --region {region} --cluster {cluster} \
                      --services {service}\n\
                      aws ecs list-tasks --region {region} --cluster {cluster} \
                      --service-name {service}\n\
                      # the list must be empty; auto scaling must not raise the service again",
            default_timeout: Duration::from_secs(1200),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// `desired 0, running 0, pending 0, no task left`.
fn proof(target: &Target<'_>, since: Duration) -> String {
    format!(
        "service {} in {}: desired 0, running 0, pending 0, no task left, for {} s",
        target.path(),
        target.region,
        since.as_secs()
    )
}

/// Tasks that ECS started after the step had asked for none: something raises the service again.
fn raised(context: &ReadContext<'_>, found: &EcsService) -> Vec<String> {
    let Some(intent) = context.scope.intent else { return Vec::new() };
    let asked = context.view.their_time(intent.at);
    let events = found.events.iter().filter(|event| event.at > asked);
    let started = events.filter(|event| event.message.contains("has started"));
    let line = |at| {
        format!(
            "ECS started tasks of `{}` at {} after it had been scaled to 0: auto scaling? Set its \
             minimum to 0 before anything is promoted",
            found.name,
            format_instant(at)
        )
    };
    started.take(1).map(|event| line(event.at)).collect()
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

#[async_trait]
impl Action for Fence {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(40), Duration::from_secs(420));
        Some((low, high, "AWS: stopTimeout is 30 s, deregistration from a load balancer 300 s"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let summary = format!("fence service `{}` in {}: no task", target.path(), target.region);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.wont(&self.spec, summary)),
        };
        let mut outputs = self.spec.unknown_outputs("it is not fenced yet");
        outputs.insert("was".to_owned(), Value::Int(found.desired.into()));
        let effect =
            PredictedEffect::ServiceChanged(Box::new(at_rest(&found, 0)), target.region.to_owned());
        Ok(Preview {
            summary,
            details: vec![
                format!("now {}", target::tasks(&found)),
                "done when no task is left that may still be at work, seen twice".to_owned(),
                "Application Auto Scaling with a minimum above 0 raises it again: set that to 0 \
                 first; tasks that were started by hand are not the service's and are not stopped"
                    .to_owned(),
            ],
            warnings: (found.desired == 0)
                .then(|| format!("`{}` is scaled to 0 already", target.path()))
                .into_iter()
                .collect(),
            predictions: BTreeMap::from([("running".to_owned(), json!(0))]),
            outputs,
            effects: vec![effect],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let target = Target::of(scope);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.broken()),
        };
        if found.desired > 0 {
            context.memory.broke();
            if scope.intent.is_none() {
                context.memory.note(found.desired);
            }
            return Ok(Observation::Absent);
        }
        if found.running > 0 || found.pending > 0 {
            context.memory.broke();
            let (running, pending) = (found.running, found.pending);
            return Ok(waiting(format!("{running} tasks still run, {pending} are pending")));
        }
        let Target { region, cluster, service } = target;
        let left = context.view.working_tasks(region, cluster, service).await?;
        if let Some(first) = left.first() {
            context.memory.broke();
            let status = &first.last_status;
            return Ok(waiting(format!("{} tasks are still stopping (`{status}`)", left.len())));
        }
        let quiet = context.memory.well_for(scope.now);
        if quiet < CONFIRMED_AFTER {
            return Ok(waiting("nothing runs; looking again".to_owned()));
        }
        let was = target::before(context, &target, &found);
        let raised = raised(context, &found);
        let proof = proof(&target, quiet);
        let seen = |name: &str, value: &str, source: &str| {
            (name.to_owned(), value.to_owned(), source.to_owned())
        };
        Ok(Observation::Done(Done {
            outputs: Values::from([
                ("proof".to_owned(), Value::text(&proof)),
                ("fenced_at".to_owned(), Value::Time(scope.now)),
                ("was".to_owned(), was.map_or(Value::Null, |was| Value::Int(was.into()))),
            ]),
            verdict: if raised.is_empty() { Verdict::Pass } else { Verdict::Warn(raised) },
            milestone: None,
            observed: BTreeMap::from([("running".to_owned(), json!(0))]),
            evidence: vec![
                seen("fence.proof", &proof, "DescribeServices, ListTasks, DescribeTasks"),
                seen("fence.at", &format_instant(scope.now), "drctl's clock"),
            ],
        }))
    }

    async fn breach(&self, context: &ReadContext<'_>) -> Option<Figure> {
        let target = Target::of(&context.scope);
        let found = match target.look(context).await {
            Ok(Ok(found)) => found,
            Ok(Err(trouble)) => return Some(Figure::fence_unseen(trouble.why)),
            Err(error) => return Some(Figure::fence_unseen(error.to_string())),
        };
        let name = target.path();
        if (found.desired, found.running, found.pending) != (0, 0, 0) {
            let tasks = target::tasks(&found);
            return Some(Figure::fence_lost(format!("service {name} is no longer at 0: {tasks}")));
        }
        let Target { region, cluster, service } = target;
        match context.view.working_tasks(region, cluster, service).await {
            Ok(left) if left.is_empty() => None,
            Ok(left) => {
                let number = left.len();
                Some(Figure::fence_lost(format!("{number} tasks of service {name} are at work")))
            }
            Err(error) => Some(Figure::fence_unseen(error.to_string())),
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let target = Target::of(&context.read.scope);
        let change = ServiceChange::Scale(0);
        let accepted = context.writer.update_service(target.region, target.pair(), change).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), Target::of(scope).path())
    }
}
