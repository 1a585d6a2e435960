//! What is in flight: effects that become inputs.
//!
//! **Invariant:** at most one thing a step, and what is forgotten is never reported.

use super::perform::{act, observe};
use super::prepare::{Past, Prepared, StepsById, by_id, prepare};
use super::running::Running;
use super::stakes::weigh;
use crate::base::ids::StepKey;
use crate::engine::{Effect, Input, Machine, Part, Reply};
use crate::journal::command::remark;
use crate::journal::fold::Question;
use crate::plan::model::Plan;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything in flight of one run.
pub(super) struct Flight<'a> {
    running: &'a Running<'a>,
    plan: Arc<Plan>,
    places: StepsById,
    prepared: BTreeMap<(StepKey, Part), Arc<Prepared>>,
    flying: FuturesUnordered<Abortable<LocalBoxFuture<'a, Input>>>,
    handles: BTreeMap<StepKey, AbortHandle>,
}

impl<'a> Flight<'a> {
    /// Nothing in flight of `plan` yet.
    pub(super) fn of(running: &'a Running<'a>, plan: &Plan) -> Self {
        Self {
            running,
            plan: Arc::new(plan.clone()),
            places: by_id(plan),
            prepared: BTreeMap::new(),
            flying: FuturesUnordered::new(),
            handles: BTreeMap::new(),
        }
    }

    /// Whether nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    /// Drops what is in flight for `step`.
    pub(super) fn forget(&mut self, step: &StepKey) {
        if let Some(handle) = self.handles.remove(step) {
            handle.abort();
        }
    }

    /// The next that has landed; `None` when nothing is in flight.
    pub(super) async fn next(&mut self) -> Option<Input> {
        loop {
            // What was forgotten lands as an error and is nothing.
            if let Ok(input) = self.flying.next().await? {
                return Some(input);
            }
        }
    }

    /// Turns an effect into work that ends as an input.
    pub(super) fn launch(&mut self, machine: &Machine, effect: Effect) {
        let (running, plan) = (self.running, Arc::clone(&self.plan));
        let (step, work): (StepKey, LocalBoxFuture<'a, Input>) = match effect {
            Effect::Begin { step, part } => {
                let steps = (&*plan, &self.places);
                let (begun, ready) =
                    prepare(running, steps, machine.state(), machine.step(&step), part);
                if let Some(ready) = ready {
                    self.prepared.insert((step.clone(), part), Arc::new(ready));
                }
                (step.clone(), Box::pin(std::future::ready(Input::Begun { step, begun })))
            }
            Effect::Observe { step, part, delay } => {
                let (ready, past) = self.ready(machine, &step, part);
                (step, Box::pin(async move { observe(running, &plan, ready, past, delay).await }))
            }
            Effect::Act { step, part } => {
                let (ready, past) = self.ready(machine, &step, part);
                (step, Box::pin(async move { act(running, &plan, ready, past).await }))
            }
            Effect::Weigh { step } => (step.clone(), self.weighing(machine, &step)),
            Effect::Ask { step, question } => {
                (step.clone(), Box::pin(ask(running, step, question)))
            }
            Effect::Await { step, until } => {
                (step.clone(), Box::pin(wait_for_the_end(running, step, until)))
            }
            Effect::Forget { .. } | Effect::Halt => unreachable!("the loop performs these itself"),
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(step, handle);
        self.flying.push(Abortable::new(work, registration));
    }

    /// Reads again what is at stake at a gate that waits, beside its question.
    pub(super) fn weigh(&mut self, machine: &Machine, step: &StepKey) {
        let (work, registration) = (self.weighing(machine, step), AbortHandle::new_pair().1);
        self.flying.push(Abortable::new(work, registration));
    }

    /// The same, waited for.
    pub(super) async fn weighed_now(&self, machine: &Machine, step: &StepKey) -> Input {
        self.weighing(machine, step).await
    }

    fn weighing(&self, machine: &Machine, step: &StepKey) -> LocalBoxFuture<'a, Input> {
        let (running, plan, step) = (self.running, Arc::clone(&self.plan), step.clone());
        let (places, state) = (self.places.clone(), machine.state().clone());
        Box::pin(async move { weigh(running, (&plan, &places), &state, step).await })
    }

    fn ready(&self, machine: &Machine, step: &StepKey, part: Part) -> (Arc<Prepared>, Past) {
        let ready = Arc::clone(&self.prepared[&(step.clone(), part)]);
        (ready, Past::of(&self.plan, machine.state(), step))
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
        Some(Reply { answer, way, comment, acknowledged }) => {
            let comment = comment.and_then(|text| remark(&text));
            let reply = Reply { answer, way, comment, acknowledged };
            Input::Answered { step, reply, by: running.operator.clone() }
        }
        None => Input::NobodyAnswered { step },
    }
}

/// Nobody here answers: until the question's time is over.
async fn wait_for_the_end(
    running: &Running<'_>,
    step: StepKey,
    until: Option<DateTime<Utc>>,
) -> Input {
    match until {
        Some(until) => running.clock.sleep_until(until).await,
        None => std::future::pending().await,
    }
    Input::NobodyAnswered { step }
}
