//! What must be true of every run, and of a run that was killed beside the same run that was not.
//!
//! **Invariant:** a property has one name for ever; a finding says what was found where.

use super::differences::differences;
use super::play::Played;
use super::scenario::{Answers, Mode, Scenario};
use super::stage::Stage;
use super::writers::writers;
use crate::base::ids::StepKey;
use crate::cloud::tags::{KEEP_TAG, RUN_TAG};
use crate::journal::Store as _;
use crate::journal::chain::known;
use crate::journal::event::{Event, RunOutcome, SkipReason};
use crate::journal::fold::StepStatus;
use crate::plan::model::{PlannedStep, Trace};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Name of the property: `clean_up`.
    pub property: &'static str,
    /// What was found.
    pub message: String,
}

fn finding(property: &'static str, message: impl Into<String>) -> Finding {
    Finding { property, message: message.into() }
}

/// How a run ended, in one word.
pub fn outcome(played: &Played) -> &'static str {
    match (played.state.finished, &played.broken) {
        (_, Some(_)) => "broken",
        (None, None) => "not ended",
        (Some(RunOutcome::Succeeded), None) => "succeeded",
        (Some(RunOutcome::Warned), None) => "warned",
        (Some(RunOutcome::Failed), None) => "failed",
        (Some(RunOutcome::Undone), None) => "undone",
        (Some(RunOutcome::Aborted), None) => "aborted",
    }
}

/// Resources that carry the run's tag and are not meant to stay: `instance drctl-orders-… in us-east-1`.
pub fn left_behind(stage: &Stage, played: &Played) -> Vec<String> {
    let state = played.world.state_json();
    let run = stage.plan.run.as_str();
    let kept = stage.plan.mode.keeps();
    let stays = |one: &Resource<'_>| !kept && one.state["tags"][KEEP_TAG].is_string();
    let left = ours(&state, run).into_iter().filter(|one| !stays(one));
    left.map(|one| format!("{} {} in {}", one.kind, one.id, one.region)).collect()
}

/// A resource of the world, as its state tells of it.
pub(super) struct Resource<'a> {
    pub(super) region: &'a str,
    /// `instance` or `snapshot`.
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    pub(super) state: &'a Json,
}

/// Resources that carry the run's tag, region by region.
pub(super) fn ours<'a>(state: &'a Json, run: &str) -> Vec<Resource<'a>> {
    let mut found = Vec::new();
    for (region, kinds) in state["regions"].as_object().into_iter().flatten() {
        for (kind, plural) in [("instance", "instances"), ("snapshot", "snapshots")] {
            for (id, state) in kinds[plural].as_object().into_iter().flatten() {
                if state["tags"][RUN_TAG].as_str() == Some(run) {
                    found.push(Resource { region, kind, id, state });
                }
            }
        }
    }
    found
}

/// What is wrong with a run that nobody killed.
pub fn properties(stage: &Stage, scenario: &Scenario, played: &Played) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(error) = &played.broken {
        found.push(finding("ends", format!("the journal or the lease broke: {error}")));
        return found;
    }
    let Some(ended) = played.state.finished else {
        let why = played.stops.join(", then ");
        found.push(finding("ends", format!("it has not ended after everything was mended: {why}")));
        return found;
    };
    let well = matches!(ended, RunOutcome::Succeeded | RunOutcome::Warned);
    if scenario.is_clean() && !well {
        let why = first_failure(stage, played);
        found.push(finding(
            "clean_run",
            format!("nothing went wrong, and it ended as {}{why}", outcome(played)),
        ));
    }
    // Who aborted it and why, the journal says.
    let aborted = scenario.answers.aborts();
    if !well && !aborted && first_failure(stage, played).is_empty() {
        found.push(finding(
            "outcome",
            format!("it ended as {}, and no step says why", outcome(played)),
        ));
    }
    let left = left_behind(stage, played);
    if scenario.mode == Mode::Drill && !left.is_empty() {
        let why = first_failure(stage, played);
        found.push(finding("clean_up", format!("left behind: {}{why}", left.join(", "))));
    }
    let skipped = scenario.answers == Answers::Skip;
    if scenario.restores_wrongly() && well && !skipped && restored(played) {
        let message = "wrong data came back, and the run calls it recovered: nothing looks at it";
        found.push(finding("wrong_restore", message));
    }
    found.extend(done_twice(stage, played));
    found.extend(writers(stage, &played.world, &played.journal).findings);
    found
}

