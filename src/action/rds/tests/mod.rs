//! The snapshot verbs over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** an action never acts on what is not this run's, and an answer that was lost, late or
//! malformed is never taken for an end.

mod copying;
mod failing_over;
mod following;
mod keeping;
mod modifying;
mod promoting;
mod removing;
mod renaming;
mod replicating;
mod restoring;
mod tagging;
mod taking;
mod verifying;

use crate::action::{
    Acted, Action, ActionError, Figure, Memory, Observation, PastIntent, Preview, ReadContext,
    StepScope, Verdict, WriteContext,
};
use crate::base::clock::simulated_epoch;
use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey, rds_name};
use crate::base::value::{Value, Values};
use crate::cloud::tests::answers::{encrypted_at, snapshot, snapshots};
use crate::cloud::tests::ports::{World, ports};
use crate::cloud::tests::scripted::{self, REGION, Reply, Script};
use crate::cloud::{
    Cloud, Effects, GuardPolicy, Overlay, SqlConnector, SqlError, SqlSession, SqlTarget,
};
use crate::estate::Estate;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// When the snapshots of these tests were taken: 5 h 48 min before now.
const TAKEN: &str = "2026-01-15T03:11:33.381Z";

/// An environment without databases.
#[derive(Debug)]
struct NoSql;

#[async_trait]
impl SqlConnector for NoSql {
    async fn connect(&self, _: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        unreachable!("no action of RDS speaks SQL")
    }
}

/// The gate of a session that has no business outside of AWS.
fn effects(cloud: &Cloud) -> Effects {
    cloud.effects(ports(Arc::new(NoSql), &Arc::new(World::default())))
}

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases: { orders: { instance: orders, security_groups: [sg-1] } }
environments:
  test: { type: simulated, account: "123456789012", region: us-east-1, seed: 1 }
"#;

pub(in crate::action) fn run() -> RunId {
    scripted::run()
}

fn step() -> StepKey {
    StepKey::new("shot")
}

/// The name that the step gives to what it makes.
fn made() -> String {
    rds_name("orders", &run(), &step())
}

