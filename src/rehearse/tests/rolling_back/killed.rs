//! Roll-backs that are killed, throttled, denied, or whose answers are lost.
//!
//! **Invariant:** taken up, a roll-back ends as if nothing had happened, and no copy is made twice.

use super::super::matrix::matrix;
use super::model::read;
use super::staging;
use crate::action::standard;
use crate::base::clock::simulated_epoch;
use crate::base::ids::StepKey;
use crate::base::value::Value;
use crate::journal::event::{ErrorKind, RunOutcome};
use crate::journal::fold::StepStatus;
use crate::rehearse::{Keep, Mode, Scenario, Stage, Staging, play};
use crate::runbook::load_runbook;
use crate::sim::Simulator;

/// Batches of two keys, so that there are several; and a check that fails when it is asked to.
const RUNBOOK: &str = r#"apiVersion: drctl/v1
kind: Runbook
name: rolled
title: Rolled back
parameters:
  bucket: { type: string }
  after: { type: string }
  to: { type: instant }
  remove_markers: { type: bool, default: false }
steps:
  - id: restore
    uses: s3.restore_versions
    retry: { attempts: 6, backoff: 5s }
    with:
      bucket: ${{ params.bucket }}
      to: ${{ params.to }}
      batch: 2
      remove_markers: ${{ params.remove_markers }}
  - id: verify
    uses: s3.verify_versions
    needs: [restore]
    with:
      bucket: ${{ params.bucket }}
      to: ${{ params.to }}
      as_of: ${{ steps.restore.outputs.as_of }}
      unrestorable: ${{ steps.restore.outputs.unrestorable }}
  - id: after
    uses: s3.check_versioning
    needs: [verify]
    on_failure: undo
    with: { bucket: "${{ params.after }}", to: "${{ params.to }}" }
"#;

/// What the world begins with: overwritten, deleted, created, untouched keys.
const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: papers
buckets:
  docs:
    name: docs-rolled-back
    objects:
      - { key: a, text: then, age: 3h, metadata: { owner: ada }, tags: { kind: tax } }
      - { key: a, text: now it is other, age: 1h }
      - { key: b, text: then, age: 3h }
      - { key: b, text: twice, age: 1h }
      - { key: c, text: then, age: 3h }
      - { key: c, deleted: true, age: 1h }
      - { key: d, text: then, age: 3h, metadata: { owner: ada } }
      - { key: d, deleted: true, age: 1h }
      - { key: e, text: then, age: 3h }
      - { key: e, text: note, age: 1h }
      - { key: new, text: note, age: 1h }
      - { key: untouched, text: then, age: 3h }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 7 }
"#;

const KEYS: [&str; 7] = ["a", "b", "c", "d", "e", "new", "untouched"];

fn staged(after: &str, remove_markers: bool) -> Stage {
    let (runbook, _) = load_runbook("rolled.yaml", RUNBOOK, &standard()).expect("a valid runbook");
    let more = [
        ("to", Value::Time(simulated_epoch() - chrono::TimeDelta::hours(2))),
        ("after", Value::text(after)),
        ("remove_markers", Value::Bool(remove_markers)),
    ];
    let estate = crate::estate::load("papers", ESTATE).expect("a valid estate");
    Stage::plan(Staging { estate, ..staging(runbook, &more) }).expect("a plan")
}

/// Asserts that each key is as it was at the instant.
#[track_caller]
fn as_it_was(world: &Simulator) {
    for key in KEYS {
        let found = read(world, key);
        let body = found.as_ref().map(|content| content.body.as_str());
        assert_eq!(body, (key != "new").then_some("then"), "{key}");
        let owned = found.is_some_and(|content| content.metadata.contains_key("owner"));
        assert_eq!(owned, ["a", "d"].contains(&key), "{key}");
    }
    assert_eq!(read(world, "a").map(|content| content.tags.len()), Some(1));
}

#[test]
fn a_roll_back_that_is_killed_at_any_instant_ends_as_if_nothing_had_happened() {
    let stage = staged(super::BUCKET, false);
    matrix(&stage, "run", "succeeded", (30, 10));
    matrix(&stage, "run+lost-answer=CopyObject", "succeeded", (30, 10));
    matrix(&stage, "run+error-after-effect=DeleteObject", "succeeded", (30, 10));
}

#[test]
fn one_that_removes_markers_is_killed_too() {
    let stage = staged(super::BUCKET, true);
    matrix(&stage, "run", "succeeded", (30, 10));
}

#[test]
fn throttled_and_interrupted_it_ends_all_the_same() {
    let stage = staged(super::BUCKET, false);
    for fault in ["throttled=30", "lost-answer=CopyObject", "error-before-effect=CopyObject"] {
        let played = play(&stage, &Scenario::with(Mode::Run, fault), Keep::Nothing);
        assert_eq!(
            played.state.finished,
            Some(RunOutcome::Succeeded),
            "{fault}: {:?}",
            played.stops
        );
        as_it_was(&played.world);
        let copies = played.world.mutations();
        let copies = copies.iter().filter(|one| one.operation == "CopyObject").count();
        assert_eq!(copies, 5, "{fault}: each key once");
    }
}

#[test]
fn without_credentials_it_waits_for_a_person_and_what_is_denied_alone_is_told() {
    let stage = staged(super::BUCKET, false);
    let expired = Scenario::with(Mode::Run, "expired-credentials=CopyObject");
    let played = play(&stage, &expired, Keep::Nothing);
    assert!(!played.stops.is_empty(), "it stopped for want of credentials");
    assert_eq!(played.state.finished, Some(RunOutcome::Succeeded), "{:?}", played.stops);
    // One object alone is refused.
    let denied = Scenario::with(Mode::Run, "access-denied=CopyObject");
    let played = play(&stage, &denied, Keep::Nothing);
    let restore = &played.state.steps[&StepKey::new("restore")];
    assert_eq!(
        (&restore.outputs["unrestorable"], &restore.outputs["restored"]),
        (&1.into(), &2.into())
    );
    assert!(restore.warnings[0].contains("denied 1"), "{:?}", restore.warnings);
    // It is not as it was, which was told: no more than that.
    let verify = &played.state.steps[&StepKey::new("verify")];
    assert_eq!((verify.status, &verify.outputs["differing"]), (StepStatus::Warned, &1.into()));
}

#[test]
fn it_is_undone_when_a_later_step_fails() {
    let stage = staged("no-such-bucket-anywhere", false);
    let played = play(&stage, &Scenario::clean(Mode::Run), Keep::Nothing);
    assert_eq!(played.state.finished, Some(RunOutcome::Undone), "{:?}", played.stops);
    let restore = &played.state.steps[&StepKey::new("restore")];
    assert_eq!(restore.status, StepStatus::Undone, "{:?}", restore.undo_error);
    let after = &played.state.steps[&StepKey::new("after")];
    assert_eq!(after.error.as_ref().map(|error| error.kind), Some(ErrorKind::CheckFailed));
    for key in KEYS {
        assert_eq!(read(&played.world, key), read(&stage.world, key), "{key}");
    }
}
