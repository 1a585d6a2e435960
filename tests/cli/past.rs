//! Commands that look at what was: status, history, report, journal, validate.

use crate::env::TestEnv;

#[test]
fn nothing_yet_is_said_plainly() {
    let env = TestEnv::new();
    env.line("status").expect(0).shows(&["no runs in"]);
    env.line("history").expect(0).shows(&["no finished runs in"]);
    for line in ["resume", "report", "status x", "journal export", "journal verify"] {
        env.line(line).expect(2).says(&["there are no runs in", "help: start one"]);
    }
    assert!(!env.state().exists(), "looking made a state directory");
}

#[test]
fn status_history_and_report_show_the_run() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    env.line("drill restore-db --fault wrong-restore=stale").expect(10);
    let runs = env.runs();
    env.line("status").expect(0).shows(&[&runs[0], &runs[1], "SIMULATED", "succeeded", "FAILED"]);
    env.line("status last").expect(0).shows(&[&runs[1], "heartbeat", "failed", "FAILED"]);
    env.run(&["status", &runs[0]]).expect(0).shows(&["verify", "succeeded"]);
    // The beginning is the time, which both may share; the end is random.
    env.run(&["status", &runs[0][18..]]).expect(0).shows(&[&runs[0]]);
    env.line("status 0").expect(2).says(&["means more than one run"]);
    env.line("status zzzz").expect(2).says(&["there is no run `zzzz`", "drctl status"]);
    env.line("history").expect(0).shows(&["SIMULATED", &runs[0], &runs[1], "failed"]);
    let limited = env.line("history restore-db --limit 1").expect(0);
    assert!(!limited.stdout.contains(&runs[0]) && limited.stdout.contains(&runs[1]));
    for line in ["status --output json", "history --output json", "status last --output json"] {
        assert_eq!(env.line(line).expect(0).json()["schema_version"], 1, "{line}");
    }
    env.run(&["report", &runs[1]]).expect(0).shows(&["FAILED", "SIMULATED", "## Evidence"]);
    let json = env.line("report --format json").expect(0).json();
    assert_eq!(json["schema_version"], 1);
    assert!(json.to_string().contains(&runs[1]));
}

#[test]
fn history_feeds_prometheus() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    env.line("drill restore-db --fault restore-failed").expect(10);
    let labels = "{drill=\"restore-db\",environment=\"sim\",kind=\"simulated\"}";
    let text = env.line("history --format prometheus").expect(0).stdout;
    for line in [
        format!("drctl_last_run_success{labels} 0.0"),
        format!("drctl_recovery_time_objective_seconds{labels} 14400.0"),
        "drctl_damaged_journals 0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in:\n{text}");
    }
    assert!(text.contains(&format!("drctl_last_success_timestamp_seconds{labels} 17")), "{text}");
    // The newest run did not recover: an old figure must not stand for it.
    assert!(!text.contains(&format!("drctl_recovery_time_seconds{labels}")), "{text}");
}

#[test]
fn the_report_is_the_one_written_by_the_run() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    let written = env.state().join("runs").join(&env.runs()[0]).join("report.md");
    let written = std::fs::read_to_string(written).expect("a report");
    assert_eq!(env.line("report").expect(0).stdout.trim_end(), written.trim_end());
}

#[test]
fn the_journal_is_exported_as_stored_and_verified() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    let first = env.line("journal export").expect(0).stdout;
    assert_eq!(first, env.line("journal export last").expect(0).stdout);
    assert!(first.lines().count() > 15 && first.lines().all(|line| line.starts_with('{')));
    let verified = env.line("journal verify --output json").expect(0).json();
    let head = verified["head"].as_str().expect("a head").to_owned();
    env.run(&["journal", "verify", "--expect", &head]).expect(0).shows(&["chain whole"]);
    env.line("report").expect(0).shows(&[&head]);
    let wrong = format!("sha256:{}", "0".repeat(64));
    env.run(&["journal", "verify", "--expect", &wrong])
        .expect(16)
        .says(&["was never the head of this journal"]);
}

#[test]
fn a_journal_that_is_no_journal_is_named_and_not_hidden() {
    let env = TestEnv::new();
    env.line("drill restore-db").expect(0);
    let run = env.runs()[0].clone();
    let journal = env.state().join("runs").join(&run).join("journal.db");
    std::fs::write(&journal, "not a database, but long enough to be looked at as one")
        .expect("write");
    env.line("status").expect(0).shows(&["UNREADABLE", &run]);
    env.line("history").expect(0).says(&["is not readable", &run]).shows(&["DAMAGED", &run]);
    for line in ["report", "journal verify", "journal export", "resume"] {
        env.line(line).expect(16).says(&["journal.db"]);
    }
}

#[test]
fn validate_checks_the_shipped_files() {
    let env = TestEnv::new();
    env.line("runbook validate").expect(0);
    env.line("runbook validate restore-db").expect(0);
}

#[test]
fn exit_codes_are_listed() {
    let out = TestEnv::new().line("exit-codes").expect(0);
    for code in [0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18] {
        let listed = out.stdout.lines().any(|line| line.trim().starts_with(&format!("{code} ")));
        assert!(listed, "{code} in\n{}", out.stdout);
    }
}
