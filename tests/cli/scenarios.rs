//! Every shipped drill, dry run and run: its exit code, what it measured, and that it promised nothing else.
//!
//! **Invariant:** a drill that is shipped is in this table, with the end that it has on the simulator.

use crate::env::TestEnv;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What a drill measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measures {
    Nothing,
    Time,
    TimeAndPoint,
}
use Measures::{Nothing, Time, TimeAndPoint};

/// Drill, exit code, what it measures.
const DRILLS: [(&str, i32, Measures); 35] = [
    ("backup-before-change", 0, Nothing),
    ("cloud-platform-backup-and-restore", 0, TimeAndPoint),
    ("cloud-platform-deployment", 0, Nothing),
    ("cloud-platform-export", 0, Nothing),
    ("cloud-platform-incident", 0, TimeAndPoint),
    ("cloud-platform-retention-dev", 0, Nothing),
    ("cloud-platform-retention-production", 0, Nothing),
    ("cloud-platform-retention-staging", 0, Nothing),
    ("cloud-platform-rollback", 0, Time),
    ("cloud-platform-scaling", 0, Nothing),
    ("cloud-platform-secret-rotation", 0, Nothing),
    ("cloud-platform-terraform-state", 0, TimeAndPoint),
    ("credentialmate-dr-region", 0, TimeAndPoint),
    ("credentialmate-ecs-rollback", 0, Time),
    ("credentialmate-multi-az", 11, TimeAndPoint),
    ("credentialmate-pitr", 0, TimeAndPoint),
    ("credentialmate-s3-rollback", 0, TimeAndPoint),
    ("credentialmate-snapshot-restore", 0, TimeAndPoint),
    ("restore-db", 0, TimeAndPoint),
    ("secure-app-alert", 0, Time),
    ("secure-app-bad-deploy", 0, TimeAndPoint),
    ("secure-app-multi-az", 0, TimeAndPoint),
    ("secure-app-staging-rehearsal", 0, TimeAndPoint),
    ("tax-practice-accidental-deletion", 0, TimeAndPoint),
    ("tax-practice-s3-replication", 0, TimeAndPoint),
    ("tax-practice-terraform-state", 0, TimeAndPoint),
    ("techcorp-blue-green", 0, Nothing),
    ("techcorp-cross-region-snapshot", 0, TimeAndPoint),
    ("techcorp-europe-restore", 0, TimeAndPoint),
    ("techcorp-region-failover", 0, TimeAndPoint),
    ("techcorp-region-lost", 0, TimeAndPoint),
    ("techcorp-region-round-trip", 0, TimeAndPoint),
    ("techcorp-s3-replication", 0, TimeAndPoint),
    ("techcorp-terraform-state", 0, TimeAndPoint),
    ("verify-snapshot", 0, TimeAndPoint),
];

#[test]
fn every_shipped_drill_is_in_the_table() {
    let env = TestEnv::new();
    let list = env.line("drill list --output json").expect(0).json();
    let shipped: BTreeSet<&str> = list["drills"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|drill| drill["name"].as_str().expect("a name"))
        .collect();
    let here: BTreeSet<&str> = DRILLS.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(shipped, here);
}

#[test]
fn everything_that_is_shipped_is_valid_and_without_warnings() {
    let env = TestEnv::new();
    env.line("runbook validate --deny-warnings").expect(0);
}

/// Plans and runs one drill in a state of its own.
fn drill(name: &str, code: i32, measures: Measures) {
    let env = TestEnv::new();
    let dry = env.line(&format!("drill {name} --dry-run"));
    assert_eq!(dry.code, 0, "{name}: {}{}", dry.stdout, dry.stderr);
    assert!(dry.stdout.contains("all reads; 0 refused"), "{name}: {}", dry.stdout);
    assert_eq!(env.runs(), Vec::<String>::new(), "{name}");
    let run = env.line(&format!("drill {name} --yes --output json"));
    assert_eq!(run.code, code, "{name}: {}{}", run.stdout, run.stderr);
    let report = run.json();
    let ended = &report["waterfall"];
    let recovered = ended["to_what"] == "recovered";
    let time = ended["total_ms"].as_u64().filter(|_| recovered);
    let point = report["recovery_point"]["proven_ms"].as_u64();
    match measures {
        Nothing => {}
        Time => assert!(time.is_some_and(|ms| ms > 0), "{name}: {ended}"),
        TimeAndPoint => {
            assert!(time.is_some_and(|ms| ms > 0), "{name}: {ended}");
            assert!(point.is_some(), "{name}: {}", report["recovery_point"]);
        }
    }
    assert_predicted(name, &report);
}

/// The dry run told the truth.
fn assert_predicted(name: &str, report: &Json) {
    let score = &report["prediction"];
    let (held, all) = (score["held"].as_u64(), score["total"].as_u64());
    assert!(held == all, "{name}: {score}");
}

macro_rules! drills {
    ($($test:ident: $from:literal .. $to:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            for (name, code, measures) in &DRILLS[$from..$to] {
                drill(name, *code, *measures);
            }
        })*
    };
}

// In parts, which run side by side.
drills! {
    drills_of_the_platform_end_as_they_should: 0..12,
    drills_of_one_region_end_as_they_should: 12..23,
    drills_of_buckets_end_as_they_should: 23..26,
    drills_of_two_regions_end_as_they_should: 26..35,
}
