//! `ecs.scale`: another number of tasks, and they run.
//!
//! **Invariant:** it is done when ECS wants as many as were asked for and exactly those run; what it found
//! before goes back by the same verb.

use super::amount::Amount;
use super::target::{self, Target, Trouble};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::EcsService;
use crate::cloud::{PredictedEffect, ServiceChange};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ecs:UpdateService";

/// The action.
#[derive(Debug)]
pub(crate) struct Scale {
    spec: ActionSpec,
}

impl Default for Scale {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        inputs.push(Field::required(
            "to",
            Type::Any,
            "tasks that are wanted: a number, a share of what is wanted now such as `200%`, or \
             `max_24h`, the most that ran at one time in the last 24 hours",
        ));
        let spec = ActionSpec {
            name: "ecs.scale",
            summary: "Sets how many tasks a service has and waits until so many run.",
            kind: ActionKind::Mutation,
            inputs,
            outputs: vec![
                Field::required("desired", Type::Int, "tasks that are wanted"),
                Field::optional("was", Type::Int, "tasks that were wanted before"),
                Field::required("running", Type::Int, "tasks that run"),
            ],
            calls: &["ecs:DescribeServices", "cloudwatch:GetMetricData", OPERATION],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::UndoneBy { action: "ecs.scale", inputs: back },
            by_hand: "aws ecs update-service --region {region} --cluster {cluster} \
                      --service {service} --desired-count {desired}\n\
                      aws ecs wait services-stable --region {region} --cluster {cluster} \
                      --services {service}",
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// Inputs of the `ecs.scale` that brings back what was there before.
pub(super) fn back(inputs: &Values, outputs: &Values) -> Values {
    let of = |values: &Values, name: &str| values.get(name).cloned().unwrap_or(Value::Null);
    Values::from([
        ("cluster".to_owned(), of(inputs, "cluster")),
        ("service".to_owned(), of(inputs, "service")),
        ("to".to_owned(), of(outputs, "was")),
    ])
}

/// The service with so many tasks, at rest.
pub(super) fn at_rest(found: &EcsService, count: u32) -> EcsService {
    EcsService { desired: count, running: count, pending: 0, ..found.clone() }
}

fn outputs(desired: u32, was: Option<u32>, running: u32) -> Values {
    Values::from([
        ("desired".to_owned(), Value::Int(desired.into())),
        ("was".to_owned(), was.map_or(Value::Null, |was| Value::Int(was.into()))),
        ("running".to_owned(), Value::Int(running.into())),
    ])
}

impl Scale {
    /// The service and how many tasks it shall have.
    async fn look(
        &self,
        context: &ReadContext<'_>,
        target: &Target<'_>,
    ) -> Result<Result<(EcsService, u32), Trouble>, ActionError> {
        let amount = Amount::read(context.scope.input("to"))?;
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let wanted = amount.resolve(context, target, &found).await?;
        Ok(wanted.map(|count| (found, count)))
    }
}

#[async_trait]
impl Action for Scale {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(30), Duration::from_secs(600));
        Some((low, high, "users: a Fargate task runs 30 s to 2 min after it is asked for"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let amount = Amount::read(context.scope.input("to"))?;
        let summary =
            |to: &str| format!("scale `{}` in {} to {to} tasks", target.path(), target.region);
        let (found, count) = match self.look(context, &target).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.wont(&self.spec, summary(&amount.words()))),
        };
        let mut details = vec![format!("now {}", target::tasks(&found))];
        if !matches!(amount, Amount::Tasks(_)) {
            details.push(format!("{count} tasks: {}", amount.words()));
        }
        let mut warnings = Vec::new();
        if found.desired != count {
            details.push(
                "where Application Auto Scaling has a say, it may change the number again: its \
                 minimum and maximum have to allow it"
                    .to_owned(),
            );
        }
        if found.deployments.len() > 1 {
            warnings.push(format!("a deployment of `{}` is under way", target.path()));
        }
        let effect = PredictedEffect::ServiceChanged(
            Box::new(at_rest(&found, count)),
            target.region.to_owned(),
        );
        Ok(Preview {
            summary: summary(&count.to_string()),
            details,
            warnings,
            predictions: BTreeMap::from([("desired".to_owned(), json!(count))]),
            outputs: outputs(count, Some(found.desired), count),
            effects: vec![effect],
            facts: target::facts(&target, &found),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let (found, count) = match self.look(context, &target).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.broken()),
        };
        if found.desired != count {
            if context.scope.intent.is_none() {
                context.memory.note(found.desired);
            }
            return Ok(Observation::Absent);
        }
        if found.running != count || found.pending > 0 {
            return Ok(Observation::InProgress { state: target::tasks(&found), milestone: None });
        }
        let was = target::before(context, &target, &found);
        let seen = |name: &str, count: u32| {
            (name.to_owned(), count.to_string(), "DescribeServices".to_owned())
        };
        Ok(Observation::Done(Done {
            outputs: outputs(count, was, found.running),
            verdict: Verdict::Pass,
            milestone: None,
            observed: BTreeMap::from([("desired".to_owned(), json!(count))]),
            evidence: vec![
                seen("service.desired", found.desired),
                seen("service.running", found.running),
            ],
        }))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let target = Target::of(&context.read.scope);
        let count = match self.look(&context.read, &target).await? {
            Ok((_, count)) => count,
            Err(trouble) => return Err(ActionError::refused(trouble.why, trouble.help)),
        };
        let change = ServiceChange::Scale(count);
        let accepted = context.writer.update_service(target.region, target.pair(), change).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), Target::of(scope).path())
    }
}
