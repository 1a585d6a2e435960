//! Runbooks that a run calls: when a call has ended, and how.
//!
//! **Invariant:** a call ends after all steps of the called runbook, and well only if none of them failed;
//! what cleans up in a call that was never entered does not run.

use super::effect::Part;
use super::machine::Machine;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, ErrorRecord, Event, SkipReason};
use crate::journal::fold::StepStatus;
use crate::plan::model::PlannedStep;
use serde_json::Value as Json;

impl Machine {
    /// Ends a call once everything in it has ended.
    pub(super) fn decide_call(&mut self, call: &PlannedStep, stopped_by: Option<&StepKey>) {
        if !call.needs.iter().all(|need| self.status(need).is_over()) {
            return;
        }
        let own = call.needs.iter().filter(|need| !call.children.contains(need));
        let unmet = own.clone().find(|need| self.serves(need, call) != Some(true));
        if let Some(need) = unmet {
            let reason = match (&self.state.aborting, stopped_by) {
                (Some(abort), _) => SkipReason::Aborted { operator: abort.by.operator.clone() },
                (None, _) => SkipReason::Upstream { step: need.clone() },
            };
            return self.emit(Event::StepSkipped { step: call.key.clone(), reason });
        }
        if let Some(error) = self.failure_within(call) {
            let (step, outputs) = (call.key.clone(), Json::Null);
            self.emit(Event::StepStarted { step: step.clone(), inputs: Json::Null });
            return self.emit(Event::StepFailed { step, error, evidence: Vec::new(), outputs });
        }
        let cut_off = call.children.iter().find_map(|child| match &self.state.steps[child].skip {
            Some(reason @ (SkipReason::Stopped { .. } | SkipReason::Aborted { .. })) => {
                Some(reason.clone())
            }
            Some(
                SkipReason::Condition { .. }
                | SkipReason::Upstream { .. }
                | SkipReason::Nothing { .. }
                | SkipReason::Operator { .. },
            )
            | None => None,
        });
        let reason = match (cut_off.or_else(|| self.not_entered(call)), &self.state.aborting) {
            (Some(reason), _) => reason,
            (None, Some(abort)) => SkipReason::Aborted { operator: abort.by.operator.clone() },
            (None, None) => return self.start(&call.key, Part::Forward),
        };
        self.emit(Event::StepSkipped { step: call.key.clone(), reason });
    }

    /// Why the call was not made, where all that it would have done waited for something outside of it that
    /// did not come: a call within a call has no needs of its own.
    fn not_entered(&self, call: &PlannedStep) -> Option<SkipReason> {
        let skips: Vec<Option<&SkipReason>> =
            call.children.iter().map(|child| self.state.steps[child].skip.as_ref()).collect();
        let outside = |skip: &&SkipReason| matches!(skip, SkipReason::Upstream { step } if !step.is_within(call.key.as_str()));
        let all = !skips.is_empty() && skips.iter().all(Option::is_some);
        skips.into_iter().flatten().find(outside).filter(|_| all).cloned()
    }

    /// The first step of the called runbook that did not end well, as the call's own failure.
    pub(super) fn failure_within(&self, call: &PlannedStep) -> Option<ErrorRecord> {
        call.children.iter().find_map(|child| {
            let found = &self.state.steps[child];
            let taken_back = matches!(found.status, StepStatus::Undone | StepStatus::UndoFailed);
            let error = found.error.as_ref().or(found.undo_error.as_ref());
            let (kind, why) = match (error, taken_back) {
                (Some(error), _) => (error.kind, format!("failed: {}", error.message)),
                (None, true) => (ErrorKind::Broken, format!("is {}", found.status.name())),
                (None, false) => return None,
            };
            let message = format!("step {child} {why}");
            let help = Some("what the call was made for is not reached".to_owned());
            Some(ErrorRecord { kind, message, code: None, help })
        })
    }

    /// Why a step that always runs does not: nothing of the call that it stands in was begun, and nothing
    /// will be.
    pub(super) fn never_entered(&self, step: &PlannedStep) -> Option<SkipReason> {
        let frame = step.key.frame();
        if frame.is_empty() {
            return None;
        }
        let others = self.plan.steps.iter().filter(|it| it.key.is_within(frame) && !it.always);
        let mut reason = None;
        for other in others {
            let found = &self.state.steps[&other.key];
            if found.started_at.is_some() {
                return None;
            }
            if !found.status.is_over() {
                let unmet = step.needs.iter().find(|need| self.serves(need, step) == Some(false));
                return unmet.map(|need| SkipReason::Upstream { step: need.clone() });
            }
            reason = reason.or_else(|| match &found.skip {
                Some(
                    why @ (SkipReason::Upstream { .. }
                    | SkipReason::Stopped { .. }
                    | SkipReason::Aborted { .. }),
                ) => Some(why.clone()),
                Some(
                    SkipReason::Condition { .. }
                    | SkipReason::Nothing { .. }
                    | SkipReason::Operator { .. },
                )
                | None => None,
            });
        }
        reason
    }
}
