//! Mutation of a runbook: each guard is removed in turn, and the scenarios are played without it.
//!
//! **Invariant:** a guard counts as tested only when a scenario ends differently without it.

use super::guards::{Guard, guards, redundant, without};
use super::judge::signature;
use super::model::{GuardRow, GuardVerdict};
use super::parallel;
use super::play::{Keep, Played, play};
use super::scenario::{Mode, Scenario};
use super::stage::Stage;
use crate::base::clock::between;
use crate::base::duration::human;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A scenario as it ends with every guard in place.
pub(super) struct Baseline {
    /// The scenario.
    pub scenario: Scenario,
    /// What tells its end from another.
    pub signature: Json,
    /// How long the run took.
    pub took: Duration,
}

impl Baseline {
    /// The end of `played`.
    pub(super) fn of(stage: &Stage, scenario: &Scenario, played: &Played) -> Self {
        let signature = signature(stage, scenario, played);
        Self { scenario: scenario.clone(), signature, took: took(played) }
    }
}

fn took(played: &Played) -> Duration {
    let (began, ended) = (played.state.started_at, played.state.last_at);
    began.zip(ended).map_or(Duration::ZERO, |(began, ended)| between(began, ended))
}

/// Removes each guard and tells which scenario notices.
pub(super) fn mutate(stages: &BTreeMap<Mode, Stage>, baselines: &[Baseline]) -> Vec<GuardRow> {
    let Some(first) = stages.values().next() else { return Vec::new() };
    let guards = guards(&first.runbook, &first.catalogue);
    parallel::map(&guards, |guard| {
        let (verdict, by) = trial(stages, first, guard, baselines);
        let Guard { step, words, place, .. } = guard.clone();
        GuardRow { step, guard: words, place, verdict, by }
    })
}

fn trial(
    stages: &BTreeMap<Mode, Stage>,
    first: &Stage,
    guard: &Guard,
    baselines: &[Baseline],
) -> (GuardVerdict, String) {
    if let Some(through) = redundant(&first.runbook, guard) {
        return (GuardVerdict::Held, format!("step {through} waits for it too"));
    }
    let changed = match without(&first.runbook, guard, &first.catalogue) {
        Ok(changed) => changed,
        Err(why) => {
            return (GuardVerdict::Held, format!("the file is not valid without it: {why}"));
        }
    };
    let mut planned = BTreeMap::new();
    for (mode, stage) in stages {
        match stage.replanned(changed.clone()) {
            Ok(stage) => drop(planned.insert(*mode, stage)),
            Err(why) => {
                return (GuardVerdict::Held, format!("it cannot be planned without it: {why}"));
            }
        }
    }
    for baseline in baselines {
        let stage = &planned[&baseline.scenario.mode];
        let played = play(stage, &baseline.scenario, Keep::Nothing);
        if signature(stage, &baseline.scenario, &played) != baseline.signature {
            return (GuardVerdict::Noticed, baseline.scenario.to_string());
        }
        let took = took(&played);
        if guard.waits && took < baseline.took {
            let shorter = human(baseline.took - took);
            let by = format!("{}, which takes {shorter} less", baseline.scenario);
            return (GuardVerdict::Noticed, by);
        }
    }
    let tried = baselines.len();
    (GuardVerdict::Untested, format!("all {tried} scenarios end the same without it"))
}
