//! A plan in a simulated world, ready to be run any number of times, each in a fork of that world.
//!
//! **Invariant:** a run begins and is taken up by the same code as behind `drctl drill` and
//! `drctl resume`: machine, runner, guard, SDK; only journal, world and people are the harness's.

use crate::action::spec::ActionSpec;
use crate::action::{Catalogue, standard};
use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::base::seed::Seed;
use crate::base::value::Values;
use crate::cloud::{CloudError, GuardPolicy};
use crate::engine::{Machine, Start, Turn};
use crate::estate::{Environment, EnvironmentKind, Estate, Objectives};
use crate::journal::chain::known;
use crate::journal::fold::RunState;
use crate::journal::{Failing, FailingStore, Person, Store, Takeover};
use crate::plan::model::{Plan, RunMode};
use crate::plan::{Durations, PlanError, PlanRequest, PlanTools, build};
use crate::runbook::Runbook;
use crate::runner::RunnerError;
use crate::runner::{Inbox, LEASE, Observer, Operator, Running, StopSignal, declared, drive};
use crate::sim::{SimError, SimOptions, Simulator, Watch};
use crate::wiring::Session;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How long a look takes of a step that is late: longer than any other step's, shorter than time-outs.
const LATE: Duration = Duration::from_secs(240);
/// The least time between two looks at something that is being made, milliseconds: a rehearsal spends its
/// time on these, and two that see the same are one instant for it.
const POLL_MS: u64 = 180_000;
/// Who the harness says it is: in tags, leases and the journal.
const HARNESS: &str = "rehearsal";

/// What is planned, and where.
#[derive(Debug, Clone)]
pub struct Staging {
    /// The estate.
    pub estate: Estate,
    /// Name of its simulated environment.
    pub environment: String,
    /// The runbook.
    pub runbook: Runbook,
    /// Its parameters, bound.
    pub parameters: Values,
    /// What is promised.
    pub objectives: Objectives,
    /// Drill or run.
    pub mode: RunMode,
    /// Seed of the world; the environment's own when not given.
    pub seed: Option<u64>,
}

impl Staging {
    fn not_simulated(&self) -> StageError {
        let (estate, environment) = (self.estate.name.clone(), self.environment.clone());
        StageError::NotSimulated { estate, environment }
    }
}

/// Why nothing can be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The estate has no such environment, or it is a real one.
    #[error(
        "environment `{environment}` of estate `{estate}` is not simulated: a rehearsal needs one"
    )]
    NotSimulated {
        /// The estate.
        estate: String,
        /// The environment.
        environment: String,
    },
    /// The world cannot be made.
    #[error(transparent)]
    World(#[from] SimError),
    /// The simulated account cannot be opened.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The runbook cannot be planned there.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A plan and the world that it was made in.
#[derive(Debug)]
pub struct Stage {
    /// The estate.
    pub estate: Estate,
    /// The environment.
    pub environment: Environment,
    /// The runbook.
    pub runbook: Runbook,
    /// The parameters.
    pub parameters: Values,
    /// What is promised.
    objectives: Objectives,
    /// The plan.
    pub plan: Plan,
    /// The world as planning left it. Fork it; a run changes the world that it is given.
    pub world: Simulator,
    /// The actions.
    pub(super) catalogue: Catalogue,
    seed: Seed,
}

/// Who takes part in one process's work on a run, besides the machine.
pub struct Cast<'a> {
    /// Who answers questions.
    pub people: &'a dyn Operator,
    /// Who sees the calls, if anybody does.
    pub watch: Option<Arc<dyn Watch>>,
    /// Who sees the turns.
    pub observers: Vec<&'a mut dyn Observer>,
    /// Asks the run to stop.
    pub stop: StopSignal,
    /// Holder of the lease.
    pub holder: &'a str,
    /// Whether a lease that has not expired is taken.
    pub takeover: Takeover,
    /// Id of a step whose looks take long.
    pub late: Option<&'a str>,
}

