//! `ecs.deploy`: another task definition for a service, and it runs.
//!
//! **Invariant:** the task definition is one that is named, never "the newest": what runs after a resume is
//! what was meant.

use super::deploying::{self, deployed, floor, judge, too_low};
use super::target::{self, Target, Trouble};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{EcsService, family_and_revision};
use crate::cloud::{PredictedEffect, ServiceChange};
use async_trait::async_trait;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ecs:UpdateService";

/// How long deployments take.
pub(super) const CITED: (Duration, Duration, &str) = (
    Duration::from_secs(120),
    Duration::from_secs(900),
    "users: 2 to 15 min, most of it deregistration from the load balancer",
);

/// The action.
#[derive(Debug)]
pub(crate) struct Deploy {
    spec: ActionSpec,
}

/// The outputs of a change of the task definition.
pub(super) fn fields() -> Vec<Field> {
    vec![
        Field::required("task_definition", Type::String, "family:revision that runs"),
        Field::optional("was", Type::String, "family:revision that ran before"),
        Field::required("deployment", Type::String, "id of the deployment"),
    ]
}

impl Default for Deploy {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        let what = "family:revision, or its ARN";
        inputs.extend([Field::required("task_definition", Type::String, what), floor()]);
        let spec = ActionSpec {
            name: "ecs.deploy",
            summary: "Deploys a task definition to a service and watches until it runs alone.",
            kind: ActionKind::Mutation,
            inputs,
            outputs: fields(),
            calls: &["ecs:DescribeServices", "ecs:DescribeTaskDefinition", OPERATION],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::UndoneBy {
                action: "ecs.deploy",
                inputs: |inputs, outputs| back(inputs, outputs, "task_definition"),
            },
            by_hand: "aws ecs update-service --region {region} --cluster {cluster} \
                      --service {service} --task-definition {task_definition}\n\
                      aws ecs wait services-stable --region {region} --cluster {cluster} \
                      --services {service}\n\
                      # stable is not enough: the PRIMARY deployment must be of {task_definition}",
            default_timeout: Duration::from_secs(2400),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// Inputs that bring the task definition of before back, under the input called `name`.
pub(super) fn back(inputs: &Values, outputs: &Values, name: &str) -> Values {
    let of = |values: &Values, name: &str| values.get(name).cloned().unwrap_or(Value::Null);
    Values::from([
        ("cluster".to_owned(), of(inputs, "cluster")),
        ("service".to_owned(), of(inputs, "service")),
        (name.to_owned(), of(outputs, "was")),
        ("minimum_healthy_percent".to_owned(), of(inputs, "minimum_healthy_percent")),
    ])
}

/// Why a task definition cannot be deployed.
pub(super) async fn unusable(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    wanted: &str,
) -> Result<Option<Trouble>, ActionError> {
    let trouble = |why: String, help: &'static str| Ok(Some(Trouble { why, help }));
    if family_and_revision(wanted).is_none() {
        let why = format!("`{wanted}` names no revision: it may be another one tomorrow");
        return trouble(why, "write family and revision, as `api:41`");
    }
    match context.view.task_definition(target.region, wanted).await? {
        None => {
            let why = format!("there is no task definition `{wanted}` in {}", target.region);
            trouble(why, "list those that there are (aws ecs list-task-definitions)")
        }
        Some(found) if !found.active => {
            let why =
                format!("task definition `{wanted}` is INACTIVE, and ECS deploys none that is");
            trouble(why, "register the same once more and deploy that revision")
        }
        Some(_) => Ok(None),
    }
}

/// What a deployment of `wanted` will do, or why it would not.
pub(super) async fn preview(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    (found, wanted): (&EcsService, &str),
    (spec, summary): (&ActionSpec, String),
) -> Result<Preview, ActionError> {
    let trouble = match too_low(&context.scope, found) {
        Err(trouble) => Some(trouble),
        Ok(()) => unusable(context, target, wanted).await?,
    };
    if let Some(trouble) = trouble {
        return Ok(trouble.wont(spec, summary));
    }
    let mut warnings = Vec::new();
    if found.task_definition == wanted {
        warnings.push(format!("`{}` runs {wanted} already", target.path()));
    }
    if found.deployments.len() > 1 {
        warnings.push(format!("a deployment of `{}` is under way", target.path()));
    }
    let mut outputs = deploying::outputs(wanted, None);
    outputs.insert("was".to_owned(), Value::text(&found.task_definition));
    let effect = PredictedEffect::ServiceChanged(
        Box::new(deployed(found, wanted)),
        target.region.to_owned(),
    );
    let percent = found.minimum_healthy_percent.unwrap_or(100);
    Ok(Preview {
        details: vec![
            format!("from {} to {wanted}; {}", found.task_definition, target::tasks(found)),
            format!("at least {percent} % of its tasks run meanwhile"),
        ],
        warnings,
        predictions: deploying::predictions(wanted),
        outputs,
        effects: vec![effect],
        facts: target::facts(target, found),
        cited_duration: Some(CITED),
        summary,
        ..Preview::default()
    })
}

/// Looks at a deployment of `wanted`, and before it is asked for, whether it may be.
pub(super) async fn observe(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    (found, wanted): (&EcsService, &str),
) -> Result<Observation, ActionError> {
    let mut seen = judge(context, target, found, Some(wanted));
    if let Observation::Done(done) = &mut seen {
        let was = context.scope.planned.and_then(|planned| planned.get("was"));
        let was = was.filter(|was| was.as_str().is_some()).cloned();
        done.outputs.insert("was".to_owned(), was.unwrap_or(Value::Null));
    }
    if seen != Observation::Absent {
        return Ok(seen);
    }
    let trouble = match too_low(&context.scope, found) {
        Err(trouble) => Some(trouble),
        Ok(()) => unusable(context, target, wanted).await?,
    };
    Ok(trouble.map_or(seen, Trouble::broken))
}

/// Asks for a deployment of `wanted`.
pub(super) async fn ask(
    context: &WriteContext<'_>,
    target: &Target<'_>,
    wanted: &str,
) -> Result<Acted, ActionError> {
    let change = ServiceChange::Deploy(wanted);
    let accepted = context.writer.update_service(target.region, target.pair(), change).await?;
    Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
}

#[async_trait]
impl Action for Deploy {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let wanted = target::definition(&context.scope, "task_definition").unwrap_or_default();
        let summary = format!("deploy {wanted} to `{}` in {}", target.path(), target.region);
        match target.look(context).await? {
            Ok(found) => preview(context, &target, (&found, wanted), (&self.spec, summary)).await,
            Err(trouble) => Ok(trouble.wont(&self.spec, summary)),
        }
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let wanted = target::definition(&context.scope, "task_definition").unwrap_or_default();
        match target.look(context).await? {
            Ok(found) => observe(context, &target, (&found, wanted)).await,
            Err(trouble) => Ok(trouble.broken()),
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let wanted = target::definition(scope, "task_definition").unwrap_or_default();
        ask(context, &Target::of(scope), wanted).await
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let wanted = target::definition(scope, "task_definition").unwrap_or_default();
        (OPERATION.to_owned(), format!("{} to {wanted}", Target::of(scope).path()))
    }
}
