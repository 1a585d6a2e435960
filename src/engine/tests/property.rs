//! Random plans in random worlds, with random commands at random instants and crashes anywhere.
//!
//! **Invariant:** the world keeps its own account of what was made, so that the machine is not judged by
//! what it believes; the same seed gives the same run.

use super::*;
use crate::base::seed::Seed;
use crate::journal::{Command, Posted};
use crate::plan::model::GateKind;
use std::collections::BTreeSet;

mod chance;
mod judge;
mod people;

use chance::{Chance, Flying};
use judge::judge;
use people::{answer_everything, command};

/// Seeds of one test run. A longer campaign sets `DRCTL_SEEDS`.
const SEEDS: u64 = 1_500;

/// A plan of a few steps: mutations, checks, gates, clean-up.
fn random_plan(random: &mut fastrand::Rng) -> Plan {
    let count = random.usize(2..9);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut steps: Vec<PlannedStep> = Vec::new();
    for place in 0..count {
        let needs: Vec<&str> =
            names[..place].iter().filter(|_| random.u32(0..3) == 0).copied().collect();
        let mut step = match random.u32(0..6) {
            0 => check(names[place], &needs),
            1 => PlannedStep { gate: Some(GateKind::Person), ..check(names[place], &needs) },
            _ => mutation(names[place], &needs),
        };
        let policies = [OnFailure::Stop, OnFailure::Continue, OnFailure::Undo, OnFailure::Ask];
        step.on_failure = policies[random.usize(0..4)];
        step.retry.attempts = random.u32(1..4);
        step.poll_ms = random.u64(5_000..20_000);
        if step.undo.is_some() && random.u32(0..5) == 0 {
            (step.undo, step.irreversible) = (None, random.bool());
        }
        if place + 1 == count || random.u32(0..8) == 0 {
            // Clean-up in these worlds only looks: what it removes is not the question here.
            step = PlannedStep { always: true, ..check(names[place], &needs) };
        }
        steps.push(step);
    }
    let mut plan = plan(steps);
    (plan.environment.protected, plan.environment.simulated) = (random.bool(), true);
    plan
}

/// A whole life of a run: processes that crash, people who command, until it ends.
#[derive(Clone)]
struct Life {
    plan: Plan,
    world: Chance,
    random: fastrand::Rng,
    records: Vec<Record>,
    posted: Vec<Posted>,
    now: DateTime<Utc>,
    turns: u32,
    /// How many turns the storm lasts.
    storm: u32,
    /// Copies of this life after each of its appends, if they are kept.
    kept: Option<Vec<Life>>,
}

/// After so many turns nobody commands or crashes any more, and people answer: the run has to end.
const STORM: u32 = 120;

/// More turns than any of these runs needs.
const MOST: u32 = 6_000;

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Seed::new(seed).stream("life");
        let plan = random_plan(&mut random);
        let world = Chance {
            random: Seed::new(seed).stream("world"),
            things: BTreeMap::new(),
            kind: seed.is_multiple_of(5),
            violations: Vec::new(),
        };
        let now = simulated_epoch();
        Self {
            plan,
            world,
            random,
            records: Vec::new(),
            posted: Vec::new(),
            now,
            turns: 0,
            storm: STORM,
            kept: None,
        }
    }

    fn start(&self, attempt: u64) -> (Machine, Turn) {
        if self.records.is_empty() {
            return begin(&self.plan);
        }
        let state = RunState::fold(&self.records).expect("every prefix folds");
        let start = Start { operator: format!("process {attempt}"), fence: attempt };
        Machine::resume(self.plan.clone(), state, start, self.now)
    }

    /// Lives until the run ends.
    fn live(&mut self) -> RunState {
        for attempt in 1..200 {
            let (mut machine, turn) = self.start(attempt);
            machine.wait_for_people();
            if let Some(state) = self.attempt(machine, turn) {
                return state;
            }
            self.now += Duration::from_secs(self.random.u64(0..200));
        }
        panic!("too many attempts");
    }

    /// One process; `None` when it died or stopped before the run's end.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other effect is the world's to answer"
    )]
    fn attempt(&mut self, mut machine: Machine, mut turn: Turn) -> Option<RunState> {
        let mut flying: Vec<Flying> = Vec::new();
        let mut handed = BTreeSet::new();
        loop {
            self.turns += 1;
            assert!(self.turns < MOST, "the run does not end: {:?}", machine.state());
            let storm = self.turns < self.storm;
            if storm && self.random.u32(0..25) == 0 {
                // Died before the append: nothing of this turn was performed.
                return None;
            }
            self.records.append(&mut turn.records);
            if self.kept.is_some() {
                let copy = Life { kept: None, ..self.clone() };
                self.kept.iter_mut().for_each(|kept| kept.push(copy.clone()));
            }
            for effect in std::mem::take(&mut turn.effects) {
                match effect {
                    Effect::Halt => {
                        return machine.state().finished.is_some().then(|| machine.state().clone());
                    }
                    Effect::Forget { step } => flying.retain(|it| about(&it.input) != Some(&step)),
                    effect => flying.push(self.world.answer(&machine, effect, self.now)),
                }
            }
            if storm && self.random.u32(0..40) == 0 {
                // Died after the append, with mutations that took their effect.
                return None;
            }
            if storm && self.random.u32(0..6) == 0 {
                let command = command(&mut self.random, &self.plan, machine.state(), self.now);
                self.posted.push(command);
            }
            if !storm {
                self.posted.extend(answer_everything(&mut self.random, machine.state(), self.now));
            }
            let input = self.next_input(&machine, &mut flying, &mut handed);
            turn = machine.handle(input, self.now);
        }
    }

    fn next_input(
        &mut self,
        machine: &Machine,
        flying: &mut Vec<Flying>,
        handed: &mut BTreeSet<String>,
    ) -> Input {
        let known = |one: &&Posted| machine.state().has_used(&one.id) || handed.contains(&one.id);
        if let Some(posted) = self.posted.iter().find(|one| !known(one)).cloned() {
            // Now and then the same command is handed over again.
            if self.random.u32(0..4) > 0 {
                handed.insert(posted.id.clone());
            }
            return Input::Command(posted);
        }
        if self.turns < self.storm && self.random.u32(0..60) == 0 {
            return Input::Interrupt { reason: "signal".to_owned() };
        }
        flying.sort_by_key(|it| it.at);
        if flying.is_empty() {
            assert!(machine.awaits_people(), "nothing in flight: {:?}", machine.state());
            self.now += Duration::from_secs(1);
            let again = self.posted.first().cloned();
            let nothing = || command(&mut self.random, &self.plan, machine.state(), self.now);
            return Input::Command(again.unwrap_or_else(nothing));
        }
        let Flying { at, input } = flying.remove(0);
        self.now = self.now.max(at.min(self.now + NEVER / 4));
        input
    }
}

