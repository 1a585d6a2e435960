//! A run with a command and both notices, of which nothing can be looked at.
//!
//! **Invariant:** killed at whatever instant, each of them is done at most once without a person's word;
//! a doubt about the command waits for a person, a doubt about a notice is a warning.

use super::matrix::matrix;
use super::stage;
use crate::base::ids::StepKey;
use crate::journal::event::RunOutcome;
use crate::rehearse::{Cast, Keep, Mode, Scenario, Stage, play};
use crate::runbook::load_drill;
use crate::runner::NobodyToAsk;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, topics: [alerts] }
"#;

const RUNBOOK: &str = r#"apiVersion: drctl/v1
kind: Runbook
name: told
title: Told
steps:
  - id: switch
    uses: shell.run
    irreversible: true
    with: { command: [./switch.sh], simulated: { exit_code: 0 } }
  - id: tell
    uses: notify.webhook
    needs: [switch]
    always: true
    with: { url_from: HOOK, message: "run ${{ run.status }}" }
  - id: mail
    uses: notify.sns
    needs: [switch]
    always: true
    with: { topic: "arn:aws:sns:us-east-1:123456789012:alerts", message: done }
"#;

const DRILL: &str = "apiVersion: drctl/v1\nkind: Drill\nname: told\nrunbook: told\nestate: shop\nenvironment: sim\n";

fn told() -> Stage {
    let estate = crate::estate::load("shop", ESTATE).expect("a valid estate");
    stage(estate, RUNBOOK, &load_drill("drill", DRILL).expect("a valid drill"), Mode::Drill)
}

#[test]
fn what_people_know_of_it_ends_every_doubt_and_nothing_is_done_twice() {
    matrix(&told(), "drill", "succeeded", (24, 10));
}

#[test]
fn what_nobody_can_look_at_is_done_once_wherever_the_run_was_killed() {
    let stage = told();
    let whole = play(&stage, &Scenario::clean(Mode::Drill), Keep::Points);
    let (mut asked, mut warned) = (0, 0);
    for point in &whole.points.points {
        let place = format!("{} with {} records", point.when, point.records);
        let (world, mut journal) = (point.world.fork(), whole.journal.cut(point.records));
        let cast = Cast::of(&NobodyToAsk);
        let ended = if point.records == 0 {
            stage.begin(&world, &mut journal, cast)
        } else if point.records == whole.state.last_seq {
            continue;
        } else {
            stage.resume(&world, &mut journal, cast)
        };
        let ended = ended.expect("memory takes everything");
        for (key, step) in &ended.steps {
            let tries = step.intent.as_ref().map_or(0, |intent| intent.attempt);
            assert!(tries <= 1, "{place}: {key} was tried {tries} times");
        }
        let switch = &ended.steps[&StepKey::new("switch")];
        match ended.finished {
            Some(RunOutcome::Succeeded) => {}
            Some(RunOutcome::Warned) => {
                assert!(switch.warnings.is_empty(), "{place}");
                warned += 1;
            }
            other => {
                let interrupted = ended.interrupted.as_deref();
                assert_eq!((other, interrupted), (None, Some("question")), "{place}");
                assert!(switch.question.is_some(), "{place}");
                asked += 1;
            }
        }
    }
    println!(
        "crash matrix told: {} points, {asked} asked, {warned} warned",
        whole.points.points.len()
    );
    assert!(asked >= 2 && warned >= 3, "{asked} asked, {warned} warned");
}
