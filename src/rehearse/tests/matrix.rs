//! The crash matrix of the shipped drills: killed at every instant at which journal or world can differ,
//! they end as if nothing had happened.

use super::shipped;
use crate::base::seed::Seed;
use crate::rehearse::{Keep, Mode, Scenario, Stage, crash_everywhere, outcome, play, properties};

/// Kills the scenario called `name` everywhere. Fewer points, or fewer distinct journals, than `floor`
/// mean that the harness or the engine lost some.
fn matrix(stage: &Stage, name: &str, ends: &str, floor: (usize, usize)) {
    let scenario: Scenario = name.parse().expect(name);
    let whole = play(stage, &scenario, Keep::Points);
    assert_eq!(outcome(&whole), ends, "{name}: {:?}", whole.stops);
    assert_eq!(properties(stage, &scenario, &whole), [], "{name}");
    let crashes = crash_everywhere(stage, &scenario, &whole, Seed::new(1));
    println!(
        "crash matrix {} {name}: {} points for {} instants, {} journals, {} second crashes",
        stage.plan.title, crashes.points, crashes.instants, crashes.journals, crashes.second
    );
    assert_eq!(crashes.findings, [], "{name}");
    assert!(crashes.points >= floor.0, "{name}: only {} points", crashes.points);
    assert!(crashes.journals >= floor.1, "{name}: only {} journals", crashes.journals);
}

#[test]
fn a_drill_that_is_killed_at_any_instant_ends_as_if_nothing_had_happened() {
    let stage = shipped("restore-db", Mode::Drill);
    matrix(&stage, "drill", "succeeded", (40, 16));
}
