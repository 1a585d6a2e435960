//! `drctl resume`: takes a run up where its journal ends.
//!
//! **Invariant:** everything comes from the journal: plan, runbook, estate and parameters; files that
//! changed meanwhile change nothing.

use crate::base::ids::{RunId, StepKey};
use crate::cli::args::{OutputForm, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{PROJECT, Tools, environment, operator};
use crate::cli::lock::{Lock, holder};
use crate::cli::out;
use crate::cli::past::{find_run, newest_unfinished};
use crate::cli::people::{GivenAnswer, People};
use crate::cli::project::Project;
use crate::cli::session::Session;
use crate::cli::undertake::{Undertaking, undertake};
use crate::engine::{Machine, Start};
use crate::estate::{Environment, Estate};
use crate::journal::chain::known;
use crate::journal::fold::{Question, RunState};
use crate::journal::{SqliteStore, Store as _, Takeover};
use crate::plan::model::{PLAN_VERSION, Plan};
use crate::runner::LEASE;
use clap::Args;
use std::path::PathBuf;

/// `drctl resume`
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// The run: its id, the beginning or end of it, or `last`.
    #[arg(default_value = "last")]
    pub run: String,
    /// Answer the question that the run waits for: approve or reject at a gate; retry, continue, stop
    /// or undo after a failure.
    #[arg(long, value_name = "ANSWER")]
    pub answer: Option<String>,
    /// With --answer: why; recorded and shown in the report.
    #[arg(long, value_name = "TEXT", requires = "answer")]
    pub comment: Option<String>,
    /// With --answer: the step whose question it answers, when several wait.
    #[arg(long, value_name = "STEP", requires = "answer")]
    pub step: Option<String>,
    /// Approve every gate on the way; never enough for a protected environment.
    #[arg(long, conflicts_with = "answer")]
    pub yes: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// A run that can be taken up.
pub(super) struct Resumable {
    /// What it works with: the project that it began in.
    tools: Tools,
    /// Its plan.
    pub plan: Plan,
    /// Its estate, as it was when the run began.
    pub estate: Estate,
    /// Its environment.
    pub environment: Environment,
    /// The answer to the question that it waits for.
    given: Option<GivenAnswer>,
    state: RunState,
    store: SqliteStore,
    _lock: Lock,
}

/// Opens the run's journal and checks that it can be taken up.
///
/// # Errors
/// There is no such run, it has ended, another process runs it, or its journal is not whole.
pub(super) fn prepare(tools: &Tools, args: &ResumeArgs) -> Result<Resumable, CommandError> {
    // Without a name, what can be taken up is meant, also when something newer has ended.
    let open = (args.run == "last").then(|| newest_unfinished(&tools.state)).flatten();
    let run = open.map_or_else(|| find_run(&tools.state, &args.run), Ok)?;
    let lock = Lock::take(&tools.state.run(&run).join("lock"), &format!("run {run}"), &holder())?;
    let store = SqliteStore::open(&tools.state.journal(&run))?;
    let records = known(&store.load()?)?;
    let broken = |error: String| {
        CommandError::new(Exit::Journal, format!("run {run} cannot be resumed: {error}"))
    };
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    if let Some(outcome) = state.finished {
        let word = crate::cli::progress::outcome_word(outcome);
        return Err(CommandError::usage(format!("run {run} has ended: it {word}"))
            .help(format!("`drctl report {run}`")));
    }
    let plan: Plan =
        serde_json::from_value(state.plan.clone()).map_err(|error| broken(error.to_string()))?;
    if plan.schema_version != PLAN_VERSION {
        return Err(broken(format!("its plan has version {}", plan.schema_version)));
    }
    let given = given_answer(&state, &run, args)?;
    let tools = began_in(tools, &store, &run)?;
    let estate = tools.parse_estate(&plan.estate.file, &plan.estate.text)?;
    let environment = environment(&estate, &plan.environment.name)?.clone();
    Ok(Resumable { tools, plan, estate, environment, given, state, store, _lock: lock })
}

/// The tools with the project that the run began in: its programs and PEM files are meant there,
/// wherever `resume` is typed. Journals of older versions do not say where that is: then it is the
/// current directory's.
///
/// # Errors
/// The project is not there any more.
fn began_in(tools: &Tools, store: &SqliteStore, run: &RunId) -> Result<Tools, CommandError> {
    let notes = store.notes()?;
    let Some(note) = notes.iter().rev().find(|note| note.key == PROJECT) else {
        return Ok(tools.of(tools.project.clone()));
    };
    let root = PathBuf::from(&note.value);
    if !root.is_dir() {
        let message =
            format!("run {run} began in {}, and no directory is there any more", root.display());
        return Err(CommandError::usage(message).help(
            "its programs and PEM files are looked up there: put the project back, or a link to it, \
             then resume",
        ));
    }
    Ok(tools.of(Project::at(root)))
}

/// The answer of the command line, checked against the questions that wait.
///
/// # Errors
/// No question waits, it is not clear which one is meant, or it does not take this answer.
fn given_answer(
    state: &RunState,
    run: &RunId,
    args: &ResumeArgs,
) -> Result<Option<GivenAnswer>, CommandError> {
    let Some(answer) = &args.answer else { return Ok(None) };
    let waiting: Vec<(&StepKey, &Question)> = state.questions().collect();
    let steps = waiting.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>().join(", ");
    let (step, question) = match (&args.step, waiting.as_slice()) {
        (_, []) => {
            let message = format!("run {run} waits for no answer; `{answer}` was not used");
            return Err(CommandError::usage(message).help(format!("`drctl status {run}`")));
        }
        (None, [one]) => *one,
        (None, _) => {
            let message = format!("run {run} waits for answers at several steps: {steps}");
            return Err(CommandError::usage(message).help("say which with --step"));
        }
        (Some(wanted), _) => {
            *waiting.iter().find(|(step, _)| step.as_str() == wanted).ok_or_else(|| {
                let message = format!("step `{wanted}` of run {run} asks nothing");
                CommandError::usage(message).help(format!("these ask: {steps}"))
            })?
        }
    };
    if !question.choices.contains(answer) {
        let message = format!("`{answer}` is no answer to {step}: {}", question.question);
        return Err(
            CommandError::usage(message).help(format!("it takes: {}", question.choices.join(", ")))
        );
    }
    let (step, answer) = (step.clone(), answer.clone());
    Ok(Some(GivenAnswer { step, answer, comment: args.comment.clone() }))
}

/// Takes the run up and drives it on.
///
/// # Errors
/// The environment, the journal or the credentials fail.
pub(super) async fn run(
    resumable: Resumable,
    args: &ResumeArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let Resumable { tools, plan, estate, environment, given, state, mut store, _lock } = resumable;
    let session = Session::open(&tools, &estate, &environment, &args.simulation, state.last_at)?;
    let now = session.clock.now();
    // The file lock proves that no process of this machine runs it; its lease may outlive it.
    let fence = store.acquire(&holder(), now, LEASE, Takeover::Force)?;
    store.note("process", &holder())?;
    out::progress(&format!("resuming run {} after {} records", plan.run, state.last_seq));
    let start = Start { operator: operator(), fence: fence.number() };
    let people = People::new(&plan, &environment, args.yes, given);
    let (machine, turn) = Machine::resume(plan, state, start, now);
    let undertaking = Undertaking {
        tools: &tools,
        estate: &estate,
        environment: &environment,
        session: &session,
        output,
        people,
    };
    let ended = undertake(undertaking, machine, turn, &mut store, fence).await;
    session.close()?;
    ended
}
