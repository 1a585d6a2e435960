//! The crash matrix of the shipped drills: killed at every instant at which journal or world can differ,
//! they end as if nothing had happened. All together take a minute on two cores.

use super::shipped;
use crate::base::seed::Seed;
use crate::rehearse::{
    Crashes, Keep, Mode, Scenario, Stage, crash_everywhere, outcome, play, properties,
};

/// Kills the scenario called `name` everywhere. Fewer points, or fewer distinct journals, than `floor`
/// mean that the harness or the engine lost some.
#[track_caller]
pub(super) fn matrix(stage: &Stage, name: &str, ends: &str, floor: (usize, usize)) -> Crashes {
    let scenario: Scenario = name.parse().expect(name);
    let whole = play(stage, &scenario, Keep::Points);
    assert_eq!(outcome(&whole), ends, "{name}: {:?}", whole.stops);
    assert_eq!(properties(stage, &scenario, &whole), [], "{name}");
    let crashes = crash_everywhere(stage, &scenario, &whole, Seed::new(1));
    println!(
        "crash matrix {} {name}: {} points for {} instants, {} journals, {} second crashes",
        stage.runbook.name, crashes.points, crashes.instants, crashes.journals, crashes.second
    );
    assert_eq!(crashes.findings, [], "{name}");
    assert!(crashes.points >= floor.0, "{name}: only {} points", crashes.points);
    assert!(crashes.journals >= floor.1, "{name}: only {} journals", crashes.journals);
    assert!(crashes.second > 0, "{name}: nobody was killed twice");
    crashes
}

#[test]
fn a_drill_that_is_killed_at_any_instant_ends_as_if_nothing_had_happened() {
    let stage = shipped("restore-db", Mode::Drill);
    matrix(&stage, "drill", "succeeded", (60, 18));
    matrix(&stage, "drill+lost-answer", "succeeded", (60, 18));
    let worse = "drill+stale-read=90s+lost-answer=DeleteDBInstance";
    matrix(&stage, worse, "succeeded", (60, 18));
}

#[test]
fn a_kept_run_that_is_killed_at_any_instant_is_kept_once() {
    for (name, operation) in [
        ("restore-db", "RestoreDBInstanceToPointInTime"),
        ("verify-snapshot", "RestoreDBInstanceFromDBSnapshot"),
        ("backup-before-change", "CreateDBSnapshot"),
    ] {
        let stage = shipped(name, Mode::Kept);
        let whole = play(&stage, &Scenario::clean(Mode::Kept), Keep::Nothing);
        let log = whole.world.mutations();
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0].operation, operation);
        matrix(&stage, "kept", "succeeded", (30, 10));
    }
}

#[test]
fn a_drill_that_fails_cleans_up_wherever_it_was_killed() {
    for name in ["restore-db", "verify-snapshot"] {
        let stage = shipped(name, Mode::Drill);
        matrix(&stage, "drill+restore-failed", "failed", (40, 12));
    }
    matrix(&shipped("restore-db", Mode::Drill), "drill+quota-exceeded", "failed", (15, 8));
}

#[test]
fn a_snapshot_s_drill_that_is_killed_ends_as_if_nothing_had_happened() {
    let stage = shipped("verify-snapshot", Mode::Drill);
    matrix(&stage, "drill", "succeeded", (60, 16));
    let worse = "drill+stale-read=90s+lost-answer=RestoreDBInstanceFromDBSnapshot";
    matrix(&stage, worse, "succeeded", (60, 16));
}

#[test]
fn a_backup_that_is_killed_is_taken_once_and_deleted() {
    let stage = shipped("backup-before-change", Mode::Drill);
    matrix(&stage, "drill", "succeeded", (50, 15));
    let worse = "drill+stale-read=90s+lost-answer=CreateDBSnapshot";
    matrix(&stage, worse, "succeeded", (50, 14));
    matrix(&stage, "drill+lost-answer=DeleteDBSnapshot", "succeeded", (50, 15));
}

#[test]
fn a_run_that_waits_for_credentials_is_taken_up_wherever_it_was_killed() {
    let stage = shipped("restore-db", Mode::Drill);
    let name = "drill+expired-credentials=DeleteDBInstance";
    matrix(&stage, name, "succeeded", (60, 18));
}
