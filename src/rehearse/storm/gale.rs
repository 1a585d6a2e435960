//! The weather of a storm: faults that come and go, appends that never return, rivals who take the run
//! over, and commands from other terminals.
//!
//! **Invariant:** what blows is drawn from the seed and from how many appends and calls there were; once
//! it is calm nothing blows any more.

use super::Counters;
use super::judge::Judge;
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::base::seed::Seed;
use crate::journal::event::Record;
use crate::journal::figure::TWO_WRITERS;
use crate::journal::fold::{GateRecord, RunState};
use crate::journal::{
    Command, Fence, Head, JournalError, Lease, MemoryStore, Note, Person, Posted, Store,
    StoredRecord, Takeover,
};
use crate::rehearse::inbox::approver;
use crate::rehearse::{Finding, Played, Stage, writers};
use crate::runner::{LEASE, StopSignal};
use crate::sim::{Simulator, Watch};
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Weather by chance: what may blow, and how strong.
const FAULTS: [&str; 22] = [
    "throttled=0.3",
    "throttled=2",
    "error-before-effect",
    "error-after-effect",
    "lost-answer",
    "lost-answer=DeleteDBInstance",
    "error-after-effect=DeleteDBSnapshot",
    "error-before-effect=DeleteDBInstance",
    "stale-read=20s",
    "stale-read=100s",
    "slow=3",
    "restore-failed",
    "quota-exceeded",
    "kms-disabled",
    "stuck-creating",
    "replica-lag-cliff",
    "control-plane-down",
    "control-plane-down=hang",
    "clock-skew=4m",
    "expired-credentials",
    "access-denied=DescribeDBInstances",
    "wrong-restore=empty-table",
];

/// Of a thousand calls, so many see the weather change.
const CHANGES: u32 = 40;
/// Of a thousand calls or appends, so many are a process's last.
const DEATHS: u32 = 12;
/// Of a thousand appends, so many find the run taken over by somebody else.
const RIVALS: u32 = 10;
/// Of a thousand appends, so many see a command being posted.
const COMMANDS: u32 = 40;
/// Of a thousand appends, so many are followed by Ctrl-C.
const SIGNALS: u32 = 8;

/// What all processes of one storm share.
#[derive(Debug)]
pub(super) struct Gale {
    sky: Mutex<Sky>,
    world: Simulator,
}

#[derive(Debug)]
struct Sky {
    random: fastrand::Rng,
    calm: bool,
    /// The process at work must not come back from its next append.
    doomed: bool,
    /// Faults that the environment itself has.
    healthy: Vec<String>,
    steps: Vec<StepKey>,
    store: MemoryStore,
    judge: Judge,
    /// When something was last heard of the run.
    now: DateTime<Utc>,
}

impl Sky {
    fn blows(&mut self, of_thousand: u32) -> bool {
        !self.calm && self.random.u32(..1_000) < of_thousand
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.random.usize(..items.len())].clone()
    }

    fn post(&mut self, command: Command) {
        let by = self.pick(&["ann", "bob", "eve"]);
        self.post_by(by, command);
    }

    /// Whoever may decide about a gate that waits approves it, as many people as it needs.
    fn open_gates(&mut self) {
        let questions = self.judge.state.questions();
        let waiting: Vec<(StepKey, GateRecord)> =
            questions.filter_map(|(step, it)| Some((step.clone(), it.gate.clone()?))).collect();
        for (step, gate) in waiting {
            for number in 0..gate.approvals {
                let approve = Command::Approve {
                    step: step.clone(),
                    comment: None,
                    acknowledge: Some(TWO_WRITERS.to_owned()),
                };
                self.post_by(&approver(&gate, number), approve);
            }
        }
    }

    fn post_by(&mut self, by: &str, command: Command) {
        let by = Person::declared(by);
        let posted = Posted::new(command, by, self.now, &mut self.random);
        self.store.post(&posted).expect("memory takes it");
        self.judge.count("command posted");
    }

    fn command(&mut self) -> Command {
        let steps = self.steps.clone();
        let asking: Vec<StepKey> =
            self.judge.state.questions().map(|(step, _)| step.clone()).collect();
        let aimed = !asking.is_empty() && self.random.bool();
        let step = self.pick(if aimed { &asking } else { &steps });
        let comment = None;
        match self.random.u32(..100) {
            0..20 => Command::Approve { step, comment, acknowledge: None },
            20..26 => Command::Reject { step, comment },
            26..32 => Command::Withdraw { step, comment },
            32..44 => {
                let answer = self.pick(&["retry", "continue", "stop", "undo", "skip", "done"]);
                Command::Answer { step, answer: answer.to_owned(), comment }
            }
            44..56 => Command::Pause { reason: None },
            56..63 => Command::Continue,
            63..67 => {
                let to = if self.random.bool() { Form::Graceful } else { Form::Ungraceful };
                Command::Switch { to, reason: None }
            }
            67..76 => Command::Skip { step, reason: "a storm".to_owned() },
            76..90 => Command::Retry { step },
            _ => Command::Abort { reason: None, undo: self.random.bool() },
        }
    }
}

impl Gale {
    pub(super) fn new(stage: &Stage, world: &Simulator, seed: Seed) -> Self {
        let healthy = world.faults().into_iter().map(|(text, _)| text).collect();
        let sky = Sky {
            random: seed.stream("storm/weather"),
            calm: false,
            doomed: false,
            healthy,
            steps: stage.plan.steps.iter().map(|step| step.key.clone()).collect(),
            store: MemoryStore::new(),
            judge: Judge::new(&stage.plan, world.mutations().len()),
            now: world.time(),
        };
        Self { sky: Mutex::new(sky), world: world.clone() }
    }

