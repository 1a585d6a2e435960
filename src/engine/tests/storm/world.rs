//! The world of the storms: things with a life of their own, behind reads that may be stale and answers
//! that may be lost.
//!
//! **Invariant:** it remembers every mutation that took effect, so that nobody does anything twice in
//! silence. What looks and calls answer depends on the weather; what a step is fated to does not.

use super::super::{Act, Look, error};
use super::scene::{Fate, Kind, Scene, chance};
use crate::base::clock::to_delta;
use crate::base::ids::StepKey;
use crate::engine::{ActFailure, Part, Seen, SeenDone, SeenGate};
use crate::journal::event::ErrorKind;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest time that reads are stale after a mutation, or that one takes effect after its answer was lost.
const LONGEST_STALE: u64 = 70;

/// What a step made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    /// When its creation took effect.
    pub(super) made_at: DateTime<Utc>,
    /// From when on reads show it.
    shown_at: DateTime<Utc>,
    pub(super) deleted: Option<Deletion>,
}

/// How a thing went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deletion {
    /// When it took effect.
    at: DateTime<Utc>,
    /// From when on reads show it.
    shown_at: DateTime<Utc>,
    /// Who asked for it.
    by: (StepKey, Part),
}

/// The weather: how much goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Anything may fail.
    Storm,
    /// Nothing does that is not fated to.
    Calm,
}

/// The world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) things: BTreeMap<StepKey, Thing>,
    /// How often each command or notice was carried out.
    pub(super) ran: BTreeMap<StepKey, u32>,
    pub(super) weather: Weather,
    /// What must never happen and did.
    pub(super) violations: Vec<String>,
    random: Rng,
}

/// What becomes of a call.
enum Reception {
    Accepted,
    /// It took effect so many seconds later, and no answer came.
    Lost(u64),
    NeverArrived,
    Refused(ErrorKind),
}

fn in_doubt() -> Act {
    Err(ActFailure::InDoubt(error(ErrorKind::InDoubt)))
}

fn refused(kind: ErrorKind) -> Act {
    Err(ActFailure::Refused(error(kind)))
}

fn later(now: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    now + to_delta(Duration::from_secs(seconds))
}

impl World {
    pub(super) fn new(random: Rng) -> Self {
        Self {
            things: BTreeMap::new(),
            ran: BTreeMap::new(),
            weather: Weather::Storm,
            violations: Vec::new(),
            random,
        }
    }

    fn stormy(&mut self, percent: u32) -> bool {
        self.weather == Weather::Storm && chance(&mut self.random, percent)
    }

    fn reception(&mut self, fate: Fate) -> Reception {
        if fate.refused {
            return Reception::Refused(ErrorKind::Refused);
        }
        if self.weather == Weather::Calm {
            return Reception::Accepted;
        }
        match self.random.u32(..100) {
            0..55 => Reception::Accepted,
            55..68 => Reception::Lost(0),
            68..72 => Reception::Lost(self.random.u64(1..LONGEST_STALE)),
            72..84 => Reception::NeverArrived,
            84..94 => Reception::Refused(ErrorKind::Temporary),
            94..97 => Reception::Refused(ErrorKind::Credentials),
            _ => Reception::Refused(ErrorKind::Refused),
        }
    }

    /// A look at a step's work, or at its undo's.
    pub(super) fn look(
        &mut self,
        scene: &Scene,
        (step, part): (&StepKey, Part),
        now: DateTime<Utc>,
    ) -> Look {
        if self.stormy(8) {
            let kinds = [
                ErrorKind::Temporary,
                ErrorKind::Temporary,
                ErrorKind::Unreachable,
                ErrorKind::Credentials,
                ErrorKind::Refused,
            ];
            return Err(error(kinds[self.random.usize(..kinds.len())]));
        }
        let fate = scene.fates[step];
        match (&scene.kinds[step], part) {
            (Kind::Make, Part::Forward) => Ok(self.makes(step, fate, now)),
            (Kind::Make, Part::Undo) => Ok(self.unmakes(step, fate, now)),
            (Kind::CleanUp(of), _) => Ok(self.unmakes(of, fate, now)),
            (Kind::Check, _) if fate.fails => Ok(Seen::Done(Box::new(SeenDone {
                failed: Some(error(ErrorKind::CheckFailed)),
                ..SeenDone::default()
            }))),
            (Kind::Check, _) => Ok(Seen::Done(Box::default())),
            (Kind::Command | Kind::Notice, _) => Ok(Seen::Absent),
            (Kind::Gate(on_timeout), _) => Ok(Seen::Gate(SeenGate {
                message: "go on?".to_owned(),
                approvers: Vec::new(),
                on_timeout: *on_timeout,
                approvals: 1 + u32::from(fate.takes.as_secs() < 10),
            })),
            (Kind::Timer(after), _) => {
                let until = crate::base::clock::simulated_epoch() + to_delta(*after);
                Ok(if now < until { Seen::Waiting { until } } else { Seen::Done(Box::default()) })
            }
        }
    }

