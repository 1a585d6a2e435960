//! `drctl run`: a runbook in a named environment, or a stored plan, once.
//!
//! **Invariant:** a stored plan runs unchanged or not at all.

use crate::base::clock::format_instant;
use crate::base::digest::Digest;
use crate::cli::args::{EstateArg, LaunchArgs, OutputForm};
use crate::cli::confirm::{confirm, confirm_ending, hurried};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, environment, launch, start, stored_json};
use crate::cli::link::{Link, SCHEME};
use crate::cli::message::{self, Message};
use crate::cli::out;
use crate::cli::people::People;
use crate::cli::project::read_bounded;
use crate::cli::session::{Session, Since, verify_account};
use crate::cli::shared::lost_region;
use crate::cli::undertake::{embedded, plan_parameters};
use crate::cloud::GuardPolicy;
use crate::estate::{Estate, Objectives};
use crate::plan::model::{PLAN_VERSION, Plan, RunMode};
use crate::plan::{Durations, PlanRequest, PlanTools, build, moved_facts};
use crate::runbook::Runbook;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `drctl run`
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Name of the runbook (runbooks/NAME.yaml), path of a runbook file, or a link
    /// (`drctl://run/RUNBOOK?env=…`).
    #[arg(required_unless_present_any = ["plan", "from_message"], conflicts_with = "plan")]
    pub runbook: Option<String>,
    /// The environment, always explicit; a link says it itself.
    #[arg(long, value_name = "NAME", conflicts_with = "plan")]
    pub env: Option<String>,
    #[command(flatten)]
    pub estate: EstateArg,
    /// Run this stored plan: once, unchanged, before it expires, and only if no fact has moved.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// A message of SNS or of a CloudWatch alarm, in a file or `-` for standard input: its link and its
    /// alarm are what is asked for. A person is shown it and asked first, in every environment.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "yes"])]
    pub from_message: Option<PathBuf>,
    #[command(flatten)]
    pub launch: LaunchArgs,
}

/// Reads the runbook's files, and what a link or a message asks for.
///
/// # Errors
/// A file is not there or has problems; a link or a message is not usable, contradicts the command line,
/// or nobody agrees to it.
pub(super) fn prepare(
    tools: &Tools,
    args: &RunArgs,
    output: OutputForm,
) -> Result<(Launch, LaunchArgs), CommandError> {
    let message = args.from_message.as_deref().map(message::read).transpose()?;
    let mut options = args.launch.clone();
    let (link, alarm) = match message {
        Some(Message { link, alarm }) => (link, alarm),
        None => (None, None),
    };
    let link = match (args.runbook.as_deref(), link) {
        (Some(text), found) if text.starts_with(SCHEME) => {
            let link = Link::parse(text)?;
            if found.is_some_and(|found| found != link) {
                let message = "the message has a link of its own, and it is another one";
                return Err(CommandError::usage(message));
            }
            Some(link)
        }
        // Whoever names a runbook takes no more than the alarm from a message.
        (Some(_), _) => None,
        (None, Some(link)) => Some(link),
        (None, None) => {
            let message = "the message names an alarm and no runbook";
            return Err(CommandError::usage(message)
                .help("say which: drctl run RUNBOOK --env NAME --from-message FILE"));
        }
    };
    if let Some(alarm) = alarm {
        if options.alarm.as_ref().is_some_and(|said| said.starts_with("arn:") && *said != alarm) {
            return Err(CommandError::usage("the message is about another alarm than --alarm"));
        }
        options.alarm = Some(alarm);
    }
    let wish = match link {
        Some(link) => follow(tools, &link, args, &mut options)?,
        None => Wish {
            runbook: tools.runbook(args.runbook.as_deref().unwrap_or_default())?,
            estate: tools.estate(&args.estate.name)?,
            env: args.env.clone().ok_or_else(no_environment)?,
        },
    };
    if args.from_message.is_some() && !options.dry_run {
        agree(&wish, &options)?;
    }
    let launch = Launch {
        runbook: wish.runbook,
        estate: wish.estate,
        environment: wish.env,
        mode: RunMode::Run,
        parameters: BTreeMap::new(),
        objectives: Objectives::default(),
        form: None,
        alarm: None,
        notify: None,
        faults: Vec::new(),
        output,
    };
    Ok((launch, options))
}

