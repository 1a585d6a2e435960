//! Files that were edited while their run was open.
//!
//! **Invariant:** a run never goes on with files that differ from its plan's unless a person has seen the
//! difference and said so, and that is in its journal. Where it acts and what protects it never changes,
//! nor, once a step has begun, what steps take from the estate.

use crate::base::diagnostic::Problems;
use crate::base::digest::Digest;
use crate::base::form::Form;
use crate::base::value::Value;
use crate::cli::confirm::{confirm_change, confirm_ending};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::fixed::{let_out, moved, place_changes, weakened};
use crate::cli::launch::{Tools, environment, stored_json};
use crate::cli::out;
use crate::cli::person::operator;
use crate::cli::project::read_bounded;
use crate::cli::session::{Session, verify_account};
use crate::cli::undertake::embedded;
use crate::cloud::GuardPolicy;
use crate::engine::Change;
use crate::estate::{Environment, Estate, Objectives};
use crate::journal::Person;
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, Source};
use crate::plan::{Durations, PlanRequest, PlanTools, build, carry_over, predicted_failures};
use crate::runbook::{Difference, Given, Runbook, bind_parameters, difference, load_runbook_in};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `resume` does about edited files.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct EditedArgs {
    /// Go on with the runbook and the estate as they are now, although they were edited while the run was
    /// open: shows the difference, plans again, and records both. What has begun must be unchanged.
    #[arg(long, conflicts_with = "keep_plan")]
    pub accept_changes: bool,
    /// Go on with the plan that the run has, although its runbook or estate was edited; recorded.
    #[arg(long)]
    pub keep_plan: bool,
}

/// Files that differ from what the plan embeds.
pub(super) struct Edited {
    difference: Difference,
    /// What lets gates that are to come be opened more easily, one line each.
    weakened: Vec<String>,
    /// The environment as the run began in it.
    before: Environment,
    /// The runbook as it is now.
    pub(super) runbook: Runbook,
    /// The estate as it is now.
    pub(super) estate: Estate,
}

/// With which plan a run goes on.
pub(super) enum GoesOn {
    /// Nothing that matters was edited.
    AsPlanned,
    /// With its own plan, although this differs.
    Keeping(Vec<String>),
    /// With what the files say now.
    Changed(Box<Edited>),
}

/// Compares the files of `plan` with what it embeds.
///
/// # Errors
/// They differ and no flag says what to do, a step that has begun was changed, or an edited file has
/// problems.
pub(super) fn compare(
    tools: &Tools,
    plan: &Plan,
    state: &RunState,
    args: EditedArgs,
) -> Result<GoesOn, CommandError> {
    let (runbook_now, estate_now) = (now(tools, &plan.runbook)?, now(tools, &plan.estate)?);
    let old = embedded(tools, plan)?;
    // A called runbook that was edited is an edit of the one that calls.
    let called =
        plan.called.values().map(|source| now(tools, source)).collect::<Result<Vec<_>, _>>()?;
    let runbook_now = match called.iter().any(Option::is_some) {
        true => runbook_now.or_else(|| Some(plan.runbook.text.clone())),
        false => runbook_now,
    };
    let old_estate = tools.parse_estate(&plan.estate.file, &plan.estate.text)?;
    let before = environment(&old_estate, &plan.environment.name)?.clone();
    let mut found = Difference::default();
    let (mut problems, mut fixed, mut easier) = (None, Vec::new(), Vec::new());
    let runbook = match runbook_now.map(|text| reloaded(tools, &plan.runbook.file, &text)) {
        None => old,
        Some(Ok((new, _))) => {
            found = difference(&old, &new);
            easier = weakened(&old, &new);
            found.lines.extend(easier.iter().cloned());
            new
        }
        Some(Err(wrong)) => {
            found.lines.push(format!("~ runbook {} has problems", plan.runbook.file));
            problems = Some(CommandError::from(wrong));
            old
        }
    };
    let estate = match estate_now.map(|text| tools.parse_estate(&plan.estate.file, &text)) {
        None => old_estate,
        Some(Ok(new)) => {
            found.lines.extend(estate_lines(&old_estate, &new, &plan.environment.name));
            let mut place = place_changes(&before, new.environments.get(&before.name));
            place.extend(let_out(&old_estate, &new, &before));
            found.lines.extend(place.iter().cloned());
            fixed.extend(place);
            if begun(state).next().is_some() {
                fixed.extend(moved(&old_estate, &new, &before));
            }
            new
        }
        Some(Err(wrong)) => {
            found.lines.push(format!("~ estate {} has problems", plan.estate.file));
            problems = problems.or(Some(wrong));
            old_estate
        }
    };
    if found.lines.is_empty() {
        return Ok(GoesOn::AsPlanned);
    }
    let shown = found.lines.join("\n  ");
    let message = format!("files of run {} were edited while it was open:\n  {shown}", plan.run);
    if args.keep_plan {
        out::progress(&format!("{message}\nit goes on with the plan that it has"));
        return Ok(GoesOn::Keeping(found.lines));
    }
    if !args.accept_changes {
        return Err(CommandError::new(Exit::Refused, message).help(
            "resume with --accept-changes to go on with the files as they are now, or with \
             --keep-plan to go on with the plan that the run has; both are recorded",
        ));
    }
    if let Some(problems) = problems {
        return Err(problems);
    }
    unchanged(state, &found, &fixed)?;
    out::progress(&message);
    let edited = Edited { difference: found, weakened: easier, before, runbook, estate };
    Ok(GoesOn::Changed(Box::new(edited)))
}

