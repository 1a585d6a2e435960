//! The waterfall: every instant from the disaster to recovery belongs to exactly one phase.
//!
//! The rule. Before the run: until it was noticed (by an alarm, or as somebody said), else until it was
//! declared, `detect`; then `decide`. In the run: the phase of
//! the step that has been running longest at that instant (plan order where two began together), since
//! the others only run in its shade; `wait` when that step has asked a person or the run was
//! interrupted; `tool` when no step runs. Clean-up steps never count.
//!
//! **Invariant:** the phases add up to the total exactly.

use crate::base::clock::{between, format_instant};
use crate::base::ids::StepKey;
use crate::journal::event::{Event, Record};
use crate::journal::fold::RunState;
use crate::plan::model::{Phase, Plan};
use crate::report::model::{PhaseRow, Waterfall, WaterfallEnd};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the time in which no step ran.
const TOOL: &str = "tool";

type Instant = DateTime<Utc>;

/// Where recovery time begins, and what that is.
pub fn anchor(plan: &Plan, started_at: Instant) -> (Instant, &'static str) {
    if let Some(disaster) = plan.disaster_at {
        return (disaster, "disaster_at");
    }
    match (plan.detected_at(), plan.declared_at) {
        (Some(detected), None) => (detected, "detected_at"),
        (Some(detected), Some(declared)) if detected <= declared => (detected, "detected_at"),
        (_, Some(declared)) => (declared, "declared_at"),
        (None, None) => (started_at, "run_start"),
    }
}

/// When the service counted as recovered, if it did and was not undone: when the last of the steps
/// that mean it had succeeded.
pub fn recovered_at(plan: &Plan, state: &RunState) -> Option<Instant> {
    let succeeded = |key: &StepKey| {
        let step = state.steps.get(key)?;
        step.status.is_success().then_some(step.finished_at).flatten()
    };
    let ends: Option<Vec<Instant>> = plan.measure.recovered.iter().map(succeeded).collect();
    ends?.into_iter().max()
}

/// When the last step that does not clean up ended.
fn last_try(plan: &Plan, state: &RunState) -> Option<Instant> {
    let tries = plan.steps.iter().filter(|step| step.phase != Phase::Cleanup);
    let began = tries.filter_map(|step| state.steps.get(&step.key)?.started_at.map(|_| &step.key));
    began.filter_map(|key| state.steps[key].finished_at).max()
}

/// The waterfall of a run; `records` are those of the fold.
pub fn waterfall(plan: &Plan, state: &RunState, records: &[Record]) -> Waterfall {
    let first = records.first().map(|record| record.at).unwrap_or_default();
    let started_at = state.started_at.unwrap_or(first);
    let (from, from_what) = anchor(plan, started_at);
    let recovered = recovered_at(plan, state);
    // A run that has ended without recovery tried until its last step before clean-up.
    let tried = state.finished.and_then(|_| last_try(plan, state));
    let to = recovered.or(tried).or(state.last_at).unwrap_or(started_at).max(from);
    let mut times = Times { from, to, ..Times::default() };
    let notes = before_the_run(plan, started_at, &mut times);
    let mut scene = Scene::new(plan);
    let mut at = started_at;
    for record in records {
        // A clock that was set back makes no negative time.
        let now = record.at.max(at);
        times.add(scene.phase(), at, now);
        at = now;
        scene.take(&record.event, now);
    }
    times.add(scene.phase(), at, to);
    Waterfall {
        from,
        from_what: from_what.to_owned(),
        to,
        to_what: match (recovered, plan.measure.recovered.is_empty()) {
            (Some(_), _) => WaterfallEnd::Recovered,
            (None, false) => WaterfallEnd::LastEvent,
            (None, true) => WaterfallEnd::NothingToRecover,
        },
        total_ms: millis(from, to),
        phases: times.rows(),
        cleanup_ms: cleanup_ms(plan, state),
        notes,
    }
}

/// Attributes the time before the run, and says what had to be assumed.
fn before_the_run(plan: &Plan, started_at: Instant, times: &mut Times) -> Vec<String> {
    let mut notes = Vec::new();
    let from = times.from;
    if from > started_at {
        notes.push("the time counted from lies after the run's start; check --disaster-at".into());
    }
    let noticed = [plan.detected_at(), plan.declared_at].into_iter().flatten().min();
    if let Some(note) = plan.detection.as_ref().and_then(|detection| detection.note.as_ref()) {
        notes.push(format!("when it was noticed was {note}"));
    }
    match (plan.disaster_at, noticed) {
        (Some(_), Some(noticed)) => {
            let noticed = noticed.clamp(from, started_at.max(from));
            times.add(Phase::Detect.name(), from, noticed);
            times.add(Phase::Decide.name(), noticed, started_at);
        }
        (Some(_), None) => {
            times.add(Phase::Detect.name(), from, started_at);
            if from < started_at {
                notes.push("nobody said when it was declared: `detect` includes deciding".into());
            }
        }
        (None, _) => {
            times.add(Phase::Decide.name(), from, started_at);
            if let Some(at) = plan.detected_at().filter(|at| *at < started_at) {
                let at = format_instant(at);
                notes.push(format!(
                    "noticed {at}: `detect` is what came before, which is not counted because nobody \
                     said when it began (--disaster-at)"
                ));
            }
        }
    }
    notes
}

