//! What a failover gave up, which run was the last, and what a fault proved, as their users read it.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use crate::two::{by, eventually};
use serde_json::Value as Json;

/// A step of a report.
fn step<'a>(report: &'a Json, key: &str) -> &'a Json {
    let steps = report["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["step"] == key).expect("a step")
}

#[test]
fn a_promotion_that_was_forced_tells_what_was_written_until_the_fence_and_who_gave_it_up() {
    let env = TestEnv::new();
    let drill = Watched::start(
        &env,
        "drill techcorp-region-failover --yes --wait --pace 240 --fault replica-lag-cliff=10m",
    );
    // Fenced and approved, it waits for a replica that never catches up.
    eventually("the promotion waits", || {
        let out = env.line("journal export");
        (out.code == 0 && out.stdout.contains("has caught up: more than")).then_some(())
    });
    by(&env, "ann", "switch last --to ungraceful --reason gone").expect(12).says(&[
        "LOST",
        "promote: waiting until",
        "more than",
        "nobody is at the terminal",
    ]);
    by(&env, "ann", "switch last --to ungraceful --reason gone --yes").expect(0);
    eventually("the heartbeat is read", || {
        let out = env.line("report --output json");
        let read = out.code == 0 && !out.json()["recovery_point"]["newest_at"].is_null();
        read.then_some(())
    });
    let report = env.line("report --output json").json();
    let point = &report["recovery_point"];
    assert_eq!(
        (&point["target"], &point["target_step"]),
        (&"fence".into(), &"fence_database".into())
    );
    let fenced = step(&report, "fence_database")["started_at"].clone();
    assert!(point["target_at"].as_str() > fenced.as_str(), "{point}");
    let (proven, claimed) = (point["proven_ms"].as_u64(), point["claimed_ms"].as_u64());
    assert!(proven.is_some_and(|ms| ms > 0), "{point}");
    assert!(claimed.is_some_and(|ms| ms > 0), "{point}");
    env.line("report").shows(&["the fence fence_database"]);
    drill.signal("TERM");
    let out = drill.end();
    assert!(!out.stdout.contains("nothing was lost"), "{}", out.stdout);
}

#[test]
fn last_is_the_run_that_was_worked_on_last_also_in_a_world_that_began_anew() {
    let env = TestEnv::new();
    env.line("drill restore-db --yes").expect(0);
    env.line("drill restore-db --yes").expect(0);
    let before = env.runs();
    env.line("sim reset").expect(0);
    env.line("drill restore-db --yes").expect(0);
    let all = env.runs();
    let new = all.iter().find(|run| !before.contains(run)).expect("a third run");
    assert!(before.iter().any(|run| run > new), "its simulated time is earlier");
    let report = env.line("report last --output json").expect(0).json();
    assert_eq!(report["run"]["run"], **new);
    let line = env.line("status --line --output json").expect(0).json();
    assert_eq!(line["run"]["run"], **new);
}

#[test]
fn green_that_answers_badly_sends_everybody_back_to_blue() {
    let env = TestEnv::new();
    let fault = "service-unhealthy=web-green/after=10m";
    let out = env.line(&format!("drill techcorp-blue-green --yes --output json --fault {fault}"));
    let report = out.expect(10).json();
    assert_eq!(step(&report, "watch_first")["outcome"], "failed");
    assert_eq!(step(&report, "first_tenth")["outcome"], "undone");
    assert_eq!(step(&report, "all")["outcome"], "skipped");
    assert_eq!(env.count("ChangeResourceRecordSets"), 2, "there and back: {:?}", env.mutations());
    assert_eq!(report["left_behind"].as_array().map(Vec::len), Some(0));
    // Green is well again, and the next drill finds the weights that the first one found.
    env.line("drill techcorp-blue-green --dry-run").expect(0).shows(&["blue 100", "green 0"]);
}

#[test]
fn a_fault_that_had_nothing_to_strike_is_told() {
    let told = "fault deployment-fails never struck: this run proves nothing about it";
    let env = TestEnv::new();
    env.line("drill techcorp-blue-green --yes --fault deployment-fails").expect(0).says(&[told]);
    let env = TestEnv::new();
    let struck = env.line("drill restore-db --yes --fault lost-answer").expect(0);
    assert!(!struck.stderr.contains("never struck"), "{}", struck.stderr);
}
