//! Split brain, planted: each order of steps that makes two writers, or leaves a name at a read-only database,
//! is found; the safe order is not; what a person has agreed to is a note.

use super::{file, stage};
use crate::action::standard;
use crate::plan::model::RunMode;
use crate::rehearse::{
    Keep, Mode, Point, Scenario, Stage, Staging, Writers, outcome, play, same_end, take_up, writers,
};
use crate::runbook::{Text, bind_parameters, load_drill, load_runbook_in};
use std::collections::BTreeMap;

const DRILL: &str =
    "apiVersion: drctl/v1\nkind: Drill\nname: move\nrunbook: move\nestate: techcorp\n";

const HEAD: &str = "apiVersion: drctl/v1
kind: Runbook
name: move
title: A move
";

const FENCE: &str = "
  - id: fence
    uses: fence.ecs
    for_each: [api, users, orders, checkout, payments, invoices]
    with: { cluster: techcorp, service: \"${{ estate.services[each].service }}\" }
  - id: fence_database
    uses: fence.security_group
    needs: [fence]
    with: { group: \"${{ estate.security_groups.database.id }}\", port: 5432 }
";

const PROMOTE: &str = "
  - id: promote
    uses: rds.promote_replica
    region: us-west-2
    timeout: 1h
    irreversible: true
    with: { instance: techcorp-orders-replica-west, max_lag: 15m }
";

const SWITCH: &str = "
  - id: switch
    uses: route53.shift_weights
    with: { zone: Z0TECHCORP0001, name: api.techcorp.example, type: A, weights: { west: 100, east: 0 } }
";

const RELEASE: &str = "
  - id: release
    uses: fence.release_security_group
    needs: [promote]
    with:
      group: ${{ estate.security_groups.database.id }}
      rules: ${{ estate.security_groups.database.ingress }}
";

const START: &str = "
  - id: start
    uses: ecs.scale
    needs: [promote]
    with: { cluster: techcorp, service: api, to: 2 }
";

/// `step` after the step called `first`.
fn after(first: &str, step: &str) -> String {
    let mut lines = step.trim_start_matches('\n').lines();
    let id = lines.next().expect("a step begins with its id");
    let rest: String = lines.map(|line| format!("{line}\n")).collect();
    format!("\n{id}\n    needs: [{first}]\n{rest}")
}

fn stage_of(head: &str, steps: &[&str]) -> Stage {
    let estate = file("localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", &estate).expect("a valid estate");
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    stage(estate, &format!("{HEAD}{head}steps:{}", steps.concat()), &drill, Mode::Drill)
}

/// Plays the steps, which must succeed, and judges them.
#[track_caller]
fn played(head: &str, steps: &[&str]) -> Writers {
    let stage = stage_of(head, steps);
    let played = play(&stage, &Scenario::clean(Mode::Drill), Keep::Nothing);
    let failed = played.state.steps.values().find_map(|step| step.error.clone());
    assert_eq!(outcome(&played), "succeeded", "{:?} {failed:?}", played.stops);
    writers(&stage, &played.world, &played.journal)
}

#[track_caller]
fn finds(found: &Writers, property: &str, parts: &[&str]) {
    let [first, ..] = found.findings.as_slice() else { panic!("nothing is found: {found:?}") };
    assert_eq!(first.property, property, "{found:?}");
    for part in parts {
        assert!(first.message.contains(part), "no `{part}` in {}", first.message);
    }
}

const TWO: [&str; 2] = ["us-east-1/techcorp-orders", "us-west-2/techcorp-orders-replica-west"];

#[test]
fn the_safe_order_has_one_writer_and_names_that_take_writes() {
    let found = played("", &[FENCE, &after("fence_database", PROMOTE), &after("promote", SWITCH)]);
    assert_eq!((&found.findings, &found.accepted), (&Vec::new(), &Vec::new()));
    assert!(found.instants > 100, "only {}", found.instants);
}

#[test]
fn a_promotion_before_the_fence_makes_two_writers() {
    let found = played(
        "form: ungraceful\n",
        &[PROMOTE, &FENCE.replacen("    with", "    needs: [promote]\n    with", 1)],
    );
    finds(&found, "two_writers", &TWO);
    // It ends with the fence.
    assert!(found.findings[0].message.contains(" until "), "{found:?}");
}

#[test]
fn a_group_that_is_opened_again_makes_two_writers_once_a_client_runs() {
    let promote = after("fence_database", PROMOTE);
    let found = played("", &[FENCE, &promote, RELEASE, START]);
    finds(&found, "two_writers", &TWO);
    assert!(found.findings[0].message.contains("to the end"), "{found:?}");
    // Each half alone lets nobody write: no client runs, or none comes in.
    for half in [RELEASE, START] {
        assert_eq!(played("", &[FENCE, &promote, half]).findings, [], "{half}");
    }
}

#[test]
fn dns_before_the_promotion_leads_to_a_read_only_database() {
    let found = played("", &[FENCE, &after("fence_database", SWITCH), &after("switch", PROMOTE)]);
    finds(&found, "read_only_name", &["api.techcorp.example (west) leads to us-west-2/"]);
}

#[test]
fn two_writers_that_a_person_has_agreed_to_are_a_note() {
    let gate = "
  - id: agree
    uses: gate.approve
    timeout: 1h
    with: { message: Promote?, before: [promote] }
";
    let found = played("form: ungraceful\n", &[gate, &after("agree", PROMOTE)]);
    assert_eq!(found.findings, []);
    assert!(found.accepted[0].ends_with("agreed to at agree"), "{found:?}");
    assert!(found.accepted[0].contains("us-east-1/techcorp-orders and us-west-2/"), "{found:?}");
}

#[test]
fn a_killed_run_is_judged_from_its_beginning() {
    let late = FENCE.replacen("    with", "    needs: [promote]\n    with", 1);
    let stage = stage_of("form: ungraceful\n", &[PROMOTE, &late]);
    let scenario = Scenario::clean(Mode::Drill);
    let whole = play(&stage, &scenario, Keep::Points);
    let last = whole.points.points.last().expect("points");
    let again = take_up(&stage, &scenario, &whole.journal, last, Keep::Nothing);
    let found = same_end(&stage, &scenario, &whole, &again);
    assert!(found.iter().any(|found| found.property == "two_writers"), "{found:?}");
}

/// A shipped drill of the region failover as it is run: its runbook, form, environment, parameters, faults.
fn failover(name: &str) -> (Stage, Vec<String>) {
    let drill = load_drill("drill", &file(&format!("drills/{name}.yaml"))).expect("a valid drill");
    let estate = file("localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", &estate).expect("a valid estate");
    let roles = Text { file: "dr-roles".to_owned(), text: file("runbooks/dr-roles.yaml") };
    let library = BTreeMap::from([("dr-roles".to_owned(), roles)]);
    let text = file(&format!("runbooks/{}.yaml", drill.runbook));
    let loaded = load_runbook_in("runbook.yaml", &text, &standard(), &library);
    let (mut runbook, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    runbook.form = drill.form.or(runbook.form);
    let parameters = bind_parameters(&runbook, &drill.parameters).expect("valid parameters");
    let stage = Stage::plan(Staging {
        estate,
        environment: drill.environment.clone(),
        runbook,
        parameters,
        objectives: drill.objectives,
        mode: RunMode::Drill { name: drill.name.clone(), keep: false },
        seed: None,
    });
    (stage.expect("a plan"), drill.faults)
}

fn number(name: &str, fallback: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(fallback)
}

/// Every `DRCTL_HUNT_EACH`th point of the shipped failovers is a crash; what comes of it is judged for writers
/// and names alone, which the crash matrix does not look at by itself.
#[test]
fn no_crash_of_a_failover_makes_two_writers() {
    let each = usize::try_from(number("DRCTL_HUNT_EACH", 97)).expect("a step");
    for name in ["techcorp-region-failover", "techcorp-region-lost"] {
        let (stage, faults) = failover(name);
        let scenario = Scenario { faults, ..Scenario::clean(Mode::Drill) };
        let whole = play(&stage, &scenario, Keep::Points);
        let points: Vec<&Point> = whole.points.points.iter().step_by(each).collect();
        let mut instants = 0;
        for point in &points {
            let again = take_up(&stage, &scenario, &whole.journal, point, Keep::Nothing);
            let found = writers(&stage, &again.world, &again.journal);
            assert_eq!(found.findings, [], "{name}: killed {}", point.when);
            // What was done already when the run was taken up may be a warning, and no failure.
            let ended = outcome(&again);
            let well = ended == outcome(&whole) || ended == "warned";
            assert!(well, "{name}: killed {}: {ended}", point.when);
            instants += found.instants;
        }
        println!(
            "crashes {name} ({}): {} of {} points for {} instants of the run, {instants} looked at",
            outcome(&whole),
            points.len(),
            whole.points.points.len(),
            whole.points.instants
        );
        assert!(!points.is_empty());
    }
}
