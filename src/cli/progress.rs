//! Live progress: bars on a terminal, timestamped lines elsewhere.
//!
//! **Invariant:** an observer; it reads records and cannot change a run.

use crate::base::clock::{Clock, between, format_instant};
use crate::base::duration::human;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::cli::out;
use crate::journal::event::{Event, Record, RunOutcome, SkipReason};
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::Plan;
use crate::report::control::{because, control_sentence};
use crate::report::waterfall::recovered_at;
use crate::runner::Observer;
use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

/// Between two redraws of the elapsed times.
const TICK: Duration = Duration::from_millis(200);

/// Most steps skipped in one turn that have a line each.
const FEW: usize = 5;

/// Most skipped steps that are named; items of one step are one.
const MOST_SKIPPED: usize = 12;

/// How a prediction reads whose step was not reached.
const NOT_REACHED: &str = ": predicted WILL, ended skipped";

/// Shows a run as it goes.
pub(super) struct Progress {
    clock: Clock,
    /// When the disaster happened or was declared, if it was said.
    since: Option<DateTime<Utc>>,
    plan: Plan,
    bars: Option<Bars>,
}

/// Where to say something that is no event of the run.
pub(super) struct Aside {
    bars: Option<MultiProgress>,
}

impl Aside {
    /// Says it without the bars writing over it.
    pub(super) fn say(&self, text: &str) {
        let text = out::fitted(text);
        match &self.bars {
            Some(bars) => bars.suspend(|| out::progress(&text)),
            None => out::progress(&text),
        }
    }
}

struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
    steps: BTreeMap<StepKey, ProgressBar>,
}

impl Progress {
    /// Progress of a run of `plan` on standard error.
    pub(super) fn new(plan: &Plan, clock: Clock) -> Self {
        out::progress(plan.environment.banner().unwrap_or_default());
        let place = &plan.environment;
        let where_to = format!("in {}, answered by {}", place.name, place.server);
        out::progress(&format!("run {} of {} {where_to}", plan.run, plan.title));
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(plan, &clock));
        Self { since: plan.counted_from(), clock, plan: plan.clone(), bars }
    }

    /// Says something beside the display while a run goes on.
    pub(super) fn aside(&self) -> Aside {
        Aside { bars: self.bars.as_ref().map(|bars| bars.all.clone()) }
    }

    /// Takes the display down.
    pub(super) fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.steps.values().for_each(ProgressBar::finish_and_clear);
            bars.overall.finish_and_clear();
        }
    }

    fn line(&self, at: DateTime<Utc>, text: &str) {
        match &self.bars {
            Some(bars) => bars.all.suspend(|| out::progress(&out::fitted(text))),
            None => out::progress(&format!("{} {text}", format_instant(at))),
        }
    }
}

impl Bars {
    fn new(plan: &Plan, clock: &Clock) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let steps = u64::try_from(plan.steps.len()).unwrap_or(0);
        let overall = all.add(ProgressBar::new(steps));
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} steps  {clock}  {msg}")
            .expect("a valid template")
            .with_key("clock", recovery_clock(plan, clock));
        overall.set_style(style);
        overall.enable_steady_tick(TICK);
        Self { all, overall, steps: BTreeMap::new() }
    }

    fn show(&mut self, step: &StepKey, state: &str, clock: &Clock) {
        let bar = self.steps.entry(step.clone()).or_insert_with(|| {
            let bar = self.all.insert_before(&self.overall, ProgressBar::new_spinner());
            let (clock, began) = (clock.clone(), clock.now());
            let elapsed = move |_: &indicatif::ProgressState, text: &mut dyn std::fmt::Write| {
                let _ = write!(text, "{:>7}", human(between(began, clock.now())));
            };
            let style = ProgressStyle::with_template("{spinner} {took} {prefix}: {msg}")
                .expect("a valid template")
                .with_key("took", elapsed);
            bar.set_style(style);
            bar.enable_steady_tick(TICK);
            bar.set_prefix(step.as_str().to_owned());
            bar
        });
        bar.set_message(state.to_owned());
    }

    /// Bars that redraw themselves would write over what a person types.
    fn step_aside(&self, asking: bool) {
        let target =
            if asking { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        if self.all.is_hidden() != asking {
            // What is drawn would stay above the question for ever.
            let _ = self.all.clear();
            self.all.set_draw_target(target);
        }
    }

    /// Takes the step's line down; `state` has how many have ended, as `drctl status` counts them.
    fn clear(&mut self, step: &StepKey, state: &RunState) {
        if let Some(bar) = self.steps.remove(step) {
            bar.finish_and_clear();
        }
        let ended = state.steps.values().filter(|step| step.status.is_over()).count();
        self.overall.set_position(u64::try_from(ended).unwrap_or(u64::MAX));
    }
}