    fn sky(&self) -> MutexGuard<'_, Sky> {
        // A panic elsewhere leaves no half-made change.
        self.sky.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> MemoryStore {
        self.sky().store.clone()
    }

    /// A new process comes to work; whether it has to begin the run, because no journal tells of it yet.
    pub(super) fn begin_process(&self) -> bool {
        let mut sky = self.sky();
        sky.doomed = false;
        sky.judge.new_process();
        let changes = sky.blows(500);
        if changes {
            self.change(&mut sky);
        }
        sky.judge.state.run.is_none()
    }

    /// Faults heal, and somebody ends a pause.
    pub(super) fn calm_down(&self) {
        let mut sky = self.sky();
        sky.calm = true;
        self.world.set_faults(&sky.healthy).expect("they are switched on already");
        if sky.judge.state.paused.is_some() {
            sky.post(Command::Continue);
        }
        sky.open_gates();
    }

    /// Other weather: up to three faults at once, or none.
    fn change(&self, sky: &mut Sky) {
        let mut faults = sky.healthy.clone();
        for _ in 0..sky.random.u32(..4) {
            faults.push(sky.pick(&FAULTS).to_owned());
        }
        self.world.set_faults(&faults).expect("faults of the catalogue");
        sky.judge.count("weather changed");
    }

    /// What must hold at the end, and everything that was found on the way.
    pub(super) fn verdict(
        &self,
        stage: &Stage,
        fair: &Played,
        state: &RunState,
        broken: Option<String>,
    ) -> (Vec<Finding>, Counters) {
        let mut sky = self.sky();
        let stored = sky.store.load().expect("memory can be read");
        let writers = writers(stage, &self.world, &sky.store);
        sky.judge.writers(writers);
        sky.judge.at_the_end(stage, fair, (state, &stored), &self.world, broken);
        (std::mem::take(&mut sky.judge.findings), std::mem::take(&mut sky.judge.counters))
    }
}

impl Watch for Gale {
    fn before(&self, _: &str) {
        let mut sky = self.sky();
        if sky.blows(CHANGES) {
            self.change(&mut sky);
        }
    }

    fn after(&self, call: &str, _: bool) {
        let mut sky = self.sky();
        sky.judge.called(call, &self.world);
        if sky.blows(DEATHS / 3) {
            sky.judge.count("died after a call");
            sky.doomed = true;
        }
    }
}

/// One process's way to the journal that all share.
#[derive(Debug)]
pub(super) struct GaleStore {
    gale: Arc<Gale>,
    stop: StopSignal,
}

impl GaleStore {
    pub(super) fn new(gale: Arc<Gale>, stop: StopSignal) -> Self {
        Self { gale, stop }
    }

    fn gone() -> JournalError {
        let source = std::io::Error::other("the process is gone");
        JournalError::Io { place: "a storm".to_owned(), source }
    }
}

impl Store for GaleStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        let mut sky = self.gale.sky();
        let sky = &mut *sky;
        if let Some(last) = batch.last() {
            sky.now = sky.now.max(last.at);
        }
        if sky.doomed {
            return Err(Self::gone());
        }
        if sky.blows(DEATHS) {
            sky.judge.count("died before an append");
            return Err(Self::gone());
        }
        if sky.blows(DEATHS / 3) {
            sky.judge.count("disk full");
            return Err(JournalError::DiskFull { place: "a storm".to_owned() });
        }
        if sky.blows(RIVALS) {
            // It takes the run over, and dies before it has done anything.
            sky.store.acquire("rival", sky.now, LEASE, Takeover::Force)?;
            sky.judge.count("taken over");
        }
        if sky.blows(COMMANDS) {
            let command = sky.command();
            sky.post(command);
        }
        let head = sky.store.append(batch).inspect_err(|_| sky.judge.count("lease lost"))?;
        sky.judge.appended(batch);
        if sky.blows(DEATHS) {
            sky.judge.count("died after an append");
            return Err(Self::gone());
        }
        if sky.blows(SIGNALS) {
            self.stop.stop();
        }
        Ok(head)
    }

    fn load(&self) -> Result<Vec<StoredRecord>, JournalError> {
        self.gale.sky().store.load()
    }

    fn head(&self) -> Result<Head, JournalError> {
        self.gale.sky().store.head()
    }

    fn acquire(
        &mut self,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
        takeover: Takeover,
    ) -> Result<Fence, JournalError> {
        self.gale.sky().store.acquire(holder, now, ttl, takeover)
    }

    fn renew(
        &mut self,
        fence: Fence,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), JournalError> {
        self.gale.sky().store.renew(fence, now, ttl)
    }

    fn release(&mut self, fence: Fence) -> Result<(), JournalError> {
        self.gale.sky().store.release(fence)
    }

    fn lease(&self) -> Result<Option<Lease>, JournalError> {
        self.gale.sky().store.lease()
    }

    fn check(&self, fence: Fence, now: DateTime<Utc>) -> Result<(), JournalError> {
        let mut sky = self.gale.sky();
        if sky.blows(RIVALS) {
            sky.store.acquire("rival", now, LEASE, Takeover::Force)?;
            sky.judge.count("taken over");
        }
        let checked = sky.store.check(fence, now);
        match &checked {
            Ok(()) => sky.judge.cleared(),
            Err(_) => sky.judge.count("lease lost"),
        }
        checked
    }

    fn post(&mut self, posted: &Posted) -> Result<(), JournalError> {
        self.gale.sky().store.post(posted)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        self.gale.sky().store.posted()
    }

    fn note(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        self.gale.sky().store.note(key, value)
    }

    fn notes(&self) -> Result<Vec<Note>, JournalError> {
        self.gale.sky().store.notes()
    }

    fn place(&self) -> &str {
        "a storm"
    }
}
