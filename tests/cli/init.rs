//! `init` and `drill list`: a new project works at once, and nothing that exists is touched.

use crate::env::TestEnv;
use std::fs;

const FILES: [&str; 9] = [
    "README.md",
    "drctl.yaml",
    "drills/restore-app.yaml",
    "estates/shop.yaml",
    "runbooks/restore-app.yaml",
    "schemas/config.schema.json",
    "schemas/drill.schema.json",
    "schemas/estate.schema.json",
    "schemas/runbook.schema.json",
];

#[test]
fn a_new_project_is_valid_and_its_drill_succeeds() {
    let env = TestEnv::new();
    let made = env.line("init").expect(0);
    for file in FILES {
        assert!(made.stdout.contains(&format!("written  {file}\n")), "{}", made.stdout);
    }
    let valid = env.line("runbook validate --deny-warnings").expect(0);
    valid.shows(&[
        "drctl.yaml: valid\n",
        "runbooks/restore-app.yaml: valid\n",
        "drills/restore-app.yaml: valid\n",
        "estates/shop.yaml: valid\n",
    ]);
    let dry = env.line("drill restore-app --dry-run").expect(0);
    dry.shows(&["drctl-shop-app-", "certificate", "0 refused"]);
    assert_eq!(env.runs(), Vec::<String>::new());
    env.line("drill restore-app").expect(0).shows(&["SUCCEEDED: objectives met"]);
    // The project's only estate is the one that is meant.
    let run = "run restore-app --env sim --dry-run -p database=app";
    env.line(run).expect(0).shows(&["shop / sim"]);
    // Every YAML file names a schema that is there.
    for file in FILES.iter().filter(|file| file.ends_with(".yaml")) {
        let path = env.project().join(file);
        let text = fs::read_to_string(&path).expect("text");
        let line = text.lines().next().unwrap_or_default();
        let schema = line.strip_prefix("# yaml-language-server: $schema=").expect("a schema");
        assert!(path.parent().expect("a directory").join(schema).is_file(), "{file}: {schema}");
    }
}

#[test]
fn what_is_in_the_way_is_listed_and_stays() {
    let env = TestEnv::new();
    env.write("there/drctl.yaml", "mine\n");
    env.write("there/schemas/drill.schema.json", "{}\n");
    let refused = env.line("init there").expect(2);
    let refused = refused.says(&[
        "2 of 9 files exist already in there; nothing was written:\n  drctl.yaml\n  schemas/drill",
        "--force",
    ]);
    assert!(refused.stdout.is_empty());
    assert!(!env.project().join("there/README.md").exists());
    let kept = env.line("init there --force").expect(0);
    kept.shows(&[
        "kept     drctl.yaml\n",
        "kept     schemas/drill.schema.json\n",
        "written  README",
    ]);
    let mine = fs::read_to_string(env.project().join("there/drctl.yaml"));
    assert_eq!(mine.expect("text"), "mine\n");
}

#[test]
fn a_directory_that_cannot_be_written_is_no_project() {
    let env = TestEnv::new();
    env.write("taken", "a file\n");
    env.line("init taken/project").expect(2).says(&["cannot write taken/project/drctl.yaml"]);
}

#[test]
fn drills_are_listed_with_how_they_last_ended_each_kind_apart() {
    let env = TestEnv::new();
    env.write("drills/broken.yaml", "apiVersion: drctl/v1\nkind: Drill\nname: broken\n");
    let lost = "apiVersion: drctl/v1\nkind: Drill\nname: lost\nrunbook: nowhere\nestate: techcorp\n\
                environment: moon\n";
    env.write("drills/lost.yaml", lost);
    env.line("drill list").expect(0).shows(&[
        "broken  drills/broken.yaml\n",
        "valid      NO: the file has 2 errors\n",
        "there is no runbook `nowhere`; estate `techcorp` has no environment `moon`\n",
        "restore-db  (shipped) drills/restore-db.yaml\n",
        "runs       restore-db in techcorp/sim\n",
        "schedule   0 6 1 * *\n",
        "promises   recovery time 4h00m, recovery point 1h00m\n",
        "simulated  never run\n",
    ]);
    env.line("drill restore-db").expect(0);
    let listed = env.line("drill list").expect(0);
    listed.shows(&["real       never run\n", "in sim: succeeded, recovered in 33m59s, lost 1m"]);
    let json = env.line("drill list --output json").expect(0).json();
    let drills = json["drills"].as_array().expect("a list");
    let ours = drills.iter().find(|it| it["name"] == "restore-db").expect("it is shipped");
    assert_eq!(ours["last"]["simulated"]["outcome"], "succeeded");
    assert!(ours["last"]["real"].is_null());
    let broken = drills.iter().find(|it| it["name"] == "broken").expect("it is listed too");
    assert_eq!(broken["valid"], false);
}

#[test]
fn a_drill_needs_a_name_and_list_takes_none() {
    let env = TestEnv::new();
    env.line("drill").expect(2).says(&["<NAME>"]);
    env.line("drill list restore-db").expect(2);
    env.line("drill lst").expect(2).says(&["there is no drill called `lst`"]);
}
