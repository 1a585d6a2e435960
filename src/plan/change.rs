//! A plan made anew for a run that is under way.
//!
//! **Invariant:** what has begun keeps its step of the old plan, with everything that was fixed in it.

use super::model::Plan;
use crate::base::ids::StepKey;

/// `new` with the steps of `old` that have begun, and with what the run had from its start: its instant, the
/// life of what it creates, its promises.
///
/// # Errors
/// Steps that have begun and are not in `new`.
pub fn carry_over(
    old: &Plan,
    mut new: Plan,
    begun: impl Fn(&StepKey) -> bool,
) -> Result<Plan, Vec<StepKey>> {
    let begun = old.steps.iter().filter(|step| begun(&step.key));
    let mut lost = Vec::new();
    for step in begun {
        match new.steps.iter_mut().find(|found| found.key == step.key) {
            Some(found) => *found = step.clone(),
            None => lost.push(step.key.clone()),
        }
    }
    new.created_at = old.created_at;
    new.expires_at = old.expires_at;
    new.objectives = old.objectives;
    if lost.is_empty() { Ok(new) } else { Err(lost) }
}
