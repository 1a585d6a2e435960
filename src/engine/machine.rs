//! The machine: a plan, the fold of its journal, and what is in flight.
//!
//! **Invariant:** state changes only through records that `emit` makes, so a machine rebuilt from the
//! journal knows everything that mattered.

use super::agenda::Agenda;
use super::change::Change;
use super::effect::{Effect, Input, Part, SeenGate, Turn};
use crate::base::ids::StepKey;
use crate::journal::event::{EVENT_VERSION, ErrorKind, ErrorRecord, Event, Record};
use crate::journal::figure::FigureRecord;
use crate::journal::fold::{IntentStatus, RunState, StepStatus};
use crate::plan::model::{Plan, PlannedStep};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What a step is waiting for within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    /// Its condition and inputs.
    Beginning,
    /// A look.
    Observing,
    /// An answer to its mutation.
    Acting,
    /// What is at stake, before it asks.
    Weighing,
    /// A person.
    Asking,
}

/// The run machine.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) plan: Plan,
    pub(super) state: RunState,
    pub(super) agenda: Agenda,
    pub(super) live: BTreeMap<StepKey, Live>,
    /// Those of the asking steps whose question nobody can answer in this process.
    pub(super) unanswered: BTreeSet<StepKey>,
    /// Gates that ask once it is known what is at stake.
    pub(super) weighing: BTreeMap<StepKey, SeenGate>,
    /// What is at stake at each gate, as it was read last.
    pub(super) weighed: BTreeMap<StepKey, Vec<FigureRecord>>,
    /// Operation and target of each begun step, for its intent.
    pub(super) intents: BTreeMap<StepKey, (String, String)>,
    /// Whether the last look of a step was the first since it acted: for `adopted`.
    pub(super) acted_here: BTreeMap<StepKey, ()>,
    pub(super) halting: Option<String>,
    /// Whether this process stays when only people could move the run on.
    pub(super) waits: bool,
    pub(super) now: DateTime<Utc>,
    run_ms: u64,
    fence: u64,
    turn: Turn,
}

/// Who takes a run up, and under which lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Who.
    pub operator: String,
    /// Fencing number.
    pub fence: u64,
}

impl Machine {
    /// A machine for a run that begins now. The first turn holds `RunStarted`.
    pub fn begin(
        plan: Plan,
        plan_json: serde_json::Value,
        plan_digest: &str,
        start: Start,
        tool: &str,
        now: DateTime<Utc>,
    ) -> (Self, Turn) {
        let mut machine = Self::with(plan, RunState::default(), start.fence, now);
        let operator = start.operator;
        machine.emit(Event::RunStarted {
            run: machine.plan.run.clone(),
            plan: plan_json,
            plan_digest: plan_digest.to_owned(),
            operator: operator.clone(),
            tool: tool.to_owned(),
            form: machine.plan.form,
        });
        machine.emit(Event::AttemptStarted { attempt: 1, operator });
        machine.decide();
        let turn = std::mem::take(&mut machine.turn);
        (machine, turn)
    }

    /// A machine for a run that another process left. Open intents become in doubt, and every step that
    /// was running is looked at first.
    pub fn resume(plan: Plan, state: RunState, start: Start, now: DateTime<Utc>) -> (Self, Turn) {
        Self::resume_changed(plan, state, start, None, now)
    }

    /// The same for a run whose files were edited meanwhile: `change` is what a person decided.
    pub fn resume_changed(
        plan: Plan,
        state: RunState,
        start: Start,
        change: Option<Change>,
        now: DateTime<Utc>,
    ) -> (Self, Turn) {
        let attempt = state.attempts + 1;
        let mut machine = Self::with(plan, state, start.fence, now);
        machine.emit(Event::AttemptStarted { attempt, operator: start.operator });
        if let Some(change) = change {
            machine.change(change);
        }
        let unfinished: Vec<StepKey> = machine.unfinished();
        for step in unfinished {
            machine.take_up(&step);
        }
        machine.decide();
        let turn = std::mem::take(&mut machine.turn);
        (machine, turn)
    }

    fn with(plan: Plan, state: RunState, fence: u64, now: DateTime<Utc>) -> Self {
        Self {
            agenda: Agenda::of(&plan, &state),
            plan,
            state,
            live: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            weighing: BTreeMap::new(),
            weighed: BTreeMap::new(),
            intents: BTreeMap::new(),
            acted_here: BTreeMap::new(),
            halting: None,
            waits: false,
            now,
            run_ms: 0,
            fence,
            turn: Turn::default(),
        }
    }

