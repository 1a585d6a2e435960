//! Drives a run in this process: live cloud, signals, progress, and the report at its end.
//!
//! **Invariant:** whatever happens, the last line says how the run stands and what to type next.

use crate::base::value::{Value, Values};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, operator};
use crate::cli::people::People;
use crate::cli::progress::Progress;
use crate::cli::reports::conclude;
use crate::cli::session::Session;
use crate::cloud::GuardPolicy;
use crate::engine::{Machine, Turn};
use crate::estate::{Environment, Estate};
use crate::journal::{Fence, Person, Store};
use crate::plan::model::Plan;
use crate::runbook::{Given, bind_parameters, load_runbook};
use crate::runner::{Ended, Inbox, LEASE, Observer, Running, StopSignal, declared, drive};
use std::collections::BTreeMap;

/// What a run in this process works with.
pub(super) struct Undertaking<'a> {
    /// Actions, files, state.
    pub tools: &'a Tools,
    /// The estate.
    pub estate: &'a Estate,
    /// The environment.
    pub environment: &'a Environment,
    /// The wired environment.
    pub session: &'a Session,
    /// Form of the result.
    pub output: OutputForm,
    /// Who answers the run's questions.
    pub people: People,
}

/// Drives the run to its end or to a stop in good order, and reports.
///
/// # Errors
/// The journal or the credentials fail.
pub(super) async fn undertake(
    undertaking: Undertaking<'_>,
    machine: Machine,
    turn: Turn,
    store: &mut dyn Store,
    fence: Fence,
) -> Result<Exit, CommandError> {
    let Undertaking { tools, estate, environment, session, output, people } = undertaking;
    let plan = machine.plan().clone();
    let cloud = session
        .cloud(GuardPolicy::live(declared(&tools.catalogue, &plan)))
        .await?
        .protecting(estate);
    let writer = cloud.writer().expect("a live cloud has a writer");
    let effects = cloud.effects(session.ports.clone());
    let parameters = plan_parameters(tools, &plan)?;
    let stop = StopSignal::default();
    let person = Person::declared(&operator());
    let running = Running {
        catalogue: &tools.catalogue,
        cloud: &cloud,
        writer: &writer,
        effects: &effects,
        clock: &session.clock,
        estate,
        environment,
        parameters,
        operator: &person,
        people: &people,
        stop: stop.clone(),
        inbox: Inbox::Watched,
        wait: false,
        lease: LEASE,
        lease_clock: &session.clock,
    };
    let mut progress = Progress::new(&plan, session.clock.clone());
    let mut observers: [&mut dyn Observer; 1] = [&mut progress];
    let driven = tokio::select! {
        biased;
        driven = drive(&running, machine, turn, store, fence, &mut observers) => driven,
        never = stop_on_signal(stop) => match never {},
    };
    progress.finish();
    let Ended { state } = driven.map_err(|error| match error {
        crate::runner::RunnerError::Journal(error) => CommandError::from(error)
            .help(format!("nothing was done that is not recorded; `drctl resume {}`", plan.run)),
    })?;
    store.release(fence)?;
    if let Some(given) = people.unused() {
        let late = format!("the answer `{}` for {} came too late", given.answer, given.step);
        crate::cli::out::progress(&format!("{late}: nobody was waiting for it any more"));
    }
    conclude(tools, &plan, &state, store, output)
}

/// Turns Ctrl-C and a termination signal into a stop in good order.
async fn stop_on_signal(stop: StopSignal) -> std::convert::Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signal handlers can be installed");
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        crate::cli::out::progress("stopping in good order: waiting for the call in flight");
        stop.stop();
    }
}

/// The plan's parameters with their declared types.
///
/// # Errors
/// The embedded runbook is not valid for this version of drctl.
pub(super) fn plan_parameters(tools: &Tools, plan: &Plan) -> Result<Values, CommandError> {
    let (runbook, _) = load_runbook(&plan.runbook.file, &plan.runbook.text, &tools.catalogue)?;
    let given: BTreeMap<String, Given> = plan
        .parameters
        .iter()
        .map(|(name, json)| (name.clone(), Given::Typed(Value::untyped(json))))
        .collect();
    bind_parameters(&runbook, &given).map_err(|problems| CommandError::usage(problems.join("\n")))
}
