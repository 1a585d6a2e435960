//! Every RDS and S3 operation of the simulator, driven by boto3 and by the aws command line of Debian.
//!
//! **Invariant:** the checks are in Python and bash, so that no code of ours parses the answers.

use crate::served::{Served, python};
use crate::support::{repository, run, skip};
use std::path::Path;
use std::process::Command;

/// The package `awscli`; another `aws` in the path is another program.
const AWS: &str = "/usr/bin/aws";

#[expect(clippy::print_stdout, reason = "what was checked, for whoever reads the log")]
fn passes(checks: &mut Command) {
    let ended = run(checks.current_dir(repository()));
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}

#[test]
fn boto3_drives_every_rds_operation() {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    let (served, fast) = (Served::at(120), Served::at(60_000));
    passes(
        Command::new(python)
            .arg("tests/peers/boto3_rds.py")
            .args([served.endpoint.as_str(), fast.endpoint.as_str()]),
    );
}

#[test]
fn the_aws_command_line_drives_every_rds_operation() {
    aws_command_line("tests/peers/awscli_rds.sh", 2000);
}

#[test]
fn the_aws_command_line_drives_every_s3_operation() {
    aws_command_line("tests/peers/awscli_s3.sh", 20);
}

/// Runs a script of commands against a simulator that is served at `speed`.
fn aws_command_line(script: &str, speed: u32) {
    if !Path::new(AWS).exists() {
        return skip("no /usr/bin/aws: apt-get install awscli");
    }
    let served = Served::at(speed);
    passes(Command::new(script).args([AWS, served.endpoint.as_str()]));
}
