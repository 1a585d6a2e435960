//! What must hold after every event and every call of a storm, and at its end.
//!
//! **Invariant:** it folds the journal itself, counts what the world has changed, and believes nothing that
//! a machine says.

use super::Counters;
use crate::base::ids::StepKey;
use crate::journal::StoredRecord;
use crate::journal::event::{Event, Record, RunOutcome, SkipReason};
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, PlannedStep};
use crate::rehearse::judge::ours;
use crate::rehearse::{Finding, Played, Stage, Writers};
use crate::report::build;
use crate::sim::{MutationRecord, Simulator};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// The judge of one storm.
#[derive(Debug)]
pub(super) struct Judge {
    /// The journal's fold.
    pub(super) state: RunState,
    pub(super) findings: Vec<Finding>,
    pub(super) counters: Counters,
    plan: Plan,
    /// Intents in the journal by operation, without its service.
    intents: BTreeMap<String, u64>,
    /// Who meant what: operation and target of an intent, by step, and whether it undoes the step.
    meant: BTreeSet<(String, String, StepKey, bool)>,
    /// How often the process at work found its lease valid before an act.
    cleared: u64,
    /// How often it changed the world since.
    sent: u64,
    /// How many mutations were judged.
    seen: usize,
}

impl Judge {
    /// Of a run of `plan` in a world that had seen so many mutations before.
    pub(super) fn new(plan: &Plan, seen: usize) -> Self {
        Self {
            state: RunState::default(),
            findings: Vec::new(),
            counters: Counters::new(),
            plan: plan.clone(),
            intents: BTreeMap::new(),
            meant: BTreeSet::new(),
            cleared: 0,
            sent: 0,
            seen,
        }
    }

    pub(super) fn count(&mut self, what: &str) {
        *self.counters.entry(what.to_owned()).or_default() += 1;
    }

    fn find(&mut self, property: &'static str, message: String) {
        let message = format!("after event {}: {message}", self.state.last_seq);
        self.findings.push(Finding { property, message });
    }

    pub(super) fn new_process(&mut self) {
        (self.cleared, self.sent) = (0, 0);
    }

    /// The process at work found its lease valid, directly before an act.
    pub(super) fn cleared(&mut self) {
        self.cleared += 1;
    }

    /// A turn that is durable now.
    pub(super) fn appended(&mut self, records: &[Record]) {
        for record in records {
            self.before(&record.event);
            if let Err(error) = self.state.apply(record) {
                self.find("folds", error.to_string());
            }
            self.count_event(&record.event);
        }
    }

    fn step(&self, key: &StepKey) -> Option<PlannedStep> {
        self.plan.steps.iter().find(|step| step.key == *key).cloned()
    }

    /// What must hold of an event before it is applied.
    fn before(&mut self, event: &Event) {
        match event {
            Event::StepStarted { step, .. } => self.may_start(step),
            Event::IntentRecorded { step, operation, target, .. } => {
                let name = operation.rsplit(':').next().unwrap_or_default().to_owned();
                *self.intents.entry(name.clone()).or_default() += 1;
                let undoes = self.state.steps[step].status == StepStatus::Undoing;
                self.meant.insert((name, target.clone(), step.clone(), undoes));
            }
            Event::StepSkipped { step, reason } => {
                let own =
                    matches!(reason, SkipReason::Condition { .. } | SkipReason::Nothing { .. });
                if !own && self.step(step).is_some_and(|step| step.always) {
                    self.find("always_runs", format!("{step} was skipped: {reason:?}"));
                }
            }
            _ => {}
        }
    }

