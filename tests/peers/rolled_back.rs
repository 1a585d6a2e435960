//! `drctl s3 rollback` against MiniStack, a server that we did not write, over TCP: a thousand random writes
//! by boto3, rolled back to four instants, compared by boto3 with what was written.
//!
//! **Invariant:** no code of ours reads the bucket for the comparison.

use crate::ministack::MiniStack;
use crate::support::{drctl, repository, run, skip};
use std::fs;
use std::process::Command;

/// Writes of the history.
const STEPS: &str = "1000";

#[test]
fn a_bucket_of_ministack_is_rolled_back_to_what_was_recorded() {
    let Some(stack) = MiniStack::start() else { return skip("ministack could not be installed") };
    let directory = tempfile::tempdir().expect("a directory");
    let endpoint = format!("http://{}", stack.address);
    let estate = format!(
        "apiVersion: drctl/v1\nkind: Estate\nname: papers\nenvironments:\n  there: {{ type: endpoints, \
         account: '000000000000', region: us-east-1, endpoints: {{ default: '{endpoint}' }} }}\n"
    );
    fs::create_dir(directory.path().join("estates")).expect("a directory");
    fs::write(directory.path().join("estates/papers.yaml"), estate).expect("a file");
    let record = directory.path().join("record.json");
    let history = |what: &str, number: &str| {
        let script = repository().join("tests/peers/rollback_history.py");
        let mut command = Command::new(stack.python());
        let ended = run(command.arg(script).args([what, &endpoint]).arg(&record).arg(number));
        assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
        println!("{}", ended.stdout.trim());
    };
    history("make", STEPS);
    let text = fs::read_to_string(&record).expect("a record");
    let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let instants = told["instants"].as_array().expect("a list");
    // Back and forth: what an earlier roll-back left is history for the next.
    for place in [2, 0, 3, 1] {
        let to = instants[place]["at"].as_str().expect("an instant");
        let mut command = drctl(&directory.path().join("state"));
        command.args(["s3", "rollback", "papers-history", "--to", to, "--estate", "papers"]);
        command.args(["--env", "there", "--yes"]).current_dir(directory.path());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let ended = run(&mut command);
        assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
        history("check", &place.to_string());
    }
}
