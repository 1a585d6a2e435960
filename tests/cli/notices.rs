//! Runs that tell an SNS topic how they go.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use serde_json::Value as Json;
use std::fs;

fn project(steps: &str, notify: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "estates/techcorp.yaml",
        "apiVersion: drctl/v1\nkind: Estate\nname: techcorp\nenvironments:\n  sim: { type: simulated, \
         account: \"123456789012\", region: us-east-1, topics: [alerts, order.fifo, order] }\n",
    );
    let head = "apiVersion: drctl/v1\nkind: Runbook\nname: look\ntitle: Look\n";
    env.write(
        "runbooks/look.yaml",
        &format!("{head}{notify}measure: {{ recovered: wait }}\nsteps:\n{steps}"),
    );
    env
}

const WAIT: &str = "  - { id: wait, uses: gate.wait_until, with: { for: 1m }, timeout: 10m }\n";

const GATE: &str = "  - { id: go, uses: gate.approve, with: { message: Go on, approvers: [ann] }, \
                    timeout: 30m }\n";

/// Subject and message of everything that was published.
fn published(env: &TestEnv) -> Vec<(String, String)> {
    let text = fs::read_to_string(env.world().join("world.json")).expect("a world");
    let world: Json = serde_json::from_str(&text).expect("JSON");
    let all = world["services"]["published"].as_array().cloned().unwrap_or_default();
    let text = |one: &Json, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    all.iter().map(|one| (text(one, "subject"), text(one, "message"))).collect()
}

#[test]
fn a_run_tells_its_start_and_its_end() {
    let env = project(WAIT, "notify: { topic: alerts }\n");
    let dry = env.line("run look --env sim --dry-run").expect(0);
    dry.shows(&["tells        arn:aws:sns:us-east-1:123456789012:alerts: started, waiting, failed, finished"]);
    assert_eq!(published(&env), [], "a dry run tells nobody");
    env.line("run look --env sim").expect(0);
    let told = published(&env);
    let subjects: Vec<&str> = told.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["SIMULATED: Look in sim: started", "SIMULATED: Look in sim: finished"]);
    let run = &env.runs()[0];
    for (_, message) in &told {
        for part in [
            "SIMULATED: ",
            run,
            "estate: techcorp",
            "sim (123456789012)",
            "drctl://run/look?env=sim",
        ] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    assert!(told[1].1.contains("recovery time: 1m"), "{}", told[1].1);
    // A second topic on the command line wins, FIFO as well.
    env.line("run look --env sim --notify order.fifo").expect(0);
    assert_eq!(published(&env).len(), 4);
}

#[test]
fn who_is_waited_for_is_told_once_with_the_commands_that_answer() {
    let env =
        project(&format!("{GATE}{WAIT}"), "notify: { topic: alerts, on: [waiting, finished] }\n");
    env.line("run look --env sim").expect(13);
    let told = published(&env);
    assert_eq!(told.len(), 1, "{told:?}");
    let run = env.runs()[0].clone();
    for part in ["waits for ann at go", &format!("drctl resume {run} --step go --answer approve")] {
        assert!(told[0].1.contains(part), "{part} in {}", told[0].1);
    }
    // Another process takes it up: what was told is not told again.
    env.line("resume last").expect(13);
    assert_eq!(published(&env).len(), 1);
    let mut command = env.command(&["resume", "last", "--answer", "approve"]);
    let ended = command.env("DRCTL_OPERATOR", "ann").output().expect("it runs");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let told = published(&env);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].0.ends_with("finished"));
}

#[test]
fn a_topic_that_does_not_answer_never_fails_a_run() {
    let env = project(WAIT, "");
    let ran = env.line("run look --env sim --notify nowhere").expect(0);
    ran.says(&["notice `started` was not sent", "notice `finished` was not sent"]);
    env.line("run look --env sim --notify alerts --fault lost-answer=Publish").expect(0);
    let told = published(&env);
    assert_eq!(told.len(), 2, "an answer that was lost is not asked for again: {told:?}");
    for bad in ["a:b", "arn:aws:sqs:us-east-1:123456789012:x"] {
        let ran = env.run(&["run", "look", "--env", "sim", "--notify", bad]).expect(2);
        ran.says(&["is no topic"]);
    }
}

#[test]
fn a_failed_step_is_told_and_a_killed_process_tells_nothing_twice() {
    let steps =
        "  - { id: wait, uses: http.check, with: { url: \"https://x.example/\" }, timeout: 1m }\n";
    let env = project(steps, "notify: { topic: alerts, on: [failed] }\n");
    env.line("run look --env sim").expect(10);
    let told = published(&env);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("step wait failed: "), "{}", told[0].1);
    let env = project(WAIT, "notify: { topic: alerts }\n");
    let mut run = Watched::start(&env, "run look --env sim --pace 5");
    run.until("wait: started");
    run.kill();
    env.line("resume last").expect(0);
    let finished =
        published(&env).iter().filter(|(subject, _)| subject.ends_with("finished")).count();
    let started =
        published(&env).iter().filter(|(subject, _)| subject.ends_with("started")).count();
    assert_eq!(finished, 1);
    assert!(started <= 1, "{:?}", published(&env));
}

#[test]
fn what_nobody_can_be_told_is_a_problem_of_the_file() {
    let env = project(WAIT, "notify: { topic: alerts, on: [begun, started] }\n");
    env.line("run look --env sim").expect(2).says(&["`on` cannot have `begun`"]);
    let env = project(WAIT, "notify: { on: [started] }\n");
    env.line("run look --env sim").expect(2).says(&["topic"]);
}
