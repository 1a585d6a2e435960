//! Every fault of the simulator: the exit code, and what is left in the world.

use crate::env::TestEnv;
use drctl::sim::Simulator;

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// A fault, the exit code of a drill that meets it, how many restores take effect, and what is said.
struct Case(&'static str, i32, usize, &'static [&'static str]);

/// Faults after which the drill ends by itself.
const ENDS: &[Case] = &[
    Case("throttled", 0, 1, &["run succeeded"]),
    Case("throttled=3", 0, 1, &["run succeeded"]),
    Case("error-before-effect", 0, 1, &["in doubt, looking", "run succeeded"]),
    Case("error-after-effect", 0, 1, &["in doubt, looking", "run succeeded"]),
    Case("lost-answer", 0, 1, &["in doubt, looking: ", "no answer", "run succeeded"]),
    Case("lost-answer=DeleteDBInstance", 0, 1, &["delete: in doubt", "run succeeded"]),
    Case("error-before-effect=DeleteDBInstance", 0, 1, &["delete: in doubt", "run succeeded"]),
    Case("error-after-effect=DeleteDBInstance", 0, 1, &["delete: in doubt", "run succeeded"]),
    Case("stale-read", 0, 1, &["run succeeded"]),
    Case("stale-read=200s", 0, 1, &["run succeeded"]),
    Case("slow", 0, 1, &["run succeeded"]),
    Case("stuck-creating", 10, 1, &["restore: FAILED", "3h00m are over", "`creating`"]),
    Case("restore-failed", 10, 1, &["restore: FAILED", "incompatible-restore"]),
    Case("quota-exceeded", 10, 0, &["restore: FAILED", "InstanceQuotaExceeded"]),
    Case("window-moved", 10, 0, &["restore: FAILED", "latest restorable time"]),
    Case("kms-disabled", 10, 0, &["restore: FAILED", "KMSKeyNotAccessibleFault"]),
    Case("source-gone", 10, 0, &["check_source: FAILED", "no database instance `techcorp-orders`"]),
    Case("wrong-restore=stale", 10, 1, &["heartbeat: FAILED", "1h00m before the restore time"]),
    Case("wrong-restore=empty-table", 10, 1, &["verify: FAILED", "rows.customers is 0"]),
    Case("wrong-restore=missing-schema", 10, 1, &["verify: FAILED", "does not exist"]),
    Case("replica-lag-cliff", 0, 1, &["run succeeded"]),
    Case("replica-lag-unknown", 0, 1, &["run succeeded"]),
    Case("promotion-stuck", 0, 1, &["run succeeded"]),
    Case("export-failed", 0, 1, &["run succeeded"]),
    Case("deployment-fails", 0, 1, &["run succeeded"]),
    Case("tasks-never-start", 0, 1, &["run succeeded"]),
    Case("tasks-linger", 0, 1, &["run succeeded"]),
    Case("service-unhealthy=web", 0, 1, &["run succeeded"]),
    Case("replication-stopped", 0, 1, &["run succeeded"]),
    Case("replication-fails", 0, 1, &["run succeeded"]),
    Case("replication-slow", 0, 1, &["run succeeded"]),
    Case("prefix-rate", 0, 1, &["run succeeded"]),
    Case("clock-skew=4m", 0, 1, &["run succeeded"]),
    Case("control-plane-down=eu-west-1", 0, 1, &["run succeeded"]),
    Case("region-lost=eu-west-1", 0, 1, &["run succeeded"]),
    Case("lost-answer=DescribeDBInstances", 0, 1, &["run succeeded"]),
    Case("wrong-restore=wrong-database", 10, 1, &["this is another database", "techcorp/europe"]),
];

/// Faults of credentials: the run waits until they are right again.
const WAITS: [&str; 2] = ["expired-credentials", "access-denied"];

/// Faults that keep a drill from beginning.
const BEFORE: [&str; 2] = ["clock-skew", "control-plane-down"];

#[test]
fn every_fault_ends_the_drill_with_its_code_and_a_clean_world() {
    for &Case(fault, code, restores, parts) in ENDS {
        let env = TestEnv::new();
        let out = env.run(&["drill", "restore-db", "--fault", fault]);
        assert_eq!(out.code, code, "{fault}: {}", out.stderr);
        let out = out.says(parts);
        env.assert_clean();
        assert_eq!(env.count(RESTORE), restores, "{fault}");
        if code == 10 {
            assert!(out.stdout.contains("FAILED"), "{fault}: {}", out.stdout);
            assert!(!out.stderr.contains("RECOVERED after") || fault == "wrong-restore=stale");
        }
    }
}

/// Faults of the run's journal, after which it is resumed.
const STOPS: [&str; 1] = ["journal-disk-full"];

#[test]
fn a_full_disk_stops_the_run_before_what_the_append_protects() {
    let mut stopped = 0;
    for append in 1.. {
        let env = TestEnv::new();
        let fault = format!("{}={append}", STOPS[0]);
        let out = env.run(&["drill", "restore-db", "--fault", &fault]);
        if out.code == 0 {
            // The run has fewer appends.
            break;
        }
        out.expect(16).says(&["no room left", "free space and resume"]);
        let journal = env.line("journal export last");
        for operation in [RESTORE, "DeleteDBInstance"] {
            let meant = format!("\"operation\":\"rds:{operation}\"");
            let meant = journal.stdout.matches(&meant).count();
            assert!(env.count(operation) <= meant, "{fault}: {:?}", env.mutations());
        }
        // Before the first append there is no run to take up.
        let again = if append == 1 { "drill restore-db" } else { "resume last" };
        env.line(again).expect(0).says(&["run succeeded"]);
        env.assert_clean();
        assert_eq!(env.count(RESTORE), 1, "{fault}");
        stopped += 1;
    }
    assert!(stopped >= 15, "only {stopped} appends");
}

#[test]
fn a_full_disk_strikes_once() {
    let env = TestEnv::new();
    env.line("drill restore-db --fault journal-disk-full").expect(16).says(&["no room left"]);
    let kept = "drill restore-db --fault journal-disk-full";
    env.line(kept).expect(0).says(&["run succeeded"]);
}

#[test]
fn no_fault_of_the_simulator_is_left_out() {
    let ends = ENDS.iter().map(|case| case.0);
    let tried: Vec<&str> = ends.chain(WAITS).chain(BEFORE).chain(STOPS).collect();
    for name in Simulator::fault_names() {
        let found = tried.iter().any(|text| text.split('=').next() == Some(name));
        assert!(found, "fault `{name}` has no test");
    }
}

#[test]
fn a_control_plane_that_is_down_or_hangs_is_said_before_anything_begins() {
    for fault in ["control-plane-down", "control-plane-down=us-east-1/hang"] {
        let env = TestEnv::new();
        let out = env.run(&["drill", "restore-db", "--fault", fault]);
        assert!(![0, 1].contains(&out.code), "{fault}: {} {}", out.code, out.stderr);
        assert!(out.stderr.contains("error: "), "{fault}: {}", out.stderr);
        env.assert_untouched();
    }
}

#[test]
fn a_drill_that_is_meant_to_meet_faults_says_so() {
    let env = TestEnv::new();
    let shipped = include_str!("../../drills/restore-db.yaml");
    let file =
        |faults: &str| env.write("drills/chaos.yaml", &format!("{shipped}faults: {faults}\n"));
    file("[throttled=3, slow=2]");
    env.line("drill chaos --dry-run").expect(0).shows(&["faults       throttled=3, slow=2"]);
    let plan = env.line("drill chaos --dry-run --output json").expect(0).json();
    let faults = &plan["plan"]["environment"]["faults"];
    assert_eq!(faults, &serde_json::json!(["throttled=3", "slow=2"]));
    let out = env.line("drill chaos --fault slow=3").expect(0);
    out.shows(&["with faults: throttled=3, slow=3"]);
    env.line("report last").expect(0).shows(&["- faults: throttled=3, slow=3"]);
    env.line("drill restore-db").expect(0);
    let report = env.line("report last").expect(0);
    assert!(!report.stdout.contains("faults:"), "it is the drill's, not the world's");

    file("[throtled]");
    let parts = ["chaos.yaml", "fault `throtled`", "did you mean `throttled`?", "^"];
    env.line("drill chaos").expect(2).says(&parts);
    env.line("runbook validate drills/chaos.yaml").expect(2).shows(&parts);
    file("[slow]");
    let parts = ["`faults` need the simulator", "`production` is not simulated", "^"];
    env.line("drill chaos --env production").expect(2).says(&parts);
    let text =
        format!("{shipped}faults: [slow]\n").replace("environment: sim", "environment: production");
    env.write("drills/chaos.yaml", &text);
    env.line("runbook validate drills/chaos.yaml").expect(2).shows(&parts);
}

#[test]
fn what_is_wrong_is_not_called_recovered() {
    let env = TestEnv::new();
    for wrong in ["empty-table", "missing-schema", "wrong-database", "stale"] {
        let fault = format!("wrong-restore={wrong}");
        let out = env.run(&["drill", "restore-db", "--fault", &fault]).expect(10);
        assert!(!out.stderr.contains("RECOVERED after"), "{wrong}: {}", out.stderr);
    }
}

#[test]
fn without_credentials_nothing_begins() {
    for fault in WAITS.into_iter().chain(["clock-skew", "clock-skew=-10m"]) {
        let env = TestEnv::new();
        let out = env.run(&["drill", "restore-db", "--fault", fault]).expect(18);
        assert!(out.stderr.contains("error: ") && out.stderr.contains("help: "), "{}", out.stderr);
        env.assert_untouched();
    }
}

#[test]
fn credentials_that_expire_on_the_way_make_the_run_wait() {
    for fault in WAITS {
        for operation in [RESTORE, "DeleteDBInstance"] {
            let env = TestEnv::new();
            let fault = format!("{fault}={operation}");
            env.run(&["drill", "restore-db", "--fault", &fault]).expect(18).says(&[
                "refused",
                "stopped: credentials",
                "drctl resume",
            ]);
            let run = env.runs()[0].clone();
            env.line("status last").expect(0).shows(&["stopped (credentials)", &run]);
            env.line("resume last").expect(0).says(&["attempt 2", "run succeeded"]);
            env.assert_clean();
            assert_eq!(env.count(RESTORE), 1, "{fault}");
            env.line("resume last").expect(2).says(&["has ended: it succeeded", "drctl report"]);
        }
    }
}
