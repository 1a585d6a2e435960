//! `drctl rehearse`.
//!
//! **Invariant:** no network, no account, no state: worlds live in memory, and the same command gives the
//! same report.

use crate::base::diagnostic::nearest;
use crate::base::yaml::{self, Kind};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::given::{objectives, parameters};
use crate::cli::launch::{Tools, environment, tell_warnings, write};
use crate::cli::out;
use crate::cli::project::FileKind;
use crate::estate::{EnvironmentKind, Estate, Objectives};
use crate::plan::model::RunMode;
use crate::rehearse::{
    Mode, Order, PointName, Rehearsal, Stage, StageError, Staging, render_junit, render_text,
};
use crate::report::line::shell_word;
use crate::runbook::{Given, Runbook, check_drill, load_drill};
use crate::sim::Simulator;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `drctl rehearse`
#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    /// Name of a drill or a runbook, or path of its file; a drill wins, because it has parameters.
    pub name: String,
    /// The estate of a runbook; without it the project's only one, else the shipped `techcorp`. A
    /// drill names its own.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "DRCTL_ESTATE"
    )]
    pub estate: String,
    /// The simulated environment; without it the drill's, else the estate's first simulated one.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Set a parameter of the runbook (repeatable).
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Kill each run before and after every append to its journal and every call to AWS, take it up,
    /// and compare.
    #[arg(long)]
    pub crash_everywhere: bool,
    /// Let so many storms blow over each run: random faults, crashes, lost leases, commands; then
    /// everything heals, and the run must end.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub storm: u64,
    /// Instead of each fault of the catalogue, play these together (repeatable); `drctl sim faults`
    /// lists them.
    #[arg(long = "fault", value_name = "NAME[=VALUE]")]
    pub faults: Vec<String>,
    /// Seed of the worlds and of every draw; without it the environment's.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Play one scenario, or kill it at one point, as a violation of an earlier rehearsal names it.
    #[arg(long, value_name = "SCENARIO[@POINT]", conflicts_with_all = ["mutate", "faults", "storm"])]
    pub point: Option<String>,
    /// Remove one guard of the runbook at a time (check, gate, wait, when, needs, always, on_failure) and tell which
    /// removal no scenario notices.
    #[arg(long)]
    pub mutate: bool,
    /// Write the findings as JUnit XML here.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// What is rehearsed, before it is planned.
