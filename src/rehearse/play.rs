//! One run of a scenario, from its beginning or from where a process died, to its end.
//!
//! **Invariant:** what stops a run is healed and the run taken up, as a person would; a run that has not
//! ended after that has a defect.

use super::people::Scripted;
use super::points::{Point, Points, WatchedStore, Watcher};
use super::scenario::Scenario;
use super::stage::{Cast, Stage};
use crate::journal::chain::known;
use crate::journal::fold::RunState;
use crate::journal::{JournalError, MemoryStore, Store};
use crate::runner::RunnerError;
use crate::sim::Simulator;
use std::sync::Arc;

/// Processes that may work on a run one after the other before it must have ended: the first, and one for
/// each thing that stops a run until a person has mended it.
const PROCESSES: u32 = 4;

/// How a run went.
#[derive(Debug)]
pub struct Played {
    /// What its journal adds up to.
    pub state: RunState,
    /// Its journal.
    pub journal: MemoryStore,
    /// The world that it left.
    pub world: Simulator,
    /// Where it could have died, and what it did beside AWS.
    pub points: Points,
    /// Why it stopped on the way, each time until somebody mended it.
    pub stops: Vec<String>,
    /// What broke the journal or the lease.
    pub broken: Option<String>,
}

/// Whether points are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    Points,
    /// None: only the end matters.
    Nothing,
}

/// The run without a crash.
///
/// # Panics
/// When the scenario has a fault that does not exist: names are checked where they are read.
pub fn play(stage: &Stage, scenario: &Scenario, keep: Keep) -> Played {
    let world = stage.world.fork();
    let healthy = faults_of(&world);
    let faults: Vec<String> = healthy.iter().chain(&scenario.faults).cloned().collect();
    world.set_faults(&faults).expect("its faults were checked");
    world.look_out(&stage.estate, &stage.environment);
    let watcher = Watcher::new(&world, Vec::new(), keep == Keep::Points);
    let store = WatchedStore::new(MemoryStore::new(), watcher.clone(), scenario.answers);
    Process { stage, scenario, world, healthy, watcher, store }.play()
}

/// What the process that died at `point` of a run with `journal` leaves, taken up.
///
/// # Panics
/// When the journal is one that no run of this version can have written.
pub fn take_up(
    stage: &Stage,
    scenario: &Scenario,
    journal: &MemoryStore,
    point: &Point,
    keep: Keep,
) -> Played {
    let world = point.world.fork();
    let healthy = faults_of(&stage.world);
    let watcher = Watcher::new(&world, point.effects.clone(), keep == Keep::Points);
    let store = WatchedStore::new(journal.cut(point.records), watcher.clone(), scenario.answers);
    Process { stage, scenario, world, healthy, watcher, store }.play()
}

fn faults_of(world: &Simulator) -> Vec<String> {
    world.faults().into_iter().map(|(text, _)| text).collect()
}

struct Process<'a> {
    stage: &'a Stage,
    scenario: &'a Scenario,
    world: Simulator,
    /// The faults that the environment itself has.
    healthy: Vec<String>,
    watcher: Watcher,
    store: WatchedStore,
}

impl Process<'_> {
    fn play(mut self) -> Played {
        let mut state = folded(&self.store);
        let (mut stops, mut broken) = (Vec::new(), None);
        for _ in 0..PROCESSES {
            if state.finished.is_some() {
                break;
            }
            let worked = self.work(&state);
            state = folded(&self.store);
            match worked {
                Ok(()) => {}
                Err(RunnerError::Journal(JournalError::DiskFull { .. })) => {
                    stops.push("disk full".to_owned());
                }
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
            if let Some(why) = state.interrupted.clone() {
                stops.push(why);
                self.world.set_faults(&self.healthy).expect("they are switched on already");
            }
        }
        let (journal, world) = (self.store.inner, self.world);
        Played { state, journal, world, points: self.watcher.points(), stops, broken }
    }

    /// One process's work.
    fn work(&mut self, state: &RunState) -> Result<(), RunnerError> {
        let effects = self.watcher.effects();
        let people = Scripted::new(self.scenario.answers, &self.stage.plan, state, &effects);
        let mut cast = Cast::of(&people).watched_by(Arc::new(self.watcher.clone()));
        cast.late = self.scenario.late.as_deref();
        let driven = if state.run.is_none() {
            self.stage.begin(&self.world, &mut self.store, cast)
        } else {
            self.stage.resume(&self.world, &mut self.store, cast)
        };
        driven.map(drop)
    }
}

/// What a journal in memory adds up to.
pub(super) fn folded(journal: &dyn Store) -> RunState {
    let records = known(&journal.load().expect("memory can be read"));
    RunState::fold(&records.expect("this version wrote them")).expect("the machine wrote them")
}
