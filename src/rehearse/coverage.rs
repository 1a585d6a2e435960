//! Which parts of a runbook some run exercised.
//!
//! **Invariant:** a part counts as exercised only where a journal says so.

use super::model::CoverageRow;
use super::place::Places;
use super::stage::Stage;
use crate::action::spec::{ActionKind, ActionSpec, Reversibility, WaitsFor};
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, SkipReason};
use crate::journal::fold::{APPROVE, RunState, StepState, StepStatus};
use crate::runbook::{OnFailure, Step};

/// A part of a step that a run exercises or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Branch {
    Succeeds,
    Fails,
    FailurePolicy(OnFailure),
    WhenTrue,
    WhenFalse,
    RunsAfterFailure,
    Undone,
    Approved,
    Rejected,
    Expired,
}

impl Branch {
    fn words(self, kind: ActionKind) -> String {
        let check = kind == ActionKind::Check;
        match self {
            Self::Succeeds if check => "the check passes".to_owned(),
            Self::Fails if check => "the check fails".to_owned(),
            Self::Succeeds => "it succeeds".to_owned(),
            Self::Fails => "it fails".to_owned(),
            Self::FailurePolicy(policy) => format!("on_failure: {}", policy.name()),
            Self::WhenTrue => "when is true".to_owned(),
            Self::WhenFalse => "when is false".to_owned(),
            Self::RunsAfterFailure => "always: it runs after a failure".to_owned(),
            Self::Undone => "it is undone".to_owned(),
            Self::Approved => "the gate is approved".to_owned(),
            Self::Rejected => "the gate is rejected".to_owned(),
            Self::Expired => "nobody answers the gate in time".to_owned(),
        }
    }

    /// The field of the step that it stands in; `None` is the step itself.
    fn field(self) -> Option<&'static str> {
        match self {
            Self::WhenTrue | Self::WhenFalse => Some("when"),
            Self::FailurePolicy(_) => Some("on_failure"),
            Self::RunsAfterFailure => Some("always"),
            Self::Succeeds
            | Self::Fails
            | Self::Undone
            | Self::Approved
            | Self::Rejected
            | Self::Expired => None,
        }
    }

    fn exercised(self, state: &RunState, key: &StepKey) -> bool {
        let Some(found) = state.steps.get(key) else { return false };
        match self {
            Self::Succeeds => found.status.is_success() || found.status == StepStatus::Undone,
            Self::Fails | Self::FailurePolicy(_) => failed(found),
            Self::WhenTrue => found.started_at.is_some(),
            Self::WhenFalse => matches!(found.skip, Some(SkipReason::Condition { .. })),
            Self::RunsAfterFailure => {
                let others = state.steps.iter().filter(|(other, _)| *other != key);
                found.started_at.is_some() && others.into_iter().any(|(_, other)| failed(other))
            }
            Self::Undone => found.status == StepStatus::Undone,
            Self::Approved => found.answer.as_deref() == Some(APPROVE),
            Self::Rejected => {
                !found.expired
                    && found.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Rejected)
            }
            Self::Expired => found.expired,
        }
    }
}

fn failed(step: &StepState) -> bool {
    step.error.is_some() || matches!(step.status, StepStatus::Failed | StepStatus::UndoFailed)
}

/// The parts of one step.
fn branches(step: &Step, spec: &ActionSpec, may_undo: bool) -> Vec<Branch> {
    let mut branches = vec![Branch::Succeeds];
    match spec.kind {
        ActionKind::Gate(WaitsFor::Person) => {
            branches = vec![Branch::Approved, Branch::Rejected, Branch::Expired];
        }
        // A notice never fails; a wait fails by a mistake in the file, which planning shows.
        ActionKind::Gate(WaitsFor::Time) | ActionKind::Notice => {}
        ActionKind::Check | ActionKind::Mutation | ActionKind::Command => {
            branches.push(Branch::Fails);
        }
    }
    if step.on_failure != OnFailure::Stop {
        branches.push(Branch::FailurePolicy(step.on_failure));
    }
    if step.when.is_some() {
        branches.extend([Branch::WhenTrue, Branch::WhenFalse]);
    }
    if step.always {
        branches.push(Branch::RunsAfterFailure);
    }
    let undone = matches!(spec.reversibility, Reversibility::UndoneBy { .. });
    if undone && may_undo && !step.always {
        branches.push(Branch::Undone);
    }
    branches
}

/// Every part of the stage's runbook with the first of `runs` that exercised it.
pub(super) fn coverage(stage: &Stage, runs: &[(String, RunState)]) -> Vec<CoverageRow> {
    let places = Places::of(&stage.runbook);
    let undoes = |policy| matches!(policy, OnFailure::Undo | OnFailure::Ask);
    let may_undo = stage.runbook.steps.iter().any(|step| undoes(step.on_failure));
    let mut rows = Vec::new();
    for step in &stage.runbook.steps {
        let Some(spec) = stage.spec(&step.uses) else { continue };
        for branch in branches(step, spec, may_undo) {
            let by = runs.iter().find(|(_, state)| {
                let keys = state.steps.keys().filter(|key| key.id() == step.id);
                keys.into_iter().any(|key| branch.exercised(state, key))
            });
            rows.push(CoverageRow {
                step: step.id.clone(),
                branch: branch.words(spec.kind),
                place: places.of_field(&step.id, branch.field()),
                scenario: by.map(|(scenario, _)| scenario.clone()),
            });
        }
    }
    rows
}
