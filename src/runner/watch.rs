//! When what is at stake at a gate is read again: each few seconds of real time while it waits, and right
//! before an approval is handed over.
//!
//! **Invariant:** where time is virtual nothing is read again while people are waited for: nothing changes.

use super::running::{Inbox, Running};
use crate::base::clock::{ClockMode, to_delta};
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::engine::{Input, Machine};
use crate::journal::Command;
use crate::journal::fold::APPROVE;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often: short enough that a lag that grows is seen, long enough not to be throttled.
const EVERY: Duration = Duration::from_secs(15);

/// When each waiting gate was read last, by the clock of the lease.
#[derive(Debug, Default)]
pub(super) struct Watch {
    read: BTreeMap<StepKey, DateTime<Utc>>,
    /// The form in which they were read: what is at stake is another thing in the other one.
    form: Option<Form>,
    /// The approval that was held back, so that it is handed over the second time.
    held: Option<StepKey>,
}

impl Watch {
    /// Gates whose figures are to be read again now.
    pub(super) fn due(&mut self, running: &Running<'_>, machine: &Machine) -> Vec<StepKey> {
        let passes = running.clock.mode() != ClockMode::Virtual;
        if !passes || running.inbox != Inbox::Watched {
            return Vec::new();
        }
        let now = running.lease_clock.now();
        let waiting: Vec<StepKey> = machine
            .state()
            .questions()
            .filter(|(step, question)| question.gate.is_some() && is_final(machine, step))
            .map(|(step, _)| step.clone())
            .collect();
        self.read.retain(|step, _| waiting.contains(step));
        let form = machine.state().form;
        let switched = self.form.replace(form).is_some_and(|before| before != form);
        let mut due = Vec::new();
        for step in waiting {
            // Its question came with figures of this instant.
            let last = *self.read.entry(step.clone()).or_insert(now);
            if switched || now - last >= to_delta(EVERY) {
                self.read.insert(step.clone(), now);
                due.push(step);
            }
        }
        due
    }

    /// The input, unless it approves a gate whose figures have to be read first: then the gate, and the
    /// input to hand over after that.
    pub(super) fn approved(
        &mut self,
        machine: &Machine,
        input: Input,
    ) -> Result<Input, (StepKey, Input)> {
        let approved = match &input {
            Input::Answered { step, reply, .. } if reply.answer == APPROVE => Some(step),
            Input::Command(posted) => match &posted.command {
                Command::Approve { step, .. } => Some(step),
                Command::Answer { step, answer, .. } if answer == APPROVE => Some(step),
                _ => None,
            },
            _ => None,
        };
        let asks = |step: &&StepKey| {
            let found = machine.state().steps.get(*step);
            found.is_some_and(|found| found.question.is_some()) && is_final(machine, step)
        };
        let gate = approved.filter(asks).cloned();
        match gate {
            Some(gate) if self.held.take().as_ref() != Some(&gate) => {
                self.held = Some(gate.clone());
                Err((gate, input))
            }
            _ => {
                self.held = None;
                Ok(input)
            }
        }
    }
}

/// Whether the step is a gate before what cannot be taken back.
fn is_final(machine: &Machine, step: &StepKey) -> bool {
    machine.plan().steps.iter().any(|planned| planned.key == *step && !planned.before.is_empty())
}
