//! Random runbooks for the storms: a plan, and what the world has in store for each of its steps.
//!
//! **Invariant:** a scene is a function of its random numbers alone.

use super::super::{check, mutation, plan};
use crate::base::ids::StepKey;
use crate::journal::fold::Consequence;
use crate::plan::model::{GateKind, OnFailure, Plan, PlannedStep, Retry, Trace};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Makes a thing that can be looked at.
    Make,
    /// Looks.
    Check,
    /// Does something of which nothing can be looked at.
    Command,
    /// Tells somebody.
    Notice,
    /// Waits for a person.
    Gate(Consequence),
    /// Waits for an instant.
    Timer(Duration),
    /// Deletes what the step made.
    CleanUp(StepKey),
}

/// How a step's condition and inputs turn out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    Runs,
    ConditionIsFalse,
    InputIsMissing,
}

/// What the world has in store for a step, whatever the weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) beginning: Beginning,
    /// What it makes comes up broken, or its verdict is no.
    pub(super) fails: bool,
    /// AWS refuses it for good.
    pub(super) refused: bool,
    /// What it made cannot be deleted.
    pub(super) stuck: bool,
    /// How long its work takes.
    pub(super) takes: Duration,
}

/// A runbook and its fates.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) plan: Plan,
    pub(super) kinds: BTreeMap<StepKey, Kind>,
    pub(super) fates: BTreeMap<StepKey, Fate>,
}

/// Whether something of a chance of `percent` happens.
pub(super) fn chance(random: &mut Rng, percent: u32) -> bool {
    random.u32(..100) < percent
}

/// One of `items`.
pub(super) fn pick<'a, T>(random: &mut Rng, items: &'a [T]) -> &'a T {
    &items[random.usize(..items.len())]
}

impl Scene {
    pub(super) fn random(random: &mut Rng) -> Self {
        let (mut steps, mut kinds, mut fates) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for number in 0..random.usize(1..=7) {
            let key = format!("s{number}");
            let kind = kind(random);
            let mut step = step(random, &key, &kind, &steps);
            step.on_failure = *pick(
                random,
                &[OnFailure::Stop, OnFailure::Continue, OnFailure::Undo, OnFailure::Ask],
            );
            kinds.insert(step.key.clone(), kind);
            steps.push(step);
        }
        for maker in steps.clone() {
            if kinds[&maker.key] == Kind::Make && chance(random, 60) {
                let step = clean_up(random, &maker.key, &steps);
                kinds.insert(step.key.clone(), Kind::CleanUp(maker.key));
                steps.push(step);
            }
        }
        for step in &steps {
            fates.insert(step.key.clone(), fate(random));
        }
        Self { plan: plan(steps), kinds, fates }
    }

    /// The step that deletes what `maker` made, if there is one.
    pub(super) fn cleaner(&self, maker: &StepKey) -> Option<&StepKey> {
        let cleans = |kind: &Kind| matches!(kind, Kind::CleanUp(of) if of == maker);
        self.kinds.iter().find(|(_, kind)| cleans(kind)).map(|(key, _)| key)
    }
}

fn kind(random: &mut Rng) -> Kind {
    match random.u32(..100) {
        0..45 => Kind::Make,
        45..65 => Kind::Check,
        65..75 => Kind::Command,
        75..82 => Kind::Notice,
        82..94 => Kind::Gate(*pick(random, &[Consequence::Fail, Consequence::Reject])),
        _ => Kind::Timer(Duration::from_secs(random.u64(1..1_200))),
    }
}

fn step(random: &mut Rng, key: &str, kind: &Kind, before: &[PlannedStep]) -> PlannedStep {
    let mut needs: Vec<&str> = Vec::new();
    for other in before {
        if needs.len() < 3 && chance(random, 40) {
            needs.push(other.key.as_str());
        }
    }
    let timeout_ms = *pick(random, &[30_000, 300_000, 1_800_000, 10_800_000]);
    let retry = Retry { attempts: random.u32(1..=4), backoff_ms: 1_000 };
    let poll_ms = *pick(random, &[5_000, 15_000]);
    let base = match kind {
        Kind::Make => mutation(key, &needs),
        Kind::Check => check(key, &needs),
        Kind::Command | Kind::Notice => {
            let trace = if *kind == Kind::Command { Trace::Answered } else { Trace::BestEffort };
            let idempotent = *kind == Kind::Command && chance(random, 30);
            PlannedStep { trace, idempotent, undo: None, ..mutation(key, &needs) }
        }
        Kind::Gate(_) => PlannedStep { gate: Some(GateKind::Person), ..check(key, &needs) },
        Kind::Timer(_) => PlannedStep { gate: Some(GateKind::Time), ..check(key, &needs) },
        Kind::CleanUp(_) => unreachable!("clean-up is made by itself"),
    };
    let undo = base.undo.clone().filter(|_| chance(random, 75));
    let irreversible = undo.is_none() && !base.check;
    PlannedStep { timeout_ms, poll_ms, retry, undo, irreversible, ..base }
}

fn clean_up(random: &mut Rng, maker: &StepKey, all: &[PlannedStep]) -> PlannedStep {
    let mut needs: Vec<&str> = vec![maker.as_str()];
    for other in all {
        if other.key != *maker && chance(random, 40) {
            needs.push(other.key.as_str());
        }
    }
    let key = format!("clean_{maker}");
    let timeout_ms = *pick(random, &[600_000, 3_600_000]);
    PlannedStep { always: true, undo: None, timeout_ms, ..mutation(&key, &needs) }
}

fn fate(random: &mut Rng) -> Fate {
    let beginning = match random.u32(..100) {
        0..92 => Beginning::Runs,
        92..97 => Beginning::ConditionIsFalse,
        _ => Beginning::InputIsMissing,
    };
    let takes = Duration::from_secs(*pick(random, &[0, 3, 40, 200, 900]));
    Fate {
        beginning,
        fails: chance(random, 12),
        refused: chance(random, 6),
        stuck: chance(random, 5),
        takes,
    }
}
