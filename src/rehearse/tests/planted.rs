//! Defects that are planted in runbooks: each is found, by its own property, and its replay finds it again
//! and nothing else. Guards that are tested count as such, the others are named with their place.

use super::stage;
use crate::rehearse::{
    GuardVerdict, Mode, Order, PointName, Rehearsal, Scenario, Stage, render_junit, render_text,
};
use crate::runbook::load_drill;
use std::collections::BTreeMap;

const ESTATE: &str = include_str!("../../../localstack/estates/credentialmate.yaml");
const BACKUP: &str = include_str!("../../../runbooks/backup-before-change.yaml");
const DRILL: &str = include_str!("../../../drills/backup-before-change.yaml");

fn planned(runbook: &str, modes: &[Mode]) -> BTreeMap<Mode, Stage> {
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    let estate = || crate::estate::load("estate", ESTATE).expect("a valid estate");
    modes.iter().map(|mode| (*mode, stage(estate(), runbook, &drill, *mode))).collect()
}

fn order(runbook: &str, modes: &[Mode]) -> Order<'static> {
    Order {
        stages: planned(runbook, modes),
        name: "mine".to_owned(),
        command: "drctl rehearse mine".to_owned(),
        seed: 1,
        standing: Vec::new(),
        faults: Vec::new(),
        crash_everywhere: false,
        storms: 0,
        mutate: false,
        point: None,
        progress: &|_: &str| {},
    }
}

/// Plays again what the first violation of `property` says, as its command says it.
fn replayed(runbook: &str, found: &Rehearsal, property: &str) -> Rehearsal {
    let first = found.violations.iter().find(|found| found.property == property);
    let first = first.unwrap_or_else(|| panic!("no {property} in {:?}", found.violations));
    let (command, point) = first.replay.split_once(" --point ").expect("a point");
    assert_eq!(command, "drctl rehearse mine --seed 1");
    let point: PointName = point.parse().expect("a name");
    let modes = [point.scenario.mode];
    let again = Order { point: Some(point), ..order(runbook, &modes) };
    let again = again.rehearse().expect("it is there");
    assert!(again.violations.contains(first), "{first:?} not in {:?}", again.violations);
    assert_eq!(again.scenarios.len(), 1);
    again
}

#[test]
fn a_clean_up_that_does_not_always_run_leaves_something_behind() {
    let planted = BACKUP.replace("    always: true\n", "");
    let found = order(&planted, &[Mode::Drill]).rehearse().expect("findings");
    let property = "clean_up";
    let first = found.violations.iter().find(|found| found.property == property);
    let message = &first.expect("it is found").message;
    assert!(message.contains("left behind: snapshot drctl-"), "{message}");
    replayed(&planted, &found, property);
    assert!(!found.passed());
    let text = render_text(&found);
    assert!(text.contains("    again: drctl rehearse mine --seed 1 --point drill"), "{text}");
}

#[test]
fn without_any_clean_up_the_clean_run_leaves_something_behind() {
    let at = BACKUP.find("  # Only a drill cleans up").expect("the clean-up");
    let found = order(&BACKUP[..at], &[Mode::Drill]).rehearse().expect("findings");
    let clean = Scenario::clean(Mode::Drill).to_string();
    let first = &found.violations[0];
    assert_eq!((&first.scenario, first.property.as_str()), (&clean, "clean_up"));
    assert_eq!(first.point, None);
}

#[test]
fn a_clean_up_that_does_not_wait_is_seen_where_the_check_is_late() {
    let planted = BACKUP.replace("needs: [snapshot, verify]", "needs: [snapshot]");
    let found = order(&planted, &[Mode::Drill]).rehearse().expect("findings");
    let named: Vec<&str> = found.violations.iter().map(|it| it.scenario.as_str()).collect();
    assert_eq!(named, ["drill~verify"], "{:?}", found.violations);
    assert_eq!(found.violations[0].property, "clean_run");
    replayed(&planted, &found, "clean_run");
}

