//! Two processes and one run: who may drive it, how it is taken over, and how it is ended.

use crate::env::{TestEnv, finished};
use crate::gates::at_a_terminal;
use crate::interrupted::Watched;
use crate::two::{at_the_gate, by, events, eventually, project, project_with, said_by};
use serde_json::json;

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// A drill that is under way at such a speed that it does not end meanwhile.
fn under_way(env: &TestEnv) -> Watched {
    let mut drill = Watched::start(env, "drill restore-db --pace 60");
    drill.until("restore: creating");
    drill
}

#[test]
fn a_second_driver_is_refused_and_told_who_has_the_run() {
    let env = TestEnv::new();
    let drill = under_way(&env);
    let run = env.runs()[0].clone();
    env.line("resume last").expect(16).says(&[
        &format!("run {run} is in use by process {} on ", drill.id()),
        " (tester) since 20",
        "; its lease lasts until 20",
        &format!("drctl status {run} --watch"),
        &format!("drctl resume {run} --take-over"),
    ]);
    assert_eq!(events(&env, "attempt_started").len(), 1);
    drill.kill();
    // The dead need no lease: nobody waits for its end.
    env.line("resume last").expect(0);
    env.assert_clean();
}

#[test]
fn a_run_is_taken_over_in_the_middle_and_the_first_process_stops() {
    let env = TestEnv::new();
    let first = under_way(&env);
    let run = env.runs()[0].clone();
    let mut second = Watched::start(&env, "resume last --take-over --pace 5000");
    second.until("resumed by tester: attempt 2");
    let out = first.end().expect(16);
    let out = out.says(&[
        &format!("run {run} was taken over by process {} on ", second.id()),
        "; this process has stopped",
        "this process changes nothing any more",
    ]);
    assert!(!out.stdout.contains("SUCCEEDED"), "{}", out.stdout);
    let out = second.end().expect(0);
    out.says(&[" no longer drives run ", "it was fenced", "run succeeded"]);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1);
    env.line("journal verify").expect(0);
    // A run that has ended is taken from nobody.
    env.line("resume last --take-over").expect(2).says(&["has ended: it succeeded"]);
}

#[test]
fn taking_over_again_and_again_makes_nothing_twice() {
    let env = TestEnv::new();
    let mut last = under_way(&env);
    for _ in 0..3 {
        let mut next = Watched::start(&env, "resume last --take-over --pace 60");
        next.until("resumed by tester");
        last.end().expect(16);
        last = next;
    }
    last.kill();
    env.line("resume last").expect(0).says(&["attempt 5"]);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1);
    env.line("journal verify").expect(0);
}

#[test]
fn a_hung_driver_loses_its_lease_and_notices_when_it_wakes() {
    let env = TestEnv::new();
    let words = ["drill", "restore-db", "--pace", "60"];
    let mut command = env.command(&words);
    command.env("DRCTL_LEASE", "2s");
    let mut hung = Watched::spawn(command, false);
    hung.until("restore: creating");
    hung.signal("STOP");
    eventually("the lease ends", || {
        env.line("status last")
            .expect(0)
            .stdout
            .contains("which HANGS: its lease ended")
            .then_some(())
    });
    by(&env, "ann", "pause last").expect(13).says(&[" hangs, its lease ended ", "drctl resume "]);
    // No word of a person is needed any more.
    let mut taken = Watched::start(&env, "resume last --pace 5000");
    taken.until("resumed by tester: attempt 2");
    by(&env, "ann", "continue last").expect(0);
    let run = env.runs()[0].clone();
    hung.signal("CONT");
    hung.end().expect(16).says(&[&format!("run {run} was taken over by process")]);
    taken.end().expect(0).says(&["it was fenced", "run succeeded"]);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1);
    env.line("journal verify").expect(0);
}

#[test]
fn a_lease_is_no_nonsense() {
    let env = TestEnv::new();
    for text in ["soon", "1s", "2d", "60"] {
        let mut command = env.command(&["drill", "restore-db"]);
        let out = finished(command.env("DRCTL_LEASE", text).output().expect("starts"));
        out.expect(2).says(&[&format!("DRCTL_LEASE={text}: "), "DRCTL_LEASE=60s"]);
    }
}

