//! A state directory as version 0.1.0 left it on 23 November 2026: a drill that succeeded, one that
//! failed, and one whose process was killed while AWS was creating its instance.
//!
//! **Invariant:** the files in `state_of_0_1_0` are never made anew; what reads them today must go on
//! reading them.

use crate::env::TestEnv;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

const SUCCEEDED: &str = "01kf0e44m0zcmved8pcbds3f7h";
const FAILED: &str = "01kf0gcnnbdrctz2xcs2qj6wtj";
const KILLED: &str = "01kf0jx14tsrjspg73ydhsrn7z";

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("the old state") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copied file");
        }
    }
}

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/state_of_0_1_0")
}

/// The old state, copied, because readers of SQLite leave files beside it.
fn old() -> TestEnv {
    let env = TestEnv::new();
    copy(&fixture(), &env.state());
    env
}

#[test]
fn its_runs_are_listed_with_what_was_measured() {
    let env = old();
    env.line("status").expect(0).shows(&[SUCCEEDED, FAILED, KILLED, "unfinished", "SIMULATED"]);
    env.line("history").expect(0).shows(&[SUCCEEDED, FAILED, "33m59s", "1m11s"]);
    let html = env.line("history --format html").expect(0).stdout;
    assert!(html.contains("33m59s") && html.contains("<svg"), "{html}");
    env.line("status --line").expect(13).shows(&["NOBODY WORKS ON IT", KILLED]);
}

#[test]
fn its_journals_are_whole_and_tell_what_they_told() {
    let env = old();
    // Nothing but the journal: what a report says must not depend on the rest.
    fs::remove_dir_all(env.state().join("worlds")).expect("the world can be removed");
    for run in [SUCCEEDED, FAILED, KILLED] {
        env.run(&["journal", "verify", run]).expect(0).shows(&["chain whole"]);
        for format in ["md", "html", "json", "junit"] {
            env.run(&["report", run, "--format", format]).expect(0).shows(&[run, "simulat"]);
        }
    }
    let stored = fixture().join("runs").join(SUCCEEDED).join("report.json");
    let then: Json =
        serde_json::from_str(&fs::read_to_string(stored).expect("a report")).expect("JSON");
    let now = env.run(&["report", SUCCEEDED, "--format", "json"]).expect(0).json();
    for (name, told) in then.as_object().expect("an object") {
        assert!(contains(&now[name], told), "`{name}` was {told} and is {}", now[name]);
    }
    let failed = env.run(&["report", FAILED, "--format", "html"]).expect(0);
    failed.shows(&["rows.customers is 0", "FAILED"]);
}

/// Whether everything that was told then is told now; new fields may have come.
fn contains(now: &Json, then: &Json) -> bool {
    match (now, then) {
        (Json::Object(now), Json::Object(then)) => {
            then.iter().all(|(name, value)| now.get(name).is_some_and(|now| contains(now, value)))
        }
        (Json::Array(now), Json::Array(then)) => {
            now.len() == then.len() && now.iter().zip(then).all(|(now, then)| contains(now, then))
        }
        _ => now == then,
    }
}

#[test]
fn its_unfinished_run_is_finished_by_this_version() {
    let env = old();
    env.run(&["resume", KILLED]).expect(0).shows(&["SUCCEEDED"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
    assert_eq!(env.count("RestoreDBInstanceToPointInTime"), 3, "{:?}", env.mutations());
    assert_eq!(env.count("DeleteDBInstance"), 3, "{:?}", env.mutations());
}