    fn unfinished(&self) -> Vec<StepKey> {
        let running = |key: &StepKey| {
            matches!(self.state.steps[key].status, StepStatus::Running | StepStatus::Undoing)
        };
        self.plan.steps.iter().map(|step| step.key.clone()).filter(running).collect()
    }

    fn take_up(&mut self, step: &StepKey) {
        let found = &self.state.steps[step];
        let open = found.intent.as_ref().is_some_and(|intent| intent.status == IntentStatus::Open);
        if open {
            let error = ErrorRecord {
                kind: ErrorKind::InDoubt,
                message: "the process ended before the answer came".to_owned(),
                code: None,
                help: None,
            };
            self.emit(Event::ActInDoubt { step: step.clone(), error });
        }
        let part = self.part(step);
        if self.state.steps[step].question.is_some() {
            self.ask_again(step);
        } else {
            self.live.insert(step.clone(), Live::Beginning);
            self.effect(Effect::Begin { step: step.clone(), part });
        }
    }

    /// Takes one input at `now`; `run_ms` is the run's own clock, milliseconds.
    ///
    /// # Panics
    /// When an input does not belong to anything in flight: a bug, and a crash is safe because a run
    /// resumes.
    pub fn handle(&mut self, input: Input, now: DateTime<Utc>) -> Turn {
        self.now = self.now.max(now);
        match input {
            Input::Begun { step, begun } => self.begun(&step, begun),
            Input::Observed { step, seen } => self.observed(&step, seen),
            Input::Acted { step, result, done } => self.acted(&step, result, done),
            Input::Weighed { step, figures } => self.weighed(&step, figures),
            Input::Answered { step, reply, by } => self.answered(&step, reply, by),
            Input::NobodyAnswered { step } => self.unanswered(&step),
            Input::Command(posted) => self.command(posted),
            Input::Interrupt { reason } => self.halting = self.halting.take().or(Some(reason)),
        }
        self.decide();
        std::mem::take(&mut self.turn)
    }

    /// Stays when only people could move the run on: they may answer from other terminals.
    pub fn wait_for_people(&mut self) {
        self.waits = true;
    }

    /// Whether the run waits for people: it is paused, or a question is open that this process waits for.
    pub fn awaits_people(&self) -> bool {
        let asks = |(step, live): (&StepKey, &Live)| {
            *live == Live::Asking && !self.unanswered.contains(step)
        };
        self.is_paused() || self.live.iter().any(asks)
    }

    /// Whether nothing is in flight and only a command can move the run on.
    pub fn is_held(&self) -> bool {
        self.is_paused() && self.live.is_empty()
    }

    /// The fold so far.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The step called `key`.
    ///
    /// # Panics
    /// When the plan has none.
    pub fn step(&self, key: &StepKey) -> &PlannedStep {
        &self.plan.steps[self.agenda.place(key)]
    }

    /// Whether the step is being undone.
    pub(super) fn part(&self, key: &StepKey) -> Part {
        match self.state.steps[key].status {
            StepStatus::Undoing => Part::Undo,
            StepStatus::Pending
            | StepStatus::Running
            | StepStatus::Succeeded
            | StepStatus::Warned
            | StepStatus::Failed
            | StepStatus::Skipped
            | StepStatus::Undone
            | StepStatus::UndoFailed => Part::Forward,
        }
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.turn.effects.push(effect);
    }

    /// Makes a record of `event`, applies it, and queues it for the journal.
    pub(super) fn emit(&mut self, event: Event) {
        let began = self.state.started_at.unwrap_or(self.now);
        let passed = (self.now - began).num_milliseconds();
        self.run_ms = self.run_ms.max(u64::try_from(passed).unwrap_or(0));
        self.agenda.note(&event);
        let record = Record {
            seq: self.state.last_seq + 1,
            version: EVENT_VERSION,
            at: self.now,
            run_ms: self.run_ms,
            fence: self.fence,
            event,
        };
        let applied = self.state.apply(&record);
        assert!(applied.is_ok(), "the machine made an illegal record: {applied:?}");
        self.turn.records.push(record);
    }

    /// Takes the step out of flight; it must be in the given state.
    pub(super) fn landed(&mut self, step: &StepKey, expected: Live) {
        let found = self.live.remove(step);
        assert!(found == Some(expected), "step {step}: {found:?} in flight, expected {expected:?}");
    }
}
