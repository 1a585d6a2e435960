//! What a run may call.
//!
//! **Invariant:** a function of the plan alone, so that a resumed process may call the same.

use crate::action::Catalogue;
use crate::plan::model::Plan;
use std::collections::BTreeSet;

/// The operations that the plan's steps declared, with those of their undos.
pub fn declared(catalogue: &Catalogue, plan: &Plan) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    for step in &plan.steps {
        // Whatever the runbook says of failures, a person may abort the run with undo.
        let undo = step.undo.as_deref();
        for action in std::iter::once(step.uses.as_str()).chain(undo) {
            let Some(spec) = catalogue.spec(action) else { continue };
            declared.extend(spec.calls.iter().map(|call| (*call).to_owned()));
            declared.extend(spec.effects.iter().map(|effect| (*effect).to_owned()));
        }
    }
    declared
}