impl<'a> Cast<'a> {
    /// `people` alone; a lease that a dead process left is taken.
    pub fn of(people: &'a dyn Operator) -> Self {
        let (observers, stop) = (Vec::new(), StopSignal::default());
        Self {
            people,
            watch: None,
            observers,
            stop,
            holder: HARNESS,
            takeover: Takeover::Force,
            late: None,
        }
    }

    /// The same, with every call seen by `watch`.
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch), ..self }
    }
}

/// Runs `work` on a runtime of its own whose time jumps when nothing else can happen.
fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime can be made");
    runtime.block_on(work)
}

impl Stage {
    /// Makes a new world and plans in it.
    ///
    /// # Errors
    /// The environment is no simulated one, its world cannot be made, or there is no plan.
    pub fn plan(staging: Staging) -> Result<Self, StageError> {
        let found = staging.estate.environments.get(&staging.environment);
        let found = found.filter(|found| found.is_simulated());
        let found = found.ok_or_else(|| staging.not_simulated())?;
        let options = SimOptions { seed: staging.seed, faults: Vec::new() };
        let world = Simulator::create(&staging.estate, found, options)?;
        Self::plan_in(world, staging)
    }

    /// Plans in a world that is there already.
    ///
    /// # Errors
    /// The environment is no simulated one, or there is no plan.
    pub fn plan_in(world: Simulator, staging: Staging) -> Result<Self, StageError> {
        let wrong = staging.not_simulated();
        let Staging { estate, environment, runbook, parameters, objectives, mode, seed } = staging;
        let found = estate.environments.get(&environment).cloned();
        let simulation = found.as_ref().map(|found| &found.kind);
        let (Some(found), Some(EnvironmentKind::Simulated(settings))) = (&found, simulation) else {
            return Err(wrong);
        };
        let seed = Seed::new(seed.unwrap_or(settings.seed));
        let catalogue = standard();
        let mut plan = in_virtual_time(async {
            let session = Session::in_memory(world.clone(), found, seed, world.time());
            let cloud = session.cloud(GuardPolicy::DryRun).await?;
            let effects = cloud.effects(session.ports.clone());
            let now = session.clock.now();
            let request = PlanRequest {
                run: RunId::mint(now, &mut session.run_id_stream()),
                runbook: &runbook,
                estate: &estate,
                environment: found,
                parameters: parameters.clone(),
                form: runbook.form.unwrap_or_default(),
                mode,
                objectives,
                disaster_at: None,
                declared_at: None,
                detection: None,
                notify: None,
                faults: session.faults(),
                owner: HARNESS.to_owned(),
                now,
            };
            let durations = &Durations::default();
            let (catalogue, cloud, effects) = (&catalogue, &cloud, &effects);
            let tools = PlanTools { catalogue, cloud, effects, durations };
            build(request, tools).await.map_err(StageError::from)
        })?;
        let changes = plan.steps.iter_mut().filter(|step| !step.check);
        changes.for_each(|step| step.poll_ms = step.poll_ms.max(POLL_MS));
        let environment = found.clone();
        Ok(Self {
            estate,
            environment,
            runbook,
            parameters,
            objectives,
            plan,
            world,
            catalogue,
            seed,
        })
    }

    /// The same stage with another runbook, in a new world.
    ///
    /// # Errors
    /// It cannot be planned.
    pub(super) fn replanned(&self, runbook: Runbook) -> Result<Self, StageError> {
        Self::plan(Staging {
            estate: self.estate.clone(),
            environment: self.environment.name.clone(),
            runbook,
            parameters: self.parameters.clone(),
            objectives: self.objectives,
            mode: self.plan.mode.clone(),
            seed: Some(self.seed.number()),
        })
    }