    fn may_start(&mut self, step: &StepKey) {
        let Some(planned) = self.step(step) else { return };
        for need in &planned.needs {
            let found = &self.state.steps[need];
            let let_go = matches!(found.skip, Some(SkipReason::Operator { .. }));
            // A call ends with what it called, whatever became of that.
            let ready = match planned.always || planned.children.contains(need) {
                true => found.status.is_over(),
                false => found.status.is_success() || let_go || self.other_form(need),
            };
            if !ready {
                let stands = found.status.name();
                self.find("needs_first", format!("{step} starts, and {need} is {stands}"));
            }
        }
        if self.state.paused.is_some() {
            self.find("pause_holds", format!("{step} starts in a pause"));
        }
        let ends_a_call = !planned.children.is_empty();
        if !planned.always && !ends_a_call && self.state.aborting.is_some() {
            self.find("abort_holds", format!("{step} starts after an abort"));
        }
    }

    /// Whether `step` was left out because it is for the other form, or because it refers to such a one and
    /// has the same condition.
    fn other_form(&self, step: &StepKey) -> bool {
        let Some(planned) = self.step(step).filter(|planned| planned.by_form) else { return false };
        match &self.state.steps[step].skip {
            Some(SkipReason::Condition { .. }) => true,
            Some(SkipReason::Upstream { step: need }) => {
                let same = self.step(need).is_some_and(|need| need.when == planned.when);
                same && self.other_form(need)
            }
            _ => false,
        }
    }

    /// A call was carried out: what it changed must be meant, once, and under a valid lease.
    pub(super) fn called(&mut self, call: &str, world: &Simulator) {
        let (mutations, _) = world.changes();
        if mutations <= self.seen as u64 {
            return;
        }
        let log = world.mutations();
        for record in log.iter().skip(self.seen) {
            self.sent += 1;
            let meant = self.intents.get(&record.operation).copied().unwrap_or_default();
            let made = log.iter().filter(|other| other.operation == record.operation).count();
            if made as u64 > meant {
                let what = format!("{call} of {}: {made} times, meant {meant}", record.target);
                self.find("intent_first", what);
            }
            let twin = |other: &&MutationRecord| {
                (&other.operation, &other.target) == (&record.operation, &record.target)
            };
            let notice = record.operation == "Publish";
            // A service may be scaled, deployed and undone by several steps.
            let meant = self.meant.iter().filter(|(operation, target, ..)| {
                *operation == record.operation && target.contains(&record.target)
            });
            if !notice && log.iter().filter(twin).count() > meant.count().max(1) {
                self.find("done_twice", format!("{} of {}", record.operation, record.target));
            }
        }
        if self.sent > self.cleared {
            let message = format!("{call} under a lease that nobody found valid");
            self.find("lease_first", message);
        }
        self.seen = log.len();
    }

    fn count_event(&mut self, event: &Event) {
        let what = match event {
            Event::ActInDoubt { error, .. } if error.message.contains("the process ended") => {
                "resumed in doubt"
            }
            Event::ActInDoubt { .. } => "answer lost",
            Event::ActRefused { .. } => "refused",
            Event::StepSucceeded { adopted: true, .. } => "adopted",
            Event::StepFailed { step, .. } if self.step(step).is_some_and(|it| it.always) => {
                "clean-up failed"
            }
            Event::StepFailed { .. } => "step failed",
            Event::UndoSucceeded { .. } => "undone",
            Event::UndoFailed { .. } => "undo failed",
            Event::QuestionExpired { .. } => "gate expired",
            Event::QuestionAnswered { .. } => "question answered",
            Event::RunPaused { .. } => "paused",
            Event::FormSwitched { .. } => "switched",
            Event::AbortRequested { .. } => "aborted",
            Event::CommandTaken { .. } => "command taken",
            Event::CommandRefused { .. } => "command refused",
            Event::RunInterrupted { reason } => {
                return self.count(&format!("stopped: {reason}"));
            }
            Event::RunFinished { outcome } => match outcome {
                RunOutcome::Succeeded => "run succeeded",
                RunOutcome::Warned => "run warned",
                RunOutcome::Failed => "run failed",
                RunOutcome::Undone => "run undone",
                RunOutcome::Aborted => "run aborted",
            },
            _ => return,
        };
        self.count(what);
    }

