//! What a step is by the nature of its action.
//!
//! **Invariant:** taken from the action's declaration alone.

use super::model::Trace;
use crate::action::spec::{ActionKind, ActionSpec, Reversibility};

/// Whether it changes nothing.
pub(super) fn changes_nothing(spec: &ActionSpec) -> bool {
    match spec.kind {
        ActionKind::Check | ActionKind::Gate(_) => true,
        ActionKind::Mutation | ActionKind::Command | ActionKind::Notice => false,
    }
}

/// How it is known what became of it.
pub(super) fn trace(spec: &ActionSpec) -> Trace {
    match spec.kind {
        ActionKind::Check | ActionKind::Gate(_) | ActionKind::Mutation => Trace::Seen,
        ActionKind::Command => Trace::Answered,
        ActionKind::Notice => Trace::BestEffort,
    }
}

/// The action that undoes it.
pub(super) fn undo(spec: &ActionSpec) -> Option<String> {
    match spec.reversibility {
        Reversibility::UndoneBy { action, .. } => Some(action.to_owned()),
        Reversibility::ReadOnly | Reversibility::Irreversible => None,
    }
}
