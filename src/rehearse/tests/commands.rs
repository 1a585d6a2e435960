//! Commands and take-overs at every append of a real run: the runner, the guard, the SDK and the simulator.
//!
//! **Invariant:** whatever is commanded whenever, nothing is made twice, and what an abort with undo or a
//! clean-up has to remove is removed.

use super::shipped;
use crate::engine::undo_plan;
use crate::journal::beneath::beneath;
use crate::journal::event::{Event, Record, RunOutcome};
use crate::journal::fold::RunState;
use crate::journal::{Command, Fence, Head, JournalError, MemoryStore, Person, Posted, Store};
use crate::rehearse::{Cast, Mode, Stage};
use crate::runner::{LEASE, NobodyToAsk, RunnerError};
use crate::sim::Simulator;
use chrono::{DateTime, Utc};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most writes and checks in a row without a record that count.
const QUIET: u32 = 4;

/// What is done to the journal while the run goes on.
pub(super) enum Meddling {
    /// Nothing: the run is counted.
    None,
    /// Another process takes the lease by force before this write or check, counted from 1.
    TakeOver(u64),
    /// Somebody posts a command after this append, counted from 1.
    Post(u64, Command),
    /// The same, and it is continued when the inbox was looked into so often since.
    Pause(u64, u64),
}

/// A journal in memory with which somebody meddles.
pub(super) struct Meddled {
    inner: MemoryStore,
    world: Simulator,
    meddling: Meddling,
    pub(super) appends: u64,
    writes: Cell<u64>,
    /// Writes and checks since the last append that recorded something.
    quiet: Cell<u32>,
    glances: Cell<u64>,
    /// How many mutations the world had seen when the lease was taken.
    taken: Cell<Option<usize>>,
}

impl Meddled {
    fn new(world: &Simulator, meddling: Meddling) -> Self {
        Self {
            inner: MemoryStore::new(),
            world: world.clone(),
            meddling,
            appends: 0,
            writes: Cell::new(0),
            quiet: Cell::new(0),
            glances: Cell::new(0),
            taken: Cell::new(None),
        }
    }

    /// Counts a write or check; from the one on at which the lease is taken, every one is fenced. Of those
    /// of turns that record nothing, because a poll saw nothing new, the first stand for all.
    fn write(&self, ours: u64) -> Result<(), JournalError> {
        self.quiet.set(self.quiet.get() + 1);
        if self.quiet.get() <= QUIET {
            self.writes.set(self.writes.get() + 1);
        }
        if let Meddling::TakeOver(at) = self.meddling
            && self.writes.get() == at
            && self.taken.get().is_none()
        {
            self.taken.set(Some(self.world.mutations().len()));
        }
        match self.taken.get() {
            None => Ok(()),
            Some(_) => Err(JournalError::Fenced {
                place: self.inner.place().to_owned(),
                ours,
                current: (ours + 1).to_string(),
            }),
        }
    }

    fn post_number(&self, number: u64, command: Command) -> Posted {
        let mut random = crate::base::seed::Seed::new(number).stream("inbox");
        Posted::new(command, Person::declared("ann"), self.world.time(), &mut random)
    }
}

impl Store for Meddled {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        if !batch.is_empty() {
            self.quiet.set(0);
        }
        self.write(batch.first().map_or(0, |record| record.fence))?;
        let head = self.inner.append(batch)?;
        if batch.is_empty() {
            return Ok(head);
        }
        self.appends += 1;
        let command = match &self.meddling {
            Meddling::Post(at, command) if *at == self.appends => Some(command.clone()),
            Meddling::Pause(at, _) if *at == self.appends => Some(Command::Pause { reason: None }),
            _ => None,
        };
        if let Some(command) = command {
            let posted = self.post_number(1, command);
            self.inner.post(&posted)?;
        }
        Ok(head)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.write(fence.number())?;
        self.inner.renew(fence, now, ttl)
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        self.write(fence.number())?;
        self.inner.check(fence, now)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        let mut posted = self.inner.posted()?;
        if let (Meddling::Pause(_, glances), false) = (&self.meddling, posted.is_empty()) {
            self.glances.set(self.glances.get() + 1);
            if self.glances.get() > *glances {
                posted.push(self.post_number(2, Command::Continue));
            }
        }
        Ok(posted)
    }

    beneath!(inner: load salvage head acquire release lease post note notes place);
}

pub(super) struct Ended {
    pub(super) state: Result<RunState, RunnerError>,
    pub(super) store: Meddled,
    pub(super) world: Simulator,
}

pub(super) fn run(stage: &Stage, faults: &[&str], meddling: Meddling) -> Ended {
    let world = stage.world.fork();
    let faults: Vec<String> = faults.iter().map(|fault| (*fault).to_owned()).collect();
    world.set_faults(&faults).expect("known faults");
    let mut store = Meddled::new(&world, meddling);
    let state = stage.begin(&world, &mut store, Cast::of(&NobodyToAsk));
    Ended { state, store, world }
}

/// Operations and targets of the mutations, in order.
pub(super) fn mutations(world: &Simulator) -> Vec<(String, String)> {
    world.mutations().into_iter().map(|record| (record.operation, record.target)).collect()
}

