//! A run is steered from another terminal: gates, pauses, skips, retries, and what cannot be meant.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use crate::two::{at_the_gate, by, events, project, project_with, said_by, until_event};
use serde_json::json;

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

#[test]
fn two_people_approve_from_two_terminals_and_the_run_goes_on() {
    let env = project();
    let drill = at_the_gate(&env);
    let run = env.runs()[0].clone();
    env.line("status last").expect(0).shows(&[
        "under way, waits for an answer",
        "waits for   ann or bob at decide, 0 of 2 approvals, until 2026-01-",
        "driven by   process ",
        "; lease until 20",
        &format!("drctl approve {run} decide"),
    ]);
    let comment = "row counts agree, password=hunter2";
    said_by(&env, "ann", &["approve", "last", "decide", "--comment", comment])
        .expect(0)
        .shows(&["taken: approve decide by ann", "decide: ann approved from another terminal"]);
    env.line("status last").expect(0).shows(&["1 of 2 approvals (ann)"]);
    let status = env.line("status last --output json").expect(0).json();
    assert_eq!(status["approvals"][0]["by"]["operator"], "ann");
    assert_eq!(
        status["driver"]["holder"].as_str().map(|it| it.starts_with("process ")),
        Some(true)
    );
    // The same person twice is one person.
    by(&env, "ann", "approve last decide").expect(2).says(&["ann approved decide already"]);
    // A step need not be named where only one gate waits.
    by(&env, "eve", "approve last --as bob").expect(0).shows(&["taken: approve decide by bob"]);
    let out = drill.end().expect(0);
    out.says(&["decide: bob answered approve from another terminal", "run succeeded"]);
    env.line("journal verify").expect(0);
    assert_eq!(env.count(RESTORE), 2);
    assert_eq!(env.left_behind(), Vec::<String>::new());
    let report = env.line("report").expect(0);
    report.shows(&["row counts agree, password=(secret)", "ann", "bob"]);
}

#[test]
fn whoever_is_not_asked_cannot_open_a_gate() {
    let env = project();
    let drill = at_the_gate(&env);
    let before = env.line("journal export").expect(0).stdout;
    by(&env, "eve", "approve last decide")
        .expect(12)
        .says(&["decide is to be decided by ann, bob, and you are eve", "DRCTL_OPERATOR or --as"]);
    by(&env, "eve", "reject last decide").expect(12).says(&["you are eve"]);
    assert_eq!(env.line("journal export").expect(0).stdout, before);
    drill.signal("TERM");
    drill.end().expect(13);
}

#[test]
fn an_approval_is_withdrawn_until_it_was_used() {
    let env = project();
    let drill = at_the_gate(&env);
    by(&env, "bob", "withdraw last decide")
        .expect(2)
        .says(&["bob has given no approval to decide"]);
    by(&env, "ann", "approve last decide").expect(0);
    by(&env, "ann", "withdraw last decide").expect(0).shows(&["ann withdrew the approval"]);
    by(&env, "bob", "approve last decide").expect(0);
    env.line("status last").expect(0).shows(&["1 of 2 approvals (bob)"]);
    by(&env, "ann", "approve last decide").expect(0);
    drill.end().expect(0);
    by(&env, "ann", "withdraw last decide").expect(2).says(&["has ended: it succeeded"]);
    let given = events(&env, "approval_given");
    assert_eq!(
        given.iter().map(|it| &it["by"]["operator"]).collect::<Vec<_>>(),
        ["ann", "bob", "ann"]
    );
}

