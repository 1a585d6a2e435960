//! Split brain: never two writers that clients reach, unless a person has agreed to it; no name at a read-only
//! database for longer than the step that switches traffic.
//!
//! **Invariant:** it is told of every instant of the run and believes nothing that a machine says: the world
//! looks out for itself, and the journal only says who agreed and which step was at work.

use super::judge::Finding;
use super::stage::Stage;
use crate::action::spec::Role;
use crate::base::ids::StepKey;

use crate::journal::chain::known;
use crate::journal::event::{Event, Record};
use crate::journal::fold::APPROVE;
use crate::journal::{MemoryStore, Store as _};
use crate::plan::model::Plan;
use crate::sim::{Danger, Sighting, Simulator};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of writers and names over a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writers {
    /// Instants that were looked at.
    pub instants: u64,
    /// What must not be.
    pub findings: Vec<Finding>,
    /// What a person has agreed to, and came about.
    pub accepted: Vec<String>,
}

/// Judges what `world` has seen while the run of `journal` was in it.
pub fn writers(stage: &Stage, world: &Simulator, journal: &MemoryStore) -> Writers {
    let Some(seen) = world.sightings() else { return Writers::default() };
    let stored = journal.load().expect("memory can be read");
    let records = known(&stored).expect("this version wrote them");
    let mut found = Writers { instants: seen.instants, ..Writers::default() };
    for sighting in &seen.dangers {
        let what = told(sighting);
        match &sighting.danger {
            Danger::TwoWriters { .. } => match agreed(&stage.plan, &records, sighting.from) {
                Some(gate) => found.accepted.push(format!("{what}: agreed to at {gate}")),
                None => found.findings.push(Finding { property: "two_writers", message: what }),
            },
            // A name that led there before the run is the estate's own wish: readers use it.
            Danger::ReadOnly { .. } if sighting.from <= seen.since => {}
            Danger::ReadOnly { .. } if in_a_switch(&stage.plan, &records, sighting) => {}
            Danger::ReadOnly { .. } => {
                found.findings.push(Finding { property: "read_only_name", message: what });
            }
        }
    }
    found
}

fn told(sighting: &Sighting) -> String {
    let from = sighting.from.format("%H:%M:%S%.3f");
    let to = sighting.to.map(|to| to.format("until %H:%M:%S%.3f").to_string());
    let to = to.unwrap_or_else(|| "to the end".to_owned());
    match &sighting.danger {
        Danger::TwoWriters { origin, writers } => {
            let writers = writers.join(" and ");
            format!(
                "clients write to {writers} at once, all with the data of {origin}, from {from} {to}"
            )
        }
        Danger::ReadOnly { name, replica } => {
            format!("{name} leads to {replica}, which is read-only, from {from} {to}")
        }
    }
}

/// The gate at which a person agreed by `at` that there may be two writers: they acknowledged it where it was
/// shown, or attested that the old one is stopped.
fn agreed(plan: &Plan, records: &[Record], at: DateTime<Utc>) -> Option<StepKey> {
    let attests = |key: &StepKey| plan.steps.iter().any(|step| step.key == *key && step.attests);
    let mut acknowledged = BTreeSet::new();
    for record in records.iter().take_while(|record| record.at <= at) {
        match &record.event {
            Event::ApprovalGiven { step, acknowledged: Some(_), .. } => {
                acknowledged.insert(step);
            }
            Event::ApprovalWithdrawn { step, .. } => {
                acknowledged.remove(step);
            }
            Event::QuestionAnswered { step, answer, .. }
                if answer == APPROVE && (attests(step) || acknowledged.contains(step)) =>
            {
                return Some(step.clone());
            }
            _ => {}
        }
    }
    None
}

/// Whether a step that switches traffic was at work, or was being undone, from the first to the last instant.
fn in_a_switch(plan: &Plan, records: &[Record], sighting: &Sighting) -> bool {
    let Some(to) = sighting.to else { return false };
    let switches = |key: &StepKey| {
        plan.steps.iter().any(|step| step.key == *key && step.role == Role::TrafficSwitch)
    };
    let mut began: BTreeMap<&StepKey, DateTime<Utc>> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::StepStarted { step, .. } | Event::UndoStarted { step } if switches(step) => {
                began.insert(step, record.at);
            }
            Event::StepSucceeded { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::UndoSucceeded { step }
            | Event::UndoFailed { step, .. }
                if began
                    .remove(step)
                    .is_some_and(|from| from <= sighting.from && to <= record.at) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}