/// Milliseconds from `earlier` to `later`, zero when they are the other way round.
pub fn millis(earlier: Instant, later: Instant) -> u64 {
    u64::try_from(between(earlier, later).as_millis()).unwrap_or(u64::MAX)
}

/// Sums by phase, within a window.
#[derive(Default)]
struct Times {
    from: Instant,
    to: Instant,
    sums: BTreeMap<&'static str, u64>,
}

impl Times {
    fn add(&mut self, phase: &'static str, begin: Instant, end: Instant) {
        let clamp = |instant: Instant| instant.clamp(self.from, self.to);
        *self.sums.entry(phase).or_default() += millis(clamp(begin), clamp(end));
    }

    fn rows(&self) -> Vec<PhaseRow> {
        let names = Phase::NAMES.iter().map(|(name, _)| *name).chain([TOOL]);
        let rows = names.filter_map(|name| {
            let ms = *self.sums.get(name)?;
            (ms > 0).then(|| PhaseRow { phase: name.to_owned(), ms })
        });
        rows.collect()
    }
}

/// Which steps run at an instant.
struct Scene<'a> {
    order: BTreeMap<&'a StepKey, (usize, Phase)>,
    /// Running steps by the time they began, then by plan order: the longest-running is first.
    running: BTreeSet<(Instant, usize, &'a StepKey)>,
    asking: BTreeSet<StepKey>,
    interrupted: bool,
}

impl<'a> Scene<'a> {
    fn new(plan: &'a Plan) -> Self {
        let steps = plan.steps.iter().enumerate();
        let counted = steps.filter(|(_, step)| step.phase != Phase::Cleanup);
        Self {
            order: counted.map(|(place, step)| (&step.key, (place, step.phase))).collect(),
            running: BTreeSet::new(),
            asking: BTreeSet::new(),
            interrupted: false,
        }
    }

    fn phase(&self) -> &'static str {
        let Some((_, _, step)) = self.running.first() else {
            return if self.interrupted { Phase::Wait.name() } else { TOOL };
        };
        if self.interrupted || self.asking.contains(*step) {
            return Phase::Wait.name();
        }
        self.order.get(*step).map_or(TOOL, |(_, phase)| phase.name())
    }

    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::StepStarted { step, .. } => self.start(step, now),
            Event::StepSucceeded { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::UndoSucceeded { step }
            | Event::UndoFailed { step, .. } => self.running.retain(|(_, _, key)| *key != step),
            Event::UndoStarted { .. } => {}
            Event::QuestionAsked { step, .. } => {
                self.asking.insert(step.clone());
            }
            Event::QuestionAnswered { step, .. }
            | Event::QuestionExpired { step }
            | Event::QuestionClosed { step } => {
                self.asking.remove(step);
            }
            Event::RunInterrupted { .. } => self.interrupted = true,
            Event::AttemptStarted { .. } => self.interrupted = false,
            Event::RunStarted { .. }
            | Event::IntentRecorded { .. }
            | Event::ActAccepted { .. }
            | Event::ActRefused { .. }
            | Event::ActInDoubt { .. }
            | Event::StepObserved { .. }
            | Event::StepRetried { .. }
            | Event::RunFinished { .. }
            | Event::PredictionScored { .. }
            | Event::AnswerRefused { .. }
            | Event::ApprovalGiven { .. }
            | Event::ApprovalWithdrawn { .. }
            | Event::FiguresShown { .. }
            | Event::CommandTaken { .. }
            | Event::CommandRefused { .. }
            | Event::RunPaused { .. }
            | Event::RunContinued { .. }
            | Event::FormSwitched { .. }
            | Event::PlanChanged { .. }
            | Event::PlanKept { .. }
            | Event::AbortRequested { .. } => {}
        }
    }

    fn start(&mut self, step: &StepKey, now: Instant) {
        let Some((key, (place, _))) = self.order.get_key_value(step) else { return };
        self.running.insert((now, *place, *key));
    }
}

/// The union of the times in which clean-up steps and undos ran.
fn cleanup_ms(plan: &Plan, state: &RunState) -> u64 {
    let last = state.last_at;
    let mut spans: Vec<(Instant, Instant)> = Vec::new();
    for step in &plan.steps {
        let Some(found) = state.steps.get(&step.key) else { continue };
        if let (true, Some(begin)) = (step.phase == Phase::Cleanup, found.started_at) {
            spans.extend(found.finished_at.or(last).map(|end| (begin, end)));
        }
        if let Some(begin) = found.undo_started_at {
            spans.extend(found.undo_finished_at.or(last).map(|end| (begin, end)));
        }
    }
    spans.sort();
    let mut covered: Option<Instant> = None;
    let mut total = 0;
    for (begin, end) in spans {
        let begin = covered.map_or(begin, |covered| begin.max(covered));
        total += millis(begin, end);
        covered = Some(covered.map_or(end, |covered| covered.max(end)));
    }
    total
}
