//! What must hold after every event of a storm, and at its end.
//!
//! **Invariant:** it folds the journal itself and believes nothing that the machine says.

use super::scene::{Kind, Scene};
use super::world::World;
use crate::base::ids::StepKey;
use crate::engine::{Machine, Part};
use crate::journal::Command;
use crate::journal::event::{ErrorKind, Event, Record, RunOutcome, SkipReason};
use crate::journal::fold::{IntentStatus, RunState, StepStatus};
use crate::plan::model::{OnFailure, PlannedStep};
use std::collections::BTreeMap;

/// How often each thing worth seeing happened.
pub(super) type Counters = BTreeMap<&'static str, u64>;

/// The judge of one storm.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// The journal's fold.
    pub(super) state: RunState,
    pub(super) violations: Vec<String>,
    pub(super) counters: Counters,
    /// How often a person had each step done again.
    again: BTreeMap<StepKey, u32>,
}

impl Judge {
    pub(super) fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    fn violated(&mut self, what: String) {
        self.violations.push(format!("after event {}: {what}", self.state.last_seq));
    }

    /// A turn that is durable now, of the machine that made it.
    pub(super) fn appended(&mut self, scene: &Scene, records: &[Record], machine: &Machine) {
        for record in records {
            self.before(scene, record);
            if let Err(error) = self.state.apply(record) {
                self.violated(format!("the journal does not fold: {error}"));
            }
            self.count_event(&record.event);
        }
        if self.state != *machine.state() {
            self.violated("the machine knows what its journal does not say".to_owned());
        }
    }

