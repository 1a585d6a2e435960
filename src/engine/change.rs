//! A run goes on although its files were edited: with the plan that they make now, or with its own.
//!
//! **Invariant:** what has begun is the same in both plans; who decided and what differs is in the journal
//! before anything of the new plan begins.

use super::agenda::Agenda;
use super::machine::Machine;
use crate::journal::Person;
use crate::journal::event::Event;
use crate::plan::model::Plan;
use serde_json::Value as Json;

/// What a person decided about files that were edited while the run was open.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The run goes on with another plan.
    Plan {
        /// The plan.
        plan: Box<Plan>,
        /// As it is stored.
        json: Json,
        /// Its digest.
        digest: String,
        /// Who decided.
        by: Person,
        /// What differs, a line each.
        difference: Vec<String>,
    },
    /// The run goes on with the plan that it has.
    Kept {
        /// Who decided.
        by: Person,
        /// What differs, a line each.
        difference: Vec<String>,
    },
}

impl Machine {
    /// Takes the decision into the journal, and the new plan up.
    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Kept { by, difference } => self.emit(Event::PlanKept { by, difference }),
            Change::Plan { plan, json, digest, by, difference } => {
                let event = Event::PlanChanged { plan: json, plan_digest: digest, by, difference };
                self.emit(event);
                self.agenda = Agenda::of(&plan, &self.state);
                self.plan = *plan;
            }
        }
    }
}