/// `recovery 12m34s of 4h00m`, on the run's own clock.
fn recovery_clock(
    plan: &Plan,
    clock: &Clock,
) -> impl Fn(&indicatif::ProgressState, &mut dyn std::fmt::Write) + Clone + Send + Sync + 'static {
    let began = plan.counted_from().unwrap_or(plan.created_at);
    let promised =
        plan.objectives.recovery_time_ms.map(|millis| human(Duration::from_millis(millis)));
    let clock = clock.clone();
    move |_, text| {
        let passed = human(between(began, clock.now()));
        let _ = match &promised {
            Some(promised) => write!(text, "recovery clock {passed} of {promised}"),
            None => write!(text, "recovery clock {passed}"),
        };
    }
}

impl Observer for Progress {
    fn turned(&mut self, records: &[Record], state: &RunState) {
        if let Some(bars) = &self.bars {
            bars.step_aside(state.questions().next().is_some());
        }
        let recovered = recovered_at(&self.plan, state).is_some();
        let last = records.iter().rposition(|record| self.recovers(&record.event));
        let cut_off = cut_off(records);
        for (place, record) in records.iter().enumerate() {
            let together = cut_off.iter().position(|step| record.event.step() == Some(*step));
            let text = match together {
                Some(0) => Some(format!(
                    "{} steps are skipped, what they need did not come: {}",
                    cut_off.len(),
                    listed(cut_off.iter().copied(), MOST_SKIPPED)
                )),
                Some(_) => None,
                None => {
                    describe(&record.event, state).filter(|_| !told_again(&record.event, records))
                }
            };
            if let Some(text) = text {
                self.line(record.at, &text);
            }
            if let Some(text) = still_needed(&self.plan, &record.event, state) {
                self.line(record.at, &text);
            }
            self.update_bars(&record.event, state);
            if recovered && last == Some(place) {
                let since = self.since.or(state.started_at).unwrap_or(record.at);
                let passed = human(between(since, record.at));
                let failed = state.steps.values().any(|step| step.status == StepStatus::Failed);
                let text = if failed {
                    format!("not recovered after {passed}: a step before this one failed")
                } else {
                    format!("RECOVERED after {passed}")
                };
                self.line(record.at, &text);
            }
        }
    }
}

impl Progress {
    /// Whether a step that means recovered succeeded; of several, the last one counts.
    fn recovers(&self, event: &Event) -> bool {
        let recovered = &self.plan.measure.recovered;
        matches!(event, Event::StepSucceeded { step, .. } if recovered.contains(step))
    }

    fn update_bars(&mut self, event: &Event, state: &RunState) {
        let Some(bars) = &mut self.bars else { return };
        let Some(step) = event.step() else { return };
        match state.steps.get(step).map(|found| found.status) {
            Some(StepStatus::Running | StepStatus::Undoing) => {
                let words = describe_state(event).unwrap_or_else(|| "working".to_owned());
                bars.show(step, &words, &self.clock);
            }
            Some(_) => bars.clear(step, state),
            None => {}
        }
    }
}

/// What a gate still needs after an approval that was not the last one.
fn still_needed(plan: &Plan, event: &Event, state: &RunState) -> Option<String> {
    let Event::ApprovalGiven { step, .. } = event else { return None };
    let found = state.steps.get(step)?;
    let needed = found.question.as_ref()?.gate.as_ref()?.approvals;
    let (given, run) = (found.approvals.len(), &plan.run);
    if given >= needed as usize {
        return Some(format!(
            "{step}: approvals that do not acknowledge two writers do not count now: drctl approve {run} \
             {step} --acknowledge two-writers"
        ));
    }
    Some(format!(
        "{step}: {given} of {needed} approvals; another person: drctl approve {run} {step}"
    ))
}

/// The steps that a turn skips because of others, where they are too many for a line each. A step that
/// has another record in the turn is told by that.
fn cut_off(records: &[Record]) -> Vec<&StepKey> {
    let found: Vec<&StepKey> = records
        .iter()
        .filter_map(|record| match &record.event {
            Event::StepSkipped { step, reason } if is_of_others(reason) => Some(step),
            _ => None,
        })
        .collect();
    if found.len() > FEW { found } else { Vec::new() }
}

/// Whether a step was skipped because of what became of others.
fn is_of_others(reason: &SkipReason) -> bool {
    matches!(
        reason,
        SkipReason::Upstream { .. } | SkipReason::Stopped { .. } | SkipReason::Aborted { .. }
    )
}

/// Whether a refusal is told again, with its consequence, by a failure in the same turn.
fn told_again(event: &Event, records: &[Record]) -> bool {
    if let Event::FiguresShown { step, .. } = event {
        // The question that comes with them shows them.
        let asks = |record: &Record| matches!(&record.event, Event::QuestionAsked { step: asked, .. } if asked == step);
        return records.iter().any(asks);
    }
    let Event::ActRefused { step, .. } = event else { return false };
    records.iter().any(|record| matches!(&record.event, Event::StepFailed { step: failed, .. } | Event::UndoFailed { step: failed, .. } if failed == step))
}

