//! Completions, manual pages, quiet and verbose.

use crate::env::TestEnv;
use std::process::{Command, Stdio};

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = env.run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("heartbeat") && script.contains("dry-run"), "{shell}");
    }
    let path = env.write("drctl.bash", &env.run(&["completions", "bash"]).stdout);
    let checked = Command::new("bash").arg("-n").arg(path).stdin(Stdio::null()).status();
    assert!(checked.expect("bash runs").success());
    env.line("completions tcsh").expect(2).says(&["bash", "zsh"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let env = TestEnv::new();
    env.run(&["man"]).expect(0).shows(&[".TH drctl 1", "AWS", "SUBCOMMANDS"]);
    env.run(&["man", "--dir", "pages"]).expect(0);
    for page in ["drctl.1", "drctl-drill.1", "drctl-heartbeat-run.1", "drctl-doctor.1"] {
        let text = std::fs::read_to_string(env.project().join("pages").join(page)).expect(page);
        assert!(text.contains(".TH"), "{page}");
    }
    env.write("file", "");
    env.run(&["man", "--dir", "file"]).expect(2).says(&["cannot write into file"]);
}

#[test]
fn quiet_leaves_results_and_errors() {
    let env = TestEnv::new();
    let quiet = env.run(&["-q", "drill", "restore-db"]).expect(0);
    assert!(quiet.stdout.contains("recovery time"), "{}", quiet.stdout);
    assert_eq!(quiet.stderr, "");
    env.run(&["-q", "drill", "restore-bd"]).expect(2).says(&["error: ", "restore-db"]);
    env.run(&["-q", "-v", "drill", "restore-db"]).expect(2).says(&["cannot be used with"]);
}

#[test]
fn verbose_logs_records_and_calls() {
    let env = TestEnv::new();
    let records = env.run(&["-v", "drill", "restore-db"]).expect(0);
    let records = records.says(&["recorded seq=1 event=\"run_started\""]);
    assert!(!records.stderr.contains("answered operation"), "{}", records.stderr);
    env.run(&["-vv", "drill", "restore-db", "--dry-run"])
        .expect(0)
        .says(&["answered operation=\"rds:DescribeDBInstances\" region=\"us-east-1\""]);
}

#[test]
fn the_log_never_shows_requests() {
    let env = TestEnv::new();
    let mut command = env.command(&["drill", "restore-db"]);
    let output = command.env("RUST_LOG", "trace").output().expect("it starts");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("recorded seq=1"), "{log}");
    let lower = log.to_ascii_lowercase();
    for secret in ["authorization", "drctl-no-key", "x-amz-date", "secretstring", "password"] {
        assert!(!lower.contains(secret), "`{secret}` is in the log");
    }
    let mut command = env.command(&["status"]);
    let output = command.env("RUST_LOG", "drctl=nonsense=x").output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "a bad RUST_LOG stops nothing");
}
