//! Drills of snapshots: which one is picked, what three verdicts the report gives, and what is left.
//!
//! **Invariant:** whatever goes wrong, nothing that the drill made stays in the world.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use serde_json::Value as Json;
use std::fs;

const RESTORE: &str = "RestoreDBInstanceFromDBSnapshot";

/// Snapshots that drctl took and that still exist, in any world of the state directory.
fn snapshots_left(env: &TestEnv, world: &str) -> usize {
    let path = env.state().join("worlds").join(world).join("world.json");
    let Ok(text) = fs::read_to_string(path) else { return 0 };
    let world: Json = serde_json::from_str(&text).expect("a whole world");
    let regions = world["regions"].as_object().expect("regions");
    let snapshots = regions.values().filter_map(|region| region["snapshots"].as_object()).flatten();
    snapshots.filter(|(_, slot)| slot["current"]["tags"].get("drctl:run").is_some()).count()
}

#[track_caller]
fn assert_clean(env: &TestEnv, restores: usize) {
    assert_eq!(env.left_behind(), Vec::<String>::new());
    assert_eq!(env.count(RESTORE), restores, "{:?}", env.mutations());
    assert_eq!(env.count("DeleteDBInstance"), restores, "{:?}", env.mutations());
    assert_eq!(env.mutations().len(), 2 * restores, "{:?}", env.mutations());
}

/// The identifier of the snapshot that a dry run says it would restore.
fn picked(text: &str) -> String {
    let line =
        text.lines().find(|line| line.trim().starts_with("check snapshot `")).expect("it says");
    line.split('`').nth(1).expect("quoted").to_owned()
}

#[test]
fn a_dry_run_says_which_snapshot_and_what_its_restore_would_lose() {
    let env = TestEnv::new();
    env.line("drill verify-snapshot --dry-run").expect(0).shows(&[
        "1. WILL         pick",
        "`rds:techcorp-orders-2026-01-15-03-11`: the newest of 30",
        "encrypted: true, key Enabled",
        "2. WILL         restore",
        "security groups: the VPC's default would be used; set to sg-",
        "lost, and not settable in the call: enhanced monitoring",
        "5. WILL         delete",
        "x kms:DescribeKey us-east-1",
        "all reads; 0 refused",
    ]);
    env.assert_untouched();
}

#[test]
fn a_snapshot_is_restored_proven_and_removed() {
    let env = TestEnv::new();
    env.line("drill verify-snapshot").expect(0).says(&["prediction: 23 of 23 held"]).shows(&[
        "SUCCEEDED: objectives met",
        "restore succeeded, validation succeeded, clean-up succeeded",
        "proven, 5h48m claimed, counted from run_start",
    ]);
    assert_clean(&env, 1);
    let report = env.line("report --format json").expect(0).json();
    let evidence = report["evidence"].to_string();
    for part in [
        "snapshot.id",
        "snapshot.key_state",
        "restored.from_snapshot",
        "the newest when the run was planned",
    ] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }
}

#[test]
fn a_random_draw_is_settled_by_the_plan() {
    let env = TestEnv::new();
    let line = "drill verify-snapshot -p pick=random -p window=20d --dry-run --out plan.json";
    let out = env.line(line).expect(0).shows(&["drawn at random by the run's id from 20 since"]);
    let drawn = picked(&out.stdout);
    assert_ne!(drawn, "rds:techcorp-orders-2026-01-15-03-11", "seed 1 draws an older one");
    env.line("run --plan plan.json").expect(0).shows(&["counted from restore_time"]);
    env.line("report")
        .expect(0)
        .shows(&[&drawn, "drawn at random by the run's id when it was planned"]);
    assert_clean(&env, 1);
}

#[test]
fn a_named_snapshot_must_be_there_and_young_enough() {
    let env = TestEnv::new();
    let drill = |more: &str| env.line(&format!("drill verify-snapshot {more}"));
    drill("--dry-run -p snapshot=rds:techcorp-orders-2026-01-15-03-11").expect(0);
    drill("--dry-run -p snapshot=nope").expect(10).shows(&["there is no `nope`", "is the newest"]);
    drill("--dry-run -p max_age=1h").expect(10).shows(&["the newest snapshot is 5h48m old"]);
    drill("--dry-run -p pick=oldest").expect(2).says(&["`oldest` is not one of: newest, random"]);
    drill("--dry-run -p window=soon").expect(2).says(&["parameter `window`"]);
    drill("--dry-run -p pick=random -p window=1h").expect(10).shows(&["none of the last 1h00m"]);
    drill("-p snapshot=nope").expect(10).shows(&["restore not reached, validation not reached"]);
    assert_clean(&env, 0);
}

