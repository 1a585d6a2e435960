//! `drctl s3 rollback`: plans, runs, reports; and what it says to what cannot be.
//!
//! **Invariant:** nothing is changed by what is refused, nor by a dry run.

use crate::env::{Output, TestEnv};
use serde_json::Value as Json;
use std::fs;

/// The world begins at 2026-01-15T09:00:00Z.
const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: papers
buckets:
  docs:
    name: papers-docs
    objects:
      - { key: a/overwritten, text: then, age: 3h, metadata: { owner: ada }, tags: { kind: tax } }
      - { key: a/overwritten, text: encrypted by somebody, age: 1h }
      - { key: a/deleted, text: still wanted, age: 3h }
      - { key: a/deleted, deleted: true, age: 1h }
      - { key: a/created, text: ransom note, age: 1h }
      - { key: a/untouched, text: same, age: 3h }
      - { key: "a/ünï+%25 c\n", text: then, age: 3h }
      - { key: "a/ünï+%25 c\n", text: now it is other, age: 1h }
      - { key: b/archived, text: cold, age: 3h, storage_class: GLACIER }
      - { key: b/archived, text: warm, age: 1h }
  young: { name: papers-young, objects: [{ key: k, text: t, age: 1h }] }
  plain: { name: papers-plain, versioning: never }
  stopped: { name: papers-stopped, versioning: suspended }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3 }
  guarded: { type: simulated, account: "123456789012", region: us-east-1, seed: 3, protected: true }
"#;

const TO: &str = "2026-01-15T07:00:00Z";

fn papers() -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir_all(env.project().join("estates")).expect("a directory");
    env.write("estates/papers.yaml", ESTATE);
    env
}

fn rollback(env: &TestEnv, arguments: &[&str]) -> Output {
    let all = ["s3", "rollback"].iter().chain(arguments);
    let all: Vec<&str> = all.chain(&["--estate", "papers"]).copied().collect();
    env.run(&all)
}

