//! Files that are edited while their run is open: refused, unless a person has seen the difference.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use std::fs;
use std::path::Path;

const RUNBOOK: &str = "runbooks/restore-db.yaml";

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a shipped file")
}

/// A drill of the project's own runbook, killed while AWS was creating its instance.
fn open_run() -> TestEnv {
    let env = TestEnv::new();
    env.write(RUNBOOK, &shipped(RUNBOOK));
    env.write("drills/restore-db.yaml", &shipped("drills/restore-db.yaml"));
    env.write("estates/techcorp.yaml", &shipped("localstack/estates/techcorp.yaml"));
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    env
}

/// Replaces `from` in a file of the project.
fn edit(env: &TestEnv, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(env.project().join(name)).expect("a file");
    assert!(text.contains(from), "{from} is not in {name}");
    env.write(name, &text.replacen(from, to, 1));
}

/// Gives a later step another time-out and adds a step at the end.
fn edit_what_is_to_come(env: &TestEnv) {
    edit(env, RUNBOOK, "    uses: sql.heartbeat\n", "    uses: sql.heartbeat\n    timeout: 7m\n");
    let text = fs::read_to_string(env.project().join(RUNBOOK)).expect("a file");
    let added = "\n  - id: rest\n    uses: gate.wait_until\n    needs: [verify]\n    timeout: 30m\n    \
                 with:\n      time: ${{ steps.restore.outputs.restore_time }}\n";
    env.write(RUNBOOK, &(text + added));
}

const DIFFERENCE: [&str; 2] =
    ["+ step rest (gate.wait_until)", "~ step heartbeat: timeout (none) -> 7m"];

#[test]
fn an_edited_runbook_is_refused_and_gone_on_with_when_a_person_says_so() {
    let env = open_run();
    edit_what_is_to_come(&env);
    let run = env.runs()[0].clone();
    let before = env.mutations();
    let refused = env.line("resume").expect(17).says(&DIFFERENCE);
    refused.says(&["edited while it was open", "--accept-changes", "--keep-plan"]);
    assert_eq!(env.mutations(), before, "nothing was done");
    env.line("resume").expect(17);

    let resumed = env.line("resume --accept-changes").expect(0).says(&DIFFERENCE);
    resumed.says(&["tester went on with edited files", "rest: ", "run succeeded"]);
    env.assert_clean();
    env.line("journal verify").expect(0);
    let report = env.line("report").expect(0);
    report.shows(&["went on with edited files", DIFFERENCE[0], DIFFERENCE[1]]);
    let json = env.line("report --format json").expect(0).json();
    let steps = json["steps"].as_array().expect("a list");
    assert!(steps.iter().any(|step| step["step"] == "rest" && step["outcome"] == "succeeded"));
    env.line(&format!("status {run}")).expect(0).shows(&["rest", "succeeded"]);
    let exported = env.line("journal export").expect(0).stdout;
    assert_eq!(exported.matches("\"type\":\"plan_changed\"").count(), 1);
}

#[test]
fn a_changed_run_that_is_killed_again_goes_on_with_the_changed_plan() {
    let env = open_run();
    edit_what_is_to_come(&env);
    let mut resumed = Watched::start(&env, "resume --accept-changes --pace 5000");
    resumed.until("delete: rds:Delete");
    resumed.kill();
    env.line("resume").expect(0).says(&["attempt 3", "run succeeded"]);
    env.assert_clean();
    let json = env.line("report --format json").expect(0).json();
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(6), "{json}");
}

#[test]
fn the_plan_may_be_kept_and_that_is_recorded() {
    let env = open_run();
    edit_what_is_to_come(&env);
    let resumed = env.line("resume --keep-plan").expect(0).says(&DIFFERENCE);
    resumed.says(&["it goes on with the plan that it has", "run succeeded"]);
    env.assert_clean();
    env.line("report").expect(0).shows(&["with the plan as it was, not with edited files"]);
    let json = env.line("report --format json").expect(0).json();
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(5));
    env.line("resume --keep-plan --accept-changes").expect(2);
}

#[test]
fn what_has_begun_must_not_be_edited() {
    let env = open_run();
    edit(&env, RUNBOOK, "    timeout: 3h\n", "    timeout: 4h\n");
    env.line("resume").expect(17).says(&["~ step restore: timeout 3h -> 4h"]);
    let refused = env.line("resume --accept-changes").expect(17);
    refused.says(&["steps that have begun were edited or taken out: restore", "--keep-plan"]);
    edit(&env, RUNBOOK, "    timeout: 4h\n", "    timeout: 3h\n");
    env.line("resume").expect(0).says(&["run succeeded"]);
    env.assert_clean();
}

#[test]
fn comments_titles_and_lost_files_do_not_stop_a_run() {
    let env = open_run();
    edit(&env, RUNBOOK, "steps:\n", "# Somebody explained something here.\nsteps:\n");
    edit(
        &env,
        RUNBOOK,
        "title: Read the newest heartbeat",
        "title: Read the very newest heartbeat",
    );
    env.line("resume").expect(0).says(&["run succeeded"]);
    env.assert_clean();
    let env = open_run();
    fs::remove_file(env.project().join(RUNBOOK)).expect("removed");
    let resumed = env.line("resume").expect(0);
    resumed.says(&["is not there any more", "what its journal embeds", "run succeeded"]);
    env.assert_clean();
}

#[test]
fn an_edited_estate_and_a_broken_file_are_refused_too() {
    let env = open_run();
    let estate = "estates/techcorp.yaml";
    let good = fs::read_to_string(env.project().join(estate)).expect("a file");
    edit(&env, estate, "backup_retention_days: 30", "backup_retention_days: 31");
    env.line("resume").expect(17).says(&["~ estate database"]);
    let before = env.mutations();
    let moved = env.line("resume --accept-changes").expect(17);
    moved.says(&["an open run cannot go on with these changes", "~ estate database"]);
    assert_eq!(env.mutations(), before, "nothing was done");
    env.write(estate, &good);
    env.write(RUNBOOK, "apiVersion: drctl/v1\nkind: Runbook\nsteps: nothing\n");
    env.line("resume").expect(17).says(&["has problems"]);
    env.line("resume --accept-changes").expect(2).says(&["DR0"]);
    env.line("resume --keep-plan").expect(0).says(&["run succeeded"]);
    env.assert_clean();
}