#[test]
fn keep_keeps_the_instance() {
    let env = TestEnv::new();
    env.line("drill verify-snapshot --keep").expect(0).shows(&["kept: drctl-", "clean-up skipped"]);
    assert_eq!((env.left_behind().len(), env.count("DeleteDBInstance")), (1, 0));
}

/// A fault, the exit code of the drill, how many restores take effect, and the three verdicts.
struct Case(&'static str, i32, usize, [&'static str; 3], &'static str);

const WELL: [&str; 3] = ["succeeded", "succeeded", "succeeded"];
const INVALID: [&str; 3] = ["succeeded", "FAILED", "succeeded"];
const BROKEN: [&str; 3] = ["FAILED", "not reached", "succeeded"];

const FAULTS: [Case; 15] = [
    Case("throttled=3", 0, 1, WELL, "run succeeded"),
    Case("stale-read", 0, 1, WELL, "run succeeded"),
    Case("lost-answer=RestoreDBInstanceFromDBSnapshot", 0, 1, WELL, "in doubt, looking: "),
    Case("error-after-effect", 0, 1, WELL, "in doubt, looking"),
    Case("error-before-effect", 0, 1, WELL, "in doubt, looking"),
    Case("lost-answer=DeleteDBInstance", 0, 1, WELL, "delete: in doubt"),
    // The snapshot outlives its instance: that is what it is for.
    Case("source-gone", 0, 1, WELL, "run succeeded"),
    Case("restore-failed", 10, 1, BROKEN, "incompatible-restore"),
    Case("stuck-creating", 10, 1, BROKEN, "3h00m are over"),
    Case("quota-exceeded", 10, 0, ["FAILED", "not reached", "skipped"], "InstanceQuotaExceeded"),
    Case("kms-disabled", 10, 0, ["not reached", "not reached", "skipped"], "is `Disabled`"),
    Case("wrong-restore=stale", 10, 1, INVALID, "1h00m before the restore time"),
    Case("wrong-restore=empty-table", 10, 1, INVALID, "rows.customers is 0"),
    Case("wrong-restore=missing-schema", 10, 1, INVALID, "does not exist"),
    Case("wrong-restore=wrong-database", 10, 1, INVALID, "this is another database"),
];

#[test]
fn every_fault_has_its_code_its_three_verdicts_and_leaves_nothing() {
    for Case(fault, code, restores, [restore, validation, cleanup], said) in FAULTS {
        let env = TestEnv::new();
        let out = env.run(&["drill", "verify-snapshot", "--fault", fault]);
        assert_eq!(out.code, code, "{fault}: {}", out.stderr);
        let line = format!("restore {restore}, validation {validation}, clean-up {cleanup}");
        out.says(&[said]).shows(&[&line]);
        assert_clean(&env, restores);
    }
}

#[test]
fn a_disabled_key_is_refused_in_the_dry_run() {
    let env = TestEnv::new();
    env.line("drill verify-snapshot --dry-run --fault kms-disabled").expect(10).shows(&[
        "1. WONT         pick",
        "is `Disabled`: AWS would refuse the restore with KMSKeyNotAccessibleFault",
    ]);
    env.assert_untouched();
}

#[test]
fn the_three_verdicts_are_in_every_form_of_the_report() {
    let env = TestEnv::new();
    env.line("drill verify-snapshot --fault wrong-restore=empty-table").expect(10);
    let report = env.line("report --format json").expect(0).json();
    let parts = report["parts"].as_array().expect("parts");
    let found: Vec<(&str, &str)> = parts
        .iter()
        .map(|part| (part["name"].as_str().expect("text"), part["status"].as_str().expect("text")))
        .collect();
    let wanted = [("restore", "succeeded"), ("validation", "failed"), ("clean_up", "succeeded")];
    assert_eq!(found, wanted);
    let why = "rows.customers is 0, expected at least 1";
    for (form, rows) in [
        ("md", ["| restore    | succeeded", "| validation | FAILED", "| clean-up   | succeeded"]),
        ("html", ["Restore", "Validation", "Clean-up"]),
        ("junit", ["restore", "verify", "delete"]),
    ] {
        let text = env.line(&format!("report --format {form}")).expect(0).shows(&rows).stdout;
        assert!(text.contains(why), "{form}: {text}");
        if form == "junit" {
            // The part of the verdict, and the step that it failed by.
            assert_eq!(text.matches("<failure").count(), 2, "{text}");
        }
    }
}