/// The run for people who look for what went wrong.
fn told(life: &Life) -> String {
    let step = |step: &PlannedStep| {
        let (needs, policy) = (&step.needs, step.on_failure);
        let kind = (step.check, step.always, step.gate.is_some(), step.undo.is_some());
        format!("{} needs {needs:?} {policy:?} check, always, gate, undo: {kind:?}\n", step.key)
    };
    let event = |record: &Record| {
        let seconds = record.run_ms / 1_000;
        let json = serde_json::to_string(&record.event).expect("plain data");
        format!("{} {seconds} s: {}\n", record.seq, &json[..json.len().min(200)])
    };
    let plan: String = life.plan.steps.iter().map(step).collect();
    plan + &life.records.iter().map(event).collect::<String>()
}

#[test]
fn no_command_and_no_crash_makes_the_machine_break_its_word() {
    let seeds = std::env::var("DRCTL_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(SEEDS);
    let mut counts = BTreeMap::<&'static str, u32>::new();
    for seed in 0..seeds {
        let mut life = Life::new(seed);
        let state = life.live();
        let mut found = judge(&life.plan, &life.records, &state);
        found.append(&mut life.world.violations);
        assert!(found.is_empty(), "seed {seed}: {found:#?}\n{}", told(&life));
        for record in &life.records {
            *counts.entry(record.event.kind()).or_default() += 1;
        }
    }
    // What never happened was not tried.
    for kind in [
        "act_in_doubt",
        "undo_failed",
        "approval_given",
        "approval_withdrawn",
        "run_paused",
        "run_continued",
        "abort_requested",
        "command_refused",
        "question_closed",
        "question_expired",
        "run_interrupted",
    ] {
        assert!(counts.get(kind).copied().unwrap_or_default() >= 5, "{kind}: {counts:?}");
    }
}

#[test]
fn a_run_that_is_taken_up_after_any_turn_ends_the_same() {
    let mut tried = 0;
    // Every fifth world is a kind one: nothing fails there, so that there is one end.
    for seed in (0..60).map(|number| number * 5) {
        let mut life = Life::new(seed);
        (life.storm, life.kept) = (0, Some(Vec::new()));
        let ends = |state: &RunState| -> Vec<(StepKey, StepStatus)> {
            state.steps.iter().map(|(key, step)| (key.clone(), step.status)).collect()
        };
        let whole = life.live();
        if whole.steps.values().any(|step| step.answer.is_some()) {
            // What people decide here is left to chance.
            continue;
        }
        for mut copy in life.kept.take().expect("kept").into_iter().step_by(3) {
            if copy.records.last().is_some_and(|it| it.event.kind() == "run_finished") {
                continue;
            }
            let state = copy.live();
            assert_eq!(ends(&state), ends(&whole), "seed {seed}\n{}", told(&copy));
            assert_eq!(copy.world.violations, Vec::<String>::new(), "seed {seed}");
            tried += 1;
        }
    }
    assert!(tried > 100, "only {tried}");
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    for seed in 0..20 {
        let records = || {
            let mut life = Life::new(seed);
            life.live();
            serde_json::to_string(&life.records).expect("plain data")
        };
        assert_eq!(records(), records(), "seed {seed}");
    }
}
