//! A run that calls another runbook, has a gate before what cannot be taken back, and changes its form:
//! killed and switched at every instant.
//!
//! **Invariant:** whoever died when, and whoever switched when, the run ends the same, and the figures that
//! somebody approved are in its journal.

use super::commands::{Meddling, mutations, run};
use super::matrix::matrix;
use super::{file, stage_of};
use crate::action::standard;
use crate::base::form::Form;
use crate::journal::Command;
use crate::journal::event::{Event, RunOutcome};
use crate::journal::fold::StepStatus;
use crate::rehearse::{Keep, Mode, Scenario, Stage, play};
use crate::runbook::{Text, load_drill, load_runbook_in};
use std::collections::BTreeMap;

/// Takes a snapshot by another runbook, asks, and fails over; `tell` belongs to the ungraceful form.
const CALLER: &str = "apiVersion: drctl/v1
kind: Runbook
name: caller
title: Fail over with a snapshot behind us
parameters:
  database: { type: string, default: orders }
measure: { recovered: swap }
steps:
  - id: check
    uses: rds.check_source
    with: { instance: \"${{ estate.databases[params.database].instance }}\" }
  - id: backup
    uses: runbook.call
    needs: [check]
    with:
      runbook: inner
      parameters:
        instance: ${{ steps.check.outputs.instance }}
        why: before the failover
  - id: cool_down
    uses: gate.wait_until
    needs: [backup]
    when: run.form == 'graceful'
    with: { for: 10m }
  - id: go
    uses: gate.approve
    needs: [cool_down]
    timeout: 1h
    with:
      message: Fail over, with ${{ steps.backup.outputs.snapshot }} behind us?
      before: [swap]
  - id: swap
    uses: rds.force_failover
    needs: [go]
    irreversible: true
    with: { instance: \"${{ steps.backup.outputs.source }}\" }
";

const INNER: &str = "apiVersion: drctl/v1
kind: Runbook
name: inner
title: A snapshot
parameters:
  instance: { type: string }
  why: { type: string, required: false }
outputs:
  snapshot: ${{ steps.take.outputs.snapshot }}
  source: ${{ params.instance }}
steps:
  - id: take
    uses: rds.create_snapshot
    with: { instance: \"${{ params.instance }}\" }
  - id: verify
    uses: rds.verify_snapshot
    needs: [take]
    with:
      instance: ${{ params.instance }}
      snapshot: ${{ steps.take.outputs.snapshot }}
  - id: delete
    uses: rds.delete_snapshot
    needs: [take, verify]
    always: true
    when: \"!run.keep\"
    phase: cleanup
    with: { snapshot: \"${{ steps.take.outputs.snapshot }}\" }
";

fn caller(change: impl Fn(&str) -> String) -> Stage {
    let text = file("localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", &text).expect("a valid estate");
    let drill =
        "apiVersion: drctl/v1\nkind: Drill\nname: caller\nrunbook: caller\nestate: techcorp\n";
    let drill = load_drill("drill", drill).expect("a valid drill");
    let inner = Text { file: "inner.yaml".to_owned(), text: change(INNER) };
    let library = BTreeMap::from([("inner".to_owned(), inner)]);
    let loaded = load_runbook_in("caller.yaml", CALLER, &standard(), &library);
    let (runbook, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    stage_of(estate, runbook, &drill, Mode::Drill)
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

#[test]
fn the_steps_of_a_called_runbook_are_steps_of_the_run() {
    let stage = caller(as_it_is);
    let keys: Vec<&str> = stage.plan.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "check",
            "backup/take",
            "backup/verify",
            "backup/delete",
            "backup",
            "cool_down",
            "go",
            "swap"
        ]
    );
    assert_eq!(stage.plan.called["inner"].text, INNER);
    let played = play(&stage, &Scenario::clean(Mode::Drill), Keep::Nothing);
    assert_eq!(played.state.finished, Some(RunOutcome::Succeeded), "{:?}", played.stops);
    let steps = &played.state.steps;
    let of = |key: &str| &steps[&crate::base::ids::StepKey::new(key)];
    assert_eq!(of("backup").outputs["source"], of("check").outputs["instance"]);
    assert_eq!(of("backup").outputs["snapshot"], of("backup/take").outputs["snapshot"]);
    assert_eq!(of("backup/delete").status, StepStatus::Succeeded);
    assert_eq!(of("swap").inputs["instance"], of("check").outputs["instance"]);
}

#[test]
fn a_run_with_a_call_that_is_killed_at_any_instant_ends_as_decided() {
    let stage = caller(as_it_is);
    matrix(&stage, "drill", "succeeded", (60, 20));
    matrix(&stage, "drill.switch", "succeeded", (60, 20));
    matrix(&stage, "drill.reject", "aborted", (50, 18));
    matrix(&stage, "drill+lost-answer", "succeeded", (60, 20));
}

#[test]
fn a_call_that_fails_has_failed_and_cleans_up_as_a_run_of_its_own() {
    // What is looked for is not there.
    let stage = caller(|text| {
        text.replace(
            "      snapshot: ${{ steps.take.outputs.snapshot }}",
            "      snapshot: no-such-snapshot",
        )
    });
    let played = play(&stage, &Scenario::clean(Mode::Drill), Keep::Nothing);
    let status = |key: &str| played.state.steps[&crate::base::ids::StepKey::new(key)].status;
    assert_eq!(played.state.finished, Some(RunOutcome::Failed));
    assert_eq!(status("backup/verify"), StepStatus::Failed);
    assert_eq!(status("backup/delete"), StepStatus::Succeeded);
    assert_eq!((status("backup"), status("swap")), (StepStatus::Failed, StepStatus::Skipped));
}

#[test]
fn a_switch_at_any_append_changes_the_form_and_nothing_else() {
    let stage = caller(as_it_is);
    let whole = run(&stage, &[], Meddling::None);
    let (waiting, log) = (whole.state.expect("it stops at its gate"), mutations(&whole.world));
    assert_eq!((waiting.finished, waiting.interrupted.as_deref()), (None, Some("question")));
    let mut switched = 0;
    for at in 1..whole.store.appends {
        let command = Command::Switch { to: Form::Ungraceful, reason: None };
        let ended = run(&stage, &[], Meddling::Post(at, command));
        let state = ended.state.expect("it stops at its gate");
        assert_eq!(mutations(&ended.world), log, "{at}");
        assert_eq!(state.interrupted.as_deref(), Some("question"), "{at}");
        assert_eq!(state.form, Form::Ungraceful, "{at}");
        switched += 1;
    }
    println!("caller: switched after each of {switched} appends");
}

#[test]
fn what_was_approved_stands_with_its_figures() {
    let played = play(&caller(as_it_is), &Scenario::clean(Mode::Drill), Keep::Nothing);
    let stored = crate::journal::Store::load(&played.journal).expect("memory can be read");
    let records = crate::journal::chain::known(&stored).expect("this version wrote them");
    let figures = records.iter().find_map(|record| match &record.event {
        Event::ApprovalGiven { figures, .. } => Some(figures.clone()),
        _ => None,
    });
    let names: Vec<String> =
        figures.expect("an approval").into_iter().map(|figure| figure.name).collect();
    assert!(names.contains(&"undo".to_owned()) && names.contains(&"abort".to_owned()), "{names:?}");
}