fn no_environment() -> CommandError {
    CommandError::usage("the environment is always explicit").help("add --env NAME")
}

/// Which runbook where.
struct Wish {
    runbook: Runbook,
    estate: Estate,
    env: String,
}

/// Reads what a link names, and puts what it says into `options`. The command line adds nothing to it but
/// how the run is watched and confirmed: one of them says what is run.
fn follow(
    tools: &Tools,
    link: &Link,
    args: &RunArgs,
    options: &mut LaunchArgs,
) -> Result<Wish, CommandError> {
    out::progress(&format!("link: {}", link.asks()));
    let other = |said: &Option<String>, asked: &str| said.as_ref().is_some_and(|it| it != asked);
    if other(&args.env, &link.env) || !args.launch.parameters.is_empty() {
        let message = "the link says environment and parameters itself";
        return Err(CommandError::usage(message)
            .help("leave --env and -p away, or run the runbook by its name"));
    }
    let runbook = tools.runbook(&link.runbook)?;
    link.without_secrets(&runbook)?;
    options.parameters =
        link.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if options.alarm.is_none() {
        options.alarm.clone_from(&link.alarm);
    }
    let estate = if link.estate.is_empty() { &args.estate.name } else { &link.estate };
    Ok(Wish { runbook, estate: tools.estate(estate)?, env: link.env.clone() })
}

/// Asks whether what a message asks for is to be done: also in a simulated environment.
fn agree(wish: &Wish, options: &LaunchArgs) -> Result<(), CommandError> {
    let place = environment(&wish.estate, &wish.env)?;
    let title = &wish.runbook.title;
    let mut what = format!("a message asks for `{title}` in `{}`", place.name);
    for parameter in &options.parameters {
        what.push_str(&format!("\n  {parameter}"));
    }
    if let Some(alarm) = &options.alarm {
        what.push_str(&format!("\n  because of {alarm}"));
    }
    out::progress(&what);
    confirm_ending(place, "it comes from outside", false)
}

/// Plans and runs.
///
/// # Errors
/// See [`launch`].
pub(super) async fn run(
    tools: &Tools,
    prepared: Launch,
    options: &LaunchArgs,
) -> Result<Exit, CommandError> {
    launch(tools, prepared, options).await
}

/// Largest plan read: that of the longest runbook has some 40 MB.
const MAX_PLAN_BYTES: u64 = 128 * 1024 * 1024;

/// A stored plan with the files it embeds.
pub(super) struct StoredPlan {
    /// The plan.
    pub plan: Plan,
    /// Its estate, from the plan.
    pub estate: Estate,
    runbook: Runbook,
    digest: Digest,
}

/// Reads a stored plan and checks it against itself: version, digests of what it embeds.
///
/// # Errors
/// It cannot be read, is no plan of this version, or was changed.
pub(super) fn read_plan(tools: &Tools, path: &Path) -> Result<StoredPlan, CommandError> {
    let shown = path.display();
    let text = String::from_utf8(read_bounded(path, MAX_PLAN_BYTES)?)
        .map_err(|error| CommandError::usage(format!("{shown}: no plan: {error}")))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| {
        CommandError::usage(format!(
            "{shown}:{}:{}: no plan: {error}",
            error.line(),
            error.column()
        ))
    })?;
    if plan.schema_version != PLAN_VERSION {
        let message = format!(
            "{shown} has plan version {}; this drctl runs version {PLAN_VERSION}",
            plan.schema_version
        );
        return Err(CommandError::usage(message).help("make the plan again"));
    }
    let original = std::fs::read_to_string(tools.state.plan(&plan.run)).ok();
    let digest = Digest::of(text.as_bytes());
    let whole = [&plan.runbook, &plan.estate]
        .into_iter()
        .chain(plan.called.values())
        .all(|source| Digest::of(source.text.as_bytes()).as_str() == source.digest);
    let unchanged = original.is_none_or(|original| original == text) && stored_json(&plan) == text;
    if !whole || !unchanged {
        let message = format!("{shown} was changed after it was made ({})", digest.short());
        return Err(CommandError::new(Exit::Refused, message)
            .help("make the plan again with --dry-run --out"));
    }
    let runbook = embedded(tools, &plan)?;
    let estate = tools.parse_estate(&plan.estate.file, &plan.estate.text)?;
    Ok(StoredPlan { plan, estate, runbook, digest })
}

