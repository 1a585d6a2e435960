//! boto3, a client that we did not write, against `drctl sim serve` over loopback TCP.
//!
//! **Invariant:** the checks are in Python, so that no code of ours parses the answers.

use crate::support::{Background, drctl, repository, run, skip};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn python() -> Option<PathBuf> {
    let installed =
        run(Command::new("localstack/localstack").arg("install").current_dir(repository()));
    let python = repository().join(".state/localstack/venv/bin/python");
    (installed.code == 0 && python.exists()).then_some(python)
}

/// Runs a script of checks against a simulator that is served at `speed`.
fn checks(script: &str, speed: &str) {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    let state = tempfile::tempdir().expect("a directory");
    let mut serving = drctl(state.path())
        .args(["sim", "serve", "--port", "0", "--ephemeral", "--speed", speed])
        .stdout(Stdio::piped())
        .spawn()
        .expect("drctl starts");
    let mut lines = BufReader::new(serving.stdout.take().expect("piped")).lines();
    let serving = Background(serving);
    let line = lines.next().expect("one line").expect("readable");
    let endpoint =
        line.split_whitespace().find(|word| word.starts_with("http://")).expect("its address");
    let ended = run(Command::new(python).arg(script).arg(endpoint).current_dir(repository()));
    drop(serving);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}

#[test]
fn boto3_finds_states_refusals_and_windows_as_aws_documents_them() {
    checks("tests/peers/boto3_sim.py", "1200");
}

#[test]
fn boto3_finds_the_other_services_as_aws_documents_them() {
    checks("tests/peers/boto3_services.py", "20");
}
