//! rclone, s5cmd and boto3 as clients of the simulator's versioned, replicated buckets.
//!
//! **Invariant:** no code of ours parses what they read; what they find planted is what was planted.

use crate::served::{Served, python};
use crate::support::{repository, run, skip};
use std::path::Path;
use std::process::Command;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents:
    name: shop-documents
    replication: [{ id: all, to: west, delete_markers: true, time_control: true }]
    inventory: { id: daily, to: files, prefix: inv }
    objects: [{ key: a/1.txt, text: one }]
  west: { name: shop-documents-west, region: us-west-2 }
  files: { name: shop-inventory, versioning: never }
  vault: { name: shop-vault, object_lock: { mode: GOVERNANCE, days: 10 } }
  flat: { name: shop-flat, versioning: never }
  large: { name: shop-large, generated: { keys: 10000000, prefix: data/, size: 16B } }
  small: { name: shop-small, generated: { keys: 5000, prefix: data/, size: 16B } }
  small_copy:
    name: shop-small-copy
    region: us-west-2
    generated: { mirror_of: small, differs: { missing: 20, changed: 7, extra: 3 } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 7 }
"#;

/// Runs a script of checks against the simulator of [`ESTATE`]; `tool` stands before its address.
#[expect(clippy::print_stdout, reason = "what was checked, for whoever reads the log")]
fn checks(program: &Path, script: &str, tool: Option<&Path>) {
    let project = tempfile::tempdir().expect("a directory");
    let path = project.path().join("estates/shop.yaml");
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    std::fs::write(path, ESTATE).expect("a file");
    let served = Served::of(project.path(), "shop", 60);
    let mut checks = Command::new(program);
    checks.arg(script).args(tool).arg(&served.endpoint);
    let ended = run(checks.current_dir(repository()));
    drop(served);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}

/// Runs a shell script of checks with a program that stands beside the Python of `localstack/`.
fn checks_with(tool: &str, script: &str) {
    let installed = python().map(|python| python.with_file_name(tool));
    let Some(tool) = installed.filter(|tool| tool.exists()) else {
        return skip(&format!("{tool} could not be installed"));
    };
    checks(Path::new("bash"), script, Some(&tool));
}

#[test]
fn boto3_finds_versions_and_replication_as_aws_documents_them() {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    checks(&python, "tests/peers/boto3_versions.py", None);
}

#[test]
fn rclone_copies_checks_and_syncs() {
    checks_with("rclone", "tests/peers/rclone_s3.sh");
}

#[test]
fn s5cmd_copies_lists_and_syncs() {
    checks_with("s5cmd", "tests/peers/s5cmd_s3.sh");
}
