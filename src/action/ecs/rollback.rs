//! `ecs.rollback`: back to the previous revision of a service's task definition.
//!
//! **Invariant:** which revision that is was fixed when the plan was made; after a rollback "the previous
//! one" is another, and a resume must not roll back twice.

use super::deploy;
use super::deploying::floor;
use super::target::{self, Target, Trouble};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value};
use crate::cloud::model::{EcsService, family_and_revision};
use async_trait::async_trait;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ecs:UpdateService";

/// The action.
#[derive(Debug)]
pub(crate) struct RollBack {
    spec: ActionSpec,
}

impl Default for RollBack {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        let what = "family:revision to go back to; the newest active revision before the one that \
                    runs when absent";
        inputs.extend([Field::optional("to", Type::String, what), floor()]);
        let spec = ActionSpec {
            name: "ecs.rollback",
            summary: "Takes a service back to the previous revision of its task definition and \
                      watches until that runs alone.",
            kind: ActionKind::Mutation,
            inputs,
            outputs: deploy::fields(),
            calls: &[
                "ecs:DescribeServices",
                "ecs:DescribeTaskDefinition",
                "ecs:ListTaskDefinitions",
                OPERATION,
            ],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::UndoneBy {
                action: "ecs.rollback",
                inputs: |inputs, outputs| deploy::back(inputs, outputs, "to"),
            },
            by_hand: "aws ecs list-task-definitions --region {region} --status ACTIVE --sort DESC \
                      --family-prefix {service}\n\
                      # the family is that of the service's task definition\n\
                      aws ecs update-service --region {region} --cluster {cluster} \
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

/// The newest active revision before the one that runs.
async fn previous(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    found: &EcsService,
) -> Result<Result<String, Trouble>, ActionError> {
    let runs = &found.task_definition;
    let Some((family, revision)) = family_and_revision(runs) else {
        return Ok(Err(Trouble {
            why: format!("ECS says `{runs}` runs, which has no revision"),
            help: "name the task definition to go back to in `to`",
        }));
    };
    let active = context.view.active_revisions(target.region, family).await?;
    let before = |name: &&String| {
        family_and_revision(name).is_some_and(|(of, number)| of == family && number < revision)
    };
    Ok(active.iter().find(before).cloned().ok_or_else(|| Trouble {
        why: format!("no revision of `{family}` before {revision} is active"),
        help: "register the task definition to go back to once more, and name it in `to`",
    }))
}

/// What was fixed before: the input, else what the plan found.
fn fixed<'a>(scope: &StepScope<'a>) -> Option<&'a str> {
    let planned = || scope.planned?.get("task_definition").and_then(Value::as_str);
    target::definition(scope, "to").or_else(planned)
}

/// Somebody deployed since the plan was made: "the previous revision" is no longer what it meant.
fn moved(scope: &StepScope<'_>, found: &EcsService, wanted: &str) -> Option<Trouble> {
    if target::definition(scope, "to").is_some() || scope.intent.is_some() {
        return None;
    }
    let was = scope.planned?.get("was")?.as_str()?;
    let runs = &found.task_definition;
    (runs != was && runs != wanted).then(|| Trouble {
        why: format!("{was} ran when the plan was made, and now {runs} does"),
        help: "somebody deployed since; look at it, and plan anew or name the revision in `to`",
    })
}

#[async_trait]
impl Action for RollBack {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(deploy::CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let summary =
            |to: &str| format!("roll `{}` in {} back to {to}", target.path(), target.region);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => {
                return Ok(trouble.wont(&self.spec, summary("the previous revision")));
            }
        };
        let named = target::definition(&context.scope, "to").map(str::to_owned);
        let wanted = match named {
            Some(named) => named,
            None => match previous(context, &target, &found).await? {
                Ok(previous) => previous,
                Err(trouble) => {
                    return Ok(trouble.wont(&self.spec, summary("the previous revision")));
                }
            },
        };
        let words = (&self.spec, summary(&wanted));
        deploy::preview(context, &target, (&found, &wanted), words).await
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let Some(wanted) = fixed(&context.scope) else {
            let trouble = Trouble {
                why: "which revision was meant was not known when the plan was made".to_owned(),
                help: "name the task definition to go back to in `to`",
            };
            return Ok(trouble.broken());
        };
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.broken()),
        };
        if let Some(trouble) = moved(&context.scope, &found, wanted) {
            return Ok(trouble.broken());
        }
        deploy::observe(context, &target, (&found, wanted)).await
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let wanted = fixed(scope).unwrap_or_default();
        deploy::ask(context, &Target::of(scope), wanted).await
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let wanted = fixed(scope).unwrap_or_default();
        (OPERATION.to_owned(), format!("{} to {wanted}", Target::of(scope).path()))
    }
}