    /// What the action called `name` declares.
    pub(super) fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.catalogue.spec(name)
    }

    /// Begins the run in `world` and drives it until it ends or stops.
    ///
    /// # Errors
    /// The journal takes no more, or the lease is lost.
    pub fn begin(
        &self,
        world: &Simulator,
        store: &mut dyn Store,
        cast: Cast<'_>,
    ) -> Result<RunState, RunnerError> {
        in_virtual_time(self.begin_within(world, store, cast))
    }

    /// Takes the run up in `world` as `store` tells of it, and drives it on.
    ///
    /// # Errors
    /// The journal cannot be read or takes no more, or the lease is held or lost.
    ///
    /// # Panics
    /// When the journal is one that no run of this version can have written.
    pub fn resume(
        &self,
        world: &Simulator,
        store: &mut dyn Store,
        cast: Cast<'_>,
    ) -> Result<RunState, RunnerError> {
        in_virtual_time(self.resume_within(world, store, cast))
    }

    async fn begin_within(
        &self,
        world: &Simulator,
        store: &mut dyn Store,
        cast: Cast<'_>,
    ) -> Result<RunState, RunnerError> {
        let json = serde_json::to_string_pretty(&self.plan).expect("a plan is plain data") + "\n";
        let digest = Digest::of(json.as_bytes());
        let plan = serde_json::from_str(&json).expect("just written");
        self.drive(world, world.time(), store, cast, |start, now| {
            let tool = env!("CARGO_PKG_VERSION");
            Machine::begin(self.plan.clone(), plan, digest.as_str(), start, tool, now)
        })
        .await
    }

    async fn resume_within(
        &self,
        world: &Simulator,
        store: &mut dyn Store,
        cast: Cast<'_>,
    ) -> Result<RunState, RunnerError> {
        let records = known(&store.load()?)?;
        let state = RunState::fold(&records).expect("the machine wrote it");
        let plan: Plan = serde_json::from_value(state.plan.clone()).expect("the stage's own plan");
        let not_before = world.time().max(state.last_at.unwrap_or(world.time()));
        self.drive(world, not_before, store, cast, |start, now| {
            Machine::resume(plan, state, start, now)
        })
        .await
    }

    /// Drives a machine that `make` builds at the session's time.
    async fn drive(
        &self,
        world: &Simulator,
        epoch: DateTime<Utc>,
        store: &mut dyn Store,
        mut cast: Cast<'_>,
        make: impl FnOnce(Start, DateTime<Utc>) -> (Machine, Turn),
    ) -> Result<RunState, RunnerError> {
        let mut session = Session::in_memory(world.clone(), &self.environment, self.seed, epoch);
        if let Some(watch) = cast.watch.take() {
            session = session.watched_by(watch);
        }
        let policy = GuardPolicy::live(declared(&self.catalogue, &self.plan));
        let cloud = session.cloud(policy).await.expect("simulated credentials are always there");
        let cloud = cloud.protecting(&self.estate);
        let writer = cloud.writer().expect("a live cloud has a writer");
        let effects = cloud.effects(session.ports.clone());
        let now = session.clock.now();
        let fence = store.acquire(cast.holder, now, LEASE, cast.takeover)?;
        let operator = Person::declared(cast.holder);
        let running = Running {
            catalogue: &self.catalogue,
            cloud: &cloud,
            writer: &writer,
            effects: &effects,
            clock: &session.clock,
            estate: &self.estate,
            environment: &self.environment,
            parameters: self.parameters.clone(),
            operator: &operator,
            people: cast.people,
            stop: cast.stop.clone(),
            inbox: Inbox::EachTurn,
            wait: false,
            lease: LEASE,
            lease_clock: &session.clock,
            late: cast.late.map(|step| (step, LATE)),
        };
        let start = Start { operator: cast.holder.to_owned(), fence: fence.number() };
        let (machine, turn) = make(start, now);
        let mut journal = FailingStore::new(store, Failing::full_once(session.full_disk()));
        let watching = &mut cast.observers;
        let driven = drive(&running, machine, turn, &mut journal, fence, watching).await;
        if journal.struck() > 0 {
            session.disk_was_full();
        }
        Ok(driven?.state)
    }
}
