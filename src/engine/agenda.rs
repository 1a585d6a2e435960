//! Which steps deserve a decision: a run of many steps must not look at all of them in every turn.
//!
//! **Invariant:** a step whose decision may have changed is on the agenda; what it holds besides is
//! only time lost.

use crate::base::ids::StepKey;
use crate::journal::event::{Event, SkipReason};
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// The agenda of one machine.
#[derive(Debug, Clone)]
pub(super) struct Agenda {
    places: BTreeMap<StepKey, usize>,
    dependents: BTreeMap<StepKey, Vec<usize>>,
    due: BTreeSet<usize>,
    /// Whether a step failed or was undone, which may change what becomes of every other.
    troubled: bool,
    /// Whether a person skipped a step: whoever needs it waits for what it waited for.
    passed_over: bool,
}

impl Agenda {
    /// Every step of `plan`, of which `state` is how far it is.
    pub(super) fn of(plan: &Plan, state: &RunState) -> Self {
        let mut dependents: BTreeMap<StepKey, Vec<usize>> = BTreeMap::new();
        for (place, step) in plan.steps.iter().enumerate() {
            for need in &step.needs {
                dependents.entry(need.clone()).or_default().push(place);
            }
        }
        let places = plan.steps.iter().map(|step| step.key.clone()).zip(0..).collect();
        let troubled = state.aborting.is_some()
            || state.steps.values().any(|step| match step.status {
                StepStatus::Failed
                | StepStatus::Undoing
                | StepStatus::Undone
                | StepStatus::UndoFailed => true,
                StepStatus::Pending
                | StepStatus::Running
                | StepStatus::Succeeded
                | StepStatus::Warned
                | StepStatus::Skipped => false,
            });
        let passed_over = state.steps.values().any(|step| by_a_person(step.skip.as_ref()));
        let due = (0..plan.steps.len()).collect();
        Self { places, dependents, due, troubled, passed_over }
    }

    /// The place of a step in the plan.
    pub(super) fn place(&self, key: &StepKey) -> usize {
        self.places[key]
    }

    /// Whether a step failed or was undone so far.
    pub(super) fn is_troubled(&self) -> bool {
        self.troubled
    }

    /// Puts on the agenda what `event` may change.
    pub(super) fn note(&mut self, event: &Event) {
        self.troubled |= matches!(
            event,
            Event::StepFailed { .. } | Event::UndoStarted { .. } | Event::AbortRequested { .. }
        );
        if let Event::StepSkipped { reason, .. } = event {
            self.passed_over |= by_a_person(Some(reason));
        }
        let all = self.troubled || self.passed_over;
        if all || matches!(event, Event::RunContinued { .. }) {
            self.due.extend(0..self.places.len());
        } else if let Event::StepSucceeded { step, .. } | Event::StepSkipped { step, .. } = event {
            self.due.extend(self.dependents.get(step).into_iter().flatten());
        }
    }

    /// Takes everything off the agenda, in the plan's order.
    pub(super) fn take(&mut self) -> BTreeSet<usize> {
        std::mem::take(&mut self.due)
    }
}

fn by_a_person(skip: Option<&SkipReason>) -> bool {
    matches!(skip, Some(SkipReason::Operator { .. }))
}