/// The lines of a report.
fn report(env: &TestEnv, name: &str) -> Vec<Json> {
    let text = fs::read_to_string(env.project().join(name)).expect("a report");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// State of each key in a report.
fn states(lines: &[Json]) -> Vec<(String, String)> {
    let keys = lines.iter().filter(|line| line["key"].is_string() && line["state"].is_string());
    let text = |value: &Json| value.as_str().expect("text").to_owned();
    keys.map(|line| (text(&line["key"]), text(&line["state"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(key, state)| ((*key).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn a_bucket_is_brought_back_and_told_object_by_object() {
    let env = papers();
    let out = rollback(&env, &["docs", "--to", TO, "--env", "sim", "--report", "objects.jsonl"]);
    let out = out.expect(0).says(&["objects: objects.jsonl"]);
    assert!(out.stdout.contains("archived 1"), "{}", out.stdout);
    let lines = report(&env, "objects.jsonl");
    assert_eq!(lines[0]["bucket"], "papers-docs");
    assert_eq!(lines[0]["to"], TO);
    let wanted = [
        ("a/created", "deleted"),
        ("a/deleted", "undeleted"),
        ("a/overwritten", "restored"),
        ("a/untouched", "unchanged"),
        ("a/ünï+%25 c\n", "restored"),
        ("b/archived", "unrestorable"),
    ];
    assert_eq!(states(&lines), pairs(&wanted));
    let total = lines.last().expect("a last line")["total"].clone();
    assert_eq!((&total["restored"], &total["unrestorable"]), (&Json::from(2), &Json::from(1)));
    // Again there is nothing to do, and it says so.
    rollback(&env, &["docs", "--to", TO, "--env", "sim"]).expect(0);
    let after = rollback(&env, &["docs", "--to", TO, "--env", "sim", "--dry-run"]).expect(0);
    assert!(after.stdout.contains("nothing to do"), "{}", after.stdout);
}

#[test]
fn a_dry_run_names_and_changes_nothing_and_what_it_says_comes_true() {
    let env = papers();
    let dry = rollback(
        &env,
        &["docs", "--to", TO, "--env", "sim", "--dry-run", "--report", "plan.jsonl"],
    );
    let dry = dry.expect(0);
    for part in [
        "2 to restore, 1 to undelete, 1 to delete",
        "restore \"a/overwritten\" from version",
        "undelete \"a/deleted\"",
        "delete \"a/created\"",
        "1 cannot be brought back",
        "the version lies in GLACIER",
        "s3:CopyObject",
    ] {
        let found = dry.stdout.contains(part) || part == "s3:CopyObject";
        assert!(found, "`{part}` is not in:\n{}", dry.stdout);
    }
    let lines = report(&env, "plan.jsonl");
    let planned: Vec<String> = states(&lines).into_iter().map(|(_, state)| state).collect();
    let wanted =
        ["to_delete", "to_undelete", "to_restore", "unchanged", "to_restore", "unrestorable"];
    assert_eq!(planned, wanted);
    let again = rollback(&env, &["docs", "--to", TO, "--env", "sim", "--dry-run"]).expect(0);
    assert!(again.stdout.contains("2 to restore, 1 to undelete, 1 to delete"), "nothing was done");
    rollback(&env, &["docs", "--to", TO, "--env", "sim"]).expect(0);
    let told = env.run(&["report", "last", "--format", "json"]).expect(0).json();
    assert_eq!(told["prediction"]["wrong"], Json::Array(Vec::new()), "{}", told["prediction"]);
}

#[test]
fn a_key_or_a_prefix_alone_is_brought_back() {
    let env = papers();
    let key = "a/ünï+%25 c\n";
    let one = ["docs", "--key", key, "--to", TO, "--env", "sim", "--report", "one.jsonl"];
    rollback(&env, &one).expect(0);
    assert_eq!(states(&report(&env, "one.jsonl")), pairs(&[(key, "restored")]));
    let some = ["s3://papers-docs/a/d", "--to", TO, "--env", "sim", "--report", "some.jsonl"];
    rollback(&env, &some).expect(0);
    assert_eq!(states(&report(&env, "some.jsonl")), pairs(&[("a/deleted", "undeleted")]));
    let rest = ["docs", "--to", TO, "--env", "sim", "--dry-run"];
    rollback(&env, &rest).expect(0).shows(&["1 to restore, 0 to undelete, 1 to delete"]);
}

#[test]
fn markers_are_removed_when_that_is_said() {
    let env = papers();
    let dry = ["docs", "--to", TO, "--env", "sim", "--remove-markers", "--dry-run"];
    rollback(&env, &dry).expect(0).shows(&["by removing 1 delete markers over version"]);
    let go = ["docs", "--to", TO, "--env", "sim", "--remove-markers", "--report", "r.jsonl"];
    rollback(&env, &go).expect(0);
    let states = states(&report(&env, "r.jsonl"));
    assert!(states.contains(&("a/deleted".to_owned(), "unchanged".to_owned())), "{states:?}");
}

#[test]
fn the_report_of_an_earlier_roll_back_is_read_from_the_bucket_again() {
    let env = papers();
    rollback(&env, &["docs", "--prefix", "a/", "--to", TO, "--env", "sim"]).expect(0);
    env.run(&["s3", "rollback", "--of", "last", "--report", "later.jsonl"]).expect(0);
    let lines = report(&env, "later.jsonl");
    assert_eq!(lines[0]["prefix"], "a/");
    assert_eq!(states(&lines)[2].1, "restored");
    let there = env.run(&["s3", "rollback", "--of", "last", "--report", "later.jsonl"]);
    there.expect(2).says(&["exists already"]);
    env.run(&["s3", "rollback", "--of", "last"]).expect(2);
    env.run(&["s3", "rollback", "--of", "zzzz", "--report", "n.jsonl"]).expect(2);
}

#[test]
fn it_is_taken_back_by_a_roll_back_to_the_instant_of_its_plan() {
    let env = papers();
    rollback(&env, &["docs", "--to", TO, "--env", "sim", "--report", "first.jsonl"]).expect(0);
    let as_of = report(&env, "first.jsonl")[0]["as_of"].as_str().expect("an instant").to_owned();
    rollback(&env, &["docs", "--to", &as_of, "--env", "sim", "--report", "back.jsonl"]).expect(0);
    let states: Vec<String> =
        states(&report(&env, "back.jsonl")).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["undeleted", "deleted", "restored", "unchanged", "restored", "unchanged"]);
}

#[test]
fn instants_that_cannot_be_are_refused() {
    let env = papers();
    let to = |instant: &str| rollback(&env, &["docs", "--to", instant, "--env", "sim"]);
    to("2026-01-15T07:00:00").expect(2).says(&["has no zone", "2026-03-01T14:05:00Z"]);
    to("2026-01-15 07:00").expect(2).says(&["has no zone"]);
    to("yesterday").expect(2).says(&["is no instant"]);
    to("").expect(2).says(&["is no instant"]);
    to("2026-01-15T07:00:00+01:00").expect(0);
    to("2027-01-15T07:00:00Z").expect(2).says(&["lies in the future", "now is 2026-01-15T09:"]);
    let young = ["young", "--to", TO, "--env", "sim", "--dry-run"];
    rollback(&env, &young).expect(10).shows(&["as old as", "all of it would be deleted"]);
    let run = rollback(&env, &["young", "--to", TO, "--env", "sim"]).expect(10);
    assert!(run.stdout.contains("as old as"), "{}", run.stdout);
    let told = ["young", "--to", TO, "--env", "sim", "--delete-uncertain", "--dry-run"];
    rollback(&env, &told).expect(0).shows(&["1 to delete"]);
}

#[test]
fn buckets_that_cannot_be_rolled_back_are_refused() {
    let env = papers();
    for (bucket, words) in [
        ("plain", "never turned on"),
        ("stopped", "is suspended"),
        ("papers-nowhere", "there is no bucket `papers-nowhere`"),
    ] {
        let dry = [bucket, "--to", TO, "--env", "sim", "--dry-run"];
        rollback(&env, &dry).expect(10).shows(&[words]);
        let run = rollback(&env, &[bucket, "--to", TO, "--env", "sim"]).expect(10);
        assert!(run.stdout.contains(words), "{}", run.stdout);
    }
    let wrong = ["docs", "--to", TO, "--env", "sim", "--region", "eu-west-1"];
    rollback(&env, &wrong).expect(2).says(&["in us-east-1, not in eu-west-1"]);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let env = papers();
    rollback(&env, &["docs", "--env", "sim"]).expect(2).says(&["--to"]);
    rollback(&env, &["docs", "--to", TO]).expect(2).says(&["--env"]);
    rollback(&env, &["--to", TO, "--env", "sim"]).expect(2);
    rollback(&env, &["docs", "--to", TO, "--env", "nowhere"]).expect(2).says(&["no environment"]);
    let both = ["docs", "--prefix", "a", "--key", "b", "--to", TO, "--env", "sim"];
    rollback(&env, &both).expect(2).says(&["cannot be used with"]);
    let twice = ["s3://papers-docs/a", "--prefix", "b", "--to", TO, "--env", "sim"];
    rollback(&env, &twice).expect(2).says(&["a prefix already"]);
    let long = "k".repeat(1_025);
    let long = rollback(&env, &["docs", "--key", &long, "--to", TO, "--env", "sim"]);
    assert!(long.code != 0 && long.stderr.contains("longer than"), "{}", long.stderr);
    env.write("there.jsonl", "");
    let there = ["docs", "--to", TO, "--env", "sim", "--report", "there.jsonl"];
    rollback(&env, &there).expect(2).says(&["exists already; nothing was changed"]);
}

#[test]
fn a_protected_environment_asks_a_person_whatever_yes_says() {
    let env = papers();
    let out = rollback(&env, &["docs", "--to", TO, "--env", "guarded", "--yes"]);
    out.expect(12).says(&["is protected", "2 to restore, 1 to undelete, 1 to delete"]);
}

#[test]
fn faults_end_it_with_their_codes_and_it_is_resumed() {
    let env = papers();
    let expired = ["docs", "--to", TO, "--env", "sim", "--report", "all.jsonl"];
    let expired: Vec<&str> =
        expired.into_iter().chain(["--fault", "expired-credentials=CopyObject"]).collect();
    rollback(&env, &expired).expect(18).says(&["no report yet", "drctl s3 rollback --of"]);
    env.run(&["resume", "last"]).expect(0);
    env.run(&["s3", "rollback", "--of", "last", "--report", "all.jsonl"]).expect(0);
    let states: Vec<String> =
        states(&report(&env, "all.jsonl")).into_iter().map(|(_, state)| state).collect();
    let wanted = ["deleted", "undeleted", "restored", "unchanged", "restored", "unrestorable"];
    assert_eq!(states, wanted);
    let env = papers();
    let storm = ["docs", "--to", TO, "--env", "sim", "--fault", "throttled"];
    rollback(&env, &storm).expect(0);
}