/// Runs a stored plan: once, before it expires, and only if no fact has moved.
///
/// # Errors
/// It was run already, is expired, or a fact has moved (exit code 17, naming it).
pub(super) async fn run_plan(
    tools: &Tools,
    stored: StoredPlan,
    args: &LaunchArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let StoredPlan { plan, estate, runbook, digest } = stored;
    let refused = |message: String| CommandError::new(Exit::Refused, message);
    if tools.journals.has(&tools.state, &plan.run)? {
        let message = format!("plan {} was run already, as run {}", digest.short(), plan.run);
        return Err(refused(message)
            .help(format!("`drctl report {}`; make a new plan to run again", plan.run)));
    }
    if let Some(form) = args.form.filter(|form| *form != plan.form) {
        let message = format!("plan {} was made for the form {}", digest.short(), plan.form);
        return Err(CommandError::usage(message).help(format!(
            "make the plan again with --form {form}, or leave --form out and switch the run: \
             `drctl switch {} --to {form}`",
            plan.run
        )));
    }
    let lost = lost_region(&runbook, &plan_parameters(tools, &plan)?)?;
    tools.journals.outlives(lost.as_deref())?;
    let environment = environment(&estate, &plan.environment.name)?.clone();
    // What the plan was made for, and what the command line adds.
    let simulation = args.simulation.after(&plan.environment.faults);
    let session = Session::open(tools, &estate, &environment, &simulation, Since::default())?;
    let now = session.clock.now();
    if now >= plan.expires_at {
        let message =
            format!("plan {} expired at {}", digest.short(), format_instant(plan.expires_at));
        return Err(refused(message).help("make the plan again: what it rests on may have moved"));
    }
    let fresh = replan(tools, &plan, &runbook, &estate, &environment, &session).await?;
    let moved = moved_facts(&plan, &fresh);
    if !moved.is_empty() {
        let message = format!(
            "facts have moved since plan {} was made:\n  {}",
            digest.short(),
            moved.join("\n  ")
        );
        return Err(refused(message).help("make the plan again and read it"));
    }
    out::progress(&format!("plan {} holds: {} facts unchanged", digest.short(), plan.facts.len()));
    confirm(&environment, &plan, args.yes)?;
    hurried(&plan, args.simulation.pace.filter(|_| !args.yes));
    let people = People::new(&plan, &environment, args.yes, None).waiting(args.wait);
    let ended = start(tools, plan, (&estate, &environment, &session), people, Some(output)).await;
    session.end(ended)
}

/// Plans again to read the facts afresh; only the facts of it are used.
async fn replan(
    tools: &Tools,
    plan: &Plan,
    runbook: &Runbook,
    estate: &Estate,
    environment: &crate::estate::Environment,
    session: &Session,
) -> Result<Plan, CommandError> {
    let cloud = session.cloud(GuardPolicy::DryRun).await?;
    verify_account(&cloud, environment).await?;
    let effects = cloud.effects(session.ports.clone());
    let request = PlanRequest {
        run: plan.run.clone(),
        runbook,
        estate,
        environment,
        parameters: plan_parameters(tools, plan)?,
        mode: plan.mode.clone(),
        form: plan.form,
        objectives: Objectives::default(),
        disaster_at: plan.disaster_at,
        declared_at: plan.declared_at,
        detection: plan.detection.clone(),
        notify: plan.notify.clone(),
        faults: session.faults(),
        owner: crate::cli::person::operator(),
        now: session.clock.now(),
    };
    let durations = Durations::default();
    let planning = PlanTools {
        catalogue: &tools.catalogue,
        cloud: &cloud,
        effects: &effects,
        durations: &durations,
    };
    build(request, planning)
        .await
        .map_err(|error| CommandError::new(Exit::Refused, error.to_string()))
}
