//! The crash matrix: a drill is killed at every instant at which its journal or the world can differ,
//! and taken up again.
//!
//! **Invariant:** the points are enumerated from a run itself: before and after each append, with the
//! world as it was then. Before an append is the instant after the effects that it tells about.

use crate::action::standard;
use crate::base::ids::RunId;
use crate::base::seed::Seed;
use crate::base::value::Values;
use crate::cloud::GuardPolicy;
use crate::engine::{Machine, Start, Turn};
use crate::estate::{Environment, Estate, Objectives};
use crate::journal::chain::known;
use crate::journal::event::{Record, RunOutcome};
use crate::journal::fold::RunState;
use crate::journal::{
    Fence, Head, JournalError, Lease, MemoryStore, Note, Person, Posted, Store, StoredRecord,
    Takeover,
};
use crate::plan::model::{Plan, RunMode};
use crate::plan::{Durations, PlanRequest, PlanTools, build};
use crate::runbook::{Drill, Runbook, bind_parameters, load_drill, load_runbook};
use crate::runner::declared;
use crate::runner::{Inbox, LEASE, NobodyToAsk, Operator, Running, StopSignal, drive};
use crate::sim::{SimOptions, Simulator};
use crate::wiring::Session;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::time::Duration;

/// Of the turns that record nothing, because a poll saw nothing new, one in so many is a point: only the
/// world's time differs between them. (All of them were tried once: 332 points a drill.)
const QUIET_TURNS: u64 = 40;

/// Everything that all runs of the matrix share.
struct Stage {
    estate: Estate,
    environment: Environment,
    runbook: Runbook,
    parameters: Values,
    plan: Plan,
    faults: Vec<String>,
    people: &'static dyn Operator,
    world: Simulator,
}

/// An instant at which the process may die.
struct Point {
    records: u64,
    world: Simulator,
    when: &'static str,
}

/// A journal that keeps the world as it was before and after each append.
struct Recording {
    inner: MemoryStore,
    world: Simulator,
    points: Vec<Point>,
    turns: u64,
    renewals: u64,
}

impl Recording {
    fn keep(&mut self, when: &'static str) -> Result<(), JournalError> {
        let records = self.inner.head()?.count;
        self.points.push(Point { records, world: self.world.fork(), when });
        Ok(())
    }
}

impl Store for Recording {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        self.turns += 1;
        if batch.is_empty() && !self.turns.is_multiple_of(QUIET_TURNS) {
            return self.inner.append(batch);
        }
        self.keep("before an append")?;
        let head = self.inner.append(batch)?;
        self.keep("after an append")?;
        Ok(head)
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        self.inner.load()
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.inner.head()
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        self.inner.acquire(holder, now, ttl, takeover)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.renewals += 1;
        self.inner.renew(fence, now, ttl)
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        self.inner.release(fence)
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        self.inner.lease()
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        self.inner.check(fence, now)
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.inner.post(posted)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        self.inner.posted()
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        self.inner.note(key, value)
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        self.inner.notes()
    }

    fn place(&self) -> &str {
        self.inner.place()
    }
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime").block_on(work)
}

