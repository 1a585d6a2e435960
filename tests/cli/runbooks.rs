//! `runbook list`, `show` and `graph`: what is said about runbooks, and that nothing is changed.

use crate::env::TestEnv;

const HEAD: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: mine\ntitle: My own\n";

#[test]
fn all_runbooks_are_listed_also_one_that_is_not_valid() {
    let env = TestEnv::new();
    env.write("runbooks/broken.yaml", &format!("{HEAD}stps: []\n"));
    let listed = env.line("runbook list").expect(0);
    let listed =
        listed.shows(&["restore-db", "(shipped) runbooks/restore-db.yaml", "NO: 2 errors"]);
    assert!(listed.stderr.is_empty(), "{}", listed.stderr);
    let json = env.line("runbook list --output json").expect(0).json();
    assert_eq!(json["schema_version"], 1);
    let all = json["runbooks"].as_array().expect("a list");
    let broken = all.iter().find(|it| it["name"] == "broken").expect("it is listed too");
    assert_eq!(broken["valid"], false);
    assert_eq!(broken["errors"], 2);
    assert!(broken["steps"].is_null());
    let shipped = all.iter().find(|it| it["name"] == "restore-db").expect("it is shipped");
    assert_eq!((&shipped["steps"], &shipped["parameters"]), (&5.into(), &9.into()));
    assert!(!env.state().exists(), "a list leaves nothing behind");
}

#[test]
fn a_runbook_is_shown_with_everything_that_it_declares() {
    let env = TestEnv::new();
    let shown = env.line("runbook show restore-db").expect(0);
    shown.shows(&[
        "restore-db: Restore a database to a point in time",
        "  restore_time: instant_or_latest, default latest\n",
        "  class: string, optional\n",
        "  5. delete (change) [irreversible] [always] [conditional]\n",
        "after restore, verify, heartbeat have ended, whatever became of them, when !run.keep",
        "time-out 5m (the action's)",
        "undone by rds.delete_instance",
        "Measured: recovered when verify succeeds; recovery point from heartbeat;",
        "Drills that use it: credentialmate-pitr, restore-db, techcorp-europe-restore\n",
    ]);
    let json = env.line("runbook show restore-db --output json").expect(0).json();
    assert_eq!(json["steps"][1]["undone_by"], "rds.delete_instance");
    assert_eq!(json["steps"][1]["timeout_ms"], 3 * 3_600_000);
    assert_eq!(json["drills"][1], "restore-db");
}

#[test]
fn a_runbook_that_is_not_there_or_broken_is_no_result() {
    let env = TestEnv::new();
    env.line("runbook show restor-db").expect(2).says(&["did you mean `restore-db`?"]);
    env.line("runbook graph restor-db").expect(2).says(&["did you mean `restore-db`?"]);
    env.write("runbooks/mine.yaml", &format!("{HEAD}steps: []\n"));
    let said = env.line("runbook show mine").expect(2).says(&["needs at least one step"]);
    assert!(said.stdout.is_empty());
}

#[test]
fn the_graph_as_text_fits_80_columns() {
    let env = TestEnv::new();
    let drawn = env.line("runbook graph restore-db").expect(0).shows(&[
        "* ● restore\n  ├─╮   rds.restore_to_point_in_time, 8m00s to 1h00m, cited\n",
        "* ○ │ heartbeat\n",
        "  ├╌╯   sql.check",
        "■ delete [irreversible] [always] [conditional]",
        "critical path: check_source -> restore -> heartbeat -> delete\n",
        "8-12 min for a tiny instance",
    ]);
    let widest = drawn.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}:\n{}", drawn.stdout);
    let json = env.line("runbook graph restore-db --output json").expect(0).json();
    assert_eq!(json["edges"].as_array().map(Vec::len), Some(6));
    assert_eq!(json["nodes"][1]["figure"], "8m00s to 1h00m, cited");
}

#[test]
fn figures_of_earlier_runs_say_that_they_are_simulated() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    let drawn = env.line("runbook graph restore-db --env sim").expect(0);
    let drawn = drawn.shows(&["SIMULATED", "earlier simulated runs in `sim`"]);
    assert!(!drawn.stdout.contains("8m00s to 1h00m"), "{}", drawn.stdout);
    let cited = env.line("runbook graph restore-db").expect(0);
    assert!(!cited.stdout.contains("SIMULATED"), "{}", cited.stdout);
    let unknown = env.line("runbook graph restore-db --env simm").expect(2);
    unknown.says(&["did you mean `sim`?"]);
}

