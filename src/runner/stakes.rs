//! Reads what is at stake behind a gate, as the steps themselves say it.
//!
//! **Invariant:** only reads, for a bounded time; what cannot be read is an unknown figure, never a reason
//! not to ask.

use super::prepare::{Past, StepsById, prepare};
use super::running::Running;
use crate::action::{Figure, ReadContext, StepScope};
use crate::base::clock::later;
use crate::base::ids::StepKey;
use crate::base::redact::redact_line;
use crate::cloud::Overlay;
use crate::engine::{Begun, Input, Part, fences_to_see};
use crate::journal::figure::FigureRecord;
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Role};
use futures_util::future::join_all;
use std::time::Duration;

/// How long all of them are read: whoever decides at three in the morning waits no longer for figures, and
/// the run's lease is well within its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest figure: a line.
const LONGEST: usize = 300;

/// Name of the figure that stands for what could not be read.
const DATA_LOSS: &str = "data_loss";

/// What the steps behind `gate` say now, and what is left of the fences before it.
pub(super) async fn weigh(
    running: &Running<'_>,
    (plan, by_id): (&Plan, &StepsById),
    state: &RunState,
    gate: StepKey,
) -> Input {
    let until = later(running.clock.now(), PATIENCE);
    let planned = plan.steps.iter().find(|step| step.key == gate);
    let pending = |key: &&StepKey| state.steps[*key].status == StepStatus::Pending;
    let behind = planned.into_iter().flat_map(|gate| &gate.before).filter(pending);
    let behind = behind.filter_map(|key| plan.steps.iter().find(|step| step.key == *key));
    let fences = planned.map(|gate| fences_to_see(plan, state, gate)).unwrap_or_default();
    let all = behind.map(|step| (step, false)).chain(fences.into_iter().map(|step| (step, true)));
    // Side by side: one that does not answer takes nothing away from the others.
    let reads = all.map(|(step, stands)| async move {
        let read = tokio::select! {
            biased;
            read = read(running, (plan, by_id), state, step) => read,
            () = running.clock.sleep_until(until) => {
                let why = "nobody answered in time";
                vec![match stands {
                    true => Figure::fence_unseen(why),
                    false => Figure::unknown(DATA_LOSS, format!("unknown: {why}")),
                }]
            }
        };
        read.into_iter().map(|figure| recorded(&step.key, figure)).collect::<Vec<_>>()
    });
    let figures = join_all(reads).await.into_iter().flatten().collect();
    Input::Weighed { step: gate, figures }
}

async fn read(
    running: &Running<'_>,
    places: (&Plan, &StepsById),
    state: &RunState,
    step: &PlannedStep,
) -> Vec<Figure> {
    let (begun, prepared) = prepare(running, places, state, step, Part::Forward);
    let stands = state.steps[&step.key].status.is_success();
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
        if stands {
            return vec![Figure::fence_unseen(why)];
        }
        return vec![Figure::unknown(DATA_LOSS, format!("unknown: {why}"))];
    };
    let cloud = match running.cloud.in_account(prepared.account.as_deref()) {
        Ok(cloud) => cloud,
        Err(error) if stands => return vec![Figure::fence_unseen(error.to_string())],
        Err(error) => return vec![Figure::unknown(DATA_LOSS, format!("unknown: {error}"))],
    };
    let view = cloud.view(Overlay::default());
    let past = Past::of(places.0, state, &step.key);
    let scope = prepared.scope(running, places.0, running.clock.now(), past);
    let scope = StepScope { environment: cloud.environment(), ..scope };
    let (effects, memory) = (&cloud.effects_here(running.effects), &prepared.memory);
    let context = ReadContext { scope, view: &view, effects, memory };
    if stands {
        return prepared.action.breach(&context).await.into_iter().collect();
    }
    let figures = prepared.action.stakes(&context).await;
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
