//! What follows each answer to a failure, told before anybody answers.
//!
//! **Invariant:** told from the same functions by which the machine decides.

use super::machine::Machine;
use super::undo::undo_plan;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::journal::fold::{CONTINUE, ChoiceRecord, RETRY, SKIP, STOP, StepStatus, UNDO};
use crate::plan::depends_on;
use crate::plan::model::PlannedStep;
use std::collections::BTreeSet;

/// The answers that a failure with `on_failure: ask` takes.
pub(super) const CHOICES: [&str; 5] = [RETRY, CONTINUE, SKIP, STOP, UNDO];

/// Most names of a list that people read before they decide; the others are counted.
const MOST_NAMES: usize = 12;

impl Machine {
    /// What follows each of [`CHOICES`] at the failed step.
    pub(super) fn outlook(&self, step: &StepKey) -> Vec<ChoiceRecord> {
        CHOICES.iter().map(|choice| self.outlook_of(step, choice)).collect()
    }

    fn outlook_of(&self, step: &StepKey, choice: &str) -> ChoiceRecord {
        let choice = choice.to_owned();
        if choice == RETRY {
            let times = self.step(step).retry.attempts;
            let text = format!("{step} is looked at again and tried up to {times} more times");
            return ChoiceRecord { choice, text, ..ChoiceRecord::default() };
        }
        if choice == CONTINUE {
            let skips =
                self.cut_off_by(step, |other, lost| other.needs.iter().any(|it| lost.contains(it)));
            let text = format!(
                "{step} counts as failed and the run goes on; skipped: {}",
                names(skips.iter())
            );
            return ChoiceRecord { choice, text, skips, ..ChoiceRecord::default() };
        }
        if choice == SKIP {
            let skips = self.cut_off_by(step, |other, lost| {
                let lost_need = other.needs.iter().any(|it| it != step && lost.contains(it));
                lost_need
                    || (other.needs.contains(step) && depends_on(&self.plan.calls, other, step))
            });
            let text = format!(
                "{step} counts as skipped and what needs it goes on; what refers to its outputs is \
                 skipped: {}",
                names(skips.iter())
            );
            return ChoiceRecord { choice, text, skips, ..ChoiceRecord::default() };
        }
        let skips = self.cut_off_by(step, |_, _| true);
        let found = undo_plan(&self.plan, &self.state);
        let end = format!(
            "nothing new begins; skipped: {}; clean-up that runs: {}",
            names(skips.iter()),
            names(found.always.iter())
        );
        let stays = found.irreversible.iter().chain(&found.left).cloned();
        if choice == STOP {
            let leaves: Vec<StepKey> = found.steps().cloned().chain(stays).collect();
            let text = format!("{end}; stays as it is: {}", names(leaves.iter()));
            return ChoiceRecord { choice, text, skips, undoes: Vec::new(), leaves };
        }
        let (undoes, leaves): (Vec<StepKey>, Vec<StepKey>) =
            (found.steps().cloned().collect(), stays.collect());
        let text = format!(
            "{end}; undone: {}; stays as it is: {}",
            names(undoes.iter()),
            names(leaves.iter())
        );
        ChoiceRecord { choice, text, skips, undoes, leaves }
    }

    /// Pending steps that will not run because `step` did not succeed, as `cut_off` says of each and of
    /// those lost before it.
    fn cut_off_by(
        &self,
        step: &StepKey,
        cut_off: impl Fn(&PlannedStep, &BTreeSet<StepKey>) -> bool,
    ) -> Vec<StepKey> {
        let mut lost = BTreeSet::from([step.clone()]);
        let mut skips = Vec::new();
        for other in self.plan.steps.iter().filter(|other| !other.always) {
            if self.status(&other.key) == StepStatus::Pending && cut_off(other, &lost) {
                lost.insert(other.key.clone());
                skips.push(other.key.clone());
            }
        }
        skips
    }
}

pub(super) fn names<'a>(steps: impl IntoIterator<Item = &'a StepKey>) -> String {
    listed(steps, MOST_NAMES)
}