fn restored(played: &Played) -> bool {
    played.world.mutations().iter().any(|record| record.operation.starts_with("RestoreDBInstance"))
}

/// ` (restore failed: …)`; empty when no step failed.
fn first_failure(stage: &Stage, played: &Played) -> String {
    let steps = stage.plan.steps.iter().map(|step| (&step.key, &played.state.steps[&step.key]));
    let mut failed = steps.filter_map(|(key, step)| {
        let error = step.error.as_ref().or(step.undo_error.as_ref())?;
        Some(format!(" ({key} failed: {})", error.message))
    });
    failed.next().unwrap_or_default()
}

/// How often each operation changed each target.
fn mutations(played: &Played) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for record in played.world.mutations() {
        *counts.entry((record.operation, record.target)).or_default() += 1;
    }
    counts
}

/// A mutation that was made more often than there are steps that meant it; a step and its undo are two.
fn done_twice(stage: &Stage, played: &Played) -> Vec<Finding> {
    let records = played.journal.load().ok().and_then(|stored| known(&stored).ok());
    let mut meant: BTreeMap<String, BTreeSet<(StepKey, bool)>> = BTreeMap::new();
    let mut undone = BTreeSet::new();
    for record in records.unwrap_or_default() {
        if let Event::UndoStarted { step, .. } = &record.event {
            undone.insert(step.clone());
        }
        if let Event::IntentRecorded { step, operation, .. } = record.event {
            let name = operation.rsplit(':').next().unwrap_or_default().to_owned();
            let undoes = undone.contains(&step);
            meant.entry(name).or_default().insert((step, undoes));
        }
    }
    let repeats = stage.plan.steps.iter().any(|step| step.idempotent);
    let counts = mutations(played);
    let twice = counts.iter().filter(|((operation, _), count)| {
        let steps = meant.get(operation).map_or(1, BTreeSet::len);
        **count > steps && !repeats
    });
    twice
        .map(|((operation, target), count)| {
            finding("done_twice", format!("{operation} of {target} took effect {count} times"))
        })
        .collect()
}

/// What became different because the process was killed and the run taken up.
///
/// Where somebody aborts it, how far it got depends on the instant: then only how it ended is compared,
/// that nothing was done twice, and that it cleaned up.
pub fn same_end(
    stage: &Stage,
    scenario: &Scenario,
    whole: &Played,
    again: &Played,
) -> Vec<Finding> {
    if let Some(error) = &again.broken {
        return vec![finding("ends", format!("taken up, the journal or the lease broke: {error}"))];
    }
    if scenario.answers.aborts() {
        let mut found = properties(stage, scenario, again);
        if outcome(whole) != outcome(again) {
            let message = format!("{} became {}", outcome(whole), outcome(again));
            found.push(finding("same_outcome", message));
        }
        return found;
    }
    let mut found = writers(stage, &again.world, &again.journal).findings;
    let excused = excused(stage, whole, again);
    if whole.state.finished != again.state.finished
        && !(again.state.finished == Some(RunOutcome::Warned)
            && whole.state.finished == Some(RunOutcome::Succeeded)
            && !excused.is_empty())
    {
        let why = first_failure(stage, again);
        let message = format!("{} became {}{why}", outcome(whole), outcome(again));
        found.push(finding("same_outcome", message));
    }
    for step in &stage.plan.steps {
        let (before, after) = (status(whole, step), status(again, step));
        let looked = after.is_success() && had_nothing(whole, step);
        if before != after && !looked && !excused.contains(step.key.as_str()) {
            let message = format!("step {}: {} became {}", step.key, before.name(), after.name());
            found.push(finding("same_steps", message));
        }
    }
    let (wanted, state) = (ended(stage, whole), ended(stage, again));
    if wanted != state {
        let text = differences(&wanted, &state).join("; ");
        found.push(finding("same_estate", format!("the final estate differs: {text}")));
    }
    found.extend(same_effects(stage, whole, again, !excused.is_empty()));
    found
}

