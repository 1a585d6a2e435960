//! Dry runs, drills and runs that go well.

use crate::env::TestEnv;
use serde_json::Value as Json;
use std::fs;

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// The world without what merely looking at it changes: its clock and its count of requests.
fn world(env: &TestEnv) -> Json {
    let text = fs::read_to_string(env.world().join("world.json")).expect("a world");
    let mut world: Json = serde_json::from_str(&text).expect("a whole world");
    for name in ["time", "requests"] {
        assert!(world.as_object_mut().expect("a map").remove(name).is_some(), "{name}");
    }
    world
}

#[test]
fn a_dry_run_tells_everything_and_changes_nothing() {
    let env = TestEnv::new();
    let out = env.line("drill restore-db --dry-run").expect(0).shows(&[
        "SIMULATED",
        "DRY RUN of drill restore-db",
        "answered by drctl simulator (seed 1)",
        "1. WILL         check_source",
        "2. WILL         restore",
        "3. CANNOT-KNOW  heartbeat",
        "4. CANNOT-KNOW  verify",
        "5. WILL         delete",
        "security groups: the VPC's default would be used; set to sg-",
        "restorable window",
        "recovery point",
        "critical path   check_source -> restore",
        "all reads; 0 refused",
    ]);
    assert_eq!(env.runs(), Vec::<String>::new());
    assert_eq!(env.mutations(), Vec::<String>::new());
    let certificate: Vec<&str> =
        out.stdout.lines().skip_while(|line| !line.starts_with("certificate")).skip(1).collect();
    let calls: Vec<&&str> = certificate.iter().filter(|line| line.contains(" x ")).collect();
    assert!(calls.len() >= 3, "{certificate:?}");
    for call in calls {
        let name = call.split_whitespace().nth(2).and_then(|name| name.split(':').nth(1));
        let name = name.expect("service:Operation");
        assert!(
            name.starts_with("Describe") || name.starts_with("List") || name.starts_with("Get")
        );
        assert_ne!(name, "GetSecretValue");
    }
    let before = world(&env);
    env.line("drill restore-db --dry-run").expect(0);
    assert_eq!(before, world(&env), "a dry run changed the simulated world");
}

#[test]
fn a_dry_run_names_the_instance_that_the_stored_plan_then_creates() {
    let env = TestEnv::new();
    let out = env.line("drill restore-db --dry-run --out plan.json").expect(0);
    let name = created(&out.stdout);
    env.line("run --plan plan.json").expect(0).says(&["facts unchanged", "run succeeded"]);
    assert_eq!(env.mutations(), [format!("{RESTORE} {name}"), format!("DeleteDBInstance {name}")]);
    env.assert_clean();
}

fn created(text: &str) -> String {
    let line = text.lines().find(|line| line.trim().starts_with("create `")).expect("a name");
    line.split('`').nth(1).expect("quoted").to_owned()
}

#[test]
fn a_drill_restores_proves_measures_and_cleans_up() {
    let env = TestEnv::new();
    let out = env
        .line("drill restore-db")
        .expect(0)
        .says(&["SIMULATED", "verify: done", "RECOVERED after", "prediction: 21 of 21 held"])
        .shows(&["SUCCEEDED: objectives met", "recovery point", "prediction: 21 of 21 held"]);
    assert!(!out.stderr.contains("FAILED"), "{}", out.stderr);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1);
    assert_eq!(env.mutations().len(), 2, "{:?}", env.mutations());
    let run = env.runs().pop().expect("a run");
    for name in ["journal.db", "report.md", "report.json"] {
        assert!(env.state().join("runs").join(&run).join(name).is_file(), "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let journals: Vec<String> = (0..2)
        .map(|_| {
            let env = TestEnv::new();
            env.line("drill restore-db").expect(0);
            env.line("journal export").expect(0).stdout
        })
        .collect();
    assert_eq!(journals[0], journals[1]);
    let env = TestEnv::new();
    env.line("drill restore-db --seed 7").expect(0);
    assert_ne!(journals[0], env.line("journal export").expect(0).stdout);
}

#[test]
fn keep_keeps_the_instance_with_its_expiry() {
    let env = TestEnv::new();
    env.line("drill restore-db --keep")
        .expect(0)
        .says(&["delete: skipped"])
        .shows(&["kept: drctl-"]);
    assert_eq!(env.mutations().len(), 1, "{:?}", env.mutations());
    let left = env.left_behind();
    assert_eq!(left.len(), 1);
    let tags = &world(&env)["regions"]["us-east-1"]["instances"][&left[0]]["current"]["tags"];
    for name in ["drctl:run", "drctl:step", "drctl:owner", "drctl:expires"] {
        assert!(tags[name].is_string(), "{name} in {tags}");
    }
    // The next drill makes its own instance, and deletes that one only.
    env.line("drill restore-db").expect(0);
    assert_eq!(env.left_behind(), left);
}

#[test]
fn a_run_keeps_the_instance_and_hands_it_over() {
    let env = TestEnv::new();
    let line = "run restore-db --env sim -p database=orders";
    env.line(line).expect(0).shows(&["kept: drctl-techcorp-orders-", ".rds.amazonaws.com:5432"]);
    assert_eq!(env.left_behind().len(), 1);
    assert_eq!(env.count("DeleteDBInstance"), 0);
    let other = "run restore-db --env sim --estate credentialmate -p database=app";
    env.line(other).expect(0).shows(&["kept: drctl-credentialmate-db-"]);
}

#[test]
fn time_is_counted_from_the_disaster() {
    let env = TestEnv::new();
    let late =
        "drill restore-db --disaster-at 2026-01-15T08:00:00Z --declared-at 2026-01-15T08:20:00Z";
    let out = env.line(&format!("{late} --output json")).expect(0);
    let report = out.json();
    assert_eq!(report["schema_version"], 1);
    let text = report.to_string();
    assert!(text.contains("disaster_at") && text.contains("detect"), "{text}");
    env.line("report").expect(0).shows(&[
        "From 2026-01-15T08:00:00Z (disaster_at)",
        "| detect    | 20m00s |",
        "counted from: 2026-01-15T08:00:00Z (disaster_at)",
    ]);
}

#[test]
fn an_objective_that_is_missed_has_its_own_exit_code() {
    let env = TestEnv::new();
    let line = "drill restore-db --disaster-at 2026-01-14T09:00:00Z";
    env.line(line).expect(11).says(&["run succeeded"]).shows(&["missed"]);
    env.assert_clean();
}

#[test]
fn an_instant_of_the_past_can_be_restored() {
    let env = TestEnv::new();
    let line = "drill restore-db -p restore_time=2026-01-15T06:30:00Z";
    env.line(line).expect(0);
    env.line("report").expect(0).shows(&["restored to: 2026-01-15T06:30:00Z"]);
    env.assert_clean();
}

#[test]
fn several_drills_share_one_world_and_one_clock() {
    let env = TestEnv::new();
    for _ in 0..2 {
        env.line("drill restore-db").expect(0);
    }
    assert_eq!(env.runs().len(), 2);
    assert_eq!((env.count(RESTORE), env.count("DeleteDBInstance")), (2, 2));
    assert_eq!(env.left_behind(), Vec::<String>::new());
    // Durations of the first drill are the source of the next prediction.
    env.line("drill restore-db --dry-run").expect(0).shows(&["2 earlier simulated runs"]);
}

#[test]
fn a_world_that_starts_over_does_not_meet_its_own_past() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    env.line("sim reset").expect(0);
    env.line("drill restore-db").expect(0);
    assert_eq!(env.runs().len(), 2);
    env.assert_clean();
}
