//! `drctl sweep`: finds what drills left behind, from AWS's tags alone, and removes what has expired.
//!
//! **Invariant:** without `--execute` nothing can change, and with it only what carries our tags under a
//! name that a drill gave, has expired, and is in nobody's way.

mod find;
mod judge;
mod remove;
mod view;

use crate::base::clock::Clock;
use crate::base::duration;
use crate::cli::args::{EstateArg, OutputForm, SimulationArgs};
use crate::cli::confirm::confirm_change;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::out;
use crate::cli::session::{Session, Since, check_options, verify_account};
use crate::cloud::tags::{Marks, tag_value};
use crate::cloud::{Cloud, CloudError, GuardPolicy, Overlay};
use crate::estate::{Environment, Estate};
use crate::plan::model::{Certificate, EnvironmentRecord};
use crate::plan::{certificate, environment_record};
use chrono::{DateTime, Utc};
use clap::Args;
use find::Found;
use judge::{Grounds, Judgement, Resource};
use remove::{DECLARED, PAUSE, Removal, Sweeper};
use std::time::Duration;

/// `drctl sweep`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl sweep --env production                          what is there, and what would be removed
  drctl sweep --env production --owner ada              only what ada's runs made
  drctl sweep --env production --execute --max 2        removes two of them
  drctl sweep --env sim --output json