struct Subject {
    runbook: Runbook,
    estate: Estate,
    environment: Option<String>,
    parameters: BTreeMap<String, Given>,
    objectives: Objectives,
    faults: Vec<String>,
    drill: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The command line or a file is wrong, or there is no simulated environment.
pub(super) fn run(
    tools: &Tools,
    args: &RehearseArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    Simulator::check_faults(&args.faults)?;
    let point = args.point.as_deref().map(str::parse::<PointName>).transpose();
    let point = point.map_err(|why| {
        CommandError::usage(format!("--point: {why}"))
            .help("copy it from the line `again:` of a rehearsal")
    })?;
    let subject = subject(tools, args)?;
    let (place, seed) = place(&subject, args)?;
    let faults = if args.faults.is_empty() { subject.faults.clone() } else { args.faults.clone() };
    let standing = subject.faults.clone();
    let order = Order {
        stages: stages(subject, args, &place, seed)?,
        name: args.name.clone(),
        command: command(args),
        seed,
        standing,
        faults,
        crash_everywhere: args.crash_everywhere,
        storms: args.storm,
        mutate: args.mutate,
        point,
        progress: &|text: &str| out::progress(text),
    };
    let found = order.rehearse().map_err(CommandError::usage)?;
    if let Some(path) = &args.junit {
        write(path, &render_junit(&found))?;
        out::progress(&format!("JUnit report in {}", path.display()));
    }
    show(&found, output);
    Ok(if found.passed() { Exit::Ok } else { Exit::StepFailed })
}

fn show(found: &Rehearsal, output: OutputForm) {
    match output {
        OutputForm::Text => out::result(&render_text(found)),
        OutputForm::Json => {
            let json = serde_json::to_string_pretty(found).expect("findings are plain data");
            out::result(&json);
        }
    }
}

/// Finds the drill, else the runbook, that is meant.
fn subject(tools: &Tools, args: &RehearseArgs) -> Result<Subject, CommandError> {
    let (project, name) = (&tools.project, args.name.as_str());
    let (drills, runbooks) = (project.names(FileKind::Drill), project.names(FileKind::Runbook));
    let is_path = Path::new(name).extension().is_some();
    let is_drill = if is_path {
        let found = project.read(FileKind::Drill, name)?;
        kind_of(&found.file, &found.text).as_deref() == Some("Drill")
    } else {
        drills.contains(name)
    };
    if is_drill {
        return drill(tools, args);
    }
    if !is_path && !runbooks.contains(name) {
        let names = || drills.iter().chain(&runbooks).map(String::as_str);
        let listed = names().collect::<std::collections::BTreeSet<_>>();
        let listed = listed.into_iter().collect::<Vec<_>>().join(", ");
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`? There are: {listed}"),
            None => format!("there are: {listed}; or give the path of a YAML file"),
        };
        let message = format!("there is no drill and no runbook called `{name}`");
        return Err(CommandError::usage(message).help(help));
    }
    Ok(Subject {
        runbook: tools.runbook(name)?,
        estate: tools.estate(&args.estate)?,
        environment: None,
        parameters: BTreeMap::new(),
        objectives: Objectives::default(),
        faults: Vec::new(),
        drill: None,
    })
}

/// What the file says that it is.
fn kind_of(file: &str, text: &str) -> Option<String> {
    let Kind::Map(entries) = yaml::parse(file, text).ok()?.kind else { return None };
    entries.into_iter().find(|(key, _)| key.name == "kind").and_then(|(_, node)| match node.kind {
        Kind::Text(kind) => Some(kind),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::List(_)
        | Kind::Map(_) => None,
    })
}

fn drill(tools: &Tools, args: &RehearseArgs) -> Result<Subject, CommandError> {
    let found = tools.project.read(FileKind::Drill, &args.name)?;
    let drill = load_drill(&found.file, &found.text)?;
    let mut runbook = tools.runbook(&drill.runbook)?;
    runbook.form = drill.form.or(runbook.form);
    let problems = check_drill(&drill, &runbook);
    if problems.has_errors() {
        return Err(problems.into());
    }
    tell_warnings(&problems);
    let estate = if args.estate.is_empty() { &drill.estate } else { &args.estate };
    Ok(Subject {
        runbook,
        estate: tools.estate(estate)?,
        environment: Some(drill.environment),
        parameters: drill.parameters,
        objectives: drill.objectives,
        faults: drill.faults,
        drill: Some(drill.name),
    })
}

/// The simulated environment, and the seed of its world.
fn place(subject: &Subject, args: &RehearseArgs) -> Result<(String, u64), CommandError> {
    let Subject { estate, environment: wished, .. } = subject;
    let seed_of = |name: &str| match &estate.environments.get(name)?.kind {
        EnvironmentKind::Simulated(settings) => Some(settings.seed),
        EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => None,
    };
    let name = match &args.env {
        Some(name) => {
            environment(estate, name)?;
            Some(name.clone())
        }
        None => {
            let wished = wished.clone().filter(|name| seed_of(name).is_some());
            wished.or_else(|| {
                estate.environments.keys().find(|name| seed_of(name).is_some()).cloned()
            })
        }
    };
    let found = name.as_ref().and_then(|name| Some((name.clone(), seed_of(name)?)));
    let Some((name, seed)) = found else {
        let message = match name {
            Some(name) => {
                format!("environment `{name}` of estate `{}` is not simulated", estate.name)
            }
            None => format!("estate `{}` has no simulated environment", estate.name),
        };
        return Err(CommandError::usage(format!("{message}: a rehearsal needs one")).help(
            "a rehearsal never touches an account; add for example `sim: { type: simulated, account: \
             \"123456789012\", region: us-east-1 }` to its environments",
        ));
    };
    Ok((name, args.seed.unwrap_or(seed)))
}

/// A plan for each mode: a drill cleans up or keeps, a runbook keeps.
fn stages(
    subject: Subject,
    args: &RehearseArgs,
    place: &str,
    seed: u64,
) -> Result<BTreeMap<Mode, Stage>, CommandError> {
    let Subject { runbook, estate, parameters: given, objectives: promised, drill, .. } = subject;
    let parameters = parameters(&runbook, &given, &args.parameters)?;
    let objectives = objectives(promised, &runbook, &estate, &parameters);
    let modes = match drill {
        Some(name) => vec![
            (Mode::Drill, RunMode::Drill { name: name.clone(), keep: false }),
            (Mode::Kept, RunMode::Drill { name, keep: true }),
        ],
        None => vec![(Mode::Run, RunMode::Run)],
    };
    let plan = |(mode, run): (Mode, RunMode)| {
        let stage = Stage::plan(Staging {
            estate: estate.clone(),
            environment: place.to_owned(),
            runbook: runbook.clone(),
            parameters: parameters.clone(),
            objectives,
            mode: run,
            seed: Some(seed),
        });
        Ok((mode, stage?))
    };
    let stages: Result<BTreeMap<Mode, Stage>, StageError> = modes.into_iter().map(plan).collect();
    stages.map_err(|error| match error {
        StageError::World(error) => error.into(),
        StageError::Cloud(error) => error.into(),
        error @ (StageError::Plan(_) | StageError::NotSimulated { .. }) => {
            CommandError::usage(format!("{}: {error}", runbook.file))
        }
    })
}

/// The command as it was given, without what a replay says itself.
fn command(args: &RehearseArgs) -> String {
    let mut words = vec!["drctl".to_owned(), "rehearse".to_owned(), shell_word(&args.name)];
    if !args.estate.is_empty() {
        words.extend(["--estate".to_owned(), shell_word(&args.estate)]);
    }
    if let Some(env) = &args.env {
        words.extend(["--env".to_owned(), shell_word(env)]);
    }
    for parameter in &args.parameters {
        words.extend(["-p".to_owned(), shell_word(parameter)]);
    }
    words.join(" ")
}
