//! How a deployment that a step asked for goes: shared by deploying, rolling back and redeploying.
//!
//! **Invariant:** done means that the PRIMARY deployment is the one asked for, COMPLETED and alone; one
//! that the circuit breaker took back is broken, however stable the service is then.

use super::target::{Target, Trouble, tasks};
use crate::action::context::{PastIntent, ReadContext, StepScope};
use crate::action::outcome::{Done, Observation, Verdict};
use crate::action::spec::Field;
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{EcsDeployment, EcsService, Rollout};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;

/// The input that lets a service be deployed that may run with fewer tasks meanwhile.
pub(super) fn floor() -> Field {
    let what = "least `minimumHealthyPercent` that the service may have: 100 when absent, so that no \
                task is missing meanwhile";
    Field::optional("minimum_healthy_percent", Type::Int, what)
}

/// Why the service must not be deployed: it could have too few tasks meanwhile.
pub(super) fn too_low(scope: &StepScope<'_>, found: &EcsService) -> Result<(), Trouble> {
    let least = scope.int("minimum_healthy_percent").unwrap_or(100);
    // What ECS assumes for a service that sets none.
    let has = found.minimum_healthy_percent.unwrap_or(100);
    if i64::from(has) >= least {
        return Ok(());
    }
    Err(Trouble {
        why: format!(
            "`{}` has minimumHealthyPercent {has}: a deployment may take it below {least} % of its tasks",
            found.name
        ),
        help: "raise it (aws ecs update-service --deployment-configuration), or allow it with \
               `minimum_healthy_percent`",
    })
}

/// What ECS says that it gave up since the intent, and since when things count.
struct Since {
    from: DateTime<Utc>,
    /// Instant and words of a failure that nobody has answered.
    failure: Option<(DateTime<Utc>, String)>,
    /// A person said `retry` after a failure.
    answered: bool,
}

fn gives_up(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    text.contains("deployment failed") || text.contains("rolling back to deployment")
}

/// Reads the service's events since the intent. Instants are ECS's.
fn since(context: &ReadContext<'_>, intent: PastIntent, found: &EcsService) -> Since {
    let asked = context.view.their_time(intent.at);
    let retried = intent.retried.map(|at| context.view.their_time(at));
    let events = found.events.iter().filter(|event| event.at >= asked && gives_up(&event.message));
    let failures: Vec<(DateTime<Utc>, String)> =
        events.map(|event| (event.at, event.message.clone())).collect();
    let answered = retried.filter(|retried| failures.iter().any(|(at, _)| at <= retried));
    let from = answered.unwrap_or(asked);
    // Newest first as ECS lists them: the last one is where it began.
    let failure = failures.into_iter().rev().find(|(at, _)| answered.is_none_or(|over| *at > over));
    Since { from, failure, answered: answered.is_some() }
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

fn broken(why: String) -> Observation {
    let help = "read the events of the service and why its tasks stopped (DescribeTasks: \
                stoppedReason); mend it, then answer `retry`, or undo";
    Observation::Broken { why, help: help.to_owned() }
}

/// Looks at a service for a deployment: of `wanted`, or with `None` of any that began since the intent.
/// `outputs` are those of a success.
pub(super) fn judge(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    found: &EcsService,
    wanted: Option<&str>,
) -> Observation {
    let Some(primary) = found.primary() else {
        return waiting("ECS shows no PRIMARY deployment".to_owned());
    };
    let Some(intent) = context.scope.intent else {
        return match wanted {
            Some(wanted) if primary.task_definition == wanted => rollout(target, found, primary),
            Some(_) | None => Observation::Absent,
        };
    };
    let since = since(context, intent, found);
    let is_new = primary.created_at.is_some_and(|at| at >= since.from);
    if let Some((at, words)) = &since.failure {
        // A failure of a deployment that another one of the same kind followed is history.
        let over = wanted == Some(primary.task_definition.as_str())
            && primary.created_at.is_some_and(|created| created > *at);
        if !over {
            return broken(format!("the deployment failed at {}: {words}", format_instant(*at)));
        }
    }
    match wanted {
        Some(wanted) if primary.task_definition == wanted => rollout(target, found, primary),
        None if is_new => rollout(target, found, primary),
        Some(_) if is_new => broken(format!(
            "another deployment began since: `{}` runs {} by {}",
            target.path(),
            primary.task_definition,
            primary.id
        )),
        // A person wants it again, or nothing says that it ever began.
        Some(_) | None if since.answered || !intent.accepted => Observation::Absent,
        Some(_) | None => waiting("accepted, not shown yet".to_owned()),
    }
}

/// How far the deployment is that was asked for.
fn rollout(target: &Target<'_>, found: &EcsService, primary: &EcsDeployment) -> Observation {
    match primary.state {
        Rollout::Failed => broken(format!("deployment {} failed: {}", primary.id, primary.reason)),
        Rollout::InProgress | Rollout::Unsaid => {
            let failed = match primary.failed_tasks {
                0 => String::new(),
                failed => format!(", {failed} have failed"),
            };
            let of_new = format!("{} of {} run the new one", primary.running, found.desired);
            waiting(format!("{}: {of_new}{failed}", primary.task_definition))
        }
        Rollout::Completed if !found.is_stable() => waiting(tasks(found)),
        Rollout::Completed => Observation::Done(done(target, found, primary)),
    }
}

fn done(target: &Target<'_>, found: &EcsService, primary: &EcsDeployment) -> Done {
    let seen = |name: &str, value: String| {
        (name.to_owned(), value, format!("DescribeServices of {}", target.path()))
    };
    Done {
        outputs: outputs(&primary.task_definition, Some(&primary.id)),
        verdict: Verdict::Pass,
        milestone: None,
        observed: predictions(&primary.task_definition),
        evidence: vec![
            seen("deployment.id", primary.id.clone()),
            seen("deployment.task_definition", primary.task_definition.clone()),
            seen(
                "deployment.created_at",
                primary.created_at.map(format_instant).unwrap_or_default(),
            ),
            seen("service.running", found.running.to_string()),
        ],
    }
}

/// Outputs that all deploying verbs have.
pub(super) fn outputs(definition: &str, deployment: Option<&str>) -> Values {
    let unknown = || Value::Unknown("ECS names the deployment when it begins".to_owned());
    Values::from([
        ("task_definition".to_owned(), Value::text(definition)),
        ("deployment".to_owned(), deployment.map_or_else(unknown, Value::text)),
    ])
}

/// What is predicted, and compared after.
pub(super) fn predictions(definition: &str) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([("task_definition".to_owned(), json!(definition))])
}

/// The service as it will be when the deployment has completed.
pub(super) fn deployed(found: &EcsService, definition: &str) -> EcsService {
    let deployment = EcsDeployment {
        id: "(predicted)".to_owned(),
        status: "PRIMARY".to_owned(),
        task_definition: definition.to_owned(),
        running: found.desired,
        state: Rollout::Completed,
        ..EcsDeployment::default()
    };
    EcsService {
        task_definition: definition.to_owned(),
        running: found.desired,
        pending: 0,
        deployments: vec![deployment],
        ..found.clone()
    }
}