impl Stage {
    /// Plans the shipped drill called `drill` in a new world with `faults`.
    fn new(drill: &str, faults: &[&str]) -> Self {
        let file = |name: &str| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(root.join(name)).expect("a shipped file")
        };
        let drill = load_drill("drill", &file(&format!("drills/{drill}.yaml")));
        let drill = drill.expect("a valid drill");
        let estate = file(&format!("localstack/estates/{}.yaml", drill.estate));
        let estate = crate::estate::load("estate", &estate).expect("a valid estate");
        let runbook = file(&format!("runbooks/{}.yaml", drill.runbook));
        Self::of(estate, &runbook, &drill, faults, &NobodyToAsk)
    }

    /// Plans `drill` of the runbook `text`, whose questions `people` answer.
    fn of(
        estate: Estate,
        text: &str,
        drill: &Drill,
        faults: &[&str],
        people: &'static dyn Operator,
    ) -> Self {
        let environment = estate.environments["sim"].clone();
        let catalogue = standard();
        let runbook = load_runbook("runbook", text, &catalogue);
        let (runbook, _) = runbook.expect("a valid runbook");
        let parameters = bind_parameters(&runbook, &drill.parameters).expect("valid parameters");
        let world = Simulator::create(&estate, &environment, SimOptions::default());
        let world = world.expect("a world");
        let mode = RunMode::Drill { name: drill.name.clone(), keep: false };
        let plan = in_virtual_time(async {
            let session =
                Session::in_memory(world.clone(), &environment, Seed::new(1), world.time());
            let cloud = session.cloud(GuardPolicy::DryRun).await.expect("a cloud");
            let effects = cloud.effects(session.ports.clone());
            let now = session.clock.now();
            let request = PlanRequest {
                run: RunId::mint(now, &mut session.run_id_stream()),
                runbook: &runbook,
                estate: &estate,
                environment: &environment,
                parameters: parameters.clone(),
                mode,
                objectives: Objectives::default(),
                disaster_at: None,
                declared_at: None,
                faults: session.faults(),
                owner: "tester".to_owned(),
                now,
            };
            let durations = Durations::default();
            let tools = PlanTools {
                catalogue: &catalogue,
                cloud: &cloud,
                effects: &effects,
                durations: &durations,
            };
            build(request, tools).await.expect("a plan")
        });
        let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        Self { estate, environment, runbook, parameters, plan, faults, people, world }
    }

    /// Drives a machine that `make` builds at the session's time, in `world`.
    fn drive(
        &self,
        world: &Simulator,
        not_before: DateTime<Utc>,
        store: &mut dyn Store,
        make: impl FnOnce(DateTime<Utc>, u64) -> (Machine, Turn),
    ) -> RunState {
        let catalogue = standard();
        in_virtual_time(async {
            let epoch = world.time().max(not_before);
            let session = Session::in_memory(world.clone(), &self.environment, Seed::new(1), epoch);
            let policy = GuardPolicy::live(declared(&catalogue, &self.plan));
            let cloud = session.cloud(policy).await.expect("a cloud").protecting(&self.estate);
            let writer = cloud.writer().expect("a live cloud has a writer");
            let effects = cloud.effects(session.ports.clone());
            let now = session.clock.now();
            let fence = store.acquire("tester", now, LEASE, Takeover::Force).expect("the lease");
            let tester = Person::declared("tester");
            let running = Running {
                catalogue: &catalogue,
                cloud: &cloud,
                writer: &writer,
                effects: &effects,
                clock: &session.clock,
                estate: &self.estate,
                environment: &self.environment,
                parameters: self.parameters.clone(),
                operator: &tester,
                people: self.people,
                stop: StopSignal::default(),
                inbox: Inbox::EachTurn,
                wait: false,
                lease: LEASE,
                lease_clock: &session.clock,
            };
            let (machine, turn) = make(now, fence.number());
            let driven = drive(&running, machine, turn, store, fence, &mut []).await;
            driven.expect("the journal takes everything").state
        })
    }

    /// The run without a crash: its end, and every point on the way.
    fn whole(&self) -> (RunState, Recording) {
        let world = self.world.fork();
        world.set_faults(&self.faults).expect("known faults");
        let mut store = Recording {
            inner: MemoryStore::new(),
            world: world.clone(),
            points: Vec::new(),
            turns: 0,
            renewals: 0,
        };
        let state = self.drive(&world, world.time(), &mut store, |now, fence| {
            let json = serde_json::to_value(&self.plan).expect("plain data");
            let start = Start { operator: "tester".to_owned(), fence };
            Machine::begin(self.plan.clone(), json, "sha256:0", start, "test", now)
        });
        (state, store)
    }

    /// What the process that died at `point` leaves, taken up.
    fn resumed(&self, whole: &MemoryStore, point: &Point) -> Option<(RunState, Simulator)> {
        let mut store = whole.cut(point.records);
        let records = known(&store.load().expect("a whole chain")).expect("known events");
        let state = RunState::fold(&records).expect("a legal journal");
        if point.records == 0 || state.finished.is_some() {
            return None;
        }
        let world = point.world.fork();
        let last = state.last_at.expect("it has begun");
        let ended = self.drive(&world, last, &mut store, |now, fence| {
            let start = Start { operator: "tester".to_owned(), fence };
            Machine::resume(self.plan.clone(), state, start, now)
        });
        Some((ended, world))
    }
}