#[test]
fn every_form_of_the_graph_goes_to_a_file_once() {
    let env = TestEnv::new();
    for (form, begins) in [
        ("text", "Restore a database"),
        ("dot", "digraph \"restore-db\" {"),
        ("mermaid", "---\ntitle: "),
        ("svg", "<?xml version=\"1.0\""),
    ] {
        let line = format!("runbook graph restore-db --format {form} --out {form}.out");
        env.line(&line).expect(0);
        let text = std::fs::read_to_string(env.project().join(format!("{form}.out")));
        assert!(text.as_ref().is_ok_and(|text| text.starts_with(begins)), "{form}: {text:?}");
        env.line(&line).expect(2).says(&["exists already; nothing was written"]);
    }
}

#[test]
fn schemas_are_written_for_every_kind_of_file() {
    let env = TestEnv::new();
    for (kind, word) in [
        ("runbook", "steps"),
        ("drill", "schedule"),
        ("estate", "databases"),
        ("config", "state_dir"),
    ] {
        let json = env.line(&format!("runbook schema --kind {kind}")).expect(0).json();
        assert_eq!(json["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(json["properties"][word].is_object(), "{kind}");
        assert_eq!(json["additionalProperties"], false, "{kind}");
    }
    let json = env.line("runbook schema").expect(0).json();
    let actions = json["properties"]["steps"]["items"]["allOf"].as_array().expect("a list");
    let restore = actions
        .iter()
        .find(|it| it["if"]["properties"]["uses"]["const"] == "rds.restore_to_point_in_time");
    let with = &restore.expect("the action")["then"]["properties"]["with"];
    assert_eq!(with["required"][0], "source");
    assert_eq!(with["properties"]["multi_az"]["anyOf"][0]["anyOf"][0]["type"], "boolean");
}

#[test]
fn the_document_by_hand_has_commands_and_explains_every_variable() {
    let env = TestEnv::new();
    let line = "runbook doc restore-db --env sim -p database=orders";
    let made = env.line(line).expect(0).shows(&[
        "For techcorp / sim (account 123456789012, us-east-1).",
        "recovery time 4h, recovery point 1h",
        "--db-subnet-group-name techcorp-private",
        "--target-db-instance-identifier \"$RESTORE_INSTANCE\"",
        "# `instance` of step `restore`: identifier of the new instance\nRESTORE_INSTANCE=\n",
        "IRREVERSIBLE",
        "always do this.",
        "To take back `restore` (rds.delete_instance):",
    ]);
    assert!(!made.stdout.contains("--db-instance-class"), "no class is given");
    let bare = env.line("runbook doc restore-db").expect(0);
    bare.shows(&["SECURITY_GROUPS=()\n", "--vpc-security-group-ids \"${SECURITY_GROUPS[@]}\""]);
    let page = env.line(&format!("{line} --format html")).expect(0);
    page.shows(&["<!DOCTYPE html>", "Content-Security-Policy", "<svg", "☐ 1. "]);
    env.line("runbook doc restore-db -p databse=x").expect(2).says(&["did you mean `database`?"]);
    env.line("runbook doc restore-db -p min_rows=x").expect(2).says(&["parameter `min_rows`"]);
    assert!(!env.state().exists(), "a document leaves nothing behind");
}

#[test]
fn a_drill_in_place_of_a_runbook_is_told_apart() {
    let env = TestEnv::new();
    env.write("drills/mine.yaml", include_str!("../../drills/restore-db.yaml"));
    let parts = ["drills/mine.yaml is a drill, not a runbook", "its runbook is `restore-db`"];
    for command in ["show", "graph"] {
        env.line(&format!("runbook {command} drills/mine.yaml")).expect(2).says(&parts);
    }
    env.write("drills/broken.yaml", "kind: Drill\n");
    let parts = ["drills/broken.yaml is a drill", "`drctl runbook list`"];
    env.line("runbook show drills/broken.yaml").expect(2).says(&parts);
}