/// Kills a drill at a moment and resumes it.
fn killed_at(drill: &str, moment: &str) -> TestEnv {
    let env = TestEnv::new();
    let mut running = Watched::start(&env, &format!("drill {drill} --pace 5000"));
    running.until(moment);
    running.kill();
    let run = env.runs()[0].clone();
    env.line("resume last").expect(0).says(&["resuming run", "run succeeded"]);
    assert_eq!(env.runs(), [run]);
    env.line("journal verify").expect(0);
    env
}

#[test]
fn a_killed_drill_restores_the_same_snapshot_once() {
    for moment in ["restore: rds:Restore", "restore: creating", "delete: rds:Delete"] {
        let env = killed_at("verify-snapshot -p pick=random", moment);
        assert_clean(&env, 1);
    }
}

const SHOP: &str = "credentialmate-sim";

fn shop_mutations(env: &TestEnv) -> Vec<String> {
    crate::env::mutations(&env.state().join("worlds").join(SHOP))
}

#[test]
fn a_backup_is_taken_checked_and_deleted_by_the_drill() {
    let env = TestEnv::new();
    env.line("drill backup-before-change --dry-run").expect(0).shows(&[
        "1. WILL         snapshot",
        "take snapshot `drctl-credentialmate-db-",
        "2. WILL         verify",
        "3. WILL         delete",
    ]);
    assert_eq!(shop_mutations(&env), Vec::<String>::new());
    let out = env.line("drill backup-before-change").expect(0).shows(&[
        "SUCCEEDED",
        "restore not planned, validation succeeded, clean-up succeeded",
        "nothing to recover",
    ]);
    let line = env.line("status last --line").expect(0).stdout;
    assert!(line.contains("nothing to recover"), "{line}");
    assert!(!out.stdout.contains("not proven"), "a backup promises no recovery: {}", out.stdout);
    assert!(!out.stderr.contains("RECOVERED"), "{}", out.stderr);
    assert_eq!((shop_mutations(&env).len(), snapshots_left(&env, SHOP)), (2, 0));
}

#[test]
fn a_backup_before_a_change_stays_and_is_restorable() {
    let env = TestEnv::new();
    let out = env.line("run backup-before-change --env sim -p database=orders").expect(0);
    assert_eq!(snapshots_left(&env, "techcorp-sim"), 1);
    let taken = env.mutations()[0].split(' ').nth(1).expect("a name").to_owned();
    out.shows(&[&format!("kept: {taken}\n")]);
    env.line("report").expect(0).shows(&[&format!("{taken} (made by snapshot): kept on purpose")]);
    env.line(&format!("drill verify-snapshot -p snapshot={taken}")).expect(0).shows(&[
        "restore succeeded, validation succeeded, clean-up succeeded",
        "counted from restore_time",
    ]);
    assert_eq!(snapshots_left(&env, "techcorp-sim"), 1, "a drill deletes only what it made");
    assert_eq!(env.left_behind(), Vec::<String>::new());
}

#[test]
fn a_change_does_not_go_on_without_its_backup() {
    for (fault, code, said) in [
        ("source-gone", 10, "no database instance `credentialmate-db`"),
        ("kms-disabled", 10, "is `Disabled`"),
        ("lost-answer=CreateDBSnapshot", 0, "in doubt, looking"),
        ("error-after-effect=CreateDBSnapshot", 0, "in doubt, looking"),
        ("lost-answer=DeleteDBSnapshot", 0, "delete: in doubt"),
        ("throttled", 0, "run succeeded"),
        ("stale-read=200s", 0, "run succeeded"),
    ] {
        let env = TestEnv::new();
        let out = env.run(&["drill", "backup-before-change", "--fault", fault]).expect(code);
        out.says(&[said]);
        assert_eq!(snapshots_left(&env, SHOP), 0, "{fault}");
        let taken = shop_mutations(&env).iter().filter(|line| line.starts_with("Create")).count();
        assert!(taken <= 1, "{fault}: {:?}", shop_mutations(&env));
    }
}

#[test]
fn a_killed_backup_is_taken_once() {
    for moment in ["snapshot: rds:Create", "snapshot: creating", "delete: rds:Delete"] {
        let env = killed_at("backup-before-change", moment);
        assert_eq!((shop_mutations(&env).len(), snapshots_left(&env, SHOP)), (2, 0), "{moment}");
    }
}
