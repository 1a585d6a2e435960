//! Plans a drill or a run, and starts it: what `drill`, `run` and `run --plan` share.
//!
//! **Invariant:** planning uses a cloud that cannot write; a second, live one exists only after the plan
//! is stored and agreed to.

use crate::action::Catalogue;
use crate::base::diagnostic::{Problems, nearest};
use crate::base::digest::Digest;
use crate::base::form::Form;
use crate::base::ids::RunId;
use crate::cli::alarm::{Named, detect, wanted};
use crate::cli::args::{LaunchArgs, OutputForm};
use crate::cli::asked::Asked;
use crate::cli::confirm::{confirm, hurried};
use crate::cli::error::{CommandError, counted};
use crate::cli::exit::Exit;
use crate::cli::given::objectives;
use crate::cli::lock::Lock;
use crate::cli::notices::told;
use crate::cli::past::durations;
use crate::cli::people::People;
use crate::cli::person::{operator, person};
use crate::cli::plan_view::{plan_json, plan_text};
use crate::cli::project::{FileKind, Project};
use crate::cli::session::{Session, Since, check_options, verify_account};
use crate::cli::shared::{Journals, lost_region};
use crate::cli::state::StateDir;
use crate::cli::takeup::{Hold, hold};
use crate::cli::undertake::{Undertaking, undertake};
use crate::cloud::GuardPolicy;
use crate::engine::{Machine, Start};
use crate::estate::{Environment, Estate, Objectives};
use crate::plan::model::{Plan, RunMode};
use crate::plan::{NotifyRecord, PlanError, PlanRequest, PlanTools, build, predicted_failures};
use crate::runbook::{Given, Notify, Runbook, load_runbook_in};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Note of a journal: the directory of the project that the run began in.
pub(super) const PROJECT: &str = "project";

/// Note of a journal: the simulated world of the run's own, a directory of the state directory.
pub(super) const WORLD: &str = "world";

/// Everything that is decided before planning.
pub(super) struct Launch {
    /// The runbook.
    pub runbook: Runbook,
    /// The estate.
    pub estate: Estate,
    /// The environment's name.
    pub environment: String,
    /// Drill or run.
    pub mode: RunMode,
    /// Parameters of the drill file, under those of the command line.
    pub parameters: BTreeMap<String, Given>,
    /// The drill's own objectives.
    pub objectives: Objectives,
    /// The drill's own form.
    pub form: Option<Form>,
    /// Whom the drill tells how it goes.
    pub notify: Option<Notify>,
    /// The alarm that the drill begins with.
    pub alarm: Option<String>,
    /// Faults that the drill is meant to meet.
    pub faults: Vec<String>,
    /// Form of the result.
    pub output: OutputForm,
}

/// What a command works with.
pub(super) struct Tools {
    /// The actions.
    pub catalogue: Catalogue,
    /// The project's files.
    pub project: Project,
    /// The state directory.
    pub state: StateDir,
    /// Journals of this machine and of the team.
    pub journals: Arc<Journals>,
}

impl Tools {
    /// The actions, files and state of this process.
    ///
    /// # Errors
    /// There is no place for state.
    pub(super) fn new() -> Result<Self, CommandError> {
        let (catalogue, project) = (crate::action::standard(), Project::locate());
        let config = project.config()?;
        let state = StateDir::locate(config.state_dir.as_deref())?;
        let journals = Arc::new(Journals::configured(config.journal)?);
        Ok(Self { catalogue, project, state, journals })
    }

    /// The same for a run that began in `project`: what the run names is looked up there.
    pub(super) fn of(&self, project: Project) -> Self {
        let (state, journals) = (self.state.clone(), Arc::clone(&self.journals));
        Self { catalogue: crate::action::standard(), project, state, journals }
    }

    /// Reads and checks an estate.
    ///
    /// # Errors
    /// It is not there, or has problems.
    pub(super) fn estate(&self, name: &str) -> Result<Estate, CommandError> {
        let default = self.project.default_estate();
        let name = if name.is_empty() { &default } else { name };
        let found = self.project.read(FileKind::Estate, name)?;
        self.parse_estate(&found.file, &found.text)
    }

    /// Checks an estate's text; paths in it are relative to the project.
    ///
    /// # Errors
    /// It has problems.
    pub(super) fn parse_estate(&self, file: &str, text: &str) -> Result<Estate, CommandError> {
        let mut estate = crate::estate::load(file, text)?;
        for environment in estate.environments.values_mut() {
            if let Some(path) = &mut environment.sql.sslrootcert {
                *path = self.project.root().join(&*path).display().to_string();
            }
        }
        Ok(estate)
    }

