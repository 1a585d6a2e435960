//! What is at stake at a gate before steps that cannot be taken back: whether the old writer is fenced, what
//! can be undone and how long that takes, what an abort would leave.
//!
//! **Invariant:** from plan and journal alone, by the functions by which the machine decides. Nothing is
//! proof of a fence but a fence that succeeded, or a person who attested it.

use super::form::left_out_by_form;
use super::machine::{Live, Machine};
use super::outlook::names;
use super::undo::{UndoPlan, undo_plan};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::base::ids::StepKey;
use crate::journal::event::Event;
use crate::journal::figure::{FENCE_LOST, FENCING, FigureRecord, are_alike};
use crate::journal::fold::{RunState, StepState};
use crate::plan::model::{Estimate, Plan, PlannedStep, Role};
use chrono::SubsecRound as _;
use std::collections::BTreeSet;
use std::time::Duration;

impl Machine {
    /// Figures of the steps behind the gate were read. They are kept for whoever approves; what would change
    /// a decision becomes a record.
    pub(super) fn weighed(&mut self, step: &StepKey, mut figures: Vec<FigureRecord>) {
        figures.extend(stakes(&self.plan, &self.state, step, &figures));
        self.weighed.insert(step.clone(), figures.clone());
        let waited = self.live.get(step) == Some(&Live::Weighing);
        if waited {
            self.landed(step, Live::Weighing);
            if let Some(gate) = self.weighing.remove(step) {
                self.record_gate(step, gate);
            }
        }
        let Some(question) = &self.state.steps[step].question else { return };
        if question.gate.is_some() && !are_alike(&question.figures, &figures) {
            self.emit(Event::FiguresShown { step: step.clone(), figures });
        }
        if waited {
            self.show_question(step);
        }
    }

    /// The figures that stand beside an approval of the gate now.
    pub(super) fn figures(&self, step: &StepKey) -> Vec<FigureRecord> {
        let read = self.weighed.get(step).cloned();
        let shown = || self.state.steps[step].question.as_ref().map(|it| it.figures.clone());
        read.or_else(shown).unwrap_or_default()
    }
}

/// What plan and journal say of the gate `key` beside what was `read` now; empty when it is before nothing.
fn stakes(
    plan: &Plan,
    state: &RunState,
    key: &StepKey,
    read: &[FigureRecord],
) -> Vec<FigureRecord> {
    let Some(gate) = plan.steps.iter().find(|step| step.key == *key) else { return Vec::new() };
    if gate.before.is_empty() {
        return Vec::new();
    }
    let mut figures: Vec<FigureRecord> =
        fencing(plan, state, gate, read).map(Fencing::figure).into_iter().collect();
    let found = undo_plan(plan, state);
    figures.push(FigureRecord::known("undo", undo_text(plan, &found)));
    let stays: Vec<&StepKey> = found.irreversible.iter().chain(&found.left).collect();
    let clean = names(found.always.iter());
    let stay = names(stays.iter().copied());
    let abort =
        format!("`drctl abort` takes that back and leaves {stay}; clean-up that runs: {clean}");
    figures.push(FigureRecord::known("abort", abort));
    figures
}

/// What proves that the old writer is fenced, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fencing {
    /// Fences that succeeded and what they saw, attestations and who gave them.
    pub proofs: Vec<String>,
    /// Fences that should be there and are not.
    pub open: Vec<String>,
}

impl Fencing {
    /// Whether the old writer is known not to write.
    pub(super) fn is_proven(&self) -> bool {
        !self.proofs.is_empty() && self.open.is_empty()
    }

    fn figure(self) -> FigureRecord {
        let open = self.open.join("; ");
        match (self.is_proven(), self.proofs.is_empty(), open.is_empty()) {
            (true, ..) => FigureRecord::known(FENCING, self.proofs.join("; ")),
            (false, true, true) => {
                let text = "TWO WRITERS POSSIBLE: no step before it fences the old writer";
                FigureRecord::unknown(FENCING, text.to_owned())
            }
            (false, true, false) => {
                FigureRecord::unknown(FENCING, format!("TWO WRITERS POSSIBLE: {open}"))
            }
            (false, false, _) => {
                let proofs = self.proofs.join("; ");
                let text = format!("TWO WRITERS POSSIBLE: {open} (done: {proofs})");
                FigureRecord::unknown(FENCING, text)
            }
        }
    }
}

