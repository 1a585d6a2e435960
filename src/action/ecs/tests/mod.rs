//! The verbs of ECS over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** an answer that was lost, late or malformed is never taken for an end.

mod checking;
mod deploying;
mod fencing;
mod scaling;

use crate::action::{
    Acted, Action, ActionError, Figure, Memory, Observation, PastIntent, Preview, ReadContext,
    StepScope, Verdict, WriteContext,
};
use crate::base::clock::simulated_epoch;
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::base::value::{Value, Values};
use crate::cloud::tests::answers::{json, json_error};
use crate::cloud::tests::ports::{World, ports};
use crate::cloud::tests::scripted::{self, REGION, Reply, Script};
use crate::cloud::{Cloud, GuardPolicy, Overlay, SqlConnector, SqlError, SqlSession, SqlTarget};
use crate::estate::Estate;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
services: { api: { cluster: shop, task_definition: "api:42", desired: 9 } }
environments:
  test: { type: simulated, account: "123456789012", region: us-east-1, seed: 1 }
"#;

/// An environment without databases.
#[derive(Debug)]
struct NoSql;

#[async_trait]
impl SqlConnector for NoSql {
    async fn connect(&self, _: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        unreachable!("no action of ECS speaks SQL")
    }
}

/// One step of one run about `shop/api`, and the wire that it meets.
struct Bench {
    script: Script,
    estate: Estate,
    inputs: Values,
    planned: Option<Values>,
    intent: Option<PastIntent>,
    now: DateTime<Utc>,
    memory: Memory,
}

/// The step with further inputs.
fn bench(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let named = [("cluster", Value::text("shop")), ("service", Value::text("api"))];
    Bench {
        script: Script::new(replies),
        estate: crate::estate::load("shop.yaml", ESTATE).expect("valid"),
        inputs: values(&[&named, more].concat()),
        planned: None,
        intent: None,
        now: simulated_epoch(),
        memory: Memory::default(),
    }
}

fn values(pairs: &[(&str, Value)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

impl Bench {
    fn planned(mut self, pairs: &[(&str, Value)]) -> Self {
        self.planned = Some(values(pairs));
        self
    }

    /// The step asked for its change `seconds` ago.
    fn asked(mut self, seconds: i64, accepted: bool) -> Self {
        let at = self.now - TimeDelta::seconds(seconds);
        self.intent = Some(PastIntent { at, accepted, retried: None });
        self
    }

    /// A person said `retry` so many seconds ago.
    fn retried(mut self, seconds: i64) -> Self {
        let at = self.now - TimeDelta::seconds(seconds);
        self.intent.as_mut().expect("asked").retried = Some(at);
        self
    }

    fn scope<'a>(
        &'a self,
        step: &'a (crate::base::ids::RunId, StepKey),
        cloud: &'a Cloud,
    ) -> StepScope<'a> {
        StepScope {
            run: &step.0,
            step: &step.1,
            region: REGION,
            estate: &self.estate,
            environment: cloud.environment(),
            inputs: &self.inputs,
            now: self.now,
            began: None,
            asked: self.intent.is_some(),
            intent: self.intent,
            progress: None,
            disaster_at: None,
            owner: "ada",
            expires: simulated_epoch() + TimeDelta::hours(24),
            hands_over: false,
            agreed: false,
            planned: self.planned.as_ref(),
            standing: None,
            form: Form::default(),
        }
    }

    async fn look(
        &self,
        action: &dyn Action,
        policy: GuardPolicy,
    ) -> (Result<Preview, ActionError>, Result<Observation, ActionError>) {
        let dry = matches!(policy, GuardPolicy::DryRun);
        let cloud = self.script.open(policy).await;
        let step = (scripted::run(), StepKey::new("step"));
        let effects = cloud.effects(ports(Arc::new(NoSql), &Arc::new(World::default())));
        let view = cloud.view(Overlay::new());
        let scope = self.scope(&step, &cloud);
        let context = ReadContext { scope, view: &view, effects: &effects, memory: &self.memory };
        if dry {
            return (action.preview(&context).await, Ok(Observation::Absent));
        }
        (Ok(Preview::default()), action.observe(&context).await)
    }

    async fn preview(&self, action: &dyn Action) -> Preview {
        self.look(action, GuardPolicy::DryRun).await.0.expect("a prediction")
    }

    async fn observe(&self, action: &dyn Action) -> Result<Observation, ActionError> {
        let policy = GuardPolicy::live(action.spec().calls.iter().copied());
        self.look(action, policy).await.1
    }

    async fn breach(&self, action: &dyn Action) -> Option<Figure> {
        let cloud = self.script.open(GuardPolicy::DryRun).await;
        let step = (scripted::run(), StepKey::new("step"));
        let effects = cloud.effects(ports(Arc::new(NoSql), &Arc::new(World::default())));
        let view = cloud.view(Overlay::new());
        let (scope, memory) = (self.scope(&step, &cloud), &self.memory);
        action.breach(&ReadContext { scope, view: &view, effects: &effects, memory }).await
    }

    async fn act(&self, action: &dyn Action) -> Result<Acted, ActionError> {
        let policy = GuardPolicy::live(action.spec().calls.iter().copied());
        let cloud = self.script.open(policy).await;
        let step = (scripted::run(), StepKey::new("step"));
        let effects = cloud.effects(ports(Arc::new(NoSql), &Arc::new(World::default())));
        let view = cloud.view(Overlay::new());
        let scope = self.scope(&step, &cloud);
        let read = ReadContext { scope, view: &view, effects: &effects, memory: &self.memory };
        let writer = cloud.writer().expect("a live run");
        action.act(&WriteContext { read, writer: &writer }).await
    }

    /// Body of the call number `index`.
    fn body(&self, index: usize) -> serde_json::Value {
        serde_json::from_str(&self.script.sent()[index].body).expect("JSON")
    }
}