/// Operations and targets of the mutations, in order.
fn mutations(world: &Simulator) -> Vec<(String, String)> {
    world.mutations().into_iter().map(|record| (record.operation, record.target)).collect()
}

/// Kills and resumes at every point. Fewer points, or fewer distinct journals, than `floor` mean that the
/// harness or the engine lost some.
fn matrix(drill: &str, faults: &[&str], outcome: RunOutcome, floor: (usize, usize)) {
    let (points, journals) = crash_everywhere(&Stage::new(drill, faults), outcome);
    assert!(points >= floor.0, "only {points} points");
    assert!(journals >= floor.1, "only {journals} journals");
}

/// Kills and resumes at every point; returns how many points there were, and distinct journals.
fn crash_everywhere(stage: &Stage, outcome: RunOutcome) -> (usize, usize) {
    let (drill, faults) = (&stage.runbook.name, &stage.faults);
    let (state, recording) = stage.whole();
    assert_eq!(state.finished, Some(outcome), "{drill} {faults:?}");
    let (wanted, log) = (recording.world.state_json(), mutations(&recording.world));
    // Every shipped drill makes one thing and deletes it.
    assert_eq!(log.len(), 2, "{log:?}");
    let (mut tried, mut lengths) = (0, BTreeSet::new());
    for point in &recording.points {
        let Some((ended, world)) = stage.resumed(&recording.inner, point) else { continue };
        let place = format!("{drill} {faults:?}, {} with {} records", point.when, point.records);
        assert_eq!(ended.finished, Some(outcome), "{place}");
        assert_eq!(mutations(&world), log, "{place}");
        assert_eq!(world.state_json(), wanted, "{place}");
        for (key, step) in &ended.steps {
            assert_eq!(step.status, state.steps[key].status, "{place}: {key}");
        }
        tried += 1;
        lengths.insert(point.records);
    }
    println!("crash matrix {drill} {faults:?}: {tried} points, {} journals", lengths.len());
    (tried, lengths.len())
}

#[test]
fn a_drill_that_is_killed_at_any_instant_ends_as_if_nothing_had_happened() {
    matrix("restore-db", &[], RunOutcome::Succeeded, (40, 16));
}

#[test]
fn lost_answers_and_stale_reads_change_nothing_about_that() {
    matrix("restore-db", &["lost-answer"], RunOutcome::Succeeded, (40, 16));
    let faults = ["stale-read=90s", "lost-answer=DeleteDBInstance"];
    matrix("restore-db", &faults, RunOutcome::Succeeded, (40, 16));
}

#[test]
fn a_drill_that_fails_cleans_up_wherever_it_was_killed() {
    matrix("restore-db", &["restore-failed"], RunOutcome::Failed, (30, 12));
    matrix("verify-snapshot", &["restore-failed"], RunOutcome::Failed, (30, 12));
}

#[test]
fn a_snapshot_s_drill_that_is_killed_ends_as_if_nothing_had_happened() {
    matrix("verify-snapshot", &[], RunOutcome::Succeeded, (38, 16));
    let faults = ["stale-read=90s", "lost-answer=RestoreDBInstanceFromDBSnapshot"];
    matrix("verify-snapshot", &faults, RunOutcome::Succeeded, (38, 16));
}

#[test]
fn a_backup_that_is_killed_is_taken_once_and_deleted() {
    matrix("backup-before-change", &[], RunOutcome::Succeeded, (38, 18));
    let faults = ["stale-read=90s", "lost-answer=CreateDBSnapshot"];
    matrix("backup-before-change", &faults, RunOutcome::Succeeded, (36, 18));
    matrix(
        "backup-before-change",
        &["lost-answer=DeleteDBSnapshot"],
        RunOutcome::Succeeded,
        (36, 18),
    );
}

mod doubt;
mod gates;
