//! Reads what is at stake behind a gate, as the steps themselves say it.
//!
//! **Invariant:** only reads, for a bounded time; what cannot be read is an unknown figure, never a reason
//! not to ask.

use super::prepare::{Past, StepsById, prepare};
use super::running::Running;
use crate::action::{Figure, ReadContext};
use crate::base::clock::later;
use crate::base::ids::StepKey;
use crate::base::redact::redact_line;
use crate::cloud::Overlay;
use crate::engine::{Begun, Input, Part};
use crate::journal::figure::FigureRecord;
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Role};
use std::time::Duration;

/// How long all of them are read: whoever decides at three in the morning waits no longer for figures, and
/// the run's lease is well within its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest figure: a line.
const LONGEST: usize = 300;

/// Name of the figure that stands for what could not be read.
const DATA_LOSS: &str = "data_loss";

/// What the steps behind `gate` say now.
pub(super) async fn weigh(
    running: &Running<'_>,
    (plan, by_id): (&Plan, &StepsById),
    state: &RunState,
    gate: StepKey,
) -> Input {
    let mut figures = Vec::new();
    let found = plan.steps.iter().find(|step| step.key == gate);
    let until = later(running.clock.now(), PATIENCE);
    for key in found.iter().flat_map(|gate| &gate.before) {
        let Some(step) = plan.steps.iter().find(|step| step.key == *key) else { continue };
        if state.steps[key].status != StepStatus::Pending {
            continue;
        }
        let read = tokio::select! {
            biased;
            read = read(running, (plan, by_id), state, step) => read,
            () = running.clock.sleep_until(until) => {
                vec![Figure::unknown(DATA_LOSS, "unknown: nobody answered in time")]
            }
        };
        figures.extend(read.into_iter().map(|figure| recorded(key, figure)));
    }
    Input::Weighed { step: gate, figures }
}

async fn read(
    running: &Running<'_>,
    places: (&Plan, &StepsById),
    state: &RunState,
    step: &PlannedStep,
) -> Vec<Figure> {
    let (begun, prepared) = prepare(running, places, state, step, Part::Forward);
    let Some(prepared) = prepared else {
        let why = match begun {
            Begun::Skip { when } => {
                return vec![Figure::known(
                    DATA_LOSS,
                    format!("none: left out, `{when}` is false"),
                )];
            }
            Begun::Nothing { because } => because,
            Begun::Failed(error) => error.message,
            Begun::Run { .. } => "it is not ready".to_owned(),
        };
        return vec![Figure::unknown(DATA_LOSS, format!("unknown: {why}"))];
    };
    let view = running.cloud.view(Overlay::default());
    let past = Past::of(&state.steps[&step.key], state.form);
    let scope = prepared.scope(running, places.0, running.clock.now(), past);
    let (effects, memory) = (running.effects, &prepared.memory);
    let figures =
        prepared.action.stakes(&ReadContext { scope, view: &view, effects, memory }).await;
    if figures.is_empty() && step.role == Role::Promotion {
        let why = format!("unknown: {} does not say what is lost", step.uses);
        return vec![Figure::unknown(DATA_LOSS, why)];
    }
    figures
}

fn recorded(step: &StepKey, figure: Figure) -> FigureRecord {
    let Figure { name, text, time, known } = figure;
    FigureRecord {
        step: Some(step.clone()),
        name: name.to_owned(),
        text: redact_line(&text, LONGEST),
        known,
        time_ms: time.filter(|_| known).map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
    }
}
