//! Every fault of the simulator: the exit code, and what is left in the world.

use crate::env::TestEnv;

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// A fault, the exit code of a drill that meets it, how many restores take effect, and what is said.
struct Case(&'static str, i32, usize, &'static [&'static str]);

/// Faults after which the drill ends by itself.
const ENDS: [Case; 21] = [
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
    Case("wrong-restore=wrong-database", 10, 1, &["this is another database", "techcorp/europe"]),
];

/// Faults of credentials: the run waits until they are right again.
const WAITS: [&str; 2] = ["expired-credentials", "access-denied"];

#[test]
fn every_fault_ends_the_drill_with_its_code_and_a_clean_world() {
    for Case(fault, code, restores, parts) in ENDS {
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

#[test]
fn no_fault_of_the_simulator_is_left_out() {
    let tried: Vec<&str> = ENDS.iter().map(|case| case.0).chain(WAITS).collect();
    for name in drctl::estate::fault::names() {
        let found = tried.iter().any(|text| text.split('=').next() == Some(name));
        assert!(found, "fault `{name}` has no test");
    }
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
    for fault in WAITS {
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
