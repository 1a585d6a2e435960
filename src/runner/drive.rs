//! Drives a machine until its run ends or is interrupted.
//!
//! **Invariant:** one turn, one transaction; nothing is performed that is not durable, and no mutation
//! without a look at the lease directly before it.

use super::flight::Flight;
use super::holding::{GLANCE, Holding};
use super::observer::Observer;
use super::running::{Inbox, Running};
use super::watch::Watch;
use crate::base::clock::ClockMode;
use crate::base::ids::StepKey;
use crate::engine::{Effect, Input, Machine, Turn};
use crate::journal::fold::RunState;
use crate::journal::{Fence, JournalError, Posted, Store};
use std::collections::BTreeSet;
use std::time::Duration;

/// The same as [`GLANCE`] where virtual time stands still for it: nobody should feel that.
const SHORT_GLANCE: Duration = Duration::from_millis(200);

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
    if running.wait {
        machine.wait_for_people();
    }
    let mut flight = Flight::of(running, machine.plan());
    let mut holding = Holding::new(running, store, fence);
    let mut handed = BTreeSet::new();
    // What waits for figures to be read before it is handed over.
    let mut decided: Option<Input> = None;
    let mut watch = Watch::default();
    let mut turn = turn;
    // Whether an act was launched that nobody has polled yet: nothing of it has left.
    let mut unsent = false;
    loop {
        holding.keep()?;
        holding.store.append(&turn.records)?;
        for record in &turn.records {
            let step = record.event.step().map(StepKey::as_str);
            tracing::info!(seq = record.seq, event = record.event.kind(), step, "recorded");
        }
        for observer in observers.iter_mut() {
            observer.turned(&turn.records, machine.state());
        }
        for effect in turn.effects {
            match effect {
                Effect::Halt => return Ok(Ended { state: machine.state().clone() }),
                Effect::Forget { step } => flight.forget(&step),
                Effect::Act { .. } => {
                    unsent = true;
                    flight.launch(&machine, effect);
                }
                Effect::Begin { .. }
                | Effect::Observe { .. }
                | Effect::Weigh { .. }
                | Effect::Ask { .. }
                | Effect::Await { .. } => flight.launch(&machine, effect),
            }
        }
        // An approval that waited for figures is the next input, whatever else is in flight.
        let idle = decided.is_none() && flight.is_empty() && !machine.is_held();
        assert!(!idle, "the machine waits for nothing and has not halted");
        let input = loop {
            if let Some(decided) = decided.take() {
                break decided;
            }
            if let Some(posted) = next_command(&*holding.store, &machine, &mut handed)? {
                break Input::Command(posted);
            }
            // The last thing before an act leaves: reading the inbox may have taken a while.
            if std::mem::take(&mut unsent) {
                holding.check()?;
            }
            tokio::select! {
                biased;
                () = running.stop.stopped() => {
                    break Input::Interrupt { reason: "signal".to_owned() };
                }
                Some(input) = flight.next() => break input,
                () = glance(running, &machine) => holding.check()?,
            }
            for step in watch.due(running, &machine) {
                flight.weigh(&machine, &step);
            }
        };
        // Whoever approves what cannot be taken back decides on what is true at that instant.
        let input = match watch.approved(&machine, input) {
            Ok(input) => input,
            Err((gate, input)) => {
                decided = Some(input);
                flight.weighed_now(&machine, &gate).await
            }
        };
        turn = machine.handle(input, running.clock.now());
    }
}

/// The oldest command that was neither used nor handed to this machine. One that a stopping machine left
/// alone is found by the next process.
fn next_command(
    store: &dyn Store,
    machine: &Machine,
    handed: &mut BTreeSet<String>,
) -> Result<Option<Posted>, JournalError> {
    let known = |id: &String| machine.state().has_used(id) || handed.contains(id);
    let next = store.posted()?.into_iter().find(|posted| !known(&posted.id));
    handed.extend(next.as_ref().map(|posted| posted.id.clone()));
    Ok(next)
}

/// Waits until it is time to look into the inbox and at the lease again, although nothing happened.
async fn glance(running: &Running<'_>, machine: &Machine) {
    let people = machine.awaits_people();
    match (running.clock.mode(), running.inbox) {
        (ClockMode::Virtual, Inbox::Watched) if people => {
            running.clock.stand_still(SHORT_GLANCE).await;
        }
        (ClockMode::Virtual, Inbox::EachTurn) if people => running.clock.sleep(GLANCE).await,
        // Virtual time leaps; the lease is kept on the way if it is by the same clock.
        (ClockMode::Virtual, Inbox::Watched | Inbox::EachTurn) => {
            running.clock.sleep(running.lease / 3).await;
        }
        (ClockMode::Real | ClockMode::Scaled(_), Inbox::Watched | Inbox::EachTurn) => {
            running.clock.stand_still(GLANCE).await;
        }
    }
}
