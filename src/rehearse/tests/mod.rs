//! Rehearsals of the shipped drills and of runbooks with gates, commands and notices.

mod called;
mod canary;
mod commands;
mod doubt;
mod full;
mod gates;
mod matrix;
mod planted;
mod rolling_back;
mod services;
mod storm;
mod sweeps;
mod writers;

use super::{Mode, Stage, Staging};
use crate::action::standard;
use crate::estate::Estate;
use crate::plan::model::RunMode;
use crate::runbook::{Drill, Runbook, bind_parameters, load_drill, load_runbook};
use crate::sim::Simulator;

/// A file of the project.
pub(super) fn file(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(name)).expect("a shipped file")
}

/// The shipped drill called `name`, planned in a new world.
pub(super) fn shipped(name: &str, mode: Mode) -> Stage {
    let drill = load_drill("drill", &file(&format!("drills/{name}.yaml"))).expect("a valid drill");
    let text = file(&format!("localstack/estates/{}.yaml", drill.estate));
    let estate = crate::estate::load("estate", &text).expect("a valid estate");
    stage(estate, &file(&format!("runbooks/{}.yaml", drill.runbook)), &drill, mode)
}

/// `drill` of the runbook `text`, planned in a new world.
pub(super) fn stage(estate: Estate, text: &str, drill: &Drill, mode: Mode) -> Stage {
    let (runbook, _) = load_runbook("runbook.yaml", text, &standard()).expect("a valid runbook");
    stage_of(estate, runbook, drill, mode)
}

/// What `staging` says, planned in a world that is there already.
pub(super) fn stage_in(world: Simulator, staging: Staging) -> Stage {
    Stage::plan_in(world, staging).expect("a plan")
}

/// `drill` of `runbook`, planned in a new world.
pub(super) fn stage_of(estate: Estate, runbook: Runbook, drill: &Drill, mode: Mode) -> Stage {
    let parameters = bind_parameters(&runbook, &drill.parameters).expect("valid parameters");
    let mode = match mode {
        Mode::Run => RunMode::Run,
        Mode::Drill | Mode::Kept => {
            RunMode::Drill { name: drill.name.clone(), keep: mode == Mode::Kept }
        }
    };
    let (environment, objectives) = ("sim".to_owned(), drill.objectives);
    let staging =
        Staging { estate, environment, runbook, parameters, objectives, mode, seed: None };
    Stage::plan(staging).expect("a plan")
}
