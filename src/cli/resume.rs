//! `drctl resume`: takes a run up where its journal ends.
//!
//! **Invariant:** everything comes from the journal: plan, runbook, estate and parameters; files that
//! were edited meanwhile change nothing unless a person has seen the difference and said so.

use crate::base::ids::{RunId, StepKey};
use crate::cli::args::{OutputForm, SimulationArgs};
use crate::cli::edited::{EditedArgs, GoesOn, Scene, compare, replan};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{PROJECT, Tools, WORLD, environment};
use crate::cli::lock::Lock;
use crate::cli::out;
use crate::cli::past::{find_unfinished, unfinished};
use crate::cli::people::{GivenAnswer, People};
use crate::cli::person::{operator, person};
use crate::cli::project::Project;
use crate::cli::reports::report_of;
use crate::cli::session::{Session, Since};
use crate::cli::shared::lost_region;
use crate::cli::takeup::{Hold, hold, take_world};
use crate::cli::undertake::{Undertaking, embedded, plan_parameters, undertake};
use crate::engine::{Change, Machine, Start};
use crate::estate::{Environment, Estate};
use crate::journal::Store;
use crate::journal::figure::TWO_WRITERS;
use crate::journal::fold::{Question, RunState};
use crate::plan::model::Plan;
use crate::report::Report;
use crate::report::model::VerdictState;
use crate::runbook::Runbook;
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
    /// With --answer approve: the danger that you acknowledge, `two-writers`.
    #[arg(long, value_name = "DANGER", requires = "answer", value_parser = [TWO_WRITERS])]
    pub acknowledge: Option<String>,
    /// With --answer: the step whose question it answers, when several wait.
    #[arg(long, value_name = "STEP", requires = "answer")]
    pub step: Option<String>,
    /// Approve every gate on the way; never enough for a protected environment.
    #[arg(long, conflicts_with = "answer")]
    pub yes: bool,
    /// Without a terminal: wait at gates and questions for answers from other terminals (`drctl
    /// approve`), instead of stopping there with exit code 13.
    #[arg(long)]
    pub wait: bool,
    /// Take the run from the process that drives it, on this machine or another: it is fenced, and stops
    /// before its next change. For processes that hang and machines that are gone.
    #[arg(long)]
    pub take_over: bool,
    #[command(flatten)]
    pub edited: EditedArgs,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// A run that this process has taken up.
pub(super) struct Resumable {
    taken: TakenUp,
    store: Box<dyn Store>,
    hold: Hold,
    /// The simulated world, where it had to be taken from a fenced process.
    world: Option<Lock>,
}

/// Opens the run's journal, checks that it can be taken up, and takes its lease.
///
/// # Errors
/// There is no such run, it has ended, another process runs it, or its journal is not whole.
pub(super) fn prepare(tools: &Tools, args: &ResumeArgs) -> Result<Resumable, CommandError> {
    let run = find_unfinished(&tools.state, &args.run)?;
    let mut store = tools.journals.open(&tools.state, &run)?;
    // Nobody is fenced for a run that cannot be taken up.
    let before = unfinished(&*store, &run, "resumed")?;
    given_answer(&before.1, &run, args)?;
    outlives(tools, &before.0, None)?;
    let hold = hold(&tools.state, &run, &mut *store, args.take_over)?;
    match taken_up(tools, args, &*store, &run, before) {
        Ok(taken) => Ok(Resumable { taken, store, hold, world: None }),
        Err(error) => {
            store.release(hold.fence)?;
            Err(error)
        }
    }
}

/// What is read under the lease.
struct TakenUp {
    /// What it works with: the project that it began in.
    tools: Tools,
    /// Its plan.
    plan: Plan,
    /// What its journal says.
    state: RunState,
    /// Its estate, as it was when the run began.
    estate: Estate,
    /// Its environment.
    environment: Environment,
    /// With which plan it goes on.
    goes_on: GoesOn,
    /// The answer to the question that it waits for.
    given: Option<GivenAnswer>,
    /// The simulated world that is its own.
    own_world: Option<String>,
}

/// Reads the run under its lease; `before` is what was read without.
fn taken_up(
    tools: &Tools,
    args: &ResumeArgs,
    store: &dyn Store,
    run: &RunId,
    before: (Plan, RunState),
) -> Result<TakenUp, CommandError> {
    // Whoever drove it may have gone on until the lease was ours.
    let unchanged = store.head()?.count == before.1.last_seq;
    let (plan, state) = if unchanged { before } else { unfinished(store, run, "resumed")? };
    let given = given_answer(&state, run, args)?;
    let tools = began_in(tools, store, run)?;
    let own_world = own_world(store, run)?;
    let goes_on = compare(&tools, &plan, &state, args.edited)?;
    let estate = match &goes_on {
        GoesOn::Changed(edited) => {
            outlives(&tools, &plan, Some(&edited.runbook))?;
            edited.estate.clone()
        }
        GoesOn::AsPlanned | GoesOn::Keeping(_) => {
            tools.parse_estate(&plan.estate.file, &plan.estate.text)?
        }
    };
    let environment = environment(&estate, &plan.environment.name)?.clone();
    Ok(TakenUp { tools, plan, state, estate, environment, goes_on, given, own_world })
}