/// The runbook as the project has it now, with those that it calls.
fn reloaded(tools: &Tools, file: &str, text: &str) -> Result<(Runbook, Problems), Problems> {
    load_runbook_in(file, text, &tools.catalogue, &tools.project)
}

/// Whether all that must stay as it was has stayed.
fn unchanged(state: &RunState, found: &Difference, fixed: &[String]) -> Result<(), CommandError> {
    let touched = begun(state).filter(|key| found.touched.contains(key.id()));
    let touched: Vec<&str> = touched.map(|key| key.as_str()).collect();
    if !touched.is_empty() {
        return Err(refused(&touched.join(", ")));
    }
    if fixed.is_empty() {
        return Ok(());
    }
    let message = format!("an open run cannot go on with these changes:\n  {}", fixed.join("\n  "));
    Err(CommandError::new(Exit::Refused, message)
        .help("put them back as they were, or resume with --keep-plan"))
}

fn refused(begun: &str) -> CommandError {
    let message = format!("steps that have begun were edited or taken out: {begun}");
    CommandError::new(Exit::Refused, message)
        .help("put them back as they were, or resume with --keep-plan")
}

/// Steps that have begun, ended or been left out.
fn begun(state: &RunState) -> impl Iterator<Item = &crate::base::ids::StepKey> {
    state.steps.iter().filter(|(_, one)| one.status != StepStatus::Pending).map(|(key, _)| key)
}

/// The text of a file that the plan embeds, when it is there and another one now. Shipped files are part of
/// the program and not of the project: a newer version's do not concern the run.
fn now(tools: &Tools, source: &Source) -> Result<Option<String>, CommandError> {
    if source.file.starts_with("(shipped)") {
        return Ok(None);
    }
    let file = Path::new(&source.file);
    let places = [tools.project.root().join(file), PathBuf::from(file)];
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        let what = format!("{} is not there any more", source.file);
        out::progress(&format!("{what}: the run goes on with what its journal embeds"));
        return Ok(None);
    };
    let bytes = read_bounded(path, crate::base::yaml::MAX_BYTES as u64)?;
    if Digest::of(&bytes).as_str() == source.digest {
        return Ok(None);
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        CommandError::usage(format!("{}: it is not UTF-8: {error}", path.display()))
    })
}

/// What differs between two estates, as far as a run in `environment` can meet it.
fn estate_lines(old: &Estate, new: &Estate, environment: &str) -> Vec<String> {
    let mut lines = entries("database", &old.databases, &new.databases);
    let only = |estate: &Estate| -> BTreeMap<String, Environment> {
        let found = estate.environments.get(environment);
        found.map(|found| (environment.to_owned(), found.clone())).into_iter().collect()
    };
    lines.extend(entries("environment", &only(old), &only(new)));
    if old.objectives != new.objectives {
        lines.push("~ estate objectives; those of the run stay as they were".to_owned());
    }
    if old.name != new.name {
        lines.push(format!("~ estate name {} -> {}", old.name, new.name));
    }
    lines
}