    /// Reads and checks a runbook; warnings go to standard error.
    ///
    /// # Errors
    /// It is not there, or has problems.
    pub(super) fn runbook(&self, name: &str) -> Result<Runbook, CommandError> {
        let found = self.project.read(FileKind::Runbook, name)?;
        let (runbook, warnings) =
            load_runbook_in(&found.file, &found.text, &self.catalogue, &self.project)?;
        tell_warnings(&warnings);
        Ok(runbook)
    }
}

/// Says on standard error, in one line, that a file has warnings, if it has.
pub(super) fn tell_warnings(problems: &Problems) {
    if !problems.is_empty() {
        let (file, count) = (problems.file(), counted(problems));
        let help = format!("see `drctl runbook validate {file}`");
        crate::cli::out::progress(&format!("{file} has {count}: {help}"));
    }
}

/// The environment called `name`.
///
/// # Errors
/// The estate has none of that name.
pub(super) fn environment<'a>(
    estate: &'a Estate,
    name: &str,
) -> Result<&'a Environment, CommandError> {
    estate.environments.get(name).ok_or_else(|| {
        let names = estate.environments.keys().cloned().collect::<Vec<_>>().join(", ");
        let help = match nearest(name, estate.environments.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? It has: {names}"),
            None => format!("it has: {names}"),
        };
        CommandError::usage(format!("estate `{}` has no environment `{name}`", estate.name))
            .help(help)
    })
}

/// Plans, and unless it is a dry run, runs.
///
/// # Errors
/// Anything that keeps the run from being planned or from ending in good order.
pub(super) async fn launch(
    tools: &Tools,
    launch: Launch,
    args: &LaunchArgs,
) -> Result<Exit, CommandError> {
    planned(tools, &launch, args, Since::default()).await?.finish(tools, &launch, args).await
}

/// A run that is planned.
pub(super) struct Planned {
    /// The plan.
    pub plan: Plan,
    environment: Environment,
    session: Session,
    /// The region that the runbook takes for lost.
    lost: Option<String>,
    _one_at_a_time: Option<Lock>,
}

/// Opens the environment and plans; `since` says which simulated world.
pub(super) async fn planned(
    tools: &Tools,
    launch: &Launch,
    args: &LaunchArgs,
    since: Since,
) -> Result<Planned, CommandError> {
    let environment = environment(&launch.estate, &launch.environment)?.clone();
    let asked = Asked::read(launch, args)?;
    let lost = lost_region(&launch.runbook, &asked.parameters)?;
    tools.journals.outlives(lost.as_deref())?;
    check_options(&environment, &args.simulation)?;
    let simulation = args.simulation.after(&launch.faults);
    let lock = match (&launch.mode, args.dry_run) {
        (RunMode::Drill { name, .. }, false) => {
            Some(Lock::of_drill(&tools.state, name, (&launch.estate.name, &launch.environment))?)
        }
        _ => None,
    };
    let notify = told(launch, args, &environment)?;
    let alarm = wanted(launch, args, &environment)?;
    let session = Session::open(tools, &launch.estate, &environment, &simulation, since)?;
    if let (Some(alarm), Some(simulator), None) = (&alarm, &session.simulator, &args.alarm) {
        // The drill begins with it, whatever the simulated world is like.
        simulator.raise_alarm(&alarm.region, &alarm.name, session.clock.now());
    }
    let plan = make_plan(tools, launch, (asked, alarm, notify), &environment, &session).await?;
    Ok(Planned { plan, environment, session, lost, _one_at_a_time: lock })
}

impl Planned {
    /// Shows the plan in a dry run, else asks for leave and runs.
    ///
    /// # Errors
    /// Anything that keeps the run from ending in good order.
    pub(super) async fn finish(
        self,
        tools: &Tools,
        launch: &Launch,
        args: &LaunchArgs,
    ) -> Result<Exit, CommandError> {
        if args.dry_run {
            self.session.close()?;
            return dry_run(tools, &self.plan, args, (launch.output, self.lost));
        }
        self.run(tools, &launch.estate, args, Some(launch.output)).await
    }

    /// Asks for leave and runs; without `output` only what became of it goes to standard error.
    ///
    /// # Errors
    /// Anything that keeps the run from ending in good order.
    pub(super) async fn run(
        self,
        tools: &Tools,
        estate: &Estate,
        args: &LaunchArgs,
        output: Option<OutputForm>,
    ) -> Result<Exit, CommandError> {
        let Self { plan, environment, session, .. } = &self;
        confirm(environment, plan, args.yes)?;
        hurried(plan, args.simulation.pace.filter(|_| !args.yes));
        let people = People::new(plan, environment, args.yes, None).waiting(args.wait);
        let scene = (estate, environment, session);
        let ended = start(tools, plan.clone(), scene, people, output).await;
        session.end(ended)
    }
}

