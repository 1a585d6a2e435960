//! The crash matrix of a run with a command and both notices, of which nothing can be looked at.
//!
//! **Invariant:** killed at whatever instant, each of them is done at most once without a person's word;
//! a doubt about the command waits for a person, a doubt about a notice is a warning.

use super::{NobodyToAsk, RunOutcome, Stage, load_drill};
use crate::base::ids::StepKey;

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

#[test]
fn what_nobody_can_look_at_is_done_once_wherever_the_run_was_killed() {
    let estate = crate::estate::load("shop", ESTATE).expect("a valid estate");
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    let stage = Stage::of(estate, RUNBOOK, &drill, &[], &NobodyToAsk);
    let (state, recording) = stage.whole();
    assert_eq!(state.finished, Some(RunOutcome::Succeeded));
    let (mut tried, mut asked, mut warned) = (0, 0, 0);
    for point in &recording.points {
        let Some((ended, _)) = stage.resumed(&recording.inner, point) else { continue };
        let place = format!("{} with {} records", point.when, point.records);
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
        tried += 1;
    }
    println!("crash matrix told: {tried} points, {asked} asked, {warned} warned");
    assert!(tried >= 12 && asked >= 2 && warned >= 3, "{tried} points, {asked}, {warned}");
}