/// The world at the end. How new the data of a snapshot is that the run itself took, depends on when it took
/// it, and so on how many calls came before.
fn ended(stage: &Stage, played: &Played) -> Json {
    let takes = stage.plan.steps.iter().any(|step| step.uses == "rds.create_snapshot");
    let state = played.world.state_json();
    if takes { without_points(state) } else { state }
}

/// A world without the instants that its instances' data is of.
fn without_points(mut estate: Json) -> Json {
    for region in estate["regions"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let instances = region["instances"].as_object_mut();
        for instance in instances.into_iter().flat_map(Map::values_mut) {
            instance["data"]["point"] = Json::Null;
        }
    }
    estate
}

fn status(played: &Played, step: &PlannedStep) -> StepStatus {
    played.state.steps.get(&step.key).map_or(StepStatus::Pending, |found| found.status)
}

/// Whether a clean-up was left out because nothing had been asked for. In doubt about that it looks,
/// finds nothing, and says so.
fn had_nothing(played: &Played, step: &PlannedStep) -> bool {
    let skip = played.state.steps.get(&step.key).and_then(|found| found.skip.as_ref());
    step.always && matches!(skip, Some(SkipReason::Nothing { .. }))
}

/// Steps of which nothing can be looked at, that were in doubt and ended with a warning that says so; and
/// watch windows, which warn of the time in which nobody watched.
fn excused(stage: &Stage, whole: &Played, again: &Played) -> BTreeSet<String> {
    let unseen = stage
        .plan
        .steps
        .iter()
        .filter(|step| step.trace != Trace::Seen || step.uses == "cloudwatch.watch");
    let warned = unseen.filter(|step| {
        status(whole, step).is_success() && status(again, step) == StepStatus::Warned
    });
    warned.map(|step| step.key.to_string()).collect()
}

/// Mutations and effects beside AWS: none twice, none missing but what an excused step did not do.
fn same_effects(stage: &Stage, whole: &Played, again: &Played, excused: bool) -> Vec<Finding> {
    let beside = |played: &Played| {
        let mut counts = mutations(played);
        for effect in &played.points.effects {
            *counts.entry(("effect".to_owned(), effect.clone())).or_default() += 1;
        }
        counts
    };
    let (before, after) = (beside(whole), beside(again));
    let repeats = stage.plan.steps.iter().any(|step| step.idempotent);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for name @ (operation, target) in names {
        let count = |counts: &BTreeMap<_, usize>| counts.get(name).copied().unwrap_or_default();
        let (wanted, seen) = (count(&before), count(&after));
        // Only checks speak SQL: what a probe writes it takes back, as often as the check looks.
        let harmless = operation == "effect" && (repeats || target.starts_with("sql:"));
        // A copy that arrived while nobody looked is no figure: the sample is taken again, under a key of
        // its own. That nothing of it stays, the final estates say.
        let sampled = wanted == 0 && target.contains("/drctl-canary/");
        if seen > wanted && !harmless && !sampled {
            let message = format!("{operation} of {target}: {seen} times instead of {wanted}");
            found.push(finding("done_twice", message));
        } else if seen < wanted && !excused {
            let message = format!("{operation} of {target}: {seen} times instead of {wanted}");
            found.push(finding("not_done", message));
        }
    }
    found
}

/// What tells one end from another: when removing a guard changes it in no scenario, nothing tests the
/// guard.
pub(super) fn signature(stage: &Stage, scenario: &Scenario, played: &Played) -> Json {
    let broken: BTreeSet<&str> =
        properties(stage, scenario, played).iter().map(|found| found.property).collect();
    // Which instant `latest` is, depends on how many calls came before.
    let estate = without_points(played.world.state_json());
    serde_json::json!({
        "outcome": outcome(played),
        "stops": played.stops,
        "estate": estate,
        "broken": broken,
        "effects": played.points.effects,
        "published": played.world.published().len(),
    })
}
