//! `rehearse`: offline proof of a runbook, for continuous integration.

use crate::env::TestEnv;

const PLANTED: &str = include_str!("../../runbooks/backup-before-change.yaml");
const DRILL: &str = include_str!("../../drills/backup-before-change.yaml");

/// A project whose backup drill has the runbook `text`.
fn project(text: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("runbooks/backup-before-change.yaml", text);
    env
}

#[test]
fn a_shipped_drill_passes_and_leaves_nothing_behind() {
    let env = TestEnv::new();
    let out = env.line("rehearse backup-before-change --junit out.xml").expect(0);
    let out = out.shows(&[
        "Rehearsal of backup-before-change: Back a database up before a change",
        "credentialmate in sim, simulated, seed 1",
        "drill+kms-disabled",
        "stopped for credentials until it was mended",
        "never exercised:\n  - delete: it fails ((shipped) runbooks/backup-before-change.yaml:",
        "violations   none",
    ]);
    assert!(out.stderr.contains("playing"), "{}", out.stderr);
    assert!(!env.state().exists(), "a rehearsal keeps no state");
    let junit = std::fs::read_to_string(env.project().join("out.xml")).expect("a report");
    assert!(junit.contains("<testsuite name=\"rehearse backup-before-change\""), "{junit}");
    assert!(!junit.contains("<failure"), "{junit}");
    let json = || env.line("rehearse backup-before-change --output json").expect(0);
    let first = json();
    assert_eq!(first.json()["schema_version"], 1);
    assert_eq!(first.json()["violations"], serde_json::json!([]));
    assert_eq!(first.stdout, json().stdout, "the same seed gives the same bytes");
}

#[test]
fn a_planted_defect_is_found_and_its_command_shows_it_again() {
    let env = project(&PLANTED.replace("    always: true\n", ""));
    env.write("drills/mine.yaml", &DRILL.replace("name: backup-before-change", "name: mine"));
    let out = env.line("rehearse mine --junit out.xml").expect(10);
    let out = out.shows(&["VIOLATIONS", "clean_up: drill", "left behind: snapshot drctl-"]);
    let junit = std::fs::read_to_string(env.project().join("out.xml")).expect("a report");
    assert!(junit.contains("<failure"), "{junit}");
    let again = out.stdout.lines().find_map(|line| line.trim().strip_prefix("again: drctl "));
    let again = env.line(again.expect("a command")).expect(10);
    again.shows(&["1 played", "clean_up: drill", "left behind: snapshot drctl-"]);
    // What it names when nothing is wrong there.
    env.line("rehearse mine --seed 1 --point drill").expect(0).shows(&["violations   none"]);
}

#[test]
fn every_crash_of_a_drill_is_tried_and_one_can_be_tried_alone() {
    let env = TestEnv::new();
    let line = "rehearse backup-before-change --crash-everywhere --fault lost-answer --output json";
    let out = env.line(line).expect(0).json();
    let rows = out["scenarios"].as_array().expect("scenarios");
    assert_eq!(rows.len(), 2, "{rows:?}");
    let number = |row: &serde_json::Value, name: &str| row["crashes"][name].as_u64().expect("it");
    for row in rows {
        assert_eq!(row["violations"], 0);
        assert!(number(row, "points") >= 30, "{row}");
        assert!(number(row, "instants") >= number(row, "points"), "{row}");
        assert!(number(row, "second") > 0, "{row}");
    }
    let line = "rehearse backup-before-change --point drill+lost-answer@20";
    env.line(line).expect(0).shows(&["killed at 1 points", "violations   none"]);
}

#[test]
fn a_runbook_is_rehearsed_by_itself_as_a_run_that_keeps() {
    let env = TestEnv::new();
    let path = env.write("mine.yaml", PLANTED).display().to_string();
    let line = ["rehearse", &path, "-p", "database=app", "--estate", "credentialmate"];
    let out = env.run(&[&line[..], &["--fault", "lost-answer", "--fault", "slow=2"]].concat());
    let out = out.expect(0).shows(&["run+lost-answer+slow=2", "succeeded"]);
    assert!(!out.stdout.contains("drill"), "{}", out.stdout);
}

#[test]
fn storms_blow_over_a_drill_and_one_can_blow_again() {
    let env = TestEnv::new();
    let line = "rehearse backup-before-change --fault slow --storm 6";
    let out = env.line(line).expect(0).shows(&["storms       12: ", "violations   none"]);
    assert_eq!(out.stdout, env.line(line).expect(0).stdout);
    let one = env.line("rehearse backup-before-change --point kept@storm3").expect(0);
    one.shows(&["storms       1: ", "violations   none"]);
}

/// Lines that are wrong.
const MISTAKES: [(&str, &[&str]); 9] = [
    ("rehearse restore-dv", &["no drill and no runbook called `restore-dv`", "`restore-db`?"]),
    ("rehearse restore-db --env production", &["`production`", "not simulated", "type: simulated"]),
    ("rehearse restore-db --env simm", &["no environment `simm`", "did you mean `sim`?"]),
    ("rehearse restore-db --fault trottled", &["fault `trottled`", "no such fault"]),
    ("rehearse restore-db --point nowhere", &["--point", "drill, kept or run", "`again:`"]),
    ("rehearse restore-db --point drill@0", &["--point", "count from 1"]),
    ("rehearse restore-db --point drill --mutate", &["--point", "--mutate"]),
    ("rehearse restore-db -p databas=x", &["no parameter `databas`", "did you mean `database`?"]),
    ("rehearse restore-db --seed many", &["--seed", "many"]),
];

#[test]
fn mistakes_are_said_and_leave_nothing_behind() {
    for (line, parts) in MISTAKES {
        let env = TestEnv::new();
        let out = env.line(line).expect(2).says(parts);
        assert_eq!(out.stdout, "", "{line}");
        assert!(!env.state().exists(), "{line} made a state directory");
    }
}

#[test]
fn an_estate_without_a_simulator_is_refused_with_what_to_add() {
    let env = TestEnv::new();
    let estate = "apiVersion: drctl/v1\nkind: Estate\nname: real\nenvironments:\n  production: { type: \
                  aws, account: \"123456789012\", region: us-east-1 }\n";
    env.write("estates/real.yaml", estate);
    let out = env.line("rehearse backup-before-change --estate real -p database=app").expect(2);
    out.says(&["estate `real` has no simulated environment", "type: simulated"]);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let env = TestEnv::new();
    let line = "rehearse backup-before-change --point drill --junit missing/out.xml";
    env.line(line).expect(16).says(&["cannot write missing/out.xml"]);
}
