//! `drctl run`: a runbook in a named environment, or a stored plan, once.
//!
//! **Invariant:** a stored plan runs unchanged or not at all.

use crate::base::clock::format_instant;
use crate::base::digest::Digest;
use crate::cli::args::{EstateArg, LaunchArgs, OutputForm};
use crate::cli::confirm::confirm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Launch, Tools, environment, launch, start, stored_json};
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
    /// Name of the runbook (runbooks/NAME.yaml) or path of a runbook file.
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    pub runbook: Option<String>,
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME", required_unless_present = "plan", conflicts_with = "plan")]
    pub env: Option<String>,
    #[command(flatten)]
    pub estate: EstateArg,
    /// Run this stored plan: once, unchanged, before it expires, and only if no fact has moved.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub launch: LaunchArgs,
}

/// Reads the runbook's files.
///
/// # Errors
/// A file is not there or has problems.
pub(super) fn prepare(
    tools: &Tools,
    args: &RunArgs,
    output: OutputForm,
) -> Result<Launch, CommandError> {
    let name = args.runbook.as_deref().expect("clap requires it without --plan");
    Ok(Launch {
        runbook: tools.runbook(name)?,
        estate: tools.estate(&args.estate.name)?,
        environment: args.env.clone().expect("clap requires it without --plan"),
        mode: RunMode::Run,
        parameters: BTreeMap::new(),
        objectives: Objectives::default(),
        form: None,
        alarm: None,
        faults: Vec::new(),
        output,
    })
}

/// Plans and runs.
///
/// # Errors
/// See [`launch`].
pub(super) async fn run(
    tools: &Tools,
    prepared: Launch,
    args: &RunArgs,
) -> Result<Exit, CommandError> {
    launch(tools, prepared, &args.launch).await
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
        faults: session.faults(),
        owner: crate::cli::launch::operator(),
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
