//! What earlier runs left in the state directory: which run is meant, and how long steps took.
//!
//! **Invariant:** read-only; a journal that cannot be read is named, never skipped in silence.

use crate::base::clock::between;
use crate::base::ids::RunId;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::progress::outcome_word;
use crate::cli::state::StateDir;
use crate::estate::Environment;
use crate::journal::chain::known;
use crate::journal::event::Event;
use crate::journal::fold::RunState;
use crate::journal::{Salvaged, SqliteStore, Store, StoredRecord, list_runs};
use crate::plan::Durations;
use crate::plan::model::{PLAN_VERSION, Plan};

/// Most earlier runs that durations are taken from: the newest say most.
const RUNS_FOR_DURATIONS: usize = 20;

/// Finds the run that `text` means: an id, the beginning or end of one, or `last`, the one that a
/// process worked on last.
///
/// # Errors
/// There is none, or more than one.
pub(super) fn find_run(state: &StateDir, text: &str) -> Result<RunId, CommandError> {
    let mut listed = list_runs(state.root());
    listed.sort_by(|one, other| one.recency().cmp(&other.recency()));
    let runs: Vec<RunId> = listed.iter().filter_map(|summary| RunId::parse(&summary.run)).collect();
    if runs.is_empty() {
        return Err(CommandError::usage(format!(
            "there are no runs in {}",
            state.root().display()
        ))
        .help("start one: `drctl drill restore-db`"));
    }
    if text == "last" {
        return Ok(runs.last().cloned().expect("there is one"));
    }
    match meant(&runs, text).as_slice() {
        [run] => Ok((*run).clone()),
        [] => Err(CommandError::usage(format!("there is no run `{text}`"))
            .help("`drctl status` lists them")),
        several => {
            let listed = several.iter().map(|run| run.as_str()).collect::<Vec<_>>().join(", ");
            Err(CommandError::usage(format!("`{text}` means more than one run: {listed}")))
        }
    }
}

/// Those of `runs` whose id is, begins or ends with `text`.
pub(super) fn meant<'a>(runs: &'a [RunId], text: &str) -> Vec<&'a RunId> {
    let wanted = text.to_ascii_lowercase();
    let fits = |id: &str| id.starts_with(&wanted) || id.ends_with(&wanted);
    runs.iter().filter(|run| fits(run.as_str())).collect()
}

/// The newest run that has not ended; `None` when all have.
fn newest_unfinished(state: &StateDir) -> Option<RunId> {
    let runs = list_runs(state.root());
    let open = runs.iter().filter(|run| run.finished_at.is_none() && run.problem.is_none());
    let newest = open.max_by(|one, other| one.recency().cmp(&other.recency()));
    newest.and_then(|run| RunId::parse(&run.run))
}

/// The run that `text` means to whoever wants to go on with one: `last` is the newest that has not ended,
/// also when something newer has.
///
/// # Errors
/// See [`find_run`].
pub(super) fn find_unfinished(state: &StateDir, text: &str) -> Result<RunId, CommandError> {
    let open = (text == "last").then(|| newest_unfinished(state)).flatten();
    open.map_or_else(|| find_run(state, text), Ok)
}

/// Plan and state of a run that has not ended, from its journal; `what` is not possible otherwise.
///
/// # Errors
/// The run has ended, or its journal is not whole or not of this version.
pub(super) fn unfinished(
    store: &dyn Store,
    run: &RunId,
    what: &str,
) -> Result<(Plan, RunState), CommandError> {
    let stored = store.load()?;
    belongs(run, &stored)?;
    let records = known(&stored)?;
    let broken = |error: String| {
        CommandError::new(Exit::Journal, format!("run {run} cannot be {what}: {error}"))
    };
    if records.is_empty() {
        let message = format!("run {run} cannot be {what}: its journal is empty");
        return Err(CommandError::new(Exit::Journal, message)
            .help("its process died before the run began, and nothing was done: start it anew"));
    }
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    if let Some(outcome) = state.finished {
        let word = outcome_word(outcome);
        return Err(CommandError::usage(format!("run {run} has ended: it {word}"))
            .help(format!("`drctl report {run}`")));
    }
    let plan: Plan =
        serde_json::from_value(state.plan.clone()).map_err(|error| broken(error.to_string()))?;
    if plan.schema_version != PLAN_VERSION {
        return Err(broken(format!("its plan has version {}", plan.schema_version)));
    }
    Ok((plan, state))
}

/// Checks that a journal is the one of `run`: a whole one of another run is as wrong as a damaged one.
///
/// # Errors
/// It is another run's (exit code 16).
pub(super) fn belongs(run: &RunId, stored: &[StoredRecord]) -> Result<(), CommandError> {
    let first = stored.first().and_then(|first| first.record.as_ref());
    match first.map(|first| &first.event) {
        Some(Event::RunStarted { run: found, .. }) if found != run => {
            let message =
                format!("what lies in the place of run {run} is the journal of run {found}");
            Err(CommandError::new(Exit::Journal, message)
                .help("put the right journal back from a copy; nothing was done"))
        }
        _ => Ok(()),
    }
}

/// The records of a run, its chain verified.
///
/// # Errors
/// The journal cannot be read or its chain is broken.
pub(super) fn stored(state: &StateDir, run: &RunId) -> Result<Vec<StoredRecord>, CommandError> {
    let stored = SqliteStore::open_read_only(&state.journal(run))?.load()?;
    belongs(run, &stored)?;
    Ok(stored)
}

/// The records of a run as far as its journal is sound.
///
/// # Errors
/// Nothing of the journal can be read.
pub(super) fn salvaged(state: &StateDir, run: &RunId) -> Result<Salvaged, CommandError> {
    let salvaged = SqliteStore::open_read_only(&state.journal(run))?.salvage()?;
    belongs(run, &salvaged.records)?;
    Ok(salvaged)
}

/// How long steps took in earlier runs in the same environment: what a stand-in or the simulator took
/// says nothing about AWS, nor does one account's size about another's.
pub(super) fn durations(state: &StateDir, environment: &Environment) -> Durations {
    let mut durations = Durations::default();
    let mut runs = list_runs(state.root());
    runs.sort_by(|a, b| b.run.cmp(&a.run));
    let same = runs.into_iter().filter(|run| {
        run.environment == environment.name
            && run.simulated == environment.is_simulated()
            && run.finished_at.is_some()
    });
    for summary in same.take(RUNS_FOR_DURATIONS) {
        let Some(Ok(records)) = RunId::parse(&summary.run).map(|run| stored(state, &run)) else {
            continue;
        };
        let Ok(records) = known(&records) else { continue };
        let Ok(run) = RunState::fold(&records) else { continue };
        let Ok(plan) = serde_json::from_value::<Plan>(run.plan.clone()) else { continue };
        for step in &plan.steps {
            let Some(found) = run.steps.get(&step.key).filter(|found| found.status.is_success())
            else {
                continue;
            };
            if let (Some(began), Some(ended)) = (found.started_at, found.finished_at) {
                let millis = u64::try_from(between(began, ended).as_millis()).unwrap_or(u64::MAX);
                durations.add(&step.uses, step.key.id(), millis);
            }
        }
    }
    durations
}