async fn make_plan(
    tools: &Tools,
    launch: &Launch,
    (asked, alarm, notify): (Asked, Option<Named>, Option<NotifyRecord>),
    environment: &Environment,
    session: &Session,
) -> Result<Plan, CommandError> {
    let now = session.clock.now();
    let asked = asked.checked(now)?;
    let cloud = session.cloud(GuardPolicy::DryRun).await?;
    verify_account(&cloud, environment).await?;
    let detection = detect(&cloud, alarm.as_ref(), &asked, now).await?;
    let Asked { parameters, disaster_at, declared_at, form, .. } = asked;
    let effects = cloud.effects(session.ports.clone());
    let durations = durations(&tools.state, environment);
    let objectives = objectives(launch.objectives, &launch.runbook, &launch.estate, &parameters);
    let request = PlanRequest {
        run: unused_run_id(tools, session, now),
        runbook: &launch.runbook,
        estate: &launch.estate,
        environment,
        parameters,
        mode: launch.mode.clone(),
        form,
        objectives,
        disaster_at,
        declared_at,
        detection,
        notify,
        faults: session.faults(),
        owner: operator(),
        now,
    };
    let planning = PlanTools {
        catalogue: &tools.catalogue,
        cloud: &cloud,
        effects: &effects,
        durations: &durations,
    };
    build(request, planning).await.map_err(|error| match error {
        PlanError::Cloud(error) => error.into(),
        PlanError::Step { .. } => CommandError::usage(format!("{}: {error}", launch.runbook.file)),
    })
}

/// A run id that no run and no stored plan of this state directory has. Simulated worlds repeat their
/// ids on purpose: a world that started over, or another estate's, would otherwise meet its own past.
fn unused_run_id(tools: &Tools, session: &Session, now: DateTime<Utc>) -> RunId {
    let mut stream = session.run_id_stream();
    loop {
        let run = RunId::mint(now, &mut stream);
        if !tools.state.run(&run).exists() && !tools.state.plan(&run).exists() {
            return run;
        }
    }
}

fn dry_run(
    tools: &Tools,
    plan: &Plan,
    args: &LaunchArgs,
    (output, lost): (OutputForm, Option<String>),
) -> Result<Exit, CommandError> {
    let json = stored_json(plan);
    let digest = Digest::of(json.as_bytes());
    let kept = tools.state.plan(&plan.run);
    tools.state.create(kept.parent().expect("it lies in the state directory"))?;
    write(&kept, &json)?;
    if let Some(path) = &args.out {
        write(path, &json)?;
        crate::cli::out::progress(&format!(
            "plan stored in {} ({})",
            path.display(),
            digest.short()
        ));
    }
    match output {
        OutputForm::Text => {
            let kept = tools.journals.described(plan, lost.as_deref())?;
            crate::cli::out::prose(&format!("{}{kept}", plan_text(plan, &digest)));
        }
        OutputForm::Json => crate::cli::out::result(&plan_json(plan, &digest)),
    }
    Ok(if predicted_failures(plan).is_empty() { Exit::Ok } else { Exit::StepFailed })
}

/// Writes a file that was asked for.
///
/// # Errors
/// The system refuses.
pub(super) fn write(path: &std::path::Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(path, text).map_err(|error| {
        CommandError::new(Exit::Journal, format!("cannot write {}: {error}", path.display()))
    })
}

/// A plan's JSON as it is stored and digested.
pub(super) fn stored_json(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan is plain data") + "\n"
}

/// Creates the run's journal and drives the run to its end.
///
/// # Errors
/// The journal cannot be made: also when this plan was already run.
pub(super) async fn start(
    tools: &Tools,
    plan: Plan,
    (estate, environment, session): (&Estate, &Environment, &Session),
    people: People,
    output: Option<OutputForm>,
) -> Result<Exit, CommandError> {
    // Asked before anything is made: credentials may have ended while somebody read the plan.
    let person = person(tools, estate, environment, None).await?;
    tools.state.create(&tools.state.run(&plan.run))?;
    let mut store = tools.journals.create(&tools.state, &plan.run)?;
    let now = session.clock.now();
    let Hold { lock, fence, .. } = hold(&tools.state, &plan.run, &mut *store, false)?;
    // Not part of the run's content: where it stands on this machine. A resume looks files up there.
    if let Some(root) = tools.project.root().to_str() {
        store.note(PROJECT, root)?;
    }
    if let Some(world) = session.own_world() {
        store.note(WORLD, world)?;
    }
    let json = stored_json(&plan);
    let digest = Digest::of(json.as_bytes());
    let plan_json = serde_json::from_str(&json).expect("just written");
    let start = Start { operator: operator(), fence: fence.number() };
    let (machine, turn) =
        Machine::begin(plan, plan_json, digest.as_str(), start, env!("CARGO_PKG_VERSION"), now);
    let undertaking = Undertaking { tools, estate, environment, session, output, people, person };
    let ended = undertake(undertaking, machine, turn, &mut *store, fence).await;
    drop(lock);
    ended
}