It needs no state of its own: another machine finds the same. Removed is only what carries drctl's four
tags under a name that drctl gave, and has expired; never what the tag drctl:keep keeps (`drctl run`
gives it to all that it makes, a drill to nothing), what a run that has not ended made (as this
machine's journals and the shared ones say), what is protected from deletion, or what something
replicates from. One thing at a time, at most one in 10 seconds, without a final snapshot: a drill's
data has its source. It may be stopped at any time, and run again.

Exit codes: 0 only looked, nothing to remove, or all of it removed; 14 something could not be removed;
15 more is left than --max; 17 the guard or a permit refused; 18 a region could not be read.")]
pub(super) struct SweepArgs {
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    #[command(flatten)]
    pub estate: EstateArg,
    /// Only this region (repeatable); without it all that the environment's data may be in.
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Remove; without it nothing is changed.
    #[arg(long)]
    pub execute: bool,
    /// Only what this person's runs made, as the tag drctl:owner says.
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only what has existed for longer, for example 2d; expired it must be as well.
    #[arg(long, value_name = "DURATION")]
    pub older_than: Option<String>,
    /// Remove at most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    pub max: usize,
    /// Say yes to removing; never enough for a protected environment.
    #[arg(long, requires = "execute")]
    pub yes: bool,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// What became of a resource in this sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It was only looked at.
    Listed,
    /// It is removable and was left, and why.
    NotThisTime(String),
    /// It was asked for.
    Done(Removal),
}

/// What a sweep found and did.
struct Report {
    estate: String,
    place: EnvironmentRecord,
    now: DateTime<Utc>,
    executes: bool,
    regions: Vec<String>,
    resources: Vec<(Resource, Judgement, Fate)>,
    unread: Vec<(String, CloudError)>,
    certificate: Certificate,
}

/// Where a sweep looks, checked before anything is opened.
pub(super) struct Prepared {
    estate: Estate,
    /// The environment.
    pub(super) environment: Environment,
    regions: Vec<String>,
    older_than: Option<Duration>,
}

/// Reads the estate and checks the command line.
///
/// # Errors
/// A file has problems, a region is not one of the environment's, a duration is none.
pub(super) fn prepare(tools: &Tools, args: &SweepArgs) -> Result<Prepared, CommandError> {
    let estate = tools.estate(&args.estate.name)?;
    let environment = environment(&estate, &args.env)?.clone();
    check_options(&environment, &args.simulation)?;
    let allowed = allowed(&environment);
    if let Some(region) = args.regions.iter().find(|region| !allowed.contains(region)) {
        let message = format!("data of environment `{}` is never in {region}", args.env);
        return Err(CommandError::usage(message).help(format!("it is in {}", allowed.join(", "))));
    }
    let asked = |region: &String| args.regions.is_empty() || args.regions.contains(region);
    let regions = allowed.into_iter().filter(asked).collect();
    let older_than = args.older_than.as_deref().map(|text| {
        duration::parse(text).map_err(|why| {
            CommandError::usage(format!("--older-than `{text}` is no duration: {why}"))
        })
    });
    if args.max == 0 {
        return Err(CommandError::usage("--max 0 removes nothing")
            .help("leave --execute out to look without removing"));
    }
    Ok(Prepared { estate, environment, regions, older_than: older_than.transpose()? })
}

/// The regions that data of the environment may be in, its own first.
fn allowed(environment: &Environment) -> Vec<String> {
    let mut regions = vec![environment.region.clone()];
    for region in &environment.allowed_regions {
        if !regions.contains(region) {
            regions.push(region.clone());
        }
    }
    regions
}

/// Looks, and with `--execute` removes.
///
/// # Errors
/// The account does not answer, or a person says no.
pub(super) async fn run(
    tools: &Tools,
    prepared: Prepared,
    args: &SweepArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let Prepared { estate, environment, regions, older_than } = prepared;
    let session = Session::open(tools, &estate, &environment, &args.simulation, Since::default())?;
    let cloud = session.cloud(GuardPolicy::DryRun).await?.protecting(&estate);
    verify_account(&cloud, &environment).await?;
    let now = session.clock.now();
    let grounds = Grounds {
        now,
        estate: find::sources(&estate, &environment),
        open: find::open_runs(tools),
        owner: args.owner.as_deref().map(tag_value),
        older_than,
    };
    let view = cloud.view(Overlay::default());
    let Found { resources, unread } = find::find(&view, &session.clock, &regions, &grounds).await;
    let mut report = Report {
        estate: estate.name.clone(),
        place: environment_record(&environment, &cloud, session.faults()),
        now,
        executes: args.execute,
        regions,
        resources: resources.into_iter().map(|(one, found)| (one, found, Fate::Listed)).collect(),
        unread,
        certificate: certificate(&cloud, &cloud.effects(session.ports.clone())),
    };
    if args.execute {
        let live = session.cloud(GuardPolicy::live(DECLARED)).await?.protecting(&estate);
        let place = (&estate, &environment, &session);
        execute(tools, &mut report, place, &live, &grounds, args).await?;
    }
    session.close()?;
    match output {
        OutputForm::Text => out::prose(&view::text(&report)),
        OutputForm::Json => out::result(&view::document(&report)),
    }
    Ok(exit_of(&report))
}

/// Removes what was found removable, at most `--max` of it, replicas before what they replicate from.
async fn execute(
    tools: &Tools,
    report: &mut Report,
    (estate, environment, session): (&Estate, &Environment, &Session),
    cloud: &Cloud,
    grounds: &Grounds,
    args: &SweepArgs,
) -> Result<(), CommandError> {
    let mut due: Vec<(usize, Marks)> = Vec::new();
    for (place, (_, judgement, _)) in report.resources.iter().enumerate() {
        match judgement {
            Judgement::Remove(marks) | Judgement::UnderWay(marks) => {
                due.push((place, marks.clone()))
            }
            Judgement::Stay(_) => {}
        }
    }
    due.sort_by_key(|(place, _)| !report.resources[*place].0.is_replica);
    if due.is_empty() {
        return Ok(());
    }
    let count = due.len().min(args.max);
    out::progress(&view::text(report));
    let (name, account) = (&environment.name, &environment.account);
    let what = format!("remove {count} of them for good from `{name}` (account {account})");
    confirm_change(environment, &what, args.yes)?;
    let writer = cloud.writer().expect("a live cloud has a writer");
    let (view, effects) = (cloud.view(Overlay::default()), cloud.effects(session.ports.clone()));
    let sweeper = Sweeper {
        catalogue: &tools.catalogue,
        view: &view,
        writer: &writer,
        effects: &effects,
        clock: &session.clock,
        estate,
        environment,
    };
    let mut cut_off = false;
    for (number, (place, marks)) in due.into_iter().enumerate() {
        let (resource, _, fate) = &mut report.resources[place];
        if cut_off {
            *fate = Fate::NotThisTime("the sweep ended before it".to_owned());
        } else if number >= args.max {
            *fate = Fate::NotThisTime(format!("one sweep removes at most {} (--max)", args.max));
        } else {
            if number > 0 {
                session.clock.sleep(PAUSE).await;
            }
            let removal = remove_one(&sweeper, &session.clock, resource, &marks, grounds).await;
            cut_off = matches!(removal, Removal::CutOff(_));
            *fate = Fate::Done(removal);
        }
    }
    Ok(())
}

async fn remove_one(
    sweeper: &Sweeper<'_>,
    clock: &Clock,
    resource: &Resource,
    marks: &Marks,
    grounds: &Grounds,
) -> Removal {
    let what = format!("{} {} in {}", resource.kind.word(), resource.id, resource.region);
    let at = || crate::base::clock::format_instant(clock.now());
    out::progress(&format!("{} removing {what}", at()));
    let removal = sweeper.remove(resource, marks, grounds).await;
    let ended = match &removal {
        Removal::Removed(took) => format!("{what} is gone after {}", duration::human(*took)),
        Removal::Vanished => format!("{what} was gone already"),
        Removal::Stays(why) => format!("{what} stays: {why}"),
        Removal::Left(why) | Removal::Refused(why) | Removal::CutOff(why) => {
            format!("{what} was NOT removed: {why}")
        }
    };
    out::progress(&format!("{} {ended}", at()));
    removal
}

/// The guard outranks credentials, those what could not be removed, and that what is left for later.
fn exit_of(report: &Report) -> Exit {
    let any =
        |wanted: &dyn Fn(&Fate) -> bool| report.resources.iter().any(|(.., fate)| wanted(fate));
    if any(&|fate| matches!(fate, Fate::Done(Removal::Refused(_)))) {
        Exit::Refused
    } else if any(&|fate| matches!(fate, Fate::Done(Removal::CutOff(_))))
        || !report.unread.is_empty()
    {
        Exit::Credentials
    } else if any(&|fate| matches!(fate, Fate::Done(Removal::Left(_)))) {
        Exit::CleanupFailed
    } else if any(&|fate| matches!(fate, Fate::NotThisTime(_))) {
        Exit::CompletedWithSkips
    } else {
        Exit::Ok
    }
}

#[cfg(test)]
mod tests;
