//! `ecs.check_service`: whether a service has the tasks that it should have.
//!
//! **Invariant:** it reads, and counts only tasks that ECS says are running.

use super::target::{self, Target};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::EcsService;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckService {
    spec: ActionSpec,
}

impl Default for CheckService {
    fn default() -> Self {
        let mut inputs = target::inputs().to_vec();
        let least = "least number of tasks that have to run; as many as are wanted when absent";
        inputs.push(Field::optional("at_least", Type::Int, least));
        let spec = ActionSpec {
            name: "ecs.check_service",
            summary: "Checks that a service is active and that its tasks run.",
            kind: ActionKind::Check,
            inputs,
            outputs: vec![
                Field::required("running", Type::Int, "tasks that run"),
                Field::required("desired", Type::Int, "tasks that are wanted"),
            ],
            calls: &["ecs:DescribeServices"],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws ecs describe-services --region {region} --cluster {cluster} \
                      --services {service}",
            default_timeout: Duration::from_secs(120),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

fn outputs(found: &EcsService) -> Values {
    Values::from([
        ("running".to_owned(), Value::Int(found.running.into())),
        ("desired".to_owned(), Value::Int(found.desired.into())),
    ])
}

/// The verdict on a service that is there.
fn judge(target: &Target<'_>, found: &EcsService, least: u32) -> Verdict {
    let path = target.path();
    if found.running < least {
        let newest = found.events.first();
        let help = newest.map_or_else(
            || "read its events (DescribeServices)".to_owned(),
            |event| format!("ECS said last: {}", event.message),
        );
        let why = format!("`{path}` has {}, and {least} are needed", target::tasks(found));
        return Verdict::Fail { why, help };
    }
    let mut warnings = Vec::new();
    if found.desired == 0 {
        warnings.push(format!("no task of `{path}` is wanted: it is scaled to 0"));
    }
    if found.running < found.desired {
        warnings.push(format!("of `{path}` {}", target::tasks(found)));
    }
    if found.deployments.len() > 1 {
        warnings.push(format!("a deployment of `{path}` is under way"));
    }
    if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) }
}

fn least(scope: &StepScope<'_>, found: &EcsService) -> Result<u32, ActionError> {
    scope.int_within("at_least", 0..=5000, found.desired)
}

#[async_trait]
impl Action for CheckService {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "one read call"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let target = Target::of(&context.scope);
        let summary = format!("check service `{}` in {}", target.path(), target.region);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => return Ok(trouble.wont(&self.spec, summary)),
        };
        let least = least(&context.scope, &found)?;
        let (wont, warnings) = match judge(&target, &found, least) {
            Verdict::Fail { why, help } => (Some(format!("{why}; {help}")), Vec::new()),
            Verdict::Warn(warnings) => (None, warnings),
            Verdict::Pass | Verdict::Unknown { .. } => (None, Vec::new()),
        };
        Ok(Preview {
            wont,
            summary,
            details: vec![target::tasks(&found), format!("at least {least} have to run")],
            warnings,
            predictions: BTreeMap::from([("running".to_owned(), json!(found.running))]),
            outputs: outputs(&found),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let target = Target::of(&context.scope);
        let found = match target.look(context).await? {
            Ok(found) => found,
            Err(trouble) => {
                let verdict = Verdict::Fail { why: trouble.why, help: trouble.help.to_owned() };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let verdict = judge(&target, &found, least(&context.scope, &found)?);
        let seen =
            |name: &str, value: String| (name.to_owned(), value, "DescribeServices".to_owned());
        Ok(Observation::Done(Done {
            outputs: outputs(&found),
            verdict,
            milestone: None,
            observed: BTreeMap::from([("running".to_owned(), json!(found.running))]),
            evidence: vec![
                seen("service.running", found.running.to_string()),
                seen("service.desired", found.desired.to_string()),
                seen("service.task_definition", found.task_definition.clone()),
            ],
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("ecs.check_service only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), Target::of(scope).path())
    }
}