    /// What must hold of an event before it is applied.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a judge of tests looks at the events that it knows"
    )]
    fn before(&mut self, scene: &Scene, record: &Record) {
        match &record.event {
            Event::StepStarted { step, .. } => self.may_start(scene, step),
            Event::StepSkipped { step, reason } => {
                let always = planned(scene, step).always;
                let own =
                    matches!(reason, SkipReason::Condition { .. } | SkipReason::Nothing { .. });
                if always && !own {
                    self.violated(format!("{step} always runs, and was skipped: {reason:?}"));
                }
            }
            Event::UndoStarted { step } => {
                let needed = |other: &&PlannedStep| {
                    other.needs.contains(step)
                        && self.state.steps[&other.key].status == StepStatus::Running
                };
                if let Some(other) = scene.plan.steps.iter().find(needed) {
                    self.violated(format!("{step} is undone while {} works on it", other.key));
                }
            }
            Event::QuestionAnswered { step, answer, .. }
                if ["retry", "repeat"].contains(&answer.as_str()) =>
            {
                *self.again.entry(step.clone()).or_default() += 1;
            }
            Event::RunFinished { outcome } => self.outcome_fits(*outcome),
            _ => {}
        }
    }

    fn may_start(&mut self, scene: &Scene, step: &StepKey) {
        let planned = planned(scene, step);
        if self.state.paused.is_some() {
            self.violated(format!("{step} starts in a pause"));
        }
        if !planned.always && self.state.aborting.is_some() {
            self.violated(format!("{step} starts after an abort"));
        }
        for need in &planned.needs {
            let status = self.state.steps[need].status;
            let skip = &self.state.steps[need].skip;
            let let_go = matches!(skip, Some(SkipReason::Operator { .. }));
            let ready =
                if planned.always { status.is_over() } else { status.is_success() || let_go };
            if !ready {
                self.violated(format!("{step} starts, and {need} is {}", status.name()));
            }
        }
    }

    /// A mutation is about to leave: its intent must be durable and open.
    pub(super) fn acts(&mut self, step: &StepKey, part: Part) {
        let found = &self.state.steps[step].clone();
        let open = found.intent.as_ref().is_some_and(|intent| intent.status == IntentStatus::Open);
        let undoing = found.status == StepStatus::Undoing;
        if !open || undoing != (part == Part::Undo) {
            self.violated(format!("{step} acts without a durable intent"));
        }
    }

    fn outcome_fits(&mut self, outcome: RunOutcome) {
        let any = |status: StepStatus| self.state.steps.values().any(|step| step.status == status);
        let failed = any(StepStatus::Failed);
        let unclean = failed || any(StepStatus::UndoFailed);
        let rejected =
            self.state.steps.values().any(|step| {
                step.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Rejected)
            });
        let ended = rejected || self.state.aborting.is_some();
        let erred = self.state.steps.values().any(|step| {
            step.error.is_some() && !step.status.is_success() && step.status != StepStatus::Skipped
        });
        let fits = match outcome {
            RunOutcome::Succeeded => !erred && !unclean && !ended && !any(StepStatus::Warned),
            RunOutcome::Warned => !erred && !unclean && !ended,
            RunOutcome::Failed => unclean,
            RunOutcome::Undone => any(StepStatus::Undone) && !any(StepStatus::UndoFailed),
            RunOutcome::Aborted => ended,
        };
        if !fits {
            let steps: BTreeMap<_, _> =
                self.state.steps.iter().map(|(key, step)| (key, step.status.name())).collect();
            self.violated(format!("the run is {outcome:?}, and its steps are {steps:?}"));
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a judge of tests looks at the events that it knows"
    )]
    fn count_event(&mut self, event: &Event) {
        match event {
            Event::ActInDoubt { error, .. } if error.message.contains("the process ended") => {
                self.count("resumed in doubt");
            }
            Event::ActInDoubt { .. } => self.count("answer lost"),
            Event::ActRefused { .. } => self.count("refused"),
            Event::StepSucceeded { adopted: true, .. } => self.count("adopted"),
            Event::StepFailed { .. } => self.count("step failed"),
            Event::UndoSucceeded { .. } => self.count("undone"),
            Event::UndoFailed { .. } => self.count("undo failed"),
            Event::QuestionExpired { .. } => self.count("gate expired"),
            Event::CommandTaken { command, .. } => self.count(match command {
                Command::Approve { .. } => "approved",
                Command::Reject { .. } => "rejected",
                Command::Withdraw { .. } => "approval withdrawn",
                Command::Answer { .. } => "answered from elsewhere",
                Command::Pause { .. } => "paused",
                Command::Continue => "continued",
                Command::Skip { .. } => "skipped by a person",
                Command::Retry { .. } => "retried by a person",
                Command::Switch { .. } => "switched",
                Command::Abort { .. } => "aborted",
            }),
            Event::CommandRefused { .. } => self.count("command refused"),
            Event::QuestionAnswered { .. } => self.count("question answered"),
            Event::RunInterrupted { reason } if reason == "question" => self.count("waited"),
            Event::RunInterrupted { reason } if reason == "credentials" => self.count("no access"),
            Event::RunInterrupted { .. } => self.count("interrupted"),
            Event::RunFinished { outcome } => self.count(match outcome {
                RunOutcome::Succeeded => "run succeeded",
                RunOutcome::Warned => "run warned",
                RunOutcome::Failed => "run failed",
                RunOutcome::Undone => "run undone",
                RunOutcome::Aborted => "run aborted",
            }),
            _ => {}
        }
    }

    /// What must hold once the run has ended.
    pub(super) fn at_the_end(&mut self, scene: &Scene, world: &World) {
        for (step, found) in self.state.steps.clone() {
            if !found.status.is_over() {
                self.violated(format!("{step} is {} at the end", found.status.name()));
            }
            if planned(scene, &step).always && found.status == StepStatus::Failed {
                self.count("clean-up failed");
            }
            self.nothing_is_left(scene, world, &step);
            let again = self.again.get(&step).copied().unwrap_or(0);
            let idempotent = planned(scene, &step).idempotent;
            let tries = if idempotent { planned(scene, &step).retry.attempts } else { 1 };
            // A try that its process did not survive does not count; only what may be repeated is.
            let cut_off = if idempotent { self.state.attempts } else { 0 };
            let ran = world.ran.get(&step).copied().unwrap_or(0);
            if ran > tries * (1 + again) + cut_off {
                self.violated(format!("{step} ran {ran} times, and was repeated {again} times"));
            }
        }
        self.violations.extend(world.violations.iter().cloned());
    }

    /// What `step` made is there only if that was wanted or was said.
    fn nothing_is_left(&mut self, scene: &Scene, world: &World, step: &StepKey) {
        let is_there = world.things.get(step).is_some_and(|thing| thing.deleted.is_none());
        if !is_there || scene.kinds[step] != Kind::Make {
            return;
        }
        let found = &self.state.steps[step].clone();
        let cleaner = scene.cleaner(step).map(|key| self.state.steps[key].clone());
        let skipped_by_itself =
            |reason: &Option<SkipReason>| matches!(reason, Some(SkipReason::Condition { .. }));
        if let Some(cleaner) = cleaner {
            let said = cleaner.status == StepStatus::Failed || skipped_by_itself(&cleaner.skip);
            if !said {
                self.violated(format!("{step} left something, and clean-up ended well"));
            }
        }
        match found.status {
            StepStatus::Undone => self.violated(format!("{step} is undone, and it is there")),
            StepStatus::Succeeded | StepStatus::Warned | StepStatus::UndoFailed => {}
            StepStatus::Failed => {
                // It may have come up broken; undo, where it was wanted, saw to it.
                let undo = scene.plan.steps.iter().any(|other| {
                    other.on_failure == OnFailure::Undo
                        && self.state.steps[&other.key].status == StepStatus::Failed
                });
                let had_undo = planned(scene, step).undo.is_some();
                // What depends on it and could not be undone keeps it.
                let blocked = self.kept_from_above(scene, step)
                    || self.state.steps.values().any(|it| it.status == StepStatus::UndoFailed);
                if undo && had_undo && !blocked && found.first_intent_at.is_some() {
                    self.violated(format!("{step} failed and was not undone"));
                }
            }
            // A person skipped it knowing that; `always` steps and undo saw to it above.
            StepStatus::Skipped if found.may_have_made => {}
            StepStatus::Pending
            | StepStatus::Running
            | StepStatus::Undoing
            | StepStatus::Skipped => {
                self.violated(format!("{step} is {}, and made something", found.status.name()));
            }
        }
    }

    /// Whether something stands on `step` that was done and cannot be undone.
    fn kept_from_above(&self, scene: &Scene, step: &StepKey) -> bool {
        let above = scene.plan.steps.iter().filter(|it| !it.always && it.needs.contains(step));
        let mut above = above.map(|it| (it, self.state.steps[&it.key].status));
        above.any(|(it, status)| {
            it.irreversible && status.is_success() || self.kept_from_above(scene, &it.key)
        })
    }
}

fn planned<'a>(scene: &'a Scene, step: &StepKey) -> &'a PlannedStep {
    scene.plan.steps.iter().find(|it| it.key == *step).expect("a step of the plan")
}
