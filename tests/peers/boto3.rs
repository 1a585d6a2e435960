//! boto3, a client that we did not write, against `drctl sim serve` over loopback TCP.
//!
//! **Invariant:** the checks are in Python, so that no code of ours parses the answers.

use crate::served::{Served, python};
use crate::support::{repository, run, skip};
use std::process::Command;

#[test]
fn boto3_finds_states_refusals_and_windows_as_aws_documents_them() {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    let served = Served::at(1200);
    let ended = run(Command::new(python)
        .arg("tests/peers/boto3_sim.py")
        .arg(&served.endpoint)
        .current_dir(repository()));
    drop(served);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}