/// What was made and not removed, or made or removed twice.
fn amiss(world: &Simulator) -> Vec<String> {
    let (mut there, mut found) = (BTreeMap::<String, u32>::new(), Vec::new());
    for (operation, target) in mutations(world) {
        let count = there.entry(target.clone()).or_default();
        if operation.contains("Delete") {
            *count = count.checked_sub(1).unwrap_or_else(|| panic!("{target} was deleted twice"));
        } else {
            *count += 1;
        }
        if *count > 1 {
            found.push(format!("{target} was made twice"));
        }
    }
    found.extend(
        there.into_iter().filter(|(_, count)| *count > 0).map(|(it, _)| format!("{it} is left")),
    );
    found
}

fn records(store: &Meddled) -> Vec<Record> {
    let stored = store.inner.load().expect("a whole chain");
    stored.into_iter().map(|one| one.record.expect("a known event")).collect()
}

#[test]
fn who_was_fenced_sends_no_other_mutation() {
    for (drill, faults) in [("restore-db", &[][..]), ("verify-snapshot", &["lost-answer"])] {
        let stage = shipped(drill, Mode::Drill);
        let whole = run(&stage, faults, Meddling::None);
        let (wanted, log) = (whole.state.expect("it ends").finished, mutations(&whole.world));
        let writes = whole.store.writes.get();
        assert!(writes >= 25 && log.len() >= 2, "{drill}: {writes} writes");
        for at in 1..=writes {
            let Ended { state, store, world } = run(&stage, faults, Meddling::TakeOver(at));
            let error = state.expect_err("it was fenced");
            let RunnerError::Journal(error) = error;
            assert!(matches!(error, JournalError::Fenced { .. }), "{drill} {at}: {error}");
            let taken = store.taken.get().expect("it was taken");
            assert_eq!(
                mutations(&world).len(),
                taken,
                "{drill} {at}: a mutation after the take-over"
            );
            let mut journal = store.inner;
            if journal.head().expect("readable").count == 0 {
                continue;
            }
            let cast = Cast::of(&NobodyToAsk);
            let ended = stage.resume(&world, &mut journal, cast).expect("it ends");
            assert_eq!((ended.finished, mutations(&world)), (wanted, log.clone()), "{drill} {at}");
        }
        println!("{drill} {faults:?}: taken over before each of {writes} writes and checks");
    }
}

#[test]
fn an_abort_at_any_append_leaves_nothing_behind() {
    for (drill, faults) in [
        ("restore-db", &[][..]),
        ("restore-db", &["stale-read=90s", "lost-answer"]),
        ("backup-before-change", &["stale-read=90s"]),
    ] {
        let stage = shipped(drill, Mode::Drill);
        let whole = run(&stage, faults, Meddling::None);
        // The last append ends the run.
        let appends = whole.store.appends - 1;
        let mut aborted = 0;
        for (at, undo) in (1..=appends).flat_map(|at| [(at, false), (at, true)]) {
            let command = Command::Abort { reason: Some("enough".to_owned()), undo };
            let Ended { state, store, world } = run(&stage, faults, Meddling::Post(at, command));
            let state = state.expect("it ends");
            let place = format!("{drill} {faults:?}, after append {at}, undo {undo}");
            assert_eq!(amiss(&world), Vec::<String>::new(), "{place}");
            assert_eq!(state.finished, Some(RunOutcome::Aborted), "{place}");
            assert_eq!(undo_plan(&stage.plan, &state).left, [], "{place}");
            let records = records(&store);
            let asked =
                records.iter().position(|it| matches!(it.event, Event::AbortRequested { .. }));
            let begun =
                records[asked.expect("it was taken")..].iter().filter_map(|it| match &it.event {
                    Event::StepStarted { step, .. } => Some(step),
                    _ => None,
                });
            for step in begun {
                let planned = stage.plan.steps.iter().find(|it| it.key == *step);
                assert!(planned.expect("a step").always, "{place}: {step} began");
            }
            aborted += 1;
        }
        println!("{drill} {faults:?}: {aborted} aborts");
    }
}

#[test]
fn a_pause_at_any_append_changes_nothing_but_time() {
    let stage = shipped("restore-db", Mode::Drill);
    let whole = run(&stage, &[], Meddling::None);
    let (wanted, log) = (whole.state.expect("it ends"), mutations(&whole.world));
    for at in 1..whole.store.appends {
        let Ended { state, store, world } = run(&stage, &[], Meddling::Pause(at, 60));
        let state = state.expect("it ends");
        assert_eq!((state.finished, mutations(&world)), (wanted.finished, log.clone()), "{at}");
        let records = records(&store);
        let place = |kind: &str| records.iter().position(|it| it.event.kind() == kind);
        let (from, to) = (place("run_paused").expect("paused"), place("run_continued"));
        let between = &records[from..to.expect("continued")];
        let acted = between.iter().any(|it| it.event.kind() == "intent_recorded");
        assert!(!acted, "{at}: it acted in a pause");
        assert!(records[from].at + LEASE / 2 < records[to.expect("continued")].at, "{at}");
    }
}
