//! Drives a run in this process: live cloud, signals, progress, and the report at its end.
//!
//! **Invariant:** whatever happens, the last line says how the run stands and what to type next.

use crate::base::clock::Clock;
use crate::base::value::{Value, Values};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::link::Link;
use crate::cli::notices::{Notices, Sender, last_ones, notices};
use crate::cli::people::People;
use crate::cli::progress::Progress;
use crate::cli::reports::conclude;
use crate::cli::session::Session;
use crate::cli::signals::Signals;
use crate::cli::takeup::{lease_time, lost};
use crate::cloud::GuardPolicy;
use crate::engine::{Machine, Turn};
use crate::estate::{Environment, Estate};
use crate::journal::{Failing, FailingStore, Fence, Person, Store};
use crate::plan::model::{Plan, RunMode, Source};
use crate::report::{Report, build};
use crate::runbook::{Given, Runbook, Text, bind_parameters, load_runbook_in};
use crate::runner::{Ended, Inbox, Observer, RunnerError, Running, StopSignal, declared, drive};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Form of the result; `None` when the command shows one of its own.
    pub output: Option<OutputForm>,
    /// Who answers the run's questions.
    pub people: People,
    /// Who types here.
    pub person: Person,
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
    let ended = work(undertaking, machine, turn, &mut *store, fence).await;
    if ended.is_err() {
        // Nobody has to wait for the end of a lease that nobody uses; one that was lost is not ours.
        let _ = store.release(fence);
    }
    ended
}

/// The same, which leaves the lease alone when it fails.
async fn work(
    undertaking: Undertaking<'_>,
    machine: Machine,
    turn: Turn,
    store: &mut dyn Store,
    fence: Fence,
) -> Result<Exit, CommandError> {
    let Undertaking { tools, estate, environment, session, output, people, person } = undertaking;
    let plan = machine.plan().clone();
    let cloud = session
        .cloud(GuardPolicy::live(declared(&tools.catalogue, &plan)))
        .await?
        .protecting(estate);
    let accounts = plan.steps.iter().filter_map(|step| step.account.as_ref());
    let accounts: BTreeSet<&str> = accounts.map(|account| account.name.as_str()).collect();
    cloud.prove(accounts).await?;
    let writer = cloud.writer().expect("a live cloud has a writer");
    let effects = cloud.effects(session.ports.clone());
    let parameters = plan_parameters(tools, &plan)?;
    // Other processes have other clocks; what all of them have is real time.
    let lease_clock = Clock::real();
    let (stop, mut signals) = (StopSignal::default(), Signals::catch());
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
        wait: people.waits(),
        lease: lease_time()?,
        lease_clock: &lease_clock,
        late: None,
    };
    // Opening all this took its time, and a world may have been waited for.
    store.renew(fence, lease_clock.now(), running.lease)?;
    let mut journal = FailingStore::new(store, Failing::full_once(session.full_disk()));
    let mut progress = Progress::new(&plan, session.clock.clone());
    let aside = progress.aside();
    let (mut notices, sender) = notices(&plan, link_of(tools, &plan)).unzip();
    let mut observers: Vec<&mut dyn Observer> = vec![&mut progress];
    observers.extend(notices.as_mut().map(|it| it as &mut dyn Observer));
    let mut sending = Box::pin(sent(sender, session));
    let driven = tokio::select! {
        biased;
        driven = drive(&running, machine, turn, &mut journal, fence, &mut observers) => Some(driven),
        () = signals.stop_at_once(&stop, plan.run.as_str(), &aside) => None,
        // Not before `notices` is gone.
        _ = &mut sending => None,
    };
    progress.finish();
    if journal.struck() > 0 {
        session.disk_was_full();
    }
    let store: &mut dyn Store = &mut journal;
    let Ended { state } = match driven {
        Some(Ok(ended)) => ended,
        Some(Err(RunnerError::Journal(error))) => return Err(lost(&plan.run, store, error)),
        None => {
            store.release(fence)?;
            return Err(stopped_at_once(&plan));
        }
    };
    if let Some(notices) = notices {
        tell_the_end(notices, sending, store, &session.clock).await?;
    }
    let_go(store, fence)?;
    say_what_came_to_nothing(&people, session, state.finished.is_some());
    conclude(tools, &plan, &state, store, output)
}

