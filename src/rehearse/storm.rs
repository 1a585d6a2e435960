//! Storms: a run in bad weather, with processes that die, lose their lease, and are taken up by others.
//!
//! **Invariant:** the same seed gives the same journal, byte for byte. First anything may fail; then faults
//! heal, nobody dies and people answer, and the run must end. What must hold is judged after every event.

mod gale;
mod judge;
mod people;

use super::judge::Finding;
use super::parallel;
use super::play::{Keep, Played, folded, play};
use super::scenario::{Mode, Scenario};
use super::stage::{Cast, Stage};
use crate::base::clock::to_delta;
use crate::base::seed::Seed;
use crate::journal::MemoryStore;
use crate::plan::model::RunMode;
use crate::runner::StopSignal;
use crate::sim::Simulator;
use gale::{Gale, GaleStore};
use people::Townspeople;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Most processes that a storm kills, fences or stops.
const STORMY_PROCESSES: u32 = 5;

/// Most processes after that: one for each thing that a person has to see to, such as a pause.
const CALM_PROCESSES: u32 = 8;

/// Longest time between the end of a process and the next one, seconds.
const LONGEST_ABSENCE: u64 = 1_800;

/// How often each thing worth seeing happened: `lease lost`.
pub type Counters = BTreeMap<String, u64>;

/// One storm's end.
#[derive(Debug)]
pub struct Storm {
    /// What is not as it must be.
    pub findings: Vec<Finding>,
    /// What it met.
    pub counters: Counters,
    /// The run's journal.
    pub journal: MemoryStore,
}

/// What a number of storms found.
#[derive(Debug, Default)]
pub struct Storms {
    /// How many there were.
    pub seeds: u64,
    /// What was not as it must be, by seed.
    pub findings: Vec<(u64, Finding)>,
    /// What they met together.
    pub counters: Counters,
}

impl Storms {
    /// Adds another's findings and figures.
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.findings.extend(other.findings);
        for (what, count) in other.counters {
            *self.counters.entry(what).or_default() += count;
        }
    }
}

/// Lets one storm of each seed blow over the run of `stage`, in which `standing` faults never heal.
///
/// # Panics
/// When there is no such fault: names are checked where they are read.
pub fn storm(stage: &Stage, standing: &[String], seeds: impl IntoIterator<Item = u64>) -> Storms {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    let fair = fair_weather(stage, standing);
    let blown = parallel::map(&seeds, |seed| blow_beside(stage, standing, &fair, *seed));
    let mut storms = Storms::default();
    for (seed, storm) in seeds.iter().zip(blown) {
        let findings = storm.findings.into_iter().map(|finding| (*seed, finding)).collect();
        storms.add(Storms { seeds: 1, findings, counters: storm.counters });
    }
    storms
}

/// Lets the storm of one seed blow.
pub fn blow(stage: &Stage, seed: u64) -> Storm {
    blow_beside(stage, &[], &fair_weather(stage, &[]), seed)
}

/// The run without any trouble: what a storm's end is compared with.
fn fair_weather(stage: &Stage, standing: &[String]) -> Played {
    let mode = match &stage.plan.mode {
        RunMode::Drill { keep: false, .. } => Mode::Drill,
        RunMode::Drill { keep: true, .. } => Mode::Kept,
        RunMode::Run => Mode::Run,
    };
    let scenario = Scenario { faults: standing.to_vec(), ..Scenario::clean(mode) };
    play(stage, &scenario, Keep::Nothing)
}

fn blow_beside(stage: &Stage, standing: &[String], fair: &Played, seed: u64) -> Storm {
    let seed = Seed::new(seed);
    let world = stage.world.fork();
    let own = world.faults().into_iter().map(|(text, _)| text);
    let faults: Vec<String> = own.chain(standing.iter().cloned()).collect();
    world.set_faults(&faults).expect("its faults were checked");
    world.look_out(&stage.estate, &stage.environment);
    let gale = Arc::new(Gale::new(stage, &world, seed));
    let mut random = seed.stream("storm/processes");
    let stormy = random.u32(1..=STORMY_PROCESSES);
    let mut broken = None;
    for process in 0..stormy + CALM_PROCESSES {
        let calm = process >= stormy;
        if calm {
            gale.calm_down();
        }
        let ended = work(stage, &world, &gale, &mut random, calm);
        let state = folded(&gale.journal());
        if state.finished.is_some() {
            break;
        }
        match ended {
            Err(error) if calm => {
                broken = Some(error);
                break;
            }
            Err(_) | Ok(()) => {}
        }
        pass_time(&world, Duration::from_secs(random.u64(..LONGEST_ABSENCE)));
    }
    let journal = gale.journal();
    let state = folded(&journal);
    let (findings, counters) = gale.verdict(stage, fair, &state, broken);
    Storm { findings, counters, journal }
}

/// One process's work on the run.
fn work(
    stage: &Stage,
    world: &Simulator,
    gale: &Arc<Gale>,
    random: &mut fastrand::Rng,
    calm: bool,
) -> Result<(), String> {
    let stop = StopSignal::default();
    let people = Townspeople::new(Seed::new(random.u64(..)), calm);
    let mut store = GaleStore::new(Arc::clone(gale), stop.clone());
    let cast = Cast { stop, ..Cast::of(&people).watched_by(Arc::clone(gale) as _) };
    let begins = gale.begin_process();
    let driven = if begins {
        stage.begin(world, &mut store, cast)
    } else {
        stage.resume(world, &mut store, cast)
    };
    driven.map(drop).map_err(|error| error.to_string())
}

fn pass_time(world: &Simulator, time: Duration) {
    let later = world.time() + to_delta(time);
    // A world in memory has nowhere to be written to.
    drop(world.save(later));
}
