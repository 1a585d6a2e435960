//! The drill over real TCP: moto for the API, PostgreSQL for the data, restores that really happen.
//!
//! **Invariant:** one stack for all cases, one after the other.

use crate::support::{Background, Ended, drctl, repository, run, skip};
use std::path::Path;
use std::process::{Command, Stdio};

fn localstack(verb: &[&str]) -> Ended {
    run(Command::new("localstack/localstack").args(verb).current_dir(repository()))
}

/// Stops the stack when the test ends, however it ends.
struct Stack;

impl Drop for Stack {
    fn drop(&mut self) {
        localstack(&["down"]);
    }
}

fn heartbeats(state: &Path) -> Background {
    let init = run(drctl(state).args([
        "heartbeat",
        "init",
        "--env",
        "localstack",
        "--database",
        "orders",
    ]));
    assert_eq!(init.code, 0, "{}", init.stderr);
    let child = drctl(state)
        .args(["heartbeat", "run", "--env", "localstack", "--database", "orders", "--every", "1s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Background(child.expect("drctl starts"))
}

/// Waits until the restorable window reaches beyond some heartbeats, asking the gateway.
fn wait_for_window(state: &Path) {
    for _ in 0..60 {
        let dry =
            run(drctl(state).args(["drill", "restore-db", "--env", "localstack", "--dry-run"]));
        if dry.code == 0 {
            return;
        }
    }
    panic!("the restorable window never opened");
}

fn drill(state: &Path, more: &[&str]) -> Ended {
    run(drctl(state)
        .args(["drill", "restore-db", "--env", "localstack", "-p", "max_data_age=5s"])
        .args(more))
}

fn report(state: &Path) -> serde_json::Value {
    let report = run(drctl(state).args(["report", "last", "--format", "json"]));
    serde_json::from_str(&report.stdout).expect("a JSON report")
}

/// Seconds of heartbeats that must exist before a restore can be told from an older one.
fn let_beats_gather(state: &Path) {
    run(drctl(state).args([
        "heartbeat",
        "run",
        "--env",
        "localstack",
        "--database",
        "orders",
        "--every",
        "1s",
        "--count",
        "8",
    ]));
}

#[test]
fn drills_over_tcp_measure_real_restores_and_fail_wrong_ones() {
    let up = localstack(&["up"]);
    if up.code != 0 {
        return skip(&format!("localstack/localstack up: {}", up.stderr));
    }
    let _stack = Stack;
    let seeded = localstack(&["seed"]);
    assert_eq!(seeded.code, 0, "{}", seeded.stderr);
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path();
    let _beats = heartbeats(state);
    wait_for_window(state);
    let_beats_gather(state);

    let disaster = seconds_ago(3);
    let point = format!("restore_time={disaster}");
    let good = drill(state, &["-p", &point, "--disaster-at", &disaster]);
    assert_eq!(good.code, 0, "{}", good.stderr);
    let measured = report(state);
    assert_eq!(measured["run"]["simulated"], false);
    let server = measured["run"]["server"].as_str().unwrap_or_default();
    assert!(server.contains("moto"), "{measured}");
    assert_eq!(measured["recovery_point"]["target"], "disaster_at");
    let lost = measured["recovery_point"]["proven_ms"].as_i64().expect("a proven recovery point");
    println!("disaster planted at {disaster}, a heartbeat every second: {lost} ms lost, proven");
    assert!((0..=1_500).contains(&lost), "a heartbeat every second, and {lost} ms lost");
    assert_nothing_left(state);

    for (kind, word) in [
        ("stale", "before the restore time"),
        ("empty-table", "rows."),
        ("missing-schema", "does not exist"),
        ("wrong-database", ""),
    ] {
        let_beats_gather(state);
        let planted = localstack(&["plant", kind, "seconds=7"]);
        assert_eq!(planted.code, 0, "{}", planted.stderr);
        let bad = drill(state, &[]);
        assert_eq!(bad.code, 10, "{kind} must fail the drill: {}", bad.stderr);
        assert!(bad.stderr.contains(word), "{kind}: {}", bad.stderr);
        assert_nothing_left(state);
    }
}

/// An instant in the past, in whole seconds.
fn seconds_ago(seconds: u32) -> String {
    let ago = format!("-{seconds} seconds");
    let date = run(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &ago]));
    date.stdout.trim().to_owned()
}

fn assert_nothing_left(state: &Path) {
    let left = run(Command::new("curl").args(["-s", "http://127.0.0.1:5600/_gateway/status"]));
    let status: serde_json::Value =
        serde_json::from_str(&left.stdout).expect("the gateway's status");
    let restores = status["restores"].as_object().map_or(0, serde_json::Map::len)
        + status["restores"].as_array().map_or(0, Vec::len);
    assert_eq!(restores, 0, "{} (state {})", left.stdout, state.display());
}