    fn makes(&self, step: &StepKey, fate: Fate, now: DateTime<Utc>) -> Seen {
        match self.things.get(step) {
            None => Seen::Absent,
            Some(thing) if now < thing.shown_at => Seen::Absent,
            Some(thing) if now < thing.made_at + to_delta(fate.takes) => {
                Seen::InProgress { state: "creating".to_owned(), milestone: None }
            }
            Some(_) if fate.fails => Seen::Broken(error(ErrorKind::Broken)),
            Some(_) => Seen::Done(Box::default()),
        }
    }

    /// As the delete actions look: what is not there is deleted.
    fn unmakes(&self, step: &StepKey, fate: Fate, now: DateTime<Utc>) -> Seen {
        let Some(thing) = self.things.get(step) else { return Seen::Done(Box::default()) };
        match &thing.deleted {
            _ if now < thing.shown_at => Seen::Done(Box::default()),
            None => Seen::Absent,
            Some(deletion) if now < deletion.shown_at => Seen::Absent,
            Some(deletion) if now < deletion.at + to_delta(fate.takes) => {
                Seen::InProgress { state: "deleting".to_owned(), milestone: None }
            }
            Some(_) => Seen::Done(Box::default()),
        }
    }

    /// A mutation: what it answers, and for what cannot be looked at what came of it.
    pub(super) fn act(
        &mut self,
        scene: &Scene,
        (step, part): (&StepKey, Part),
        now: DateTime<Utc>,
    ) -> (Act, Option<Box<SeenDone>>) {
        let (kind, fate) = (&scene.kinds[step], scene.fates[step]);
        let of = if let Kind::CleanUp(of) = kind { of } else { step };
        let deleting = part == Part::Undo || of != step;
        if deleting && self.is_gone(of, &(step.clone(), part)) {
            // As AWS answers when another step was faster.
            return (refused(ErrorKind::Temporary), None);
        }
        let fate = Fate { refused: if deleting { fate.stuck } else { fate.refused }, ..fate };
        let (answer, delay) = match self.reception(fate) {
            Reception::Accepted => (Ok(None), Some(0)),
            Reception::Lost(delay) => (in_doubt(), Some(delay)),
            Reception::NeverArrived => (in_doubt(), None),
            Reception::Refused(kind) => (refused(kind), None),
        };
        if let Some(delay) = delay {
            self.takes_effect(kind, step, part, later(now, delay));
        }
        let traceless = matches!(kind, Kind::Command | Kind::Notice);
        let failed = (*kind == Kind::Command && fate.fails).then(|| error(ErrorKind::CheckFailed));
        let done = (traceless && answer.is_ok())
            .then(|| Box::new(SeenDone { failed, ..SeenDone::default() }));
        (answer, done)
    }

    fn takes_effect(&mut self, kind: &Kind, step: &StepKey, part: Part, at: DateTime<Utc>) {
        let stale = if self.stormy(40) { self.random.u64(1..LONGEST_STALE) } else { 0 };
        match (kind, part) {
            (Kind::Make, Part::Forward) => self.create(step, at, later(at, stale)),
            (Kind::Make, Part::Undo) => self.delete(step, (step, part), at, stale),
            (Kind::CleanUp(of), _) => self.delete(of, (step, part), at, stale),
            (Kind::Command | Kind::Notice, _) => *self.ran.entry(step.clone()).or_default() += 1,
            (Kind::Check | Kind::Gate(_) | Kind::Timer(_), _) => {
                self.violations.push(format!("{step} only looks, and acted"));
            }
        }
    }

    fn create(&mut self, step: &StepKey, at: DateTime<Utc>, shown_at: DateTime<Utc>) {
        let thing = Thing { made_at: at, shown_at, deleted: None };
        if self.things.insert(step.clone(), thing).is_some() {
            self.violations.push(format!("what {step} makes was made twice"));
        }
    }

    /// Whether somebody else than `by` had it deleted.
    fn is_gone(&self, step: &StepKey, by: &(StepKey, Part)) -> bool {
        let deletion = self.things.get(step).and_then(|thing| thing.deleted.as_ref());
        deletion.is_some_and(|deletion| deletion.by != *by)
    }

    fn delete(&mut self, step: &StepKey, by: (&StepKey, Part), at: DateTime<Utc>, stale: u64) {
        let by = (by.0.clone(), by.1);
        match self.things.get_mut(step) {
            None => self.violations.push(format!("what {step} never made was deleted")),
            Some(Thing { deleted: Some(_), .. }) => {
                self.violations.push(format!("{} had what {step} made deleted twice", by.0));
            }
            Some(thing) => {
                thing.deleted = Some(Deletion { at, shown_at: later(at, stale), by });
            }
        }
    }
}