#[test]
fn shipped_runbooks_are_as_they_must_be_and_the_same_seed_finds_the_same() {
    let first = order(BACKUP, &[Mode::Drill, Mode::Kept]).rehearse().expect("findings");
    assert_eq!(first.violations, []);
    assert!(first.scenarios.len() > 40, "{}", first.scenarios.len());
    let never: Vec<&str> = first
        .coverage
        .iter()
        .filter(|row| row.scenario.is_none())
        .map(|row| row.branch.as_str())
        .collect();
    assert_eq!(never, ["it fails"], "only the clean-up itself");
    let again = order(BACKUP, &[Mode::Drill, Mode::Kept]).rehearse().expect("findings");
    let json = |found: &Rehearsal| serde_json::to_string_pretty(found).expect("plain data");
    assert_eq!(json(&first), json(&again));
    assert_eq!(render_junit(&first), render_junit(&again));
}

#[test]
fn guards_are_tested_and_one_that_is_not_is_named() {
    let rehearsed = |text: &str, modes: &[Mode]| {
        let found = Order { mutate: true, ..order(text, modes) }.rehearse().expect("findings");
        assert_eq!(found.violations, []);
        found
    };
    let shipped = rehearsed(BACKUP, &[Mode::Drill, Mode::Kept]);
    let guards = shipped.guards.as_ref().expect("guards");
    let verdict = |guard: &str| {
        let row = guards.iter().find(|row| format!("{}: {}", row.step, row.guard) == guard);
        row.unwrap_or_else(|| panic!("no {guard} in {guards:?}")).verdict
    };
    assert_eq!(verdict("verify: the check"), GuardVerdict::Noticed);
    assert_eq!(verdict("verify: needs: snapshot"), GuardVerdict::Held);
    assert_eq!(verdict("delete: when: !run.keep"), GuardVerdict::Noticed);
    assert_eq!(verdict("delete: needs: snapshot"), GuardVerdict::Held);
    assert_eq!(verdict("delete: needs: verify"), GuardVerdict::Noticed);
    assert_eq!(verdict("delete: always"), GuardVerdict::Noticed);
    assert_eq!(shipped.untested().count(), 0);
    assert!(shipped.passed());
    // A second look that nothing depends on.
    let spare = BACKUP.replace(
        "  # Only a drill cleans up",
        "  - id: spare\n    uses: rds.verify_snapshot\n    needs: [verify]\n    with:\n      \
         instance: ${{ steps.snapshot.outputs.instance }}\n      \
         snapshot: ${{ steps.snapshot.outputs.snapshot }}\n\n  # Only a drill cleans up",
    );
    let found =
        rehearsed(&spare.replace("[snapshot, verify]", "[snapshot, spare]"), &[Mode::Drill]);
    let untested: Vec<String> =
        found.untested().map(|row| format!("{}: {}", row.step, row.guard)).collect();
    assert!(untested.contains(&"spare: the check".to_owned()), "{untested:?}");
    assert!(!found.passed());
    let line = spare.lines().position(|line| line.contains("id: spare")).expect("it") + 1;
    let text = render_text(&found);
    let told = format!("this guard is untested: spare: the check (runbook.yaml:{line})");
    assert!(text.contains(&told), "{text}");
    assert!(render_junit(&found).contains("type=\"untested_guard\""));
}

#[test]
fn a_point_that_is_not_there_is_refused() {
    for (point, part) in [
        ("drill@9999", "there is no point 9999"),
        ("drill@2.9999", "there is no point 9999"),
        ("run", "is rehearsed as drill"),
    ] {
        let point: PointName = point.parse().expect("a name");
        let wrong = Order { point: Some(point), ..order(BACKUP, &[Mode::Drill]) };
        let why = wrong.rehearse().expect_err("it is not there");
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn aborts_and_pauses_from_another_terminal_hold_over_every_crash() {
    let stages = planned(BACKUP, &[Mode::Drill, Mode::Kept]);
    for (name, ends) in
        [("drill.pause", "succeeded"), ("drill.abort", "aborted"), ("kept.abort-undo", "aborted")]
    {
        let scenario: Scenario = name.parse().expect(name);
        super::matrix::matrix(&stages[&scenario.mode], name, ends, (20, 8));
    }
}
