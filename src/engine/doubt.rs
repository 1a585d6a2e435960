//! Steps of which nothing can be looked at: commands and notices.
//!
//! **Invariant:** what may have happened is not repeated unless the step or a person says so, and never
//! counts as done because nobody knows; a notice never fails a run.

use super::effect::SeenDone;
use super::machine::Machine;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, ErrorRecord, Event};
use crate::journal::fold::{DONE, FAILED, IntentStatus, REPEAT};
use crate::plan::model::Trace;
use serde_json::Value as Json;
use std::collections::BTreeMap;

impl Machine {
    /// Whether looking says what became of the step.
    pub(super) fn leaves_a_trace(&self, step: &StepKey) -> bool {
        self.step(step).trace == Trace::Seen
    }

    /// Whether the last act of the step may have happened and must not simply be repeated.
    pub(super) fn is_in_doubt(&self, step: &StepKey) -> bool {
        let found = &self.state.steps[step];
        let unsettled = match found.intent.as_ref().map(|intent| intent.status) {
            Some(IntentStatus::Open | IntentStatus::InDoubt) => true,
            // It was done. Only a person has it done again, and then it is a new beginning.
            Some(IntentStatus::Accepted) => found.tries() > 0,
            Some(IntentStatus::Refused) | None => false,
        };
        unsettled && !self.leaves_a_trace(step) && !self.step(step).idempotent
    }

    /// Why the step is not tried again, after `tries` of them.
    pub(super) fn out_of_tries(&self, step: &StepKey, tries: u32) -> ErrorRecord {
        let times = if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
        let (message, help) = match self.step(step).trace {
            Trace::Seen => (
                format!("nothing is there after {times}"),
                "look at the resource by hand before running again",
            ),
            Trace::Answered | Trace::BestEffort => (
                format!("no answer says that it was done, after {times}"),
                "look at what it does by hand before running again",
            ),
        };
        ErrorRecord { kind: ErrorKind::InDoubt, message, code: None, help: Some(help.to_owned()) }
    }

    /// Settles a doubt: a person says what happened; for a notice it stays open, with a warning.
    pub(super) fn doubt(&mut self, step: &StepKey) {
        let intent = self.state.steps[step].intent.clone().expect("a doubt is about an intent");
        let what = format!("{} of {}", intent.operation, intent.target);
        if self.step(step).trace == Trace::BestEffort {
            let why = format!("perhaps not sent: no answer to {what} came, and it is not repeated");
            return self.give_up(step, why, SeenDone::default());
        }
        let error = ErrorRecord {
            kind: ErrorKind::InDoubt,
            message: format!("nobody knows whether {what} was done"),
            code: None,
            help: Some("look at what it does; `idempotent: true` lets it be repeated".to_owned()),
        };
        let question = format!(
            "step {step}: {}, and nothing can be looked at. What became of it?",
            error.message
        );
        let choices = [DONE, REPEAT, FAILED].map(str::to_owned).to_vec();
        self.ask(step, question, choices, error);
    }

    /// Ends a notice that came to nothing.
    pub(super) fn give_up(&mut self, step: &StepKey, warning: String, seen: SeenDone) {
        self.succeed_unseen(step, vec![warning], seen);
    }

    /// Ends a step of which a person says that it was done.
    pub(super) fn taken_as_done(&mut self, step: &StepKey, operator: &str) {
        let warning = format!("whether it was done was not seen: {operator} says so");
        self.succeed_unseen(step, vec![warning], SeenDone::default());
    }

    fn succeed_unseen(&mut self, step: &StepKey, warnings: Vec<String>, seen: SeenDone) {
        self.emit(Event::StepSucceeded {
            step: step.clone(),
            outputs: Json::Null,
            adopted: false,
            observed: BTreeMap::new(),
            evidence: seen.evidence,
            warnings,
        });
    }
}