/// What is known of fences before the promotions behind `gate`, with what was `read` of them now; `None` when
/// none of its steps makes another writer.
pub(super) fn fencing(
    plan: &Plan,
    state: &RunState,
    gate: &PlannedStep,
    read: &[FigureRecord],
) -> Option<Fencing> {
    let upstream = before_promotion(plan, gate)?;
    let mut found = Fencing::default();
    let (mut attested, mut stand) = (false, Vec::new());
    for step in upstream {
        let Some(stands) = state.steps.get(&step.key) else { continue };
        if step.attests && stands.status.is_success() {
            attested = true;
            let who = stands.answered_by.as_deref().unwrap_or("somebody");
            found.proofs.push(format!("{}: attested by {who}", step.key));
        } else if step.role == Role::Fence && stands.status.is_success() {
            stand.push((&step.key, stands));
        } else if step.role == Role::Fence && !left_out_by_form(plan, state, step) {
            found.open.push(format!("fence {} is {}", step.key, stands.status.name()));
        }
    }
    if attested {
        // A person says that the old writer is fenced, whatever became of the steps that should do it.
        found.open.clear();
    }
    // What was seen since is stronger than whatever was said or seen before.
    let lost = |key: &StepKey| {
        let is = |it: &&FigureRecord| it.name == FENCE_LOST && it.step.as_ref() == Some(key);
        read.iter().find(is)
    };
    for (key, _) in &stand {
        let gone = lost(key).map(|it| format!("fence {key} is lost: {}", it.text));
        found.open.extend(gone);
    }
    stand.retain(|(key, _)| lost(key).is_none());
    found.proofs.extend(proofs(&stand));
    Some(found)
}

/// The fences that a promotion behind `gate` stands on and that have succeeded, in the plan's order.
pub fn fences_to_see<'a>(
    plan: &'a Plan,
    state: &RunState,
    gate: &PlannedStep,
) -> Vec<&'a PlannedStep> {
    let succeeded = |step: &&PlannedStep| {
        step.role == Role::Fence
            && state.steps.get(&step.key).is_some_and(|stands| stands.status.is_success())
    };
    before_promotion(plan, gate).unwrap_or_default().into_iter().filter(succeeded).collect()
}

/// Everything that the promotions behind `gate` wait for; `None` without a promotion.
fn before_promotion<'a>(plan: &'a Plan, gate: &PlannedStep) -> Option<Vec<&'a PlannedStep>> {
    let promotes =
        |step: &&PlannedStep| step.role == Role::Promotion && gate.before.contains(&step.key);
    let promotions: Vec<&StepKey> = plan.steps.iter().filter(promotes).map(|it| &it.key).collect();
    if promotions.is_empty() {
        return None;
    }
    let upstream = upstream(plan, promotions);
    Some(plan.steps.iter().filter(|step| upstream.contains(&step.key)).collect())
}

/// What proves fences that hold, in one line: of a single one its own words, of several their names and
/// since when all of them stand; the words of each are in the report.
fn proofs(stand: &[(&StepKey, &StepState)]) -> Option<String> {
    if let [(key, stands)] = stand {
        return Some(format!("{key}: {}", proof(stands)));
    }
    let last = stand.iter().filter_map(|(_, it)| it.finished_at).max()?;
    let keys = names(stand.iter().map(|(key, _)| *key));
    Some(format!("proven since {}: {keys}", format_instant(last.trunc_subsecs(0))))
}

fn proof(stands: &StepState) -> String {
    match stands.outputs.get("proof").and_then(serde_json::Value::as_str) {
        Some(text) => text.to_owned(),
        None => "done, and it says no more".to_owned(),
    }
}

/// Everything that these steps wait for, directly or through others.
fn upstream<'a>(plan: &'a Plan, of: Vec<&'a StepKey>) -> BTreeSet<&'a StepKey> {
    let mut reached: BTreeSet<&StepKey> = of.into_iter().collect();
    // Backwards, so that everything that needs a step was met before it.
    for step in plan.steps.iter().rev() {
        if reached.contains(&step.key) {
            reached.extend(&step.needs);
        }
    }
    reached
}

/// What is undone if it comes to that, and about how long it takes.
fn undo_text(plan: &Plan, found: &UndoPlan) -> String {
    let steps: Vec<&StepKey> = found.steps().collect();
    if steps.is_empty() {
        return "nothing was done that can be undone".to_owned();
    }
    let (mut low, mut high, mut unknown) = (0, 0, Vec::new());
    for wave in &found.undo {
        // Those of one wave are undone at the same time.
        let (mut least, mut most) = (0, 0);
        for key in wave {
            let planned = plan.steps.iter().find(|step| step.key == *key);
            match planned.and_then(|step| step.undo_takes.as_ref()).and_then(bounds) {
                Some((from, to)) => (least, most) = (least.max(from), most.max(to)),
                None => unknown.push(key),
            }
        }
        (low, high) = (low + least, high + most);
    }
    let time = |millis: u64| human(Duration::from_millis(millis));
    let takes = match (high, unknown.len()) {
        (0, _) => "how long that takes is not known".to_owned(),
        (_, 0) => format!("which takes {} to {}", time(low), time(high)),
        _ => format!(
            "which takes {} to {}, and longer by what is not known of {}",
            time(low),
            time(high),
            names(unknown.iter().copied())
        ),
    };
    format!("can be undone: {}; {takes}", names(steps.iter().copied()))
}

fn bounds(estimate: &Estimate) -> Option<(u64, u64)> {
    match estimate {
        Estimate::History { median_ms, longest_ms, .. } => Some((*median_ms, *longest_ms)),
        Estimate::Cited { low_ms, high_ms, .. } => Some((*low_ms, *high_ms)),
        Estimate::Unknown { .. } => None,
    }
}
