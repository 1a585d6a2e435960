//! `drctl drill all`: every drill of an estate, one after the other, in one table.
//!
//! **Invariant:** each is a run of its own with its journal and its reports, and a simulated one has a
//! world of its own in which nothing has happened before; a drill that cannot begin is a row of the table,
//! and an interrupt ends the list after the run that it stopped.

mod row;
mod view;

use crate::base::diagnostic::nearest;
use crate::base::yaml::{self, Kind};
use crate::cli::args::{EstateArg, LaunchArgs, OutputForm, SimulationArgs};
use crate::cli::drill;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, environment, planned, write};
use crate::cli::main::{block_on, time_of};
use crate::cli::out;
use crate::cli::project::FileKind;
use crate::cli::reports::report_of;
use crate::cli::resume::forget_if_ended;
use crate::cli::session::Since;
use crate::cli::signals::Signals;
use crate::estate::Estate;
use crate::runbook::load_drill;
use clap::Args;
use row::{Body, Row};
use std::cell::Cell;
use std::path::PathBuf;

/// `drctl drill all`
#[derive(Debug, Args)]
pub(super) struct AllArgs {
    #[command(flatten)]
    pub estate: EstateArg,
    /// Another environment than the drill files'.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Only these drills (repeatable, or separated by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Show what each would do and promise, and prove that nothing was done.
    #[arg(long)]
    pub dry_run: bool,
    /// Say yes where a question would be asked, and approve every gate; never enough for a protected
    /// environment.
    #[arg(long)]
    pub yes: bool,
    /// Without a terminal: wait at gates for answers from other terminals, instead of leaving the run
    /// there and going on with the next drill.
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    /// Write the table as JUnit XML here, a case a drill.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

impl AllArgs {
    /// As if each drill were started by itself.
    fn launch(&self) -> LaunchArgs {
        LaunchArgs {
            dry_run: self.dry_run,
            yes: self.yes,
            wait: self.wait,
            simulation: self.simulation.clone(),
            ..LaunchArgs::default()
        }
    }
}

/// A drill that is to be run.
struct Chosen {
    name: String,
    /// Its title for people, where its file says one.
    scenario: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The estate is not there, `--only` names no drill of it, or the JUnit file cannot be written. What
/// becomes of a drill is no error: it is its row.
pub(super) fn run(tools: &Tools, args: &AllArgs, output: OutputForm) -> Result<Exit, CommandError> {
    let estate = tools.estate(&args.estate.name)?;
    let chosen = chosen(tools, &estate, args)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut stopped = false;
    let count = chosen.len();
    for (index, drill) in chosen.iter().enumerate() {
        if stopped {
            rows.push(Row::not_begun(&drill.name, drill.scenario.as_deref()));
            continue;
        }
        out::progress(&format!("drill {} of {count}: {}", index + 1, drill.name));
        let (row, stop) = one(tools, drill, args);
        if let Some(why) = row.why.as_ref().filter(|_| matches!(row.body, Body::Nothing)) {
            out::progress(&format!("{}: {why}", drill.name));
        }
        rows.push(row);
        stopped = stop;
    }
    let exit = Exit::of_all(rows.iter().map(|row| row.exit));
    match output {
        OutputForm::Text => out::result(&view::text(&estate.name, &rows, args.dry_run)),
        OutputForm::Json => out::result(&view::json(&estate.name, &rows, args.dry_run, exit)),
    }
    if let Some(path) = &args.junit {
        write(path, &view::junit(&estate.name, &rows))?;
        out::progress(&format!("JUnit report in {}", path.display()));
    }
    Ok(exit)
}

/// The estate's drills, by name; with `--only` those that it names, in its order.
fn chosen(tools: &Tools, estate: &Estate, args: &AllArgs) -> Result<Vec<Chosen>, CommandError> {
    let names = tools.project.names(FileKind::Drill);
    let wanted = [estate.name.as_str(), args.estate.name.as_str()];
    let all: Vec<Chosen> =
        names.into_iter().filter_map(|name| of_estate(tools, name, &wanted)).collect();
    if args.only.is_empty() {
        if all.is_empty() {
            let message = format!("no drill names estate `{}`", estate.name);
            return Err(CommandError::usage(message).help("`drctl drill list` shows all drills"));
        }
        return Ok(all);
    }
    let mut found = Vec::new();
    let mut all: Vec<Option<Chosen>> = all.into_iter().map(Some).collect();
    for name in &args.only {
        let place = all.iter_mut().find(|one| one.as_ref().is_some_and(|it| it.name == *name));
        match place.and_then(Option::take) {
            Some(drill) => found.push(drill),
            None if found.iter().any(|drill: &Chosen| drill.name == *name) => {}
            None => {
                let names: Vec<&str> = all.iter().flatten().map(|it| it.name.as_str()).collect();
                let message = format!("estate `{}` has no drill called `{name}`", estate.name);
                let near = nearest(name, names.iter().copied());
                return Err(CommandError::usage(message).help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has: {}", names.join(", ")),
                }));
            }
        }
    }
    Ok(found)
}