/// Gives the lease back. What ended under it has ended, whoever has taken it since.
fn let_go(store: &mut dyn Store, fence: Fence) -> Result<(), CommandError> {
    match store.release(fence) {
        Err(error) if !error.is_lease() => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes the last notice, waits until all are sent, and notes what became of them.
async fn tell_the_end(
    notices: Notices,
    sending: impl Future<Output = Sender>,
    store: &mut dyn Store,
    clock: &Clock,
) -> Result<(), CommandError> {
    notices.ended(&report(&*store)?);
    drop(notices);
    if let Some(Err(error)) = last_ones(sending, clock).await.map(|it| it.note(store, clock)) {
        crate::cli::out::progress(&format!("what became of notices is not noted: {error}"));
    }
    Ok(())
}

/// Answers that nobody asked for any more, and, of a run that has ended, faults that never struck.
fn say_what_came_to_nothing(people: &People, session: &Session, ended: bool) {
    if let Some(given) = people.unused() {
        let late = format!("the answer `{}` for {} came too late", given.answer, given.step);
        crate::cli::out::progress(&format!("{late}: nobody was waiting for it any more"));
    }
    if ended {
        session.never_struck().iter().for_each(|fault| crate::cli::out::progress(fault));
    }
}

/// Sends notices until nobody makes any more; for ever when nobody is told anything.
async fn sent(sender: Option<Sender>, session: &Session) -> Sender {
    let Some(mut sender) = sender else { return std::future::pending().await };
    sender.work(async |policy| session.cloud(policy).await).await;
    sender
}

fn report(store: &dyn Store) -> Result<Report, CommandError> {
    build(&store.load()?).map_err(|error| CommandError::new(Exit::Journal, error.to_string()))
}

/// The link that asks for the same run again, where a link can.
fn link_of(tools: &Tools, plan: &Plan) -> Option<Link> {
    if plan.mode != RunMode::Run {
        return None;
    }
    let runbook = embedded(tools, plan).ok()?;
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let given = plan.parameters.iter().filter(|(_, value)| !value.is_null());
    let link = Link {
        runbook: runbook.name,
        env: plan.environment.name.clone(),
        estate: plan.estate_name.clone(),
        parameters: given.map(|(name, value)| (name.clone(), text(value))).collect(),
        alarm: plan.detection.as_ref().and_then(|it| Some(it.alarm.as_ref()?.arn.clone())),
    };
    Link::parse(&link.text()).ok().filter(|read| *read == link)
}

/// What a second signal leaves behind: what a killed process does.
fn stopped_at_once(plan: &Plan) -> CommandError {
    let message = "stopped at once: whether a call that was in flight took effect is not known";
    CommandError::new(Exit::Waiting, message)
        .help(format!("`drctl resume {}` looks first and repeats nothing that was done", plan.run))
}

/// The runbook that a plan embeds, with those that it calls.
///
/// # Errors
/// It is not valid for this version of drctl.
pub(super) fn embedded(tools: &Tools, plan: &Plan) -> Result<Runbook, CommandError> {
    let text = |it: &Source| Text { file: it.file.clone(), text: it.text.clone() };
    let library: BTreeMap<String, Text> =
        plan.called.iter().map(|(name, it)| (name.clone(), text(it))).collect();
    let source = &plan.runbook;
    let loaded = load_runbook_in(&source.file, &source.text, &tools.catalogue, &library);
    Ok(loaded.map(|(runbook, _)| runbook)?)
}

/// The plan's parameters with their declared types.
///
/// # Errors
/// The embedded runbook is not valid for this version of drctl.
pub(super) fn plan_parameters(tools: &Tools, plan: &Plan) -> Result<Values, CommandError> {
    let runbook = embedded(tools, plan)?;
    let given: BTreeMap<String, Given> = plan
        .parameters
        .iter()
        .map(|(name, json)| (name.clone(), Given::Typed(Value::untyped(json))))
        .collect();
    bind_parameters(&runbook, &given).map_err(|problems| CommandError::usage(problems.join("\n")))
}
