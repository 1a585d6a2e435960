//! `drctl drill all`: every drill of an estate in one table.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use serde_json::Value as Json;
use std::fs;

fn rows(json: &Json) -> Vec<(String, String, i64)> {
    let drills = json["drills"].as_array().expect("rows");
    let text = |row: &Json, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let code = |row: &Json| row["exit_code"].as_i64().unwrap_or(-1);
    drills.iter().map(|row| (text(row, "drill"), text(row, "outcome"), code(row))).collect()
}

fn worlds(env: &TestEnv) -> Vec<String> {
    let Ok(entries) = fs::read_dir(env.state().join("worlds")) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const ONLY: &str = "restore-db,verify-snapshot";

#[test]
fn the_drills_of_an_estate_are_run_each_in_a_world_of_its_own() {
    let env = TestEnv::new();
    let line = format!("drill all --estate techcorp --only {ONLY} --output json --junit all.xml");
    let ran = env.line(&line).expect(0);
    let json = ran.json();
    assert_eq!(
        rows(&json),
        [
            ("restore-db".to_owned(), "succeeded".to_owned(), 0),
            ("verify-snapshot".to_owned(), "succeeded".to_owned(), 0)
        ]
    );
    for row in json["drills"].as_array().expect("rows") {
        assert_eq!(row["simulated"], true);
        assert_eq!(row["verdict"], "met");
        assert!(row["recovery_time_ms"].as_u64().expect("measured") > 0, "{row}");
        assert!(row["recovery_point_ms"].as_u64().is_some(), "{row}");
        assert_eq!(row["prediction"]["held"], row["prediction"]["total"], "{row}");
        let run = row["run"].as_str().expect("a run");
        assert!(env.state().join("runs").join(run).join("report.md").is_file(), "{run}");
    }
    assert_eq!(env.runs().len(), 2);
    assert_eq!(worlds(&env), Vec::<String>::new(), "a world ends with its run");
    let junit = fs::read_to_string(env.project().join("all.xml")).expect("written");
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"0\""), "{junit}");
    // One by itself sees nothing of them, and they see nothing of it.
    env.line("drill restore-db").expect(0);
    env.assert_clean();
    env.line(&line.replace("--junit all.xml", "")).expect(0);
    env.assert_clean();
}

#[test]
fn the_table_says_what_was_measured_and_what_was_promised() {
    let env = TestEnv::new();
    let ran = env.line(&format!("drill all --only {ONLY}")).expect(0);
    ran.says(&["drill 1 of 2: restore-db", "drill 2 of 2: verify-snapshot"]).shows(&[
        "SIMULATED",
        "drills of techcorp",
        "scenario",
        "recovery point",
        "4h00m / 1h00m",
        "succeeded",
        "met",
    ]);
    let dry = env.line(&format!("drill all --only {ONLY} --dry-run")).expect(0);
    dry.shows(&["DRY RUN of the drills of techcorp", "will run", "recovery time at most"]);
    assert_eq!(env.runs().len(), 2, "a dry run is no run");
    assert_eq!(worlds(&env), Vec::<String>::new());
}

#[test]
fn a_drill_that_cannot_begin_is_a_row_and_the_others_run() {
    let env = TestEnv::new();
    let drill = |name: &str, rest: &str| {
        format!(
            "apiVersion: drctl/v1\nkind: Drill\nname: {name}\nscenario: Planted\nestate: \
             techcorp\n{rest}"
        )
    };
    env.write("drills/broken.yaml", &drill("broken", "runbok: restore-db\n"));
    env.write("drills/absent.yaml", &drill("absent", "runbook: nowhere\n"));
    let elsewhere = "apiVersion: drctl/v1\nkind: Drill\nname: other\nestate: shop\nrunbok: x\n";
    env.write("drills/other.yaml", elsewhere);
    let faulty =
        "runbook: restore-db\nparameters: { database: orders }\nfaults: [restore-failed]\n";
    env.write("drills/faulty.yaml", &drill("faulty", faulty));
    let ran = env.line("drill all --estate techcorp --output json").expect(2);
    let json = ran.json();
    let all = rows(&json);
    let outcome = |name: &str| {
        let row = all.iter().find(|(drill, _, _)| drill == name);
        row.map(|(_, outcome, code)| (outcome.as_str(), *code))
    };
    assert_eq!(outcome("absent"), Some(("CANNOT START", 2)));
    assert_eq!(outcome("broken"), Some(("CANNOT START", 2)));
    assert_eq!(outcome("other"), None, "another estate's file is not this one's business");
    assert_eq!(outcome("restore-db"), Some(("succeeded", 0)));
    assert_eq!(outcome("faulty").map(|(_, code)| code), Some(10));
    assert_eq!(json["exit_code"], 2);
    ran.says(&["there is no runbook called `nowhere`"]);
    // Without those that cannot begin, the failed one decides.
    let ran = env.line("drill all --only faulty,restore-db --junit all.xml").expect(10);
    ran.shows(&["Planted (faulty)", "failed", "drctl report"]);
    let junit = fs::read_to_string(env.project().join("all.xml")).expect("written");
    assert!(junit.contains("failures=\"1\""), "{junit}");
}

#[test]
fn what_is_asked_for_wrongly_starts_nothing() {
    let env = TestEnv::new();
    env.line("drill all --only restore-bd").expect(2).says(&["did you mean `restore-db`?"]);
    env.line("drill all --estate nowhere").expect(2).says(&["no estate called `nowhere`"]);
    let ran = env.line("drill all --only restore-db --env nowhere --output json").expect(2);
    assert_eq!(rows(&ran.json())[0].1, "CANNOT START");
    assert_eq!(env.runs(), Vec::<String>::new());
    assert_eq!(worlds(&env), Vec::<String>::new());
}

#[test]
fn an_interrupt_ends_the_list_and_what_it_stopped_is_taken_up_in_its_own_world() {
    let env = TestEnv::new();
    let line = format!("drill all --only {ONLY} --pace 1 --output json");
    let mut running = Watched::start(&env, &line);
    running.until("restore: started");
    running.signal("INT");
    let ended = running.end().expect(13);
    let json = ended.json();
    let all = rows(&json);
    assert_eq!((all[0].1.as_str(), all[0].2), ("waiting", 13), "{all:?}");
    assert_eq!((all[1].1.as_str(), all[1].2), ("not begun", 13), "{all:?}");
    let run = json["drills"][0]["run"].as_str().expect("a run").to_owned();
    assert_eq!(worlds(&env), ["techcorp-sim.restore-db.1"], "the run needs its world");
    // A second list has worlds of its own.
    env.line("drill all --only restore-db").expect(0);
    assert_eq!(worlds(&env), ["techcorp-sim.restore-db.1"]);
    env.line(&format!("resume {run}")).expect(0).shows(&["succeeded"]);
    assert_eq!(worlds(&env), Vec::<String>::new());
}