pub(in crate::action) fn inputs(pairs: &[(&str, Value)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// One step of one run, and the wire that it meets.
pub(in crate::action) struct Bench {
    pub(in crate::action) script: Script,
    pub(in crate::action) estate: Estate,
    pub(in crate::action) inputs: Values,
    pub(in crate::action) planned: Option<Values>,
    pub(in crate::action) overlay: Overlay,
    pub(in crate::action) asked: bool,
    pub(in crate::action) began: Option<DateTime<Utc>>,
    pub(in crate::action) intent: Option<PastIntent>,
    pub(in crate::action) hands_over: bool,
    pub(in crate::action) agreed: bool,
    pub(in crate::action) disaster_at: Option<DateTime<Utc>>,
    /// What the looks of the step tell each other.
    pub(in crate::action) memory: Memory,
    pub(in crate::action) form: Form,
}

impl Bench {
    pub(in crate::action) fn new(inputs: Values, replies: impl IntoIterator<Item = Reply>) -> Self {
        let estate = crate::estate::load("shop.yaml", ESTATE).expect("valid");
        let script = Script::new(replies);
        Self {
            script,
            estate,
            inputs,
            planned: None,
            overlay: Overlay::new(),
            asked: false,
            began: None,
            intent: None,
            hands_over: false,
            agreed: false,
            disaster_at: None,
            memory: Memory::default(),
            form: Form::default(),
        }
    }

    fn planned(mut self, pairs: &[(&str, Value)]) -> Self {
        self.planned = Some(inputs(pairs));
        self
    }

    /// The journal says that the step asked for its mutation.
    fn asked(mut self) -> Self {
        self.asked = true;
        self
    }

    async fn cloud(&self, action: &dyn Action) -> Cloud {
        self.script.open(GuardPolicy::live(action.spec().calls.iter().copied())).await
    }

    fn scope<'a>(&'a self, run: &'a RunId, step: &'a StepKey, cloud: &'a Cloud) -> StepScope<'a> {
        StepScope {
            run,
            step,
            region: REGION,
            estate: &self.estate,
            environment: cloud.environment(),
            inputs: &self.inputs,
            now: simulated_epoch(),
            began: self.began,
            asked: self.asked,
            intent: self.intent,
            progress: None,
            disaster_at: self.disaster_at,
            owner: "ada",
            expires: simulated_epoch() + chrono::TimeDelta::hours(24),
            hands_over: self.hands_over,
            agreed: self.agreed,
            planned: self.planned.as_ref(),
            standing: None,
            form: self.form,
        }
    }

    pub(in crate::action) async fn preview(
        &self,
        action: &dyn Action,
    ) -> Result<Preview, ActionError> {
        let cloud = self.script.open(GuardPolicy::DryRun).await;
        let (run, step, view) = (run(), step(), cloud.view(self.overlay.clone()));
        let effects = effects(&cloud);
        let scope = self.scope(&run, &step, &cloud);
        action
            .preview(&ReadContext {
                scope,
                view: &view,
                effects: &effects,
                memory: &Memory::default(),
            })
            .await
    }

    pub(in crate::action) async fn observe(
        &self,
        action: &dyn Action,
    ) -> Result<Observation, ActionError> {
        let cloud = self.cloud(action).await;
        let (run, step, view) = (run(), step(), cloud.view(Overlay::new()));
        let effects = effects(&cloud);
        let scope = self.scope(&run, &step, &cloud);
        action
            .observe(&ReadContext { scope, view: &view, effects: &effects, memory: &self.memory })
            .await
    }

    pub(in crate::action) async fn breach(&self, action: &dyn Action) -> Option<Figure> {
        let cloud = self.script.open(GuardPolicy::DryRun).await;
        let (run, step, view) = (run(), step(), cloud.view(self.overlay.clone()));
        let effects = effects(&cloud);
        let (scope, memory) = (self.scope(&run, &step, &cloud), &self.memory);
        action.breach(&ReadContext { scope, view: &view, effects: &effects, memory }).await
    }

    async fn stakes(&self, action: &dyn Action) -> Vec<Figure> {
        let cloud = self.script.open(GuardPolicy::DryRun).await;
        let (run, step, view) = (run(), step(), cloud.view(self.overlay.clone()));
        let effects = effects(&cloud);
        let scope = self.scope(&run, &step, &cloud);
        let memory = &self.memory;
        action.stakes(&ReadContext { scope, view: &view, effects: &effects, memory }).await
    }

    pub(in crate::action) async fn act(&self, action: &dyn Action) -> Result<Acted, ActionError> {
        let cloud = self.cloud(action).await;
        let (run, step, view) = (run(), step(), cloud.view(Overlay::new()));
        let effects = effects(&cloud);
        let scope = self.scope(&run, &step, &cloud);
        let read = ReadContext { scope, view: &view, effects: &effects, memory: &self.memory };
        let writer = cloud.writer().expect("a live run");
        action.act(&WriteContext { read, writer: &writer }).await
    }
}

/// The snapshot of this step in a state, with a run's tag.
fn taken(status: &str, run: Option<&str>) -> Reply {
    snapshots(&snapshot(&made(), "manual", status, run, &encrypted_at(TAKEN)))
}

#[track_caller]
pub(in crate::action) fn broken(observation: Result<Observation, ActionError>) -> String {
    match observation {
        Ok(Observation::Broken { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(in crate::action) fn waiting(observation: Result<Observation, ActionError>) -> String {
    match observation {
        Ok(Observation::InProgress { state, .. }) => state,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(in crate::action) fn done(observation: Result<Observation, ActionError>) -> (Values, Verdict) {
    match observation {
        Ok(Observation::Done(done)) => (done.outputs, done.verdict),
        other => panic!("{other:?}"),
    }
}

/// Why a check fails.
#[track_caller]
pub(in crate::action) fn broken_check(observation: Result<Observation, ActionError>) -> String {
    match done(observation).1 {
        Verdict::Fail { why, .. } => why,
        other => panic!("{other:?}"),
    }
}
