//! `ecs.redeploy`: new tasks of what runs already, which read their secrets and settings anew.
//!
//! **Invariant:** `UpdateService` takes no token, so what proves it is a deployment that began after the
//! step had asked; without one, and only then, it is asked for again.

use super::deploying::{self, deployed, floor, judge, too_low};
use super::target::{self, Target};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::Type;
use crate::cloud::{PredictedEffect, ServiceChange};
use async_trait::async_trait;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ecs:UpdateService";

/// The action.
#[derive(Debug)]
pub(crate) struct Redeploy {
    spec: ActionSpec,
}

impl Default for Redeploy {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        inputs.push(floor());
        let spec = ActionSpec {
            name: "ecs.redeploy",
            summary: "Replaces all tasks of a service by new ones of the same task definition, so \
                      that they read secrets and settings anew.",
            kind: ActionKind::Mutation,
            inputs,
            outputs: vec![
                Field::required("deployment", Type::String, "id of the new deployment"),
                Field::required("task_definition", Type::String, "family:revision that runs"),
            ],
            calls: &["ecs:DescribeServices", OPERATION],
            effects: &[],
            // Nothing of it is there to be taken back.
            role: Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws ecs update-service --region {region} --cluster {cluster} \
                      --service {service} --force-new-deployment\n\
                      aws ecs wait services-stable --region {region} --cluster {cluster} \
                      --services {service}",
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

#[async_trait]
impl Action for Redeploy {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(super::deploy::CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let summary = format!("redeploy `{}` in {}", target.path(), target.region);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.wont(&self.spec, summary)),
        };
        if let Err(trouble) = too_low(&context.scope, &found) {
            return Ok(trouble.wont(&self.spec, summary));
        }
        let definition = found.task_definition.clone();
        let effect = PredictedEffect::ServiceChanged(
            Box::new(deployed(&found, &definition)),
            target.region.to_owned(),
        );
        Ok(Preview {
            details: vec![format!(
                "{definition} stays; {}",
                target::foreseen_tasks(context, &target, &found)
            )],
            warnings: (found.deployments.len() > 1)
                .then(|| format!("a deployment of `{}` is under way", target.path()))
                .into_iter()
                .collect(),
            predictions: deploying::predictions(&definition),
            outputs: deploying::outputs(&definition, None),
            effects: vec![effect],
            facts: target::facts(&target, &found),
            cited_duration: self.cited_duration(),
            summary,
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.broken()),
        };
        let seen = judge(context, &target, &found, None);
        match (&seen, too_low(&context.scope, &found)) {
            (Observation::Absent, Err(trouble)) => Ok(trouble.broken()),
            (_, Ok(()) | Err(_)) => Ok(seen),
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let target = Target::of(&context.read.scope);
        let change = ServiceChange::Redeploy;
        let accepted = context.writer.update_service(target.region, target.pair(), change).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), Target::of(scope).path())
    }
}
