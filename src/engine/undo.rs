//! What undoing takes back, in which order, and what stays.
//!
//! **Invariant:** one function answers for machine and previews; nothing is undone before everything
//! that was built on it, and never what a step stands on that was done and cannot be undone.

use crate::base::ids::StepKey;
use crate::journal::fold::{RunState, StepState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Role, Trace};
use std::collections::{BTreeMap, BTreeSet};

/// What undoing does from here on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UndoPlan {
    /// Steps that are undone. Those of one wave have nothing to do with each other and are undone at the
    /// same time, newest first in the list; a wave follows when what depends on it is undone.
    pub undo: Vec<Vec<StepKey>>,
    /// Steps that cannot be undone and were done, or may have been.
    pub irreversible: Vec<StepKey>,
    /// Steps whose effect stays: there is no undo for them, their undo failed, or something that depends
    /// on them could not be undone.
    pub left: Vec<StepKey>,
    /// Of `left`: what could be undone, and the step for which it stays: one that stands on it, or the
    /// promotion that it serves.
    pub kept_by: BTreeMap<StepKey, StepKey>,
    /// `always` steps that have not ended: they run whatever happens.
    pub always: Vec<StepKey>,
}

impl UndoPlan {
    /// Everything that is undone, in the order in which that begins at the earliest.
    pub fn steps(&self) -> impl Iterator<Item = &StepKey> {
        self.undo.iter().flatten()
    }
}

/// What undoing the run would do now, or does from here on.
pub fn undo_plan(plan: &Plan, state: &RunState) -> UndoPlan {
    undo_plan_within(plan, state, &[String::new()])
}

/// The same of undoing the steps of some calls only; the empty one is the whole run.
pub(super) fn undo_plan_within(plan: &Plan, state: &RunState, frames: &[String]) -> UndoPlan {
    let mut found = UndoPlan::default();
    // By step: how many waves come before it, and what depends on it and cannot be undone.
    let mut places: BTreeMap<&StepKey, (usize, Option<&StepKey>)> = BTreeMap::new();
    let served = what_serves_a_promotion(plan, state);
    // Backwards, so that everything that depends on a step was met before it.
    for step in plan.steps.iter().rev() {
        let stands = &state.steps[&step.key];
        if step.always {
            if !stands.status.is_over() {
                found.always.push(step.key.clone());
            }
            continue;
        }
        let (wave, blocked) = places.remove(&step.key).unwrap_or_default();
        let meant = frames.iter().any(|frame| step.key.is_within(frame));
        let wanted = meant && may_be_undone(step, stands);
        let promotion = served.get(&step.key).copied().filter(|_| wanted);
        let blocked = promotion.or(blocked);
        let undone = wanted && blocked.is_none();
        if undone {
            if found.undo.len() <= wave {
                found.undo.resize_with(wave + 1, Vec::new);
            }
            found.undo[wave].push(step.key.clone());
        } else if step.irreversible && has_effect(step, stands) {
            found.irreversible.push(step.key.clone());
        } else if wanted || stays(step, stands) {
            found.left.push(step.key.clone());
            if let Some(above) = blocked.filter(|_| wanted) {
                found.kept_by.insert(step.key.clone(), above.clone());
            }
        }
        let keeps = !undone && (keeps_its_ground(step, stands) || promotion.is_some());
        let below = (wave + usize::from(undone), keeps.then_some(&step.key).or(blocked));
        for need in &step.needs {
            let place = places.entry(need).or_default();
            *place = (place.0.max(below.0), place.1.or(below.1));
        }
    }
    found.undo.iter_mut().for_each(|wave| newest_first(wave, state));
    found.irreversible.reverse();
    found.left.reverse();
    found.always.reverse();
    found
}

/// Steps that were built on a promotion that was done for good, each with it: what gives the new writer its
/// users. Taken back alone it would leave no service anywhere, for the old writer stays fenced.
fn what_serves_a_promotion<'a>(
    plan: &'a Plan,
    state: &RunState,
) -> BTreeMap<&'a StepKey, &'a StepKey> {
    let mut served: BTreeMap<&StepKey, &StepKey> = BTreeMap::new();
    let promoted = |step: &&PlannedStep| {
        let done = step.role == Role::Promotion && step.undo.is_none();
        done && state.steps[&step.key].status.is_success()
    };
    let promotions: BTreeSet<&StepKey> =
        plan.steps.iter().filter(promoted).map(|step| &step.key).collect();
    if promotions.is_empty() {
        return served;
    }
    // Forwards: a step stands after what it needs.
    for step in &plan.steps {
        let from = |need: &'a StepKey| {
            served.get(need).copied().or_else(|| promotions.contains(need).then_some(need))
        };
        if let Some(promotion) = step.needs.iter().find_map(from) {
            served.insert(&step.key, promotion);
        }
    }
    served
}

/// The plan's order is turned round already; what began later comes earlier.
fn newest_first(wave: &mut [StepKey], state: &RunState) {
    wave.sort_by_key(|key| std::cmp::Reverse(state.steps[key].started_at));
}

/// Whether there is an undo, and something for it.
fn may_be_undone(step: &PlannedStep, stands: &StepState) -> bool {
    let something = match stands.status {
        StepStatus::Succeeded | StepStatus::Warned | StepStatus::Undoing => true,
        // What was asked for may be there, whatever became of the step.
        StepStatus::Running | StepStatus::Failed | StepStatus::Skipped => stands.may_have_made,
        StepStatus::Pending | StepStatus::Undone | StepStatus::UndoFailed => false,
    };
    something && step.undo.is_some()
}

/// Whether the step did something that can be told apart from nothing.
fn has_effect(step: &PlannedStep, stands: &StepState) -> bool {
    let acts = !step.check && step.trace != Trace::BestEffort;
    acts && stands.status != StepStatus::Undone
        && (stands.may_have_made || stands.status.is_success())
}

/// Whether what the step needs has to stay for it: its undo failed, or it was done for good. One that
/// failed did not come to stand on anything, as far as anybody knows.
fn keeps_its_ground(step: &PlannedStep, stands: &StepState) -> bool {
    let for_good = step.irreversible && stands.status.is_success() && has_effect(step, stands);
    for_good || stands.status == StepStatus::UndoFailed
}

fn stays(step: &PlannedStep, stands: &StepState) -> bool {
    stands.status == StepStatus::UndoFailed || has_effect(step, stands)
}