#[test]
fn an_abort_is_shown_asked_about_and_undoes_what_was_done() {
    let env = project();
    let drill = at_the_gate(&env);
    let shown = [
        "not asked     decide: needs no answer any more",
        "1. spare by rds.delete_instance, at the same time",
        "1. restore by rds.delete_instance, at the same time",
        "runs anyway   delete (always)",
        "never runs    cool_down, verify",
    ];
    let before = env.line("journal export").expect(0).stdout;
    env.line("abort last --dry-run").expect(0).shows(&shown);
    let preview = env.line("abort last --dry-run --output json").expect(0).json();
    assert_eq!(preview["undo"][0][1], json!({ "step": "restore", "undo": "rds.delete_instance" }));
    // Nobody at the terminal agrees to nothing.
    env.line("abort last").expect(12).says(&shown).says(&["nobody is at the terminal", "--yes"]);
    assert_eq!(env.line("journal export").expect(0).stdout, before);
    let words = ["abort", "last", "--yes", "--reason", "the primary is back"];
    said_by(&env, "ann", &words).expect(0).says(&shown).shows(&[
        "taken: abort by ann",
        "run aborted by ann: the primary is back; what was done is undone",
        "restore: undoing",
    ]);
    drill.end().expect(12).shows(&["ABORTED: aborted by ann: the primary is back"]);
    assert_eq!((env.count(RESTORE), env.count("DeleteDBInstance")), (2, 2));
    assert_eq!(env.left_behind(), Vec::<String>::new());
    by(&env, "ann", "abort last --yes").expect(2).says(&["has ended"]);
}

#[test]
fn an_abort_without_undo_leaves_what_was_done_and_cleans_up() {
    let env = project();
    let drill = at_the_gate(&env);
    env.line("abort last --no-undo --dry-run").expect(0).shows(&["restore (could be undone)"]);
    by(&env, "ann", "abort last --no-undo --yes").expect(0).shows(&["what was done stays"]);
    drill.end().expect(12);
    assert!(events(&env, "undo_started").is_empty());
    // `always` steps clean up whatever happened.
    assert_eq!(env.left_behind(), Vec::<String>::new());
}

#[test]
fn an_abort_survives_the_process() {
    let env = project();
    let drill = at_the_gate(&env);
    by(&env, "ann", "pause last").expect(0);
    drill.kill();
    by(&env, "ann", "abort last --yes").expect(13).says(&["no process drives the run now"]);
    env.line("resume last").expect(12).says(&["run aborted by ann", "run aborted"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
}

#[test]
fn an_undo_that_fails_has_its_own_code_and_is_named_everywhere() {
    // Without clean-up: what that leaves behind has a code of its own, which comes first.
    let env = project_with(|text| text.split("  - id: delete\n").next().expect("it").to_owned());
    env.line("drill control").expect(13);
    by(&env, "ann", "abort last --yes").expect(13).says(&["no process drives the run now"]);
    let out = env.line("resume last --fault control-plane-down").expect(19);
    out.says(&["restore: UNDO FAILED", "spare: UNDO FAILED", "run aborted"]).shows(&[
        "ABORTED: aborted by ann",
        "undo failed: restore, spare",
        "its undo failed",
    ]);
    let report = env.line("report --format json").expect(0).json();
    assert_eq!(report["verdict"]["failed_undos"], json!(["restore", "spare"]));
    env.line("status last").expect(0).shows(&["undo failed"]);
    env.line("status --watch last").expect(19);
    env.line("report --format junit").expect(0).shows(&["type=\"undo_failed\""]);
    env.line("exit-codes").expect(0).shows(&["19  undo failed"]);
    assert_eq!(env.left_behind().len(), 2);
}

#[test]
fn a_protected_environment_is_not_ended_by_yes() {
    let env = TestEnv::new();
    let estate = include_str!("../../localstack/estates/techcorp.yaml");
    let estate = estate.replacen("  sim:\n", "  sim:\n    protected: true\n", 1);
    env.write("estates/techcorp.yaml", &estate);
    // A run that cannot go on without credentials is there to be ended.
    let drill = "drill restore-db --fault expired-credentials=DeleteDBInstance";
    let prompt = "to go on: ";
    let Some(out) = at_a_terminal(&env, drill, &[(prompt, "sim")]) else { return };
    out.expect(18);
    let before = env.line("journal export").expect(0).stdout;
    let typed = "a person at a terminal has to type its name; --yes is not enough";
    env.line("abort last --yes").expect(12).says(&["runs anyway   delete", typed]);
    let out = at_a_terminal(&env, "abort last --yes", &[(prompt, "yes")]).expect("it was there");
    out.expect(12).shows(&["1. restore by rds.delete_instance", "not agreed to"]);
    let inbox = at_a_terminal(&env, "abort last", &[(prompt, "sim")]).expect("it was there");
    inbox.expect(13).shows(&["posted: abort by tester; no process drives the run now"]);
    assert_eq!(env.line("journal export").expect(0).stdout, before, "only the inbox knows of it");
    env.line("resume last").expect(12).says(&["run aborted by tester"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
}