/// `api` of cluster `shop` as `DescribeServices` shows it.
#[derive(Clone)]
struct Api {
    status: &'static str,
    counts: (u32, u32, u32),
    minimum: u32,
    deployments: Vec<(&'static str, &'static str, i64, &'static str)>,
    events: Vec<(i64, &'static str)>,
}

/// Wanted, running and pending tasks of `api:42`, at rest.
fn api(desired: u32, running: u32, pending: u32) -> Api {
    Api {
        status: "ACTIVE",
        counts: (desired, running, pending),
        minimum: 100,
        deployments: vec![("PRIMARY", "api:42", -86_400, "COMPLETED")],
        events: Vec::new(),
    }
}

impl Api {
    /// Deployments: status, task definition, seconds from now, rollout state.
    fn deployments(mut self, all: &[(&'static str, &'static str, i64, &'static str)]) -> Self {
        self.deployments = all.to_vec();
        self
    }

    /// Events, newest first: seconds from now, words.
    fn events(mut self, all: &[(i64, &'static str)]) -> Self {
        self.events = all.to_vec();
        self
    }

    fn shown(&self) -> serde_json::Value {
        let epoch = simulated_epoch().timestamp();
        let arn = |name: &str| format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{name}");
        let deployments = self.deployments.iter().enumerate().map(|(index, it)| {
            serde_json::json!({
                "id": format!("ecs-svc/{index}"), "status": it.0, "taskDefinition": arn(it.1),
                "createdAt": epoch + it.2, "rolloutState": it.3, "runningCount": self.counts.1,
                "rolloutStateReason": format!("state {}", it.3),
            })
        });
        let deployments: Vec<_> = deployments.collect();
        let events = self.events.iter().map(
            |(at, message)| serde_json::json!({ "createdAt": epoch + at, "message": message }),
        );
        let events: Vec<_> = events.collect();
        serde_json::json!({
            "serviceName": "api", "status": self.status, "desiredCount": self.counts.0,
            "runningCount": self.counts.1, "pendingCount": self.counts.2,
            "taskDefinition": arn(self.deployments.first().map_or("api:42", |it| it.1)),
            "deploymentConfiguration":
                { "minimumHealthyPercent": self.minimum, "maximumPercent": 200 },
            "deployments": deployments, "events": events,
        })
    }

    fn reply(&self) -> Reply {
        json(&serde_json::json!({ "services": [self.shown()], "failures": [] }).to_string())
    }

    /// The answer of `UpdateService`.
    fn updated(&self) -> Reply {
        json(&serde_json::json!({ "service": self.shown() }).to_string())
    }
}

fn missing() -> Reply {
    json("{\"services\":[],\"failures\":[{\"arn\":\"a\",\"reason\":\"MISSING\"}]}")
}

fn no_cluster() -> Reply {
    json_error("ClusterNotFoundException", "Cluster not found.")
}

fn unavailable() -> Reply {
    let kind = vec![("content-type", "application/x-amz-json-1.1")];
    Reply::Http(503, "{\"__type\":\"ServerException\",\"message\":\"busy\"}".to_owned(), kind)
}

/// What is left after four tries of a read.
fn throttled() -> Vec<Reply> {
    vec![json_error("ThrottlingException", "Rate exceeded"); 4]
}

#[track_caller]
fn broken(observation: Result<Observation, ActionError>) -> String {
    match observation {
        Ok(Observation::Broken { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn waiting(observation: Result<Observation, ActionError>) -> String {
    match observation {
        Ok(Observation::InProgress { state, .. }) => state,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn done(observation: Result<Observation, ActionError>) -> (Values, Verdict) {
    match observation {
        Ok(Observation::Done(done)) => (done.outputs, done.verdict),
        other => panic!("{other:?}"),
    }
}
