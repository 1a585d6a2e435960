//! The service that a step is about.
//!
//! **Invariant:** a service that is not there, or is no longer ACTIVE, is never taken for one without
//! tasks.

use crate::action::context::{ReadContext, StepScope};
use crate::action::outcome::{ActionError, Observation, Preview};
use crate::action::spec::{ActionSpec, Field};
use crate::base::value::{Type, Value};
use crate::cloud::model::EcsService;
use std::collections::BTreeMap;

/// The inputs that name a service.
pub(super) fn inputs() -> [Field; 2] {
    [
        Field::required("cluster", Type::String, "name of the cluster"),
        Field::required("service", Type::String, "name of the service"),
    ]
}

/// A service by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) region: &'a str,
    pub(super) cluster: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(scope: &StepScope<'a>) -> Self {
        let text = |name: &str| scope.inputs.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { region: scope.region, cluster: text("cluster"), service: text("service") }
    }

    /// Cluster and name, as calls take them.
    pub(super) fn pair(&self) -> (&'a str, &'a str) {
        (self.cluster, self.service)
    }

    /// `techcorp/api`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.cluster, self.service)
    }

    /// The service when it is there and ACTIVE; else why not and what to do.
    pub(super) async fn look(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<Result<EcsService, Trouble>, ActionError> {
        let Target { region, cluster, service } = *self;
        let Some(found) = context.view.ecs_service(region, cluster, service).await? else {
            return Ok(Err(Trouble {
                why: format!("there is no service `{service}` in cluster `{cluster}` in {region}"),
                help: "check the estate file, the cluster and the region",
            }));
        };
        if found.status == "ACTIVE" {
            return Ok(Ok(found));
        }
        Ok(Err(Trouble {
            why: format!("service `{service}` of cluster `{cluster}` is `{}`", found.status),
            help: "somebody deleted it: ECS changes only services that are ACTIVE",
        }))
    }

    /// What the estate wants of it; `None` when it is not in the estate.
    pub(super) fn wanted(&self, scope: &StepScope<'_>) -> Option<u32> {
        let keys = scope.estate.services.keys();
        let mut known = keys.filter_map(|key| scope.estate.service_in(key, scope.environment));
        let found = known.find(|known| {
            known.region.as_deref() == Some(self.region)
                && (known.cluster.as_str(), known.service.as_str()) == self.pair()
        });
        found.map(|found| found.desired)
    }
}

/// Why nothing can be done, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) help: &'static str,
}

impl Trouble {
    pub(super) fn broken(self) -> Observation {
        Observation::Broken { why: self.why, help: self.help.to_owned() }
    }

    /// A step that would not get anywhere.
    pub(super) fn wont(self, spec: &ActionSpec, summary: String) -> Preview {
        Preview::hopeless(spec, summary, &self.why, self.help)
    }
}

/// What a stored plan rests on.
pub(super) fn facts(target: &Target<'_>, found: &EcsService) -> BTreeMap<String, String> {
    let key = |name: &str| format!("ecs {} {} {name}", target.region, target.path());
    let percent = found.minimum_healthy_percent;
    BTreeMap::from([
        (key("task definition"), found.task_definition.clone()),
        (
            key("minimum healthy percent"),
            percent.map_or_else(|| "unknown".to_owned(), |percent| percent.to_string()),
        ),
    ])
}

/// `8 of 12 tasks run, 4 are pending`.
pub(super) fn tasks(found: &EcsService) -> String {
    let pending = match found.pending {
        0 => String::new(),
        pending => format!(", {pending} are pending"),
    };
    format!("{} of {} tasks run{pending}", found.running, found.desired)
}

/// How many tasks run, and where that is what steps before will have done: by then.
pub(super) fn foreseen_tasks(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    found: &EcsService,
) -> String {
    let (cluster, service) = target.pair();
    let predicted = context.view.overlay().service(target.region, cluster, service).is_some();
    let when = if predicted { "by then " } else { "" };
    format!("{when}{}", tasks(found))
}

/// A whole number that the plan predicted as an output of this step.
pub(super) fn planned(scope: &StepScope<'_>, name: &str) -> Option<u32> {
    let Some(Value::Int(number)) = scope.planned?.get(name) else { return None };
    u32::try_from(*number).ok()
}

/// How many tasks were wanted before the step changed that: as this process saw it, else as the plan
/// did, else as the estate says. A step that changed nothing left what it found.
pub(super) fn before(
    context: &ReadContext<'_>,
    target: &Target<'_>,
    found: &EcsService,
) -> Option<u32> {
    let scope = &context.scope;
    if scope.intent.is_none() {
        return Some(found.desired);
    }
    let seen = context.memory.noted().or_else(|| planned(scope, "was"));
    seen.or_else(|| target.wanted(scope))
}

/// A text input that may be left out, as `family:revision`.
pub(super) fn definition<'a>(scope: &StepScope<'a>, name: &str) -> Option<&'a str> {
    scope.inputs.get(name).and_then(Value::as_str).map(crate::cloud::model::definition_name)
}