fn entries<T: PartialEq>(
    what: &str,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
) -> Vec<String> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let added = added.map(|name| format!("+ estate {what} {name}"));
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let gone = gone.map(|name| format!("- estate {what} {name}"));
    let other = old.iter().filter(|(name, value)| new.get(*name).is_some_and(|now| now != *value));
    let other = other.map(|(name, _)| format!("~ estate {what} {name}"));
    added.chain(gone).chain(other).collect()
}

/// Where a changed run goes on.
pub(super) struct Scene<'a> {
    /// The estate as it is now.
    pub(super) estate: &'a Estate,
    /// The environment as it is now.
    pub(super) environment: &'a Environment,
    /// Its session.
    pub(super) session: &'a Session,
}

/// Plans the rest of the run from the edited files, shows what that comes to, and asks where the
/// environment is protected.
///
/// # Errors
/// It cannot be planned, a step that has begun is gone, or a person says no.
pub(super) async fn replan(
    tools: &Tools,
    old: &Plan,
    state: &RunState,
    edited: Edited,
    scene: Scene<'_>,
    (by, yes): (&Person, bool),
) -> Result<Change, CommandError> {
    let Edited { difference, weakened, before, runbook, .. } = edited;
    let Scene { estate, environment, session } = scene;
    let fresh = fresh(tools, (old, state.form), &runbook, estate, environment, session).await?;
    let begun: Vec<_> = begun(state).cloned().collect();
    let plan = carry_over(old, fresh, |key| begun.contains(key)).map_err(|lost| {
        refused(&lost.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    for failure in predicted_failures(&plan) {
        out::progress(&format!("WOULD FAIL      {failure}"));
    }
    let what = format!("go on with run {} and {} changes", old.run, difference.lines.len());
    // What protected the run when it began protects it still.
    if weakened.is_empty() {
        confirm_change(&before, &what, yes)?;
    } else {
        confirm_ending(&before, &format!("{what}; {}", weakened.join("; ")), yes)?;
    }
    let json = stored_json(&plan);
    let digest = Digest::of(json.as_bytes()).to_string();
    let json = serde_json::from_str(&json).expect("just written");
    let (by, difference) = (by.clone(), difference.lines);
    Ok(Change::Plan { plan: Box::new(plan), json, digest, by, difference })
}

async fn fresh(
    tools: &Tools,
    (old, form): (&Plan, Form),
    runbook: &Runbook,
    estate: &Estate,
    environment: &Environment,
    session: &Session,
) -> Result<Plan, CommandError> {
    let cloud = session.cloud(GuardPolicy::DryRun).await?;
    verify_account(&cloud, environment).await?;
    let effects = cloud.effects(session.ports.clone());
    let given: BTreeMap<String, Given> = old
        .parameters
        .iter()
        .filter(|(name, _)| runbook.parameter(name).is_some())
        .map(|(name, json)| (name.clone(), Given::Typed(Value::untyped(json))))
        .collect();
    let parameters = bind_parameters(runbook, &given)
        .map_err(|problems| CommandError::usage(problems.join("\n")))?;
    let request = PlanRequest {
        run: old.run.clone(),
        runbook,
        estate,
        environment,
        parameters,
        mode: old.mode.clone(),
        form,
        objectives: Objectives::default(),
        disaster_at: old.disaster_at,
        declared_at: old.declared_at,
        detection: old.detection.clone(),
        notify: old.notify.clone(),
        faults: session.faults(),
        owner: operator(),
        now: session.clock.now(),
    };
    let durations = Durations::default();
    let (catalogue, cloud, effects) = (&tools.catalogue, &cloud, &effects);
    let planning = PlanTools { catalogue, cloud, effects, durations: &durations };
    let planned = build(request, planning).await;
    planned.map_err(|error| CommandError::new(Exit::Refused, error.to_string()))
}