fn describe_state(event: &Event) -> Option<String> {
    match event {
        Event::StepObserved { state, .. } => Some(state.clone()),
        Event::IntentRecorded { operation, .. } => Some(format!("calling {operation}")),
        Event::StepRetried { error, .. } => Some(format!("trying again: {}", error.message)),
        _ => None,
    }
}

/// One line for people; `None` for events that say nothing new.
pub(super) fn describe(event: &Event, state: &RunState) -> Option<String> {
    Some(match event {
        Event::RunStarted { .. } | Event::UndoSucceeded { .. } | Event::ActAccepted { .. } => {
            return None;
        }
        Event::AttemptStarted { attempt: 1, .. } => return None,
        Event::AttemptStarted { attempt, operator } => {
            format!("resumed by {operator}: attempt {attempt}")
        }
        Event::StepStarted { step, .. } => format!("{step}: started"),
        Event::IntentRecorded { step, operation, target, .. } => {
            format!("{step}: {operation} {target}")
        }
        Event::ActRefused { step, error } => format!("{step}: refused: {}", error.message),
        Event::ActInDoubt { step, error } => {
            format!("{step}: in doubt, looking: {}", error.message)
        }
        Event::StepObserved { step, state, .. } => format!("{step}: {state}"),
        Event::StepRetried { step, error, delay_ms } => {
            let delay = human(Duration::from_millis(*delay_ms));
            format!("{step}: again in {delay}: {}", error.message)
        }
        Event::StepSucceeded { step, adopted, warnings, .. } => {
            let took =
                state.steps.get(step).and_then(|found| found.started_at.zip(found.finished_at));
            let took =
                took.map(|(a, b)| format!(" in {}", human(between(a, b)))).unwrap_or_default();
            let adopted = if *adopted { " (found done already)" } else { "" };
            let warned =
                warnings.iter().map(|warning| format!("\n  ! {warning}")).collect::<String>();
            format!("{step}: done{took}{adopted}{warned}")
        }
        Event::StepFailed { step, error, .. } => {
            let help =
                error.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
            format!("{step}: FAILED: {}{help}", error.message)
        }
        Event::StepSkipped { step, reason } => format!("{step}: skipped: {}", skip_text(reason)),
        Event::UndoStarted { step } => format!("{step}: undoing"),
        Event::UndoFailed { step, error } => format!("{step}: UNDO FAILED: {}", error.message),
        Event::QuestionAsked { step, question, gate, .. } => {
            let until =
                gate.as_ref().map(|gate| format!(" (until {})", format_instant(gate.deadline)));
            format!("{step}: waiting for a person{}: {question}", until.unwrap_or_default())
        }
        Event::QuestionAnswered { step, answer, operator, way, comment, .. } => {
            let way = way.map(|way| format!(" {}", way.phrase())).unwrap_or_default();
            let comment = because(comment.as_deref());
            format!("{step}: {operator} answered {answer}{way}{comment}")
        }
        Event::QuestionExpired { step } => format!("{step}: nobody answered in time"),
        // What a command does is told by what follows from it.
        Event::CommandTaken { .. } | Event::QuestionClosed { .. } => return None,
        Event::RunInterrupted { reason } => format!("stopped: {reason}"),
        Event::PredictionScored { held, total, wrong } => {
            format!("prediction: {held} of {total} held{}", wrong_text(wrong))
        }
        Event::RunFinished { outcome } => format!("run {}", outcome_word(*outcome)),
        // What people did to the run.
        _ => {
            let step = event.step().map(|step| format!("{step}: ")).unwrap_or_default();
            format!("{step}{}", control_sentence(event)?)
        }
    })
}

/// What did not come as predicted; what merely was not reached is counted where it is much.
fn wrong_text(wrong: &[String]) -> String {
    let reached = |text: &&String| !text.ends_with(NOT_REACHED);
    let (told, missing): (Vec<&String>, Vec<&String>) = wrong.iter().partition(reached);
    let few = missing.len() <= FEW;
    let all = told.into_iter().chain(missing.iter().copied().filter(|_| few));
    let mut text: String = all.map(|text| format!("\n  wrong: {text}")).collect();
    if !few {
        text.push_str(&format!(
            "\n  wrong: {} steps were predicted WILL, ended skipped",
            missing.len()
        ));
    }
    text
}

/// Why a step did not run.
pub(super) fn skip_text(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Condition { when } => format!("its condition is false: {when}"),
        SkipReason::Upstream { step } => format!("it needs {step}"),
        SkipReason::Stopped { step } => format!("the run was stopped by {step}"),
        SkipReason::Nothing { why } => why.clone(),
        SkipReason::Operator { operator, reason } => {
            let reason = because(reason.as_deref());
            format!("{operator} decided so{reason}")
        }
        SkipReason::Aborted { operator } => format!("{operator} aborted the run"),
    }
}

/// An outcome in a word.
pub(super) fn outcome_word(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Warned => "succeeded with warnings",
        RunOutcome::Failed => "FAILED",
        RunOutcome::Undone => "failed and was undone",
        RunOutcome::Aborted => "aborted",
    }
}
