//! boto3, a client that we did not write, against `drctl sim serve` over loopback TCP.
//!
//! **Invariant:** the checks are in Python, so that no code of ours parses the answers.

use crate::served::{Served, python};
use crate::support::{repository, run, skip};
use std::process::Command;

/// Runs a script of checks against a simulator that is served at `speed`.
#[expect(clippy::print_stdout, reason = "what was checked, for whoever reads the log")]
fn checks(script: &str, speed: u32) {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    let served = Served::at(speed);
    let mut checks = Command::new(python);
    let ended = run(checks.arg(script).arg(&served.endpoint).current_dir(repository()));
    drop(served);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}

#[test]
fn boto3_finds_states_refusals_and_windows_as_aws_documents_them() {
    checks("tests/peers/boto3_sim.py", 1200);
}

#[test]
fn boto3_finds_the_other_services_as_aws_documents_them() {
    checks("tests/peers/boto3_services.py", 20);
}

#[test]
fn boto3_finds_s3_as_aws_documents_it() {
    checks("tests/peers/boto3_s3.py", 20);
}