    /// What must hold once the run has ended.
    pub(super) fn at_the_end(
        &mut self,
        stage: &Stage,
        fair: &Played,
        (state, stored): (&RunState, &[StoredRecord]),
        world: &Simulator,
        broken: Option<String>,
    ) {
        if let Some(error) = broken {
            return self.find("ends", format!("when all was well the journal broke: {error}"));
        }
        let Some(outcome) = state.finished else {
            let why = state.interrupted.clone().unwrap_or_default();
            return self.find("ends", format!("it has not ended after all was mended: {why}"));
        };
        if let Err(error) = build(stored) {
            self.find("reports", error.to_string());
        }
        self.outcome_fits(state, outcome);
        self.nothing_is_left(stage, fair, state, world);
        self.others_are_untouched(stage, fair, world);
    }

    /// What was seen of writers and names, however it ended.
    pub(super) fn writers(&mut self, seen: Writers) {
        self.findings.extend(seen.findings);
        *self.counters.entry("instants looked at".to_owned()).or_default() += seen.instants;
        for _ in &seen.accepted {
            self.count("two writers, agreed to");
        }
    }

    fn outcome_fits(&mut self, state: &RunState, outcome: RunOutcome) {
        let erred = state.steps.values().any(|step| step.error.is_some());
        let unclean = state.steps.values().any(|step| step.status == StepStatus::UndoFailed);
        let well = matches!(outcome, RunOutcome::Succeeded | RunOutcome::Warned);
        if well && (erred || unclean || state.aborting.is_some()) {
            self.find("outcome", format!("the run is {outcome:?}, and a step failed"));
        }
        if !well && !erred && !unclean && state.aborting.is_none() {
            self.find("outcome", format!("the run is {outcome:?}, and no step says why"));
        }
        for (key, step) in &state.steps {
            if !step.status.is_over() {
                self.find("outcome", format!("{key} is {} at the end", step.status.name()));
            }
        }
    }

    /// What was made is gone, if it is gone after a run without trouble, or somebody is told.
    fn nothing_is_left(
        &mut self,
        stage: &Stage,
        fair: &Played,
        state: &RunState,
        world: &Simulator,
    ) {
        let run = stage.plan.run.as_str();
        let (usual, found) = (fair.world.state_json(), world.state_json());
        let kept = by_place(&usual, run);
        let told = self.plan.steps.iter().any(|step| {
            let found = &state.steps[&step.key];
            let unclean = step.always && found.status == StepStatus::Failed;
            unclean || found.status == StepStatus::UndoFailed
        });
        for (id, resource) in by_place(&found, run) {
            if resource["settings"]["publicly_accessible"] == true {
                self.find("never_public", format!("{id} is public"));
            }
            if !told && !kept.contains_key(&id) {
                self.find("clean_up", format!("{id} is left behind, and nobody is told"));
            }
        }
    }

    /// Only what the run made, and what it changes without trouble too, was changed.
    fn others_are_untouched(&mut self, stage: &Stage, fair: &Played, world: &Simulator) {
        let makes = |record: &&MutationRecord| {
            ["Create", "Restore", "Copy"].iter().any(|verb| record.operation.starts_with(verb))
        };
        let log = world.mutations();
        let made: BTreeSet<String> = log.iter().filter(makes).map(|it| it.target.clone()).collect();
        let usual: BTreeSet<String> =
            fair.world.mutations().into_iter().map(|record| record.target).collect();
        let before = stage.world.mutations().len();
        for record in log.iter().skip(before) {
            let told = record.operation == "Publish";
            if !told && !made.contains(&record.target) && !usual.contains(&record.target) {
                let what = format!("{} of {}, which is not ours", record.operation, record.target);
                self.find("others_untouched", what);
            }
        }
    }
}

/// Resources that carry the run's tag, by region and identifier.
fn by_place<'a>(state: &'a Json, run: &str) -> BTreeMap<String, &'a Json> {
    let found = ours(state, run).into_iter();
    found.map(|one| (format!("{}/{}", one.region, one.id), one.state)).collect()
}
