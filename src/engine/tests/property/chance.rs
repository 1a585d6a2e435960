//! A world that decides by chance and remembers what it was asked for.

use super::*;
use crate::engine::SeenGate;
use crate::journal::fold::Consequence;

/// Longest time for which a mutation's effect stays unseen; shorter than what the machine allows for.
const STALE: Duration = Duration::from_secs(120);

/// What the world holds for one step.
#[derive(Debug, Clone, Default)]
pub(super) struct Thing {
    /// When it was made, if it is there.
    pub(super) made: Option<DateTime<Utc>>,
    /// When its removal was asked for.
    pub(super) removed: Option<DateTime<Utc>>,
    /// Looks until it is usable.
    pub(super) looks: u32,
    /// How often it was made.
    pub(super) makes: u32,
    pub(super) broken: bool,
}

/// A world that decides by chance and remembers.
#[derive(Clone)]
pub(super) struct Chance {
    pub(super) random: fastrand::Rng,
    pub(super) things: BTreeMap<StepKey, Thing>,
    /// Whether anything goes wrong.
    pub(super) kind: bool,
    pub(super) violations: Vec<String>,
}

impl Chance {
    fn one_in(&mut self, number: u32) -> bool {
        !self.kind && self.random.u32(0..number) == 0
    }

    fn observe(&mut self, step: &PlannedStep, part: Part, now: DateTime<Utc>) -> Look {
        if self.one_in(12) {
            return Err(error(ErrorKind::Temporary));
        }
        if step.gate.is_some() {
            let (message, approvers) = ("go?".to_owned(), Vec::new());
            let on_timeout = if step.poll_ms.is_multiple_of(2) {
                Consequence::Fail
            } else {
                Consequence::Reject
            };
            let approvals = 1 + step.retry.attempts % 2;
            return Ok(Seen::Gate(SeenGate { message, approvers, approvals, on_timeout }));
        }
        if step.check {
            let failed = self.one_in(6).then(|| error(ErrorKind::CheckFailed));
            return Ok(Seen::Done(Box::new(SeenDone { failed, ..SeenDone::default() })));
        }
        let stale = Duration::from_secs(self.random.u64(0..STALE.as_secs()));
        let bad = self.one_in(10);
        let thing = self.things.entry(step.key.clone()).or_default();
        let seen = thing.made.filter(|made| now - *made >= crate::base::clock::to_delta(stale));
        match (part, seen, thing.removed) {
            (Part::Forward, None, _) => Ok(Seen::Absent),
            (Part::Forward, Some(_), _) if thing.broken || bad => {
                thing.broken = true;
                broken()
            }
            (Part::Forward, Some(_), _) if thing.looks > 0 => {
                thing.looks -= 1;
                progress("creating")
            }
            (Part::Forward, Some(_), _) => done(),
            (Part::Undo, None, _) => done(),
            (Part::Undo, Some(_), None) if bad => broken(),
            (Part::Undo, Some(_), None) => Ok(Seen::Absent),
            (Part::Undo, Some(_), Some(asked)) if (now - asked).num_seconds() < 30 => {
                progress("deleting")
            }
            (Part::Undo, Some(_), Some(_)) => {
                (thing.made, thing.removed) = (None, None);
                done()
            }
        }
    }

    /// Acts; the answer may be lost although it took effect.
    fn act(&mut self, step: &PlannedStep, part: Part, now: DateTime<Utc>) -> Act {
        if self.one_in(8) {
            let kind = if self.one_in(2) { ErrorKind::Temporary } else { ErrorKind::Refused };
            return Err(ActFailure::Refused(error(kind)));
        }
        let (lost, without) = (self.one_in(6), self.one_in(2));
        if !(lost && without) {
            self.take_effect(step, part, now);
        }
        if lost { Err(ActFailure::InDoubt(error(ErrorKind::InDoubt))) } else { Ok(None) }
    }

    fn take_effect(&mut self, step: &PlannedStep, part: Part, now: DateTime<Utc>) {
        let looks = self.random.u32(0..4);
        let thing = self.things.entry(step.key.clone()).or_default();
        if part == Part::Undo {
            thing.removed = thing.made.and(Some(now));
            return;
        }
        if thing.made.is_some() {
            self.violations.push(format!("{} was made a second time", step.key));
        }
        thing.makes += 1;
        (thing.made, thing.removed, thing.looks) = (Some(now), None, looks);
    }

    pub(super) fn answer(
        &mut self,
        machine: &Machine,
        effect: Effect,
        now: DateTime<Utc>,
    ) -> Flying {
        let (at, input) = match effect {
            Effect::Begin { step, .. } => {
                let intent = ("make".to_owned(), step.to_string());
                (now, Input::Begun { step, begun: Begun::Run { inputs: json!({}), intent } })
            }
            Effect::Observe { step, part, delay } => {
                let at = now + delay + Duration::from_millis(self.random.u64(0..900));
                let seen = self.observe(machine.step(&step), part, at);
                (at, Input::Observed { step, seen })
            }
            Effect::Act { step, part } => {
                let at = now + Duration::from_millis(self.random.u64(10..3_000));
                let result = self.act(machine.step(&step), part, now);
                (at, Input::Acted { step, result, done: None })
            }
            Effect::Weigh { step } => (now, Input::Weighed { step, figures: Vec::new() }),
            Effect::Ask { step, .. } => (now, Input::NobodyAnswered { step }),
            Effect::Await { step, until } => {
                (until.unwrap_or(now + NEVER), Input::NobodyAnswered { step })
            }
            Effect::Forget { .. } | Effect::Halt => unreachable!("the loop performs these"),
        };
        Flying { at, input }
    }
}

#[derive(Clone)]
pub(super) struct Flying {
    pub(super) at: DateTime<Utc>,
    pub(super) input: Input,
}