#[test]
fn a_rejection_from_another_terminal_ends_the_run() {
    let env = project();
    let drill = at_the_gate(&env);
    let words = ["reject", "last", "decide", "--comment", "wrong restore time", "--output", "json"];
    let told = said_by(&env, "bob", &words).expect(0).json();
    assert_eq!((&told["schema_version"], &told["result"]), (&json!(1), &json!("taken")));
    assert_eq!(
        told["command"],
        json!({
            "do": "reject", "step": "decide", "comment": "wrong restore time"
        })
    );
    drill.end().expect(12).says(&["run aborted"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
}

#[test]
fn a_paused_run_begins_nothing_until_it_is_continued() {
    let env = project();
    let drill = at_the_gate(&env);
    let pause = ["pause", "last", "--reason", "the network team is at it"];
    said_by(&env, "ann", &pause).expect(0).shows(&["taken: pause by ann", "run paused by ann"]);
    by(&env, "bob", "pause last").expect(2).says(&["is paused by ann since"]);
    env.line("status last")
        .expect(0)
        .shows(&["PAUSED      by ann since", "the network team is at it"]);
    by(&env, "ann", "approve last decide").expect(0);
    by(&env, "bob", "approve last decide").expect(0);
    until_event(&env, "question_answered");
    assert!(events(&env, "step_started").iter().all(|it| it["step"] != "cool_down"));
    let line = env.line("status --line").expect(13);
    line.shows(&["PAUSED by ann since ", "; drctl continue "]);
    by(&env, "bob", "continue last").expect(0).shows(&["run continued by bob"]);
    drill.end().expect(0);
}

#[test]
fn a_pause_survives_the_process() {
    let env = project();
    let drill = at_the_gate(&env);
    by(&env, "ann", "pause last").expect(0);
    drill.kill();
    env.line("status last").expect(0).shows(&["PAUSED", "driven by   nobody; `drctl resume"]);
    by(&env, "ann", "approve last decide").expect(13).says(&["no process drives the run now"]);
    by(&env, "bob", "approve last decide").expect(13).says(&["drctl resume"]);
    let mut resumed = Watched::start(&env, "resume last --wait");
    resumed.until("decide: bob answered approve");
    by(&env, "bob", "continue last").expect(0);
    resumed.end().expect(0);
    assert_eq!(env.count(RESTORE), 2);
}

#[test]
fn what_was_posted_while_nobody_drove_the_run_is_taken_once() {
    let env = project();
    env.line("drill control").expect(13);
    by(&env, "ann", "approve last decide").expect(13).says(&["posted: approve decide by ann"]);
    by(&env, "bob", "approve last decide").expect(13);
    env.line("resume last").expect(0).says(&["decide: bob answered approve"]);
    assert_eq!(events(&env, "command_taken").len(), 2);
    env.line("journal verify").expect(0);
}

#[test]
fn a_step_is_skipped_and_what_needs_it_goes_on() {
    let env = project();
    let drill = at_the_gate(&env);
    let skip = ["skip", "last", "cool_down", "--reason", "no time"];
    said_by(&env, "ann", &skip).expect(0).shows(&["ann decided so: no time"]);
    said_by(&env, "ann", &skip).expect(2).says(&["cool_down is skipped: there is nothing to skip"]);
    by(&env, "ann", "skip last delete --reason x").expect(2).says(&["cleans up and runs whatever"]);
    by(&env, "ann", "skip last restore --reason x").expect(2).says(&["restore is succeeded"]);
    by(&env, "ann", "approve last").expect(0);
    by(&env, "bob", "approve last").expect(0);
    drill.end().expect(15).says(&["verify: done"]);
}

#[test]
fn a_failure_is_asked_about_and_answered_from_another_terminal() {
    let env = project_with(|text| {
        text.replace("approvals: 2", "approvals: 1")
            .replace("[ann, bob]", "[tester]")
            .replace("pack: [reachable]", "rows: [{ table: nosuch, at_least: 1 }]")
    });
    let mut drill = Watched::start(&env, "drill control --wait --yes");
    drill.until("answer       drctl answer");
    let run = env.runs()[0].clone();
    env.line("status last").expect(0).shows(&[
        "verify asks: ",
        "undo         nothing new begins; skipped: nothing; clean-up that runs: delete",
        "undone: spare, restore",
        &format!("drctl answer {run} verify retry"),
    ]);
    by(&env, "ann", "approve last verify").expect(2).says(&["verify is no gate"]);
    by(&env, "ann", "answer last verify maybe").expect(2).says(&["it takes: retry, continue"]);
    by(&env, "ann", "answer last verify stop").expect(0).shows(&["taken: answer verify by ann"]);
    drill.end().expect(10);
}

#[test]
fn what_cannot_be_meant_is_refused_before_it_is_posted() {
    let env = project();
    by(&env, "ann", "approve last").expect(2).says(&["there are no runs"]);
    let drill = at_the_gate(&env);
    for (line, code, parts) in [
        ("approve nosuchrun decide", 2, &["there is no run `nosuchrun`", "drctl status"][..]),
        ("approve last decid", 2, &["has no step `decid`", "did you mean `decide`?"]),
        (
            "approve last verify",
            2,
            &["step verify asks nothing: it is pending", "these ask: decide"],
        ),
        ("answer last decide maybe", 2, &["`maybe` is no answer to decide", "approve, reject"]),
        ("retry last verify", 2, &["verify is pending: there is nothing to retry"]),
        ("skip last cool_down", 2, &["--reason"]),
        ("continue last", 12, &["the run is not paused"]),
        ("pause last --as", 2, &["--as"]),
    ] {
        by(&env, "ann", line).expect(code).says(parts);
    }
    drill.signal("INT");
    drill.end().expect(13);
    for verb in ["approve", "reject", "withdraw", "answer", "pause", "continue", "skip", "retry"] {
        env.run(&[verb, "--help"]).expect(0).shows(&["Example", &format!("drctl {verb} last")]);
    }
}

#[test]
fn a_retry_is_taken_from_another_terminal() {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 1");
    drill.until("restore: creating");
    by(&env, "ann", "retry last restore").expect(0).shows(&["taken: retry restore by ann"]);
    drill.kill();
}

#[test]
fn a_watch_tells_the_run_to_its_end_and_ends_with_its_code() {
    let env = project();
    let drill = at_the_gate(&env);
    let mut watch = Watched::reading_stdout(&env, "status --watch");
    watch.until("waits for   ann or bob at decide");
    by(&env, "ann", "approve last").expect(0);
    watch.until("1 of 2 approvals (ann)");
    let kept = env.line("status last --output json").expect(0).json()["driver"].clone();
    by(&env, "bob", "reject last").expect(0);
    let out = watch.end().expect(12);
    assert!(out.stdout.contains("ABORTED"), "{}", out.stdout);
    assert!(kept["since"].is_string(), "{kept}");
    drill.end().expect(12);
    // A run that has ended is told at once.
    env.line("status --watch last").expect(12).shows(&["decide: waiting for a person"]);
}