/// The drill called `name`, if it is one of the estate's. One whose file cannot be read is: unless it
/// says another estate, it may be the one that somebody counts on.
fn of_estate(tools: &Tools, name: String, estate: &[&str; 2]) -> Option<Chosen> {
    let Ok(Ok(found)) = tools.project.examine(FileKind::Drill, &name) else {
        return Some(Chosen { name, scenario: None });
    };
    let is = |text: &str| estate.contains(&text);
    match load_drill(&found.file, &found.text) {
        Ok(drill) => is(&drill.estate).then_some(Chosen { name, scenario: drill.scenario }),
        Err(_) => {
            let node = yaml::parse(&found.file, &found.text).ok();
            let said = node.as_ref().and_then(|node| node.field("estate"));
            match said.map(|(_, node)| &node.kind) {
                Some(Kind::Text(text)) if !is(text) => None,
                Some(_) | None => Some(Chosen { name, scenario: None }),
            }
        }
    }
}

/// Runs one drill, and says whether somebody asked to stop meanwhile.
fn one(tools: &Tools, drill: &Chosen, args: &AllArgs) -> (Row, bool) {
    let row = Row::new(&drill.name, drill.scenario.as_deref());
    let prepared = drill::read(tools, &drill.name, args.env.as_deref(), false, OutputForm::Text);
    let launch = match prepared.and_then(|launch| {
        let simulated = environment(&launch.estate, &launch.environment)?.is_simulated();
        Ok((launch, simulated))
    }) {
        Ok((launch, simulated)) => Prepared { launch, simulated },
        Err(error) => return (row.failed(&error), false),
    };
    let own = launch.simulated.then(|| {
        let Launch { estate, environment, .. } = &launch.launch;
        tools.state.fresh_world((&estate.name, environment), &drill.name)
    });
    let own = match own.transpose() {
        Ok(own) => own,
        Err(error) => return (row.failed(&error), false),
    };
    let seen = Cell::new(false);
    let time = time_of(launch.simulated, args.simulation.pace);
    let row = block_on(time, async {
        let mut signals = Signals::catch();
        tokio::select! {
            biased;
            row = work(tools, &launch.launch, args, (row, own.clone()), &seen) => row,
            () = signals.note(&seen) => unreachable!("it waits for ever"),
        }
    });
    if let Some(name) = own {
        match &row.run {
            Some(run) => forget_if_ended(tools, run, &name),
            None => tools.state.forget_world(&name),
        }
    }
    (row, seen.get())
}

/// A drill whose files are read.
struct Prepared {
    launch: Launch,
    simulated: bool,
}

/// Plans the drill and, unless it is a dry run or somebody asked to stop, runs it.
async fn work(
    tools: &Tools,
    launch: &Launch,
    args: &AllArgs,
    (row, own): (Row, Option<String>),
    stopped: &Cell<bool>,
) -> Row {
    let options = args.launch();
    let since = Since { own, ..Since::default() };
    let planned = match planned(tools, launch, &options, since).await {
        Ok(planned) => planned,
        Err(error) => return row.failed(&error),
    };
    if args.dry_run {
        return row.planned(planned.plan);
    }
    if stopped.get() {
        return row.stopped();
    }
    let run = planned.plan.run.clone();
    let ended = planned.run(tools, &launch.estate, &options, None).await;
    match report_of(tools, &run) {
        Ok(report) => row.ran(run, ended, report),
        // It was refused before its journal began.
        Err(error) => row.failed(&ended.err().unwrap_or(error)),
    }
}
