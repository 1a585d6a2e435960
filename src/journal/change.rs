//! A run that goes on with another plan.
//!
//! **Invariant:** what has begun or ended is in both plans, and keeps what is known of it.

use crate::journal::fold::{FoldProblem, RunState, pending_steps};
use crate::journal::step_state::StepStatus;
use serde_json::Value as Json;

impl RunState {
    /// Takes `plan` in the place of the one so far.
    pub(super) fn replan(&mut self, plan: &Json, digest: &str) -> Result<(), FoldProblem> {
        let mut steps = pending_steps(plan)?;
        for (key, known) in &self.steps {
            if known.status == StepStatus::Pending {
                continue;
            }
            let begun = || FoldProblem::Begun(key.clone());
            let kept = steps.get_mut(key).ok_or_else(begun)?;
            *kept = known.clone();
            // What was approved is not what will happen now.
            kept.approvals.clear();
        }
        self.steps = steps;
        self.plan = plan.clone();
        self.plan_digest = digest.to_owned();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Person;
    use crate::journal::event::Event;
    use crate::journal::testing::{JournalBuilder, plan_with};
    use serde_json::json;

    fn changed(steps: &[&str]) -> Event {
        Event::PlanChanged {
            plan: plan_with(steps),
            plan_digest: "sha256:new".to_owned(),
            by: Person::declared("ada"),
            difference: vec!["- step b (x)".to_owned()],
        }
    }

    #[test]
    fn what_has_begun_stays_and_the_rest_is_the_new_plans() {
        let journal = JournalBuilder::started(&["a", "b"]).ran(1, 2, "a", json!({ "x": 1 }));
        let journal = journal.event(3, changed(&["a", "c"]));
        let records = journal.records();
        for count in 0..=records.len() {
            RunState::fold(&records[..count]).expect("every prefix folds");
        }
        let state = RunState::fold(&records).unwrap();
        let steps: Vec<_> =
            state.steps.iter().map(|(key, one)| (key.as_str(), one.status)).collect();
        assert_eq!(steps, [("a", StepStatus::Succeeded), ("c", StepStatus::Pending)]);
        assert_eq!(state.plan_digest, "sha256:new");
        assert_eq!(state.plan["steps"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_plan_without_what_has_begun_cannot_follow() {
        let journal = JournalBuilder::started(&["a", "b"]).start(1, "a");
        let mut state = RunState::fold(&journal.records()).unwrap();
        let before = state.clone();
        let record = journal.event(2, changed(&["b"])).records().pop().unwrap();
        let error = state.apply(&record).unwrap_err().to_string();
        assert!(error.contains("step a has begun"), "{error}");
        assert_eq!(state, before, "nothing has changed");
    }
}
