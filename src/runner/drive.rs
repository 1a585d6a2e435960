//! Drives a machine until its run ends or is interrupted.
//!
//! **Invariant:** one turn, one transaction; nothing is performed that is not durable.

use super::observer::{Observer, Operator, StopSignal};
use super::perform::{act, observe};
use super::prepare::{Past, Prepared, StepsById, by_id, prepare};
use crate::action::Catalogue;
use crate::base::clock::Clock;
use crate::base::ids::StepKey;
use crate::base::redact::redact_line;
use crate::base::value::Values;
use crate::cloud::{Cloud, Effects, Writer};
use crate::engine::{Effect, Input, Machine, Part, Reply, Turn};
use crate::estate::{Environment, Estate};
use crate::journal::fold::{Question, RunState};
use crate::journal::{Fence, JournalError, Store};
use crate::plan::model::Plan;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a lease lasts without being renewed: several times the longest wait between two turns.
pub const LEASE: Duration = Duration::from_secs(300);

/// Most characters of what a person adds to an answer: a reason, not a protocol.
const LONGEST_COMMENT: usize = 1_000;

/// Everything a run works with.
pub struct Running<'a> {
    /// The actions.
    pub catalogue: &'a Catalogue,
    /// The guarded cloud of a live run.
    pub cloud: &'a Cloud,
    /// Typed writes.
    pub writer: &'a Writer,
    /// The effects gate.
    pub effects: &'a Effects,
    /// The clock.
    pub clock: &'a Clock,
    /// The estate.
    pub estate: &'a Estate,
    /// The environment.
    pub environment: &'a Environment,
    /// Parameters.
    pub parameters: Values,
    /// Who runs this.
    pub operator: &'a str,
    /// Who is asked.
    pub people: &'a dyn Operator,
    /// Asks the run to stop.
    pub stop: StopSignal,
}

/// How driving ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The state of the run.
    pub state: RunState,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The journal is the truth: without it nothing may happen.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Drives `machine`, whose first turn is `turn`, until it halts.
///
/// # Errors
/// The journal cannot be written, or its lease was lost. Nothing is performed after that.
pub async fn drive(
    running: &Running<'_>,
    mut machine: Machine,
    turn: Turn,
    store: &mut dyn Store,
    fence: Fence,
    observers: &mut [&mut dyn Observer],
) -> Result<Ended, RunnerError> {
    let plan = Arc::new(machine.plan().clone());
    let places = by_id(&plan);
    let mut prepared: BTreeMap<(StepKey, Part), Arc<Prepared>> = BTreeMap::new();
    let mut flying: FuturesUnordered<LocalBoxFuture<'_, Input>> = FuturesUnordered::new();
    let mut renewed = running.clock.now();
    let mut turn = turn;
    loop {
        keep_lease(store, fence, running.clock.now(), &mut renewed)?;
        store.append(&turn.records)?;
        for record in &turn.records {
            let step = record.event.step().map(StepKey::as_str);
            tracing::info!(seq = record.seq, event = record.event.kind(), step, "recorded");
        }
        for observer in observers.iter_mut() {
            observer.turned(&turn.records, machine.state());
        }
        for effect in turn.effects {
            if effect == Effect::Halt {
                return Ok(Ended { state: machine.state().clone() });
            }
            let steps = (Arc::clone(&plan), &places);
            flying.push(launch(running, &machine, steps, effect, &mut prepared));
        }
        assert!(!flying.is_empty(), "the machine waits for nothing and has not halted");
        let input = loop {
            tokio::select! {
                biased;
                () = running.stop.stopped() => {
                    break Input::Interrupt { reason: "signal".to_owned() };
                }
                Some(input) = flying.next() => break input,
                // A person may take longer than a lease lasts.
                () = running.clock.sleep(LEASE / 3) => {
                    keep_lease(store, fence, running.clock.now(), &mut renewed)?;
                }
            }
        };
        turn = machine.handle(input, running.clock.now());
    }
}

fn keep_lease(
    store: &mut dyn Store,
    fence: Fence,
    now: DateTime<Utc>,
    renewed: &mut DateTime<Utc>,
) -> Result<(), JournalError> {
    if now - *renewed >= crate::base::clock::to_delta(LEASE / 3) {
        store.renew(fence, now, LEASE)?;
        *renewed = now;
    }
    Ok(())
}

/// Turns an effect into work that ends as an input.
fn launch<'a>(
    running: &'a Running<'a>,
    machine: &Machine,
    (plan, by_id): (Arc<Plan>, &StepsById),
    effect: Effect,
    prepared: &mut BTreeMap<(StepKey, Part), Arc<Prepared>>,
) -> LocalBoxFuture<'a, Input> {
    match effect {
        Effect::Begin { step, part } => {
            let steps = (&*plan, by_id);
            let (begun, ready) =
                prepare(running, steps, machine.state(), machine.step(&step), part);
            if let Some(ready) = ready {
                prepared.insert((step.clone(), part), Arc::new(ready));
            }
            Box::pin(std::future::ready(Input::Begun { step, begun }))
        }
        Effect::Observe { step, part, delay } => {
            let ready = Arc::clone(&prepared[&(step, part)]);
            let past = Past::of(&machine.state().steps[&ready.step]);
            Box::pin(async move { observe(running, &plan, ready, past, delay).await })
        }
        Effect::Act { step, part } => {
            let ready = Arc::clone(&prepared[&(step, part)]);
            let past = Past::of(&machine.state().steps[&ready.step]);
            Box::pin(async move { act(running, &plan, ready, past).await })
        }
        Effect::Ask { step, question } => Box::pin(ask(running, step, question)),
        Effect::Halt => unreachable!("the loop returns on Halt"),
    }
}

/// Asks until somebody answers or the question's time is over.
async fn ask(running: &Running<'_>, step: StepKey, question: Question) -> Input {
    let asking = running.people.ask(&step, &question);
    let reply = match question.gate.as_ref().map(|gate| gate.deadline) {
        None => asking.await,
        Some(deadline) => tokio::select! {
            biased;
            reply = asking => reply,
            () = running.clock.sleep_until(deadline) => None,
        },
    };
    match reply {
        Some(Reply { answer, way, comment }) => {
            let plain = |text: String| text.replace(|c: char| c.is_control() && c != '\n', "");
            let comment = comment.map(|text| redact_line(&plain(text), LONGEST_COMMENT));
            let comment = comment.filter(|text| !text.is_empty());
            let reply = Reply { answer, way, comment };
            Input::Answered { step, reply, operator: running.operator.to_owned() }
        }
        None => Input::NobodyAnswered { step },
    }
}