/// Checks that the run's journal is not in the region which its runbook assumes lost; `edited` is the
/// runbook as it is now.
///
/// # Errors
/// It is (exit code 2), or the bucket cannot be asked.
fn outlives(tools: &Tools, plan: &Plan, edited: Option<&Runbook>) -> Result<(), CommandError> {
    let parameters = plan_parameters(tools, plan)?;
    let lost = match edited {
        Some(runbook) => lost_region(runbook, &parameters)?,
        None => lost_region(&embedded(tools, plan)?, &parameters)?,
    };
    tools.journals.run_outlives(&tools.state, &plan.run, lost.as_deref())
}

impl Resumable {
    /// Whether the simulator answers.
    pub(super) fn is_simulated(&self) -> bool {
        self.taken.environment.is_simulated()
    }

    /// Waits in real time until a process that was fenced has let go of the simulated world.
    ///
    /// # Errors
    /// Another process uses the world.
    pub(super) async fn settle(mut self) -> Result<Self, CommandError> {
        let Some(from) = self.hold.fenced.as_ref().filter(|_| self.is_simulated()) else {
            return Ok(self);
        };
        let TakenUp { tools, estate, environment, own_world, .. } = &self.taken;
        let world = match own_world {
            Some(name) => tools.state.own_world(name),
            None => tools.state.world(&estate.name, &environment.name),
        };
        match take_world(&world.join("lock"), from).await {
            Ok(lock) => self.world = Some(lock),
            Err(error) => {
                self.store.release(self.hold.fence)?;
                return Err(error);
            }
        }
        Ok(self)
    }
}

/// The tools with the project that the run began in: its programs and PEM files are meant there,
/// wherever `resume` is typed. Journals of older versions do not say where that is: then it is the
/// current directory's.
///
/// # Errors
/// The project is not there any more.
fn began_in(tools: &Tools, store: &dyn Store, run: &RunId) -> Result<Tools, CommandError> {
    let notes = store.notes()?;
    let Some(note) = notes.iter().rev().find(|note| note.key == PROJECT) else {
        return Ok(tools.of(tools.project.clone()));
    };
    let root = PathBuf::from(&note.value);
    if !root.is_dir() && tools.journals.are_shared() {
        // It began on another machine, and what is meant there is meant here.
        return Ok(tools.of(tools.project.clone()));
    }
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

/// The simulated world that is the run's own, as its journal notes it.
///
/// # Errors
/// The note names no directory of the state directory (exit code 16).
fn own_world(store: &dyn Store, run: &RunId) -> Result<Option<String>, CommandError> {
    let notes = store.notes()?;
    let Some(note) = notes.into_iter().rev().find(|note| note.key == WORLD) else {
        return Ok(None);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if note.value.is_empty() || note.value.starts_with('.') || !note.value.chars().all(plain) {
        let message = format!("run {run} cannot be resumed: `{}` is no world's name", note.value);
        return Err(CommandError::new(Exit::Journal, message)
            .help("its journal was changed; nothing was done"));
    }
    Ok(Some(note.value))
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
    let (comment, acknowledged) = (args.comment.clone(), args.acknowledge.clone());
    Ok(Some(GivenAnswer { step, answer, comment, acknowledged }))
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
    let Resumable { taken, mut store, hold, world } = resumable;
    let TakenUp { tools, plan, state, estate, environment, goes_on, given, own_world } = taken;
    let Hold { fence, lock, .. } = hold;
    let since = Since { reached: state.last_at, world, own: own_world.clone() };
    let opened = match Session::open(&tools, &estate, &environment, &args.simulation, since) {
        Ok(session) => person(&tools, &estate, &environment, None).await.map(|it| (session, it)),
        Err(error) => Err(error),
    };
    let (session, person) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            store.release(fence)?;
            return Err(error);
        }
    };
    out::progress(&format!("resuming run {} after {} records", plan.run, state.last_seq));
    let start = Start { operator: operator(), fence: fence.number() };
    let scene = Scene { estate: &estate, environment: &environment, session: &session };
    let change = match goes_on {
        GoesOn::AsPlanned => Ok(None),
        GoesOn::Keeping(difference) => Ok(Some(Change::Kept { by: person.clone(), difference })),
        GoesOn::Changed(edited) => {
            replan(&tools, &plan, &state, *edited, scene, (&person, args.yes)).await.map(Some)
        }
    };
    let change = match change {
        Ok(change) => change,
        Err(error) => {
            store.release(fence)?;
            return session.end(Err(error));
        }
    };
    let next = match &change {
        Some(Change::Plan { plan, .. }) => plan,
        Some(Change::Kept { .. }) | None => &plan,
    };
    let people = People::new(next, &environment, args.yes, given).waiting(args.wait);
    let now = session.clock.now();
    let (machine, turn) = Machine::resume_changed(plan, state, start, change, now);
    let undertaking = Undertaking {
        tools: &tools,
        estate: &estate,
        environment: &environment,
        session: &session,
        output: Some(output),
        people,
        person,
    };
    let run = machine.plan().run.clone();
    let ended = undertake(undertaking, machine, turn, &mut *store, fence).await;
    let ended = session.end(ended);
    drop((lock, session));
    if let Some(name) = own_world {
        forget_if_ended(&tools, &run, &name);
    }
    ended
}

/// Removes the world of a run's own once the run has ended: what it was worth is in its journal.
pub(super) fn forget_if_ended(tools: &Tools, run: &RunId, world: &str) {
    let ended = |report: Report| report.verdict.state == VerdictState::Finished;
    if report_of(tools, run).is_ok_and(ended) {
        tools.state.forget_world(world);
    }
}
